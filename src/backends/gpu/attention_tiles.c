/* The tile of attention that wastes least: a simple model of a device, which does in rounds of a group a multiprocessor
 * what tiles have, empty rows and columns too. */
#include "attention.h"

/* Rates are estimates. 64 x 64 by 8 x 8 scores a thread was a fourth slower on an H200 than by 8 x 4. */
static const attention_tile tiles[] = {
    { 64, 64, 8, 4, 1.0 },
    { 32, 64, 4, 4, 0.75 },
    { 32, 32, 4, 4, 0.65 },
    { 16, 16, 2, 2, 0.25 },
    { 16, 16, 4, 2, 0.2 },  /* for groups of 32 */
};

enum { PROCESSORS = 132, MOST_REGISTERS = 144, EARLY_ROWS = 16, SMALL = 1024 /* bytes besides the tiles */ };

/* Sets what follows from the tile; whether groups have room for it. */
static bool fits(attention *r, const attention_tile *t, int bk, int scores, int64_t width, int64_t width2) {
    const gpu_limits *limits = r->g->limits;
    int columns = attention_columns(t, width), columns2 = attention_columns(t, width2);
    int widest = MAX2(columns, columns2) * attention_across(t);
    r->tile = t, r->bk = bk;
    r->rows = t->rows, r->cols = t->cols, r->threads = attention_threads(t);
    r->slot = MAX2(bk * (t->rows + 4 + t->cols + 4), MIN2(bk, t->cols) * widest);
    r->early = t->rows <= EARLY_ROWS;
    int64_t floats = 2 * r->slot + t->cols * t->rows, masks = r->a.dropout ? 64 * 12 : 0;
    return attention_threads(t) <= limits->threads && 4 * floats + masks + SMALL <= limits->local_bytes &&
           t->tr * (columns + columns2 + scores * t->tc) <= MOST_REGISTERS;
}

double attention_cost(const attention *r, int rows, int cols, double rate) {
    int64_t own = r->by_keys ? r->a.n : r->a.m, other = r->by_keys ? r->a.m : r->a.n;
    double rounds = (double)ceil_div(own, rows) * (double)r->a.batches / PROCESSORS;
    return MAX2(rounds, 1) * rows * (double)round_up(MAX2(other, 1), cols) / rate;
}

static double cost_of(const attention *r, const attention_tile *t) {
    return attention_cost(r, t->rows, t->cols, t->rate);
}

bool attention_choose(attention *r, int scores, int64_t width, int64_t width2) {
    const bool long_rows = MAX2(r->a.d, r->a.e) > 16;
    attention best = { 0 };
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++)
        for (int bk = long_rows && tiles[i].rows <= EARLY_ROWS ? 32 : 16; bk >= 8; bk /= 2)
            if (fits(r, &tiles[i], bk, scores, width, width2)) {
                if (!best.tile || cost_of(r, &tiles[i]) < cost_of(r, best.tile)) best = *r;
                break;
            }
    if (best.tile) *r = best;
    return best.tile;
}
