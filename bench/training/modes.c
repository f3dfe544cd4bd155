/* One training step (forward, loss, backward, clip to 1, AdamW) as the compile mode "default" makes it beside
 * "max-autotune", in turns, in one process.
 *   bench_modes etth1|m1|mlp8192 [threads] [pairs] [bf16]
 * With one thread times are its processor time, else wall-clock. Prints both medians, the median of the ratios of
 * neighbouring runs (above 1: max-autotune is faster), what timing took, and the choices that differ from the fixed
 * tables. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/models/model.h"

enum { PAIRS_MOST = 1000, WARM_UP = 3 };

typedef struct side {
    tide_graph    *graph;
    tide_val       x, marks, y, loss;
    itransformer model;
    tide_program  *step;
    double         compile_s;
} side;

static bool forecast_model_of(side *s, bool large) {
    int64_t d = large ? 512 : 256, columns = large ? 21 : 7;
    model_config config = { .seq_len = 96, .pred_len = 96, .columns = columns, .marks = 4, .d_model = d, .n_heads = 8,
                            .head_size = d / 8, .d_ff = d,
                            .e_layers = large ? 3 : 2, .dropout = 0.1, .use_norm = true };
    if (!itransformer_new(s->graph, &config, &s->model)) return false;
    s->x = tide_input(s->graph, "x", TIDE_F32, TIDE_SHAPE(32, 96, columns));
    s->marks = tide_input(s->graph, "m", TIDE_F32, TIDE_SHAPE(32, 96, 4));
    s->y = tide_input(s->graph, "y", TIDE_F32, TIDE_SHAPE(32, 96, columns));
    const model_windows window = { .past = s->x, .marks = s->marks };
    s->loss = tide_mse(itransformer_apply(&s->model, &window, TIDE_TRAIN, NULL), s->y);
    return true;
}

static bool mlp_of(side *s) {
    tide_graph *g = s->graph;
    tide_linear first = tide_linear_new(g, "first", 10, 8192), second = tide_linear_new(g, "second", 8192, 256);
    tide_linear last = tide_linear_new(g, "last", 256, 128);
    s->x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(256, 10));
    s->y = s->marks = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(256, 128));
    tide_val hidden = tide_relu(tide_linear_apply(&second, tide_relu(tide_linear_apply(&first, s->x))));
    s->loss = tide_mse(tide_linear_apply(&last, hidden), s->y);
    return true;
}

static bool side_open(side *s, const char *name, int threads, tide_program_mode mode, tide_precision precision) {
    *s = (side){ .graph = tide_graph_new_with(&(tide_graph_options){ .threads = threads, .seed = 1 }) };
    if (!(strcmp(name, "mlp8192") ? forecast_model_of(s, !strcmp(name, "m1")) : mlp_of(s))) return false;
    tide_list params = tide_params(s->graph, "");
    tide_val update = tide_adamw(params, tide_clip_norm(tide_grad(s->loss, params), 1.0),
                                 &(tide_adamw_opts){ .lr = tide_scalar(s->graph, 1e-4), .weight_decay = 0.01 });
    double began = os_seconds();
    s->step = tide_compile(TIDE_LIST(s->loss, update), &(tide_compile_options){ .mode = mode, .precision = precision });
    s->compile_s = os_seconds() - began;
    return tide_program_error(s->step)->status == TIDE_OK;
}

static double run_ms(const side *s, const float *data) {
    double (*now)(void) = tide_graph_threads(s->graph) == 1 ? os_thread_seconds : os_seconds;
    double began = now();
    if (tide_run(s->step, (tide_feed[]){ { s->x, data }, { s->marks, data }, { s->y, data } }, 3)) exit(1);
    return 1e3 * (now() - began);
}

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

int main(int argc, char **argv) {
    static float  data[32 * 96 * 32];
    static double usual[PAIRS_MOST], tuned[PAIRS_MOST], ratio[PAIRS_MOST];
    const char   *name = argc > 1 ? argv[1] : "etth1";
    int threads = argc > 2 ? atoi(argv[2]) : 2, pairs = (int)MIN2(argc > 3 ? atoi(argv[3]) : 100, PAIRS_MOST);
    tide_precision precision = argc > 4 ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32;
    side a, b;
    for (int i = 0; i < (int)(sizeof data / sizeof *data); i++) data[i] = (float)(i % 17) * 0.1f - 0.8f;
    if (!side_open(&a, name, threads, TIDE_MODE_DEFAULT, precision) ||
        !side_open(&b, name, threads, TIDE_MODE_MAX_AUTOTUNE, precision))
        return 1;
    for (int i = -WARM_UP; i < pairs; i++) {
        bool   turn = i % 2 == 0;
        double one = run_ms(turn ? &a : &b, data), two = run_ms(turn ? &b : &a, data);
        if (i >= 0) usual[i] = turn ? one : two, tuned[i] = turn ? two : one, ratio[i] = usual[i] / tuned[i];
    }
    tide_tuning t = tide_graph_tuning(b.graph);
    char *choices = tide_choices(b.graph);
    printf("%s %s, %d threads: default %.3f ms, max-autotune %.3f ms, ratio %.3f (median of %d pairs); compile %.0f ms "
           "and %.0f ms, "
           "%d choices timed in %.2f s, %d from the cache %s\n",
           name, tide_precision_name(precision), threads, median(usual, pairs), median(tuned, pairs),
           median(ratio, pairs), pairs, a.compile_s * 1e3, b.compile_s * 1e3, (int)t.timed, t.seconds, (int)t.kept,
           t.note);
    if (getenv("BENCH_CHOICES") && choices) fputs(choices, stdout);
    free(choices);
    tide_graph_free(a.graph), tide_graph_free(b.graph);
    return 0;
}
