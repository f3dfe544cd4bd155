/* Sums of partials, rows by index, running sums and sorts as texts, on the make-believe GPU against ref: sizes that
 * meet each body and each way to cut, every type, small and large groups. */
#include "../flat_gather.h"
#include "fibers.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CASES = 600 };

static const tide_dtype types[] = { TIDE_F32, TIDE_I32, TIDE_F16, TIDE_I64, TIDE_BF16, TIDE_U8, TIDE_F64, TIDE_BOOL };
enum { N_TYPES = sizeof types / sizeof *types };

/* ---- content ----------------------------------------------------------------------------------------------------- */

/* Numbers whose running sum an F32 would lose: large ones that cancel, and small ones. BF16 ones are of 2^-16 to 2: of
 * its whole range ref's F64 cannot tell all that two floats can, and beyond that of F32 only ref's sums come back. */
static void fill_for_sums(builder *b, int buffer) {
    int64_t n = b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
    double large = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = random_unit() - 0.25;
        if (random_bits() % 5 == 0) x = large != 0 ? -large : 3e7 * random_unit(), large = large != 0 ? 0 : x;
        if (b->types[buffer] == TIDE_F32) ((float *)initial_of(b, buffer))[i] = (float)x;
        if (b->types[buffer] == TIDE_BF16)
            ((uint16_t *)initial_of(b, buffer))[i] =
                (uint16_t)((random_bits() & 0x807f) | (111 + random_bits() % 16) << 7);
        if (b->types[buffer] == TIDE_F64) ((double *)initial_of(b, buffer))[i] = x;
    }
}

/* Places in 0 .. n - 1, some outside, some often; the smallest and the largest integer. */
static void fill_index(builder *b, int buffer, int64_t n) {
    int64_t count = b->buffers[buffer].bytes / 4;
    int32_t *index = initial_of(b, buffer);
    for (int64_t i = 0; i < count; i++) {
        index[i] = (int32_t)(random_bits() % (uint64_t)(n + 4)) - 2;
        if (random_bits() % 50 == 0) index[i] = random_bits() % 2 ? INT32_MIN : INT32_MAX;
        if (random_bits() % 8 == 0) index[i] = (int32_t)(n / 2);
    }
}

/* What is an output too was not filled: as another of its type. */
static void fill_like(builder *b, int buffer, int other) {
    size_t size = tide_dtype_size(b->types[buffer]);
    int64_t n = b->buffers[buffer].bytes / (int64_t)size, rows = b->buffers[other].bytes / (int64_t)size;
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)initial_of(b, buffer) + i * (int64_t)size,
               (char *)initial_of(b, other) + i % rows * (int64_t)size, size);
}

/* A buffer of which the kernel sees a part, from the third element on. */
static int add_with(builder *b, flat_kernel *k, tide_dtype type, int64_t count, bool output) {
    int buffer = add_buffer(b, type, count + 3, output);
    k->operands[add_operand(b, k, buffer, NULL)].offset = 3;
    return buffer;
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

/* What is gathered for one text. */
static flat_case *cases[MOST_CASES];
static int        n_cases;

static void build(builder *b, flat_kernel_kind kind, const flat_index *ix, tide_dtype type, bool in_place) {
    int64_t x = ix->outer * ix->n * ix->inner, along = ix->outer * ix->count * ix->inner;
    flat_kernel *k = add_kernel(b, kind, "index", kind == FLAT_FOLD ? ix->inner : ix->outer);
    k->index = *ix;
    k->index.per_task = 1;
    int index = -1, summed = -1;
    switch (kind) {
    case FLAT_FOLD:
        summed = add_with(b, k, type, ix->n * ix->inner, false);
        add_with(b, k, type, ix->inner, true);
        break;
    case FLAT_GATHER:
    case FLAT_TAKE_ALONG:
        add_with(b, k, type, x, false);
        index = add_with(b, k, TIDE_I32, kind == FLAT_GATHER ? ix->count : along, false);
        add_with(b, k, type, along, true);
        break;
    case FLAT_SCATTER_ADD: {
        int base = add_with(b, k, type, x, in_place);
        index = add_with(b, k, TIDE_I32, ix->count, false);
        add_with(b, k, type, along, false);
        if (in_place) k->operands[add_operand(b, k, base, NULL)].offset = 3;
        else add_with(b, k, type, x, true);
        break;
    }
    case FLAT_PUT_ALONG_ADD:
        index = add_with(b, k, TIDE_I32, along, false);
        add_with(b, k, type, along, false);
        add_with(b, k, type, x, true);
        break;
    case FLAT_CUMSUM:
        summed = add_with(b, k, type, x, false);
        add_with(b, k, type, x, true);
        break;
    default:
        add_with(b, k, type, x, false);
        add_with(b, k, type, x, true);
        add_with(b, k, TIDE_I32, x, true);
    }
    finish(b);
    if (in_place) fill_like(b, 0, 2);
    if (index >= 0) fill_index(b, index, ix->n);
    if (summed >= 0 && (type == TIDE_BF16 || random_bits() % 4)) fill_for_sums(b, summed);
}

/* Two floats keep 48 bits of a sum, ref 53: apart by what rounding them to the type can be, and by that of the largest
 * sum on the way, which is not more than all numbers. 16-bit floats are compared as integers, to the last bit. */
static double sum_atol(const builder *b) {
    if (tide_dtype_size(b->types[0]) == 2) return 0.5;
    int64_t n = b->buffers[0].bytes / (int64_t)tide_dtype_size(b->types[0]);
    double all = 0;
    for (int64_t i = 3; i < n; i++) {
        double x = b->types[0] == TIDE_F32 ? (double)((const float *)initial_of(b, 0))[i]
                                           : ((const double *)initial_of(b, 0))[i];
        all += isfinite(x) ? fabs(x) : 0;
    }
    return all * (b->types[0] == TIDE_F32 ? 0x1p-44 : 0x1p-50);
}

static void add_case(flat_kernel_kind kind, const flat_index *ix, tide_dtype type) {
    static const char *const names[] = { [FLAT_FOLD] = "fold", [FLAT_GATHER] = "gather",
        [FLAT_SCATTER_ADD] = "scatter-add", [FLAT_TAKE_ALONG] = "take along", [FLAT_PUT_ALONG_ADD] = "put along",
        [FLAT_CUMSUM] = "running sum", [FLAT_SORT] = "sort" };
    builder b;
    char what[128];
    bool real = type == TIDE_F32 || type == TIDE_F64 || type == TIDE_F16 || type == TIDE_BF16;
    bool sums = (kind == FLAT_FOLD || kind == FLAT_CUMSUM) && real;
    build_begin(&b);
    build(&b, kind, ix, type, kind == FLAT_SCATTER_ADD && ix->flag);
    snprintf(what, sizeof what, "%s of %s, (%" PRId64 ", %" PRId64 ", %" PRId64 ") by %" PRId64 "%s", names[kind],
             tide_dtype_name(type), ix->outer, ix->n, ix->inner, ix->count, ix->flag ? ", flag" : "");
    assert_in_range(n_cases, 0, MOST_CASES - 1);
    double rtol = type == TIDE_F32 ? FLT_EPSILON : type == TIDE_F64 ? DBL_EPSILON : 0;
    cases[n_cases++] = case_keep(&b, sums ? rtol : 0, sums ? sum_atol(&b) : 0, what);
    build_free(&b);
}

/* outer, n, inner, count, -, flag (SCATTER_ADD: in place); of how many types. */
typedef struct sized { flat_kernel_kind kind; flat_index ix; int n_types; } sized;
static const sized sizes[] = {
    { FLAT_FOLD, { 1, 1, 1, 0, 1, false }, 2 },      { FLAT_FOLD, { 1, 0, 7, 0, 1, false }, 2 },
    { FLAT_FOLD, { 1, 5, 0, 0, 1, false }, 1 },      { FLAT_FOLD, { 1, 2999, 1, 0, 1, false }, N_TYPES },
    { FLAT_FOLD, { 1, 37, 7, 0, 1, false }, 3 },     { FLAT_FOLD, { 1, 300, 40, 0, 1, false }, N_TYPES },
    { FLAT_FOLD, { 1, 5, 3000, 0, 1, false }, 3 },   { FLAT_FOLD, { 1, 70, 300, 0, 1, false }, 3 },
    { FLAT_GATHER, { 1, 1, 1, 1, 1, false }, 3 },    { FLAT_GATHER, { 3, 17, 5, 41, 1, false }, N_TYPES },
    { FLAT_GATHER, { 2, 0, 3, 4, 1, false }, 2 },    { FLAT_GATHER, { 2, 5, 3, 0, 1, false }, 1 },
    { FLAT_GATHER, { 1, 100, 33, 50, 1, false }, 2 },
    { FLAT_TAKE_ALONG, { 3, 17, 5, 41, 1, false }, N_TYPES }, { FLAT_TAKE_ALONG, { 70, 9, 1, 6, 1, false }, 2 },
    { FLAT_TAKE_ALONG, { 0, 9, 1, 6, 1, false }, 1 },
    { FLAT_SCATTER_ADD, { 2, 17, 5, 141, 1, false }, N_TYPES }, { FLAT_SCATTER_ADD, { 2, 17, 5, 41, 1, false }, 3 },
    { FLAT_SCATTER_ADD, { 2, 70, 5, 141, 1, true }, 3 },       { FLAT_SCATTER_ADD, { 2, 17, 5, 41, 1, true }, N_TYPES },
    { FLAT_SCATTER_ADD, { 1, 90, 1, 3000, 1, true }, 4 },      { FLAT_SCATTER_ADD, { 3, 5, 300, 200, 1, false }, 3 },
    { FLAT_SCATTER_ADD, { 2, 5, 3, 0, 1, false }, 2 },         { FLAT_SCATTER_ADD, { 2, 0, 3, 5, 1, false }, 1 },
    { FLAT_SCATTER_ADD, { 1, 700, 2, 1025, 1, false }, 3 },
    { FLAT_PUT_ALONG_ADD, { 3, 17, 5, 41, 1, false }, N_TYPES },
    { FLAT_PUT_ALONG_ADD, { 3, 60, 1, 2100, 1, false }, 4 }, { FLAT_PUT_ALONG_ADD, { 40, 7, 1, 1, 1, false }, N_TYPES },
    { FLAT_PUT_ALONG_ADD, { 2, 5, 3, 0, 1, false }, 2 },     { FLAT_PUT_ALONG_ADD, { 4, 3, 2048, 64, 1, false }, 3 },
    { FLAT_PUT_ALONG_ADD, { 2, 0, 3, 5, 1, false }, 1 },
    { FLAT_CUMSUM, { 3, 17, 5, 0, 1, false }, N_TYPES },   { FLAT_CUMSUM, { 3, 17, 5, 0, 1, true }, 3 },
    { FLAT_CUMSUM, { 2, 1500, 3, 0, 1, false }, N_TYPES }, { FLAT_CUMSUM, { 2, 1500, 3, 0, 1, true }, N_TYPES },
    { FLAT_CUMSUM, { 5, 64, 1, 0, 1, true }, 3 },          { FLAT_CUMSUM, { 1, 64, 8200, 0, 1, false }, 1 },
    { FLAT_CUMSUM, { 2, 0, 3, 0, 1, true }, 1 },           { FLAT_CUMSUM, { 0, 9, 3, 0, 1, false }, 1 },
    { FLAT_SORT, { 3, 0, 1, 0, 1, false }, 1 },     { FLAT_SORT, { 0, 5, 1, 0, 1, false }, 1 },
    { FLAT_SORT, { 90, 1, 1, 0, 1, true }, 2 },     { FLAT_SORT, { 130, 7, 1, 0, 1, false }, N_TYPES },
    { FLAT_SORT, { 130, 7, 1, 0, 1, true }, 3 },    { FLAT_SORT, { 3, 256, 1, 0, 1, true }, N_TYPES },
    { FLAT_SORT, { 2, 1025, 1, 0, 1, true }, 4 },   { FLAT_SORT, { 1, 4096, 1, 0, 1, false }, 2 },
    { FLAT_SORT, { 2, 9001, 1, 0, 1, false }, 4 },  { FLAT_SORT, { 2, 5000, 1, 0, 1, true }, N_TYPES },
};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* Without double: what is copied is bits. */
static bool copies(flat_kernel_kind kind) {
    return kind == FLAT_GATHER || kind == FLAT_TAKE_ALONG || kind == FLAT_SORT;
}

static void gather_cases(bool f64) {
    for (int s = 0; s < N_SIZES; s++)
        for (int t = 0; t < sizes[s].n_types; t++) {
            tide_dtype type = types[(t + (sizes[s].n_types < N_TYPES ? s : 0)) % N_TYPES];
            if (!f64 && type == TIDE_F64 && !copies(sizes[s].kind)) continue;
            if (taken()) add_case(sizes[s].kind, &sizes[s].ix, type);
        }
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

/* Two runs, of which the second goes through groups and threads from the last to the first: the same bits. */
static char *run_whole(const tide_backend *backend, int32_t index, const flat_whole *w) {
    tide_allocator system = mem_system();
    tide_failure why = { 0 };
    backend_env env = { .allocator = &system, .threads = 1 };
    backend_exec *e = NULL;
    size_t bytes = (size_t)w->p.arena_bytes;
    char *got[2] = { malloc(bytes), malloc(bytes) };
    const backend_memory *m = backend->memory;
    assert_true(got[0] && got[1]);
    if (m->open(index, &system, &env.device, &why)) fail_msg("%s", why.message);
    void *arena = m->alloc(env.device, w->p.arena_bytes);
    tide_status status = backend->prepare(&w->p, arena, &env, &e, &why);
    for (int i = 0; i < 2 && !status; i++) {
        status = m->put(env.device, arena, 0, w->initial, w->p.arena_bytes, &why);
        if (!status) status = backend->run(e, &why);
        if (!status) status = m->get(env.device, got[i], arena, 0, w->p.arena_bytes, &why);
    }
    if (status) fail_msg("%s: %s", backend->name, why.message);
    backend->release(e);
    m->free(env.device, arena, w->p.arena_bytes);
    m->close(env.device);
    assert_memory_equal(got[0], got[1], bytes);
    free(got[1]);
    return got[0];
}

static bool is_nan(tide_dtype type, const char *x) {
    uint16_t half;
    memcpy(&half, x, sizeof half);
    switch (type) {
    case TIDE_F32:  return isnan(*(const float *)(const void *)x);
    case TIDE_F64:  return isnan(*(const double *)(const void *)x);
    case TIDE_F16:  return (half & 0x7fff) > 0x7c00;
    case TIDE_BF16: return (half & 0x7fff) > 0x7f80;
    default:        return false;
    }
}

/* Bit by bit, but for NaNs: ref passes 16-bit ones through a float, which marks them as quiet. */
static void expect_same(const flat_case *c, const char *expected, const char *got, const char *who) {
    for (int i = 0; i < c->b.p.n_buffers; i++) {
        tide_dtype type = c->b.types[i];
        int64_t size = (int64_t)tide_dtype_size(type);
        for (int64_t at = 0; at < c->b.buffers[i].bytes; at += size) {
            const char *x = expected + c->b.buffers[i].offset + at, *y = got + c->b.buffers[i].offset + at;
            if (memcmp(x, y, (size_t)size) == 0 || (is_nan(type, x) && is_nan(type, y))) continue;
            fail_msg("%s on %s: buffer %d, element %" PRId64 " is another", c->what, who, i, at / size);
        }
    }
}

/* Nothing but outputs has changed, of all memory. */
static void expect_rest_untouched(const flat_whole *w, char *got) {
    for (int i = 0; i < n_cases; i++)
        for (int j = 0; j < cases[i]->b.p.n_buffers; j++) {
            int64_t at = cases[i]->at + cases[i]->b.buffers[j].offset;
            if (cases[i]->b.is_output[j])
                memcpy(got + at, (char *)w->initial + at, (size_t)cases[i]->b.buffers[j].bytes);
        }
    assert_memory_equal(got, w->initial, (size_t)w->p.arena_bytes);
}

/* wide: buffers say that they are so large that elements are counted by i64. */
static void try_on(const tide_backend *backend, int32_t index, bool f64, bool wide) {
    while (n_cases) case_free(cases[--n_cases]);
    gather_cases(f64);
    flat_whole w = whole_of(cases, n_cases);
    for (int32_t i = 0; wide && i < w.p.n_buffers; i++) w.p.buffers[i].bytes = (int64_t)1 << 40;
    char *got = run_whole(backend, index, &w);
    for (int i = 0; i < n_cases; i++) {
        const flat_case *c = cases[i];
        char *truth = run_on(&tide_backend_ref, &c->b, 1);
        if (c->atol > 0) expect_close(&c->b, truth, got + c->at, c->rtol, c->atol, c->what, backend->name);
        else expect_same(c, truth, got + c->at, backend->name);
        free(truth);
    }
    expect_rest_untouched(&w, got);
    free(got);
    whole_free(&w);
}

static void try_fibers(const tide_backend *backend, bool f64, bool wide, int32_t threads, int64_t local_bytes) {
    if (!fibers_possible()) skip();
    fibers_limit = (fibers_limits){ threads, local_bytes, 0 };
    try_on(backend, 0, f64, wide);
}

/* Of TIDEMILL_DEVICE, which has double, where that names a GPU. */
static void test_device(void **unused) {
    int32_t index = 0;
    tide_failure why = { 0 };
    const char *device = getenv("TIDEMILL_DEVICE");
    const tide_backend *backend = device ? backend_find(device, &index, &why) : NULL;
    (void)unused;
    if (device && !backend) fail_msg("%s", why.message);
    if (!backend || !backend->memory) skip();
    try_on(backend, index, true, false);
}

/* The quick tier has the first two. */
static void test_metal(void **unused) {
    (void)unused;
    try_fibers(&tide_backend_fibers_metal, false, false, 256, 32768);
}

static void test_small_groups(void **unused) {
    (void)unused;
    try_fibers(&tide_backend_fibers_cuda, true, false, 32, 16384);
}

static void test_cuda(void **unused) {
    (void)unused;
    if (!takes_all()) skip();
    try_fibers(&tide_backend_fibers_cuda, true, false, 256, 32768);
}

static void test_large_groups(void **unused) {
    (void)unused;
    if (!takes_all()) skip();
    try_fibers(&tide_backend_fibers_metal, false, false, 1024, 65536);
}

static void test_large_buffers(void **unused) {
    (void)unused;
    if (!takes_all()) skip();
    try_fibers(&tide_backend_fibers_cuda, true, true, 256, 32768);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metal),        cmocka_unit_test(test_small_groups),  cmocka_unit_test(test_cuda),
        cmocka_unit_test(test_large_groups), cmocka_unit_test(test_large_buffers), cmocka_unit_test(test_device),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("gpu index", tests, NULL, NULL);
}
