/* Times one training step (loss and all gradients) of an LSTM that is written as its equations, as a user would:
 *   bench_lstm [--inputs] [T] [batch] [hidden] [features] [threads]
 * Defaults 200 32 64 8 1. The products with the input are made for all steps at once and sliced step by step; with
 * --inputs the input is sliced instead. Prints the time to compile, the least and the median step in ms, the least
 * processor time of one, the memory counted before the first run, the loss. lstm.py is the same in PyTorch. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "tidemill/tidemill.h"

enum { RUNS = 400, LEAST_RUNS = 5 };
static const double MOST_SECONDS = 6;

typedef struct sizes { int64_t steps, batch, hidden, features, threads; bool inputs; } sizes;

typedef struct lstm { tide_val x, loss, w_input, w_hidden, bias; } lstm;

static tide_val weight(tide_graph *g, const char *name, tide_shape shape, double most) {
    tide_val w = tide_variable(g, name, tide_random_uniform(g, shape, -most, most));
    tide_mark_param(w);
    return w;
}

/* One step's gates: (batch, 4 hidden) in the order of PyTorch's, input, forget, cell, output. */
static void cell(tide_val gates, tide_val *h, tide_val *c) {
    tide_list part = tide_split(gates, 1, 4);
    tide_val in = tide_sigmoid(part.items[0]), forget = tide_sigmoid(part.items[1]), new = tide_tanh(part.items[2]);
    *c = tide_add(tide_mul(forget, *c), tide_mul(in, new));
    *h = tide_mul(tide_sigmoid(part.items[3]), tide_tanh(*c));
}

static lstm lstm_new(tide_graph *g, const sizes *s) {
    double most = 0.125;
    lstm m = { .x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(s->batch, s->steps, s->features)) };
    m.w_input = weight(g, "w_input", TIDE_SHAPE(s->features, 4 * s->hidden), most);
    m.w_hidden = weight(g, "w_hidden", TIDE_SHAPE(s->hidden, 4 * s->hidden), most);
    m.bias = weight(g, "bias", TIDE_SHAPE(4 * s->hidden), most);
    tide_val h = tide_fill(g, TIDE_F32, TIDE_SHAPE(s->batch, s->hidden), 0), c = h;
    tide_val sliced = s->inputs ? m.x : tide_add(tide_matmul(m.x, m.w_input), m.bias);
    tide_list step = tide_unstack(sliced, 1);
    for (int64_t t = 0; t < step.count; t++) {
        tide_val in = step.items[t];
        if (s->inputs) in = tide_add(tide_matmul(in, m.w_input), m.bias);
        cell(tide_add(in, tide_matmul(h, m.w_hidden)), &h, &c);
    }
    m.loss = tide_mean(tide_square(h), TIDE_ALL);
    return m;
}

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static int time_steps(tide_program *p, tide_val loss, tide_feed feed, double compile_s) {
    static double wall[RUNS], cpu[RUNS];
    double begun = os_seconds();
    int n = 0;
    float value = 0;
    for (; n < RUNS && (n < LEAST_RUNS || os_seconds() - begun < MOST_SECONDS); n++) {
        double at = os_seconds(), spent = os_thread_seconds();
        if (tide_run(p, &feed, 1)) return fprintf(stderr, "%s\n", tide_program_error(p)->message), 1;
        wall[n] = os_seconds() - at, cpu[n] = os_thread_seconds() - spent;
    }
    qsort(wall, (size_t)n, sizeof *wall, by_value);
    qsort(cpu, (size_t)n, sizeof *cpu, by_value);
    tide_read(loss, &value, sizeof value);
    printf("compile %.3f s; step %.2f ms least, %.2f median, %.2f processor time; %.1f MiB; %d kernels; loss %.7g\n",
           compile_s, 1e3 * wall[0], 1e3 * wall[n / 2], 1e3 * cpu[0], (double)tide_program_bytes(p).total / 0x1p20,
           (int)tide_program_kernels(p), value);
    return 0;
}

static int measure(const sizes *s) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = (int)s->threads, .seed = 1 });
    lstm m = lstm_new(g, s);
    tide_list d = tide_grad(m.loss, TIDE_LIST(m.w_input, m.w_hidden, m.bias));
    int64_t count = s->batch * s->steps * s->features;
    float *x = malloc(sizeof *x * (size_t)count);
    for (int64_t i = 0; x && i < count; i++) x[i] = (float)((i * 7919) % 1000) / 500 - 1;
    double begun = os_seconds();
    bool good = d.count == 3 && x;
    tide_program *p = good ? tide_compile(TIDE_LIST(m.loss, d.items[0], d.items[1], d.items[2]), NULL) : NULL;
    double compile_s = os_seconds() - begun;
    int code = p ? time_steps(p, m.loss, (tide_feed){ m.x, x }, compile_s) : 1;
    if (!p) fprintf(stderr, "%s\n", tide_error(g)->message);
    tide_graph_free(g);
    free(x);
    return code;
}

int main(int argc, char **argv) {
    sizes s = { 200, 32, 64, 8, 1, false };
    int64_t *size[] = { &s.steps, &s.batch, &s.hidden, &s.features, &s.threads };
    int at = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--inputs")) s.inputs = true;
        else if (at < 5 && atoll(argv[i]) > 0) *size[at++] = atoll(argv[i]);
        else return fprintf(stderr, "bench_lstm [--inputs] [T] [batch] [hidden] [features] [threads]\n"), 2;
    }
    return measure(&s);
}
