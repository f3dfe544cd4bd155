/* Operations on values. Each returns a new value; none computes.
 *
 * Broadcasting follows numpy: shapes are aligned at the last axis; sizes must be equal or 1.
 * Axes may be negative: -1 is the last. Both operands of an operation have the same element type, except
 * where said; a shape or type that does not fit poisons the graph with TIDE_ESHAPE or TIDE_ETYPE.
 *
 * One exception: a number that tide_scalar made takes the type of its partner in the operations of two operands below,
 * between the branches of tide_where and as the value of tide_assign, as a Python number does in NumPy. It is made anew
 * from the number as it was written, not by a cast: 0.1 beside F64 is 0.1 in F64. Beside integers it must be whole and
 * within their range, else TIDE_ETYPE. Only what tide_scalar returned is so, not what is computed from it, nor
 * tide_scalar_of; two such numbers of different types have the first's. tide_cast to a floating type also starts from
 * the number as it was written. */
#ifndef TIDEMILL_OPS_H
#define TIDEMILL_OPS_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element-wise, floating unless said ---------------------------------------------------------------- */
TIDE_API tide_val tide_neg(tide_val x);      /* any number */
TIDE_API tide_val tide_abs(tide_val x);      /* any number; derivative 0 at 0 */
TIDE_API tide_val tide_sign(tide_val x);     /* -1, 0, 1; NaN stays NaN */
TIDE_API tide_val tide_square(tide_val x);   /* any number */
TIDE_API tide_val tide_reciprocal(tide_val x);
TIDE_API tide_val tide_sqrt(tide_val x);
TIDE_API tide_val tide_rsqrt(tide_val x);    /* 1 / sqrt(x) */
TIDE_API tide_val tide_exp(tide_val x);
TIDE_API tide_val tide_expm1(tide_val x);
TIDE_API tide_val tide_log(tide_val x);      /* -inf at 0, NaN below */
TIDE_API tide_val tide_log1p(tide_val x);
TIDE_API tide_val tide_sin(tide_val x);
TIDE_API tide_val tide_cos(tide_val x);
TIDE_API tide_val tide_tanh(tide_val x);
TIDE_API tide_val tide_erf(tide_val x);
TIDE_API tide_val tide_floor(tide_val x);    /* derivative 0 */
TIDE_API tide_val tide_ceil(tide_val x);     /* derivative 0 */
TIDE_API tide_val tide_round(tide_val x);    /* half to even; derivative 0 */
TIDE_API tide_val tide_is_finite(tide_val x);  /* bool */
TIDE_API tide_val tide_not(tide_val x);        /* bool to bool */

TIDE_API tide_val tide_add(tide_val a, tide_val b);  /* any number */
TIDE_API tide_val tide_sub(tide_val a, tide_val b);  /* any number */
TIDE_API tide_val tide_mul(tide_val a, tide_val b);  /* any number */
TIDE_API tide_val tide_div(tide_val a, tide_val b);  /* integers: truncated; by zero gives 0 */
TIDE_API tide_val tide_pow(tide_val a, tide_val b);  /* floating */
TIDE_API tide_val tide_maximum(tide_val a, tide_val b);  /* NaN wins; a tie sends its derivative to a */
TIDE_API tide_val tide_minimum(tide_val a, tide_val b);
TIDE_API tide_val tide_eq(tide_val a, tide_val b);  /* any type; bool out */
TIDE_API tide_val tide_ne(tide_val a, tide_val b);
TIDE_API tide_val tide_lt(tide_val a, tide_val b);
TIDE_API tide_val tide_le(tide_val a, tide_val b);
TIDE_API tide_val tide_gt(tide_val a, tide_val b);
TIDE_API tide_val tide_ge(tide_val a, tide_val b);
TIDE_API tide_val tide_and(tide_val a, tide_val b);  /* bool */
TIDE_API tide_val tide_or(tide_val a, tide_val b);   /* bool */
/* condition bool; branches not taken give no NaN */
TIDE_API tide_val tide_where(tide_val condition, tide_val yes, tide_val no);

/* Within low .. high; derivative 0 outside, NaN stays NaN. */
TIDE_API tide_val tide_clamp(tide_val x, double low, double high);

TIDE_API tide_val tide_cast(tide_val x, tide_dtype type);  /* floats to integers truncate */
TIDE_API tide_val tide_stop_gradient(tide_val x);  /* x, but of derivative 0 */

/* The same with a number in place of the second operand, in the type of the first. Beside integers it must be whole and
 * within their range, else TIDE_ETYPE. */
TIDE_API tide_val tide_add_scalar(tide_val a, double b);
TIDE_API tide_val tide_sub_scalar(tide_val a, double b);
TIDE_API tide_val tide_mul_scalar(tide_val a, double b);
TIDE_API tide_val tide_div_scalar(tide_val a, double b);
TIDE_API tide_val tide_pow_scalar(tide_val a, double b);
TIDE_API tide_val tide_eq_scalar(tide_val a, double b);
TIDE_API tide_val tide_ne_scalar(tide_val a, double b);
TIDE_API tide_val tide_lt_scalar(tide_val a, double b);
TIDE_API tide_val tide_le_scalar(tide_val a, double b);
TIDE_API tide_val tide_gt_scalar(tide_val a, double b);
TIDE_API tide_val tide_ge_scalar(tide_val a, double b);

/* ---- activations --------------------------------------------------------------------------------------- */
TIDE_API tide_val tide_relu(tide_val x);       /* max(x, 0) */
TIDE_API tide_val tide_gelu(tide_val x);       /* exact: x/2 (1 + erf(x / sqrt 2)) */
TIDE_API tide_val tide_sigmoid(tide_val x);    /* no overflow for any x */
TIDE_API tide_val tide_softplus(tide_val x);   /* log(1 + e^x), no overflow */
TIDE_API tide_val tide_silu(tide_val x);       /* x sigmoid(x) */

/* ---- reductions ---------------------------------------------------------------------------------------- */
/* Over the axes listed, each once (count 0: all of them). keep: reduced axes stay with size 1. Sums of 16-bit types and
 * of F32 are made in F32 in fixed chunks, whose sums are added in F64: ones are counted right up to 2^38 of them. Over
 * no elements: sum 0, max -inf, min +inf (integers: their extreme), mean NaN. */
typedef struct tide_axes { int32_t count; int32_t axis[TIDE_MAX_DIMS]; bool keep; } tide_axes;
#ifdef __cplusplus
#define TIDE_AXES(...) (tide_cpp::axes({ __VA_ARGS__ }, false))
#define TIDE_AXES_KEEP(...) (tide_cpp::axes({ __VA_ARGS__ }, true))
#define TIDE_ALL (tide_axes())
#else
#define TIDE_AXES(...) \
    ((tide_axes){ (int32_t)(sizeof((int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t)), { __VA_ARGS__ }, false })
#define TIDE_AXES_KEEP(...) \
    ((tide_axes){ (int32_t)(sizeof((int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t)), { __VA_ARGS__ }, true })
#define TIDE_ALL ((tide_axes){ 0, { 0 }, false })
#endif

TIDE_API tide_val tide_sum(tide_val x, tide_axes axes);
TIDE_API tide_val tide_mean(tide_val x, tide_axes axes);
TIDE_API tide_val tide_max(tide_val x, tide_axes axes);   /* NaN wins; ties share the derivative equally */
TIDE_API tide_val tide_min(tide_val x, tide_axes axes);
TIDE_API tide_val tide_variance(tide_val x, tide_axes axes);   /* biased: divides by the count */
TIDE_API tide_val tide_logsumexp(tide_val x, tide_axes axes);  /* shifted by the maximum */
TIDE_API tide_val tide_argmax(tide_val x, int axis);  /* I32, axis removed; the first of equals; NaN counts as
                                                         largest */
TIDE_API tide_val tide_argmin(tide_val x, int axis);  /* I32; NaN counts as smallest */
TIDE_API tide_val tide_cumsum(tide_val x, int axis);  /* inclusive; floats are summed in F64 and rounded one by one */

/* ---- matrix products ----------------------------------------------------------------------------------- */
/* Product over the last two axes; earlier axes broadcast.
 *   a (..., m, k), b (..., k, n), same floating type; returns (..., m, n); sums in F32 when 16-bit.
 * Fails with TIDE_ESHAPE if the two k differ. k = 0 gives zeros. */
TIDE_API tide_val tide_matmul(tide_val a, tide_val b);

/* ---- shape --------------------------------------------------------------------------------------------- */
TIDE_API tide_val tide_reshape(tide_val x, tide_shape shape);  /* one size may be -1 */
TIDE_API tide_val tide_transpose(tide_val x, int axis_a, int axis_b);  /* the two axes exchanged */
TIDE_API tide_val tide_permute(tide_val x, const int *order);   /* order[i]: which axis of x becomes axis i */
TIDE_API tide_val tide_broadcast(tide_val x, tide_shape shape);  /* sizes of 1, and axes in front, repeated */
/* start .. stop-1; negative: from the end; TIDE_END: the axis' size. The last two: tide_slice(x, 0, -2, TIDE_END). */
#define TIDE_END INT64_MAX
TIDE_API tide_val tide_slice(tide_val x, int axis, int64_t start, int64_t stop);
TIDE_API tide_val tide_slice_step(tide_val x, int axis, int64_t start, int64_t stop, int64_t step);  /* step > 0 */

TIDE_API tide_val tide_flip(tide_val x, int axis);  /* the axis' elements from the last to the first */
TIDE_API tide_val tide_concat(tide_graph *g, tide_list parts, int axis);  /* one behind the other along the axis */
TIDE_API tide_val tide_stack(tide_graph *g, tide_list parts, int axis);  /* beside each other along a new axis */

/* The parts of x along `axis`, as values: `parts` of equal sizes, which must divide the axis, or `count` of the sizes
 * given, whose sum must be the axis. An empty list where that fails (TIDE_ESHAPE). They cost nothing until they are
 * read, and the derivative with respect to x is theirs beside each other. */
TIDE_API tide_list tide_split(tide_val x, int axis, int64_t parts);
TIDE_API tide_list tide_split_sizes(tide_val x, int axis, const int64_t *sizes, int64_t count);
/* As many parts as the axis has elements, each without the axis: what tide_stack puts together. */
TIDE_API tide_list tide_unstack(tide_val x, int axis);

/* So many elements of `value` before and after those of the axis. */
TIDE_API tide_val tide_pad(tide_val x, int axis, int64_t before, int64_t after, double value);

TIDE_API tide_val tide_expand_dims(tide_val x, int axis);  /* a new axis of size 1, which becomes `axis` */
TIDE_API tide_val tide_squeeze(tide_val x, int axis);      /* without the axis, whose size is 1 */

/* ---- indexing ------------------------------------------------------------------------------------------ */
/* Rows of x along `axis`: x (a, n, b), index I32 of any shape (i...) -> (a, i..., b). An index outside 0..n-1
 * gives NaN (integers: 0); the derivative adds rows up. */
TIDE_API tide_val tide_gather(tide_val x, int axis, tide_val index);
/* base plus rows of `rows` (a, i..., b) added at `index` along `axis` of base (a, n, b). Indices outside are
 * skipped. */
TIDE_API tide_val tide_scatter_add(tide_val base, int axis, tide_val index, tide_val rows);
/* out[.., i, ..] = x[.., index[.., i, ..], ..] along axis; index I32 has x's shape but for that axis. */
TIDE_API tide_val tide_take_along(tide_val x, int axis, tide_val index);

/* 1 at the index, 0 elsewhere. */
TIDE_API tide_val tide_one_hot(tide_val index, int64_t classes, tide_dtype type);  /* (i...) -> (i..., classes) */
/* Windows of a series: series (rows, c...), start I32 (b) -> (b, length, c...), rows start .. start+length-1. */
TIDE_API tide_val tide_windows(tide_val series, tide_val start, int64_t length);

TIDE_API tide_val tide_arange(tide_graph *g, tide_dtype type, int64_t count);  /* 0, 1, ... */
/* Along the last axis, largest first if descending; equal elements keep their order; NaN counts as largest.
 * Either pointer may be NULL. */
TIDE_API void tide_sort(tide_val x, bool descending, tide_val *values, tide_val *indices);
TIDE_API void tide_top_k(tide_val x, int64_t k, tide_val *values, tide_val *indices);

/* ---- rows and attention -------------------------------------------------------------------------------- */
TIDE_API tide_val tide_softmax(tide_val x, int axis);      /* e^x / sum e^x, shifted by the maximum */
TIDE_API tide_val tide_log_softmax(tide_val x, int axis);  /* x - log sum e^x, shifted by the maximum */

/* (x - mean) / sqrt(var + eps) over the last axis, biased variance, times gain, plus offset (both of that axis'
 * size). */
TIDE_API tide_val tide_layer_norm(tide_val x, tide_val gain, tide_val offset, double eps);

/* ---- randomness ---------------------------------------------------------------------------------------- */
/* Counter-based (Philox 4x32-10, Salmon et al. 2011): a number is a function of the graph's seed, the run's step, the
 * site (this call), the sample (index along axis 0) and the element within the sample; so it does not depend on
 * device, threads or order. `step` is the graph's counter tide_rng_step, which every run of a program that uses
 * it advances by one; numbers made for a variable's initial value use step 0. */
/* [low, high), and by Box & Muller 1958; in the graph's default type, or in `type`, a floating one. A uniform number is
 * low + (high - low) u, u having 24 random bits in F32 and 53 in F64; those of F64 are drawn at three sites, those of a
 * 16-bit type are F32's, rounded (to `high` now and then). */
TIDE_API tide_val tide_random_uniform(tide_graph *g, tide_shape shape, double low, double high);
TIDE_API tide_val tide_random_normal(tide_graph *g, tide_shape shape, double mean, double sd);
TIDE_API tide_val tide_random_uniform_of(tide_graph *g, tide_dtype type, tide_shape shape, double low, double high);
TIDE_API tide_val tide_random_normal_of(tide_graph *g, tide_dtype type, tide_shape shape, double mean, double sd);

TIDE_API tide_val tide_rng_step(tide_graph *g);  /* I32 scalar variable "rng.step" */
/* Samples of the random operations built from now on are numbered from `offset`, an I32 scalar value, instead of 0:
 * samples k.. of a batch, run as a batch of their own with offset k, draw the numbers that they have in the whole.
 * (tide_val){ 0 } ends it. Runs that are parts of one step share its numbers only while the step stands still: see
 * tide_accumulator. */
TIDE_API void     tide_sample_offset(tide_graph *g, tide_val offset);

typedef enum tide_mode { TIDE_EVAL = 0, TIDE_TRAIN = 1 } tide_mode;
/* Keeps each element with probability 1 - q and divides it by 1 - q; x itself in TIDE_EVAL or when p is 0. q is p as 16
 * random bits say it: rounded to a multiple of 2^-16, at most 1 - 2^-16. */
TIDE_API tide_val tide_dropout(tide_val x, double p, tide_mode mode);

/* ---- your own ------------------------------------------------------------------------------------------ */
/* A C function inside a program. Called once a run, on one thread, with the operands' row-major memory. */
typedef struct tide_custom_op {
    const char *name;
    void     (*run)(void *user, const void *const *inputs, void *output);
    /* optional: dx[i] for each input, or the poison value for "no derivative"; NULL: derivative zero */
    void     (*derivative)(void *user, tide_list inputs, tide_val output, tide_val dy, tide_val *dx);
    void      *user;
} tide_custom_op;
TIDE_API tide_val tide_custom(tide_graph *g, const tide_custom_op *op, tide_list inputs, tide_dtype type,
                              tide_shape shape);

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
namespace tide_cpp {
inline tide_axes axes(std::initializer_list<int32_t> list, bool keep) {
    tide_axes a = {};
    for (int32_t axis : list) {
        if (a.count < TIDE_MAX_DIMS) a.axis[a.count] = axis;
        a.count++;
    }
    a.keep = keep;
    return a;
}
}
#endif

#endif
