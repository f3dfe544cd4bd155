/* Attention and its gradients as texts, on the make-believe GPU against ref: sizes that meet each tile, whole and with
 * ends, operands that are loaded by fours and one by one, masks, and what is no number. */
#include "../flat_check.h"
#include "backends/gpu/plan.h"
#include "backends/ref/ref.h"

#include <math.h>
#include <stdio.h>

/* How matrices lie: one after the other; rows of all heads side by side; rows with gaps of each alignment; one matrix
 * for all of a batch dimension. */
enum { APART, HEADS, ODD_GAPS, EVEN_GAPS, SHARED, LAYOUTS };

typedef struct sized { int64_t m, n, d, e, batch[2]; } sized;

static int add_matrix(builder *b, flat_kernel *k, tide_dtype type, const int64_t *batch, int64_t rows, int64_t cols,
                      int layout, bool output) {
    const int64_t gap = layout == ODD_GAPS ? 3 : layout == EVEN_GAPS ? 8 : 0, row = cols + gap, all = rows * row;
    int64_t strides[TIDE_MAX_DIMS] = { batch[1] * all, all, row, 1 };
    if (layout == HEADS) strides[1] = row, strides[2] = batch[1] * row;
    if (layout == SHARED) strides[1] = 0;
    int buffer = add_buffer(b, type, batch[0] * batch[1] * all + gap, output);
    k->operands[add_operand(b, k, buffer, strides)].offset = gap;
    return buffer;
}

static void again(builder *b, flat_kernel *k, const flat_kernel *from, int operand) {
    const flat_operand *o = &from->operands[operand];
    k->operands[add_operand(b, k, o->buffer, o->stride)].offset = o->offset;
}

static void fill_below(builder *b, int buffer, double most) {
    int64_t n = b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
    for (int64_t i = 0; i < n; i++)
        ref_store(b->types[buffer], initial_of(b, buffer), i, (ref_value){ .f = (random_unit() * 2 - 1) * most });
}

typedef struct options {
    tide_dtype type, result;
    int    layout[7];
    bool   dropout, offset, bits, specials;
    double p;  /* of dropout */
} options;

static void add_counters(builder *b, flat_kernel *k, int step, int offset, int bits) {
    if (step >= 0) add_operand(b, k, step, NULL);
    if (offset >= 0) add_operand(b, k, offset, NULL);
    if (bits >= 0) add_operand(b, k, bits, NULL);
}

/* Forward, and the gradients of what it leaves. */
static void declare(builder *b, const sized *s, const options *o) {
    const int64_t batches = s->batch[0] * s->batch[1];
    flat_attention a = { .m = s->m, .n = s->n, .d = s->d, .e = s->e, .batches = batches, .batch_ndim = 2,
                         .batch = { s->batch[0], s->batch[1] }, .scale = 1 / sqrt((double)s->d), .dropout = o->dropout,
                         .threshold = o->p, .kept = 1 / (1 - o->p), .site = 7,
                         .bits = o->dropout && o->bits };
    a.per_sample = o->offset ? 2 * s->n : s->batch[1] * s->m * s->n;
    build_begin(b);
    flat_kernel *k = add_kernel(b, FLAT_ATTENTION, "attention", 1);
    k->attention = a;
    add_matrix(b, k, o->type, s->batch, s->m, s->d, o->layout[0], false);
    add_matrix(b, k, o->type, s->batch, s->n, s->d, o->layout[1], false);
    add_matrix(b, k, o->type, s->batch, s->n, s->e, o->layout[2], false);
    add_matrix(b, k, o->result, s->batch, s->m, s->e, o->layout[3], true);
    add_operand(b, k, add_buffer(b, TIDE_F32, batches * s->m, true), NULL);
    int step = o->dropout ? add_buffer(b, TIDE_I32, 1, false) : -1;
    int offset = o->offset ? add_buffer(b, TIDE_I32, 1, false) : -1;
    int bits = a.bits ? add_buffer(b, TIDE_I32, flat_attention_bits(&a), true) : -1;
    if (a.bits) b->is_scratch[bits] = true;
    add_counters(b, k, step, offset, bits);
    flat_kernel *g = add_kernel(b, FLAT_ATTENTION_GRAD, "attention grad", 1);
    g->attention = a;
    for (int i = 0; i < 5; i++) again(b, g, k, i);
    add_matrix(b, g, o->result, s->batch, s->m, s->e, o->layout[0], false);
    add_matrix(b, g, o->result, s->batch, s->m, s->d, o->layout[4], true);
    add_matrix(b, g, o->result, s->batch, s->n, s->d, o->layout[5], true);
    add_matrix(b, g, o->result, s->batch, s->n, s->e, o->layout[6], true);
    add_counters(b, g, step, offset, bits);
}

static void put_special(builder *b, int operand, double number) {
    const int buffer = b->operands[0][operand].buffer;
    int64_t n = b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
    if (n)
        ref_store(b->types[buffer], initial_of(b, buffer), (int64_t)(random_bits() % (uint64_t)n),
                  (ref_value){ .f = number });
}

typedef enum units { ANY, HALVES, FLOATS } units;

/* The first variants have the usual layouts; halves, or floats, lie so that matrix units can have them. */
static options random_options(int variant, units kind) {
    options o = { .type = TIDE_F32, .result = TIDE_F32, .dropout = variant % 2, .offset = variant % 4 == 3, .p = 0.3 };
    for (int i = 0; i < 7; i++) o.layout[i] = (int)(random_bits() % (i < 3 ? LAYOUTS : SHARED));
    if (variant < 2) memset(o.layout, 0, sizeof o.layout);
    if (kind == HALVES || (kind == ANY && variant > 1 && random_bits() % 2))
        o.type = random_bits() % 2 ? TIDE_BF16 : TIDE_F16;
    for (int i = 0; i < 7 && kind; i++) o.layout[i] = o.layout[i] == ODD_GAPS ? HEADS : o.layout[i];
    o.specials = variant == 4, o.bits = o.type != TIDE_F32 || kind == FLOATS;
    return o;
}

static void try_size(const sized *s, const options *o) {
    builder b;
    char what[128];
    declare(&b, s, o);
    finish(&b);
    for (int i = 0; i < 3; i++) fill_below(&b, b.operands[0][i].buffer, 2);
    fill_below(&b, b.operands[1][5].buffer, 1);
    if (o->specials) put_special(&b, 0, NAN);
    if (o->specials && (o->type != TIDE_F32 || MIN2(s->m, s->n) <= 64)) { /* units make NaN of these */
        put_special(&b, 1, INFINITY);
        put_special(&b, 2, -INFINITY);
    }
    snprintf(what, sizeof what, "%s %dx%d of %d, %d, %dx%d, layouts %d%d%d%d%d%d%d%s%s", tide_dtype_name(o->type),
             (int)s->m, (int)s->n, (int)s->d, (int)s->e, (int)s->batch[0], (int)s->batch[1], o->layout[0],
             o->layout[1], o->layout[2], o->layout[3], o->layout[4], o->layout[5], o->layout[6],
             o->dropout ? ", dropout" : "", o->specials ? ", specials" : "");
    /* Sums of weights that are 1 together, or of as many numbers below 10 as there are queries. Matrix units take
     * weights of 8 bits and their gradients of 11. */
    const double one = o->type == TIDE_F32 ? 1e-6 : o->type == TIDE_F16 ? 1e-3 : 8e-3;
    expect_like_ref(&b, 10 * one, one * (2 + 0.1 * (double)s->m), what);
    build_free(&b);
}

/* The last ones have enough groups for the largest tile. */
static const sized sizes[] = {
    { 1, 1, 1, 1, { 1, 1 } },       { 11, 11, 32, 32, { 4, 3 } }, { 16, 16, 16, 16, { 2, 1 } },
    { 17, 33, 20, 7, { 1, 2 } },    { 5, 70, 64, 64, { 1, 2 } },  { 70, 3, 64, 40, { 2, 1 } },
    { 37, 45, 128, 128, { 1, 1 } }, { 33, 65, 24, 100, { 2, 1 } }, { 65, 66, 8, 8, { 1, 67 } },
    { 66, 67, 5, 4, { 2, 34 } },    { 12, 90, 33, 16, { 1, 1 } },
};
static const sized for_units[] = {
    { 11, 11, 32, 32, { 4, 3 } }, { 64, 64, 16, 16, { 1, 2 } },   { 50, 41, 32, 24, { 2, 2 } },
    { 5, 80, 8, 16, { 1, 3 } },   { 33, 70, 64, 64, { 1, 1 } },   { 90, 100, 128, 112, { 1, 1 } },
    { 70, 9, 40, 8, { 2, 1 } },   { 65, 130, 16, 8, { 1, 67 } },  { 66, 64, 16, 16, { 2, 34 } },
};
static const sized for_floats[] = {
    { 65, 70, 64, 64, { 1, 2 } }, { 90, 100, 32, 20, { 1, 1 } }, { 65, 130, 16, 8, { 1, 67 } },
    { 66, 67, 12, 36, { 2, 34 } }, { 130, 65, 48, 64, { 1, 1 } }, { 70, 70, 128, 112, { 1, 1 } },
};
/* With so many entries that a group takes a whole one, of one tile of keys and of more. */
static const sized for_whole[] = {
    { 20, 130, 32, 24, { 3, 31 } }, { 20, 30, 16, 32, { 2, 2 } }, { 70, 66, 64, 64, { 1, 93 } },
    { 66, 131, 32, 48, { 1, 94 } },
};
enum { SIZES = sizeof sizes / sizeof *sizes, UNITS = sizeof for_units / sizeof *for_units,
       FLOATS_COUNT = sizeof for_floats / sizeof *for_floats, VARIANTS = 5 };

static void try_all(const sized *all, size_t count, units kind) {
    for (size_t i = 0; i < count; i++)
        for (int variant = 0; variant < VARIANTS; variant++) {
            options o = random_options(variant, kind);
            try_size(&all[i], &o);
        }
    expect_rest(NULL);
}

static void test_sizes(void **unused) {
    (void)unused;
    try_all(sizes, SIZES, ANY);
}

static void test_matrix_units(void **unused) {
    (void)unused;
    try_all(for_units, UNITS, HALVES);
}

static void test_units_of_floats(void **unused) {
    (void)unused;
    try_all(for_floats, FLOATS_COUNT, FLOATS);
}

static void test_whole(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof for_whole / sizeof *for_whole; i++)
        for (int variant = 3; variant > 0; variant--) {
            options o = random_options(variant, HALVES);
            o.bits = variant == 3, o.p = i % 2 ? 0.3 : 0.6;
            try_size(&for_whole[i], &o);
        }
    expect_rest(NULL);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_sizes), cmocka_unit_test(test_matrix_units),
        cmocka_unit_test(test_units_of_floats),         cmocka_unit_test(expect_rest),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("gpu attention", tests, NULL, NULL);
}
