/* Map kernels: every operation, type and kind of operand, on every backend against ref. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "flat_check.h"

static const char *const op_names[] = {
#define X(NAME, text, arity) text,
    SCALAR_OPS(X)
#undef X
};
static const int op_arity[] = {
#define X(NAME, text, arity) arity,
    SCALAR_OPS(X)
#undef X
};

static const int64_t shapes[][2] = { { 1, 1 }, { 3, 7 }, { 5, 11 }, { 200, 11 }, { 17, 17 }, { 2, 1000 }, { 3, 1500 },
                                     { 1500, 3 }, { 6, 40 }, { 4, 0 }, { 0, 4 } };
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static bool is_real(int type) { return type == TIDE_F32 || type == TIDE_F64; }

/* What an operation is tried with: its operands' and result's types, or false. */
static bool types_for(int op, int type, int src[3], int *dst) {
    bool logic = op == S_NOT || op == S_AND || op == S_OR;
    bool real_only =
        (op >= S_RECIPROCAL && op <= S_ERF) || op == S_SIGMOID || op == S_GELU || op == S_GELU_GRAD || op == S_POW;
    bool compares = op == S_IS_FINITE || (op >= S_EQ && op <= S_GE);
    if (logic != (type == TIDE_BOOL) && !compares && op != S_WHERE) return false;
    if (real_only && !is_real(type)) return false;
    for (int i = 0; i < 3; i++) src[i] = type;
    if (op == S_WHERE) src[0] = TIDE_BOOL;
    *dst = compares ? TIDE_BOOL : type;
    return true;
}

static int load_as(builder *b, flat_kernel *k, int type, int kind, const int64_t dim[2]) {
    int64_t strides[TIDE_MAX_DIMS];
    int first = kind == FLAT_ONE || kind == FLAT_COL ? 1 : 0, end = kind == FLAT_ONE || kind == FLAT_ROW ? 1 : 2;
    dense(strides, 2, dim, first, end);
    int64_t count = kind == FLAT_ONE ? 1 : kind == FLAT_ROW ? dim[0] : kind == FLAT_COL ? dim[1] : dim[0] * dim[1];
    return map_load(b, k, add_buffer(b, (tide_dtype)type, count, false), kind, strides);
}

static int kind_of_result(int arity, const int kinds[3]) {
    bool rows = false, cols = false;
    for (int i = 0; i < arity; i++) {
        rows |= kinds[i] == FLAT_ROW || kinds[i] == FLAT_FULL;
        cols |= kinds[i] == FLAT_COL || kinds[i] == FLAT_FULL;
    }
    return cols ? FLAT_FULL : rows ? FLAT_ROW : FLAT_ONE;
}

static void tolerances(int op, int type, double *rtol, double *atol) {
    bool loose = op == S_GELU || op == S_GELU_GRAD || op == S_SIGMOID;
    *rtol = type == TIDE_F32 ? 4e-7 : type == TIDE_F64 ? 1e-15 : 0;  /* vector functions err by up to 1 ulp, some
                                                                        twice */
    *atol = loose ? 3 * *rtol : type == TIDE_F32 ? 2e-38 : 5e-308;     /* subnormals may be flushed */
    if (loose && type == TIDE_F64) *rtol = 4e-15;
}

static void try_op(int op, int type, const int kinds[3], const int64_t dim[2]) {
    builder b;
    int src[3], dst, regs[3] = { -1, -1, -1 };
    char what[128];
    if (!types_for(op, type, src, &dst)) return;
    build_begin(&b);
    int  arity = op_arity[op], kind = kind_of_result(arity, kinds);
    bool row_wise = false;
    for (int i = 0; i < arity; i++) row_wise |= kinds[i] == FLAT_ROW || kinds[i] == FLAT_COL;
    if (kind == FLAT_ONE && dim[0] * dim[1] != 1) return;
    flat_kernel *k = add_map(&b, 2, 1, dim, MAX2(dim[0] / 2, 1), row_wise);
    for (int i = 0; i < arity; i++) regs[i] = load_as(&b, k, src[i], kinds[i], dim);
    int result = map_op(&b, k, op, dst, kind, regs[0], regs[1], regs[2]);
    int64_t strides[TIDE_MAX_DIMS];
    dense(strides, 2, dim, 0, kind == FLAT_FULL ? 2 : kind == FLAT_ROW ? 1 : 0);
    int64_t count = kind == FLAT_FULL ? dim[0] * dim[1] : kind == FLAT_ROW ? dim[0] : 1;
    map_store(&b, k, result, add_buffer(&b, (tide_dtype)dst, count, true), strides);
    finish(&b);
    snprintf(what, sizeof what, "%s of %s, kinds %d %d %d, %dx%d", op_names[op], tide_dtype_name((tide_dtype)type),
             kinds[0],
             kinds[1], kinds[2], (int)dim[0], (int)dim[1]);
    double rtol, atol;
    tolerances(op, type, &rtol, &atol);
    expect_like_ref(&b, rtol, atol, what);
    build_free(&b);
}

static void test_every_operation(void **unused) {
    static const int types[] = { TIDE_F32, TIDE_F64, TIDE_I32, TIDE_I64, TIDE_U8, TIDE_BOOL };
    (void)unused;
    for (int op = 0; op < SCALAR_COUNT; op++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++)
            for (int s = 0; s < N_SHAPES; s++) {
                int full[3] = { FLAT_FULL, FLAT_FULL, FLAT_FULL };
                if (taken()) try_op(op, types[t], full, shapes[s]);
            }
}

static void test_every_kind(void **unused) {
    static const int ops[] = { S_NEG, S_SUB, S_POW, S_LT, S_WHERE };
    static const int some[] = { 0, 2, 3, 5, 8 };
    (void)unused;
    for (size_t o = 0; o < sizeof ops / sizeof *ops; o++) {
        int combinations = op_arity[ops[o]] == 1 ? 4 : op_arity[ops[o]] == 2 ? 16 : 64;
        for (int c = 0; c < combinations; c++)
            for (size_t s = 0; s < sizeof some / sizeof *some; s++) {
                int kinds[3] = { c % 4, c / 4 % 4, c / 16 };
                if (!taken()) continue;
                try_op(ops[o], TIDE_F32, kinds, shapes[some[s]]);
                if (ops[o] != S_POW) try_op(ops[o], TIDE_I64, kinds, shapes[some[s]]);
            }
    }
}

static void test_casts(void **unused) {
    static const int types[] = { TIDE_F32, TIDE_F64, TIDE_I32, TIDE_I64, TIDE_U8, TIDE_BOOL };
    (void)unused;
    for (size_t i = 0; i < 36; i++)
        for (int s = 0; s < N_SHAPES; s++) {
            builder b;
            int64_t strides[TIDE_MAX_DIMS];
            int from = types[i % 6], to = types[i / 6];
            build_begin(&b);
            flat_kernel *k = add_map(&b, 2, 1, shapes[s], 2, false);
            int x = load_as(&b, k, from, FLAT_FULL, shapes[s]);
            int y = map_op(&b, k, FLAT_CAST, to, FLAT_FULL, x, -1, -1);
            dense(strides, 2, shapes[s], 0, 2);
            map_store(&b, k, y, add_buffer(&b, (tide_dtype)to, shapes[s][0] * shapes[s][1], true), strides);
            finish(&b);
            expect_like_ref(&b, 0, 0, "cast");
            build_free(&b);
        }
}

static void test_half_floats(void **unused) {
    static const tide_dtype types[] = { TIDE_F16, TIDE_BF16 };
    (void)unused;
    for (int i = 0; i < 2; i++)
        for (int s = 0; s < N_SHAPES; s++) {
            builder b;
            int64_t strides[TIDE_MAX_DIMS];
            build_begin(&b);
            flat_kernel *k = add_map(&b, 2, 1, shapes[s], 2, true);
            int x = load_as(&b, k, types[i], FLAT_FULL, shapes[s]), r = load_as(&b, k, types[i], FLAT_ROW, shapes[s]);
            int y = map_op(&b, k, S_MUL, TIDE_F32, FLAT_FULL, x, r, -1);
            dense(strides, 2, shapes[s], 0, 2);
            map_store(&b, k, y, add_buffer(&b, types[i], shapes[s][0] * shapes[s][1], true), strides);
            map_store(&b, k, x, add_buffer(&b, types[1 - i], shapes[s][0] * shapes[s][1], true), strides);
            finish(&b);
            expect_like_ref(&b, 0, 0, "16-bit floats");
            build_free(&b);
        }
}

static void test_row_reductions(void **unused) {
    static const int types[] = { TIDE_F32, TIDE_F64, TIDE_I32, TIDE_I64, TIDE_U8 };
    (void)unused;
    for (int op = FLAT_ROW_SUM; op <= FLAT_ROW_ARGMIN; op++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++)
            for (int s = 0; s < N_SHAPES; s++) {
                builder b;
                int64_t strides[TIDE_MAX_DIMS];
                bool arg = op >= FLAT_ROW_ARGMAX;
                build_begin(&b);
                flat_kernel *k = add_map(&b, 2, 1, shapes[s], MAX2(shapes[s][0] / 2, 1), true);
                int x = load_as(&b, k, types[t], FLAT_FULL, shapes[s]);
                int y = map_op(&b, k, op, arg ? TIDE_I32 : types[t], FLAT_ROW, x, -1, -1);
                dense(strides, 2, shapes[s], 0, 1);
                map_store(&b, k, y, add_buffer(&b, arg ? TIDE_I32 : (tide_dtype)types[t], shapes[s][0], true), strides);
                finish(&b);
                double sum = op == FLAT_ROW_SUM ? 1 : 0;  /* sums cancel: of up to 1500 numbers of size 9 */
                if (is_real(types[t]) && sum > 0)
                    for (int64_t i = 0; i < shapes[s][0] * shapes[s][1]; i++) {
                        if (types[t] == TIDE_F32 && !(fabsf(((float *)b.initial)[i]) < 1e20f))
                            ((float *)b.initial)[i] = 1;
                        if (types[t] == TIDE_F64 && !(fabs(((double *)b.initial)[i]) < 1e20))
                            ((double *)b.initial)[i] = 1;
                    }
                expect_like_ref(&b, 0,
                                sum * (types[t] == TIDE_F32   ? 1e-2
                                       : types[t] == TIDE_F64 ? 1e-10
                                                              : 0),
                                "row reduction");
                build_free(&b);
            }
}

static void test_sinks(void **unused) {
    static const int types[] = { TIDE_F32, TIDE_F64, TIDE_I32, TIDE_I64 };
    (void)unused;
    for (int op = FLAT_COL_SUM; op <= FLAT_ALL_SUM; op++)
        for (size_t t = 0; t < sizeof types / sizeof *types; t++)
            for (int s = 0; s < N_SHAPES; s++) {
                builder b;
                build_begin(&b);
                flat_kernel *k = add_map(&b, 2, 1, shapes[s], 3, op == FLAT_COL_SUM);
                int x = load_as(&b, k, TIDE_I32, FLAT_FULL, shapes[s]);
                int y = map_op(&b, k, FLAT_CAST, types[t], FLAT_FULL, x, -1, -1);
                int partial =
                    add_buffer(&b, (tide_dtype)types[t], k->tasks * (op == FLAT_COL_SUM ? shapes[s][1] : 1), true);
                map_sink(&b, k, op, y, partial);
                finish(&b);
                expect_like_ref(&b, 0, 0, "sums over rows");  /* of small integers: exact in any type */
                build_free(&b);
            }
}

static void test_random(void **unused) {
    static const int64_t per_sample[] = { 1, 3, 7, 16, 1000, 4000 };
    (void)unused;
    for (int op = FLAT_RANDOM; op <= FLAT_DROPMASK; op++)
        for (int s = 0; s < N_SHAPES; s++)
            for (int p = 0; p < 6; p++) {
                builder b;
                int64_t strides[TIDE_MAX_DIMS], none[TIDE_MAX_DIMS] = { 0 };
                build_begin(&b);
                flat_kernel *k = add_map(&b, 2, 1, shapes[s], 2, false);
                int step = map_load(&b, k, add_buffer(&b, TIDE_I32, 1, false), FLAT_ONE, none);
                int offset = p % 2 ? map_load(&b, k, add_buffer(&b, TIDE_I32, 1, false), FLAT_ONE, none) : -1;
                flat_instr *in = map_instr(k, op, TIDE_F32, FLAT_FULL, step);
                in->src[1] = (int16_t)offset, in->src_type[1] = TIDE_I32, in->src_kind[1] = FLAT_ONE;
                in->site = 77, in->per_sample = per_sample[p], in->number = 0.3, in->scale = 1 / 0.7;
                dense(strides, 2, shapes[s], 0, 2);
                map_store(&b, k, in->dst, add_buffer(&b, TIDE_F32, shapes[s][0] * shapes[s][1], true), strides);
                finish(&b);
                expect_like_ref(&b, 0, 0, "random numbers");
                build_free(&b);
            }
}

static void test_iota_and_constants(void **unused) {
    static const int types[] = { TIDE_F32, TIDE_F64, TIDE_I32, TIDE_I64, TIDE_U8 };
    (void)unused;
    for (int t = 0; t < 5; t++)
        for (int s = 0; s < N_SHAPES; s++) {
            builder b;
            int64_t strides[TIDE_MAX_DIMS];
            build_begin(&b);
            flat_kernel *k = add_map(&b, 2, 1, shapes[s], 2, false);
            flat_instr *in = map_instr(k, FLAT_IOTA, types[t], FLAT_FULL, -1);
            in->inner = 3, in->size = 5;
            int iota = in->dst;
            in = map_instr(k, FLAT_CONST, types[t], FLAT_ONE, -1);
            in->number = 7;
            int sum = map_op(&b, k, S_ADD, types[t], FLAT_FULL, in->dst, iota, -1);
            dense(strides, 2, shapes[s], 0, 2);
            map_store(&b, k, sum, add_buffer(&b, (tide_dtype)types[t], shapes[s][0] * shapes[s][1], true), strides);
            finish(&b);
            expect_like_ref(&b, 0, 0, "iota");
            build_free(&b);
        }
}

/* (a, b, c) read with its axes permuted, flipped, sliced and broadcast; written permuted. */
static void test_strided_operands(void **unused) {
    static const int64_t dims[][3] = { { 2, 3, 4 }, { 5, 7, 11 }, { 3, 96, 7 }, { 40, 1, 33 }, { 1, 70, 70 } };
    static const int order[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 2, 1, 0 }, { 1, 2, 0 }, { 1, 0, 2 } };
    static const tide_dtype types[] = { TIDE_F32, TIDE_F64, TIDE_U8, TIDE_F16 };
    (void)unused;
    for (int d = 0; d < 5; d++)
        for (int o = 0; o < 25; o++)
            for (int t = 0; t < 4; t++)
                for (int row_ndim = 0; row_ndim < 4; row_ndim++) {
                    if (!taken()) continue;
                    builder b;
                    const int64_t *dim = dims[d];
                    int64_t count = dim[0] * dim[1] * dim[2], in[TIDE_MAX_DIMS] = { 0 }, out[TIDE_MAX_DIMS] = { 0 };
                    int64_t step = 1, flip = dim[order[o % 5][1]];
                    for (int i = 2; i >= 0; i--) {
                        in[order[o % 5][i]] = step;
                        step *= dim[order[o % 5][i]] + (i == 2);
                    }
                    int64_t size = step;
                    step = 1;
                    for (int i = 2; i >= 0; i--) { out[order[o / 5][i]] = step; step *= dim[order[o / 5][i]]; }
                    build_begin(&b);
                    flat_kernel *k = add_map(&b, 3, row_ndim, dim, 2, false);
                    int x = map_load(&b, k, add_buffer(&b, types[t], size, false), FLAT_FULL, in);
                    int y = map_load(&b, k, add_buffer(&b, types[t], size, false), FLAT_FULL, in);
                    flat_operand *flipped = &k->operands[1];
                    flipped->offset += (flip - 1) * flipped->stride[order[o % 5][1]];
                    flipped->stride[order[o % 5][1]] *= -1;
                    int type = types[t] == TIDE_F16 ? TIDE_F32 : types[t];
                    int z = map_op(&b, k, S_MAX, type, FLAT_FULL, x, y, -1);
                    map_store(&b, k, z, add_buffer(&b, types[t], count, true), out);
                    finish(&b);
                    expect_like_ref(&b, 0, 0, "strided operands");
                    build_free(&b);
                }
}

/* Softmax with its input replaced in place, and the row statistics kept. */
static void test_softmax_in_place(void **unused) {
    (void)unused;
    for (int s = 0; s < N_SHAPES; s++) {
        builder b;
        const int64_t *dim = shapes[s];
        int64_t full[TIDE_MAX_DIMS], row[TIDE_MAX_DIMS];
        build_begin(&b);
        dense(full, 2, dim, 0, 2);
        dense(row, 2, dim, 0, 1);
        flat_kernel *k = add_map(&b, 2, 1, dim, 64, true);
        int buffer = add_buffer(&b, TIDE_F32, dim[0] * dim[1], false);
        int x = map_load(&b, k, buffer, FLAT_FULL, full);
        int max = map_op(&b, k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, x, -1, -1);
        int centred = map_op(&b, k, S_SUB, TIDE_F32, FLAT_FULL, x, max, -1);
        int e = map_op(&b, k, S_EXP, TIDE_F32, FLAT_FULL, centred, -1, -1);
        int sum = map_op(&b, k, FLAT_ROW_SUM, TIDE_F32, FLAT_ROW, e, -1, -1);
        int y = map_op(&b, k, S_DIV, TIDE_F32, FLAT_FULL, e, sum, -1);
        map_store(&b, k, y, buffer, full);
        map_store(&b, k, max, add_buffer(&b, TIDE_F32, dim[0], true), row);
        map_store(&b, k, sum, add_buffer(&b, TIDE_F32, dim[0], true), row);
        map_store(&b, k, x, add_buffer(&b, TIDE_F32, dim[0] * dim[1], true), full);
        finish(&b);
        for (int64_t i = 0; i < dim[0] * dim[1]; i++) {
            float *p = initial_of(&b, buffer);
            p[i] = (float)random_unit() * 8 - 4;
        }
        b.is_output[buffer] = true;
        /* `x` is stored after its memory was overwritten: what ref stores is the loaded value. */
        expect_like_ref(&b, 1e-5, 1e-7, "softmax in place");
        build_free(&b);
    }
}

static int random_kind(const int64_t dim[2]) {
    int kind = (int)(random_bits() % 4);
    return kind == FLAT_ONE && dim[0] > 1 && random_bits() % 2 ? FLAT_FULL : kind;
}

/* Whatever fusion may come up with: random arithmetic on random operands, several stores, some in place. */
static void try_random_program(void) {
    static const int ops[] = { S_ADD, S_SUB, S_MUL, S_MAX, S_NEG, S_SQUARE, S_ABS };
    static const int64_t sizes[] = { 1, 2, 5, 11, 16, 33, 100, 700 };
    builder b;
    const int64_t dim[2] = { sizes[random_bits() % 8], sizes[random_bits() % 8] };
    int regs[MAX_INSTRS], kinds[MAX_INSTRS], n = 0, loads[MAX_INSTRS];
    int64_t strides[TIDE_MAX_DIMS];
    build_begin(&b);
    flat_kernel *k = add_map(&b, 2, 1, dim, 1 + (int64_t)(random_bits() % 64), true);
    for (int i = 0; i < 4; i++, n++) {
        kinds[n] = i == 0 ? FLAT_FULL : random_kind(dim);
        regs[n]  = load_as(&b, k, TIDE_F32, kinds[n], dim);
        loads[n] = k->operands[k->n_operands - 1].buffer;
    }
    for (int i = 0; i < 16; i++, n++) {
        int pick[2] = { (int)(random_bits() % (uint64_t)n), (int)(random_bits() % (uint64_t)n) };
        int op = ops[random_bits() % 7], pair[3] = { kinds[pick[0]], kinds[pick[1]] };
        bool reduce = kinds[pick[0]] == FLAT_FULL && random_bits() % 6 == 0;
        kinds[n] = reduce ? FLAT_ROW : kind_of_result(op_arity[op], pair);
        loads[n] = -1;
        regs[n] =
            reduce ? map_op(&b, k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, regs[pick[0]], -1, -1)
                   : map_op(&b, k, op, TIDE_F32, kinds[n], regs[pick[0]], op_arity[op] == 2 ? regs[pick[1]] : -1, -1);
        if (random_bits() % 4 != 0 || kinds[n] == FLAT_ONE) continue;
        int buffer = loads[0];  /* in place, once */
        if (kinds[n] != FLAT_FULL || buffer < 0)
            buffer = add_buffer(&b, TIDE_F32, kinds[n] == FLAT_FULL ? dim[0] * dim[1] : dim[0], true);
        else loads[0] = -1;
        dense(strides, 2, dim, 0, kinds[n] == FLAT_FULL ? 2 : 1);
        map_store(&b, k, regs[n], buffer, strides);
        b.is_output[buffer] = true;
    }
    int last = add_buffer(&b, TIDE_F32, dim[0] * dim[1], true);
    int full = map_op(&b, k, S_ADD, TIDE_F32, FLAT_FULL, regs[0], regs[n - 1], -1);
    dense(strides, 2, dim, 0, 2);
    map_store(&b, k, full, last, strides);
    b.is_output[k->operands[0].buffer] = false;  /* filled like any input, though a store may replace it */
    finish(&b);
    for (int i = 0; i < 4; i++) {
        float *p = initial_of(&b, k->operands[i].buffer);
        for (int64_t j = 0; j < b.buffers[k->operands[i].buffer].bytes / 4; j++) p[j] = (float)(random_unit() * 2 - 1);
    }
    b.is_output[k->operands[0].buffer] = true;
    expect_like_ref(&b, 0, 0, "random program");  /* every operation here is exactly rounded */
    build_free(&b);
}

static void test_random_programs(void **unused) {
    (void)unused;
    for (int i = 0; i < 300; i++)
        if (taken()) try_random_program();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation), cmocka_unit_test(test_every_kind), cmocka_unit_test(test_casts),
        cmocka_unit_test(test_half_floats), cmocka_unit_test(test_row_reductions), cmocka_unit_test(test_sinks),
        cmocka_unit_test(test_random), cmocka_unit_test(test_iota_and_constants),
        cmocka_unit_test(test_strided_operands), cmocka_unit_test(test_softmax_in_place),
        cmocka_unit_test(test_random_programs), cmocka_unit_test(expect_rest),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
