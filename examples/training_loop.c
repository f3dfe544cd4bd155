/* A training loop of one's own: data on the graph, batches by index, a schedule, an evaluation program over the same
 * variables. It learns y = sin(3 x) from noisy points. */
#include <math.h>

#include "example.h"

enum { POINTS = 512, BATCH = 64, STEPS = 2000 };

typedef struct net { tide_linear a, b, c; } net;

static tide_val forward(const net *n, tide_val x, tide_mode mode) {
    tide_val h = tide_gelu(tide_linear_apply(&n->a, x));
    h          = tide_dropout(tide_gelu(tide_linear_apply(&n->b, h)), 0.02, mode);
    return tide_linear_apply(&n->c, h);
}

int main(void) {
    tide_graph *g   = tide_graph_new_with(&(tide_graph_options){ .device = "cpu", .seed = 3 });
    net n = { tide_linear_new(g, "a", 1, 32), tide_linear_new(g, "b", 32, 32), tide_linear_new(g, "c", 32, 1) };
    tide_list   params = tide_params(g, "");

    /* the data: two variables that are drawn once */
    tide_val x     = tide_variable(g, "x", tide_random_uniform(g, TIDE_SHAPE(POINTS, 1), -1, 1));
    tide_val noise = tide_variable(g, "noise", tide_random_normal(g, TIDE_SHAPE(POINTS, 1), 0, 0.05));
    tide_val y     = tide_add(tide_sin(tide_mul_scalar(x, 3)), noise);

    /* one step: gather a batch by index, forward, backward, update, all in one program */
    tide_val index  = tide_input(g, "index", TIDE_I32, TIDE_SHAPE(BATCH));
    tide_val guess  = forward(&n, tide_gather(x, 0, index), TIDE_TRAIN);
    tide_val loss   = tide_mse(guess, tide_gather(y, 0, index));
    tide_val count  = tide_variable(g, "count", tide_scalar_of(g, TIDE_I32, 0));
    tide_val lr     = tide_lr_warmup(count, 50, tide_lr_cosine(count, 5e-3, 1e-5, STEPS));
    tide_val update = tide_adam(params, tide_grad(loss, params), &(tide_adamw_opts){ .lr = lr });
    tide_val tick   = tide_assign(count, tide_add_scalar(count, 1));
    tide_program *step = tide_compile(TIDE_LIST(loss, lr, update, tick), NULL);

    /* evaluation: noiseless truth on a grid, no dropout, the same variables */
    tide_val grid =
        tide_reshape(tide_add_scalar(tide_mul_scalar(tide_arange(g, TIDE_F32, 101), 0.02), -1), TIDE_SHAPE(101, 1));
    tide_val error = tide_mse(forward(&n, grid, TIDE_EVAL), tide_sin(tide_mul_scalar(grid, 3)));
    tide_program *evaluate = tide_compile(TIDE_LIST(error), NULL);

    float last = 0, rate = 0, test = 0;
    for (int i = 0; i < STEPS; i++) {
        int32_t batch[BATCH];
        for (int b = 0; b < BATCH; b++) batch[b] = (i * BATCH + b * 7) % POINTS;
        tide_run(step, (tide_feed[]){ { index, batch } }, 1);
        if (i % 500 == 499) {
            tide_read(loss, &last, sizeof last);
            tide_read(lr, &rate, sizeof rate);
            tide_run(evaluate, NULL, 0);
            tide_read(error, &test, sizeof test);
            printf("step %4d  rate %.5f  loss %.5f  test %.5f\n", i + 1, rate, last, test);
        }
    }
    return finish(g, test < 2e-3f);
}
