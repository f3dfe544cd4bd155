/* Products: tiles of C through memory of the group (product.txt), whose size follows those of the product, so that
 * small ones too have work for all multiprocessors. Where that needs it, the common dimension is cut into parts: a
 * first launch leaves the products of the parts in scratch, a second adds them in order. Every sum goes by the order of
 * k, so that what is not cut has the same bits by every tile. */
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "product_text.h"

/* ---- the tiles ----------------------------------------------------------------------------------------- */

enum { WARP = 32, SUM_THREADS = 256, MOST_PARTS = 256 };

/* A group computes bm x bn of C, bk of k at a time, a thread tm x tn of it: by chunks of up to four neighbours, which
 * lie as far apart as the threads beside it need. Threads go by warps of 32, wx across. */
typedef struct tile {
    int bm, bn, bk, tm, tn, wx;
    double rate;  /* of the arithmetic's peak, with enough groups on a multiprocessor ... */
    int    enough;  /* ... which is so many */
} tile;

static const tile tiles[] = {
    { 128, 128, 8, 8, 8, 8, 0.75, 2 },
    { 64, 64, 8, 8, 4, 8, 0.6, 3 },
    { 32, 32, 16, 4, 4, 8, 0.4, 6 },
    { 16, 16, 16, 4, 2, 8, 0.25, 8 },
    { 4, 128, 8, 4, 4, 32, 0.3, 10 },
    { 128, 4, 8, 4, 4, 1, 0.3, 10 },
};

/* What the tiling takes a device for; what it costs is counted in multiply-adds that a multiprocessor could do. */
enum { PROCESSORS = 132, BYTE = 3, LAUNCH = 800000, GROUP = 100000 };

static int threads_of(const tile *t) { return t->bm / t->tm * (t->bn / t->tn); }

static int pitch_of(int width) { return width + 4; }  /* so that what is stored across k meets different banks */

static int64_t local_bytes(const tile *t, int64_t size) {
    return 2 * t->bk * (pitch_of(t->bm) + pitch_of(t->bn)) * size;
}

static bool tile_fits(const tile *t, const gpu_limits *limits, int64_t size) {
    return threads_of(t) <= limits->threads && local_bytes(t, size) <= limits->local_bytes &&
           t->tm * t->tn * size <= 256;  /* in registers */
}

typedef struct tiling { const tile *tile; int64_t parts, length /* of a part */; double groups, cost; } tiling;

static tiling cost_of(const flat_gemm *p, const tile *t, int64_t size, int64_t wanted) {
    int64_t length = round_up(MAX2(ceil_div(p->k, wanted), 1), t->bk), parts = MAX2(ceil_div(p->k, length), 1);
    double groups = (double)(ceil_div(p->m, t->bm) * ceil_div(p->n, t->bn)) * (double)(p->batches * parts);
    double step = MAX2(t->bm * t->bn / t->rate, (double)((t->bm + t->bn) * size * BYTE));
    double rounds = groups / PROCESSORS, moved = (double)(p->m * p->n) * (double)p->batches;
    rounds = rounds < 4 ? (double)(int64_t)(rounds + 0.999) : rounds + 0.5;  /* the last is not full */
    double cost = MAX2(rounds, t->enough) * (step * (double)length + GROUP / t->enough);
    if (parts > 1) cost += LAUNCH + moved * (double)(2 * parts * size * BYTE) / PROCESSORS;
    return (tiling){ t, parts, length, groups, cost };
}

/* By sizes alone: the same on every device with these limits. */
static tiling choose(const flat_gemm *p, const gpu_limits *limits, int64_t size) {
    tiling best = { 0 };
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        if (!tile_fits(&tiles[i], limits, size)) continue;
        for (int64_t parts = 1; parts <= MOST_PARTS; parts++) {
            tiling c = cost_of(p, &tiles[i], size, parts);
            if (!best.tile || c.cost < best.cost) best = c;
            if (c.length == tiles[i].bk || c.groups >= PROCESSORS * tiles[i].enough) break;
        }
    }
    return best;
}

/* ---- text with words ----------------------------------------------------------------------------------- */

enum { MOST_WORDS = 64 };
typedef struct word { const char *name; char value[112]; } word;

typedef struct printing {
    gpu_print *g;
    const char *real;  /* what sums are made in */
    int64_t size;      /* its bytes */
    const char *index;
    flat_gemm p;       /* its batch without dimensions that can go with their neighbour */
    flat_operand operand[3];
    tiling how;
    int  count;
    word words[MOST_WORDS];
} printing;

/* $NAME in the text from now on. */
static void say(printing *r, const char *name, const char *format, ...) TIDE_PRINTF(3, 4);
static void say(printing *r, const char *name, const char *format, ...) {
    int i = 0;
    while (i < r->count && strcmp(r->words[i].name, name)) i++;
    if (i == MOST_WORDS) { r->g->body.failed = true; return; }
    r->count = MAX2(r->count, i + 1);
    r->words[i].name = name;
    va_list args;
    va_start(args, format);
    vsnprintf(r->words[i].value, sizeof r->words[i].value, format, args);
    va_end(args);
}

static void say_count(printing *r, const char *name, int64_t count) { say(r, name, "%du", (int)count); }

/* A number that the table tells. */
static void say_number(printing *r, const char *name, int64_t number) {
    say(r, name, "table[%d]", gpu_number(r->g, number));
}

static const char *value_of(const printing *r, const char *name, size_t length) {
    for (int i = 0; i < r->count; i++)
        if (strlen(r->words[i].name) == length && !memcmp(r->words[i].name, name, length)) return r->words[i].value;
    r->g->body.failed = true;
    return "";
}

/* The lines after "@NAME" up to the next "@". */
static void print(printing *r, const char *name) {
    char head[32];
    int length = snprintf(head, sizeof head, "@%s\n", name);
    const char *at = strstr(product_text, head);
    if (!at) { r->g->body.failed = true; return; }
    for (at += length; *at && *at != '@';) {
        size_t plain = strcspn(at, "$@");
        text_add(&r->g->body, "%.*s", (int)plain, at);
        at += plain;
        if (*at != '$') continue;
        size_t word = strspn(++at, "abcdefghijklmnopqrstuvwxyz_0123456789");
        text_add(&r->g->body, "%s", value_of(r, at, word));
        at += word;
    }
}

/* ---- A and B ------------------------------------------------------------------------------------------- */

/* A seen as (m, k), B as (n, k): an extent of C and the common one. */
typedef struct side {
    char    name;
    int32_t type;
    int     width, t, wx, apart, threads, bk;  /* of the tile in the extent's direction, of a thread there */
    int64_t extent, k, step, k_step;
    bool    along_k;                           /* neighbours in memory */
    int     vector;                            /* numbers a load */
} side;

/* Whether four neighbours can be loaded at a time, all of them inside or all outside. */
static bool by_four(const printing *r, const side *s, const flat_operand *o, int64_t at) {
    int64_t size = (int64_t)tide_dtype_size(o->type);
    int64_t unit = s->along_k ? s->k_step : s->step, other = s->along_k ? s->step : s->k_step;
    bool four = o->type != TIDE_F64 && unit == 1 && (s->along_k ? s->k : s->extent) % 4 == 0 && other % 4 == 0 &&
                at % (4 * size) == 0 && s->width * s->bk % (4 * s->threads) == 0;
    for (int32_t d = 0; d < r->p.batch_ndim; d++) four &= o->stride[d] % 4 == 0;
    return four;
}

static side side_of(const printing *r, int which, int64_t at) {
    const flat_gemm *p = &r->p;
    const flat_operand *o = &r->operand[which];
    const tile *t = r->how.tile;
    const int64_t *stride = o->stride + p->batch_ndim;
    side s = which ? (side){ 'b', o->type, t->bn, t->tn, t->wx, 0, 0, 0, p->n, p->k, stride[1], stride[0], false, 1 }
                   : (side){ 'a', o->type, t->bm, t->tm, WARP / t->wx, 0, 0, 0, p->m, p->k, stride[0], stride[1],
                             false, 1 };
    s.apart = s.wx * MIN2(s.t, 4), s.threads = threads_of(t), s.bk = t->bk;
    s.along_k = s.k_step == 1 || (s.step != 1 && llabs(s.k_step) <= llabs(s.step));
    s.vector = by_four(r, &s, o, at) ? 4 : 1;
    return s;
}

static void say_load(printing *r, const side *s, const char *name, const char *place) {
    text load = { 0 };
    gpu_load(&load, s->type, place);
    say(r, name, "%s", load.data ? load.data : "");
    r->g->body.failed |= load.failed;
    text_free(&load);
}

/* The words of one side. */
static void say_side(printing *r, const side *s) {
    char place[32];
    int64_t size = s->bk * pitch_of(s->width), row = s->along_k ? s->bk : s->width;
    snprintf(place, sizeof place, "%c[at_%c[s]]", s->name, s->name);
    say(r, "x", "%c", s->name);
    say_count(r, "count", s->width * s->bk / s->threads);
    say_count(r, "loads", s->width * s->bk / s->threads / s->vector);
    say(r, s->along_k ? "l_of_v" : "o_of_v", "v %% %du * %du", (int)(row / s->vector), s->vector);
    say(r, s->along_k ? "o_of_v" : "l_of_v", "v / %du", (int)(row / s->vector));
    say(r, "first", s->name == 'a' ? "row0" : "col0");
    say(r, "extent", s->name == 'a' ? "m" : "n");
    say_count(r, "last", s->along_k ? 1 : s->vector);
    say_count(r, "size", size);
    say_count(r, "pitch", pitch_of(s->width));
    say(r, "quad", "%s4", gpu_memory_type(s->type));
    say_load(r, s, "load", place);
    say_load(r, s, "load_x", "q.x");
    say_load(r, s, "load_y", "q.y");
    say_load(r, s, "load_z", "q.z");
    say_load(r, s, "load_w", "q.w");
    say_count(r, "t", s->t);
    say(r, "to", s->name == 'a' ? "x" : "y");
    say_count(r, "chunk", MIN2(s->t, 4));
    say_count(r, "apart", s->apart);
}

static void print_side(printing *r, const side *s) {
    say_side(r, s);
    say_number(r, "o_step", s->step);
    say_number(r, "k_step", s->k_step);
    print(r, "side");
}

static void print_of(printing *r, const side *s, const char *section) {
    say_side(r, s);
    print(r, section);
}

static void print_fetch(printing *r, const side *s) { print_of(r, s, s->vector == 4 ? "fetch_4" : "fetch_1"); }

static void print_put(printing *r, const side *s) {
    print_of(r, s, s->vector == 1 ? "put_1" : s->along_k ? "put_4_along_k" : "put_4");
}

static void print_read(printing *r, const side *s) {
    print_of(r, s, s->t % 4 == 0 && r->size == 4 ? "read_4" : "read_1");
}

/* ---- the batch ----------------------------------------------------------------------------------------- */

/* Leaves out batch dimensions of one entry, and puts two into one where all operands go through them in step. */
static void merge_batch(printing *r, const flat_kernel *k) {
    int32_t ndim = 0;
    r->p = k->gemm;
    for (int i = 0; i < 3; i++) r->operand[i] = k->operands[i];
    for (int32_t d = 0; d < k->gemm.batch_ndim; d++) {
        int64_t size = k->gemm.batch[d];
        bool in_step = ndim > 0;
        if (size == 1) continue;
        for (int i = 0; i < 3 && in_step; i++)
            in_step = r->operand[i].stride[ndim - 1] == k->operands[i].stride[d] * size;
        ndim -= in_step;
        r->p.batch[ndim] = in_step ? r->p.batch[ndim] * size : size;
        for (int i = 0; i < 3; i++) r->operand[i].stride[ndim] = k->operands[i].stride[d];
        ndim++;
    }
    for (int i = 0; i < 3; i++)
        for (int32_t j = 0; j < 2; j++) r->operand[i].stride[ndim + j] = k->operands[i].stride[k->gemm.batch_ndim + j];
    r->p.batch_ndim = ndim;
}

/* `rest` counts the entries of the batch: moves the operands [first, end) to this one. */
static void print_batch(printing *r, int first, int end) {
    for (int32_t d = r->p.batch_ndim - 1; d >= 0; d--) {
        char moves[112] = "";
        say_number(r, "entries", r->p.batch[d]);
        for (int i = first; i < end; i++) {
            size_t used = strlen(moves);
            snprintf(moves + used, sizeof moves - used, "%c += i * table[%d];%s", "abc"[i],
                     gpu_number(r->g, r->operand[i].stride[d]), i + 1 < end ? " " : "");
        }
        say(r, "moves", "%s", moves);
        print(r, "batch");
    }
}

/* ---- C ------------------------------------------------------------------------------------------------- */

static int64_t bits_of(double value, bool single) {
    float narrow = (float)value;
    uint32_t bits;
    int64_t wide;
    memcpy(&bits, &narrow, sizeof bits);
    memcpy(&wide, &value, sizeof wide);
    return single ? bits : wide;
}

static void say_real(printing *r, const char *name, double value) {
    bool single = r->size == 4;
    say(r, name, single ? "AS_FLOAT((uint)table[%d])" : "AS_DOUBLE((u64)table[%d])",
        gpu_number(r->g, bits_of(value, single)));
}

/* The words for alpha, beta and `result`: what becomes of a sum, with what was there at `old`. */
static void say_result(printing *r, double alpha, double beta, const char *sum, const char *old) {
    say_real(r, "alpha", alpha);
    const char *a = value_of(r, "alpha", 5);
    if (beta == 0) say(r, "result", "%s * %s", a, sum);
    else {
        say_real(r, "beta", beta);
        say(r, "result", "%s(%s, %s, %s * %s)", r->size == 4 ? "FMA" : "FMA_D", value_of(r, "beta", 4), old, a, sum);
    }
}

/* Rows of C, or of a part's in scratch, from address `at` on. */
static void print_store(printing *r, int64_t at, int64_t c_step, bool partial) {
    double alpha = partial ? 1 : r->p.alpha, beta = partial ? 0 : r->p.beta;
    bool four = r->size == 4 && r->how.tile->tn % 4 == 0 && r->p.n % 4 == 0 && c_step % 4 == 0 && at % 16 == 0;
    for (int32_t d = 0; d < r->p.batch_ndim && !partial; d++) four &= r->operand[2].stride[d] % 4 == 0;
    say_result(r, alpha, beta, "sums[i][j + e]", "to[e]");
    say_number(r, "c_step", c_step);
    print(r, "store");
    if (!four) { print(r, "store_1"); return; }
    print(r, "store_4");
    if (beta != 0) print(r, "add_4");
    print(r, "stored_4");
}

/* ---- the launches -------------------------------------------------------------------------------------- */

static void say_tile(printing *r) {
    const tile *t = r->how.tile;
    int cm = MIN2(t->tm, 4), cn = MIN2(t->tn, 4), wy = WARP / t->wx;
    const struct { const char *name; int value; } counts[] = {
        { "bm", t->bm }, { "bn", t->bn }, { "bk", t->bk }, { "tm", t->tm }, { "tn", t->tn }, { "wx", t->wx },
        { "cm", cm }, { "cn", cn }, { "apart_m", wy * cm }, { "apart_n", t->wx * cn }, { "warp_m", wy * t->tm },
        { "warp_n", t->wx * t->tn }, { "warps_n", t->bn / (t->wx * t->tn) }, { "threads", threads_of(t) },
        { "size_a", t->bk * pitch_of(t->bm) }, { "size_b", t->bk * pitch_of(t->bn) },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) say_count(r, counts[i].name, counts[i].value);
    say(r, "real", "%s", r->real);
    say(r, "index", "%s", r->index);
    say(r, "fma", r->size == 4 ? "FMA" : "FMA_D");
}

static void print_rooms(printing *r) {
    const tile *t = r->how.tile;
    const char *type = r->size == 4 ? "float4" : r->real;  /* so that four neighbours can be read at a time */
    int step = r->size == 4 ? 4 : 1;
    text_add(&r->g->body, "{\nLOCAL_ARRAY(%s, room_a, %d);\nLOCAL_ARRAY(%s, room_b, %d);\nBEGIN\n", type,
             2 * t->bk * pitch_of(t->bm) / step, type, 2 * t->bk * pitch_of(t->bn) / step);
}

/* Which part of k this group has, and where its operands' entries of the batch begin. */
static void print_place(printing *r) {
    bool partial = r->how.parts > 1;
    print(r, "tile");
    say_number(r, "k", r->p.k);
    if (partial) {
        say_number(r, "parts", r->how.parts);
        say_number(r, "length", r->how.length);
        say_number(r, "batches", r->p.batches);
    }
    print(r, partial ? "part" : "whole");
    print_batch(r, 0, partial ? 2 : 3);
}

static void print_loop(printing *r, const side *a, const side *b) {
    print(r, "thread");
    print_fetch(r, a), print_fetch(r, b);
    print(r, "loop");
    print_put(r, a), print_put(r, b);
    print(r, "next");
    print_fetch(r, a), print_fetch(r, b);
    print(r, "multiply");
    print_read(r, a), print_read(r, b);
    print(r, "end");
}

static int64_t last_number(const gpu_print *g) { return g->numbers[g->n_numbers - 1]; }

static void print_tiles(printing *r) {
    gpu_print *g = r->g;
    const tile *t = r->how.tile;
    bool partial = r->how.parts > 1;
    print_rooms(r);
    gpu_operand(g, "a", &r->operand[0], false);
    side a = side_of(r, 0, last_number(g));
    gpu_operand(g, "b", &r->operand[1], false);
    side b = side_of(r, 1, last_number(g));
    if (partial) gpu_scratch(g, "c", r->real, 0);
    else gpu_operand(g, "c", &r->operand[2], true);
    int64_t at = last_number(g);
    say_number(r, "m", r->p.m);
    say_number(r, "n", r->p.n);
    print_place(r);
    print_side(r, &a), print_side(r, &b);
    print_loop(r, &a, &b);
    print_store(r, at, partial ? r->p.n : r->operand[2].stride[r->p.batch_ndim], partial);
    g->threads = threads_of(t);
    g->groups = ceil_div(r->p.m, t->bm) * ceil_div(r->p.n, t->bn) * r->how.parts * r->p.batches;
    g->more = partial;
}

/* The parts of each element, in order. */
static void print_sum(printing *r) {
    gpu_print *g = r->g;
    text_add(&g->body, "{\nBEGIN\n");
    gpu_scratch(g, "partial", r->real, 0);
    gpu_operand(g, "c", &r->operand[2], true);
    g->threads = MIN2(SUM_THREADS, g->limits->threads);
    say_count(r, "threads", g->threads);
    say_number(r, "m", r->p.m);
    say_number(r, "n", r->p.n);
    say_number(r, "parts", r->how.parts);
    say_number(r, "batches", r->p.batches);
    say_number(r, "c_step", r->operand[2].stride[r->p.batch_ndim]);
    print(r, "sum");
    print_batch(r, 2, 3);
    say_result(r, r->p.alpha, r->p.beta, "sum", "*to");
    print(r, "summed");
    g->groups = ceil_div(r->p.m * r->p.n * r->p.batches, g->threads);
}

void gpu_print_product(gpu_print *g, int launch) {
    const flat_kernel *k = g->kernel;
    const flat_gemm *p = &k->gemm;
    int32_t type = k->operands[2].type;
    if (type == TIDE_F64 && !g->limits->f64) { g->lacks = "the device has no float64 for a product"; return; }
    if (MAX2(p->m, MAX2(p->n, p->k)) > INT32_MAX / 2) { g->lacks = "a product of sizes beyond 32 bits"; return; }
    if (p->m == 0 || p->n == 0 || p->batches == 0) return;
    printing r = { .g = g, .real = gpu_register_type(type), .size = (int64_t)tide_dtype_size(type),
                   .index = gpu_index_type(g->program, k) };
    merge_batch(&r, k);
    r.how = choose(&r.p, g->limits, r.size);
    if (!r.how.tile) { g->lacks = "the device's groups are too small for a product"; return; }
    g->scratch_bytes = r.how.parts > 1 ? r.how.parts * p->batches * p->m * p->n * r.size : 0;
    say_tile(&r);
    if (launch == 0) print_tiles(&r);
    else print_sum(&r);
    text_add(&g->body, "}\n");
}
