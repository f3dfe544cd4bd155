/* A small network learns XOR: layers, a loss, an optimizer, one program for the whole step. */
#include "example.h"

int main(void) {
    static const float xs[8] = { 0, 0, 0, 1, 1, 0, 1, 1 }, ys[4] = { 0, 1, 1, 0 };
    tide_graph *g      = tide_graph_new_with(&(tide_graph_options){ .device = "cpu", .seed = 1 });
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(4, 2)), y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(4, 1));
    tide_linear hidden = tide_linear_new(g, "hidden", 2, 16), out = tide_linear_new(g, "out", 16, 1);

    tide_val  guess  = tide_linear_apply(&out, tide_tanh(tide_linear_apply(&hidden, x)));
    tide_val  loss   = tide_bce_logits(guess, y, TIDE_NO_WEIGHT);
    tide_list params = tide_params(g, "");
    tide_val  update = tide_adamw(params, tide_clip_norm(tide_grad(loss, params), 1.0),
                                  &(tide_adamw_opts){ .lr = tide_scalar(g, 0.05), .weight_decay = 1e-4 });

    tide_program *step = tide_compile(TIDE_LIST(loss, guess, update), NULL);
    float         last = 0, logits[4];
    for (int i = 0; i <= 300; i++) {
        tide_run(step, (tide_feed[]){ { x, xs }, { y, ys } }, 2);
        tide_read(loss, &last, sizeof last);
        if (i % 100 == 0) printf("step %3d  loss %.4f\n", i, last);
    }
    tide_read(guess, logits, sizeof logits);
    bool learned = true;
    for (int i = 0; i < 4; i++) {
        printf("%g xor %g = %d\n", xs[2 * i], xs[2 * i + 1], logits[i] > 0);
        learned = learned && (logits[i] > 0) == (ys[i] > 0.5f);
    }
    return finish(g, learned);
}
