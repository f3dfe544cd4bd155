/* Products of 16-bit numbers on matrix units (bodies/mma_*.txt), words of CUDA (kernelgen/gpu/cuda.txt): tiles of A and
 * B come to memory of the group while others are multiplied, of which each warp adds up its part of C in registers, as
 * F32. Tiles lie as their operands do: in rows across k, each of neighbours along k, or the other way round. */
#include "product.h"

#include <stdlib.h>

#include "mma_fetch_text.h"
#include "mma_place_text.h"
#include "mma_put_text.h"
#include "mma_read_text.h"
#include "mma_side_text.h"
#include "mma_store_text.h"

enum { CHUNK = 8 /* numbers, 16 bytes */ };

typedef struct product {
    gpu_print *g;
    const flat_gemm    *p;
    const flat_operand *operand;
    const mma_tiling   *how;
} product;

/* ---- A and B ------------------------------------------------------------------------------------------- */

/* A seen as (m, k), B as (n, k): one extent is C's, the other the common one. */
typedef struct side {
    char    name;
    int     width;           /* of the tile across k */
    int64_t across, along;   /* strides */
    bool    by_k;            /* neighbours in memory are along k */
    int     vector;          /* numbers a copy */
    gpu_words words;
} side;

/* Copies of a whole chunk, of parts of it, and, where neighbours are not aligned or are none, number by number, which
 * wait in registers until the tiles before are multiplied. */
static const char *const copy_chunk[][2] = {
    { "copy", "CP_ASYNC_16(to, from, $valid(0, 8));" },
    { "put", "" },
    { "got", "" },
};
static const char *const copy_parts[][2] = {
    { "copy", "{\n"
              "        #pragma unroll\n"
              "        for (uint e = 0; e < 8; e += $vector)\n"
              "            $piece((LOCAL ushort *)to + e, from + e, $valid(e, $vector));\n"
              "    }" },
    { "put", "" },
    { "got", "" },
};
static const char *const copy_one[][2] = {
    { "copy", "{\n"
              "        #pragma unroll\n"
              "        for (uint e = 0; e < 8; e += 2)\n"
              "            got_$x[4 * s + e / 2] = (uint)(e < left ? from[e * unit_$x] : (ushort)0) |\n"
              "                                    (uint)(e + 1 < left ? from[(e + 1) * unit_$x] : (ushort)0) << 16;\n"
              "    }" },
    { "put", "{\n"
             "        uint4 q;\n"
             "        q.x = got_$x[4 * s];\n"
             "        q.y = got_$x[4 * s + 1];\n"
             "        q.z = got_$x[4 * s + 2];\n"
             "        q.w = got_$x[4 * s + 3];\n"
             "        *to = q;\n"
             "    }" },
    { "got", "uint got_$x[4 * $loads];" },
};

/* How many neighbours can be copied at a time, of an operand whose first element is `at` bytes into its block. */
static int copied(const product *r, const side *s, const flat_operand *o, int64_t at) {
    int64_t other = s->by_k ? s->across : s->along;
    if ((s->by_k ? s->along : s->across) != 1) return 1;
    for (int v = CHUNK; v > 1; v /= 2) {
        bool aligned = other % v == 0 && at % (2 * v) == 0;
        for (int32_t d = 0; d < r->p->batch_ndim; d++) aligned &= o->stride[d] % v == 0;
        if (aligned) return v;
    }
    return 1;
}

/* By a lane's number l: of the matrices of a fragment, two by two, the first two lie in A one above the other, in B one
 * beside the other, seen as the tile lies. */
static void add_place_words(const product *r, side *s) {
    gpu_words *w = &s->words;
    const mma_tile *t = r->how->tile;
    const bool above = (s->name == 'a') == s->by_k;
    const int chunks = (s->by_k ? t->bk : s->width) / CHUNK, repeat = MAX2(CHUNK / chunks, 1);
    gpu_word(w, "row", above ? "lane % 16" : "lane % 8 + lane % 32 / 16 * 8");
    gpu_word(w, "half", above ? "lane % 32 / 16" : "lane / 8 % 2");
    gpu_word_printed(w, "turned", "($1) / %d %% %d", repeat, MIN2(chunks, CHUNK));
    product_word_count(w, "chunks", chunks);
    product_word_count(w, "apart", mma_threads(t) / chunks);
}

static void add_side_words(const product *r, side *s) {
    gpu_words *w = &s->words;
    const mma_tile *t = r->how->tile;
    const int all = s->width * t->bk / CHUNK;
    const int64_t extent = s->name == 'a' ? r->p->m : r->p->n;
    const char *first = s->name == 'a' ? "first_a" : "first_b", *last = s->name == 'a' ? "m" : "n";
    add_place_words(r, s);
    gpu_word_printed(w, "x", "%c", s->name);
    gpu_word(w, "outer", s->by_k ? first : "at");
    gpu_word(w, "outerend", s->by_k ? last : "end");
    gpu_word(w, "inner", s->by_k ? "at" : first);
    gpu_word(w, "innerend", s->by_k ? "end" : last);
    gpu_word(w, "far", s->by_k ? "across" : "along");
    gpu_word(w, "near", s->by_k ? "along" : "across");
    gpu_word(w, "how", s->by_k ? "LDMATRIX_X4" : "LDMATRIX_X4_TRANS");
    gpu_word(w, "at", s->by_k ? "(my_$x + i * 16 + row) * $chunks + ((l / 8 + half) ^ turned)"
                              : "(l + row) * $chunks + ((my_$x / 8 + i * 2 + half) ^ turned)");
    product_word_count(w, "size", all);
    product_word_count(w, "loads", all / mma_threads(t));
    product_word_count(w, "threads", mma_threads(t));
    product_word_count(w, "bk", t->bk);
    product_word_count(w, "vector", s->vector);
    product_word_count(w, "count", s->name == 'a' ? t->bm / t->wm / 16 : t->bn / t->wn / 16);
    gpu_word(w, "piece", s->vector == 4 ? "CP_ASYNC_8" : "CP_ASYNC_4");
    gpu_word(w, "valid", (s->by_k ? r->p->k : extent) % s->vector == 0
                             ? "left > $1 ? 2 * $2 : 0"
                             : "left >= $1 + $2 ? 2 * $2 : left > $1 ? 2 * (left - $1) : 0");
    if (s->vector == CHUNK) PRODUCT_WORDS(w, copy_chunk);
    else if (s->vector > 1) PRODUCT_WORDS(w, copy_parts);
    else PRODUCT_WORDS(w, copy_one);
}

/* Declares the operand and its strides. */
static side begin_side(const product *r, int which) {
    const flat_operand *o = &r->operand[which];
    const mma_tile *t = r->how->tile;
    const int64_t *stride = o->stride + r->p->batch_ndim;
    side s = which == 0 ? (side){ .name = 'a', .width = t->bm, .across = stride[0], .along = stride[1] }
                        : (side){ .name = 'b', .width = t->bn, .across = stride[1], .along = stride[0] };
    gpu_operand(r->g, which == 0 ? "a" : "b", o, false);
    s.by_k = s.along == 1 || (s.across != 1 && llabs(s.along) <= llabs(s.across));
    s.vector = copied(r, &s, o, product_last_number(r->g));
    gpu_declare(r->g, "i64", which == 0 ? "across_a" : "across_b", s.across);
    gpu_declare(r->g, "i64", which == 0 ? "along_a" : "along_b", s.along);
    add_side_words(r, &s);
    return s;
}

/* ---- C ------------------------------------------------------------------------------------------------- */

/* "result(sum, old, bias)": what becomes of a sum. */
static void declare_result(const product *r, gpu_words *w, bool partial, bool bias) {
    static const char *const results[2][2] = {
        { "alpha * $1", "alpha * $1 + $3" }, { "FMA(beta, $2, alpha * $1)", "FMA(beta, $2, alpha * $1) + $3" },
    };
    const bool beta = !partial && r->p->beta != 0;
    product_declare_real(r->g, "alpha", partial ? 1 : r->p->alpha, true);
    if (beta) product_declare_real(r->g, "beta", r->p->beta, true);
    gpu_word(w, "result", results[beta][bias]);
    gpu_word(w, "more", bias ? "col + e < n ? bias[col + e] : 0.0f" : "0.0f");
}

static const char *const write_one[][2] = {
    { "write", "#pragma unroll\n"
               "            for (uint e = 0; e < 4; e++)\n"
               "                if (row < m && col + e < n) $store(to[e], $result(sum[e], $load(to[e]), more[e]));" },
};
static const char *const write_four[][2] = {
    { "write", "if (row < m && col < n) {\n"
               "                $quad q;\n"
               "                $before\n"
               "                $fill\n"
               "                *(GLOBAL $quad *)to = q;\n"
               "            }" },
};
static const char *const fill_floats[][2] = {
    { "quad", "float4" },
    { "before", "const float4 old = *(GLOBAL const float4 *)to;" },
    { "fill", "q.x = $result(sum[0], old.x, more[0]);\n"
              "                q.y = $result(sum[1], old.y, more[1]);\n"
              "                q.z = $result(sum[2], old.z, more[2]);\n"
              "                q.w = $result(sum[3], old.w, more[3]);" },
};
static const char *const fill_halves[][2] = {
    { "quad", "uint2" },
    { "before", "const ushort4 old = *(GLOBAL const ushort4 *)to;" },
    { "fill", "q.x = $pack($result(sum[0], $load(old.x), more[0]),\n"
              "                            $result(sum[1], $load(old.y), more[1]));\n"
              "                q.y = $pack($result(sum[2], $load(old.z), more[2]),\n"
              "                            $result(sum[3], $load(old.w), more[3]));" },
};

/* Whether four neighbours of C can be stored at a time. */
static bool stores_fours(const product *r, int64_t across, int64_t size, bool partial) {
    bool four = r->p->n % 4 == 0 && across % 4 == 0 && product_last_number(r->g) % (4 * size) == 0;
    for (int32_t d = 0; d < r->p->batch_ndim && !partial; d++) four &= r->operand[2].stride[d] % 4 == 0;
    return four;
}

/* Rows of C, or of a part's in scratch. */
static void print_store(const product *r, bool partial) {
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    const tide_dtype type = partial ? TIDE_F32 : r->operand[2].type;
    const int64_t across = partial ? r->p->n : r->operand[2].stride[r->p->batch_ndim];
    const bool bias = !partial && g->kernel->n_operands == 4;
    if (partial) gpu_scratch(g, "c", "float", 0);
    else gpu_operand(g, "c", &r->operand[2], true);
    bool four = stores_fours(r, across, (int64_t)tide_dtype_size(type), partial);
    gpu_declare(g, "i64", "across_c", across);
    if (partial) {
        gpu_declare(g, "i64", "batches", r->p->batches);
        text_add(&g->body, "c += ((i64)part * batches + (i64)entry) * (i64)m * (i64)n;\n");
    } else product_print_batch(g, r->p, r->operand, 2, 3);
    if (bias) gpu_operand(g, "bias", &g->kernel->operands[3], false);
    declare_result(r, &w, partial, bias);
    gpu_word(&w, "M", gpu_memory_type(type));
    gpu_word_load(&w, type);
    gpu_word_store(&w, type);
    gpu_word(&w, "pack", type == TIDE_F16 ? "PACK_F16($1, $2)" : "PACK_BF16($1, $2)");
    if (partial || r->p->beta == 0) gpu_word(&w, "before", "");
    if (type == TIDE_F32) PRODUCT_WORDS(&w, fill_floats);
    else PRODUCT_WORDS(&w, fill_halves);
    product_word_count(&w, "tm", r->how->tile->bm / r->how->tile->wm / 16);
    product_word_count(&w, "tn", r->how->tile->bn / r->how->tile->wn / 8);
    if (four) PRODUCT_WORDS(&w, write_four);
    else PRODUCT_WORDS(&w, write_one);
    gpu_fill_in(g, &w, mma_store_text);
}

/* ---- the launch ---------------------------------------------------------------------------------------- */

static void print_place(const product *r) {
    gpu_words w = { 0 };
    const mma_tile *t = r->how->tile;
    const struct { const char *name; int value; } counts[] = {
        { "bm", t->bm }, { "bn", t->bn }, { "warpm", t->bm / t->wm }, { "warpn", t->bn / t->wn }, { "wn", t->wn },
        { "tm", t->bm / t->wm / 16 }, { "tn", t->bn / t->wn / 8 },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        product_word_count(&w, counts[i].name, counts[i].value);
    gpu_word(&w, "within", r->how->parts > 1 || r->p->batches > 1 ? " % high" : "");
    gpu_fill_in(r->g, &w, mma_place_text);
}

/* What was fetched goes to where it is read, if it is not on the way there. */
static void print_put(const product *r, const side *a, const side *b) {
    const side *const sides[] = { a, b };
    for (int i = 0; i < 2; i++)
        if (sides[i]->vector == 1) gpu_fill_in(r->g, &sides[i]->words, mma_put_text);
}

static void print_fetch(const product *r, const side *a, const side *b, bool put) {
    gpu_fill_in(r->g, &a->words, mma_fetch_text);
    gpu_fill_in(r->g, &b->words, mma_fetch_text);
    text_add(&r->g->body, "CP_ASYNC_COMMIT;\n");
    if (put) print_put(r, a, b);
    text_add(&r->g->body, "at += %d;\n", r->how->tile->bk);
}

/* "i = (i + 1) % stages" */
static void print_next(const product *r, const char *name) {
    text_add(&r->g->body, "%s = %s == %d ? 0 : %s + 1;\n", name, name, r->how->tile->stages - 1, name);
}

static void print_multiply(const product *r, const side *a, const side *b) {
    text *out = &r->g->body;
    const mma_tile *t = r->how->tile;
    text_add(out, "#pragma unroll\nfor (uint l = 0; l < %d; l += 16) {\n", t->bk);
    gpu_fill_in(r->g, &a->words, mma_read_text);
    gpu_fill_in(r->g, &b->words, mma_read_text);
    text_add(out, "    #pragma unroll\n    for (uint i = 0; i < %d; i++) {\n        #pragma unroll\n"
                  "        for (uint j = 0; j < %d; j++)\n"
                  "            %s(sums[i][j], of_a[i], of_b[j / 2] + j %% 2 * 2);\n    }\n}\n",
             t->bm / t->wm / 16, t->bn / t->wn / 8, r->operand[0].type == TIDE_F16 ? "MMA_F16" : "MMA_BF16");
}

/* All stages but one are fetched; then each is waited for, and multiplied while what comes after the others is fetched
 * to where the last was read before the barrier. Where sums leave it no registers it is put there at once. */
static void print_loop(const product *r, const side *a, const side *b) {
    text *out = &r->g->body;
    const mma_tile *t = r->how->tile;
    const bool at_once = t->bm * t->bn / mma_threads(t) > 64;
    text_add(out, "#pragma unroll\nfor (uint stage = 0; stage < %d; stage++) {\n", t->stages - 1);
    print_fetch(r, a, b, true);
    print_next(r, "fill");
    text_add(out, "}\nuint turn = 0;\nwhile (done < end) {\nCP_ASYNC_WAIT(%d);\nSYNC;\n", t->stages - 2);
    print_fetch(r, a, b, at_once);
    print_multiply(r, a, b);
    if (!at_once) print_put(r, a, b);
    print_next(r, "fill");
    print_next(r, "turn");
    text_add(out, "done += %d;\n}\n", t->bk);
}

void gpu_print_mma(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], const mma_tiling *how) {
    const mma_tile *t = how->tile;
    const bool partial = how->parts > 1;
    product r = { g, p, operand, how };
    text_add(&g->body, "{\nLOCAL_ARRAY(uint4, room_a, %d);\nLOCAL_ARRAY(uint4, room_b, %d);\nBEGIN\n",
             t->stages * t->bm * t->bk / CHUNK, t->stages * t->bn * t->bk / CHUNK);
    gpu_declare(g, "uint", "m", p->m);
    gpu_declare(g, "uint", "n", p->n);
    side a = begin_side(&r, 0), b = begin_side(&r, 1);
    print_place(&r);
    product_print_part(g, p, how->parts, how->length);
    product_print_batch(g, p, operand, 0, 2);
    text_add(&g->body, "uint at = done, fill = 0;\n");
    gpu_fill_in(g, &a.words, mma_side_text);
    gpu_fill_in(g, &b.words, mma_side_text);
    print_loop(&r, &a, &b);
    print_store(&r, partial);
    g->threads = mma_threads(t);
    g->groups = ceil_div(p->m, t->bm) * ceil_div(p->n, t->bn) * how->parts * p->batches;
    g->more = partial;
}
