/* One kernel for each op that is not lane-wise. */
#include <stdio.h>

#include "lower.h"

static const ir_node *node_of(const lowering *l, int32_t id) { return l->g->nodes[id]; }

static flat_operand whole(const view *v) {
    return (flat_operand){ .buffer = v->buffer, .type = v->type, .offset = v->offset };
}

/* ---- matrix products ---- */

/* A provider takes matrices with unit stride along rows or columns, and no element twice. */
static bool matrix_ok(const view *v) {
    int r = v->ndim - 2, c = v->ndim - 1;
    bool row_unit = v->stride[c] == 1 || v->dim[c] == 1, column_unit = v->stride[r] == 1 || v->dim[r] == 1;
    bool rows_apart = v->stride[r] >= v->dim[c] || v->dim[r] == 1,
         columns_apart = v->stride[c] >= v->dim[r] || v->dim[c] == 1;
    return (row_unit && rows_apart) || (column_unit && columns_apart);
}

/* Else the operand is copied first, once, however many products read it. */
static view matrix_view(lowering *l, int32_t node) {
    const view *v = lower_view(l, node);
    return matrix_ok(v) ? *v : *lower_contiguous(l, node);
}

/* The permutation that is the product's only use and keeps columns last: the product is written in that order. */
static int32_t written_permuted(const lowering *l, int32_t node) {
    return l->only_permute[node] && node_of(l, l->only_permute[node])->attr.start[node_of(l, node)->shape.ndim - 1] ==
                                        node_of(l, node)->shape.ndim - 1
               ? l->only_permute[node]
               : 0;
}

/* The permuted product's part of the concatenation that wants its parts side by side; false: there is none. */
static bool placed_beside(lowering *l, int32_t concat, int32_t permute, view *out) {
    const ir_node *n = node_of(l, concat);
    int64_t at = 0;
    int32_t i = 0;
    if (!concat) return false;
    while (node_of(l, n->in[i])->in[0] != permute) at += node_of(l, n->in[i++])->shape.dim[n->attr.axis];
    if (!l->loc[concat].valid) l->loc[concat] = lower_new(l, (tide_dtype)n->type, n->shape);
    view section = lower_section(&l->loc[concat], n->attr.axis, at, node_of(l, n->in[i])->shape.dim[n->attr.axis]);
    return view_reshaped(&section, node_of(l, permute)->shape, out);
}

/* The buffer has the permuted order; the view that the product writes through has the product's own. */
view lower_product(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    int32_t permute = written_permuted(l, node);
    view out;
    if (lower_part(l, node, &out) && out.stride[out.ndim - 1] == 1) return out;
    if (!permute) return lower_new(l, (tide_dtype)n->type, n->shape);
    const ir_node *p = node_of(l, permute);
    if (!placed_beside(l, l->beside[node], permute, &out)) out = lower_new(l, (tide_dtype)n->type, p->shape);
    int64_t inverse[TIDE_MAX_DIMS];
    for (int i = 0; i < p->shape.ndim; i++) inverse[p->attr.start[i]] = i;
    return view_permuted(&out, inverse);
}

/* Rows a task if all have about so many: processors have even numbers of cores. The last task has not so few rows that
 * they are multiplied otherwise. */
static int64_t even_rows(const pass_graph *g, int64_t m, int64_t about) {
    int64_t blocks = MAX2(1, (m + about / 2) / about);
    if (blocks > 2 && blocks % 2) blocks++;
    int64_t rows = ceil_div(m, blocks);
    while (!g->cut.sums_by_task && m % MAX2(rows, 1) && m % rows < g->numbers->alike_rows) rows++;
    return rows;
}

/* Weight gradients are few products with few rows each: where more tasks are asked for, they have fewer rows. */
static int64_t rows_apart(const pass_graph *g, int64_t usual) {
    const backend_cut *n = g->numbers;
    if (g->cut.product_rows) return g->cut.product_rows;
    if (g->cut.sums_by_task || g->cut.tasks <= n->fewest_tasks) return usual;
    return MAX2(n->few_rows, usual * n->fewest_tasks / g->cut.tasks);
}

/* Where the program has a common cut and the product takes part in it (its rows are samples: the right operand is a
 * variable), its tasks are the program's. */
static void split_gemm(const lowering *l, flat_gemm *gemm, flat_kernel *k, bool by_variable) {
    double work = (double)gemm->m * (double)gemm->n * (double)gemm->k, small = (double)l->g->numbers->small_product;
    const common_cut *cut = &l->cut;
    const backend_cut *n = l->g->numbers;
    bool whole_samples = cut->samples && gemm->batch_ndim > 0 && gemm->batch[0] == cut->samples;
    bool of_each = gemm->batches > 1 && !whole_samples && cut->tasks && gemm->m == cut->rows;
    /* one answer: all cores share it */
    if (gemm->batches == 1 && gemm->m <= n->few_rows && gemm->n >= n->few_cols && work >= small) {
        gemm->split = FLAT_SPLIT_COLS;
        gemm->rows_per_task = round_up(ceil_div(gemm->n, n->few_tasks), 16);
        k->tasks = ceil_div(gemm->n, gemm->rows_per_task);
    } else if (of_each) {
        gemm->split = FLAT_SPLIT_EACH;
        gemm->rows_per_task = gemm->m / cut->tasks;
        gemm->usual_rows = gemm->m / cut->usual;
        k->tasks = cut->tasks;
    } else if (gemm->batches > 1 && (work < small || whole_samples)) {
        gemm->split = FLAT_SPLIT_BATCH;
        bool common = cut->tasks && gemm->batches % cut->tasks == 0;
        gemm->rows_per_task =
            common ? gemm->batches / cut->tasks : MAX2(1, (int64_t)(0.5 * small / MAX2(work, 1.0)));
        k->tasks = ceil_div(gemm->batches, gemm->rows_per_task);
    } else {
        gemm->split = FLAT_SPLIT_ROWS;
        bool common = cut->tasks && by_variable && gemm->m % cut->tasks == 0 &&
                      gemm->m / cut->tasks >= n->least_common_rows;
        int64_t usual = by_variable ? n->product_rows : n->gradient_rows, rows = rows_apart(l->g, usual);
        gemm->rows_per_task = common ? gemm->m / cut->tasks : even_rows(l->g, gemm->m, rows);
        gemm->usual_rows = common ? gemm->m / cut->usual : even_rows(l->g, gemm->m, usual);
        k->tasks = gemm->batches * ceil_div(gemm->m, gemm->rows_per_task);
    }
}

static void lower_matmul(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    view a = matrix_view(l, n->in[0]), b = matrix_view(l, n->in[1]);
    const view *bias = n->n_in == 3 ? lower_contiguous(l, n->in[2]) : NULL;
    view c = l->loc[node] = lower_product(l, node);
    char name[80];
    flat_gemm gemm = { .m = a.dim[a.ndim - 2],
                       .k = a.dim[a.ndim - 1],
                       .n = b.dim[b.ndim - 1],
                       .batches = 1,
                       .batch_ndim = a.ndim - 2,
                       .alpha = 1 };
    for (int i = 0; i < gemm.batch_ndim; i++) gemm.batches *= gemm.batch[i] = a.dim[i];
    snprintf(name, sizeof name, "gemm %dx%dx%d x%d%s%s", (int)gemm.m, (int)gemm.n, (int)gemm.k, (int)gemm.batches,
             bias ? ", add" : "", type_half(c.type) ? ", cast" : "");
    flat_kernel *k = lower_kernel(l, FLAT_GEMM, n->n_in + 1, name);
    k->operands[0] = lower_operand(&a), k->operands[1] = lower_operand(&b), k->operands[2] = lower_operand(&c);
    if (bias) k->operands[3] = whole(bias), k->operands[3].stride[a.ndim - 1] = 1;
    split_gemm(l, &gemm, k, node_of_variable(l->g, n->in[1]));
    k->gemm = gemm;
    l->out->flops += 2.0 * (double)gemm.m * (double)gemm.n * (double)gemm.k * (double)gemm.batches;
}

/* ---- along an axis ---- */

/* Any axis is (outer, n, inner) with the others joined: kernels along an axis know no more of a shape. */
static flat_index around_axis(tide_shape s, int axis) {
    flat_index x = { .outer = 1, .n = s.dim[axis], .inner = 1 };
    for (int i = 0; i < axis; i++) x.outer *= s.dim[i];
    for (int i = axis + 1; i < s.ndim; i++) x.inner *= s.dim[i];
    return x;
}

static void set_index(const lowering *l, flat_kernel *k, flat_index x) {
    int64_t one = MAX2(1, MAX2(x.n, x.count) * x.inner);
    x.per_task = MAX2(1, l->g->numbers->map_lanes / one);
    k->index = x;
    k->tasks = ceil_div(x.outer, x.per_task);
}

/* These address whole buffers: they never join a chain, so operands are contiguous and tasks are as they please. */
static flat_kernel *indexed(lowering *l, int32_t node, flat_kernel_kind kind, flat_index x) {
    const ir_node *n = node_of(l, node);
    const view *in[3] = { 0 };
    for (int32_t i = 0; i < n->n_in; i++) in[i] = lower_contiguous(l, n->in[i]);
    l->loc[node] = lower_new(l, (tide_dtype)n->type, n->shape);
    flat_kernel *k = lower_kernel(l, kind, n->n_in + 1, ir_op_names[n->op]);
    for (int32_t i = 0; i < n->n_in; i++) k->operands[i] = whole(in[i]);
    k->operands[n->n_in] = whole(&l->loc[node]);
    set_index(l, k, x);
    return k;
}

static void lower_gather(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    flat_index x = around_axis(node_of(l, n->in[0])->shape, n->attr.axis);
    x.count = tide_shape_count(node_of(l, n->in[1])->shape);
    indexed(l, node, FLAT_GATHER, x);
}

static void lower_scatter_add(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    flat_index x = around_axis(n->shape, n->attr.axis);
    x.count = tide_shape_count(node_of(l, n->in[1])->shape);
    indexed(l, node, FLAT_SCATTER_ADD, x);
}

static void lower_take_along(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    flat_index x = around_axis(node_of(l, n->in[0])->shape, n->attr.axis);
    x.count = n->shape.dim[n->attr.axis];
    indexed(l, node, FLAT_TAKE_ALONG, x);
}

static void lower_put_along_add(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    flat_index x = around_axis(n->shape, n->attr.axis);
    x.count = node_of(l, n->in[0])->shape.dim[n->attr.axis];
    indexed(l, node, FLAT_PUT_ALONG_ADD, x);
}

static void lower_cumsum(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    flat_index x = around_axis(n->shape, n->attr.axis);
    x.flag = n->attr.flag;
    indexed(l, node, FLAT_CUMSUM, x);
}

/* Values and indices come from one kernel; the index node finds its buffer where this leaves it. */
static void lower_sort(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    const view *x = lower_contiguous(l, n->in[0]);
    l->loc[node] = lower_new(l, (tide_dtype)n->type, n->shape);
    view order = lower_new(l, TIDE_I32, n->shape);
    l->second[node] = order.buffer;
    flat_index index = around_axis(n->shape, n->shape.ndim - 1);
    index.flag = n->attr.flag;
    flat_kernel *k = lower_kernel(l, FLAT_SORT, 3, "sort");
    k->operands[0] = whole(x), k->operands[1] = whole(&l->loc[node]), k->operands[2] = whole(&order);
    set_index(l, k, index);
}

static void lower_sort_index(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    int32_t sort = through_reshapes(l->g, n->in[0]);
    l->loc[node] = view_contiguous(l->second[sort], TIDE_I32, n->shape);
}

/* ---- parts of a whole ---- */

static void lower_unslice(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    l->loc[node] = lower_new(l, (tide_dtype)n->type, n->shape);
    lower_fill(l, &l->loc[node], 0);
    view to = view_sliced(&l->loc[node], node_of(l, n->in[0])->shape, &n->attr);
    lower_copy(l, lower_view(l, n->in[0]), &to);
}

static void lower_custom(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    const tide_custom_op *op = n->attr.data;
    const view **in = arena_new(l->memory, const view *, MAX2(n->n_in, 1));
    for (int32_t i = 0; i < n->n_in; i++) in[i] = lower_contiguous(l, n->in[i]);
    l->loc[node] = lower_new(l, (tide_dtype)n->type, n->shape);
    flat_kernel *k = lower_kernel(l, FLAT_CUSTOM, n->n_in + 1, op->name);
    for (int32_t i = 0; i < n->n_in; i++) k->operands[i] = whole(in[i]);
    k->operands[n->n_in] = whole(&l->loc[node]);
    k->custom.run = op->run, k->custom.user = op->user;
    k->tasks = 1;
}

static void (*const rows[OP_COUNT])(lowering *l, int32_t node) = {
    [OP_MATMUL] = lower_matmul,           [OP_GATHER] = lower_gather, [OP_SCATTER_ADD] = lower_scatter_add,
    [OP_TAKE_ALONG] = lower_take_along,   [OP_CUMSUM] = lower_cumsum, [OP_PUT_ALONG_ADD] = lower_put_along_add,
    [OP_SORT] = lower_sort,               [OP_SORT_INDEX] = lower_sort_index,
    [OP_CONCAT] = lower_concat,           [OP_UNSLICE] = lower_unslice, [OP_CUSTOM] = lower_custom,
    [OP_ATTENTION] = lower_attention,     [OP_ATTENTION_LOG] = lower_attention_log,
    [OP_ATTENTION_GRAD] = lower_attention_grad,
};

void lower_op(lowering *l, int32_t node) {
    if (rows[node_of(l, node)->op]) rows[node_of(l, node)->op](l, node);
}
