#include <inttypes.h>

#include "table.h"

static bool batch_shape(tide_shape a, tide_shape b, tide_shape *out) {
    int na = a.ndim - 2, nb = b.ndim - 2;
    *out = (tide_shape){ .ndim = MAX2(na, nb) };
    for (int i = 1; i <= out->ndim; i++) {
        int64_t da = i <= na ? a.dim[na - i] : 1, db = i <= nb ? b.dim[nb - i] : 1;
        if (da != db && da != 1 && db != 1) return false;
        out->dim[out->ndim - i] = da == 1 ? db : da;
    }
    return true;
}

static tide_shape with_matrix(tide_shape batch, int64_t rows, int64_t columns) {
    batch.dim[batch.ndim++] = rows;
    batch.dim[batch.ndim++] = columns;
    return batch;
}

static bool matmul_types(tide_val a, tide_val b) {
    tide_dtype ta = tide_dtype_of(a), tb = tide_dtype_of(b);
    if (ta == tb && type_floating(ta)) return true;
    graph_fail(a.graph, TIDE_ETYPE, "matmul: operands are %s and %s; it takes two of one floating type",
               tide_dtype_name(ta), tide_dtype_name(tb));
    return false;
}

/* (..., m, k) with a matrix (k, n) is one product of all rows. */
static tide_val matmul_rows(tide_val a, tide_val b, tide_shape sa, int64_t n) {
    int64_t k = sa.dim[sa.ndim - 1], rows = 1;
    for (int i = 0; i < sa.ndim - 1; i++) rows *= sa.dim[i];
    tide_shape out = sa;
    out.dim[out.ndim - 1] = n;
    tide_val in[2] = { tide_reshape(a, TIDE_SHAPE(rows, k)), b };
    return tide_reshape(graph_add(a.graph, OP_MATMUL, tide_dtype_of(a), TIDE_SHAPE(rows, n), in, 2, NULL), out);
}

tide_val tide_matmul(tide_val a, tide_val b) {
    tide_graph *g = a.graph ? a.graph : b.graph;
    if (!operands_good("matmul", (tide_val[]){ a, b }, 2)) return graph_val(g, -1);
    tide_shape sa = tide_shape_of(a), sb = tide_shape_of(b), batch;
    char ta[128], tb[128];
    if (sa.ndim < 2 || sb.ndim < 2)
        return graph_fail(g, TIDE_ESHAPE, "matmul: shapes %s and %s; both need at least two axes", shape_text(ta, sa),
                          shape_text(tb, sb));
    if (!matmul_types(a, b)) return graph_val(g, -1);
    int64_t m = sa.dim[sa.ndim - 2], k = sa.dim[sa.ndim - 1], kb = sb.dim[sb.ndim - 2], n = sb.dim[sb.ndim - 1];
    if (k != kb)
        return graph_fail(g, TIDE_ESHAPE, "matmul: inner sizes %" PRId64 " and %" PRId64 " differ (shapes %s and %s)",
                          k, kb, shape_text(ta, sa),
                          shape_text(tb, sb));
    if (!batch_shape(sa, sb, &batch))
        return graph_fail(g, TIDE_ESHAPE, "matmul: batch axes of %s and %s do not broadcast", shape_text(ta, sa),
                          shape_text(tb, sb));
    if (type_half(tide_dtype_of(a))) return tide_cast(tide_matmul(in_f32(a), in_f32(b)), tide_dtype_of(a));
    if (sb.ndim == 2 && sa.ndim > 2) return matmul_rows(a, b, sa, n);
    tide_val in[2] = { tide_broadcast(a, with_matrix(batch, m, k)), tide_broadcast(b, with_matrix(batch, k, n)) };
    return graph_add(g, OP_MATMUL, tide_dtype_of(a), with_matrix(batch, m, n), in, 2, NULL);
}

void vjp_matmul(tide_val node, tide_val dy, tide_val *dx) {
    tide_val a = node_input(node, 0), b = node_input(node, 1);
    dx[0] = tide_matmul(dy, tide_transpose(b, -1, -2));
    dx[1] = tide_matmul(tide_transpose(a, -1, -2), dy);
}
