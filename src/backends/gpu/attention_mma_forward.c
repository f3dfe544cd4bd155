/* Attention of 16-bit numbers on matrix units: a group has a tile of queries and goes along the keys. */
#include "attention_mma.h"

#include "attention_mma_ends_text.h"
#include "attention_mma_lines_text.h"
#include "attention_mma_place_text.h"
#include "attention_mma_softmax_text.h"
#include "attention_mma_total_text.h"

static void start_keys(attention *r, const int *cols) {
    for (int i = 0; i < 2; i++) mma_start(r, cols[i], r->cols, "n");
}

static void print(attention *r, const int *used) {
    static const int cols[] = { ATT_K, ATT_V };
    gpu_print *g = r->g;
    gpu_words w = mma_each_words(r);
    gpu_word_count(&w, "tiles", mma_padded(r, ATT_V) / 8);
    mma_open(r, used, 4, cols);
    if (r->bits) attention_declare_bits(r, false);
    gpu_fill_in(g, &w, attention_mma_place_text);
    attention_batch(r, used, 4);
    for (int i = 0; i < 2; i++) mma_place(r, cols[i], r->cols);
    mma_own(r, ATT_Q);
    if (r->bits) gpu_fill_in(g, &w, attention_mma_lines_text);
    mma_zero(r, "sum_o", (int)mma_padded(r, ATT_O));
    text_add(&g->body, "float top[2], total[2];\ntop[0] = top[1] = -1.0e30f;\ntotal[0] = total[1] = 0.0f;\n");
    mma_begin_loop(r, cols, start_keys);
    mma_scores(r, "scores", ATT_Q, ATT_K);
    gpu_fill_in(g, &w, attention_mma_ends_text);
    gpu_fill_in(g, &w, attention_mma_softmax_text);
    mma_weigh(r, "sum_o", "scores", ATT_V, r->a.dropout);
    mma_end_loop(r);
    gpu_fill_in(g, &w, attention_mma_total_text);
    mma_store(r, ATT_O, "sum_o", "total[h]");
    text_add(&g->body, "}\n");
}

bool attention_mma_forward(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_O };
    if (!mma_suits(r, used, 4) || !mma_choose(r, 1, r->a.e, 0)) return false;
    r->bits = attention_has_bits(r) && r->cols >= MMA_WORD;
    print(r, used);
    return true;
}
