/* A program of your own on an installed Tidemill. Build it anywhere:
 *
 *     cc embed.c $(pkg-config --cflags --libs tidemill) -o embed
 *
 * It fits y = sin(x) with a small network: the whole training step, update included, is one program. */
#include <math.h>
#include <stdio.h>

#include <tidemill/tidemill.h>

enum { BATCH = 64, HIDDEN = 32, STEPS = 1000 };

static void make_batch(int step, float *x, float *y) {
    for (int i = 0; i < BATCH; i++) {
        x[i] = (float)(-3.0 + 6.0 * ((i + 0.618 * step) / BATCH - floor((i + 0.618 * step) / BATCH)));
        y[i] = sinf(x[i]);
    }
}

int main(void) {
    float xs[BATCH], ys[BATCH], last = 0;
    tide_graph *g = tide_graph_new("cpu");
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(BATCH, 1)),
             y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(BATCH, 1));
    tide_linear hidden = tide_linear_new(g, "hidden", 1, HIDDEN), out = tide_linear_new(g, "out", HIDDEN, 1);

    tide_val  loss   = tide_mse(tide_linear_apply(&out, tide_tanh(tide_linear_apply(&hidden, x))), y);
    tide_list params = tide_params(g, "");
    tide_val update = tide_adamw(params, tide_clip_norm(tide_grad(loss, params), 1.0),
                                 &(tide_adamw_opts){ .lr = tide_scalar(g, 1e-2) });

    tide_program *step = tide_compile(TIDE_LIST(loss, update), NULL);
    for (int i = 0; i < STEPS; i++) {
        make_batch(i, xs, ys);
        tide_run(step, (tide_feed[]){ { x, xs }, { y, ys } }, 2);
    }
    tide_status status = tide_read(loss, &last, sizeof last);  /* any earlier error arrives here */
    if (status == TIDE_OK)
        printf("tidemill %s on %s: loss %.5f after %d steps\n", TIDE_VERSION, tide_graph_device(g), last, STEPS);
    else fprintf(stderr, "%s\n", tide_error(g)->message);
    tide_graph_free(g);
    return status != TIDE_OK || !(last < 0.01f);
}
