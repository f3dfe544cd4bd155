/* The gradients of attention of 16-bit numbers on matrix units, by one pass: a group has an entry of the batch and goes
 * along its keys by tiles, for each of which it goes along the queries. So scores are made once, and as no other group
 * adds to the entry's dq, it is summed in order, in memory where there is more than one tile of keys. A warp has
 * sixteen keys of a tile; for dq, which is what all warps have made of a tile of queries, it has sixteen queries and
 * some columns, one tile later, so that the group meets once a tile. */
#include "attention_mma.h"

#include "attention_mma_across_text.h"
#include "attention_whole_ends_text.h"
#include "attention_whole_keep_text.h"
#include "attention_whole_leave_text.h"
#include "attention_whole_place_text.h"
#include "attention_whole_queries_text.h"
#include "attention_whole_rows_text.h"
#include "attention_whole_store_text.h"
#include "attention_whole_take_text.h"

/* The first whose rows are all keys, else the last. */
static const struct { int warps, cols; } tiles[] = { { 1, 16 }, { 2, 32 }, { 4, 64 }, { 8, 64 } };

enum { PROCESSORS = 132, WARPS = 8 /* of a multiprocessor */, MOST_REGISTERS = 176, SCRATCH_LINE = 256,
       FEW_REGISTERS = 64, AT_ONCE = 16 };
static const double least_filled = 0.7;  /* of the device, on average */

/* ---- whether, and which tile --------------------------------------------------------------------------- */

/* Of dq: rows of sixteen in a tile, and columns of a warp. */
static int high_of(const attention *r) { return r->cols / 16; }
static int64_t wide_of(const attention *r) { return mma_padded(r, ATT_DQ) * high_of(r) / (r->threads / 32); }
static bool has_parts(const attention *r) { return r->a.n > r->rows; }

/* Groups of a warp that need few registers are bound to do with so few that a device has more of them at once. */
static int32_t groups_at_once(const attention *r) {
    const bool few = r->threads == 32 && mma_registers(r, r->cols, 2, r->a.d, r->a.e) <= FEW_REGISTERS;
    return few ? AT_ONCE : 0;
}

static const int cols_of[] = { ATT_Q, ATT_GO };

/* A group has an entry: there must be enough of them. */
static bool fills(const attention *r) {
    const int64_t places = (int64_t)PROCESSORS * WARPS / (r->threads / 32);
    const double rounds = (double)r->a.batches / (double)places;
    return r->a.m * r->a.n <= r->rows * r->cols || rounds >= least_filled * (double)ceil_div(r->a.batches, places);
}

static bool choose(attention *r) {
    const gpu_limits *limits = r->g->limits;
    int i = 0, last = sizeof tiles / sizeof *tiles - 1;
    while (i < last && 16 * tiles[i].warps < r->a.n) i++;
    r->by_keys = r->whole = true;
    r->rows = 16 * tiles[i].warps, r->cols = tiles[i].cols, r->threads = 32 * tiles[i].warps;
    r->bits = attention_has_bits(r) && r->rows >= MMA_WORD;
    return r->threads <= limits->threads && mma_bytes(r, cols_of) <= MAX2(limits->local_bytes, limits->room_bytes) &&
           mma_registers(r, r->cols, 2, r->a.d, r->a.e) + wide_of(r) / 2 <= MOST_REGISTERS && wide_of(r) % 16 == 0 &&
           fills(r);
}

/* ---- scratch: what is known of each query, dq as far as it is ------------------------------------------- */

static int64_t rows_bytes(const attention *r) {
    return r->parts_here ? 0 : round_up(r->a.batches * r->a.m * 2 * (int64_t)sizeof(float), SCRATCH_LINE);
}
static int64_t parts_bytes(const attention *r) {
    const int64_t queries = round_up(r->a.m, r->cols);
    return has_parts(r) ? r->a.batches * queries * mma_padded(r, ATT_DQ) * (int64_t)sizeof(float) : 0;
}

static void declare_scratch(attention *r) {
    gpu_print *g = r->g;
    if (!r->parts_here) {
        gpu_scratch(g, "row_parts", "float2", 0);
        g->uses[g->n_uses - 1].written = false;
    }
    if (r->bits) attention_declare_bits(r, false);
    if (has_parts(r)) gpu_scratch(g, "dq_parts", "float", rows_bytes(r));
}

/* ---- the text ------------------------------------------------------------------------------------------ */

static void start_queries(attention *r) {
    gpu_words w = mma_words(r, ATT_Q);
    if (r->parts_here) mma_start_queries(r, cols_of);
    else {
        for (int i = 0; i < 2; i++) mma_start(r, cols_of[i], r->cols, "m");
        gpu_fill_in(r->g, &w, attention_whole_rows_text);
    }
    mma_start_bits(r);
}

static void begin(attention *r, const int *used, int count, const gpu_words *w) {
    mma_open(r, used, count, cols_of);
    r->g->groups = r->a.batches;
    declare_scratch(r);
    mma_grad_numbers(r);
    gpu_fill_in(r->g, w, attention_whole_place_text);
    attention_batch(r, used, count);
    mma_place(r, ATT_K, r->rows);
}

/* The keys are there for their own rows, and for dq as columns. */
static void begin_keys(attention *r) {
    text *out = &r->g->body;
    text_add(out, "for (uint first_row = 0; first_row < own; first_row += %d) {\nSYNC;\n{\n"
             "const uint next = first_row, into = 0;\n", r->rows);
    mma_start(r, ATT_K, r->rows, "n");
    text_add(out, "}\n");
    for (int i = 0; i < 2; i++) mma_place(r, cols_of[i], r->cols);
    text_add(out, "{\nconst uint next = 0, into = 0;\n");
    start_queries(r);
    text_add(out, "CP_ASYNC_COMMIT;\n}\n");
    mma_own(r, ATT_K);
    mma_own(r, ATT_V);
    mma_zero(r, "sum_dk", (int)mma_padded(r, ATT_DK));
    mma_zero(r, "sum_dv", (int)mma_padded(r, ATT_DV));
}

/* Of the tile before stage's: what the keys before had a part in, and these keys' part. */
static void print_dq(attention *r, const gpu_words *w) {
    if (has_parts(r)) gpu_fill_in(r->g, w, attention_whole_take_text);
    else mma_zero(r, "sum_dq", (int)wide_of(r));
    gpu_fill_in(r->g, w, attention_whole_queries_text);
}

static void keep_dq(attention *r, const gpu_words *w) {
    gpu_words store = mma_words(r, ATT_DQ);
    gpu_word_count(&store, "wide", wide_of(r));
    mma_store_words(r, &store, ATT_DQ, "sum_dq", "times");
    if (has_parts(r)) gpu_fill_in(r->g, w, attention_whole_keep_text);
    gpu_fill_in(r->g, &store, attention_whole_store_text);
}

/* In the first round dq is of what nobody left, and not kept: so all is one block of code, in whose products and
 * exponentials a compiler finds what to do side by side. */
static void print_queries(attention *r, const gpu_words *w) {
    const gpu_words each = mma_each_words(r);
    text *out = &r->g->body;
    text_add(out, "for (uint i = 0; i < tiles; i++) {\nconst uint stage = i %% 2, first_col = i * %d;\n", r->cols);
    mma_draw(r);
    text_add(out, "CP_ASYNC_WAIT(0);\nSYNC;\nif (i + 1 < tiles) {\n"
             "const uint next = first_col + %d, into = stage ^ 1;\n", r->cols);
    start_queries(r);
    text_add(out, "}\nCP_ASYNC_COMMIT;\n");
    print_dq(r, w);
    mma_scores(r, "scores", ATT_K, ATT_Q);
    mma_scores(r, "slopes", ATT_V, ATT_GO);
    gpu_fill_in(r->g, w, attention_whole_ends_text);
    gpu_fill_in(r->g, &each, attention_mma_across_text);
    gpu_fill_in(r->g, w, attention_whole_leave_text);
    mma_weigh(r, "sum_dv", "scores", ATT_GO, false);
    mma_weigh(r, "sum_dk", "slopes", ATT_Q, false);
    text_add(out, "if (i > 0) {\n");
    keep_dq(r, w);
    text_add(out, "}\n}\n");
}

static void print_last_dq(attention *r, const gpu_words *w) {
    text_add(&r->g->body, "{\nconst uint i = tiles, stage = i %% 2, first_col = i * %d;\nSYNC;\n", r->cols);
    print_dq(r, w);
    keep_dq(r, w);
    text_add(&r->g->body, "}\n");
}

static void print(attention *r, const int *used, int count) {
    gpu_words w = mma_words(r, ATT_K);
    gpu_word_count(&w, "high", high_of(r));
    gpu_word_count(&w, "wide", wide_of(r));
    r->g->at_once = groups_at_once(r);
    begin(r, used, count, &w);
    begin_keys(r);
    print_queries(r, &w);
    print_last_dq(r, &w);
    mma_store(r, ATT_DK, "sum_dk", "times");
    mma_store(r, ATT_DV, "sum_dv", "kept");
    text_add(&r->g->body, "}\n}\n");
}

bool attention_mma_whole(attention *r, int launch) {
    static const int used[] = { ATT_Q, ATT_K, ATT_V, ATT_GO, ATT_DQ, ATT_DK, ATT_DV, ATT_O };
    attention trial = *r;
    if (attention_split(r) || !mma_suits(r, used, 7) || !choose(&trial)) return false;
    *r = trial;
    r->g->scratch_bytes = rows_bytes(r) + parts_bytes(r);
    r->g->more = launch == 0;
    if (launch) print(r, used, 7 + r->parts_here);
    else if (!r->parts_here) attention_print_parts(r, true);
    return true;
}
