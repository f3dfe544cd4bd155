/* Times one training step of the forecaster (forward, loss, backward, clip to 1, AdamW) as a user's program would run
 * it.
 *   bench_step [--mlp] [--precision f32|bf16|f16|auto] [--recompute] [--accumulate N] [batch] [d_model] [d_ff]
 *   [layers] [threads] [columns]
 * Defaults: the published ETTh1 sizes, f32. With --mlp the model is 10 -> d_model -> 256 -> 128 with relu instead.
 * --recompute makes the values of all encoder blocks but the last again for the backward pass; --accumulate N runs the
 * batch as N parts and one update.
 * Prints the median and the minimum in ms, the processor time of a step (what to compare, with one thread, while others
 * use the machine), GFLOP/s of the matrix products, and the memory counted before the first run. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"
#include "forecast/models/model.h"

enum { RUNS = 200, LEAST_RUNS = 5 };
static const double MOST_SECONDS = 8;

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static void print_pass(void *user, const char *pass, const char *text) {
    if (!strcmp(pass, (const char *)user)) fputs(text, stdout);
}

/* batch: of a run of the model's program, one of `parts` in a step. */
typedef struct sizes { int64_t batch, d_model, d_ff, layers, threads, columns, parts; bool recompute; } sizes;
/* marks: of the forecaster alone. update NULL: step does it all; else step is one part's. */
typedef struct task {
    tide_val x, marks, y, loss;
    itransformer model;
    tide_accumulator sums;
    tide_program *step, *update;
} task;

static bool forecast_task(tide_graph *g, const sizes *s, task *t) {
    model_config config = { .seq_len = 96, .pred_len = 96, .columns = s->columns, .marks = 4, .d_model = s->d_model,
                            .n_heads = 8,
                            .head_size = s->d_model / 8, .d_ff = s->d_ff, .e_layers = s->layers, .dropout = 0.1,
                            .use_norm = true,
                            .recompute = s->recompute };
    if (!itransformer_new(g, &config, &t->model)) return false;
    if (s->parts > 1) t->sums = tide_accumulator_new(g, tide_params(g, ""), s->batch);
    tide_sample_offset(g, t->sums.offset);
    t->x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(s->batch, 96, s->columns));
    t->marks = tide_input(g, "m", TIDE_F32, TIDE_SHAPE(s->batch, 96, 4));
    t->y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(s->batch, 96, s->columns));
    const model_windows window = { .past = t->x, .marks = t->marks };
    t->loss = tide_mse(itransformer_apply(&t->model, &window, TIDE_TRAIN, NULL), t->y);
    return true;
}

static bool mlp_task(tide_graph *g, const sizes *s, task *t) {
    tide_linear first = tide_linear_new(g, "first", 10, s->d_model),
                second = tide_linear_new(g, "second", s->d_model, 256);
    tide_linear last = tide_linear_new(g, "last", 256, 128);
    t->x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(s->batch, 10));
    t->y = tide_input(g, "y", TIDE_F32, TIDE_SHAPE(s->batch, 128));
    tide_val hidden = tide_relu(tide_linear_apply(&second, tide_relu(tide_linear_apply(&first, t->x))));
    t->loss = tide_mse(tide_linear_apply(&last, hidden), t->y);
    return true;
}

static void compile_task(tide_graph *g, const sizes *s, task *t, const tide_compile_options *options) {
    tide_list params = tide_params(g, "");
    if (s->parts > 1) t->loss = tide_mul_scalar(t->loss, 1.0 / (double)s->parts);
    tide_list grads = tide_grad(t->loss, params);
    tide_val add = s->parts > 1 ? tide_accumulator_add(&t->sums, grads, t->loss, (tide_val){ 0 }) : t->loss;
    if (s->parts > 1) {
        t->step = tide_compile(TIDE_LIST(add), options);
        grads = tide_accumulator_take(&t->sums), t->loss = t->sums.loss;
    }
    tide_adamw_opts adam = { .lr = tide_scalar(g, 1e-4), .weight_decay = 0.01 };
    tide_val update = tide_adamw(params, tide_clip_norm(grads, 1.0), &adam);
    if (s->parts > 1) update = tide_accumulator_step(&t->sums, update);
    tide_program *whole = tide_compile(TIDE_LIST(t->loss, update), options);
    *(s->parts > 1 ? &t->update : &t->step) = whole;
}

static bool run_step(const sizes *s, const task *t, const float *data) {
    for (int64_t i = 0; i < s->parts; i++) {
        const float *x = data + i * s->batch * 96 * s->columns, *marks = data + i * s->batch * 96 * 4;
        const tide_feed feeds[] = { { t->x, x }, { t->y, x }, { t->marks, marks } };
        if (tide_run(t->step, feeds, t->marks.graph ? 3 : 2)) return false;
    }
    return !t->update || tide_run(t->update, NULL, 0) == TIDE_OK;
}

static tide_precision precision_named(const char *name) {
    for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_AUTO; p++)
        if (!strcmp(name, tide_precision_name((tide_precision)p))) return (tide_precision)p;
    return TIDE_PRECISION_GRAPH;
}

/* How many runs were timed; 0: one failed. */
static int run_steps(const sizes *s, const task *t, const float *data, double times[RUNS], double *processor) {
    double began = os_seconds();
    int count = -3;  /* warm-up */
    for (; count < RUNS && (count < LEAST_RUNS || os_seconds() - began < MOST_SECONDS); count++) {
        double start = os_seconds();
        if (count == 0) *processor = -(double)clock();
        if (!run_step(s, t, data)) return 0;
        if (count >= 0) times[count] = os_seconds() - start;
    }
    *processor = (*processor + (double)clock()) / CLOCKS_PER_SEC / count;
    qsort(times, (size_t)count, sizeof *times, by_value);
    return count;
}

static void report(const sizes *s, const task *t, double compile_ms, const double *times, double processor, int count) {
    const char *note;
    float last = 0;
    tide_memory m = tide_program_bytes(t->step);
    int64_t arena = m.arena + (t->update ? tide_program_bytes(t->update).arena : 0);
    tide_read(t->loss, &last, sizeof last);
    printf("step %s batch %d d_model %d d_ff %d layers %d columns %d threads %d: ",
           tide_precision_name(tide_program_precision(t->step, &note)),
           (int)(s->batch * s->parts), (int)s->d_model, (int)s->d_ff, (int)s->layers, (int)s->columns, (int)s->threads);
    if (s->parts > 1) printf("accumulate %d: ", (int)s->parts);
    if (s->recompute) printf("recompute: ");
    printf("median %.3f ms, min %.3f ms, processor %.3f ms, %.1f GFLOP/s, compile %.1f ms, ", times[count / 2] * 1e3,
           times[0] * 1e3,
           processor * 1e3, (double)s->parts * tide_program_flops(t->step) / times[count / 2] * 1e-9, compile_ms);
    printf("%d kernels, arena %.1f MiB, scratch %.1f MiB, variables %.1f MiB, loss %.6f",
           (int)tide_program_kernels(t->step),
           (double)arena / 1048576,
           (double)m.scratch / 1048576, (double)m.variables / 1048576, (double)last);
    printf(*note ? " (%s)\n" : "%s\n", note);
}

int main(int argc, char **argv) {
    sizes s = { 32, 256, 256, 2, 2, 7, 1, false };
    int64_t *size[] = { &s.batch, &s.d_model, &s.d_ff, &s.layers, &s.threads, &s.columns };
    tide_precision precision = TIDE_PRECISION_F32;
    bool mlp = false;
    for (int i = 1, at = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--precision") && i + 1 < argc) precision = precision_named(argv[++i]);
        else if (!strcmp(argv[i], "--accumulate") && i + 1 < argc) s.parts = atoll(argv[++i]);
        else if (!strcmp(argv[i], "--recompute")) s.recompute = true;
        else if (!strcmp(argv[i], "--mlp")) mlp = true;
        else if (at < 6) *size[at++] = atoll(argv[i]);
    }
    if (s.parts < 1 || s.batch % s.parts || (mlp && s.parts > 1)) return 2;
    s.batch /= s.parts;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = (int)s.threads, .seed = 1 });
    task t = { 0 };
    if (!(mlp ? mlp_task : forecast_task)(g, &s, &t)) return 1;
    double began = os_seconds(), times[RUNS];
    char *wanted = getenv("BENCH_DUMP");
    tide_compile_options options = { .precision = precision, .dump = wanted ? print_pass : NULL, .dump_user = wanted };
    compile_task(g, &s, &t, &options);
    double compile_ms = (os_seconds() - began) * 1e3;
    int64_t numbers = s.parts * s.batch * MAX2(96 * (s.columns + 4), 128);
    float *data = calloc((size_t)numbers, sizeof *data);
    for (int64_t i = 0; i < numbers; i++) data[i] = (float)(i % 17) * 0.1f - 0.8f;
    double processor = 0;
    int count = run_steps(&s, &t, data, times, &processor);
    if (count) report(&s, &t, compile_ms, times, processor, count);
    else
        fprintf(stderr, "%s%s\n", tide_program_error(t.step)->message,
                t.update ? tide_program_error(t.update)->message : "");
    free(data);
    if (!mlp) itransformer_free(&t.model);
    tide_graph_free(g);
    return count ? 0 : 1;
}
