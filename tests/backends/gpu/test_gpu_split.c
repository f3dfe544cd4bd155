/* Products of F32 on matrix units, where each number is two of TF32: on the make-believe GPU, whose units see no more
 * of a number and cut sums off, their results are as near to exact ones as those of plain arithmetic in F32, and what
 * is not finite is what it is there. */
#include "../flat_check.h"
#include "backends/gpu/mma_tiling.h"
#include "fibers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

typedef struct product { int64_t m, n, k; bool a_by_columns, b_by_columns; } product;

/* Sizes that meet several tiles and orders, short and long sums, whole and by parts. */
static const product products[] = {
    { 16, 16, 8, false, true },    { 33, 20, 40, true, false },  { 40, 64, 96, false, false },
    { 64, 48, 256, true, true },   { 100, 36, 352, false, true }, { 24, 32, 1000, true, true },
    { 32, 17, 3000, true, false }, { 16, 16, 8192, false, true },
};
enum { PRODUCTS = sizeof products / sizeof *products, PLACES = 3 };
_Static_assert((int)PRODUCTS <= (int)MAX_KERNELS && PLACES * (int)PRODUCTS <= (int)MAX_BUFFERS, "all in one program");

/* ---- one program of them all ------------------------------------------------------------------------------------ */

static void add_matrix(builder *b, flat_kernel *k, int64_t rows, int64_t cols, bool by_columns, bool output) {
    const int64_t strides[TIDE_MAX_DIMS] = { by_columns ? 1 : cols, by_columns ? rows : 1 };
    add_operand(b, k, add_buffer(b, TIDE_F32, rows * cols, output), strides);
}

static void declare(builder *b) {
    build_begin(b);
    for (int i = 0; i < PRODUCTS; i++) {
        const product *p = &products[i];
        flat_kernel *k = add_kernel(b, FLAT_GEMM, "product", 1);
        k->gemm = (flat_gemm){ .m = p->m, .n = p->n, .k = p->k, .batches = 1, .rows_per_task = 1, .alpha = 1,
                               .split = FLAT_SPLIT_BATCH };
        assert_non_null(gpu_mma_tiling(&k->gemm, TIDE_F32, 0,
                                       &(gpu_limits){ .threads = 256, .local_bytes = 49152, .matrix = true }).tile);
        add_matrix(b, k, p->m, p->k, p->a_by_columns, false);
        add_matrix(b, k, p->k, p->n, p->b_by_columns, false);
        add_matrix(b, k, p->m, p->n, false, true);
    }
    finish(b);
}

static float *operand_of(const builder *b, const void *arena, int which, int place) {
    return (float *)((char *)(uintptr_t)arena + b->buffers[PLACES * which + place].offset);
}
static float *a_at(const builder *b, int which, int64_t row, int64_t k) {
    const product *p = &products[which];
    return operand_of(b, b->initial, which, 0) + (p->a_by_columns ? k * p->m + row : row * p->k + k);
}
static float *b_at(const builder *b, int which, int64_t k, int64_t col) {
    const product *p = &products[which];
    return operand_of(b, b->initial, which, 1) + (p->b_by_columns ? col * p->k + k : k * p->n + col);
}

/* The arena after a run; free it. */
static void *run(const builder *b) {
    const backend_memory *memory = &fibers_memory;
    tide_allocator system = mem_system();
    backend_env env = { .allocator = &system, .threads = 1 };
    backend_exec *e = NULL;
    tide_failure why = { 0 };
    const int64_t bytes = b->p.arena_bytes;
    fibers_limit = (fibers_limits){ 256, 49152, 0 };
    assert_int_equal(memory->open(0, &system, &env.device, &why), TIDE_OK);
    void *arena = memory->alloc(env.device, bytes), *after = malloc((size_t)bytes);
    assert_true(arena && after);
    tide_status status = memory->put(env.device, arena, 0, b->initial, bytes, &why);
    if (!status) status = tide_backend_fibers_cuda.prepare(&b->p, arena, &env, &e, &why);
    if (!status) status = tide_backend_fibers_cuda.run(e, &why);
    if (!status) status = memory->get(env.device, after, arena, 0, bytes, &why);
    if (status) fail_msg("%s", why.message);
    tide_backend_fibers_cuda.release(e);
    memory->free(env.device, arena, bytes);
    memory->close(env.device);
    return after;
}

/* ---- how exact -------------------------------------------------------------------------------------------------- */

enum { EVEN, POSITIVE, WIDE, CANCELLING, KINDS };
static const char *const kinds[] = { "below one", "positive", "of many magnitudes", "cancelling" };

static double random_of(int kind) {
    const double x = random_unit() * 2 - 1;
    return kind == POSITIVE ? fabs(x) : kind == WIDE ? ldexp(x, (int)(random_bits() % 61) - 30) : x;
}

static void fill(const builder *b, int which, int kind) {
    const product *p = &products[which];
    for (int64_t k = 0; k < p->k; k++) {
        for (int64_t row = 0; row < p->m; row++)
            *a_at(b, which, row, k) = kind == CANCELLING && k % 2 ? -*a_at(b, which, row, k - 1)
                                                                  : (float)random_of(kind);
        for (int64_t col = 0; col < p->n; col++)
            *b_at(b, which, k, col) =
                kind == CANCELLING && k % 2 ? *b_at(b, which, k - 1, col) * (1 + 1e-4f * (float)random_of(EVEN))
                                            : (float)random_of(kind);
    }
}

/* Errors in units of the last place of the sum of all magnitudes. */
typedef struct errors { double squares, most; } errors;
static void add_error(errors *e, double exact, double got, double magnitude) {
    const double x = fabs(got - exact) / magnitude * 0x1p24;
    e->squares += x * x;
    e->most = fmax(e->most, x);
}

static void compare(const builder *b, const void *after, int which, int kind) {
    const product *p = &products[which];
    errors ours = { 0 }, plain = { 0 };
    for (int64_t row = 0; row < p->m; row++)
        for (int64_t col = 0; col < p->n; col++) {
            double exact = 0, magnitude = 0;
            float sum = 0;
            for (int64_t k = 0; k < p->k; k++) {
                const float x = *a_at(b, which, row, k), y = *b_at(b, which, k, col);
                exact += (double)x * (double)y, magnitude += fabs((double)x * (double)y);
                sum = fmaf(x, y, sum);
            }
            add_error(&plain, exact, (double)sum, magnitude);
            add_error(&ours, exact, (double)operand_of(b, after, which, 2)[row * p->n + col], magnitude);
        }
    const double count = (double)(p->m * p->n), rms[] = { sqrt(ours.squares / count), sqrt(plain.squares / count) };
    /* A number's halves miss two units of it at most, products of two lesser halves four. */
    if (rms[0] > fmax(rms[1], 1.6) || ours.most > fmax(plain.most, 8))
        fail_msg("%s %dx%dx%d: errors of %g, %g at most, of plain arithmetic %g, %g", kinds[kind], (int)p->m, (int)p->n,
                 (int)p->k, rms[0], ours.most, rms[1], plain.most);
}

static void test_errors(void **unused) {
    (void)unused;
    if (!fibers_possible()) skip();
    builder b;
    declare(&b);
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < PRODUCTS; i++) fill(&b, i, kind);
        void *after = run(&b);
        for (int i = 0; i < PRODUCTS; i++) compare(&b, after, i, kind);
        free(after);
    }
    build_free(&b);
}

/* ---- what is not finite, or nearly not -------------------------------------------------------------------------- */

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* One pair a row and column, the rest zeros: what is expected is their product in F32, or near it. */
static void test_ends(void **unused) {
    (void)unused;
    if (!fibers_possible()) skip();
    const float numbers[] = { 0, 1, -1, 1.2345678f, -0.99999994f, FLT_MAX, -FLT_MAX, FLT_MAX / 2, 1.7e38f, FLT_MIN,
                              3e-30f, INFINITY, -INFINITY, NAN, from_bits(0x7fffffff), from_bits(0xffffffff) };
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    _Static_assert((int)NUMBERS <= 16, "a row each");
    builder b;
    declare(&b);
    for (int i = 0; i < PRODUCTS; i++) {
        const product *p = &products[i];
        for (int64_t k = 0; k < p->k; k++) {
            for (int64_t row = 0; row < p->m; row++)
                *a_at(&b, i, row, k) = k == row % 7 && row < NUMBERS ? numbers[row] : 0;
            for (int64_t col = 0; col < p->n; col++) *b_at(&b, i, k, col) = k < 7 ? numbers[col % NUMBERS] : 0;
        }
    }
    void *after = run(&b);
    for (int i = 0; i < PRODUCTS; i++)
        for (int64_t row = 0; row < NUMBERS; row++)
            for (int64_t col = 0; col < NUMBERS; col++) {
                const float x = numbers[row], y = numbers[col];
                const float got = operand_of(&b, after, i, 2)[row * products[i].n + col];
                float expected = x * y;
                if (!isfinite(y)) expected = NAN; /* the other rows' zeros */
                const bool near = fabs((double)got - (double)expected) <= 0x1p-22 * fabs((double)expected) + 0x1p-126;
                if (!(isfinite(expected) ? near : isnan(expected) ? isnan(got) : got == expected))
                    fail_msg("%dx%dx%d: %g by %g is %g", (int)products[i].m, (int)products[i].n, (int)products[i].k,
                             (double)x, (double)y, (double)got);
            }
    free(after);
    build_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_errors), cmocka_unit_test(test_ends) };
    return cmocka_run_group_tests_name("gpu products in halves", tests, NULL, NULL);
}
