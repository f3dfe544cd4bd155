/* Which part of a buffer each task of a kernel's chain touches, if that can be said as "task t touches
 * [base + t step, base + (t + 1) step)". Two kernels belong in one chain when this is the same for every buffer that
 * they share (schedule.c), and a buffer that only one chain touches needs one part per thread (task_memory.c). To say
 * no is always safe: the kernel then waits for the whole buffer. */
#include "pass.h"

/* Index i of the leading `ndim` dimensions, counted row-major, lies at i * stride. */
static bool nested(const int64_t *dim, const int64_t *stride, int32_t ndim, int64_t *step) {
    *step = 0;
    for (int32_t i = ndim - 1; i >= 0; i--) {
        if (dim[i] == 1) continue;
        if (*step == 0) *step = stride[i];
        else {
            int64_t inner = 1;
            for (int32_t j = i + 1; j < ndim; j++) inner *= dim[j];
            if (stride[i] != *step * inner) return false;
        }
    }
    return *step > 0;
}

/* From the first element to the last, both counted. A negative stride is given up on: it counts as endless. */
static int64_t extent(const int64_t *dim, const int64_t *stride, int32_t from, int32_t to) {
    int64_t span = 1;
    for (int32_t i = from; i < to; i++) span += (dim[i] - 1) * (stride[i] < 0 ? INT64_MAX / 64 : stride[i]);
    return span;
}

/* Elements from `offset`, `step` further for each of a row of blocks, each block `size` elements from its beginning to
 * its end. A block that lies within one step, such as some columns of all rows, counts as a part of that whole step. */
static part stepped(int64_t offset, int64_t step, int64_t size, int64_t steps_a_task, int64_t bytes) {
    int64_t inside = offset % step;
    if (inside + size <= step) offset -= inside;
    return (part){ true, offset * bytes, steps_a_task * step * bytes };
}

/* The part when whole entries of the outermost dimension make a task, whatever lies within one. */
static part outer_part(const int64_t *dim, const int64_t *stride, int32_t counted, int32_t ndim, int64_t per_task,
                       int64_t offset, int64_t bytes) {
    int64_t inner = 1, size = extent(dim, stride, 1, ndim);
    for (int32_t i = 1; i < counted; i++) inner *= dim[i];
    if (counted < 1 || per_task % inner || size > stride[0]) return (part){ 0 };
    return stepped(offset, stride[0], size, per_task / inner, bytes);
}

/* Sinks first: each task writes a partial of its own. Then the usual case, whole rows in order; else whole entries of
 * the outermost dimension. */
static part map_part(const flat_kernel *k, int32_t operand) {
    const flat_map *m = &k->map;
    const flat_operand *o = &k->operands[operand];
    int64_t bytes = (int64_t)tide_dtype_size(o->type), row, cols = extent(m->dim, o->stride, m->row_ndim, m->ndim);
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].operand == operand && (m->instrs[i].op == FLAT_COL_SUM || m->instrs[i].op == FLAT_ALL_SUM))
            return (part){ true, o->offset * bytes,
                           k->grains * bytes * (m->instrs[i].op == FLAT_COL_SUM ? m->cols : 1) };
    if (nested(m->dim, o->stride, m->row_ndim, &row) && cols <= row)
        return stepped(o->offset, row, cols, k->grains * m->rows_per_task, bytes);
    return outer_part(m->dim, o->stride, m->row_ndim, m->ndim, k->grains * m->rows_per_task, o->offset, bytes);
}

/* B is read whole by every task unless batch entries are cut, a bias always; columns of a cut product lie in every row,
 * so they are no part. */
static part gemm_part(const flat_kernel *k, int32_t operand) {
    const flat_gemm *g = &k->gemm;
    const flat_operand *o = &k->operands[operand];
    int64_t bytes = (int64_t)tide_dtype_size(o->type), rows = operand == 1 ? g->k : g->m,
            cols = operand == 0 ? g->k : g->n;
    int32_t nb = g->batch_ndim;
    int64_t matrix[2] = { rows, cols }, step, dim[TIDE_MAX_DIMS + 2], stride[TIDE_MAX_DIMS + 2];
    memcpy(dim, g->batch, sizeof *dim * (size_t)nb);
    memcpy(stride, o->stride, sizeof *stride * (size_t)(nb + 2));
    if (g->split == FLAT_SPLIT_COLS || operand == 3) return (part){ 0 };
    if (g->split != FLAT_SPLIT_BATCH) {  /* rows outermost: of one entry, or of each */
        if (operand == 1 || (g->split == FLAT_SPLIT_ROWS && g->batches != 1)) return (part){ 0 };
        dim[nb] = cols, stride[nb] = stride[nb + 1];
        int64_t size = extent(dim, stride, 0, nb + 1), row = o->stride[nb];
        return row >= size ? stepped(o->offset, row, size, g->rows_per_task, bytes) : (part){ 0 };
    }
    int64_t size = extent(matrix, o->stride + nb, 0, 2);
    if (nested(g->batch, o->stride, nb, &step) && size <= step)
        return stepped(o->offset, step, size, g->rows_per_task, bytes);
    memcpy(dim + nb, matrix, sizeof matrix);
    return outer_part(dim, o->stride, nb, nb + 2, g->rows_per_task, o->offset, bytes);
}

part part_of(const flat_kernel *k, int32_t operand) {
    return k->kind == FLAT_MAP ? map_part(k, operand) : k->kind == FLAT_GEMM ? gemm_part(k, operand) : (part){ 0 };
}

/* Everything that a kernel touches of a buffer lies within these bytes; false: they are not known. */
bool operand_range(const flat_kernel *k, int32_t operand, int64_t *from, int64_t *to) {
    const flat_operand *o = &k->operands[operand];
    const flat_map *m = &k->map;
    int64_t bytes = (int64_t)tide_dtype_size(o->type);
    if (k->kind != FLAT_MAP) return false;
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].operand == operand && m->instrs[i].op != FLAT_LOAD && m->instrs[i].op != FLAT_STORE)
            return false;
    for (int32_t i = 0; i < m->ndim; i++)
        if (o->stride[i] < 0) return false;
    *from = o->offset * bytes;
    *to = *from + extent(m->dim, o->stride, 0, m->ndim) * bytes;
    return true;
}
