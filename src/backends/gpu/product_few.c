/* Products of few terms whose maps they carry out (ends.c): the maps are nearly all of the work, so a group's part of A
 * and B is read at once, and a thread adds up its four neighbours of several rows just before it goes on with them. */
#include "product_mma.h"

#include "few_rows_text.h"
#include "few_sums_text.h"
#include "few_tile_text.h"

enum { MOST_TERMS = 16, ROWS = 64, COLUMNS = 64, THREADS = 256 };

bool product_is_few(const flat_gemm *p, const flat_operand operand[3]) {
    bool real = operand[0].type != TIDE_F64 && operand[1].type != TIDE_F64;
    return real && p->k > 0 && p->k <= MOST_TERMS && p->beta == 0;
}

static int columns_of(const flat_gemm *p) {
    int bn = COLUMNS;
    while (bn > 8 && bn / 2 >= p->n) bn /= 2;
    return bn;
}

static end_tile tile_of(const flat_gemm *p) {
    const int bn = columns_of(p), bm = MAX2(ROWS, THREADS / (bn / 4));
    return (end_tile){ bm, bn, THREADS, bm };
}

int64_t product_few_rows(const flat_gemm *p) { return tile_of(p).bm; }

/* Of A, seen as (m, k), or of B, as (n, k): its strides, and how threads go through `width` x k of it. */
static void add_side(gpu_print *g, gpu_words *w, const flat_gemm *p, const flat_operand operand[3], int which,
                     int width) {
    static const char *const names[2][6] = {
        { "a", "across_a", "along_a", "rowofa", "lofa", "loada" },
        { "b", "across_b", "along_b", "rowofb", "lofb", "loadb" },
    };
    const char *const *name = names[which];
    const flat_operand *o = &operand[which];
    const int64_t *stride = o->stride + p->batch_ndim;
    const int64_t across = stride[which], along = stride[!which];
    const bool by_k = along == 1;
    gpu_operand(g, name[0], o, false);
    gpu_declare(g, "i64", name[1], across);
    gpu_declare(g, "i64", name[2], along);
    gpu_word_printed(w, name[3], by_k ? "at / %d" : "at %% %d", by_k ? (int)p->k : width);
    gpu_word_printed(w, name[4], by_k ? "at %% %d" : "at / %d", by_k ? (int)p->k : width);
    text load = { 0 };
    gpu_load(&load, o->type, "$1");
    gpu_word_printed(w, name[5], "%s", load.data ? load.data : "");
    text_free(&load);
}

void gpu_print_few(gpu_print *g, const flat_gemm *p, const flat_operand operand[3]) {
    const end_tile tile = tile_of(p);
    gpu_words w = { 0 };
    text_add(&g->body, "{\nLOCAL_ARRAY(float, tile_a, %d);\nLOCAL_ARRAY(float4, room_b, %d);\n"
                       "LOCAL_ARRAY(float, parts, %d);\nBEGIN\nLOCAL float *const tile_b = (LOCAL float *)room_b;\n",
             tile.bm * (int)p->k, tile.bn * (int)p->k / 4, 4 * tile.threads);
    gpu_declare(g, "uint", "m", p->m);
    gpu_declare(g, "uint", "n", p->n);
    gpu_word_count(&w, "bm", tile.bm);
    gpu_word_count(&w, "bn", tile.bn);
    gpu_word_count(&w, "k", p->k);
    gpu_word_count(&w, "threads", tile.threads);
    gpu_fill_in(g, &w, few_tile_text);
    add_side(g, &w, p, operand, 0, tile.bm);
    add_side(g, &w, p, operand, 1, tile.bn);
    product_print_batch(g, p, operand, 0, 2);
    mma_declare_result(g, p, &w, false);
    product_ends ends = product_ends_begin(g, p, operand, tile);
    product_ends_words(&ends, &w);
    gpu_word(&w, "before", few_sums_text);
    gpu_word(&w, "take", "#pragma unroll\n            for (uint e = 0; e < 4; e++) sum[e] = sums[t][e];");
    gpu_fill_in(g, &w, few_rows_text);
    product_ends_finish(g, p, &ends, "parts");
    text_add(&g->body, "}\n");
    g->threads = tile.threads;
    g->groups = ceil_div(p->m, tile.bm) * ceil_div(p->n, tile.bn) * p->batches;
}
