/* Derivatives are values like any other: they can be read, and differentiated again. */
#include <math.h>

#include "example.h"

int main(void) {
    tide_graph *g = tide_graph_new("cpu");
    tide_val    x = tide_constant(g, TIDE_F64, TIDE_SHAPE(3), (double[]){ -1, 0.5, 2 });

    tide_val y      = tide_sum(tide_mul(tide_sin(x), tide_exp(x)), TIDE_ALL); /* sum of sin(x) e^x */
    tide_val first  = tide_grad(y, TIDE_LIST(x)).items[0];                    /* e^x (sin x + cos x) */
    tide_val second = tide_grad(tide_sum(first, TIDE_ALL), TIDE_LIST(x)).items[0]; /* 2 e^x cos x */

    double at[3], d1[3], d2[3], worst = 0;
    tide_read(x, at, sizeof at);
    tide_read(first, d1, sizeof d1);
    tide_read(second, d2, sizeof d2);
    for (int i = 0; i < 3; i++) {
        printf("x %5.2f   y' %9.6f   y'' %9.6f\n", at[i], d1[i], d2[i]);
        worst = fmax(worst, fabs(d1[i] - exp(at[i]) * (sin(at[i]) + cos(at[i]))));
        worst = fmax(worst, fabs(d2[i] - 2 * exp(at[i]) * cos(at[i])));
    }
    return finish(g, worst < 1e-12);
}
