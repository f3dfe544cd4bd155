/* Sums of partials, rows by index, running sums. */
#include <math.h>

#include "ref.h"

/* The part of `outer` (FOLD: of `inner`) that belongs to the task, and the operands. */
typedef struct part {
    const flat_index *ix;
    const flat_operand *o;
    char *p[4];
    int64_t first, last;
} part;

static ref_value add(int type, ref_value a, ref_value b) {
    ref_value pair[2] = { a, b };
    int reg = type == TIDE_F16 || type == TIDE_BF16 ? TIDE_F32 : type;
    return ref_scalar(S_ADD, reg, reg, pair);
}

/* A long sum of floats goes on in F64 and is rounded where it is stored: in F32 ones would stop counting at 2^24. */
static ref_value add_wide(int type, ref_value sum, ref_value more) {
    bool real = type != TIDE_I32 && type != TIDE_I64 && type != TIDE_U8 && type != TIDE_BOOL;
    return real ? (ref_value){ .f = sum.f + more.f } : add(type, sum, more);
}

static void fold(const part *t) {
    const flat_index *ix = t->ix;
    int type = t->o[0].type;
    for (int64_t i = t->first; i < t->last; i++) {
        ref_value sum = { 0 };
        for (int64_t j = 0; j < ix->n; j++) sum = add_wide(type, sum, ref_load(type, t->p[0], j * ix->inner + i));
        ref_store(t->o[1].type, t->p[1], i, sum);
    }
}

static void copy_or_blank(int type, void *out, int64_t to, const void *x, int64_t from, bool inside) {
    bool real = type != TIDE_I32 && type != TIDE_I64 && type != TIDE_U8 && type != TIDE_BOOL;
    ref_value blank = real ? (ref_value){ .f = NAN } : (ref_value){ .i = 0 };
    ref_store(type, out, to, inside ? ref_load(type, x, from) : blank);
}

static void gather(const part *t) {
    const flat_index *ix = t->ix;
    for (int64_t o = t->first; o < t->last; o++)
        for (int64_t j = 0; j < ix->count; j++) {
            int64_t from = ref_load(TIDE_I32, t->p[1], j).i;
            for (int64_t i = 0; i < ix->inner; i++)
                copy_or_blank(t->o[0].type, t->p[2], (o * ix->count + j) * ix->inner + i, t->p[0],
                              (o * ix->n + from) * ix->inner + i, from >= 0 && from < ix->n);
        }
}

static void take_along(const part *t) {
    const flat_index *ix = t->ix;
    for (int64_t o = t->first; o < t->last; o++)
        for (int64_t j = 0; j < ix->count; j++)
            for (int64_t i = 0; i < ix->inner; i++) {
                int64_t at = (o * ix->count + j) * ix->inner + i, from = ref_load(TIDE_I32, t->p[1], at).i;
                copy_or_blank(t->o[0].type, t->p[2], at, t->p[0], (o * ix->n + from) * ix->inner + i,
                              from >= 0 && from < ix->n);
            }
}

static void accumulate(int type, void *out, int64_t to, const void *rows, int64_t from) {
    ref_store(type, out, to, add(type, ref_load(type, out, to), ref_load(type, rows, from)));
}

static void scatter_add(const part *t) {
    const flat_index *ix = t->ix;
    int type = t->o[3].type;
    int64_t each = ix->n * ix->inner, bytes = each * (int64_t)tide_dtype_size(t->o[3].type);
    if (t->p[3] != t->p[0])
        memcpy(t->p[3] + t->first * bytes, t->p[0] + t->first * bytes, (size_t)((t->last - t->first) * bytes));
    for (int64_t o = t->first; o < t->last; o++)
        for (int64_t j = 0; j < ix->count; j++) {
            int64_t to = ref_load(TIDE_I32, t->p[1], j).i;
            if (to < 0 || to >= ix->n) continue;
            for (int64_t i = 0; i < ix->inner; i++)
                accumulate(type, t->p[3], (o * ix->n + to) * ix->inner + i, t->p[2],
                           (o * ix->count + j) * ix->inner + i);
        }
}

static void put_along_add(const part *t) {
    const flat_index *ix = t->ix;
    int type = t->o[2].type;
    int64_t bytes = ix->n * ix->inner * (int64_t)tide_dtype_size(t->o[2].type);
    memset(t->p[2] + t->first * bytes, 0, (size_t)((t->last - t->first) * bytes));
    for (int64_t o = t->first; o < t->last; o++)
        for (int64_t j = 0; j < ix->count; j++)
            for (int64_t i = 0; i < ix->inner; i++) {
                int64_t from = (o * ix->count + j) * ix->inner + i, to = ref_load(TIDE_I32, t->p[0], from).i;
                if (to >= 0 && to < ix->n) accumulate(type, t->p[2], (o * ix->n + to) * ix->inner + i, t->p[1], from);
            }
}

static void cumsum(const part *t) {
    const flat_index *ix = t->ix;
    int type = t->o[0].type;
    for (int64_t o = t->first; o < t->last; o++)
        for (int64_t i = 0; i < ix->inner; i++) {
            ref_value sum = { 0 };
            for (int64_t j = 0; j < ix->n; j++) {
                int64_t at = (o * ix->n + (ix->flag ? ix->n - 1 - j : j)) * ix->inner + i;
                sum = add_wide(type, sum, ref_load(type, t->p[0], at));
                ref_store(t->o[1].type, t->p[1], at, sum);
            }
        }
}

void ref_index(const ref_run *r, const flat_kernel *k, int64_t task) {
    static void (*const kernels[])(const part *) = {
        [FLAT_FOLD] = fold, [FLAT_GATHER] = gather, [FLAT_SCATTER_ADD] = scatter_add, [FLAT_TAKE_ALONG] = take_along,
        [FLAT_PUT_ALONG_ADD] = put_along_add, [FLAT_CUMSUM] = cumsum,
    };
    const flat_index *ix = &k->index;
    int64_t size = k->kind == FLAT_FOLD ? ix->inner : ix->outer;
    part t = { .ix = ix, .o = k->operands, .first = task * ix->per_task,
               .last = MIN2(size, (task + 1) * ix->per_task) };
    for (int i = 0; i < k->n_operands && i < 4; i++) t.p[i] = ref_data(r, &k->operands[i]);
    kernels[k->kind](&t);
}
