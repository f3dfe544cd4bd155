/* Which maps a product carries out (kernelgen/gpu/map_end.c): those that read it, if nothing else does. It is then
 * multiplied where the first of them stands in the program, so its operands must still be there, and the maps behind
 * the first must be as good there as where they stand. */
#include "product.h"

/* Of 16-bit products of more multiply-adds the device's library is faster than ours by more than a launch and the way
 * through memory cost (bench/results/cuda.md). */
static const double MOST_WORK = 0x1p30;

typedef struct finder {
    const flat_program *p;
    const gpu_limits   *limits;
    gpu_ending *out;
} finder;

/* ---- C ------------------------------------------------------------------------------------------------- */

/* Neighbours of a row are neighbours, and all of C lies without gaps, whatever the order of its rows. */
static bool is_whole(const flat_gemm *g, const flat_operand *c) {
    int64_t size[TIDE_MAX_DIMS], reached = g->n;
    memcpy(size, g->batch, sizeof size);
    size[g->batch_ndim] = g->m;
    if (g->n > 1 && c->stride[g->batch_ndim + 1] != 1) return false;
    for (int32_t left = g->batch_ndim + 1; left; left--) {
        int32_t next = -1;
        for (int32_t d = 0; d <= g->batch_ndim; d++)
            if (size[d] > 1 && c->stride[d] == reached) next = d;
        if (next >= 0) reached *= size[next], size[next] = 1;
    }
    return reached == g->n * g->m * g->batches;
}

/* Whether maps may carry it on; and how many tiles of rows it has. */
static bool may_end(const finder *f, const flat_kernel *k, int64_t *tiles) {
    flat_gemm merged;
    flat_operand operands[3];
    const flat_gemm *g = &k->gemm;
    if (k->kind != FLAT_GEMM || g->beta != 0 || g->m * g->n * g->batches == 0 || !is_whole(g, &k->operands[2]))
        return false;
    const flat_buffer *c = &f->p->buffers[k->operands[2].buffer];
    if (k->operands[2].type != TIDE_F32 || c->space != FLAT_ARENA || c->last_phase >= f->p->n_phases) return false;
    if (f->limits->asks && k->operands[0].type != TIDE_F32 &&
        (double)(g->m * g->n) * (double)(g->k * g->batches) > MOST_WORK)
        return false;
    product_merge(&merged, operands, k);
    if (product_is_few(&merged, operands)) {
        *tiles = ceil_div(merged.m, product_few_rows(&merged)) * merged.batches;
        return true;
    }
    const mma_tiling how = product_units(f->p, k, &merged, f->limits);
    *tiles = how.tile ? ceil_div(merged.m, how.tile->bm) * merged.batches : 0;
    return how.tile && how.parts == 1;
}

/* ---- its readers --------------------------------------------------------------------------------------- */

/* All kernels but the product that have its C as an operand; false: not all are maps that fit, or too many. */
static bool find_readers(finder *f, int32_t product, int64_t tiles, gpu_end *ends, int32_t *where, int32_t *count) {
    const flat_kernel *k = &f->p->kernels[product];
    const flat_operand *c = &k->operands[2];
    *count = 0;
    for (int32_t i = 0; i < f->p->n_kernels; i++) {
        const flat_kernel *reader = &f->p->kernels[i];
        int32_t met = 0;
        for (int32_t j = 0; j < reader->n_operands && i != product; j++) {
            if (reader->operands[j].buffer != c->buffer) continue;
            if (met++ || *count == GPU_ENDS || i < product || f->out[i].product ||
                reader->kind != FLAT_MAP || reader->operands[j].offset != c->offset)
                return false;
            const gpu_end end = { reader, j };
            if (!gpu_end_fits(f->p, &end, k->gemm.m * k->gemm.batches, k->gemm.n, product_in_order(&k->gemm, c)) ||
                (*count && gpu_end_draws(&end)) || (gpu_end_sums(&end) && tiles > reader->tasks))
                return false;
            ends[*count] = end, where[(*count)++] = i;
        }
    }
    return *count > 0;
}

/* ---- the order ----------------------------------------------------------------------------------------- */

/* Whether kernel `by` writes memory of the operand. */
static bool overwrites(const finder *f, int32_t by, const flat_operand *o) {
    const flat_kernel *k = &f->p->kernels[by];
    for (int32_t i = 0; i < k->n_operands; i++)
        if (operand_written(k, i) && operands_share_memory(f->p, &k->operands[i], o)) return true;
    return false;
}

static bool touches(const finder *f, int32_t kernel, const flat_operand *o) {
    const flat_kernel *k = &f->p->kernels[kernel];
    for (int32_t i = 0; i < k->n_operands; i++)
        if (operands_share_memory(f->p, &k->operands[i], o)) return true;
    return false;
}

/* Where a kernel is launched. */
static int32_t place_of(const finder *f, int32_t kernel) { return f->out[kernel].at ? f->out[kernel].at - 1 : kernel; }

/* What the product reads lasts until its last map has stored. */
static bool operands_last(const finder *f, int32_t product, int32_t last) {
    const flat_kernel *k = &f->p->kernels[product];
    for (int32_t by = product + 1; by < f->p->n_kernels; by++)
        for (int32_t i = 0; i < k->n_operands && place_of(f, by) <= last; i++)
            if (i != 2 && overwrites(f, by, &k->operands[i])) return false;
    return true;
}

/* A later map may stand where the first does. */
static bool moves(const finder *f, int32_t first, int32_t map) {
    const flat_kernel *k = &f->p->kernels[map];
    for (int32_t by = 0; by < f->p->n_kernels; by++)
        for (int32_t i = 0; i < k->n_operands && by != map && place_of(f, by) >= first && place_of(f, by) < map; i++)
            if (operand_written(k, i) ? touches(f, by, &k->operands[i]) : overwrites(f, by, &k->operands[i]))
                return false;
    return true;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void find_one(finder *f, int32_t product) {
    gpu_ending *out = &f->out[product];
    int32_t where[GPU_ENDS], count;
    int64_t tiles;
    if (!may_end(f, &f->p->kernels[product], &tiles)) return;
    if (!find_readers(f, product, tiles, out->ends, where, &count)) return;
    if (!operands_last(f, product, where[count - 1])) return;
    for (int32_t i = 1; i < count; i++)
        if (!moves(f, where[0], where[i])) return;
    out->n_ends = count, out->at = where[0] + 1;
    for (int32_t i = 0; i < count; i++) f->out[where[i]].product = product + 1, f->out[where[i]].at = where[0] + 1;
}

void gpu_find_endings(const flat_program *p, const gpu_limits *limits, gpu_ending *out) {
    finder f = { p, limits, out };
    for (int32_t i = 0; i < p->n_kernels && limits->matrix; i++) find_one(&f, i);
}
