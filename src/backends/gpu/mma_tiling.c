/* The tiling of least cost by a simple model of a device, in its clocks: work is done in rounds of a group a
 * multiprocessor, as fast as a tile lets it, and not faster than what it needs comes. */
#include "mma_tiling.h"

/* Rows of a tile are 2 to 32 chunks of 16 bytes, a power of two. Rates, what is enough, and what parts cost are fitted
 * to an H200: of 45 products there 40 get a tiling within 5 % of the best that was tried. */
static const mma_tile tiles[] = {
    /*  bm   bn   bk wm wn wk stages rate enough */
    { 128, 128,  32, 2, 2, 1, 3, 1000, 1.65 },
    { 128,  64,  32, 2, 2, 1, 4,  800, 1.65 },
    {  64, 128,  32, 2, 2, 1, 4,  800, 1.65 },
    {  64,  64,  64, 2, 2, 1, 3,  650, 1.4 },
    {  64,  32,  64, 2, 2, 1, 4,  430, 1.4 },
    {  32,  64,  64, 2, 2, 1, 4,  430, 1.4 },
    {  32,  32,  64, 2, 2, 1, 4,  320, 1.45 },
    {  32,  32, 128, 1, 1, 4, 3,  320, 1.1 },
    {  64,  16,  64, 2, 1, 2, 4,  250, 1.05 },
    {  16,  32, 128, 1, 1, 4, 4,  200, 1.25 },
};
static const mma_tile tiles_f32[] = {
    /*  bm   bn   bk wm wn wk stages rate enough */
    { 128, 128,  16, 2, 4, 1, 3,  123, 1.03 },
    { 128,  64,  16, 2, 2, 1, 4,  124, 1.2 },
    {  64, 128,  16, 2, 2, 1, 4,  124, 1.2 },
    {  64,  64,  32, 2, 2, 1, 3,  120, 1.33 },
    {  64,  32,  32, 2, 1, 2, 4,  105, 1.33 },
    {  32,  64,  32, 1, 2, 2, 4,  105, 1.33 },
    {  32,  32,  64, 1, 1, 4, 3,   90, 1.1 },
    {  32,  32,  32, 1, 1, 4, 3,   97, 1.4 },
    {  32,  16,  64, 1, 1, 4, 4,   82, 1.5 },
    {  16,  32,  64, 1, 1, 4, 4,   82, 1.5 },
};

/* What the tiling takes a device for: bytes a clock that a multiprocessor gets; clocks until a group has begun, has its
 * first tiles and has stored, and what of it each further one needs; and of a second launch. A partial result is
 * written, and read by that. */
enum { PROCESSORS = 132, BYTES = 36, GROUP = 1700, EACH = 300, LAUNCH = 4400, MOST_PARTS = 64 };
/* Something else is always to be done. */
static const double LEAST_BESIDE = 0.1;
enum { LEAST_DEPTH = 8 };  /* products of less are too small a part of any tile */
/* In 16 bits a product of few terms is mostly what becomes of it: many warps of few sums wait for memory together
 * (bench/results/cuda.md). */
enum { SHORT = 256, MOST_SUMS = 32 /* a thread's */ };

/* Tiles of A and B, and where they were the sums that slices leave. */
static bool tile_fits(const mma_tile *t, int size, const gpu_limits *limits) {
    const int room = t->stages * t->bk * (t->bm + t->bn) * size, left = t->wk > 1 ? t->bm * t->bn * t->wk * 4 : 0;
    return mma_threads(t) <= limits->threads && room <= limits->local_bytes && left <= room;
}

/* Its time alone; and where others are multiplied at the same time, what of the device they cannot have. */
static mma_tiling cost_of(const flat_gemm *p, const mma_tile *t, int size, int64_t wanted, double beside) {
    int64_t length = round_up(MAX2(ceil_div(p->k, wanted), 1), t->bk), parts = MAX2(ceil_div(p->k, length), 1);
    double groups = (double)(ceil_div(p->m, t->bm) * ceil_div(p->n, t->bn)) * (double)(p->batches * parts);
    double sums = t->bm * t->bn / t->rate, moved = (double)((t->bm + t->bn) * size) / BYTES;
    double rounds = groups / PROCESSORS, work = rounds * MAX2(sums, moved) * (double)length, fold = 0;
    rounds = rounds < 4 ? (double)(int64_t)(rounds + 0.999) : rounds + 0.5;  /* the last is not full */
    if (parts > 1) fold = (double)(p->m * p->n * p->batches) * (double)(12 * parts) / (BYTES * PROCESSORS);
    double alone = MAX2(MAX2(rounds, t->enough) * sums, rounds * moved) * (double)length + GROUP + EACH * rounds;
    double cost = alone + fold + (parts > 1 ? LAUNCH : 0) + MIN2(LEAST_BESIDE + beside, 1) * (work + fold);
    return (mma_tiling){ t, parts, length, groups, cost };
}

mma_tiling gpu_mma_tiling(const flat_gemm *p, tide_dtype type, double beside, const gpu_limits *limits) {
    mma_tiling best = { 0 };
    const bool single = type == TIDE_F32;
    const int size = (int)tide_dtype_size(type);
    if (!limits->matrix || (type != TIDE_BF16 && type != TIDE_F16 && !single)) return best;
    if (p->k < LEAST_DEPTH) return best;
    const size_t count = single ? sizeof tiles_f32 / sizeof *tiles_f32 : sizeof tiles / sizeof *tiles;
    for (const mma_tile *t = single ? tiles_f32 : tiles, *end = t + count; t < end; t++) {
        if (!tile_fits(t, size, limits)) continue;
        if (!single && p->k <= SHORT && t->bm * t->bn > MOST_SUMS * mma_threads(t)) continue;
        for (int64_t parts = 1; parts <= MOST_PARTS; parts++) {
            mma_tiling c = cost_of(p, t, size, parts, beside);
            if (!best.tile || c.cost < best.cost) best = c;
            if (c.length == t->bk || c.groups >= 2 * PROCESSORS * t->enough) break;
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
