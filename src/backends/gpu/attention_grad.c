/* The gradients of attention: the weights are made again from L. A first launch leaves each query's do o in scratch,
 * what all its scores' gradients have in common; then a group has a tile of keys and goes along the queries, for dk and
 * dv, and in the last launch one of queries that goes along the keys, for dq. So no two groups add to the same number.
 * Where there are few keys, and so few groups that need a query's do o, these make it themselves, sooner than a launch
 * would have. */
#include "attention.h"
#include "plan.h"

#include "attention_parts_here_text.h"
#include "attention_parts_sum_text.h"
#include "attention_parts_text.h"
#include "attention_rows_text.h"
#include "attention_slopes_text.h"

enum { PARTS_THREADS = 256, FEW_KEYS = 64 };

static void add_load(gpu_words *w, const char *name, int type) {
    text means = { 0 };
    gpu_load(&means, type, "$1");
    gpu_word_printed(w, name, "%s", means.data ? means.data : "");
    text_free(&means);
}

void attention_part_loads(const attention *r, gpu_words *w) {
    add_load(w, "loado", r->operand[ATT_O].type);
    add_load(w, "loadgo", r->operand[ATT_GO].type);
}

void attention_declare_parts(attention *r) {
    gpu_print *g = r->g;
    if (r->parts_here) return;
    gpu_scratch(g, "row_parts", "float", 0);
    g->uses[g->n_uses - 1].written = false;  /* so that the last two launches need not wait for each other */
}

static const char leave_sum[] = "row_parts[number] = sum;";
static const char leave_pair[] = "float2 two; two.x = logs[number] * -1.44269504f; two.y = -sum / kept; "
                                 "row_parts[number] = two;";

void attention_print_parts(attention *r, bool pairs) {
    static const int used[] = { ATT_O, ATT_GO };
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    g->threads = MIN2(PARTS_THREADS, g->limits->threads);
    g->groups = ceil_div(r->a.batches * r->a.m, g->threads / 16);
    gpu_word_printed(&w, "threads", "%d", (int)g->threads);
    attention_part_loads(r, &w);
    text_add(&g->body, "{\nLOCAL_ARRAY(float, sums, %d);\nBEGIN\n", (int)g->threads);
    for (int i = 0; i < 2; i++) attention_declare(r, used[i]);
    if (pairs) attention_declare(r, ATT_L);
    if (pairs) attention_float(g, "kept", r->a.dropout ? r->a.kept : 1);
    gpu_word(&w, "leave", pairs ? leave_pair : leave_sum);
    gpu_scratch(g, "row_parts", pairs ? "float2" : "float", 0);
    gpu_declare(g, "uint", "m", r->a.m);
    gpu_declare(g, "uint", "e", r->a.e);
    gpu_declare(g, "uint", "total", r->a.batches * r->a.m);
    gpu_fill_in(g, &w, attention_parts_text);
    attention_batch(r, used, 2);
    gpu_fill_in(g, &w, attention_parts_sum_text);
}

static const char made[] = "part_of[x] = 0.0f;\n"
    "    for (uint way = 0; way < $ways; way++) part_of[x] += part_sums[way * $queries + $query];";
static const char found[] = "part_of[x] = row_parts[at];";

static gpu_words words_of(const attention *r) {
    const int queries = r->by_keys ? r->cols : r->rows;
    gpu_words w = { 0 };
    attention_words(r, &w);
    attention_part_loads(r, &w);
    gpu_word_printed(&w, "ways", "%d", r->threads / queries);
    gpu_word(&w, "part", r->parts_here ? made : found);
    return w;
}

/* The last operand is o, which is not used where do o is in scratch. */
static gpu_words begin(attention *r, const int *used, int count) {
    gpu_print *g = r->g;
    const int queries = r->by_keys ? r->tile->tc : r->tile->tr;
    attention_rooms(r, r->parts_here ? "part_sums" : NULL, r->threads);
    count -= !r->parts_here;
    for (int i = 0; i < count; i++) attention_declare(r, used[i]);
    attention_declare(r, ATT_L);
    attention_declare_parts(r);
    attention_place(r);
    attention_batch(r, used, count);
    attention_float(g, "scale", r->a.scale);
    attention_float(g, "factor", r->a.scale * 1.4426950408889634);
    text_add(&g->body, "float log_of[%d], part_of[%d];\n", queries, queries);
    return words_of(r);
}

/* The products of a tile: its scores, their gradients, and what is made of them. */
typedef struct products { attention_product scores, slopes, weigh[2]; int n_weigh; } products;

/* To the tile's D and its scores' gradients. */
static void print_slopes(attention *r, const gpu_words *w, products *p) {
    attention_begin_loop(r);
    if (r->early) {
        attention_fetch(r, &p->scores), attention_fetch(r, &p->slopes);
        for (int i = 0; i < p->n_weigh; i++) attention_fetch(r, &p->weigh[i]);
    }
    attention_masks(r);
    if (r->by_keys && r->parts_here) gpu_fill_in(r->g, w, attention_parts_here_text);
    attention_multiply(r, &p->scores);
    attention_multiply(r, &p->slopes);
    if (r->by_keys) gpu_fill_in(r->g, w, attention_rows_text);
    gpu_fill_in(r->g, w, attention_slopes_text);
}

static void print_keys(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DK, ATT_DV, ATT_O };
    gpu_words w = begin(r, used, 7);
    products p = {
        attention_scores(r, "scores", ATT_K, ATT_Q, " * factor", "_s"),
        attention_scores(r, "slopes", ATT_V, ATT_GO, "", "_t"),
        { attention_weigh(r, "sum_dv", ATT_GO, "_v"), attention_weigh(r, "sum_dk", ATT_Q, "_w") }, 2,
    };
    attention_zero(r, "sum_dk", attention_columns(r->tile, r->a.d));
    attention_zero(r, "sum_dv", attention_columns(r->tile, r->a.e));
    print_slopes(r, &w, &p);
    attention_weights(r, "scores");
    attention_multiply(r, &p.weigh[0]);
    text_add(&r->g->body, "SYNC;\n");
    attention_weights(r, "slopes");
    attention_multiply(r, &p.weigh[1]);
    text_add(&r->g->body, "}\n");
    attention_store(r, ATT_DK, "sum_dk", "scale");
    attention_store(r, ATT_DV, "sum_dv", "1.0f");
    text_add(&r->g->body, "}\n");
}

static void print_queries(attention *r) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DQ, ATT_O };
    gpu_words w = begin(r, used, 6);
    products p = {
        attention_scores(r, "scores", ATT_Q, ATT_K, " * factor", "_s"),
        attention_scores(r, "slopes", ATT_GO, ATT_V, "", "_t"), { attention_weigh(r, "sum_dq", ATT_K, "_w") }, 1,
    };
    if (r->parts_here) {
        gpu_fill_in(r->g, &w, attention_parts_here_text);
        text_add(&r->g->body, "SYNC;\n");
    }
    gpu_fill_in(r->g, &w, attention_rows_text);
    attention_zero(r, "sum_dq", attention_columns(r->tile, r->a.d));
    print_slopes(r, &w, &p);
    attention_weights(r, "slopes");
    attention_multiply(r, &p.weigh[0]);
    text_add(&r->g->body, "}\n");
    attention_store(r, ATT_DQ, "sum_dq", "scale");
    text_add(&r->g->body, "}\n");
}

bool attention_choose_grad(attention *r, bool by_keys) {
    r->by_keys = by_keys;
    return attention_choose(r, 2, r->a.d, by_keys ? r->a.e : 0);
}

void attention_print_grad(attention *r, int launch) {
    r->parts_here = r->a.n <= FEW_KEYS;
    if (attention_mma_whole(r, launch)) return;
    r->g->scratch_bytes = r->parts_here ? 0 : r->a.batches * r->a.m * (int64_t)sizeof(float);
    r->g->more = launch < 2;
    r->by_keys = launch == 1;
    if (launch == 0 && r->parts_here) return;
    if (launch == 0) attention_print_parts(r, false);
    else if (attention_mma_grad(r) || !attention_choose_grad(r, r->by_keys)) return;
    else if (r->by_keys) print_keys(r);
    else print_queries(r);
}
