/* A C function of one's own inside a program, with its derivative: the Lambert function w(x), w e^w = x. */
#include <math.h>

#include "example.h"

enum { COUNT = 4 };

static void lambert(void *user, const void *const *inputs, void *output) {
    const double *x = inputs[0];
    double       *w = output;
    for (int i = 0; i < COUNT; i++) {
        w[i] = log1p(x[i]); /* Newton's method, from a good start for x >= 0 */
        for (int k = 0; k < 20; k++) w[i] -= (w[i] - x[i] * exp(-w[i])) / (1 + w[i]);
    }
    *(int *)user += 1; /* how often it ran */
}

/* w' = 1 / (e^w (1 + w)), built from values. */
static void lambert_derivative(void *user, tide_list inputs, tide_val w, tide_val dy, tide_val *dx) {
    (void)user, (void)inputs;
    dx[0] = tide_div(dy, tide_mul(tide_exp(w), tide_add_scalar(w, 1)));
}

int main(void) {
    int            calls = 0;
    tide_custom_op op    = { "lambert", lambert, lambert_derivative, &calls };
    tide_graph    *g     = tide_graph_new("cpu");
    tide_val       x     = tide_input(g, "x", TIDE_F64, TIDE_SHAPE(COUNT));
    tide_val       w     = tide_custom(g, &op, TIDE_LIST(x), TIDE_F64, TIDE_SHAPE(COUNT));
    tide_val       slope = tide_grad(tide_sum(w, TIDE_ALL), TIDE_LIST(x)).items[0];
    tide_program  *p     = tide_compile(TIDE_LIST(w, slope), NULL);

    double xs[COUNT] = { 0, 0.5, 1, 2.718281828459045 }, ws[COUNT], slopes[COUNT], worst = 0;
    tide_run(p, (tide_feed[]){ { x, xs } }, 1);
    tide_read(w, ws, sizeof ws);
    tide_read(slope, slopes, sizeof slopes);
    for (int i = 0; i < COUNT; i++) {
        printf("w(%.4f) = %.6f   slope %.6f\n", xs[i], ws[i], slopes[i]);
        worst = fmax(worst, fabs(ws[i] * exp(ws[i]) - xs[i]));
        worst = fmax(worst, fabs(slopes[i] - 1 / (exp(ws[i]) * (1 + ws[i]))));
    }
    return finish(g, worst < 1e-12 && calls == 1);
}
