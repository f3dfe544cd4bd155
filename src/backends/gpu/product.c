/* Products: tiles of C through memory of the group (bodies/product_*.txt), whose size follows those of the product, so
 * that small ones too have work for all multiprocessors. Where that needs it, the common dimension is cut into parts: a
 * first launch leaves the products of the parts in scratch, a second adds them in order. Every sum goes by the order of
 * k, so that what is not cut has the same bits by every tile. A bias is added, and a result rounded to 16 bits, where C
 * is stored. */
#include "fill.h"
#include "product.h"
#include "tiling.h"

#include <stdio.h>
#include <stdlib.h>

#include "product_add_text.h"
#include "product_fetch_text.h"
#include "product_place_text.h"
#include "product_put_text.h"
#include "product_read_text.h"
#include "product_side_text.h"
#include "product_store_text.h"
#include "product_sum_text.h"

enum { SUM_THREADS = 256 };

/* ---- what is printed ----------------------------------------------------------------------------------- */

typedef struct product {
    gpu_print *g;
    const char *real;   /* what sums are made in */
    int64_t     size;   /* its bytes */
    int         type;   /* of C */
    const char *index;  /* counts elements of an operand */
    flat_gemm   p;      /* its batch without dimensions that can go with their neighbour */
    flat_operand operand[3];
    tiling      how;
} product;

/* ---- A and B ------------------------------------------------------------------------------------------- */

/* A seen as (m, k), B as (n, k): one extent is C's, the other the common one. */
typedef struct side {
    char    name;
    int     type, width, t, wx;      /* of the tile across k, of a thread there, threads of a warp there */
    int64_t extent, k, across, along;  /* strides */
    bool    by_k;                    /* neighbours in memory are along k */
    int     vector;                  /* numbers a load */
    gpu_words words;
} side;

/* Loads by fours: all four are inside or all outside. Those along k are put across the tile's rows. 16-bit numbers are
 * widened when they are put, as nobody waits for them before. */
static const char *const by_one[][2] = {
    { "fetch", "got_$x[s] = done + l < end ? $x[at_$x[s]] : ($M)0;" },
    { "step", "#pragma unroll\nfor (uint s = 0; s < $loads; s++) at_$x[s] += ($I)$along * $bk;" },
    { "put", "*to = $load(got_$x[s]);" },
};
static const char *const by_four[][2] = {
    { "fetch", "{\n"
               "        got_$x[4 * s] = got_$x[4 * s + 1] = got_$x[4 * s + 2] = got_$x[4 * s + 3] = 0;\n"
               "        if (done + l < end) {\n"
               "            const $quad q = *(GLOBAL const $quad *)($x + at_$x[s]);\n"
               "            got_$x[4 * s] = q.x;\n"
               "            got_$x[4 * s + 1] = q.y;\n"
               "            got_$x[4 * s + 2] = q.z;\n"
               "            got_$x[4 * s + 3] = q.w;\n"
               "        }\n"
               "    }" },
    { "step", "$x += (i64)$along * $bk;" },
};
static const char *const put_by_k[][2] = {
    { "put", "{\n"
             "        #pragma unroll\n"
             "        for (uint i = 0; i < 4; i++) to[i * $pitch] = $load(got_$x[4 * s + i]);\n"
             "    }" },
};
static const char *const put_four[][2] = {
    { "put", "{\n"
             "        float4 q;\n"
             "        q.x = $load(got_$x[4 * s]);\n"
             "        q.y = $load(got_$x[4 * s + 1]);\n"
             "        q.z = $load(got_$x[4 * s + 2]);\n"
             "        q.w = $load(got_$x[4 * s + 3]);\n"
             "        *(LOCAL float4 *)to = q;\n"
             "    }" },
};
/* Of the tile, by a thread: a chunk. */
static const char *const read_one[][2] = {
    { "read", "#pragma unroll\n        for (uint j = 0; j < $chunk; j++) of_$x[i + j] = from[j];" },
};
static const char *const read_four[][2] = {
    { "read", "const float4 q = *(LOCAL const float4 *)from;\n"
              "        of_$x[i] = q.x;\n"
              "        of_$x[i + 1] = q.y;\n"
              "        of_$x[i + 2] = q.z;\n"
              "        of_$x[i + 3] = q.w;" },
};

/* Whether four neighbours can be loaded at a time, of an operand whose first element is `at` bytes into its block. */
static bool has_fours(const product *r, const side *s, const flat_operand *o, int64_t at) {
    int64_t unit = s->by_k ? s->along : s->across, other = s->by_k ? s->across : s->along;
    bool four = s->type != TIDE_F64 && unit == 1 && other % 4 == 0 && (s->by_k ? s->k : s->extent) % 4 == 0 &&
                at % (4 * (int64_t)tide_dtype_size(o->type)) == 0;
    for (int32_t d = 0; d < r->p.batch_ndim; d++) four &= o->stride[d] % 4 == 0;
    return four;
}

static void add_side_words(const product *r, side *s) {
    gpu_words *w = &s->words;
    const int bk = r->how.tile->bk, threads = tile_threads(r->how.tile), chunk = MIN2(s->t, 4);
    const int row = s->by_k ? bk : s->width, all = s->width * bk / s->vector, loads = (all + threads - 1) / threads;
    const struct { const char *name; int value; } counts[] = {
        { "bk", bk }, { "threads", threads }, { "loads", loads }, { "vector", s->vector },
        { "last", s->by_k ? 1 : s->vector }, { "pitch", tile_pitch(s->width) }, { "t", s->t }, { "chunk", chunk },
        { "apart", s->wx * chunk },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) gpu_word_count(w, counts[i].name, counts[i].value);
    gpu_word_printed(w, s->by_k ? "l" : "o", "v %% %d * %d", row / s->vector, s->vector);
    gpu_word_printed(w, s->by_k ? "o" : "l", "v / %d", row / s->vector);
    gpu_word_printed(w, "guard", all % threads ? "if (v < %d) " : "", all);  /* the last load is not for all threads */
    gpu_word_printed(w, "x", "%c", s->name);
    gpu_word(w, "extent", s->name == 'a' ? "m" : "n");
    gpu_word(w, "along", s->along == 1 ? "1" : s->name == 'a' ? "along_a" : "along_b");
    gpu_word(w, "R", r->real);
    gpu_word(w, "I", r->index);
    gpu_word(w, "M", gpu_memory_type(s->type));
    gpu_word(w, "quad", s->type == TIDE_F32 ? "float4" : "ushort4");
    gpu_word_load(w, s->type);
    if (s->vector == 1) GPU_WORD_TABLE(w, by_one);
    else GPU_WORD_TABLE(w, by_four);
    if (s->vector == 4 && s->by_k) GPU_WORD_TABLE(w, put_by_k);
    else if (s->vector == 4) GPU_WORD_TABLE(w, put_four);
    if (chunk == 4 && r->size == 4) GPU_WORD_TABLE(w, read_four);
    else GPU_WORD_TABLE(w, read_one);
}

/* Declares the operand and its strides. */
static side begin_side(product *r, int which) {
    const flat_gemm *p = &r->p;
    const flat_operand *o = &r->operand[which];
    const tile *t = r->how.tile;
    const int64_t *stride = o->stride + p->batch_ndim;
    side s = which == 0 ? (side){ 'a', o->type, t->bm, t->tm, TILE_WARP / t->wx, p->m, p->k, stride[0], stride[1] }
                        : (side){ 'b', o->type, t->bn, t->tn, t->wx, p->n, p->k, stride[1], stride[0] };
    gpu_operand(r->g, which == 0 ? "a" : "b", o, false);
    s.by_k = s.along == 1 || (s.across != 1 && llabs(s.along) <= llabs(s.across));
    s.vector = has_fours(r, &s, o, product_last_number(r->g)) ? 4 : 1;
    gpu_declare(r->g, r->index, which == 0 ? "across_a" : "across_b", s.across);
    if (s.along != 1) gpu_declare(r->g, r->index, which == 0 ? "along_a" : "along_b", s.along);
    add_side_words(r, &s);
    return s;
}

/* ---- C ------------------------------------------------------------------------------------------------- */

/* "result(sum, old, column)": what becomes of a sum. */
static void declare_result(product *r, gpu_words *w, bool partial) {
    const bool bias = !partial && r->g->kernel->n_operands == 4;
    product_declare_real(r->g, "alpha", partial ? 1 : r->p.alpha, r->size == 4);
    if (bias) gpu_operand(r->g, "bias", &r->g->kernel->operands[3], false);
    gpu_word(w, "result", bias ? "$scaled($1, $2) + bias[$3]" : "$scaled($1, $2)");
    gpu_word(w, "M", partial ? r->real : gpu_memory_type(r->type));
    gpu_word_load(w, partial ? TIDE_F32 : r->type);
    gpu_word_store(w, partial ? TIDE_F32 : r->type);
    if (partial || r->p.beta == 0) {
        gpu_word(w, "scaled", "alpha * $1");
        return;
    }
    product_declare_real(r->g, "beta", r->p.beta, r->size == 4);
    gpu_word(w, "scaled", r->size == 4 ? "FMA(beta, $2, alpha * $1)" : "FMA_D(beta, $2, alpha * $1)");
}

static const char *const write_one[][2] = {
    { "write", "#pragma unroll\n"
               "        for (uint e = 0; e < $cn; e++)\n"
               "            if (row < m && col + e < n)\n"
               "                $store(to[e], $result(sums[i][j + e], $load(to[e]), col + e));" },
};
static const char *const write_four[][2] = {
    { "write", "if (row < m && col < n) {\n"
               "            $quad q;\n"
               "            $before\n"
               "            $store(q.x, $result(sums[i][j], $load(old.x), col));\n"
               "            $store(q.y, $result(sums[i][j + 1], $load(old.y), col + 1));\n"
               "            $store(q.z, $result(sums[i][j + 2], $load(old.z), col + 2));\n"
               "            $store(q.w, $result(sums[i][j + 3], $load(old.w), col + 3));\n"
               "            *(GLOBAL $quad *)to = q;\n"
               "        }" },
};

/* Rows of C, or of a part's in scratch: after the loop, so that what only they need takes no registers before. */
static void print_store(product *r, gpu_words *w, bool partial) {
    gpu_print *g = r->g;
    const int64_t *stride = r->operand[2].stride;
    const int64_t across = partial ? r->p.n : stride[r->p.batch_ndim];
    const int64_t size = partial ? r->size : (int64_t)tide_dtype_size((tide_dtype)r->type);
    if (partial) gpu_scratch(g, "c", r->real, 0);
    else gpu_operand(g, "c", &r->operand[2], true);
    bool four = r->size == 4 && r->how.tile->tn % 4 == 0 && r->p.n % 4 == 0 && across % 4 == 0 &&
                product_last_number(g) % (4 * size) == 0;
    for (int32_t d = 0; d < r->p.batch_ndim && !partial; d++) four &= stride[d] % 4 == 0;
    gpu_declare(g, "i64", "across_c", across);
    if (partial) {
        gpu_declare(g, "i64", "batches", r->p.batches);
        text_add(&g->body, "c += ((i64)part * batches + (i64)entry) * (i64)m * (i64)n;\n");
    } else product_print_batch(g, &r->p, r->operand, 2, 3);
    declare_result(r, w, partial);
    gpu_word(w, "quad", size == 4 ? "float4" : "ushort4");
    gpu_word(w, "before", partial || r->p.beta == 0 ? "" : "const $quad old = *(GLOBAL const $quad *)to;");
    if (four) GPU_WORD_TABLE(w, write_four);
    else GPU_WORD_TABLE(w, write_one);
    gpu_fill_in(g, w, product_store_text);
}

/* ---- the launches -------------------------------------------------------------------------------------- */

static gpu_words tile_words(const product *r) {
    const tile *t = r->how.tile;
    const int cm = MIN2(t->tm, 4), cn = MIN2(t->tn, 4), wy = TILE_WARP / t->wx;
    const struct { const char *name; int value; } counts[] = {
        { "bm", t->bm }, { "bn", t->bn }, { "tm", t->tm }, { "tn", t->tn }, { "wx", t->wx }, { "cm", cm }, { "cn", cn },
        { "apartm", wy * cm }, { "apartn", t->wx * cn }, { "warpm", wy * t->tm }, { "warpn", t->wx * t->tn },
        { "warps", t->bn / (t->wx * t->tn) },
    };
    gpu_words w = { 0 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) gpu_word_count(&w, counts[i].name, counts[i].value);
    gpu_word(&w, "R", r->real);
    gpu_word(&w, "fma", r->size == 4 ? "FMA" : "FMA_D");
    return w;
}

/* Two tiles of each side: one is read while the next is put. */
static void print_rooms(product *r) {
    const tile *t = r->how.tile;
    const char *type = r->size == 4 ? "float4" : r->real;  /* so that four neighbours can be read at a time */
    int step = r->size == 4 ? 4 : 1;
    text_add(&r->g->body, "{\nLOCAL_ARRAY(%s, room_a, %d);\nLOCAL_ARRAY(%s, room_b, %d);\nBEGIN\n", type,
             2 * t->bk * tile_pitch(t->bm) / step, type, 2 * t->bk * tile_pitch(t->bn) / step);
}

static void print_fetch(product *r, const side *a, const side *b) {
    gpu_fill_in(r->g, &a->words, product_fetch_text);
    gpu_fill_in(r->g, &b->words, product_fetch_text);
}

/* What comes next is fetched into registers before what is there is multiplied, and put after. */
static void print_loop(product *r, const gpu_words *w, const side *a, const side *b) {
    text *out = &r->g->body;
    const tile *t = r->how.tile;
    print_fetch(r, a, b);
    text_add(out, "while (done < end) {\n");
    gpu_fill_in(r->g, &a->words, product_put_text);
    gpu_fill_in(r->g, &b->words, product_put_text);
    text_add(out, "SYNC;\ndone += %d;\n", t->bk);
    print_fetch(r, a, b);
    text_add(out, "#pragma unroll\nfor (uint l = 0; l < %d; l++) {\n    %s of_a[%d], of_b[%d];\n", t->bk, r->real,
             t->tm, t->tn);
    gpu_fill_in(r->g, &a->words, product_read_text);
    gpu_fill_in(r->g, &b->words, product_read_text);
    gpu_fill_in(r->g, w, product_add_text);
}

static void print_tiles(product *r) {
    gpu_print *g = r->g;
    const tile *t = r->how.tile;
    const bool partial = r->how.parts > 1;
    gpu_words w = tile_words(r);
    print_rooms(r);
    gpu_declare(g, "uint", "m", r->p.m);
    gpu_declare(g, "uint", "n", r->p.n);
    side a = begin_side(r, 0), b = begin_side(r, 1);
    gpu_fill_in(g, &w, product_place_text);
    product_print_part(g, &r->p, r->how.parts, r->how.length);
    product_print_batch(g, &r->p, r->operand, 0, 2);
    gpu_fill_in(g, &a.words, product_side_text);
    gpu_fill_in(g, &b.words, product_side_text);
    print_loop(r, &w, &a, &b);
    print_store(r, &w, partial);
    g->threads = tile_threads(t);
    g->groups = ceil_div(r->p.m, t->bm) * ceil_div(r->p.n, t->bn) * r->how.parts * r->p.batches;
    g->more = partial;
}

static void print_sum(product *r) {
    gpu_print *g = r->g;
    gpu_words w = { 0 };
    g->threads = MIN2(SUM_THREADS, g->limits->threads);
    g->groups = ceil_div(r->p.m * r->p.n * r->p.batches, g->threads);
    gpu_word(&w, "R", r->real);
    text_add(&g->body, "{\nBEGIN\n");
    gpu_scratch(g, "partial", r->real, 0);
    gpu_operand(g, "c", &r->operand[2], true);
    gpu_declare(g, "i64", "across_c", r->operand[2].stride[r->p.batch_ndim]);
    gpu_declare(g, "uint", "m", r->p.m);
    gpu_declare(g, "uint", "n", r->p.n);
    gpu_declare(g, "uint", "parts", r->how.parts);
    gpu_declare(g, "uint", "total", r->p.m * r->p.n * r->p.batches);
    text_add(&g->body, "const uint at = group * %d + lane, col = at %% n, row = at / n %% m, entry = at / n / m;\n",
             (int)g->threads);
    product_print_batch(g, &r->p, r->operand, 2, 3);
    declare_result(r, &w, false);
    gpu_fill_in(g, &w, product_sum_text);
}

static void print_parts(product *r) {
    if (product_sums_fours(r->g, &r->p, r->operand)) product_print_sum_fours(r->g, &r->p, r->operand, r->how.parts);
    else print_sum(r);
}

/* Unsigned, so that a compiler does not make it a pointer for each load, of twice the registers. */
static const char *index_type(const flat_program *p, const flat_kernel *k) {
    bool backwards = false;
    for (int i = 0; i < 2; i++)
        for (int32_t d = 0; d < 2; d++) backwards |= k->operands[i].stride[k->gemm.batch_ndim + d] < 0;
    return backwards || strcmp(gpu_index_type(p, k), "int") ? "i64" : "uint";
}

mma_tiling product_units(const flat_program *program, const flat_kernel *k, const flat_gemm *merged,
                         const gpu_limits *limits) {
    return gpu_mma_tiling(merged, k->operands[0].type, gpu_products_beside(program, k), limits);
}

void gpu_print_product(gpu_print *g, int launch) {
    const flat_kernel *k = g->kernel;
    const flat_gemm *p = &k->gemm;
    int type = k->operands[2].type == TIDE_F64 ? TIDE_F64 : TIDE_F32;
    if (p->m == 0 || p->n == 0 || p->batches == 0) return;
    if (type == TIDE_F64 && !g->limits->f64) { g->lacks = "the device has no float64 for a product"; return; }
    if (MAX2(p->m, MAX2(p->n, p->k)) > PRODUCT_MOST_SIZE) { g->lacks = "a product of sizes beyond 32 bits"; return; }
    product r = { .g = g, .real = gpu_register_type(type), .size = (int64_t)tide_dtype_size((tide_dtype)type),
                  .type = k->operands[2].type, .index = index_type(g->program, k) };
    product_merge(&r.p, r.operand, k);
    if (g->n_ends && product_is_few(&r.p, r.operand)) {
        gpu_print_few(g, &r.p, r.operand);
        return;
    }
    mma_tiling units = product_units(g->program, k, &r.p, g->limits);
    bool single = units.tile && k->operands[0].type == TIDE_F32;  /* a library has no matrix units for these */
    if (!single && !g->n_ends && gpu_take_product(g, &r.p, r.operand)) return;
    r.how = units.tile ? (tiling){ .parts = units.parts, .length = units.length } : gpu_tiling(&r.p, g->limits, r.size);
    if (!units.tile && !r.how.tile) { g->lacks = "a product in groups as small as the device's"; return; }
    g->scratch_bytes = r.how.parts > 1 ? r.how.parts * r.p.batches * r.p.m * r.p.n * r.size : 0;
    if (launch) print_parts(&r);
    else if (units.tile) gpu_print_mma(g, &r.p, r.operand, &units);
    else print_tiles(&r);
}

/* Of devices without matrix units: operands are widened when they are read, so that nothing but memory is saved. */
const char *gpu_lacks_products(tide_dtype half) { return (void)half, "it multiplies 16-bit numbers as float32"; }
