/* Attention without the matrix of scores: a group has a tile of queries and goes along the keys, with the greatest
 * score and the sum of each row as they are so far (Milakov and Gimelshein 2018, Dao et al. 2022). Scores are in units
 * of log 2, so that weights are powers of two. */
#include "attention.h"
#include "plan.h"

#include "attention_softmax_text.h"
#include "attention_total_text.h"

#include <stdio.h>

enum { MOST_HEAD = 128, MOST_SIZE = INT32_MAX / 2 };
static const double LOG2_E = 1.4426950408889634;

/* Why there is no text for attention of such sizes; NULL: there is one. */
static const char *lacking(const flat_attention *a) {
    if (a->d < 1 || a->e < 1 || MAX2(a->d, a->e) > MOST_HEAD) return "attention with heads of more than 128 numbers";
    if (MAX2(a->m, a->n) > MOST_SIZE || a->batches * a->m > MOST_SIZE) return "attention of sizes beyond 32 bits";
    if (a->dropout && a->n && (a->per_sample % a->n || a->per_sample > UINT32_MAX))
        return "attention under a mask whose rows are in more than one sample";
    return NULL;
}

/* Sets the tile of a pass over such attention. */
static bool choose_forward(attention *r) { return attention_choose(r, 1, r->a.e, 0); }

/* Whether forward and backward both have tiles: who prints one will print the other. */
static bool all_fit(attention r) {
    return choose_forward(&r) && attention_choose_grad(&r, true) && attention_choose_grad(&r, false);
}

static void print_forward(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_O };
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    const int columns = attention_columns(r->tile, r->a.e);
    attention_rooms(r, "of_row", r->rows);
    for (int i = 0; i < 4; i++) attention_declare(r, used[i]);
    attention_declare(r, ATT_L);
    attention_place(r);
    attention_batch(r, used, 4);
    attention_float(g, "factor", r->a.scale * LOG2_E);
    attention_words(r, &w);
    gpu_word_printed(&w, "tn", "%d", columns);
    attention_product scores = attention_scores(r, "scores", ATT_Q, ATT_K, " * factor", "_s"),
                      weigh = attention_weigh(r, "sum_o", ATT_V, "_w");
    attention_zero(r, "sum_o", columns);
    text_add(&g->body, "float top[%d], total[%d];\n#pragma unroll\n"
             "for (uint i = 0; i < %d; i++) top[i] = -3.0e38f, total[i] = 0.0f;\n", r->tile->tr, r->tile->tr,
             r->tile->tr);
    attention_begin_loop(r);
    if (r->early) attention_fetch(r, &scores), attention_fetch(r, &weigh);
    attention_masks(r);
    attention_multiply(r, &scores);
    attention_fetch(r, &weigh);
    gpu_fill_in(g, &w, attention_softmax_text);
    attention_weights(r, "scores");
    attention_multiply(r, &weigh);
    text_add(&g->body, "}\n");
    gpu_fill_in(g, &w, attention_total_text);
    attention_store(r, ATT_O, "sum_o", "total[i]");
    text_add(&g->body, "}\n");
}

/* Unsigned, so that a compiler does not make it a pointer for each load. */
static attention begin(gpu_print *g) {
    attention r = { .g = g, .index = strcmp(gpu_index_type(g->program, g->kernel), "int") ? "i64" : "uint" };
    attention_merge_batch(&r);
    r.a.dropout &= r.a.n > 0;
    for (int i = 0; i < ATT_OPERANDS; i++)
        if (r.operand[i].stride[r.a.batch_ndim] < 0) r.index = "i64";
    return r;
}

void gpu_print_attention(gpu_print *g, int launch) {
    const flat_attention *a = &g->kernel->attention;
    if (a->batches == 0 || (a->m == 0 && (g->kernel->kind == FLAT_ATTENTION || a->n == 0))) return;
    g->lacks = lacking(a);
    if (g->lacks) return;
    attention r = begin(g);
    if (!all_fit(r)) g->lacks = "attention in groups as small as the device's";
    else if (g->kernel->kind == FLAT_ATTENTION_GRAD) attention_print_grad(&r, launch);
    else if (launch == 0 && attention_has_bits(&r)) g->more = true, attention_print_draws(&r);
    else if (!attention_mma_forward(&r) && choose_forward(&r)) print_forward(&r);
}

bool gpu_keeps_attention(const flat_attention *a, tide_dtype type, const gpu_limits *limits) {
    gpu_print g = { .limits = limits };
    bool floats = type == TIDE_F32 || type == TIDE_BF16 || type == TIDE_F16;
    return floats && !lacking(a) && all_fit((attention){ .g = &g, .a = *a });
}
