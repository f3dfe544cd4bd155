/* The gradients of attention: the weights are made again from L. A first launch leaves each query's do o in scratch,
 * what all its scores' gradients have in common; then a group has a tile of keys and goes along the queries, for dk and
 * dv, and then one of queries that goes along the keys, for dq. So no two groups add to the same number. */
#include "attention.h"
#include "plan.h"

#include "attention_parts_sum_text.h"
#include "attention_parts_text.h"
#include "attention_rows_text.h"
#include "attention_slopes_text.h"

enum { PARTS_THREADS = 256 };

static void add_load(gpu_words *w, const char *name, int type) {
    text means = { 0 };
    gpu_load(&means, type, "$1");
    gpu_word_printed(w, name, "%s", means.data ? means.data : "");
    text_free(&means);
}

static void print_parts(attention *r) {
    static const int used[] = { ATT_O, ATT_GO };
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    g->threads = MIN2(PARTS_THREADS, g->limits->threads);
    g->groups = ceil_div(r->a.batches * r->a.m, g->threads / 16);
    gpu_word_printed(&w, "threads", "%d", (int)g->threads);
    add_load(&w, "loado", r->operand[ATT_O].type);
    add_load(&w, "loadgo", r->operand[ATT_GO].type);
    text_add(&g->body, "{\nLOCAL_ARRAY(float, sums, %d);\nBEGIN\n", (int)g->threads);
    for (int i = 0; i < 2; i++) attention_declare(r, used[i]);
    gpu_scratch(g, "row_parts", "float", 0);
    gpu_declare(g, "uint", "m", r->a.m);
    gpu_declare(g, "uint", "e", r->a.e);
    gpu_declare(g, "uint", "total", r->a.batches * r->a.m);
    gpu_fill_in(g, &w, attention_parts_text);
    attention_batch(r, used, 2);
    gpu_fill_in(g, &w, attention_parts_sum_text);
}

/* What a tile's queries have of scratch and of L, its scores and their gradients. */
static void print_scores(attention *r, const gpu_words *w) {
    text *out = &r->g->body;
    text_add(out, "const uint rest = other - first_col < %d ? other - first_col : %d;\n", r->tile->cols, r->tile->cols);
    attention_masks(r);
    attention_scores(r, "scores", r->by_keys ? ATT_K : ATT_Q, r->by_keys ? ATT_Q : ATT_K, " * factor");
    attention_scores(r, "slopes", r->by_keys ? ATT_V : ATT_GO, r->by_keys ? ATT_GO : ATT_V, "");
    if (r->by_keys) gpu_fill_in(r->g, w, attention_rows_text);
    gpu_fill_in(r->g, w, attention_slopes_text);
}

static gpu_words begin(attention *r, const int *used, int count) {
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    attention_rooms(r, false);
    for (int i = 0; i < count; i++) attention_declare(r, used[i]);
    attention_declare(r, ATT_L);
    gpu_scratch(g, "row_parts", "float", 0);
    g->uses[g->n_uses - 1].written = false;  /* so that the last two launches need not wait for each other */
    attention_place(r);
    attention_batch(r, used, count);
    attention_float(g, "scale", r->a.scale);
    attention_float(g, "factor", r->a.scale * 1.4426950408889634);
    attention_words(r, &w);
    text_add(&g->body, "float log_of[%d], part_of[%d];\n", r->by_keys ? r->tile->tc : r->tile->tr,
             r->by_keys ? r->tile->tc : r->tile->tr);
    return w;
}

static void begin_loop(attention *r) {
    text_add(&r->g->body, "for (uint first_col = 0; first_col < other; first_col += %d) {\n", r->tile->cols);
}

static void print_keys(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DK, ATT_DV };
    gpu_words w = begin(r, used, 6);
    attention_zero(r, "sum_dk", attention_columns(r->tile, r->a.d));
    attention_zero(r, "sum_dv", attention_columns(r->tile, r->a.e));
    begin_loop(r);
    print_scores(r, &w);
    attention_weights(r, "scores");
    attention_weigh(r, "sum_dv", ATT_GO);
    text_add(&r->g->body, "SYNC;\n");
    attention_weights(r, "slopes");
    attention_weigh(r, "sum_dk", ATT_Q);
    text_add(&r->g->body, "}\n");
    attention_store(r, ATT_DK, "sum_dk", "scale");
    attention_store(r, ATT_DV, "sum_dv", "1.0f");
    text_add(&r->g->body, "}\n");
}

static void print_queries(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DQ };
    gpu_words w = begin(r, used, 5);
    gpu_fill_in(r->g, &w, attention_rows_text);
    attention_zero(r, "sum_dq", attention_columns(r->tile, r->a.d));
    begin_loop(r);
    print_scores(r, &w);
    attention_weights(r, "slopes");
    attention_weigh(r, "sum_dq", ATT_K);
    text_add(&r->g->body, "}\n");
    attention_store(r, ATT_DQ, "sum_dq", "scale");
    text_add(&r->g->body, "}\n");
}

bool attention_choose_grad(attention *r, bool by_keys) {
    r->by_keys = by_keys;
    return attention_choose(r, 2, r->a.d, by_keys ? r->a.e : 0);
}

void attention_print_grad(attention *r, int launch) {
    r->g->scratch_bytes = r->a.batches * r->a.m * (int64_t)sizeof(float);
    r->g->more = launch < 2;
    if (launch == 0) print_parts(r);
    else if (!attention_choose_grad(r, launch == 1)) return;
    else if (r->by_keys) print_keys(r);
    else print_queries(r);
}
