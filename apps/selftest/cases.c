/* The op table: a row per operation with the shapes, types and values that it is tried on. */
#include "cases.h"

#define S TIDE_SHAPE
/* tide_shape initialisers: TIDE_SHAPE is a compound literal, which is no constant expression in a static table. */
#define D1(a) { 1, { a } }
#define D2(a, b) { 2, { a, b } }
#define D3(a, b, c) { 3, { a, b, c } }
#define D4(a, b, c, d) { 4, { a, b, c, d } }

const tide_shape unary_shapes[CASE_SHAPES] = { { 0, { 0 } }, D1(67), D3(2, 5, 33), D2(3, 0) };
const tide_shape binary_shapes[CASE_SHAPES][2] = {
    { D2(7, 9), D2(7, 9) }, { D3(3, 1, 5), D2(4, 1) }, { { 0, { 0 } }, D1(37) }, { D2(0, 4), D1(1) },
};

static tide_val index_of(tide_graph *g, tide_shape shape, const int32_t *index) {
    return tide_constant(g, TIDE_I32, shape, index);
}

/* ---- numbers ---- */
static tide_val with_numbers(const tide_val *x) {
    return tide_pow_scalar(tide_div_scalar(tide_sub_scalar(x[0], 0.1), 3), 1.7);
}
static tide_val compared(const tide_val *x) {
    tide_val between = tide_and(tide_ge_scalar(x[0], -0.5), tide_lt_scalar(x[0], 0.5));
    tide_val other = tide_and(tide_ne_scalar(x[0], 0.25), tide_not(tide_eq_scalar(x[0], 0.125)));
    return tide_and(tide_and(between, other), tide_or(tide_gt_scalar(x[0], 0), tide_le_scalar(x[0], 0)));
}
static tide_val weak(const tide_val *x) {
    tide_val half = tide_scalar(x[0].graph, 0.5);
    return tide_where(tide_gt(half, x[0]), tide_mul(half, x[0]), half);
}

/* ---- reductions ---- */
static tide_val sum_all(const tide_val *x) { return tide_sum(x[0], TIDE_ALL); }
static tide_val sum_first(const tide_val *x) { return tide_sum(x[0], TIDE_AXES(0)); }
static tide_val sum_middle(const tide_val *x) { return tide_sum(x[0], TIDE_AXES(1)); }
static tide_val sum_outer(const tide_val *x) { return tide_sum(x[0], TIDE_AXES_KEEP(0, -1)); }
static tide_val mean_last(const tide_val *x) { return tide_mean(x[0], TIDE_AXES(-1)); }
static tide_val mean_all(const tide_val *x) { return tide_mean(x[0], TIDE_ALL); }
static tide_val max_last(const tide_val *x) { return tide_max(x[0], TIDE_AXES(-1)); }
static tide_val min_first(const tide_val *x) { return tide_min(x[0], TIDE_AXES_KEEP(0)); }
static tide_val variance_last(const tide_val *x) { return tide_variance(x[0], TIDE_AXES(-1)); }
static tide_val variance_two(const tide_val *x) { return tide_variance(x[0], TIDE_AXES(0, 1)); }
static tide_val logsumexp_last(const tide_val *x) { return tide_logsumexp(x[0], TIDE_AXES(-1)); }
static tide_val argmax_last(const tide_val *x) { return tide_argmax(x[0], -1); }
static tide_val argmin_first(const tide_val *x) { return tide_argmin(x[0], 0); }
static tide_val cumsum_last(const tide_val *x) { return tide_cumsum(x[0], -1); }
static tide_val cumsum_first(const tide_val *x) { return tide_cumsum(x[0], 0); }

/* ---- products ---- */
static tide_val matmul(const tide_val *x) { return tide_matmul(x[0], x[1]); }
static tide_val matmul_at(const tide_val *x) { return tide_matmul(tide_transpose(x[0], -1, -2), x[1]); }
static tide_val matmul_bt(const tide_val *x) { return tide_matmul(x[0], tide_transpose(x[1], -1, -2)); }
static tide_val affine_gelu(const tide_val *x) {
    return tide_gelu(tide_add(tide_matmul(x[0], tide_transpose(x[1], 0, 1)), x[2]));
}

/* ---- shape ---- */
static tide_val reshape(const tide_val *x) { return tide_reshape(x[0], S(3, -1)); }
static tide_val transpose(const tide_val *x) { return tide_transpose(x[0], 0, -1); }
static tide_val permute(const tide_val *x) { return tide_permute(x[0], (const int[]){ 2, 0, 1 }); }
static tide_val broadcast(const tide_val *x) { return tide_broadcast(x[0], S(4, 3, 5)); }
static tide_val slice(const tide_val *x) { return tide_slice(x[0], 1, 1, -1); }
static tide_val slice_step(const tide_val *x) { return tide_slice_step(x[0], -1, 1, 7, 2); }
static tide_val flip(const tide_val *x) { return tide_flip(x[0], 0); }
static tide_val concat(const tide_val *x) { return tide_concat(x[0].graph, TIDE_LIST(x[0], x[1], x[0]), 1); }
/* Parts that are used unevenly, one of them not at all, and overlapping slices: gradients of the gaps are zero. */
static tide_val split(const tide_val *x) {
    tide_list p = tide_split(x[0], -1, 4);
    if (p.count != 4) return tide_poison(x[0].graph, TIDE_EINVAL, "split");
    return tide_sub(tide_mul(p.items[0], p.items[3]), tide_sin(p.items[1]));
}
static tide_val split_sizes(const tide_val *x) {
    tide_list p = tide_split_sizes(x[0], 0, (const int64_t[]){ 1, 0, 3, 1 }, 4);
    if (p.count != 4) return tide_poison(x[0].graph, TIDE_EINVAL, "split");
    return tide_add(tide_mul(p.items[2], p.items[0]), tide_square(p.items[3]));
}
static tide_val unstack(const tide_val *x) {
    tide_list p = tide_unstack(x[0], 1);
    tide_val sum = p.items[p.count - 1];
    for (int64_t i = p.count - 2; i >= 0; i--) sum = tide_tanh(tide_add(tide_mul(sum, p.items[i]), p.items[i]));
    return sum;
}
static tide_val overlapping(const tide_val *x) {
    tide_val sum = tide_square(tide_slice(x[0], 1, 2, 5));
    for (int i = 0; i < 4; i++)
        sum = tide_add(sum, tide_mul_scalar(tide_sin(tide_slice(x[0], 1, i, i + 3)), 1 + i));
    return tide_add(sum, tide_mul(tide_slice(x[0], 1, 4, 7), tide_slice(x[0], 1, 0, 3)));
}
static tide_val stack(const tide_val *x) { return tide_stack(x[0].graph, TIDE_LIST(x[0], x[1]), 1); }
static tide_val pad(const tide_val *x) { return tide_pad(x[0], -1, 2, 1, 0.5); }
static tide_val last_two(const tide_val *x) { return tide_slice(x[0], 1, -2, TIDE_END); }
static tide_val squeeze(const tide_val *x) { return tide_squeeze(tide_expand_dims(x[0], 1), 1); }

/* ---- indexing ---- */
static tide_val gather(const tide_val *x) {
    return tide_gather(x[0], 0, index_of(x[0].graph, S(2, 3), (const int32_t[]){ 4, 0, 2, 2, 4, 1 }));
}
static tide_val gather_inner(const tide_val *x) {
    return tide_gather(x[0], 1, index_of(x[0].graph, S(4), (const int32_t[]){ 3, 3, 0, 1 }));
}
static tide_val scatter_add(const tide_val *x) {
    return tide_scatter_add(x[0], 0, index_of(x[0].graph, S(4), (const int32_t[]){ 1, 1, 0, 9 }), x[1]);
}
static tide_val take_along(const tide_val *x) {
    return tide_take_along(x[0], 1, index_of(x[0].graph, S(3, 2), (const int32_t[]){ 1, 1, 0, 3, 2, 0 }));
}
static tide_val one_hot(const tide_val *x) {
    return tide_mul(tide_one_hot(index_of(x[0].graph, S(3), (const int32_t[]){ 2, 0, 3 }), 4, tide_dtype_of(x[0])),
                    x[0]);
}
static tide_val windows(const tide_val *x) {
    return tide_windows(x[0], index_of(x[0].graph, S(3), (const int32_t[]){ 0, 5, 2 }), 4);
}
static tide_val sorted(const tide_val *x) {
    tide_val values;
    tide_sort(x[0], true, &values, NULL);
    return values;
}
static tide_val sort_order(const tide_val *x) {
    tide_val order;
    tide_sort(x[0], false, NULL, &order);
    return order;
}
static tide_val top_k(const tide_val *x) {
    tide_val values;
    tide_top_k(x[0], 3, &values, NULL);
    return values;
}

/* ---- rows, attention, choices ---- */
static tide_val softmax_last(const tide_val *x) { return tide_softmax(x[0], -1); }
static tide_val softmax_first(const tide_val *x) { return tide_softmax(x[0], 0); }
static tide_val log_softmax(const tide_val *x) { return tide_log_softmax(x[0], -1); }
static tide_val layer_norm(const tide_val *x) { return tide_layer_norm(x[0], x[1], x[2], 1e-5); }
static tide_val attention(const tide_val *x) { return tide_attention(x[0], x[1], x[2], 0, TIDE_EVAL, NULL); }
static tide_val attention_dropped(const tide_val *x) {
    return tide_attention(x[0], x[1], x[2], 0.3, TIDE_TRAIN, NULL);
}
static tide_val conv1d(const tide_val *x) { return tide_conv1d_apply(&(tide_conv1d){ x[1], x[2], 1, 1 }, x[0]); }
static tide_val conv1d_strided(const tide_val *x) {
    return tide_conv1d_apply(&(tide_conv1d){ x[1], x[2], 3, 2 }, x[0]);
}
static tide_val linear_row(const tide_val *x) { return tide_linear_apply(&(tide_linear){ x[1], x[2] }, x[0]); }
static tide_val where(const tide_val *x) {
    return tide_where(tide_gt(x[0], x[1]), tide_square(x[0]), tide_mul(x[0], x[2]));
}
static tide_val where_guard(const tide_val *x) {
    return tide_where(tide_gt(x[0], tide_mul_scalar(x[0], 0)), tide_log(x[0]), x[0]);
}
static tide_val clamp(const tide_val *x) { return tide_clamp(x[0], -0.7, 1.1); }
static tide_val both(const tide_val *x) { return tide_and(tide_lt(x[0], x[1]), tide_not(tide_ge(x[1], x[2]))); }
static tide_val cast_and_back(const tide_val *x) { return tide_cast(tide_cast(x[0], TIDE_I32), tide_dtype_of(x[0])); }
static tide_val stopped(const tide_val *x) {
    return tide_add(tide_mul(x[0], x[0]), tide_stop_gradient(tide_exp(x[0])));
}
static tide_val twice(const tide_val *x) {
    return tide_grad(tide_sum(tide_exp(tide_sin(x[0])), TIDE_ALL), TIDE_LIST(x[0])).items[0];
}

/* ---- losses ---- */
static tide_val mse(const tide_val *x) { return tide_mse(x[0], x[1]); }
static tide_val mae(const tide_val *x) { return tide_mae(x[0], x[1]); }
static tide_val huber(const tide_val *x) { return tide_huber(x[0], x[1], 0.8, TIDE_NO_WEIGHT); }
static tide_val quantile(const tide_val *x) { return tide_quantile_loss(x[0], x[1], 0.3, TIDE_NO_WEIGHT); }
static tide_val weighted(const tide_val *x) { return tide_mse_weighted(x[0], x[1], tide_square(x[2])); }
static tide_val bce(const tide_val *x) { return tide_bce_logits(x[0], tide_sigmoid(x[1]), TIDE_NO_WEIGHT); }
static tide_val cross_entropy(const tide_val *x) {
    return tide_cross_entropy(x[0], index_of(x[0].graph, S(3), (const int32_t[]){ 4, 0, 2 }), TIDE_NO_WEIGHT);
}

#define FLAT .flat = true
#define LARGE .large = true
const op_case op_cases[] = {
    { "neg", .unary = tide_neg },
    { "abs", .unary = tide_abs },
    { "sign", .unary = tide_sign, FLAT },
    { "square", .unary = tide_square },
    { "reciprocal", .unary = tide_reciprocal, .low = 0.5, .high = 3 },
    { "sqrt", .unary = tide_sqrt, .low = 0.1, .high = 9 },
    { "rsqrt", .unary = tide_rsqrt, .low = 0.1, .high = 9 },
    { "exp", .unary = tide_exp, .low = -20, .high = 5 },
    { "expm1", .unary = tide_expm1, .low = -3, .high = 3 },
    { "log", .unary = tide_log, .low = 0.01, .high = 20 },
    { "log1p", .unary = tide_log1p, .low = -0.9, .high = 20 },
    { "sin", .unary = tide_sin, .low = -10, .high = 10 },
    { "cos", .unary = tide_cos, .low = -10, .high = 10 },
    { "tanh", .unary = tide_tanh, .low = -5, .high = 5 },
    { "erf", .unary = tide_erf, .low = -3, .high = 3 },
    { "floor", .unary = tide_floor, FLAT, .low = -9, .high = 9 },
    { "ceil", .unary = tide_ceil, FLAT, .low = -9, .high = 9 },
    { "round", .unary = tide_round, FLAT, .low = -9, .high = 9 },
    { "is_finite", .unary = tide_is_finite, FLAT },
    { "relu", .unary = tide_relu },
    { "gelu", .unary = tide_gelu, .low = -5, .high = 5 },
    { "sigmoid", .unary = tide_sigmoid, .low = -20, .high = 20 },
    { "softplus", .unary = tide_softplus, .low = -20, .high = 20 },
    { "silu", .unary = tide_silu, .low = -20, .high = 20 },

    { "add", .binary = tide_add },
    { "sub", .binary = tide_sub },
    { "mul", .binary = tide_mul },
    { "div", .binary = tide_div, .low = 0.5, .high = 3 },
    { "pow", .binary = tide_pow, .low = 0.2, .high = 3 },
    { "maximum", .binary = tide_maximum },
    { "minimum", .binary = tide_minimum },
    { "eq", .binary = tide_eq, FLAT },
    { "ne", .binary = tide_ne, FLAT },
    { "lt", .binary = tide_lt, FLAT },
    { "le", .binary = tide_le, FLAT },
    { "gt", .binary = tide_gt, FLAT },
    { "ge", .binary = tide_ge, FLAT },

    { "numbers in place of values", .build = with_numbers, .low = 0.2, .high = 3, .tolerance = 1e-5,
      .shape = { D2(5, 9) }, .inputs = 1 },
    { "comparisons with numbers", .build = compared, FLAT, .shape = { D2(5, 9) }, .inputs = 1 },
    { "a number beside a value", .build = weak, .shape = { D2(5, 9) }, .inputs = 1 },

    { "sum, all", .build = sum_all, .tolerance = 1e-5, .shape = { D3(5, 7, 33) }, .inputs = 1 },
    { "sum, first axis", .build = sum_first, .tolerance = 1e-5, .shape = { D2(129, 17) }, .inputs = 1 },
    { "sum, middle axis", .build = sum_middle, .shape = { D3(3, 40, 9) }, .inputs = 1 },
    { "sum, two axes kept", .build = sum_outer, .shape = { D3(4, 6, 19) }, .inputs = 1 },
    { "sum, of nothing", .build = sum_first, .shape = { D2(0, 3) }, .inputs = 1 },
    { "mean, last axis", .build = mean_last, .shape = { D2(9, 65) }, .inputs = 1 },
    { "mean, all", .build = mean_all, .shape = { D2(31, 33) }, .inputs = 1 },
    { "max", .build = max_last, .shape = { D2(9, 37) }, .inputs = 1 },
    { "min", .build = min_first, .shape = { D2(9, 37) }, .inputs = 1 },
    { "variance, last axis", .build = variance_last, .shape = { D2(9, 65) }, .inputs = 1 },
    { "variance, two axes", .build = variance_two, .shape = { D3(4, 11, 5) }, .inputs = 1 },
    { "logsumexp", .build = logsumexp_last, .low = -40, .high = 40, .shape = { D2(9, 37) }, .inputs = 1 },
    { "argmax", .build = argmax_last, FLAT, .shape = { D2(9, 37) }, .inputs = 1 },
    { "argmin", .build = argmin_first, FLAT, .shape = { D2(9, 37) }, .inputs = 1 },
    { "cumsum, last axis", .build = cumsum_last, .tolerance = 2e-5, .shape = { D2(5, 65) }, .inputs = 1 },
    { "cumsum, first axis", .build = cumsum_first, .tolerance = 2e-5, .shape = { D2(65, 5) }, .inputs = 1 },

    /* k rounding errors of a sum of k terms of size up to 4. */
    { "matmul", .build = matmul, .tolerance = 2e-5, .shape = { D2(33, 65), D2(65, 17) }, .inputs = 2 },
    { "matmul, batched", .build = matmul, .tolerance = 2e-5, .shape = { D3(3, 5, 8), D3(3, 8, 7) }, .inputs = 2 },
    { "matmul, broadcast", .build = matmul, .tolerance = 2e-5, .shape = { D4(2, 3, 5, 8), D2(8, 7) }, .inputs = 2 },
    { "matmul, a transposed", .build = matmul_at, .tolerance = 2e-5, .shape = { D2(40, 33), D2(40, 18) }, .inputs = 2 },
    { "matmul, b transposed", .build = matmul_bt, .tolerance = 2e-5, .shape = { D2(33, 40), D2(18, 40) }, .inputs = 2 },
    { "matmul, one row", .build = matmul, .tolerance = 2e-5, .shape = { D2(1, 64), D2(64, 33) }, .inputs = 2 },
    { "matmul, k is 0", .build = matmul, FLAT, .shape = { D2(3, 0), D2(0, 4) }, .inputs = 2 },
    { "affine and gelu", .build = affine_gelu, .tolerance = 4e-5, .shape = { D2(37, 48), D2(24, 48), D1(24) },
      .inputs = 3 },

    { "matmul, large", .build = matmul, LARGE, .tolerance = 4e-5, .shape = { D2(66, 96), D2(96, 40) }, .inputs = 2 },
    { "matmul, large, a transposed", .build = matmul_at, LARGE, .tolerance = 4e-5,
      .shape = { D2(72, 64), D2(72, 66) }, .inputs = 2 },
    { "matmul, large, b transposed", .build = matmul_bt, LARGE, .tolerance = 4e-5,
      .shape = { D3(2, 40, 96), D3(2, 72, 96) }, .inputs = 2 },
    { "affine and gelu, large", .build = affine_gelu, LARGE, .tolerance = 4e-5,
      .shape = { D2(64, 72), D2(48, 72), D1(48) }, .inputs = 3 },

    { "reshape", .build = reshape, .shape = { D3(2, 3, 4) }, .inputs = 1 },
    { "transpose", .build = transpose, .shape = { D3(2, 3, 4) }, .inputs = 1 },
    { "permute", .build = permute, .shape = { D3(2, 3, 4) }, .inputs = 1 },
    { "broadcast", .build = broadcast, .shape = { D3(4, 1, 5) }, .inputs = 1 },
    { "slice", .build = slice, .shape = { D2(4, 9) }, .inputs = 1 },
    { "slice, step", .build = slice_step, .shape = { D2(4, 9) }, .inputs = 1 },
    { "slice, the last two", .build = last_two, .shape = { D2(4, 9) }, .inputs = 1 },
    { "flip", .build = flip, .shape = { D2(5, 3) }, .inputs = 1 },
    { "concat", .build = concat, .shape = { D2(3, 2), D2(3, 5) }, .inputs = 2 },
    { "split", .build = split, .shape = { D2(3, 8) }, .inputs = 1 },
    { "split into sizes", .build = split_sizes, .shape = { D2(5, 3) }, .inputs = 1 },
    { "unstack", .build = unstack, .shape = { D3(2, 70, 3) }, .inputs = 1 },
    { "unstack, one", .build = unstack, .shape = { D2(3, 1) }, .inputs = 1 },
    { "slices that overlap", .build = overlapping, .shape = { D2(2, 8) }, .inputs = 1 },
    { "stack", .build = stack, .shape = { D2(3, 4), D2(3, 4) }, .inputs = 2 },
    { "pad", .build = pad, .shape = { D2(3, 4) }, .inputs = 1 },
    { "expand and squeeze", .build = squeeze, .shape = { D2(3, 4) }, .inputs = 1 },

    { "gather", .build = gather, .shape = { D2(5, 3) }, .inputs = 1 },
    { "gather, inner axis", .build = gather_inner, .shape = { D3(2, 4, 3) }, .inputs = 1 },
    { "scatter_add", .build = scatter_add, .shape = { D2(3, 5), D2(4, 5) }, .inputs = 2 },
    { "take_along", .build = take_along, .shape = { D2(3, 4) }, .inputs = 1 },
    { "one_hot", .build = one_hot, .shape = { D2(3, 4) }, .inputs = 1 },
    { "windows", .build = windows, .shape = { D2(9, 3) }, .inputs = 1 },
    { "sort", .build = sorted, .shape = { D2(4, 23) }, .inputs = 1 },
    { "sort, order", .build = sort_order, FLAT, .shape = { D2(4, 23) }, .inputs = 1 },
    { "top_k", .build = top_k, .shape = { D2(4, 23) }, .inputs = 1 },

    { "softmax", .build = softmax_last, .low = -30, .high = 30, .tolerance = 2e-5, .shape = { D2(9, 37) },
      .inputs = 1 },
    { "softmax, first axis", .build = softmax_first, .shape = { D2(9, 5) }, .inputs = 1 },
    { "log_softmax", .build = log_softmax, .low = -30, .high = 30, .shape = { D2(9, 37) }, .inputs = 1 },
    { "layer_norm", .build = layer_norm, .tolerance = 1e-5, .shape = { D3(2, 9, 33), D1(33), D1(33) }, .inputs = 3 },
    { "attention", .build = attention, .tolerance = 1e-5, .shape = { D4(2, 2, 7, 8), D4(2, 2, 5, 8), D4(2, 2, 5, 8) },
      .inputs = 3 },
    { "attention, large", .build = attention, LARGE, .tolerance = 2e-5,
      .shape = { D4(1, 2, 66, 32), D4(1, 2, 65, 32), D4(1, 2, 65, 32) }, .inputs = 3 },
    { "attention under dropout", .build = attention_dropped, FLAT, LARGE, .tolerance = 2e-5,
      .shape = { D4(1, 2, 66, 32), D4(1, 2, 65, 32), D4(1, 2, 65, 32) }, .inputs = 3 },
    { "conv1d", .build = conv1d, .tolerance = 1e-5, .shape = { D3(2, 3, 9), D3(4, 3, 3), D1(4) }, .inputs = 3 },
    { "conv1d, stride 3", .build = conv1d_strided, .tolerance = 1e-5, .shape = { D3(2, 3, 10), D3(4, 3, 5), D1(4) },
      .inputs = 3 },
    { "linear, one row", .build = linear_row, .tolerance = 1e-5, .shape = { D1(5), D2(3, 5), D1(3) }, .inputs = 3 },
    { "where", .build = where, .shape = { D2(5, 9), D2(5, 9), D1(9) }, .inputs = 3 },
    { "where, guarded log", .build = where_guard, .shape = { D2(5, 9) }, .inputs = 1 },
    { "clamp", .build = clamp, .shape = { D2(5, 9) }, .inputs = 1 },
    { "and, not", .build = both, FLAT, .shape = { D2(5, 9), D2(5, 9), D2(5, 9) }, .inputs = 3 },
    { "cast", .build = cast_and_back, FLAT, .low = -9, .high = 9, .shape = { D2(5, 9) }, .inputs = 1 },
    { "stop_gradient", .build = stopped, FLAT, .shape = { D2(5, 9) }, .inputs = 1 },
    { "second derivative", .build = twice, .tolerance = 1e-5, .shape = { D1(9) }, .inputs = 1 },

    { "mse", .build = mse, .shape = { D2(5, 9), D2(5, 9) }, .inputs = 2 },
    { "mae", .build = mae, .shape = { D2(5, 9), D2(5, 9) }, .inputs = 2 },
    { "huber", .build = huber, .shape = { D2(5, 9), D2(5, 9) }, .inputs = 2 },
    { "quantile loss", .build = quantile, .shape = { D2(5, 9), D2(5, 9) }, .inputs = 2 },
    { "mse, weighted", .build = weighted, .shape = { D2(5, 9), D2(5, 9), D2(5, 9) }, .inputs = 3 },
    { "bce_logits", .build = bce, .shape = { D2(5, 9), D2(5, 9) }, .inputs = 2 },
    { "cross_entropy", .build = cross_entropy, .shape = { D2(3, 5) }, .inputs = 1 },
};
const int op_case_count = (int)(sizeof op_cases / sizeof *op_cases);
