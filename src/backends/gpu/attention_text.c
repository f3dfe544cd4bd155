/* The parts of which attention's texts are put together. */
#include "attention.h"

#include "attention_fetch_text.h"
#include "attention_masks_text.h"
#include "attention_multiply_text.h"
#include "attention_place_text.h"
#include "attention_put_text.h"
#include "attention_side_text.h"
#include "attention_store_text.h"
#include "attention_weights_text.h"
#include "attention_zero_text.h"

#include <math.h>
#include <stdio.h>

static const char *const names[ATT_OPERANDS] = { "q", "k", "v", "o", "logs", "go", "dq", "dk", "dv" };

/* Whether its columns are v's, not q's and k's. */
static bool of_v(int which) { return which == ATT_V || which == ATT_O || which == ATT_GO || which == ATT_DV; }
static bool is_written(const attention *r, int which) {
    return r->g->kernel->kind == FLAT_ATTENTION ? which >= ATT_O : which > ATT_GO;
}
static int64_t width_of(const attention *r, int which) { return of_v(which) ? r->a.e : r->a.d; }
const char *attention_name(int which) { return names[which]; }
int64_t attention_width(const attention *r, int which) { return width_of(r, which); }
const char *attention_width_name(int which) { return of_v(which) ? "e" : "d"; }

typedef struct count { const char *name; int value; } count;
static void add_counts(gpu_words *w, const count *counts, size_t n) {
    for (size_t i = 0; i < n; i++) gpu_word_count(w, counts[i].name, counts[i].value);
}
#define ADD_COUNTS(w, counts) add_counts(w, counts, sizeof counts / sizeof *counts)

/* ---- operands ------------------------------------------------------------------------------------------ */

void attention_merge_batch(attention *r) {
    const flat_kernel *k = r->g->kernel;
    const bool grad = k->kind == FLAT_ATTENTION_GRAD;
    const int matrices = grad ? ATT_OPERANDS : ATT_L;
    const int32_t all = k->attention.batch_ndim;
    int32_t ndim = 0;
    r->a = k->attention;
    for (int i = 0; i < (grad ? ATT_OPERANDS : ATT_L + 1); i++) r->operand[i] = k->operands[i];
    for (int32_t d = 0; d < all; d++) {
        const int64_t size = r->a.batch[d];
        bool in_step = ndim > 0;
        if (size == 1) continue;
        for (int i = 0; i < matrices && in_step; i++)
            in_step = i == ATT_L || r->operand[i].stride[ndim - 1] == k->operands[i].stride[d] * size;
        ndim -= in_step;
        r->a.batch[ndim] = in_step ? r->a.batch[ndim] * size : size;
        for (int i = 0; i < matrices; i++) r->operand[i].stride[ndim] = k->operands[i].stride[d];
        ndim++;
    }
    for (int i = 0; i < matrices; i++) r->operand[i].stride[ndim] = k->operands[i].stride[all];
    r->a.batch_ndim = ndim;
}

/* Whether four neighbours can be loaded at a time, of an operand whose first element is `at` bytes into its block. */
static bool has_fours(const attention *r, int which, int64_t at) {
    const flat_operand *o = &r->operand[which];
    bool four = width_of(r, which) % 4 == 0 && at % (4 * (int64_t)tide_dtype_size(o->type)) == 0;
    for (int32_t d = 0; d <= r->a.batch_ndim; d++) four &= o->stride[d] % 4 == 0;
    return four;
}

void attention_declare(attention *r, int which) {
    gpu_print *g = r->g;
    char across[16];
    gpu_operand(g, names[which], &r->operand[which], is_written(r, which));
    if (which == ATT_L) return;
    r->fours[which] = has_fours(r, which, g->numbers[g->n_numbers - 1]);
    snprintf(across, sizeof across, "across_%s", names[which]);
    gpu_declare(g, r->index, across, r->operand[which].stride[r->a.batch_ndim]);
}

void attention_batch(attention *r, const int *which, int count) {
    text *out = &r->g->body;
    if (r->a.batch_ndim == 0) return;
    text_add(out, "{\nuint rest = entry;\n");
    for (int32_t d = r->a.batch_ndim - 1; d >= 0; d--) {
        text_add(out, "{\n");
        gpu_declare(r->g, "uint", "size", r->a.batch[d]);
        text_add(out, "const i64 place = (i64)(rest %% size);\nrest /= size;\n");
        for (int i = 0; i < count; i++)
            text_add(out, "%s += place * table[%d];\n", names[which[i]],
                     gpu_number(r->g, r->operand[which[i]].stride[d]));
        text_add(out, "}\n");
    }
    text_add(out, "}\n");
}

void attention_float(gpu_print *g, const char *name, double value) {
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    text_add(&g->body, "const float %s = AS_FLOAT((uint)table[%d]);\n", name, gpu_number(g, bits));
}

/* ---- a group's place ----------------------------------------------------------------------------------- */

static int64_t queries_of(const attention *r) { return r->by_keys ? r->cols : r->rows; }
static int64_t keys_of(const attention *r) { return r->by_keys ? r->rows : r->cols; }
/* Of eight bits each, with one more where a row begins within the first; one that is read but not used, and the shift
 * follow. */
static int blocks_of(const attention *r) { return (int)keys_of(r) / 8 + 1; }
static int mask_pitch(const attention *r) { return (int)round_up(blocks_of(r) + 2, 4); }
int attention_mask_bytes(const attention *r) { return (int)queries_of(r) * mask_pitch(r); }

void attention_rooms(attention *r, const char *array, int count) {
    text *out = &r->g->body;
    const int floats = 2 * r->slot + r->tile->cols * r->tile->rows;
    text_add(out, "{\nLOCAL_ARRAY(float4, room, %d);\n", floats / 4);
    if (array) text_add(out, "LOCAL_ARRAY(float, %s, %d);\n", array, count);
    if (r->a.dropout)
        text_add(out, "LOCAL_ARRAY(uchar, masks, %d);\n", attention_mask_bytes(r));
    text_add(out, "BEGIN\n");
}

/* Whether a sample has whole entries of the batch: then all of a group's queries are in one. */
static bool whole_entries(const flat_attention *a) { return a->m && a->per_sample % (a->n * a->m) == 0; }

void attention_draws(attention *r) {
    gpu_print *g = r->g;
    const flat_attention *a = &r->a;
    const flat_kernel *k = g->kernel;
    const int step = k->kind == FLAT_ATTENTION ? ATT_L + 1 : ATT_OPERANDS;
    const uint64_t seed = g->program->seed;
    gpu_declare(g, "uint", "seed_low", (int64_t)(seed & UINT32_MAX));
    gpu_declare(g, "uint", "seed_high", (int64_t)(seed >> 32));
    gpu_declare(g, "uint", "site", a->site);
    gpu_declare(g, "uint", "least", (int64_t)ceil(65536 * (double)(float)a->threshold));
    gpu_declare(g, "uint", "in_sample", whole_entries(a) ? a->per_sample / a->n / a->m : a->per_sample / a->n);
    attention_float(g, "kept", a->kept);
    gpu_operand(g, "step_at", &k->operands[step], false);
    if (flat_attention_counters(k) > 1) gpu_operand(g, "offset_at", &k->operands[step + 1], false);
    text_add(&g->body, "const uint step = (uint)*step_at, offset = %s;\n",
             flat_attention_counters(k) > 1 ? "(uint)*offset_at" : "0u");
}

void attention_numbers(attention *r) {
    gpu_print *g = r->g;
    gpu_declare(g, "uint", "m", r->a.m);
    gpu_declare(g, "uint", "n", r->a.n);
    gpu_declare(g, "uint", "d", r->a.d);
    gpu_declare(g, "uint", "e", r->a.e);
    text_add(&g->body, "const uint own = %s, other = %s;\n", r->by_keys ? "n" : "m", r->by_keys ? "m" : "n");
    if (r->a.dropout && !r->bits) attention_draws(r);
    if (r->a.dropout && r->bits) attention_float(g, "kept", r->a.kept);
    g->threads = r->threads;
    g->groups = ceil_div(r->by_keys ? r->a.n : r->a.m, r->rows) * r->a.batches;
}

void attention_place(attention *r) {
    const attention_tile *t = r->tile;
    const count counts[] = {
        { "weights", 2 * r->slot }, { "rows", t->rows }, { "warps", attention_across(t) / 8 }, { "tr", t->tr },
        { "ct", MIN2(t->tc, 4) },
    };
    gpu_words w = { 0 };
    ADD_COUNTS(&w, counts);
    attention_numbers(r);
    gpu_fill_in(r->g, &w, attention_place_text);
}

void attention_begin_loop(attention *r) {
    text_add(&r->g->body, "for (uint first_col = 0; first_col < other; first_col += %d) {\n"
             "const uint rest = other - first_col < %d ? other - first_col : %d;\n", r->cols, r->cols, r->cols);
}

/* ---- masks --------------------------------------------------------------------------------------------- */

static const char *const by_queries[][2] = { { "firstquery", "first_row" }, { "firstkey", "first_col" } };
static const char *const by_keys[][2] = { { "firstquery", "first_col" }, { "firstkey", "first_row" } };

static const char one_sample[] = "const uint sample = entry / in_sample + offset;\n"
    "    const uint from = (entry % in_sample * m + $firstquery + query) * n + $firstkey;";
static const char any_sample[] = "const uint number = entry * m + $firstquery + query;\n"
    "    const uint sample = number / in_sample + offset, from = number % in_sample * n + $firstkey;";

void attention_where(const attention *r, gpu_words *w) {
    gpu_word(w, "where", whole_entries(&r->a) ? one_sample : any_sample);
}

void attention_mask_words(const attention *r, gpu_words *w) {
    const count counts[] = {
        { "queries", (int)queries_of(r) }, { "blocks", blocks_of(r) }, { "maskpitch", mask_pitch(r) },
        { "threads", r->threads },
    };
    ADD_COUNTS(w, counts);
    if (r->by_keys) GPU_WORD_TABLE(w, by_keys);
    else GPU_WORD_TABLE(w, by_queries);
    if (r->a.dropout) attention_where(r, w);
}

static const char *const of_rows_queries[][2] = {
    { "query", "my_row + x" }, { "mykey", "my_col" }, { "at", "[x][y]" }, { "across", "$column(y)" },
};
static const char *const of_rows_keys[][2] = {
    { "query", "$column(x)" }, { "mykey", "my_row" }, { "at", "[y][x]" }, { "across", "$column(x)" },
};
static const char drop[] = "(($1) * (bits >> y & 1u ? kept : 0.0f))";
#define BITS "const uint bit = (uint)masks[($query) * $maskpitch + $blocks + 1] + $mykey;\n" \
             "    LOCAL const uchar *of_bits = masks + ($query) * $maskpitch + bit / 8;\n    const uint bits = "
static const char bits[] = BITS "((uint)of_bits[0] | (uint)of_bits[1] << 8) >> (bit & 7u);";
static const char bits_of_two[] = BITS "(((uint)of_bits[0] | (uint)of_bits[1] << 8) >> (bit & 7u) & 15u)\n"
                                  "        | (((uint)of_bits[4] | (uint)of_bits[5] << 8) >> (bit & 7u) & 15u) << 4;";

/* Where a column of the thread's is in the tile. */
static void add_column(const attention *r, gpu_words *w) {
    const attention_tile *t = r->tile;
    if (t->tc <= 4) gpu_word(w, "column", "my_col + $1");
    else gpu_word_printed(w, "column", "my_col + $1 / 4 * %d + $1 %% 4", 4 * attention_across(t));
}

void attention_words(const attention *r, gpu_words *w) {
    const attention_tile *t = r->tile;
    const count counts[] = {
        { "rows", t->rows }, { "tr", t->tr }, { "tc", t->tc }, { "parts", attention_across(t) },
        { "partpitch", t->rows + 4 }, { "count", r->by_keys ? t->tc : t->tr }, { "keys", r->by_keys ? t->tr : t->tc },
    };
    ADD_COUNTS(w, counts);
    attention_mask_words(r, w);
    add_column(r, w);
    if (r->by_keys) GPU_WORD_TABLE(w, of_rows_keys);
    else GPU_WORD_TABLE(w, of_rows_queries);
    gpu_word(w, "bits", !r->a.dropout ? "" : !r->by_keys && t->tc > 4 ? bits_of_two : bits);
    gpu_word(w, "drop", r->a.dropout ? drop : "($1)");
}

void attention_masks(attention *r) {
    gpu_words w = { 0 };
    if (!r->a.dropout) return;
    attention_mask_words(r, &w);
    gpu_fill_in(r->g, &w, attention_masks_text);
}

/* ---- what goes through the ring ------------------------------------------------------------------------- */

/* A matrix as a side of a product: its rows are the tile's rows or columns, put across, so that the common dimension
 * is the head's size; or they are the common dimension, and its columns the sums'. */
enum { OF_ROWS, OF_COLS, WEIGHED };

static const char *const fetch_one[][2] = {
    { "fetch", "got_$x$id[s] = $inside ? $x[$from] : ($M)0;" },
};
static const char *const fetch_four[][2] = {
    { "fetch", "{\n"
               "        got_$x$id[4 * s] = got_$x$id[4 * s + 1] = got_$x$id[4 * s + 2] = got_$x$id[4 * s + 3] = 0;\n"
               "        if ($inside) {\n"
               "            const $quad four = *(GLOBAL const $quad *)($x + $from);\n"
               "            got_$x$id[4 * s] = four.x;\n"
               "            got_$x$id[4 * s + 1] = four.y;\n"
               "            got_$x$id[4 * s + 2] = four.z;\n"
               "            got_$x$id[4 * s + 3] = four.w;\n"
               "        }\n"
               "    }" },
};
static const char *const put_one[][2] = { { "put", "*to = $load(got_$x$id[s])$times;" } };
static const char *const put_across[][2] = {
    { "put", "{\n"
             "        #pragma unroll\n"
             "        for (uint i = 0; i < 4; i++) to[i * $pitch] = $load(got_$x$id[4 * s + i])$times;\n"
             "    }" },
};
static const char *const put_four[][2] = {
    { "put", "{\n"
             "        float4 four;\n"
             "        four.x = $load(got_$x$id[4 * s]);\n"
             "        four.y = $load(got_$x$id[4 * s + 1]);\n"
             "        four.z = $load(got_$x$id[4 * s + 2]);\n"
             "        four.w = $load(got_$x$id[4 * s + 3]);\n"
             "        *(LOCAL float4 *)to = four;\n"
             "    }" },
};
/* Beyond the last row it is the last once more, as nobody stores what comes of it. */
static const char *const of_tile[][2] = {
    { "place", "($I)($first + c < $extent ? $first + c : $extent - 1) * across_$x + ($I)l" },
    { "inside", "done$id + l < $width" },
    { "from", "at_$x$id[s] + ($I)done$id" },
    { "column", "" },
};
static const char *const of_rows[][2] = { { "first", "first_row" }, { "extent", "own" } };
static const char *const of_cols[][2] = { { "first", "first_col" }, { "extent", "other" } };
/* What is beyond the last row is 0, as the weights there are. */
static const char *const weighed[][2] = {
    { "place", "($I)(first_col + l) * across_$x + ($I)c" },
    { "inside", "done$id + l < rest$filled" },
    { "from", "at_$x$id[s] + ($I)done$id * across_$x" },
};

static void add_places(const attention *r, gpu_words *w, int which, int part, int width, int bk) {
    const bool four = r->fours[which];
    if (part == WEIGHED) {
        const bool filled = width_of(r, which) == width;
        const int units = width / (four ? 4 : 1);
        GPU_WORD_TABLE(w, weighed);
        gpu_word(w, "filled", filled ? "" : " && c < $width");
        gpu_word(w, "column", filled ? "" : ", c = $c");
        gpu_word_printed(w, "l", "u / %d", units);
        gpu_word_printed(w, "c", "u %% %d * %d", units, four ? 4 : 1);
        return;
    }
    GPU_WORD_TABLE(w, of_tile);
    if (part == OF_ROWS) GPU_WORD_TABLE(w, of_rows);
    else GPU_WORD_TABLE(w, of_cols);
    /* By fours two threads have eight neighbours, and sixteen rows are put to different banks. */
    gpu_word_printed(w, "l", four ? "(u %% 2 + u / %d * 2) * 4" : "u %% %d", four ? 2 * width : bk);
    gpu_word_printed(w, "c", four ? "u / 2 %% %d" : "u / %d", four ? width : bk);
}

/* The words of a side whose piece of bk is `width` wide and `offset` floats into the slot. */
static gpu_words side_words(const attention *r, int which, int part, int bk, int width, int offset, const char *id) {
    const int threads = attention_threads(r->tile), vector = r->fours[which] ? 4 : 1, type = r->operand[which].type;
    const int all = width * bk / vector, loads = (all + threads - 1) / threads;
    const count counts[] = {
        { "threads", threads }, { "loads", loads }, { "vector", vector }, { "slot", r->slot }, { "offset", offset },
        { "pitch", part == WEIGHED ? width : width + 4 },
    };
    gpu_words w = { 0 };
    ADD_COUNTS(&w, counts);
    gpu_word(&w, "x", names[which]);
    gpu_word(&w, "id", id);
    gpu_word(&w, "I", r->index);
    gpu_word(&w, "M", gpu_memory_type(type));
    gpu_word(&w, "quad", type == TIDE_F32 ? "float4" : "ushort4");
    gpu_word(&w, "width", attention_width_name(which));
    gpu_word_printed(&w, "guard", all % threads ? "if (u < %d) " : "", all);  /* the last load is not for all threads */
    gpu_word_load(&w, type);
    add_places(r, &w, which, part, width, bk);
    if (vector == 1) GPU_WORD_TABLE(&w, fetch_one);
    else GPU_WORD_TABLE(&w, fetch_four);
    if (vector == 1) GPU_WORD_TABLE(&w, put_one);
    else if (part == WEIGHED) GPU_WORD_TABLE(&w, put_four);
    else GPU_WORD_TABLE(&w, put_across);
    return w;
}

/* ---- products ------------------------------------------------------------------------------------------- */

static const char *const reads[][2] = {
    { "fours", "const float4 four = *(LOCAL const float4 *)from;\n"
               "        $1[$2] = four.x;\n"
               "        $1[$2 + 1] = four.y;\n"
               "        $1[$2 + 2] = four.z;\n"
               "        $1[$2 + 3] = four.w;" },
    { "ones", "#pragma unroll\n        for (uint c = 0; c < $3; c++) $1[$2 + c] = from[c];" },
};

static gpu_words multiply_words(const attention *r, const char *sums, int columns, int bk) {
    const attention_tile *t = r->tile;
    const int cr = MIN2(t->tr, 4), cn = MIN2(columns, 4);
    const count counts[] = {
        { "bk", bk }, { "tr", t->tr }, { "tn", columns }, { "cr", cr }, { "cn", cn },
        { "apart", attention_across(t) * cn },
    };
    gpu_words w = { 0 };
    ADD_COUNTS(&w, counts);
    GPU_WORD_TABLE(&w, reads);
    gpu_word(&w, "sums", sums);
    gpu_word(&w, "readrows", cr == 4 ? "$fours(of_rows, i)" : "$ones(of_rows, i, $cr)");
    gpu_word(&w, "readcols", cn == 4 ? "$fours(of_cols, j)" : "$ones(of_cols, j, $cn)");
    return w;
}

void attention_zero(attention *r, const char *sums, int columns) {
    gpu_words w = multiply_words(r, sums, columns, 0);
    gpu_fill_in(r->g, &w, attention_zero_text);
}

attention_product attention_scores(const attention *r, const char *sums, int rows, int cols, const char *factor,
                                   const char *id) {
    const attention_tile *t = r->tile;
    const int offset = r->bk * (t->rows + 4);
    attention_product p = { .n_sides = 2, .bk = r->bk, .id = id, .depth = attention_width_name(rows), .zero = true };
    p.sides[0] = side_words(r, rows, OF_ROWS, r->bk, t->rows, 0, id);
    p.sides[1] = side_words(r, cols, OF_COLS, r->bk, t->cols, offset, id);
    gpu_word(&p.sides[0], "times", factor), gpu_word(&p.sides[1], "times", "");
    p.multiply = multiply_words(r, sums, t->tc, r->bk);
    gpu_word_printed(&p.multiply, "rows", "ring + turn * %d + l * %d + my_row + i", r->slot, t->rows + 4);
    gpu_word_printed(&p.multiply, "cols", "ring + turn * %d + %d + l * %d + my_col", r->slot, offset, t->cols + 4);
    return p;
}

/* Weights are columns of the tile's rows, four rows at a time in an order that differs from each four columns to the
 * next, so that threads side by side meet different banks when they write. So many orders: */
static int weight_blocks(const attention *r) { return MIN2(r->tile->rows / 4, 8); }

attention_product attention_weigh(const attention *r, const char *sums, int which, const char *id) {
    const attention_tile *t = r->tile;
    const int columns = attention_columns(t, width_of(r, which)), width = columns * attention_across(t);
    const int bk = MIN2(r->bk, t->cols);
    attention_product p = { .n_sides = 1, .bk = bk, .id = id, .depth = "rest" };
    p.sides[0] = side_words(r, which, WEIGHED, bk, width, 0, id);
    gpu_word(&p.sides[0], "times", "");
    p.multiply = multiply_words(r, sums, columns, bk);
    gpu_word_printed(&p.multiply, "rows",
                     "weights + (done%s - %d + l) * %d + ((my_row + i) ^ ((done%s / 4 + l / 4 - %d) %% %d * 4))",
                     id, bk, t->rows, id, bk / 4, weight_blocks(r));
    gpu_word_printed(&p.multiply, "cols", "ring + turn * %d + l * %d + my_part * %d", r->slot, width, MIN2(columns, 4));
    return p;
}

void attention_fetch(attention *r, attention_product *p) {
    gpu_print *g = r->g;
    if (p->fetched) return;
    p->fetched = true;
    text_add(&g->body, "uint done%s = 0;\n", p->id);
    for (int i = 0; i < p->n_sides; i++) gpu_fill_in(g, &p->sides[i], attention_side_text);
    for (int i = 0; i < p->n_sides; i++) gpu_fill_in(g, &p->sides[i], attention_fetch_text);
}

/* What comes next is fetched into registers before what is there is multiplied, and put after. */
void attention_multiply(attention *r, attention_product *p) {
    gpu_print *g = r->g;
    attention_fetch(r, p);
    if (p->zero) gpu_fill_in(g, &p->multiply, attention_zero_text);
    text_add(&g->body, "while (done%s < %s) {\n", p->id, p->depth);
    for (int i = 0; i < p->n_sides; i++) gpu_fill_in(g, &p->sides[i], attention_put_text);
    text_add(&g->body, "SYNC;\ndone%s += %d;\n", p->id, p->bk);
    for (int i = 0; i < p->n_sides; i++) gpu_fill_in(g, &p->sides[i], attention_fetch_text);
    gpu_fill_in(g, &p->multiply, attention_multiply_text);
}

static const char *const write_four[][2] = {
    { "write", "float4 four;\n"
               "        four.x = $sums[i][j];\n"
               "        four.y = $sums[i + 1][j];\n"
               "        four.z = $sums[i + 2][j];\n"
               "        four.w = $sums[i + 3][j];\n"
               "        *(LOCAL float4 *)to = four;" },
};
static const char *const write_one[][2] = {
    { "write", "#pragma unroll\n        for (uint c = 0; c < $cr; c++) to[c] = $sums[i + c][j];" },
};

void attention_weights(attention *r, const char *from) {
    const attention_tile *t = r->tile;
    const count counts[] = {
        { "tr", t->tr }, { "tc", t->tc }, { "cr", MIN2(t->tr, 4) }, { "pitch", t->rows },
        { "blocks", weight_blocks(r) },
    };
    gpu_words w = { 0 };
    ADD_COUNTS(&w, counts);
    add_column(r, &w);
    gpu_word(&w, "sums", from);
    if (t->tr % 4 == 0) GPU_WORD_TABLE(&w, write_four);
    else GPU_WORD_TABLE(&w, write_one);
    gpu_fill_in(r->g, &w, attention_weights_text);
}

/* ---- results -------------------------------------------------------------------------------------------- */

static const char *const store_four[][2] = {
    { "write", "if (row < own && col < $width) {\n"
               "            $quad four;\n"
               "            $store(four.x, $sums[i][j] * $times);\n"
               "            $store(four.y, $sums[i][j + 1] * $times);\n"
               "            $store(four.z, $sums[i][j + 2] * $times);\n"
               "            $store(four.w, $sums[i][j + 3] * $times);\n"
               "            *(GLOBAL $quad *)to = four;\n"
               "        }" },
};
static const char *const store_one[][2] = {
    { "write", "#pragma unroll\n"
               "        for (uint c = 0; c < $cn; c++)\n"
               "            if (row < own && col + c < $width) { $store(to[c], $sums[i][j + c] * $times); }" },
};

void attention_store(attention *r, int which, const char *sums, const char *times) {
    const int columns = attention_columns(r->tile, width_of(r, which)), type = r->operand[which].type;
    gpu_words w = multiply_words(r, sums, columns, 0);
    gpu_word(&w, "x", names[which]);
    gpu_word(&w, "M", gpu_memory_type(type));
    gpu_word(&w, "quad", type == TIDE_F32 ? "float4" : "ushort4");
    gpu_word(&w, "width", attention_width_name(which));
    gpu_word(&w, "times", times);
    gpu_word_store(&w, type);
    if (r->fours[which] && columns % 4 == 0) GPU_WORD_TABLE(&w, store_four);
    else GPU_WORD_TABLE(&w, store_one);
    gpu_fill_in(r->g, &w, attention_store_text);
}
