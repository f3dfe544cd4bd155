/* C of a product on matrix units where maps go on with it (ends.c): by way of the group's memory, so that what is made
 * of it stands once in the text, and a thread has the same columns of many rows. */
#include "product_mma.h"

#include "mma_columns_text.h"
#include "mma_stage_text.h"

/* Rows that a thread makes together: what waits for memory gains by several, a long text by none. */
static int rows_of(const flat_instr *in) {
    switch (in->op) {
    case S_EXP: case S_EXPM1: case S_LOG: case S_LOG1P: case S_SIN: case S_COS: case S_TANH: case S_ERF:
    case S_SIGMOID: case S_GELU: case S_GELU_GRAD: case S_POW: return 1;
    case FLAT_RANDOM: case FLAT_DROPMASK: return 2;
    default: return 4;
    }
}

static int rows_together(const gpu_print *g) {
    int rows = 4;
    for (int32_t i = 0; i < g->n_ends; i++)
        for (int32_t j = 0; j < g->ends[i].map->map.count; j++)
            rows = MIN2(rows, rows_of(&g->ends[i].map->map.instrs[j]));
    return rows;
}

/* Rows that are staged at a time, such that they fit in the memory of the tiles; a warp's are of one time. */
static int staged_rows(const mma_product *r, int pitch) {
    const mma_tile *t = r->how->tile;
    int high = t->bm;
    const int room = t->stages * t->bk * (t->bm + t->bn) * r->size;
    while (high > t->bm / t->wm && high * pitch * t->wk * (int)sizeof(float) > room) high /= 2;
    return high;
}

static void add_stage_words(const mma_product *r, gpu_words *w) {
    const mma_tile *t = r->how->tile;
    const int pitch = t->bn % 32 ? t->bn : t->bn + 16;  /* rows are by turns in other banks */
    const int high = staged_rows(r, pitch);
    gpu_word_count(w, "pitch", pitch);
    gpu_word_count(w, "high", high);
    gpu_word_count(w, "rounds", t->bm / high);
    gpu_word_count(w, "quads", t->bn / 4);
    gpu_word_count(w, "height", mma_threads(t) / (t->bn / 4));
    gpu_word_count(w, "turns", rows_together(r->g));
}

static void print_columns(const mma_product *r, const gpu_end_text *ends) {
    const mma_tile *t = r->how->tile;
    for (int i = 0; i < ends->n_sums; i++) {
        gpu_words w = { 0 };
        gpu_word_count(&w, "of", ends->sum[i].of);
        gpu_word_count(&w, "to", ends->sum[i].to);
        gpu_word_count(&w, "tasks", ends->sum[i].tasks);
        gpu_word_count(&w, "bm", t->bm);
        gpu_word_count(&w, "bn", t->bn);
        gpu_word_count(&w, "batches", r->p->batches);
        gpu_word_count(&w, "quads", t->bn / 4);
        gpu_word_count(&w, "threads", mma_threads(t));
        gpu_word_count(&w, "height", mma_threads(t) / (t->bn / 4));
        gpu_fill_in(r->g, &w, mma_columns_text);
    }
}

void mma_print_ends(const mma_product *r, const mma_side *a, const mma_side *b) {
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    gpu_end_text ends = { 0 };
    const bool in_order = product_in_order(r->p, &r->operand[2]);
    mma_declare_result(r, &w, false);
    /* What moves along a row of C, of an entry, as of a pointer to it. */
    gpu_declare(g, "uint", "across_c", r->operand[2].stride[r->p->batch_ndim]);
    text_add(&g->body, "i64 c = 0;\n");
    product_print_batch(g, r->p, r->operand, 2, 3);
    text_add(&g->body, "const uint first_c = (uint)c;\n");
    gpu_print_ends(g, &(gpu_end_place){ in_order ? r->p->n : 0, "entry * m + row", "first_c + row * across_c + col" },
                   &ends);
    g->body.failed |= ends.four.failed;
    for (int i = 0; i < ends.n_sums; i++)
        text_add(&g->body, "float sums%d[4] = { 0.0f, 0.0f, 0.0f, 0.0f };\n", ends.sum[i].of);
    gpu_word(&w, "ends", ends.four.data ? ends.four.data : "");
    mma_fragment_words(r, &w);
    mma_place_words(&w, a, b);
    add_stage_words(r, &w);
    gpu_fill_in(g, &w, mma_stage_text);
    print_columns(r, &ends);
    text_add(&g->body, "}\n");
    text_free(&ends.four);
}
