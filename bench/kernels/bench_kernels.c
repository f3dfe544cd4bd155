/* How fast the cpu backend's kernels are, one thread, next to what the machine can do. Each answer is checked against
 * `ref` first. Usage: bench_kernels [filter] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../tests/backends/flat_build.h"

static const tide_backend *const cpu = &tide_backend_cpu;

typedef struct timing { double min, median; } timing;

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void *copy_of(const builder *b) {
    void *arena = aligned_alloc(64, (size_t)round_up(MAX2(b->p.arena_bytes, 1), 64));
    return arena ? memcpy(arena, b->initial, (size_t)b->p.arena_bytes) : NULL;
}

static backend_exec *prepared(const tide_backend *backend, const builder *b, void *arena) {
    static tide_allocator system;
    system = mem_system();
    backend_exec *e = NULL;
    tide_failure why = { 0 };
    if (backend->prepare(&b->p, arena, &(backend_env){ &system, 1 }, &e, &why) != TIDE_OK) {
        fprintf(stderr, "%s\n", why.message);
        exit(1);
    }
    return e;
}

/* The largest difference of f32 outputs, relative to 1 or the number if larger. */
static double difference(const builder *b, const char *x, const char *y) {
    double worst = 0;
    for (int i = 0; i < b->p.n_buffers; i++)
        for (int64_t j = 0; b->is_output[i] && j < b->buffers[i].bytes / 4; j++) {
            double p = (double)((const float *)(x + b->buffers[i].offset))[j];
            double q = (double)((const float *)(y + b->buffers[i].offset))[j];
            worst = fmax(worst, fabs(p - q) / fmax(1, fabs(p)));
        }
    return worst;
}

static void check_answer(const builder *b, const char *name) {
    void *truth = copy_of(b), *got = copy_of(b);
    backend_exec *r = prepared(&tide_backend_ref, b, truth), *e = prepared(cpu, b, got);
    tide_backend_ref.run(r, NULL);
    cpu->run(e, NULL);
    double worst = difference(b, truth, got);
    if (!(worst < 1e-4)) {
        fprintf(stderr, "%s: wrong by %g\n", name, worst);
        exit(1);
    }
    tide_backend_ref.release(r);
    cpu->release(e);
    free(truth);
    free(got);
}

static timing measure(const builder *b) {
    enum { SAMPLES = 60 };
    double seconds[SAMPLES];
    void *arena = copy_of(b);
    backend_exec *e = prepared(cpu, b, arena);
    int64_t repeats = 1;
    for (double spent = 0; spent < 1e-3; repeats *= 2) {
        double start = os_seconds();
        for (int64_t i = 0; i < repeats; i++) cpu->run(e, NULL);
        spent = os_seconds() - start;
    }
    for (int i = 0; i < SAMPLES; i++) {
        double start = os_seconds();
        for (int64_t j = 0; j < repeats; j++) cpu->run(e, NULL);
        seconds[i] = (os_seconds() - start) / (double)repeats;
    }
    cpu->release(e);
    free(arena);
    qsort(seconds, SAMPLES, sizeof *seconds, by_size);
    return (timing){ seconds[0], seconds[SAMPLES / 2] };
}

/* ---- what is measured ---------------------------------------------------------------------------------- */

static void numbers(builder *b) {
    finish(b);
    for (int i = 0; i < b->p.n_buffers; i++)
        for (int64_t j = 0; b->types[i] == TIDE_F32 && j < b->buffers[i].bytes / 4; j++)
            ((float *)initial_of(b, i))[j] = (float)(random_unit() * 2 - 1);
}

static const int64_t *row_major(int64_t cols) {
    static int64_t strides[TIDE_MAX_DIMS];
    strides[0] = cols, strides[1] = 1;
    return strides;
}
static const int64_t by_rows[TIDE_MAX_DIMS] = { 1, 0 }, by_cols[TIDE_MAX_DIMS] = { 0, 1 },
                     nothing[TIDE_MAX_DIMS] = { 0 };

static int full_op(builder *b, flat_kernel *k, int op, int a, int c) {
    return map_op(b, k, op, TIDE_F32, FLAT_FULL, a, c, -1);
}
static int row_op(builder *b, flat_kernel *k, int op, int a, int c) {
    return map_op(b, k, op, TIDE_F32, FLAT_ROW, a, c, -1);
}
static int number(flat_kernel *k, double x) {
    flat_instr *in = map_instr(k, FLAT_CONST, TIDE_F32, FLAT_ONE, -1);
    in->number = x;
    return in->dst;
}

static flat_kernel *map_of(builder *b, int64_t rows, int64_t cols, bool row_wise) {
    build_begin(b);
    return add_map(b, 2, 1, (int64_t[]){ rows, cols }, rows, row_wise);
}

static void build_unary(builder *b, int op, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, false);
    int x = map_load(b, k, add_buffer(b, TIDE_F32, rows * cols, false), FLAT_FULL, row_major(cols));
    map_store(b, k, full_op(b, k, op, x, -1), add_buffer(b, TIDE_F32, rows * cols, true), row_major(cols));
    numbers(b);
}

static void build_dropmask(builder *b, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, false);
    int step = map_load(b, k, add_buffer(b, TIDE_I32, 1, false), FLAT_ONE, nothing);
    flat_instr *in = map_instr(k, FLAT_DROPMASK, TIDE_F32, FLAT_FULL, step);
    in->site = 3, in->per_sample = 11 * cols, in->number = 0.1, in->scale = 1 / 0.9;
    map_store(b, k, in->dst, add_buffer(b, TIDE_F32, rows * cols, true), row_major(cols));
    numbers(b);
}

static void build_softmax(builder *b, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, true);
    int x = map_load(b, k, add_buffer(b, TIDE_F32, rows * cols, false), FLAT_FULL, row_major(cols));
    int e = full_op(b, k, S_EXP, full_op(b, k, S_SUB, x, row_op(b, k, FLAT_ROW_MAX, x, -1)), -1);
    int y = full_op(b, k, S_MUL, e, row_op(b, k, S_RECIPROCAL, row_op(b, k, FLAT_ROW_SUM, e, -1), -1));
    map_store(b, k, y, add_buffer(b, TIDE_F32, rows * cols, true), row_major(cols));
    numbers(b);
}

static void build_layer_norm(builder *b, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, true);
    int x = map_load(b, k, add_buffer(b, TIDE_F32, rows * cols, false), FLAT_FULL, row_major(cols));
    int gain = map_load(b, k, add_buffer(b, TIDE_F32, cols, false), FLAT_COL, by_cols);
    int offset = map_load(b, k, add_buffer(b, TIDE_F32, cols, false), FLAT_COL, by_cols);
    int part = number(k, 1.0 / (double)cols);
    int centred = full_op(b, k, S_SUB, x, row_op(b, k, S_MUL, row_op(b, k, FLAT_ROW_SUM, x, -1), part));
    int variance = row_op(b, k, S_MUL, row_op(b, k, FLAT_ROW_SUM, full_op(b, k, S_SQUARE, centred, -1), -1), part);
    int scale = row_op(b, k, S_RSQRT, row_op(b, k, S_ADD, variance, number(k, 1e-5)), -1);
    int y = full_op(b, k, S_ADD, full_op(b, k, S_MUL, full_op(b, k, S_MUL, centred, scale), gain), offset);
    map_store(b, k, y, add_buffer(b, TIDE_F32, rows * cols, true), row_major(cols));
    map_store(b, k, scale, add_buffer(b, TIDE_F32, rows, true), by_rows);
    numbers(b);
}

/* w, m, v from w, g, m, v in 12 operations. */
static void build_adam(builder *b, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, false);
    int at[4], in[4];
    for (int i = 0; i < 4; i++) {
        at[i] = add_buffer(b, TIDE_F32, rows * cols, i != 1);
        in[i] = map_load(b, k, at[i], FLAT_FULL, row_major(cols));
    }
    int g2 = full_op(b, k, S_SQUARE, in[1], -1);
    int m =
        full_op(b, k, S_ADD, full_op(b, k, S_MUL, in[2], number(k, 0.9)), full_op(b, k, S_MUL, in[1], number(k, 0.1)));
    int v =
        full_op(b, k, S_ADD, full_op(b, k, S_MUL, in[3], number(k, 0.99)), full_op(b, k, S_MUL, g2, number(k, 0.01)));
    int down = full_op(b, k, S_ADD, full_op(b, k, S_SQRT, v, -1), number(k, 1e-3));
    int step = full_op(b, k, S_MUL, full_op(b, k, S_DIV, m, down), number(k, -1e-3));
    map_store(b, k, full_op(b, k, S_ADD, in[0], step), at[0], row_major(cols));
    map_store(b, k, m, at[2], row_major(cols));
    map_store(b, k, v, at[3], row_major(cols));
    numbers(b);
    for (int64_t i = 0; i < rows * cols; i++) ((float *)initial_of(b, at[3]))[i] = 1;
}

static void build_bias_gradient(builder *b, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, true);
    int x = map_load(b, k, add_buffer(b, TIDE_F32, rows * cols, false), FLAT_FULL, row_major(cols));
    int y = map_load(b, k, add_buffer(b, TIDE_F32, rows * cols, false), FLAT_FULL, row_major(cols));
    map_sink(b, k, FLAT_COL_SUM, full_op(b, k, S_MUL, x, full_op(b, k, S_GELU_GRAD, y, -1)),
             add_buffer(b, TIDE_F32, cols, true));
    numbers(b);
}

static void build_transpose(builder *b, int64_t rows, int64_t cols) {
    flat_kernel *k = map_of(b, rows, cols, false);
    int64_t turned[TIDE_MAX_DIMS] = { 1, rows };
    int x = map_load(b, k, add_buffer(b, TIDE_F32, rows * cols, false), FLAT_FULL, turned);
    map_store(b, k, full_op(b, k, S_NEG, x, -1), add_buffer(b, TIDE_F32, rows * cols, true), row_major(cols));
    numbers(b);
}

static void report(const char *name, builder *b, double elements, double bytes, double flops) {
    check_answer(b, name);
    timing t = measure(b);
    printf("%-34s %9.2f us (median %9.2f)", name, t.min * 1e6, t.median * 1e6);
    if (flops > 0) printf(" %8.1f GFLOP/s\n", flops / t.min * 1e-9);
    else printf(" %8.3f ns an element %7.1f GB/s\n", t.min / elements * 1e9, bytes / t.min * 1e-9);
    fflush(stdout);
    build_free(b);
}

typedef struct map_case {
    const char *name;
    void  (*build)(builder *b, int64_t rows, int64_t cols);
    int64_t rows, cols;
    int     streams;  /* arrays of rows * cols read or written */
} map_case;

static void build_gelu(builder *b, int64_t rows, int64_t cols) { build_unary(b, S_GELU, rows, cols); }
static void build_exp(builder *b, int64_t rows, int64_t cols) { build_unary(b, S_EXP, rows, cols); }
static void build_square(builder *b, int64_t rows, int64_t cols) { build_unary(b, S_SQUARE, rows, cols); }

static const map_case maps[] = {
    { "square f32 352x256", build_square, 352, 256, 2 },
    { "exp f32 352x256", build_exp, 352, 256, 2 },
    { "gelu f32 352x256", build_gelu, 352, 256, 2 },
    { "dropmask f32 352x256", build_dropmask, 352, 256, 1 },
    { "softmax f32 2816x11", build_softmax, 2816, 11, 2 },
    { "softmax f32 2816x7", build_softmax, 2816, 7, 2 },
    { "softmax f32 352x96", build_softmax, 352, 96, 2 },
    { "softmax f32 352x256", build_softmax, 352, 256, 2 },
    { "layer norm f32 352x256", build_layer_norm, 352, 256, 2 },
    { "layer norm f32 352x11", build_layer_norm, 352, 11, 2 },
    { "adam f32 65536", build_adam, 1, 65536, 7 },
    { "gelu gradient, bias sum f32 352x256", build_bias_gradient, 352, 256, 2 },
    { "transpose f32 96x256", build_transpose, 96, 256, 2 },
};

typedef struct gemm_case {
    const char *name;
    int64_t m, n, k, batches;
    bool    a_turned, b_turned;
} gemm_case;

static const gemm_case gemms[] = {
    { "gemm f32 1024x1024x1024 (roof)", 1024, 1024, 1024, 1, false, false },
    { "gemm f32 64x256x256", 64, 256, 256, 1, false, false },
    { "gemm f32 64x96x256", 64, 96, 256, 1, false, false },
    { "gemm f32 64x256x96", 64, 256, 96, 1, false, false },
    { "gemm f32 66x256x256, B turned", 66, 256, 256, 1, false, true },
    { "gemm f32 64x256 over 352, A turned", 64, 256, 352, 1, true, false },
    { "gemm f32 32x32x32", 32, 32, 32, 1, false, false },
    { "gemm f32 48x48x48", 48, 48, 48, 1, false, false },
    { "gemm f32 64x64x64", 64, 64, 64, 1, false, false },
    { "gemm f32 256 of 11x11x32, B turned", 11, 11, 32, 256, false, true },
    { "gemm f32 256 of 11x32x11", 11, 32, 11, 256, false, false },
    { "gemm f32 256 of 11x32x11, A turned", 11, 32, 11, 256, true, false },
};

static void build_gemm(builder *b, const gemm_case *c) {
    build_begin(b);
    flat_kernel *k = add_kernel(b, FLAT_GEMM, c->name, 1);
    k->gemm = (flat_gemm){ .m = c->m, .n = c->n, .k = c->k, .batches = c->batches, .rows_per_task = c->batches,
                           .batch_ndim = 1,
                           .batch = { c->batches }, .alpha = 1, .split = FLAT_SPLIT_BATCH };
    const int64_t m = c->m, n = c->n, l = c->k;
    add_operand(b, k, add_buffer(b, TIDE_F32, c->batches * m * l, false),
                c->a_turned ? (int64_t[TIDE_MAX_DIMS]){ m * l, 1, m } : (int64_t[TIDE_MAX_DIMS]){ m * l, l, 1 });
    add_operand(b, k, add_buffer(b, TIDE_F32, c->batches * l * n, false),
                c->b_turned ? (int64_t[TIDE_MAX_DIMS]){ l * n, 1, l } : (int64_t[TIDE_MAX_DIMS]){ l * n, n, 1 });
    add_operand(b, k, add_buffer(b, TIDE_F32, c->batches * m * n, true), (int64_t[TIDE_MAX_DIMS]){ m * n, n, 1 });
    numbers(b);
}

int main(int argc, char **argv) {
    const char *filter = argc > 1 ? argv[1] : "";
    builder b;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        const map_case *c = &maps[i];
        double elements = (double)(c->rows * c->cols);
        if (!strstr(c->name, filter)) continue;
        c->build(&b, c->rows, c->cols);
        report(c->name, &b, elements, 4 * elements * c->streams, 0);
    }
    for (size_t i = 0; i < sizeof gemms / sizeof *gemms; i++) {
        const gemm_case *c = &gemms[i];
        if (!strstr(c->name, filter)) continue;
        build_gemm(&b, c);
        report(c->name, &b, 0, 0, 2.0 * (double)(c->m * c->n * c->k * c->batches));
    }
    return 0;
}
