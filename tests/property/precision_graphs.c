/* Random networks with products large enough for 16 bits, in bf16 and f16: every device gives the losses, gradients and
 * updated variables of `ref` in the same precision, one thread and three the same bits, and all are near those in f32.
 *   precision_graphs [COUNT [FIRST_SEED]]: a failure prints the seed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/tidemill.h>

enum { POOL = 12, OPS = 9, STEPS = 2, MOST_VARIABLES = 6 * OPS + 4 };

typedef struct maker {
    tide_graph *g;
    uint64_t state;
    tide_val pool[POOL];
    int count, variables;
} maker;

static uint32_t draw(maker *m) {
    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->state >> 33);
}
static int below(maker *m, int n) { return (int)(draw(m) % (uint32_t)n); }
static int width(maker *m) { return 30 + below(m, 50); }
static tide_val pick(maker *m) { return m->pool[m->count - 1 - below(m, m->count < 3 ? m->count : 3)]; }

static tide_val variable(maker *m, tide_shape s, double size) {
    char name[16];
    int64_t count = tide_shape_count(s);
    float *data = malloc(sizeof *data * (size_t)count);
    for (int64_t i = 0; i < count; i++) data[i] = (float)(((double)draw(m) / 0x1p30 - 1) * size);
    snprintf(name, sizeof name, "v%d", m->variables++);
    tide_val v = tide_variable(m->g, name, tide_constant(m->g, TIDE_F32, s, data));
    tide_mark_param(v);
    free(data);
    return v;
}

static tide_val normal(tide_val x) {
    tide_val centred = tide_sub(x, tide_mean(x, TIDE_AXES_KEEP(-1)));
    return tide_mul(centred, tide_rsqrt(tide_add_scalar(tide_mean(tide_square(centred), TIDE_AXES_KEEP(-1)), 1e-3)));
}

/* x (batch, rows, columns) times a weight that lies either way round. */
static tide_val linear(maker *m, tide_val x) {
    int64_t in = tide_shape_of(x).dim[2], out = width(m);
    tide_val w = below(m, 2) ? tide_transpose(variable(m, TIDE_SHAPE(out, in), 0.2), 0, 1)
                             : variable(m, TIDE_SHAPE(in, out), 0.2);
    return tide_add(tide_matmul(x, w), variable(m, TIDE_SHAPE(out), 0.1));
}

static tide_val attention(tide_val x) {
    tide_val scores = tide_mul_scalar(tide_matmul(x, tide_transpose(x, -1, -2)), 0.1);
    return tide_matmul(tide_softmax(scores, -1), x);
}

/* Queries, keys and values by weights, and biases, that are neighbours in storage. */
static tide_val by_three(maker *m, tide_val x) {
    tide_val weight[3], of[3];
    for (int i = 0; i < 3; i++) weight[i] = variable(m, TIDE_SHAPE(32, tide_shape_of(x).dim[2]), 0.2);
    for (int i = 0; i < 3; i++)
        of[i] = tide_add(tide_matmul(x, tide_transpose(weight[i], 0, 1)), variable(m, TIDE_SHAPE(32), 0.1));
    tide_val scores = tide_mul_scalar(tide_matmul(of[0], tide_transpose(of[1], -1, -2)), 0.1);
    return tide_matmul(tide_softmax(scores, -1), of[2]);
}

static tide_val sliced(maker *m, tide_val x) {
    tide_shape s = tide_shape_of(x);
    int axis = 1 + below(m, 2);
    return s.dim[axis] > 60 ? tide_slice(x, axis, below(m, 5), s.dim[axis] - 5)
                            : tide_concat(m->g, TIDE_LIST(x, tide_neg(x)), axis);
}

static tide_val any(maker *m, tide_val x) {
    switch (below(m, 9)) {
    case 0: return normal(tide_add(x, attention(x)));
    case 1: return tide_gelu(x);
    case 2: return tide_transpose(x, -1, -2);
    case 3: return normal(sliced(m, x));
    case 4: return tide_add(x, tide_tanh(tide_mul_scalar(x, 2)));
    case 5: return normal(by_three(m, x));
    default: return normal(linear(m, x));
    }
}

typedef struct results { float *data; int64_t count, end[2 * MOST_VARIABLES]; int parts; char error[700]; } results;

static void take(results *r, tide_val v) {
    int64_t n = tide_shape_count(tide_shape_of(v));
    r->data = realloc(r->data, sizeof *r->data * (size_t)(r->count + n));
    if (tide_read(v, r->data + r->count, sizeof *r->data * (size_t)n))
        snprintf(r->error, sizeof r->error, "%s", tide_error(v.graph)->message);
    r->end[r->parts++] = r->count += n;
}

static tide_program *build(maker *m, tide_precision precision, tide_val *loss, tide_list *params, tide_list *grads) {
    m->pool[m->count++] = variable(m, TIDE_SHAPE(1 + below(m, 3), width(m), width(m)), 1);
    for (int i = 0; i < OPS; i++) m->pool[m->count] = any(m, pick(m)), m->count++;
    *loss = tide_scalar(m->g, 0);
    for (int i = 0; i < 2; i++)
        *loss = tide_add(
            *loss,
            tide_mean(tide_square(tide_sub(tide_sin(m->pool[m->count - 1 - i]), tide_scalar(m->g, 0.3))), TIDE_ALL));
    *params = tide_params(m->g, "");
    *grads = tide_grad(*loss, *params);
    tide_val update = tide_sgd(*params, *grads, &(tide_sgd_opts){ .lr = tide_scalar(m->g, 0.1) });
    tide_val wanted[MOST_VARIABLES + 2] = { *loss, update };
    for (int64_t i = 0; i < grads->count; i++) wanted[2 + i] = grads->items[i];
    return tide_compile((tide_list){ wanted, 2 + grads->count }, &(tide_compile_options){ .precision = precision });
}

static results run_on(const char *device, int threads, tide_precision precision, uint64_t seed) {
    maker m = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = threads, .seed = 5 }),
                .state = seed * 0x9e3779b97f4a7c15u };
    results r = { 0 };
    tide_list params, grads;
    tide_val loss;
    tide_program *p = build(&m, precision, &loss, &params, &grads);
    for (int i = 0; i < STEPS && !r.error[0]; i++)
        if (tide_run(p, NULL, 0)) snprintf(r.error, sizeof r.error, "%s", tide_program_error(p)->message);
    take(&r, loss);
    for (int64_t i = 0; i < params.count; i++) take(&r, grads.items[i]), take(&r, params.items[i]);
    tide_graph_free(m.g);
    return r;
}

/* The largest difference in any result, against the result's largest number. */
static double worst(const results *got, const results *truth) {
    double most = got->count == truth->count && !got->error[0] && !truth->error[0] ? 0 : INFINITY;
    for (int p = 0, i = 0; p < truth->parts && isfinite(most); p++) {
        double far = 0, size = 1e-3;
        for (; i < truth->end[p]; i++) {
            double d = fabs((double)got->data[i] - (double)truth->data[i]);
            far = d <= far ? far : d, size = fmax(size, fabs((double)truth->data[i]));
        }
        most = far / size <= most ? most : far / size;
    }
    return most;
}

static bool near(const char *what, uint64_t seed, tide_precision precision, const results *got, const results *truth,
                 double allowed) {
    double far = worst(got, truth);
    if (far <= allowed) return true;
    printf("seed %llu in %s: %s apart by %.3g of the largest, %.3g allowed. %s\n", (unsigned long long)seed,
           tide_precision_name(precision), what, far, allowed, got->error);
    return false;
}

/* An operand on the edge between two 16-bit numbers may go either way on another device: one unit of it, among many
 * terms. */
static bool one_seed(uint64_t seed) {
    results f32 = run_on("ref", 1, TIDE_PRECISION_F32, seed);
    bool good = true;
    for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16; p++) {
        tide_precision precision = (tide_precision)p;
        double unit = p == TIDE_PRECISION_BF16 ? 0x1p-8 : 0x1p-11;
        results ref = run_on("ref", 1, precision, seed), check = run_on("check", 1, precision, seed);
        results one = run_on("cpu", 1, precision, seed), three = run_on("cpu", 3, precision, seed);
        tide_graph *g = tide_graph_new("cpu");
        bool native = tide_precision_here(g, precision, NULL) == precision;
        tide_graph_free(g);
        good &= near("ref and f32", seed, precision, &ref, &f32, 24 * unit) &&
                near("check and ref", seed, precision, &check, &ref, 4 * unit);
        good &= near("cpu and ref", seed, precision, &one, native ? &ref : &f32, native ? 4 * unit : 3e-4);
        good &= near("one thread and three", seed, precision, &three, &one, 0);
        free(ref.data), free(check.data), free(one.data), free(three.data);
    }
    free(f32.data);
    return good;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 40, failed = 0;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + (uint64_t)count; seed++) failed += !one_seed(seed);
    if (failed) printf("%d of %d graphs failed\n", failed, count);
    return failed != 0;
}
