/* The gradients of attention of 16-bit numbers on matrix units, by two passes. */
#include "attention_mma.h"

#include "attention_mma_across_text.h"
#include "attention_mma_ends_text.h"
#include "attention_mma_lines_text.h"
#include "attention_mma_logs_text.h"
#include "attention_mma_place_text.h"
#include "attention_mma_rows_text.h"
#include "attention_mma_slopes_text.h"

/* `by` makes of do o what is added to each score's gradient, in units of 1 / kept; `times` makes gradients of sums. */
void mma_grad_numbers(attention *r) {
    text_add(&r->g->body, "const float by = -1.0f / kept, times = scale * kept;\n");
}

static const char made[] = "float part = 0.0f;\n"
    "    #pragma unroll 8\n"
    "    for (uint c = way; inside && c < e; c += $ways)\n"
    "        part = FMA($loado(o[(i64)query * across_o + c]), $loadgo(go[(i64)query * across_go + c]), part);\n"
    "    if ($ways > 1) part += SHUFFLE_XOR(part, 1);\n"
    "    if ($ways > 2) part += SHUFFLE_XOR(part, 2);";
static const char found[] = "const float part = inside && way == 0 ? row_parts[entry * m + query] : 0.0f;";

void mma_start_queries(attention *r, const int *cols) {
    gpu_words w = mma_words(r, cols[0]);
    attention_part_loads(r, &w);
    gpu_word_count(&w, "ways", r->threads / r->cols);
    gpu_word(&w, "part", r->parts_here ? made : found);
    for (int i = 0; i < 2; i++) mma_start(r, cols[i], r->cols, "m");
    gpu_fill_in(r->g, &w, attention_mma_rows_text);
}

static void start_keys(attention *r, const int *cols) {
    for (int i = 0; i < 2; i++) mma_start(r, cols[i], r->cols, "n");
}

static void begin(attention *r, const int *used, int count, const int *cols, const int *own) {
    gpu_words w = mma_each_words(r);
    mma_open(r, used, count, cols);
    attention_declare_parts(r);
    if (r->bits) attention_declare_bits(r, false);
    mma_grad_numbers(r);
    gpu_fill_in(r->g, &w, attention_mma_place_text);
    attention_batch(r, used, count);
    for (int i = 0; i < 2; i++) mma_place(r, cols[i], r->cols);
    for (int i = 0; i < 2; i++) mma_own(r, own[i]);
}

static void start_masked_queries(attention *r, const int *cols) {
    mma_start_queries(r, cols);
    mma_start_bits(r);
}

static void print_keys(attention *r, const int *used, int count) {
    static const int own[] = { ATT_K, ATT_V }, cols[] = { ATT_Q, ATT_GO };
    gpu_words w = mma_each_words(r);
    begin(r, used, count, cols, own);
    mma_zero(r, "sum_dk", (int)mma_padded(r, ATT_DK));
    mma_zero(r, "sum_dv", (int)mma_padded(r, ATT_DV));
    mma_begin_loop(r, cols, start_masked_queries);
    mma_scores(r, "scores", ATT_K, ATT_Q);
    mma_scores(r, "slopes", ATT_V, ATT_GO);
    gpu_fill_in(r->g, &w, attention_mma_across_text);
    mma_weigh(r, "sum_dv", "scores", ATT_GO, false);
    mma_weigh(r, "sum_dk", "slopes", ATT_Q, false);
    mma_end_loop(r);
    mma_store(r, ATT_DK, "sum_dk", "times");
    mma_store(r, ATT_DV, "sum_dv", "kept");
}

static const char row_made[] = "float part = 0.0f;\n"
    "    #pragma unroll 8\n"
    "    for (uint c = lane % 4; c < e; c += 4)\n"
    "        part = FMA($loado(o[(i64)query * across_o + c]), $loadgo(go[(i64)query * across_go + c]), part);\n"
    "    part += SHUFFLE_XOR(part, 1);\n"
    "    part_of[h] = part + SHUFFLE_XOR(part, 2);";
static const char row_found[] = "part_of[h] = row_parts[entry * m + query];";

static void print_queries(attention *r, const int *used, int count) {
    static const int own[] = { ATT_Q, ATT_GO }, cols[] = { ATT_K, ATT_V };
    gpu_words w = mma_each_words(r);
    begin(r, used, count, cols, own);
    attention_part_loads(r, &w);
    gpu_word(&w, "makepart", r->parts_here ? row_made : row_found);
    gpu_fill_in(r->g, &w, attention_mma_logs_text);
    if (r->bits) gpu_fill_in(r->g, &w, attention_mma_lines_text);
    mma_zero(r, "sum_dq", (int)mma_padded(r, ATT_DQ));
    mma_begin_loop(r, cols, start_keys);
    mma_scores(r, "scores", ATT_Q, ATT_K);
    mma_scores(r, "slopes", ATT_GO, ATT_V);
    gpu_fill_in(r->g, &w, attention_mma_ends_text);
    gpu_fill_in(r->g, &w, attention_mma_slopes_text);
    mma_weigh(r, "sum_dq", "slopes", ATT_K, false);
    mma_end_loop(r);
    mma_store(r, ATT_DQ, "sum_dq", "times");
}

bool attention_mma_grad(attention *r) {
    /* The last is used only where do o is made here, and then a number at a time. */
    static const int keys[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DK, ATT_DV, ATT_O },
                     queries[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DQ, ATT_O };
    const int *used = r->by_keys ? keys : queries, count = r->by_keys ? 6 : 5;
    if (!mma_suits(r, used, count) || !mma_choose(r, 2, r->a.d, r->by_keys ? r->a.e : 0)) return false;
    r->bits = attention_has_bits(r) && (r->by_keys ? r->rows : r->cols) >= MMA_WORD;
    if (r->by_keys) print_keys(r, used, count + r->parts_here);
    else print_queries(r, used, count + r->parts_here);
    text_add(&r->g->body, "}\n");
    return true;
}
