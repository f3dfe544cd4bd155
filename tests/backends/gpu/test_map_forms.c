/* Maps in all the forms that a GPU gives them: what test_maps.c tries one by one comes together here, on rows of every
 * length, in place, in several loops, with sums over rows. All numbers are small integers, so sums are exact. */
#include <math.h>
#include <stdio.h>

#include "../flat_check.h"

static int64_t below(int64_t n) { return (int64_t)(random_bits() % (uint64_t)n); }

/* ---- a random program ------------------------------------------------------------------------------------- */

enum { MOST_REGS = 40, MOST_BOUND = 1 << 22 };

typedef struct program {
    builder b;
    flat_kernel *k;
    int64_t dim[3], rows, cols;
    int     n, type[MOST_REGS], kind[MOST_REGS];
    double  bound[MOST_REGS];        /* of a register's numbers; what is above MOST_BOUND is not added up */
    int     loaded[MOST_REGS];       /* the buffer; -1: not loaded, or replaced */
} program;

static void strides_of(const program *p, int kind, int64_t *strides) {
    int32_t split = p->k->map.row_ndim, ndim = p->k->map.ndim;
    dense(strides, ndim, p->dim, kind == FLAT_COL ? split : 0, kind == FLAT_ROW ? split : kind == FLAT_ONE ? 0 : ndim);
}

static int64_t count_of(const program *p, int kind) {
    return kind == FLAT_ONE   ? 1
           : kind == FLAT_ROW ? p->rows
           : kind == FLAT_COL ? p->cols
                              : p->rows * p->cols;
}

static int note(program *p, int reg, int type, int kind, double bound) {
    p->type[reg] = type, p->kind[reg] = kind, p->bound[reg] = bound, p->loaded[reg] = -1;
    p->n = reg + 1;
    return reg;
}

static void add_load(program *p, tide_dtype type, int kind) {
    int64_t strides[TIDE_MAX_DIMS];
    strides_of(p, kind, strides);
    int buffer = add_buffer(&p->b, type, count_of(p, kind), false);
    int reg = map_load(&p->b, p->k, buffer, kind, strides);
    note(p, reg, type == TIDE_BF16 ? TIDE_F32 : type, kind, type == TIDE_U8 ? 255 : 10);
    p->loaded[reg] = buffer;
}

static int pick(const program *p, int type, int kind) {
    for (int i = 0; i < 20; i++) {
        int reg = (int)below(p->n);
        if ((type < 0 || p->type[reg] == type) && (kind < 0 || p->kind[reg] == kind)) return reg;
    }
    return -1;
}

static int joined_kind(int a, int b) {
    bool rows = a == FLAT_ROW || a == FLAT_FULL || b == FLAT_ROW || b == FLAT_FULL;
    bool cols = a == FLAT_COL || a == FLAT_FULL || b == FLAT_COL || b == FLAT_FULL;
    return cols ? FLAT_FULL : rows ? FLAT_ROW : FLAT_ONE;
}

static void add_arithmetic(program *p) {
    static const int ops[] = { S_ADD, S_SUB, S_MAX, S_MIN, S_ADD, S_AFTER };
    int a = pick(p, -1, -1), b = pick(p, p->type[a], -1), op = ops[below(6)];
    if (b < 0 || p->type[a] == TIDE_BOOL || p->type[a] == TIDE_U8) return;
    int kind = joined_kind(p->kind[a], p->kind[b]);
    bool sum = op == S_ADD || op == S_SUB;
    double bound = sum ? p->bound[a] + p->bound[b] : MAX2(p->bound[a], p->bound[b]);
    note(p, map_op(&p->b, p->k, op, p->type[a], kind, a, b, -1), p->type[a], kind, bound);
}

static void add_choice(program *p) {
    int a = pick(p, -1, -1), b = pick(p, p->type[a], -1);
    if (b < 0 || p->n + 2 > MOST_REGS) return;
    int kind = joined_kind(p->kind[a], p->kind[b]);
    int c = note(p, map_op(&p->b, p->k, below(2) ? S_LT : S_NE, TIDE_BOOL, kind, a, b, -1), TIDE_BOOL, kind, 1);
    note(p, map_op(&p->b, p->k, S_WHERE, p->type[a], kind, c, b, a), p->type[a], kind, MAX2(p->bound[a], p->bound[b]));
}

static void add_cast(program *p) {
    static const int types[] = { TIDE_F32, TIDE_I32, TIDE_I64, TIDE_U8, TIDE_BOOL };
    int a = pick(p, -1, -1), to = types[below(5)], kind = p->kind[a] == FLAT_COL || below(2) ? FLAT_FULL : p->kind[a];
    note(p, map_op(&p->b, p->k, FLAT_CAST, to, kind, a, -1, -1), to, kind,
         to == TIDE_U8 ? 255 : to == TIDE_BOOL ? 1 : p->bound[a]);
}

static void add_reduction(program *p) {
    int a = pick(p, -1, FLAT_FULL), op = FLAT_ROW_SUM + (int)below(5);
    if (a < 0) return;
    bool arg = op >= FLAT_ROW_ARGMAX;
    double bound = op == FLAT_ROW_SUM ? p->bound[a] * (double)p->cols : arg ? (double)p->cols : p->bound[a];
    if (op == FLAT_ROW_SUM && (bound > MOST_BOUND || p->type[a] == TIDE_BOOL)) return;
    if (op <= FLAT_ROW_MIN && p->cols == 0) bound = INFINITY;
    int type = arg ? TIDE_I32 : p->type[a];
    note(p, map_op(&p->b, p->k, op, type, FLAT_ROW, a, -1, -1), type, FLAT_ROW, bound);
}

static void add_made(program *p) {
    static const int64_t per_sample[] = { 1, 3, 4, 8, 40, 1000 };
    int step = pick(p, TIDE_I32, FLAT_ONE), op = FLAT_IOTA + (int)below(3);
    if (op != FLAT_IOTA && step < 0) return;
    flat_instr *in = map_instr(p->k, op, op == FLAT_IOTA && below(2) ? TIDE_I32 : TIDE_F32, FLAT_FULL,
                               op == FLAT_IOTA ? -1 : step);
    in->inner = 1 + below(9), in->size = 1 + below(50), in->per_sample = per_sample[below(6)];
    in->site = (uint32_t)below(1000), in->number = 0.25, in->scale = 2;
    note(p, in->dst, in->type, FLAT_FULL, op == FLAT_IOTA ? 50 : op == FLAT_DROPMASK ? 2 : INFINITY);
}

/* Where one of its type and kind was loaded, or a new buffer. Nothing is replaced twice. */
static void add_store(program *p, int reg) {
    int64_t strides[TIDE_MAX_DIMS];
    int buffer = -1, kind = p->kind[reg] == FLAT_ONE ? FLAT_ROW : p->kind[reg];
    if (kind == FLAT_COL || p->b.p.n_buffers == MAX_BUFFERS || p->k->n_operands == MAX_OPERANDS) return;
    for (int i = 0; i < p->n && buffer < 0 && below(3); i++) {
        if (p->loaded[i] < 0 || p->b.types[p->loaded[i]] != (tide_dtype)p->type[reg] || p->kind[i] != kind) continue;
        buffer = p->loaded[i], p->loaded[i] = -1;
    }
    if (buffer < 0) buffer = add_buffer(&p->b, (tide_dtype)p->type[reg], count_of(p, kind), true);
    strides_of(p, kind, strides);
    map_store(&p->b, p->k, reg, buffer, strides);
}

static void add_sink(program *p) {
    int reg = pick(p, below(2) ? TIDE_F32 : TIDE_I32, FLAT_FULL), op = FLAT_COL_SUM + (int)below(2);
    bool columns = op == FLAT_COL_SUM;
    if (reg < 0 || p->b.p.n_buffers == MAX_BUFFERS || p->k->n_operands == MAX_OPERANDS) return;
    double terms = (double)p->k->map.rows_per_task * (columns ? 1 : (double)p->cols);
    if (p->bound[reg] * terms > MOST_BOUND) return;
    map_sink(&p->b, p->k, op, reg,
             add_buffer(&p->b, (tide_dtype)p->type[reg], p->k->tasks * (columns ? p->cols : 1), true));
}

static void fill_integers(program *p, int buffer) {
    int64_t n = p->b.buffers[buffer].bytes / (int64_t)tide_dtype_size(p->b.types[buffer]);
    bool nans = below(4) == 0;
    for (int64_t i = 0; i < n; i++) {
        float x = nans && below(50) == 0 ? NAN : (float)(below(21) - 10);
        if (p->b.types[buffer] == TIDE_F32) ((float *)initial_of(&p->b, buffer))[i] = x;
        if (p->b.types[buffer] == TIDE_BF16)
            ((uint16_t *)initial_of(&p->b, buffer))[i] = (uint16_t)(0x3f80 + 0x80 * below(4));
    }
}

static void begin(program *p, int64_t rows, int64_t cols, bool reduce) {
    static const int64_t tasks[] = { 1, 3, 16, 100, 1 << 20 };
    memset(p, 0, sizeof *p);
    build_begin(&p->b);
    int64_t split = rows % 3 == 0 && rows ? 3 : 1;
    p->dim[0] = split, p->dim[1] = rows / split, p->dim[2] = cols, p->rows = rows, p->cols = cols;
    p->k = add_map(&p->b, 3, 2, p->dim, MIN2(tasks[below(5)], MAX2(rows, 1)), reduce);
}

static void end(program *p, double rtol) {
    bool replaced[MAX_BUFFERS] = { false };
    for (int32_t i = 0; i < p->k->map.count; i++) {
        const flat_instr *in = &p->k->map.instrs[i];
        if (in->op == FLAT_STORE) replaced[p->k->operands[in->operand].buffer] = true;
    }
    finish(&p->b);
    for (int i = 0; i < p->b.p.n_buffers; i++) {
        if (!p->b.is_output[i]) fill_integers(p, i);
        p->b.is_output[i] |= replaced[i];
    }
    char what[96];
    snprintf(what, sizeof what, "%d x %d, %d instructions", (int)p->rows, (int)p->cols, (int)p->k->map.count);
    expect_like_ref(&p->b, rtol, 0, what);
    build_free(&p->b);
}

static const int64_t lengths[] = { 0, 1, 2, 3, 5, 8, 16, 31, 33, 64, 100, 255, 256, 257, 700, 1024, 2049, 5000 };
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void try_program(int64_t rows, int64_t cols) {
    static const tide_dtype types[] = { TIDE_F32, TIDE_F32, TIDE_F32, TIDE_I32, TIDE_I64, TIDE_U8, TIDE_BOOL,
                                        TIDE_BF16 };
    static void (*const adds[])(program *) = { add_arithmetic, add_arithmetic, add_arithmetic, add_choice, add_cast,
                                               add_reduction, add_reduction, add_made };
    program p;
    bool reduce = below(4), sums = below(2);
    begin(&p, rows, cols, true);
    add_load(&p, TIDE_F32, FLAT_FULL);
    add_load(&p, TIDE_I32, FLAT_ONE);
    add_load(&p, TIDE_F32, (int)below(4));
    for (int i = 0; i < 3; i++) add_load(&p, types[below(8)], below(2) ? FLAT_FULL : (int)below(4));
    for (int i = 0; i < 24 && p.n + 2 < MOST_REGS; i++) {
        void (*add)(program *) = adds[below(8)];
        if (reduce || add != add_reduction) add(&p);
    }
    for (int i = 0; i < 4; i++) add_store(&p, pick(&p, -1, reduce || below(2) ? -1 : FLAT_FULL) < 0
                                                  ? 0 : (int)below(p.n));
    for (int i = 0; i < 3 && sums; i++) add_sink(&p);
    end(&p, 0);
}

static void test_programs(void **unused) {
    (void)unused;
    for (int i = 0; i < 200; i++) {
        int64_t cols = lengths[below(LENGTHS)], rows = lengths[below(cols > 300 ? 9 : cols > 30 ? 14 : LENGTHS)];
        if (taken()) try_program(rows, cols);
    }
}

/* ---- what it would seldom meet ----------------------------------------------------------------------------- */

/* More reductions in one loop than one tree takes, of all types. */
static void test_many_reductions(void **unused) {
    (void)unused;
    for (int i = 0; i < LENGTHS; i++) {
        program p;
        if (!taken()) continue;
        begin(&p, 7, lengths[i], true);
        add_load(&p, TIDE_F32, FLAT_FULL);
        add_load(&p, TIDE_I64, FLAT_FULL);
        add_load(&p, TIDE_U8, FLAT_FULL);
        for (int op = FLAT_ROW_SUM; op <= FLAT_ROW_ARGMIN; op++)
            for (int x = 0; x < 3; x++) {
                int type = op >= FLAT_ROW_ARGMAX ? TIDE_I32 : p.type[x];
                add_store(&p, note(&p, map_op(&p.b, p.k, op, type, FLAT_ROW, x, -1, -1), type, FLAT_ROW, 0));
            }
        end(&p, 0);
    }
}

/* One number a row in place of what all of the row's threads load, with nothing else to wait for. */
static void test_rows_in_place(void **unused) {
    (void)unused;
    for (int i = 0; i < LENGTHS; i++) {
        program p;
        begin(&p, 9, lengths[i], true);
        add_load(&p, TIDE_F32, FLAT_ROW);
        add_load(&p, TIDE_F32, FLAT_FULL);
        int64_t row[TIDE_MAX_DIMS];
        strides_of(&p, FLAT_ROW, row);
        note(&p, map_op(&p.b, p.k, S_SUB, TIDE_F32, FLAT_FULL, 1, 0, -1), TIDE_F32, FLAT_FULL, 20);
        note(&p, map_op(&p.b, p.k, S_NEG, TIDE_F32, FLAT_ROW, 0, -1, -1), TIDE_F32, FLAT_ROW, 10);
        map_store(&p.b, p.k, 3, p.loaded[0], row);
        p.loaded[0] = -1;
        add_store(&p, 2);
        end(&p, 0);
    }
}

/* Words that neighbours share, on rows and in sums. */
static void test_draws(void **unused) {
    static const int64_t per_sample[] = { 4, 8, 12, 40, 6 };
    (void)unused;
    for (int i = 0; i < LENGTHS; i++)
        for (int j = 0; j < 5; j++) {
            program p;
            if (!taken()) continue;
            begin(&p, 12, 4 * lengths[i] / (1 + 3 * (lengths[i] > 2000)), true);
            add_load(&p, TIDE_I32, FLAT_ONE);
            add_load(&p, TIDE_I32, FLAT_ONE);
            for (int op = FLAT_RANDOM; op <= FLAT_DROPMASK; op++) {
                flat_instr *in = map_instr(p.k, op, TIDE_F32, FLAT_FULL, 0);
                in->src[1] = 1, in->src_type[1] = TIDE_I32, in->src_kind[1] = FLAT_ONE;
                in->site = 5, in->per_sample = per_sample[j], in->number = 0.5, in->scale = 2;
                note(&p, in->dst, TIDE_F32, FLAT_FULL, 2);
            }
            for (int x = 2; x < 4; x++)
                add_store(&p, note(&p, map_op(&p.b, p.k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, x, -1, -1), TIDE_F32,
                                   FLAT_ROW, 2));
            add_store(&p, 2), add_store(&p, 3);
            map_sink(&p.b, p.k, FLAT_COL_SUM, 3, add_buffer(&p.b, TIDE_F32, p.k->tasks * p.cols, true));
            end(&p, 0);
        }
}

/* The same, added up over rows alone: each group has some columns. */
static void test_draws_over_rows(void **unused) {
    static const int64_t per_sample[] = { 4, 8, 40, 6 };
    (void)unused;
    for (int i = 0; i < LENGTHS; i++)
        for (int j = 0; j < 4; j++) {
            program p;
            if (!taken()) continue;
            begin(&p, 50, 4 * lengths[i] / (1 + 3 * (lengths[i] > 2000)), true);
            add_load(&p, TIDE_I32, FLAT_ONE);
            add_load(&p, TIDE_F32, FLAT_FULL);
            flat_instr *in = map_instr(p.k, FLAT_DROPMASK, TIDE_F32, FLAT_FULL, 0);
            in->site = 5, in->per_sample = per_sample[j], in->number = 0.5, in->scale = 2;
            note(&p, in->dst, TIDE_F32, FLAT_FULL, 2);
            add_store(&p, note(&p, map_op(&p.b, p.k, S_MUL, TIDE_F32, FLAT_FULL, 1, 2, -1), TIDE_F32, FLAT_FULL, 20));
            map_sink(&p.b, p.k, FLAT_COL_SUM, 3, add_buffer(&p.b, TIDE_F32, p.k->tasks * p.cols, true));
            end(&p, 0);
        }
}

/* ---- four neighbours at a time ------------------------------------------------------------------------------ */

/* An operand's layouts: dense, rows some numbers apart, columns apart, one number a row, one a column. */
enum { DENSE, APART_3, APART_8, BY_COLUMNS, ONE_A_ROW, ONE_A_COLUMN, LAYOUTS };

static int64_t lay(const program *p, int layout, int64_t *stride) {
    int64_t pitch = p->cols + (layout == APART_3 ? 3 : layout == APART_8 ? 8 : 0), last = 0;
    memset(stride, 0, sizeof *stride * TIDE_MAX_DIMS);
    stride[2] = layout == BY_COLUMNS ? p->rows : layout != ONE_A_ROW;
    stride[1] = layout == BY_COLUMNS || layout == ONE_A_ROW ? 1 : layout == ONE_A_COLUMN ? 0 : pitch;
    stride[0] = stride[1] * p->dim[1];
    for (int d = 0; d < 3; d++) last += (p->dim[d] - 1) * stride[d];
    return last + 1;
}

/* A new operand's buffer; its first element is so many behind the buffer's. */
static int add_laid(program *p, tide_dtype type, int layout, int64_t offset, bool output, int64_t *stride) {
    return add_buffer(&p->b, type, offset + lay(p, layout, stride), output);
}

static void try_fours(tide_dtype type, int layout, int64_t offset, int64_t cols, bool reduce) {
    program p;
    int64_t stride[TIDE_MAX_DIMS];
    int reg = type == TIDE_BF16 || type == TIDE_F16 ? TIDE_F32 : type;
    begin(&p, 18, cols, true);
    flat_operand *operands = p.b.operands[0];
    add_load(&p, TIDE_F32, FLAT_FULL);
    int x = map_load(&p.b, p.k, add_laid(&p, type, layout, offset, false, stride), FLAT_FULL, stride);
    note(&p, x, reg, FLAT_FULL, 0);
    operands[p.k->n_operands - 1].offset = offset;
    if (reg != TIDE_F32) x = map_op(&p.b, p.k, FLAT_CAST, TIDE_F32, FLAT_FULL, x, -1, -1);
    note(&p, x, TIDE_F32, FLAT_FULL, 0);
    int y = note(&p, map_op(&p.b, p.k, S_ADD, TIDE_F32, FLAT_FULL, x, 0, -1), TIDE_F32, FLAT_FULL, 0);
    if (reduce) {
        int most = note(&p, map_op(&p.b, p.k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, y, -1, -1), TIDE_F32, FLAT_ROW, 0);
        y = note(&p, map_op(&p.b, p.k, S_MIN, TIDE_F32, FLAT_FULL, y, most, -1), TIDE_F32, FLAT_FULL, 0);
    }
    if (reg != TIDE_F32) y = note(&p, map_op(&p.b, p.k, FLAT_CAST, reg, FLAT_FULL, y, -1, -1), reg, FLAT_FULL, 0);
    if (layout == ONE_A_ROW || layout == ONE_A_COLUMN) layout = DENSE;
    map_store(&p.b, p.k, y, add_laid(&p, type, layout, offset, true, stride), stride);
    operands[p.k->n_operands - 1].offset = offset;
    end(&p, 0);
}

static void test_fours(void **unused) {
    static const tide_dtype types[] = { TIDE_F32, TIDE_BF16, TIDE_F16, TIDE_I32, TIDE_U8, TIDE_BOOL, TIDE_I64 };
    static const int64_t offsets[] = { 0, 1, 2, 4 }, columns[] = { 4, 6, 20, 200 };
    (void)unused;
    for (int t = 0; t < 7; t++)
        for (int layout = 0; layout < LAYOUTS; layout++)
            for (int o = 0; o < 4; o++)
                for (int c = 0; c < 8; c++)
                    if (taken()) try_fours(types[t], layout, offsets[o], columns[c / 2], c % 2);
}

/* A thousand thousands and what is small: one float would lose the small ones. */
static void test_long_sums(void **unused) {
    static const int64_t shapes[][2] = { { 1500, 256 }, { 9000, 40 }, { 5000, 1 }, { 9000, 3 } };
    (void)unused;
    for (int s = 0; s < 4; s++)
        for (int op = FLAT_COL_SUM; op <= FLAT_ALL_SUM; op++) {
            program p;
            begin(&p, shapes[s][0], shapes[s][1], true);
            p.k->map.rows_per_task = shapes[s][0], p.k->tasks = 1;
            add_load(&p, TIDE_F32, FLAT_FULL);
            int max = map_op(&p.b, p.k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, 0, -1, -1);
            int y = map_op(&p.b, p.k, S_MAX, TIDE_F32, FLAT_FULL, 0, max, -1), from = s % 2 ? 0 : y;
            int wide = map_op(&p.b, p.k, S_MUL, TIDE_F32, FLAT_FULL, from, from, -1);
            map_sink(&p.b, p.k, op, wide, add_buffer(&p.b, TIDE_F32, op == FLAT_COL_SUM ? p.cols : 1, true));
            finish(&p.b);
            float *x = initial_of(&p.b, 0);
            for (int64_t i = 0; i < p.rows * p.cols; i++) x[i] = (float)(random_unit() * 100);
            expect_like_ref(&p.b, 3e-7, 0, "long sums");
            build_free(&p.b);
        }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs), cmocka_unit_test(test_many_reductions),
        cmocka_unit_test(test_rows_in_place), cmocka_unit_test(test_draws), cmocka_unit_test(test_draws_over_rows),
        cmocka_unit_test(test_fours), cmocka_unit_test(test_long_sums),
        cmocka_unit_test(expect_rest),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("forms of maps", tests, NULL, NULL);
}
