/* Times one training step of the forecaster (forward, loss, backward, clip to 1, AdamW) as a user's program would run it.
 *   bench_step [batch] [d_model] [d_ff] [layers] [threads] [columns]      defaults: the published ETTh1 sizes
 * Prints the median and the minimum in ms, GFLOP/s of the matrix products, and the memory counted before the first run. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/model.h"

enum { RUNS = 200 };

static int by_value(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b; }

static void print_pass(void *user, const char *pass, const char *text) {
    if (!strcmp(pass, (const char *)user)) fputs(text, stdout);
}

int main(int argc, char **argv) {
    int64_t option[6] = { 32, 256, 256, 2, 2, 7 };
    for (int i = 1; i < argc && i <= 6; i++) option[i - 1] = atoll(argv[i]);
    int64_t batch = option[0], columns = option[5];
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = (int)option[4], .seed = 1 });
    model_config config = { .seq_len = 96, .pred_len = 96, .columns = columns, .marks = 4, .d_model = option[1], .n_heads = 8,
                            .head_size = option[1] / 8, .d_ff = option[2], .e_layers = option[3], .dropout = 0.1, .use_norm = true };
    forecast_model model;
    if (!forecast_model_new(g, &config, &model)) return 1;
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(batch, 96, columns)), m = tide_input(g, "m", TIDE_F32, TIDE_SHAPE(batch, 96, 4));
    tide_val y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(batch, 96, columns));
    tide_val loss = tide_mse(forecast_model_apply(&model, x, m, TIDE_TRAIN, NULL), y);
    tide_list params = tide_params(g, ""), grads = tide_clip_norm(tide_grad(loss, params), 1.0);
    tide_val update = tide_adamw(params, grads, &(tide_adamw_opts){ .lr = tide_scalar(g, 1e-4), .weight_decay = 0.01 });
    double began = os_seconds();
    char *wanted = getenv("BENCH_DUMP");
    tide_program *step = tide_compile(TIDE_LIST(loss, update), &(tide_compile_options){ .dump = wanted ? print_pass : NULL, .dump_user = wanted });
    double compile_ms = (os_seconds() - began) * 1e3, times[RUNS];
    float *data = calloc((size_t)(batch * 96 * (columns + 4)), sizeof *data), last = 0;
    for (int64_t i = 0; i < batch * 96 * (columns + 4); i++) data[i] = (float)(i % 17) * 0.1f - 0.8f;
    for (int i = -5; i < RUNS; i++) {
        double start = os_seconds();
        if (tide_run(step, (tide_feed[]){ { x, data }, { m, data }, { y, data } }, 3)) {
            fprintf(stderr, "%s\n", tide_program_error(step)->message);
            return 1;
        }
        if (i >= 0) times[i] = os_seconds() - start;
    }
    tide_read(loss, &last, sizeof last);
    qsort(times, RUNS, sizeof *times, by_value);
    tide_memory memory = tide_program_bytes(step);
    printf("step batch %d d_model %d d_ff %d layers %d columns %d threads %d: median %.3f ms, min %.3f ms, %.1f GFLOP/s, compile %.1f ms, %d kernels, arena %.1f MiB, loss %.6f\n",
           (int)batch, (int)config.d_model, (int)config.d_ff, (int)config.e_layers, (int)columns, (int)option[4], times[RUNS / 2] * 1e3, times[0] * 1e3,
           tide_program_flops(step) / times[RUNS / 2] * 1e-9, compile_ms, (int)tide_program_kernels(step), (double)memory.arena / 1048576, (double)last);
    free(data);
    forecast_model_free(&model);
    tide_graph_free(g);
    return 0;
}
