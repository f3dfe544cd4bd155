/* Sorting rows. Elements are sorted by keys, unsigned integers in the order of the values, and by place where keys are
 * equal. What fits a group's memory is sorted there, in n log2(n)^2 / 4 comparisons; of longer rows the tiles, which
 * go to scratch, and a second launch looks up each element's place in every tile of its row: n / tile * log2(tile)
 * comparisons an element. */
#include "fill.h"
#include "plan.h"

#include "sort_ranks_text.h"
#include "sort_tiles_text.h"

enum { THREADS = 256, MOST_TILE = 4096 };

/* How values become keys. Floats: the sign's bit turned for positive ones, all bits below it for negative ones, so that
 * both zeros are equal; every NaN is the largest. */
#define REAL_ORDER "v = (v & ($sign - 1)) > $inf ? ~($K)0 : (v & $sign) ? $sign - (v & ($sign - 1)) : v + $sign"
static const struct { tide_dtype memory; const char *key, *sign, *inf, *order; } orders[TIDE_DTYPES] = {
    [TIDE_F32]  = { TIDE_I32, "uint", "0x80000000u", "0x7f800000u", REAL_ORDER },
    [TIDE_F64]  = { TIDE_I64, "u64", "((u64)1 << 63)", "((u64)0x7ff << 52)", REAL_ORDER },
    [TIDE_F16]  = { TIDE_F16, "uint", "0x8000u", "0x7c00u", REAL_ORDER },
    [TIDE_BF16] = { TIDE_BF16, "uint", "0x8000u", "0x7f80u", REAL_ORDER },
    [TIDE_I32]  = { TIDE_I32, "uint", "0x80000000u", "", "v ^= $sign" },
    [TIDE_I64]  = { TIDE_I64, "u64", "((u64)1 << 63)", "", "v ^= $sign" },
    [TIDE_U8]   = { TIDE_U8, "uint", "0u", "", "v ^= $sign" },
    [TIDE_BOOL] = { TIDE_BOOL, "uint", "0u", "", "v ^= $sign" },
};

/* A sort as launches have it: rows of `tiles` tiles of `tile` elements, each padded to a power of two in a group's
 * memory, which has room for one tile or for some. */
typedef struct sorting { int type; int32_t threads; int64_t key_bytes, tile, tiles, padded, room; } sorting;

static int64_t power_of_two(int64_t least) {
    int64_t p = 1;
    while (p < least) p *= 2;
    return p;
}

static sorting sorting_of(const gpu_print *g) {
    const flat_index *ix = &g->kernel->index;
    sorting s = { .type = g->kernel->operands[0].type, .threads = MIN2(g->limits->threads, THREADS) };
    s.key_bytes = tide_dtype_size(s.type) == 8 ? 8 : 4;
    int64_t most = MOST_TILE;
    while (most * (s.key_bytes + 4) > g->limits->local_bytes) most /= 2;
    s.tile = MIN2(ix->n, most);
    s.tiles = ix->n ? ceil_div(ix->n, s.tile) : 0;
    s.padded = power_of_two(s.tile);
    s.room = MAX2(s.padded, 2 * s.threads);
    return s;
}

static gpu_words begin(gpu_print *g, const sorting *s) {
    gpu_words w = { 0 };
    flat_operand x = g->kernel->operands[0], values = g->kernel->operands[1];
    x.type = values.type = orders[s->type].memory;
    g->threads = s->threads;
    text_add(&g->body, "{\nBEGIN\n");
    gpu_word_printed(&w, "threads", "%d", (int)s->threads);
    gpu_word(&w, "I", gpu_index_type(g->program, g->kernel));
    gpu_word(&w, "K", orders[s->type].key);
    gpu_operand(g, "x", &x, false);
    gpu_operand(g, "values", &values, true);
    gpu_operand(g, "indices", &g->kernel->operands[2], true);
    if (s->tiles > 1) {
        int64_t keys = g->kernel->index.outer * g->kernel->index.n * s->key_bytes;
        gpu_scratch(g, "keys", orders[s->type].key, 0);
        gpu_scratch(g, "places", "uint", keys);
        g->scratch_bytes = keys / s->key_bytes * (s->key_bytes + 4);
    }
    gpu_declare(g, gpu_index_type(g->program, g->kernel), "n", g->kernel->index.n);
    gpu_declare(g, gpu_index_type(g->program, g->kernel), "tile", s->tile);
    return w;
}

static void print_tiles(gpu_print *g, gpu_words *w, const sorting *s) {
    int64_t all_tiles = g->kernel->index.outer * s->tiles;
    gpu_word_printed(w, "room", "%d", (int)s->room);
    gpu_word(w, "sign", orders[s->type].sign);
    gpu_word(w, "inf", orders[s->type].inf);
    gpu_word(w, "order", orders[s->type].order);
    gpu_word(w, "result", s->tiles > 1 ? "keys[row + j] = key[e], places[row + j] = place[e]"
                                       : "values[row + j] = x[row + ($I)place[e]], indices[row + j] = (int)place[e]");
    gpu_declare(g, gpu_index_type(g->program, g->kernel), "tiles", s->tiles);
    gpu_declare(g, gpu_index_type(g->program, g->kernel), "all_tiles", all_tiles);
    gpu_declare(g, "uint", "padded", s->padded);
    gpu_declare(g, s->key_bytes == 8 ? "u64" : "uint", "flip", g->kernel->index.flag ? -1 : 0);
    g->groups = ceil_div(all_tiles, s->room / s->padded);
    g->more = s->tiles > 1;
    gpu_fill_in(g, w, sort_tiles_text);
}

static void print_ranks(gpu_print *g, gpu_words *w, const sorting *s) {
    int64_t total = g->kernel->index.outer * g->kernel->index.n;
    gpu_declare(g, gpu_index_type(g->program, g->kernel), "total", total);
    g->groups = ceil_div(total, s->threads);
    gpu_fill_in(g, w, sort_ranks_text);
}

void gpu_print_sort(gpu_print *g, int launch) {
    sorting s = sorting_of(g);
    gpu_words w = begin(g, &s);
    if (launch == 0) print_tiles(g, &w, &s);
    else print_ranks(g, &w, &s);
}
