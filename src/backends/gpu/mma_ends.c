/* C of a product on matrix units where maps go on with it (ends.c): by way of the group's memory, so that what is made
 * of it stands once in the text, and a thread has the same columns of many rows. */
#include "product_mma.h"

#include "mma_stage_text.h"
#include "mma_staged_text.h"

static int pitch_of(const mma_tile *t) { return t->bn % 32 ? t->bn : t->bn + 16; }  /* rows by turns in other banks */

/* Rows that are staged at a time, such that they fit in the memory of the tiles; a warp's are of one time. */
static int staged_rows(const mma_product *r) {
    const mma_tile *t = r->how->tile;
    int high = t->bm;
    const int room = t->stages * t->bk * (t->bm + t->bn) * r->size;
    while (high > t->bm / t->wm && high * pitch_of(t) * t->wk * (int)sizeof(float) > room) high /= 2;
    return high;
}

void mma_print_ends(const mma_product *r, const mma_side *a, const mma_side *b) {
    const mma_tile *t = r->how->tile;
    const int high = staged_rows(r);
    gpu_words w = { 0 };
    mma_declare_result(r->g, r->p, &w, false);
    product_ends ends = product_ends_begin(r->g, r->p, r->operand, (end_tile){ t->bm, t->bn, mma_threads(t), high });
    product_ends_words(&ends, &w);
    gpu_word(&w, "before", "");
    gpu_word(&w, "take", mma_staged_text);
    gpu_word_count(&w, "pitch", pitch_of(t));
    gpu_word_count(&w, "rounds", t->bm / high);
    mma_fragment_words(r, &w);
    mma_place_words(&w, a, b);
    gpu_fill_in(r->g, &w, mma_stage_text);
    product_ends_finish(r->g, r->p, &ends, "staged");
    text_add(&r->g->body, "}\n");
}
