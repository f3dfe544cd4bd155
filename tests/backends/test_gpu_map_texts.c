/* Texts of maps for GPUs, without a compiler: what shares one, what is refused and how it is said, which words there
 * are. */
#include <ctype.h>
#include <stdio.h>

#include "flat_check.h"
#include "kernelgen/gpu/gpu.h"

static const gpu_limits usual = { 256, 32768, true };

static gpu_print printed(const builder *b, const flat_kernel *k, const gpu_limits *limits) {
    static const int64_t nowhere[MAX_BUFFERS];
    gpu_print g = { .program = &b->p, .kernel = k, .limits = limits, .constant_at = nowhere };
    gpu_print_map(&g);
    assert_false(g.body.failed);
    return g;
}

static void expect_texts(gpu_print *a, gpu_print *b, bool same) {
    assert_null(a->lacks);
    assert_null(b->lacks);
    assert_true((a->threads == b->threads && !strcmp(a->body.data, b->body.data)) == same);
    text_free(&a->body), text_free(&b->body);
}

/* ---- one text ---------------------------------------------------------------------------------------------- */

/* m = 0.9 m + 0.1 g, x -= rate m / (sqrt(m m) + 1e-8), in place. */
static gpu_print update_of(int64_t count, double decay) {
    builder b;
    int64_t strides[TIDE_MAX_DIMS];
    build_begin(&b);
    dense(strides, 1, &count, 0, 1);
    flat_kernel *k = add_map(&b, 1, 1, &count, 4096, false);
    int buffers[3], x[3], constants[3];
    const double numbers[3] = { decay, 0.1, 1e-8 };
    for (int i = 0; i < 3; i++) {
        buffers[i] = add_buffer(&b, TIDE_F32, count, i > 0);
        x[i] = map_load(&b, k, buffers[i], FLAT_FULL, strides);
        flat_instr *in = map_instr(k, FLAT_CONST, TIDE_F32, FLAT_ONE, -1);
        in->number = numbers[i], constants[i] = in->dst;
    }
    int rate = map_load(&b, k, add_buffer(&b, TIDE_F32, 1, false), FLAT_ONE, NULL);
    int kept = map_op(&b, k, S_MUL, TIDE_F32, FLAT_FULL, x[1], constants[0], -1);
    int more = map_op(&b, k, S_MUL, TIDE_F32, FLAT_FULL, x[0], constants[1], -1);
    int mean = map_op(&b, k, S_ADD, TIDE_F32, FLAT_FULL, kept, more, -1);
    int step = map_op(&b, k, S_MUL, TIDE_F32, FLAT_FULL, mean, rate, -1);
    map_store(&b, k, mean, buffers[1], strides);
    map_store(&b, k, map_op(&b, k, S_SUB, TIDE_F32, FLAT_FULL, x[2], step, -1), buffers[2], strides);
    return printed(&b, k, &usual);
}

static void test_updates_share(void **unused) {
    (void)unused;
    gpu_print a = update_of(1000, 0.9), b = update_of(70000, 0.9);
    assert_int_equal(a.groups, 1);
    assert_int_equal(b.groups, 69);
    expect_texts(&a, &b, true);
    a = update_of(1001, 0.9), b = update_of(70003, 0.9);  /* that have no fours */
    assert_int_equal(a.groups, 4);
    assert_int_equal(b.groups, 274);
    expect_texts(&a, &b, true);
    a = update_of(1000, 0.9), b = update_of(1000, 0.99);
    expect_texts(&a, &b, false);
}

static gpu_print dropout_of(uint64_t seed, uint32_t site, double rate) {
    static const int64_t dim[2] = { 40, 64 };
    builder b;
    int64_t strides[TIDE_MAX_DIMS];
    build_begin(&b);
    b.p.seed = seed;
    dense(strides, 2, dim, 0, 2);
    flat_kernel *k = add_map(&b, 2, 1, dim, 8, false);
    int step = map_load(&b, k, add_buffer(&b, TIDE_I32, 1, false), FLAT_ONE, NULL);
    flat_instr *in = map_instr(k, FLAT_DROPMASK, TIDE_F32, FLAT_FULL, step);
    in->site = site, in->per_sample = 64, in->number = rate, in->scale = 2;
    map_store(&b, k, in->dst, add_buffer(&b, TIDE_F32, 40 * 64, true), strides);
    return printed(&b, k, &usual);
}

static void test_dropouts_share(void **unused) {
    (void)unused;
    gpu_print a = dropout_of(1, 7, 0.5), b = dropout_of(UINT64_MAX, 8, 0.5);
    expect_texts(&a, &b, true);
    a = dropout_of(1, 7, 0.5), b = dropout_of(1, 7, 0.25);
    expect_texts(&a, &b, false);
}

/* ---- what is refused, and what is not ----------------------------------------------------------------------- */

/* The sum of `count` operands of a type, by as many instructions again. */
static bool has_f64(const gpu_print *g) { return strstr(g->body.data, "double"); }

static gpu_print sum_of(int count, int64_t rows, tide_dtype type, const gpu_limits *limits) {
    static flat_operand operands[1024];
    static flat_instr instrs[1024];
    builder b;
    build_begin(&b);
    flat_kernel *k = add_kernel(&b, FLAT_MAP, "sum", 1);
    int buffer = add_buffer(&b, type, rows, true);
    k->operands = operands, k->n_operands = count + 1;
    k->map = (flat_map){ .ndim = 1, .row_ndim = 1, .dim = { rows }, .rows = rows, .cols = 1, .rows_per_task = 1 << 20,
                         .instrs = instrs, .count = 2 * count, .regs = 2 * count - 1 };
    for (int i = 0; i <= count; i++) operands[i] = (flat_operand){ .buffer = buffer, .type = type, .stride = { 1 } };
    for (int i = 0; i < 2 * count; i++)
        instrs[i] = (flat_instr){
            .op = i < count ? FLAT_LOAD : i < 2 * count - 1 ? (uint8_t)S_ADD : FLAT_STORE, .type = (uint8_t)type,
            .kind = FLAT_FULL, .src_type = { (uint8_t)type, (uint8_t)type }, .src_kind = { FLAT_FULL, FLAT_FULL },
            .dst = (int16_t)(i < 2 * count - 1 ? i : -1), .src = { -1, -1, -1 },
            .operand = (int16_t)(i < count ? i : i < 2 * count - 1 ? -1 : count)
        };
    for (int i = count; i < 2 * count; i++) {
        instrs[i].src[0] = (int16_t)(i - 1);
        if (i < 2 * count - 1) instrs[i].src[1] = (int16_t)(i - count);
    }
    return printed(&b, k, limits);
}

static void test_refused(void **unused) {
    static const gpu_limits single = { 256, 32768, false };
    (void)unused;
    gpu_print g = sum_of(2, 10, TIDE_F64, &single);
    assert_non_null(g.lacks);
    assert_non_null(strstr(g.lacks, "float64"));
    text_free(&g.body);
    g = sum_of(2, 10, TIDE_F64, &usual);
    assert_null(g.lacks);
    assert_true(has_f64(&g));
    text_free(&g.body);
    g = sum_of(90, 10, TIDE_F32, &usual);
    assert_null(g.lacks);
    assert_false(has_f64(&g));
    text_free(&g.body);
    g = sum_of(120, 10, TIDE_F32, &usual);
    assert_non_null(g.lacks);
    text_free(&g.body);
}

static void test_nothing_to_do(void **unused) {
    (void)unused;
    gpu_print g = sum_of(2, 0, TIDE_F32, &usual);
    assert_null(g.lacks);
    assert_int_equal(g.groups, 0);
    text_free(&g.body);
}

/* Beyond the reach of int everything is counted by i64. */
static void test_large(void **unused) {
    (void)unused;
    gpu_print g = sum_of(2, (int64_t)3 << 30, TIDE_F32, &usual);
    assert_null(g.lacks);
    assert_int_equal(g.groups, ((int64_t)3 << 30) / 4 / 256);
    assert_non_null(strstr(g.body.data, "const i64 e = ((i64)group * 256"));
    assert_null(strstr(g.body.data, "(int)"));
    text_free(&g.body);
}

/* ---- words -------------------------------------------------------------------------------------------------- */

static bool has_word(const char *in, const char *word, size_t length) {
    for (const char *at = in; (at = strstr(at, word)); at++)
        if ((at == in || (!isalnum((unsigned char)at[-1]) && at[-1] != '_')) && !isalnum((unsigned char)at[length]) &&
            at[length] != '_')
            return true;
    return false;
}

/* One of a body's own: r12, q3, site4, m1f ... or a name without a number. */
static bool is_own(const char *word) {
    static const char own[] = " row next_row c e l u near four block slot task begin end base live s LANES THREADS "
                              "seed_low seed_high ";
    static const char *const prefixes[] = { "r", "q", "a", "z", "w", "m", "s", "v", "l", "n", "t", "site" };
    if (has_word(own, word, strlen(word))) return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(word, prefixes[i], n) == 0 && isdigit((unsigned char)word[n])) return true;
    }
    return false;
}

/* Every name is the body's, the language's, or one that the preambles define of all languages that have its types. */
static void expect_known_words(const char *body, bool f64) {
    static const char language[] = " const for if enum pragma unroll bool int uint float double ushort uchar float4 "
                                   "int4 ushort4 uchar4 table group lane b0 b1 ";
    text preamble[GPU_LANGUAGES] = { { 0 } };
    for (int i = 0; i < GPU_LANGUAGES; i++) gpu_print_preamble(&preamble[i], (gpu_language)i, true);
    for (const char *at = body; *at;) {
        char word[64] = "";
        size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
        if (n == 0 || isdigit((unsigned char)*at)) {
            at += n ? n : 1;
            continue;
        }
        assert_true(n < sizeof word);
        memcpy(word, at, n);
        at += n;
        for (int i = 0; i < GPU_LANGUAGES && !is_own(word) && !has_word(language, word, n); i++)
            if (!(f64 && i == GPU_METAL) && !has_word(preamble[i].data, word, n))
                fail_msg("the word '%s' is in no vocabulary (language %d)", word, i);
    }
    for (int i = 0; i < GPU_LANGUAGES; i++) text_free(&preamble[i]);
}

static const int op_arity[] = {
#define X(NAME, text, arity) arity,
    SCALAR_OPS(X)
#undef X
};

/* All scalar operations on one type, then casts, reductions and sums, stored as 16-bit floats or numbers. */
static void print_all_of(int type) {
    static const int64_t dim[2] = { 50, 700 };
    for (int op = 0; op <= FLAT_ALL_SUM; op++) {
        builder b;
        int64_t full[TIDE_MAX_DIMS], row[TIDE_MAX_DIMS];
        build_begin(&b);
        dense(full, 2, dim, 0, 2), dense(row, 2, dim, 0, 1);
        flat_kernel *k = add_map(&b, 2, 1, dim, 8, true);
        int x = map_load(&b, k, add_buffer(&b, (tide_dtype)type, 50 * 700, false), FLAT_FULL, full);
        int c = map_op(&b, k, S_NE, TIDE_BOOL, FLAT_FULL, x, x, -1), result = x;
        bool logic = op == S_NOT || op == S_AND || op == S_OR, where = op == S_WHERE;
        bool real = type == TIDE_F32 || type == TIDE_F64;
        bool real_only = (op >= S_RECIPROCAL && op <= S_ERF) || (op >= S_SIGMOID && op <= S_GELU_GRAD) || op == S_POW;
        int from = logic ? c : x, to = logic || (op >= S_EQ && op <= S_GE) || op == S_IS_FINITE ? TIDE_BOOL : type;
        if (op < SCALAR_COUNT && (real || !real_only))
            result = map_op(&b, k, op, to, FLAT_FULL, where ? c : from, op_arity[op] > 1 ? from : -1, where ? x : -1);
        else if (op == FLAT_CAST)
            for (int t = TIDE_F32; t < TIDE_DTYPES; t++) {
                if (t != TIDE_F16 && t != TIDE_BF16) map_op(&b, k, op, t, FLAT_FULL, x, -1, -1);
            }
        else if (op >= FLAT_ROW_SUM && op <= FLAT_ROW_ARGMIN)
            map_store(&b, k, map_op(&b, k, op, op >= FLAT_ROW_ARGMAX ? TIDE_I32 : type, FLAT_ROW, x, -1, -1),
                      add_buffer(&b, op >= FLAT_ROW_ARGMAX ? TIDE_I32 : (tide_dtype)type, 50, true), row);
        else if (op >= FLAT_COL_SUM) map_sink(&b, k, op, x, add_buffer(&b, (tide_dtype)type, 7 * 700, true));
        tide_dtype store = type == TIDE_F32 ? op % 2 ? TIDE_F16 : TIDE_BF16 : (tide_dtype)k->map.instrs[0].type;
        if (result == x || to == type) map_store(&b, k, result, add_buffer(&b, store, 50 * 700, true), full);
        gpu_print g = printed(&b, k, &usual);
        assert_null(g.lacks);
        assert_true(g.threads >= 32 && g.threads <= 256 && g.groups > 0);
        expect_known_words(g.body.data, has_f64(&g));
        text_free(&g.body);
    }
}

static void test_words(void **unused) {
    static const int types[] = { TIDE_F32, TIDE_F64, TIDE_I32, TIDE_I64, TIDE_U8, TIDE_BOOL };
    (void)unused;
    for (int i = 0; i < 6; i++) print_all_of(types[i]);
    gpu_print g = dropout_of(1, 7, 0.5);
    expect_known_words(g.body.data, has_f64(&g));
    text_free(&g.body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates_share), cmocka_unit_test(test_dropouts_share), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nothing_to_do), cmocka_unit_test(test_large), cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("texts of maps", tests, NULL, NULL);
}
