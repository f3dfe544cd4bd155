/* What maps make of C where a product carries them out (ends.c), four neighbours of a row at a time: what waits for
 * memory is loaded for several rows before any is stored, and Philox, whose call makes eight halves, is asked once for
 * the fours of two lanes. */
#include "product_ends.h"

#include "end_columns_text.h"
#include "end_draws_text.h"
#include "end_rows_text.h"

enum { LOADED = 32 /* registers of what is loaded together */ };

/* Rows that a thread makes together: a long text gains nothing by several. */
static int rows_of(const flat_instr *in) {
    switch (in->op) {
    case S_EXP: case S_EXPM1: case S_LOG: case S_LOG1P: case S_SIN: case S_COS: case S_TANH: case S_ERF:
    case S_SIGMOID: case S_GELU: case S_GELU_GRAD: case S_POW: return 1;
    case FLAT_RANDOM: case FLAT_DROPMASK: return 4;
    default: return 8;
    }
}

static int rows_together(const gpu_print *g, int most) {
    int rows = most, loads = 1;
    for (int32_t i = 0; i < g->n_ends; i++) {
        loads += gpu_end_loads(&g->ends[i]);
        for (int32_t j = 0; j < g->ends[i].map->map.count; j++)
            rows = MIN2(rows, rows_of(&g->ends[i].map->map.instrs[j]));
    }
    while (rows > 1 && rows * loads > LOADED) rows /= 2;
    return rows;
}

static int quads_of(const end_tile *t) { return t->bn / 4; }
static int height_of(const end_tile *t) { return t->threads / quads_of(t); }

/* Whether lanes of a pair have the fours of one eight, in whatever order C's rows are, and may draw for each other. */
static bool draws_in_pairs(const gpu_print *g, const flat_gemm *p, const flat_operand *c, const end_tile *t) {
    bool pairs = g->n_ends && p->n % 8 == 0 && quads_of(t) % 2 == 0 && t->high >= 2 * height_of(t);
    for (int32_t d = 0; d <= p->batch_ndim; d++) pairs &= c->stride[d] % 8 == 0;
    return pairs && gpu_end_pairs(&g->ends[0]);
}

product_ends product_ends_begin(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], end_tile tile) {
    const flat_operand *c = &operand[2];
    const bool in_order = product_in_order(p, c), pairs = draws_in_pairs(g, p, c, &tile);
    product_ends e = { .tile = tile, .rows = rows_together(g, tile.high / height_of(&tile)) };
    if (pairs) e.rows = MAX2(e.rows, 2);
    /* What moves along a row of C, of an entry, as of a pointer to it. */
    gpu_declare(g, "uint", "across_c", c->stride[p->batch_ndim]);
    text_add(&g->body, "i64 c = 0;\n");
    product_print_batch(g, p, operand, 2, 3);
    text_add(&g->body, "const uint first_c = (uint)c;\n");
    const gpu_end_place at = { .cols = in_order ? p->n : 0, .row = "entry * m + row",
                               .element = "first_c + row * across_c + col", .rows = e.rows, .pairs = pairs };
    gpu_print_ends(g, &at, &e.texts);
    g->body.failed |= e.texts.room.failed || e.texts.ahead.failed || e.texts.draws.failed || e.texts.four.failed;
    for (int i = 0; i < e.texts.n_sums; i++)
        text_add(&g->body, "float sums%d[4] = { 0.0f, 0.0f, 0.0f, 0.0f };\n", e.texts.sum[i].of);
    return e;
}

static const char *text_of(const text *t) { return t->data ? t->data : ""; }

void product_ends_words(const product_ends *e, gpu_words *w) {
    const end_tile *t = &e->tile;
    gpu_word_count(w, "high", t->high);
    gpu_word_count(w, "quads", quads_of(t));
    gpu_word_count(w, "height", height_of(t));
    gpu_word_count(w, "rows", e->rows);
    gpu_word(w, "room", text_of(&e->texts.room));
    gpu_word(w, "ahead", text_of(&e->texts.ahead));
    gpu_word(w, "drawn", text_of(&e->texts.draws));
    gpu_word(w, "draws", e->texts.draws.data ? end_draws_text : "");
    gpu_word(w, "ends", text_of(&e->texts.four));
    gpu_word(w, "loop", end_rows_text);
}

void product_ends_finish(gpu_print *g, const flat_gemm *p, product_ends *e, const char *shared) {
    const end_tile *t = &e->tile;
    for (int i = 0; i < e->texts.n_sums; i++) {
        gpu_words w = { 0 };
        gpu_word(&w, "shared", shared);
        gpu_word_count(&w, "of", e->texts.sum[i].of);
        gpu_word_count(&w, "to", e->texts.sum[i].to);
        gpu_word_count(&w, "tasks", e->texts.sum[i].tasks);
        gpu_word_count(&w, "bm", t->bm);
        gpu_word_count(&w, "bn", t->bn);
        gpu_word_count(&w, "batches", p->batches);
        gpu_word_count(&w, "quads", quads_of(t));
        gpu_word_count(&w, "threads", t->threads);
        gpu_word_count(&w, "height", height_of(t));
        gpu_fill_in(g, &w, end_columns_text);
    }
    text_free(&e->texts.room), text_free(&e->texts.ahead), text_free(&e->texts.draws), text_free(&e->texts.four);
}
