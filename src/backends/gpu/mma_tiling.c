/* The tiling of least cost by a simple model of a device, in its clocks: work is done in rounds of a group a
 * multiprocessor, as fast as a tile lets it, and not faster than what it needs comes. */
#include "mma_tiling.h"

/* Rows of a tile are 2 to 16 chunks of 8 numbers, a power of two. Rates are estimates. */
static const mma_tile tiles[] = {
    /*  bm   bn  bk wm wn stages rate enough */
    { 128, 128, 32, 2, 2, 3, 1000, 1.1 },
    { 128,  64, 32, 2, 2, 4,  800, 1.1 },
    {  64, 128, 32, 2, 2, 4,  800, 1.1 },
    {  64,  64, 64, 2, 2, 3,  650, 1.1 },
    {  64,  32, 64, 2, 2, 4,  430, 1.2 },
    {  32,  64, 64, 2, 2, 4,  430, 1.2 },
    {  32,  32, 64, 2, 2, 4,  320, 1.25 },
};

/* What the tiling takes a device for: bytes a clock that a multiprocessor gets; clocks until a group has begun, has its
 * first tiles and has stored, and what of it each further one needs; and of a second launch. */
enum { PROCESSORS = 132, BYTES = 36, GROUP = 1700, EACH = 300, LAUNCH = 4400, MOST_PARTS = 64 };
/* Products of less are too small a part of any tile. */
enum { LEAST_SIDE = 8, LEAST_DEPTH = 8 };

static bool tile_fits(const mma_tile *t, const gpu_limits *limits) {
    return mma_threads(t) <= limits->threads && 2 * t->stages * t->bk * (t->bm + t->bn) <= limits->local_bytes;
}

static mma_tiling cost_of(const flat_gemm *p, const mma_tile *t, int64_t wanted, double beside) {
    int64_t length = round_up(MAX2(ceil_div(p->k, wanted), 1), t->bk), parts = MAX2(ceil_div(p->k, length), 1);
    double groups = (double)(ceil_div(p->m, t->bm) * ceil_div(p->n, t->bn)) * (double)(p->batches * parts);
    double sums = t->bm * t->bn / t->rate, moved = (double)((t->bm + t->bn) * 2) / BYTES;
    double rounds = (1 + beside) * groups / PROCESSORS, results = (1 + beside) * (double)(p->m * p->n * p->batches);
    rounds = rounds < 4 ? (double)(int64_t)(rounds + 0.999) : rounds + 0.5;  /* the last is not full */
    double cost = MAX2(MAX2(rounds, t->enough) * sums, rounds * moved) * (double)length + GROUP + EACH * rounds;
    if (parts > 1) cost += LAUNCH + results * (double)(8 * parts) / (BYTES * PROCESSORS);
    return (mma_tiling){ t, parts, length, groups, cost };
}

mma_tiling gpu_mma_tiling(const flat_gemm *p, tide_dtype type, double beside, const gpu_limits *limits) {
    mma_tiling best = { 0 };
    if (!limits->matrix || (type != TIDE_BF16 && type != TIDE_F16)) return best;
    if (MIN2(p->m, p->n) < LEAST_SIDE || p->k < LEAST_DEPTH) return best;
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        if (!tile_fits(&tiles[i], limits)) continue;
        for (int64_t parts = 1; parts <= MOST_PARTS; parts++) {
            mma_tiling c = cost_of(p, &tiles[i], parts, beside);
            if (!best.tile || c.cost < best.cost) best = c;
            if (c.length == tiles[i].bk || c.groups >= 2 * PROCESSORS * tiles[i].enough) break;
        }
    }
    return best;
}

static double work_of(const flat_kernel *k) {
    const flat_gemm *p = &k->gemm;
    return k->kind == FLAT_GEMM ? (double)p->m * (double)p->n * (double)p->k * (double)p->batches : 0;
}

double gpu_products_beside(const flat_program *program, const flat_kernel *kernel) {
    const int32_t me = (int32_t)(kernel - program->kernels);
    for (int32_t i = 0; i < program->n_phases; i++) {
        const flat_phase *phase = &program->phases[i];
        double work = 0;
        bool here = false;
        for (int32_t c = phase->first_chain; c < phase->first_chain + phase->chains; c++) {
            const flat_chain *chain = &program->chains[c];
            const bool mine = me >= chain->first_kernel && me < chain->first_kernel + chain->kernels;
            for (int32_t j = 0; j < chain->kernels && !mine; j++)
                work += work_of(&program->kernels[chain->first_kernel + j]);
            here |= mine;
        }
        if (here) return work / MAX2(work_of(kernel), 1);
    }
    return 0;
}
