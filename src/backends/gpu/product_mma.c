/* Products on matrix units (bodies/mma_*.txt), words of CUDA (kernelgen/gpu/cuda.txt): tiles of A and B come to memory
 * of the group while others are multiplied, of which each warp adds up its part of C in registers, as F32.
 *
 * Of F32 each number is two of TF32, the number rounded and the rest, which miss two units of its last place at most:
 * of their products all but that of rests are added, those with a rest apart. The units cut sums off instead of
 * rounding them, so no more than eight products are added there before ordinary arithmetic takes over: the result is as
 * near to the exact one as that of plain F32, for long sums nearer. What is not finite has no such halves; a tile with
 * such a number is multiplied again, plainly. */
#include "product_mma.h"

#include "mma_again_text.h"
#include "mma_fetch_text.h"
#include "mma_leave_text.h"
#include "mma_multiply_split_text.h"
#include "mma_one_text.h"
#include "mma_place_text.h"
#include "mma_plain_text.h"
#include "mma_put_text.h"
#include "mma_read_text.h"
#include "mma_side_text.h"
#include "mma_split_text.h"

static void print_place(const mma_product *r) {
    gpu_words w = { 0 };
    const mma_tile *t = r->how->tile;
    const struct { const char *name; int value; } counts[] = {
        { "bm", t->bm }, { "bn", t->bn }, { "warpm", t->bm / t->wm }, { "warpn", t->bn / t->wn },
        { "length", t->bk / t->wk },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        gpu_word_count(&w, counts[i].name, counts[i].value);
    mma_fragment_words(r, &w);
    gpu_word(&w, "within", r->how->parts > 1 || r->p->batches > 1 ? " % high" : "");
    gpu_word(&w, "begin", r->split ? "float rest[$tm][$tn][4];\n$zero(rest)" : "");
    gpu_fill_in(r->g, &w, mma_place_text);
}

/* What was fetched goes to where it is read, if it is not on the way there. */
static void print_put(const mma_product *r, const mma_side *a, const mma_side *b) {
    const mma_side *const sides[] = { a, b };
    for (int i = 0; i < 2; i++)
        if (sides[i]->vector * r->size == 2) gpu_fill_in(r->g, &sides[i]->words, mma_put_text);
}

static void print_fetch(const mma_product *r, const mma_side *a, const mma_side *b, bool put) {
    gpu_fill_in(r->g, &a->words, mma_fetch_text);
    gpu_fill_in(r->g, &b->words, mma_fetch_text);
    text_add(&r->g->body, "CP_ASYNC_COMMIT;\n");
    if (put) print_put(r, a, b);
    text_add(&r->g->body, "at += %d;\n", r->how->tile->bk);
}

/* "i = (i + 1) % stages" */
static void print_next(const mma_product *r, const char *name) {
    text_add(&r->g->body, "%s = %s == %d ? 0 : %s + 1;\n", name, name, r->how->tile->stages - 1, name);
}

/* The next tiles are asked for behind the first fragments, which the units then wait for alone. */
static void print_multiply(const mma_product *r, const mma_side *a, const mma_side *b, bool put) {
    text *out = &r->g->body;
    const mma_tile *t = r->how->tile;
    text_add(out, "#pragma unroll\nfor (uint l = 0; l < %d; l += %d) {\n", t->bk / t->wk, MMA_DEPTH / r->size);
    gpu_fill_in(r->g, &a->words, mma_read_text);
    gpu_fill_in(r->g, &b->words, mma_read_text);
    text_add(out, "if (l == 0) {\n");
    print_fetch(r, a, b, put);
    text_add(out, "}\n");
    if (r->split) {
        gpu_words w = { 0 };
        mma_fragment_words(r, &w);
        gpu_fill_in(r->g, &a->words, mma_split_text);
        gpu_fill_in(r->g, &b->words, mma_split_text);
        gpu_fill_in(r->g, &w, mma_multiply_split_text);
        return;
    }
    text_add(out, "    #pragma unroll\n    for (uint i = 0; i < %d; i++) {\n        #pragma unroll\n"
                  "        for (uint j = 0; j < %d; j++)\n"
                  "            %s(sums[i][j], of_a[i], of_b[j / 2] + j %% 2 * 2);\n    }\n}\n",
             t->bm / t->wm / 16, t->bn / t->wn / 8, r->operand[0].type == TIDE_F16 ? "MMA_F16" : "MMA_BF16");
}

/* The same in arithmetic of F32. */
static void print_multiply_plainly(const mma_product *r, const mma_side *a, const mma_side *b) {
    gpu_words w = { 0 };
    const mma_tile *t = r->how->tile;
    mma_fragment_words(r, &w);
    text_add(&r->g->body, "#pragma unroll 1\nfor (uint l = my_k; l < my_k + %d; l++) {\n", t->bk / t->wk);
    gpu_fill_in(r->g, &a->words, mma_one_text);
    gpu_fill_in(r->g, &b->words, mma_one_text);
    gpu_fill_in(r->g, &w, mma_plain_text);
}

/* All stages but one are fetched; then each is waited for, and multiplied while what comes after the others is fetched
 * to where the last was read before the barrier. Where sums leave it no registers it is put there at once. */
static void print_loop(const mma_product *r, const mma_side *a, const mma_side *b, bool plainly) {
    text *out = &r->g->body;
    const mma_tile *t = r->how->tile;
    const bool at_once = t->bm * t->bn / mma_threads(t) > 64;
    text_add(out, "#pragma unroll\nfor (uint stage = 0; stage < %d; stage++) {\n", t->stages - 1);
    print_fetch(r, a, b, true);
    print_next(r, "fill");
    text_add(out, "}\nwhile (done < end) {\nCP_ASYNC_WAIT(%d);\nSYNC;\n", t->stages - 2);
    if (plainly) print_fetch(r, a, b, at_once), print_multiply_plainly(r, a, b);
    else print_multiply(r, a, b, at_once);
    if (!at_once) print_put(r, a, b);
    print_next(r, "fill");
    print_next(r, "turn");
    text_add(out, "done += %d;\n}\n", t->bk);
}

static void print_sums(const mma_product *r, const mma_side *a, const mma_side *b) {
    gpu_words w = { 0 };
    mma_fragment_words(r, &w);
    print_loop(r, a, b, false);
    if (r->split) {
        gpu_fill_in(r->g, &w, mma_again_text);
        print_loop(r, a, b, true);
        text_add(&r->g->body, "}\n");
    }
    if (r->how->tile->wk == 1 || r->g->n_ends) return;
    mma_sum_words(r, &w, a, b);
    gpu_fill_in(r->g, &w, mma_leave_text);
}

void gpu_print_mma(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], const mma_tiling *how) {
    const mma_tile *t = how->tile;
    const bool partial = how->parts > 1;
    mma_product r = { g, p, operand, how, .size = (int)tide_dtype_size(operand[0].type),
                  .split = operand[0].type == TIDE_F32 };
    const int room = t->stages * t->bk * r.size / MMA_CHUNK;
    text_add(&g->body, "{\nLOCAL_ARRAY(uint4, room_a, %d);\nBEGIN\nLOCAL uint4 *const room_b = room_a + %d;\n",
             room * (t->bm + t->bn), room * t->bm);
    gpu_declare(g, "uint", "m", p->m);
    gpu_declare(g, "uint", "n", p->n);
    mma_side a = mma_begin_side(&r, 0), b = mma_begin_side(&r, 1);
    print_place(&r);
    product_print_part(g, p, how->parts, how->length);
    product_print_batch(g, p, operand, 0, 2);
    text_add(&g->body, "uint at = done, fill = 0, turn = 0;\nconst uint begin = done;\n");
    gpu_fill_in(g, &a.words, mma_side_text);
    gpu_fill_in(g, &b.words, mma_side_text);
    print_sums(&r, &a, &b);
    if (g->n_ends) mma_print_ends(&r, &a, &b);
    else mma_print_store(&r, &a, &b, partial);
    g->threads = mma_threads(t);
    g->groups = ceil_div(p->m, t->bm) * ceil_div(p->n, t->bn) * how->parts * p->batches;
    g->more = partial;
}
