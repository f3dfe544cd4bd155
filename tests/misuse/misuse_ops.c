/* Operations on values. */
#include "misuse.h"

#include <math.h>

#define UNARY(V, f) V(f, 0, true, f(bad))
#define BINARY(V, f) V(f, 0, false, f(bad, t->x)) V(f, 1, false, f(t->x, bad))
#define REDUCE(V, R, f)                                                                                                \
    V(f, 0, true, f(bad, TIDE_ALL))                                                                                    \
    R(f, 1, "axis 7 of 2", poisoned(t, f(t->x, TIDE_AXES(7))))                                                         \
    R(f, 2, "nine axes", poisoned(t, f(t->x, (tide_axes){ .count = 9 })))                                              \
    R(f, 5, "an axis twice", poisoned(t, f(t->x, TIDE_AXES(1, -1))))                                                   \
    R(f, 3, "-1 axes", poisoned(t, f(t->x, (tide_axes){ .count = -1 })))                                               \
    R(f, 4, "INT32_MIN axes", poisoned(t, f(t->x, (tide_axes){ .count = INT32_MIN })))
#define WITH_NUMBER(V, R, f)                                                                                           \
    V(f, 0, true, f(bad, 1))                                                                                           \
    R(f, 1, "half an integer", poisoned(t, f(t->index, 0.5)))                                                          \
    R(f, 2, "an integer of NaN", poisoned(t, f(t->index, NAN)))
#define ONE_AXIS(V, R, f)                                                                                              \
    V(f, 0, true, f(bad, 0))                                                                                           \
    R(f, 1, "axis 7 of 2", poisoned(t, f(t->x, 7)))                                                                    \
    R(f, 2, "axis INT32_MIN", poisoned(t, f(t->x, INT32_MIN)))

static tide_val first(tide_list l) { return l.count ? l.items[0] : NOTHING; }

#define OPS(V, R)                                                                                                      \
    UNARY(V, tide_neg)                                                                                                 \
    UNARY(V, tide_abs)                                                                                                 \
    UNARY(V, tide_sign)                                                                                                \
    UNARY(V, tide_square)                                                                                              \
    UNARY(V, tide_reciprocal)                                                                                          \
    UNARY(V, tide_sqrt)                                                                                                \
    UNARY(V, tide_rsqrt)                                                                                               \
    UNARY(V, tide_exp)                                                                                                 \
    UNARY(V, tide_expm1)                                                                                               \
    UNARY(V, tide_log)                                                                                                 \
    UNARY(V, tide_log1p)                                                                                               \
    UNARY(V, tide_sin)                                                                                                 \
    UNARY(V, tide_cos)                                                                                                 \
    UNARY(V, tide_tanh)                                                                                                \
    UNARY(V, tide_erf)                                                                                                 \
    UNARY(V, tide_floor)                                                                                               \
    UNARY(V, tide_ceil)                                                                                                \
    UNARY(V, tide_round)                                                                                               \
    UNARY(V, tide_is_finite)                                                                                           \
    UNARY(V, tide_not)                                                                                                 \
    UNARY(V, tide_relu)                                                                                                \
    UNARY(V, tide_gelu)                                                                                                \
    UNARY(V, tide_sigmoid)                                                                                             \
    UNARY(V, tide_softplus)                                                                                            \
    UNARY(V, tide_silu)                                                                                                \
    UNARY(V, tide_stop_gradient)                                                                                       \
    BINARY(V, tide_add)                                                                                                \
    BINARY(V, tide_sub)                                                                                                \
    BINARY(V, tide_mul)                                                                                                \
    BINARY(V, tide_div)                                                                                                \
    BINARY(V, tide_pow)                                                                                                \
    BINARY(V, tide_maximum)                                                                                            \
    BINARY(V, tide_minimum)                                                                                            \
    BINARY(V, tide_eq)                                                                                                 \
    BINARY(V, tide_ne)                                                                                                 \
    BINARY(V, tide_lt)                                                                                                 \
    BINARY(V, tide_le)                                                                                                 \
    BINARY(V, tide_gt)                                                                                                 \
    BINARY(V, tide_ge)                                                                                                 \
    BINARY(V, tide_and)                                                                                                \
    BINARY(V, tide_or)                                                                                                 \
    BINARY(V, tide_matmul)                                                                                             \
    V(tide_where, 0, false, tide_where(bad, t->x, t->x))                                                               \
    V(tide_where, 1, false, tide_where(t->flag, bad, t->x))                                                            \
    V(tide_where, 2, false, tide_where(t->flag, t->x, bad))                                                            \
    V(tide_clamp, 0, true, tide_clamp(bad, 0, 1))                                                                      \
    V(tide_cast, 0, true, tide_cast(bad, TIDE_F64))                                                                    \
    R(tide_cast, 1, "type 99", poisoned(t, tide_cast(t->x, NO_TYPE)))                                                  \
    WITH_NUMBER(V, R, tide_add_scalar)                                                                                 \
    WITH_NUMBER(V, R, tide_sub_scalar)                                                                                 \
    WITH_NUMBER(V, R, tide_mul_scalar)                                                                                 \
    WITH_NUMBER(V, R, tide_div_scalar)                                                                                 \
    WITH_NUMBER(V, R, tide_pow_scalar)                                                                                 \
    WITH_NUMBER(V, R, tide_eq_scalar)                                                                                  \
    WITH_NUMBER(V, R, tide_ne_scalar)                                                                                  \
    WITH_NUMBER(V, R, tide_lt_scalar)                                                                                  \
    WITH_NUMBER(V, R, tide_le_scalar)                                                                                  \
    WITH_NUMBER(V, R, tide_gt_scalar)                                                                                  \
    WITH_NUMBER(V, R, tide_ge_scalar)                                                                                  \
    REDUCE(V, R, tide_sum)                                                                                             \
    REDUCE(V, R, tide_mean)                                                                                            \
    REDUCE(V, R, tide_max)                                                                                             \
    REDUCE(V, R, tide_min)                                                                                             \
    REDUCE(V, R, tide_variance)                                                                                        \
    REDUCE(V, R, tide_logsumexp)                                                                                       \
    ONE_AXIS(V, R, tide_argmax)                                                                                        \
    ONE_AXIS(V, R, tide_argmin)                                                                                        \
    ONE_AXIS(V, R, tide_cumsum)                                                                                        \
    ONE_AXIS(V, R, tide_flip)                                                                                          \
    ONE_AXIS(V, R, tide_expand_dims)                                                                                   \
    ONE_AXIS(V, R, tide_squeeze)                                                                                       \
    ONE_AXIS(V, R, tide_softmax)                                                                                       \
    ONE_AXIS(V, R, tide_log_softmax)                                                                                   \
    V(tide_reshape, 0, true, tide_reshape(bad, TIDE_SHAPE(6)))                                                         \
    R(tide_reshape, 1, "nine axes", poisoned(t, tide_reshape(t->x, NINE_AXES)))                                        \
    R(tide_reshape, 2, "-1 axes", poisoned(t, tide_reshape(t->x, NO_AXES)))                                            \
    R(tide_reshape, 3, "more elements than can be counted", poisoned(t, tide_reshape(t->x, HUGE_SHAPE)))               \
    R(tide_reshape, 4, "two free axes", poisoned(t, tide_reshape(t->x, TIDE_SHAPE(-1, -1))))                           \
    R(tide_reshape, 5, "a size of -7", poisoned(t, tide_reshape(t->x, TIDE_SHAPE(-7))))                                \
    V(tide_broadcast, 0, true, tide_broadcast(bad, TIDE_SHAPE(6)))                                                     \
    R(tide_broadcast, 1, "nine axes", poisoned(t, tide_broadcast(t->x, NINE_AXES)))                                    \
    R(tide_broadcast, 2, "a negative size", poisoned(t, tide_broadcast(t->scalar, TIDE_SHAPE(-1))))                    \
    V(tide_transpose, 0, true, tide_transpose(bad, 0, 1))                                                              \
    R(tide_transpose, 1, "axis 7 of 2", poisoned(t, tide_transpose(t->x, 0, 7)))                                       \
    V(tide_permute, 0, true, tide_permute(bad, (const int[]){ 1, 0 }))                                                 \
    R(tide_permute, 1, "no order", poisoned(t, tide_permute(t->x, NULL)))                                              \
    R(tide_permute, 2, "axes twice", poisoned(t, tide_permute(t->x, (const int[]){ 1, 1 })))                           \
    V(tide_slice, 0, true, tide_slice(bad, 0, 0, 1))                                                                   \
    R(tide_slice, 1, "INT64_MIN to INT64_MAX", poisoned(t, tide_slice(t->x, 0, INT64_MIN, INT64_MAX)))                 \
    V(tide_slice_step, 0, true, tide_slice_step(bad, 0, 0, 1, 1))                                                      \
    R(tide_slice_step, 1, "step 0", poisoned(t, tide_slice_step(t->x, 0, 0, 2, 0)))                                    \
    R(tide_slice_step, 2, "the largest step", tide_shape_of(tide_slice_step(t->x, 0, 0, 2, INT64_MAX)).dim[0] == 1)    \
    V(tide_concat, 0, false, tide_concat(t->g, TIDE_LIST(bad, t->x), 0))                                               \
    V(tide_concat, 1, false, tide_concat(t->g, TIDE_LIST(t->x, bad), 0))                                               \
    R(tide_concat, 2, "no items", poisoned(t, tide_concat(t->g, NO_ITEMS, 0)))                                         \
    R(tide_concat, 3, "-1 items", poisoned(t, tide_concat(t->g, LESS_THAN_NONE, 0)))                                   \
    R(tide_concat, 4, "no graph", poisoned(t, tide_concat(NULL, TIDE_LIST(t->x), 0)))                                  \
    R(tide_concat, 5, "axis 7", poisoned(t, tide_concat(t->g, TIDE_LIST(t->x), 7)))                                    \
    V(tide_split, 0, true, first(tide_split(bad, 0, 2)))                                                               \
    R(tide_split, 1, "axis 7", !tide_split(t->x, 7, 1).count && failed(t))                                             \
    R(tide_split, 2, "parts that do not divide", !tide_split(t->x, 1, 2).count && failed(t))                           \
    R(tide_split, 3, "0 parts", !tide_split(t->x, 1, 0).count && failed(t))                                            \
    V(tide_split_sizes, 0, true, first(tide_split_sizes(bad, 0, (const int64_t[]){ 1, 1 }, 2)))                        \
    R(tide_split_sizes, 1, "no sizes", !tide_split_sizes(t->x, 0, NULL, 2).count && failed(t))                         \
    R(tide_split_sizes, 2, "-1 sizes", !tide_split_sizes(t->x, 0, (const int64_t[]){ 2 }, -1).count && failed(t))      \
    R(tide_split_sizes, 3, "sizes of less", !tide_split_sizes(t->x, 1, (const int64_t[]){ 1, 1 }, 2).count             \
        && failed(t))                                                                                                  \
    R(tide_split_sizes, 4, "a size below 0", !tide_split_sizes(t->x, 1, (const int64_t[]){ 4, -1 }, 2).count           \
        && failed(t))                                                                                                  \
    V(tide_unstack, 0, true, first(tide_unstack(bad, 0)))                                                              \
    R(tide_unstack, 1, "axis 7", !tide_unstack(t->x, 7).count && failed(t))                                            \
    V(tide_stack, 0, false, tide_stack(t->g, TIDE_LIST(t->x, bad), 0))                                                 \
    R(tide_stack, 1, "no items", poisoned(t, tide_stack(t->g, NO_ITEMS, 0)))                                           \
    R(tide_stack, 2, "no graph", poisoned(t, tide_stack(NULL, TIDE_LIST(t->x), 0)))                                    \
    V(tide_pad, 0, true, tide_pad(bad, 0, 1, 1, 0))                                                                    \
    R(tide_pad, 1, "-1 before", poisoned(t, tide_pad(t->x, 0, -1, 0, 0)))                                              \
    R(tide_pad, 2, "INT64_MAX after", poisoned(t, tide_pad(t->x, 0, 0, INT64_MAX, 0)))                                 \
    V(tide_gather, 0, false, tide_gather(bad, 0, t->index))                                                            \
    V(tide_gather, 1, false, tide_gather(t->x, 0, bad))                                                                \
    R(tide_gather, 2, "axis 7", poisoned(t, tide_gather(t->x, 7, t->index)))                                           \
    V(tide_scatter_add, 0, false, tide_scatter_add(bad, 0, t->index, t->x))                                            \
    V(tide_scatter_add, 1, false, tide_scatter_add(t->x, 0, bad, t->x))                                                \
    V(tide_scatter_add, 2, false, tide_scatter_add(t->x, 0, t->index, bad))                                            \
    V(tide_take_along, 0, false, tide_take_along(bad, 0, t->index))                                                    \
    V(tide_take_along, 1, false, tide_take_along(t->x, 0, bad))                                                        \
    V(tide_one_hot, 0, true, tide_one_hot(bad, 3, TIDE_F32))                                                           \
    R(tide_one_hot, 1, "-1 classes", poisoned(t, tide_one_hot(t->index, -1, TIDE_F32)))                                \
    R(tide_one_hot, 2, "type 99", poisoned(t, tide_one_hot(t->index, 3, NO_TYPE)))                                     \
    V(tide_windows, 0, false, tide_windows(bad, t->index, 1))                                                          \
    V(tide_windows, 1, false, tide_windows(t->x, bad, 1))                                                              \
    R(tide_windows, 2, "a length of -1", poisoned(t, tide_windows(t->x, t->index, -1)))                                \
    R(tide_arange, 0, "no graph", !tide_ok(tide_arange(NULL, TIDE_I32, 3)))                                            \
    R(tide_arange, 1, "type 99", poisoned(t, tide_arange(t->g, NO_TYPE, 3)))                                           \
    R(tide_arange, 2, "count -1", poisoned(t, tide_arange(t->g, TIDE_I32, -1)))                                        \
    V(tide_sort, 0, true, sorted(bad))                                                                                 \
    V(tide_top_k, 0, true, top(bad, 1))                                                                                \
    R(tide_sort, 1, "nowhere to", (tide_sort(t->x, true, NULL, NULL), tide_sort(NOTHING, true, NULL, NULL), true))     \
    R(tide_top_k, 1, "9 of 3", poisoned(t, top(t->x, 9)))                                                              \
    R(tide_top_k, 2, "-1 of 3", poisoned(t, top(t->x, -1)))                                                            \
    V(tide_layer_norm, 0, false, tide_layer_norm(bad, t->x, t->x, 1e-5))                                               \
    V(tide_layer_norm, 1, false, tide_layer_norm(t->x, bad, t->x, 1e-5))                                               \
    V(tide_layer_norm, 2, false, tide_layer_norm(t->x, t->x, bad, 1e-5))                                               \
    R(tide_layer_norm, 3, "eps -1", poisoned(t, tide_layer_norm(t->x, row_of(t), row_of(t), -1)))                      \
    R(tide_layer_norm, 4, "eps NaN", poisoned(t, tide_layer_norm(t->x, row_of(t), row_of(t), NAN)))                    \
    R(tide_random_uniform, 0, "no graph", !tide_ok(tide_random_uniform(NULL, TIDE_SHAPE(2), 0, 1)))                    \
    R(tide_random_uniform, 1, "nine axes", poisoned(t, tide_random_uniform(t->g, NINE_AXES, 0, 1)))                    \
    R(tide_random_normal, 0, "no graph", !tide_ok(tide_random_normal(NULL, TIDE_SHAPE(2), 0, 1)))                      \
    R(tide_random_normal, 1, "a size of -2", poisoned(t, tide_random_normal(t->g, TIDE_SHAPE(-2), 0, 1)))              \
    R(tide_random_uniform_of, 0, "no graph", !tide_ok(tide_random_uniform_of(NULL, TIDE_F64, TIDE_SHAPE(2), 0, 1)))    \
    R(tide_random_uniform_of, 1, "type 99", poisoned(t, tide_random_uniform_of(t->g, NO_TYPE, TIDE_SHAPE(2), 0, 1)))   \
    R(tide_random_uniform_of, 2, "integers", poisoned(t, tide_random_uniform_of(t->g, TIDE_I32, TIDE_SHAPE(2), 0,      \
        9)))                                                                                                           \
    R(tide_random_normal_of, 0, "no graph", !tide_ok(tide_random_normal_of(NULL, TIDE_F64, TIDE_SHAPE(2), 0, 1)))      \
    R(tide_random_normal_of, 1, "nine axes", poisoned(t, tide_random_normal_of(t->g, TIDE_F64, NINE_AXES, 0, 1)))      \
    R(tide_random_normal_of, 2, "bool", poisoned(t, tide_random_normal_of(t->g, TIDE_BOOL, TIDE_SHAPE(2), 0, 1)))      \
    R(tide_rng_step, 0, "no graph", !tide_ok(tide_rng_step(NULL)))                                                     \
    R(tide_sample_offset, 0, "no graph", (tide_sample_offset(NULL, t->scalar), tide_sample_offset(NULL, NOTHING),      \
        true))                                                                                                         \
    R(tide_sample_offset, 1, "a float", (tide_sample_offset(t->g, t->scalar), failed(t)))                              \
    R(tide_sample_offset, 2, "of another graph", (tide_sample_offset(t->g, t->strange), failed(t)))                    \
    R(tide_sample_offset, 3, "no node", (tide_sample_offset(t->g, (tide_val){ t->g, 999, 0 }), failed(t)))             \
    V(tide_dropout, 0, true, tide_dropout(bad, 0.5, TIDE_TRAIN))                                                       \
    R(tide_dropout, 1, "p 1.5", poisoned(t, tide_dropout(t->x, 1.5, TIDE_TRAIN)))                                      \
    R(tide_dropout, 2, "p NaN", poisoned(t, tide_dropout(t->x, NAN, TIDE_TRAIN)))                                      \
    R(tide_dropout, 3, "mode 7", poisoned(t, tide_dropout(t->x, 0.5, (tide_mode)7)))                                   \
    V(tide_custom, 0, false, tide_custom(t->g, &(tide_custom_op){ "own", zero, NULL, NULL }, TIDE_LIST(t->x, bad),     \
        TIDE_F32, TIDE_SCALAR))                                                                                        \
    R(tide_custom, 1, "no operation", poisoned(t, tide_custom(t->g, NULL, TIDE_LIST(t->x), TIDE_F32, TIDE_SCALAR)))    \
    R(tide_custom, 2, "no function", poisoned(t, tide_custom(t->g, &(tide_custom_op){ 0 }, TIDE_LIST(t->x),            \
        TIDE_F32, TIDE_SCALAR)))                                                                                       \
    R(tide_custom, 3, "no items", poisoned(t, tide_custom(t->g, &(tide_custom_op){ "own", zero, NULL, NULL },          \
        NO_ITEMS, TIDE_F32, TIDE_SCALAR)))                                                                             \
    R(tide_custom, 4, "no graph", !tide_ok(tide_custom(NULL, &(tide_custom_op){ "own", zero, NULL, NULL },             \
        TIDE_LIST(t->x), TIDE_F32, TIDE_SCALAR)))                                                                      \
    R(tide_custom, 5, "type 99, nine axes", poisoned(t, tide_custom(t->g, &(tide_custom_op){ "own", zero, NULL,        \
        NULL }, TIDE_LIST(t->x), NO_TYPE, NINE_AXES)))                                                                 \
    R(tide_custom, 6, "a derivative of another graph", wrong_derivative(t))

static tide_val sorted(tide_val x) { return tide_sort(x, false, &x, NULL), x; }
static tide_val top(tide_val x, int64_t k) { return tide_top_k(x, k, &x, NULL), x; }
static tide_val row_of(const trial *t) { return tide_fill(t->g, TIDE_F32, TIDE_SHAPE(3), 1); }
static void zero(void *user, const void *const *inputs, void *output) {
    (void)user, (void)inputs, *(float *)output = 0;
}

static void strange_derivative(void *user, tide_list inputs, tide_val output, tide_val dy, tide_val *dx) {
    (void)inputs, (void)output, (void)dy;
    dx[0] = ((trial *)user)->strange;
}

static bool wrong_derivative(trial *t) {
    tide_custom_op op = { "own", zero, strange_derivative, t };
    tide_val y = tide_custom(t->g, &op, TIDE_LIST(t->x), TIDE_F32, TIDE_SCALAR);
    tide_grad(y, TIDE_LIST(t->x));
    return tide_ok(y) && failed(t);
}

MISUSE_TABLE(misuse_ops, OPS)
