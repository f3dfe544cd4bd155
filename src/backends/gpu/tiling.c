/* The tiling of least cost by a simple model of a device: work is done in rounds of a group a multiprocessor, as fast
 * as a tile lets it, and not faster than memory. */
#include "tiling.h"

/* The rate of 128 x 96 is fitted to an H200 beside that of 128 x 128 (bench/results/gpu-opencl.md); 96 x 128 never
 * paid there. The others are estimates. */
static const tile tiles[] = {
    /*  bm   bn  bk tm tn  wx  rate  enough */
    { 128, 128,  8, 8, 8,  8, 0.75, 1.3 },
    { 128,  96,  8, 8, 8,  4, 0.66, 1.3 },
    {  64,  64,  8, 8, 4,  8, 0.6,  2 },
    {  32,  32, 16, 4, 4,  8, 0.4,  4 },
    {  16,  16, 16, 4, 2,  8, 0.25, 6 },
    {   4, 128,  8, 4, 4, 32, 0.3,  8 },
    { 128,   4,  8, 4, 4,  1, 0.3,  8 },
};

/* What the tiling takes a device for; what it costs is counted in multiply-adds that a multiprocessor could do. */
enum { PROCESSORS = 132, BYTE = 3, LAUNCH = 1200000, GROUP = 100000, MOST_PARTS = 256 };

static int64_t local_bytes(const tile *t, int64_t size) {
    return 2 * t->bk * (tile_pitch(t->bm) + tile_pitch(t->bn)) * size;
}

static bool tile_fits(const tile *t, const gpu_limits *limits, int64_t size) {
    return tile_threads(t) <= limits->threads && local_bytes(t, size) <= limits->local_bytes &&
           t->tm * t->tn * size <= 256;  /* in registers */
}

static tiling cost_of(const flat_gemm *p, const tile *t, int64_t size, int64_t wanted) {
    int64_t length = round_up(MAX2(ceil_div(p->k, wanted), 1), t->bk), parts = MAX2(ceil_div(p->k, length), 1);
    double groups = (double)(ceil_div(p->m, t->bm) * ceil_div(p->n, t->bn)) * (double)(p->batches * parts);
    double step = MAX2(t->bm * t->bn / t->rate, (double)((t->bm + t->bn) * size * BYTE));
    double rounds = groups / PROCESSORS, moved = (double)(p->m * p->n) * (double)p->batches;
    rounds = rounds < 4 ? (double)(int64_t)(rounds + 0.999) : rounds + 0.5;  /* the last is not full */
    double cost = MAX2(rounds, t->enough) * (step * (double)length + GROUP / t->enough);
    if (parts > 1) cost += LAUNCH + moved * (double)(4 * parts * size * BYTE) / PROCESSORS;
    return (tiling){ t, parts, length, groups, cost };
}

tiling gpu_tiling(const flat_gemm *p, const gpu_limits *limits, int64_t size) {
    tiling best = { 0 };
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        if (!tile_fits(&tiles[i], limits, size)) continue;
        for (int64_t parts = 1; parts <= MOST_PARTS; parts++) {
            tiling c = cost_of(p, &tiles[i], size, parts);
            if (!best.tile || c.cost < best.cost) best = c;
            if (c.length == tiles[i].bk || c.groups >= 2 * PROCESSORS * tiles[i].enough) break;
        }
    }
    return best;
}
