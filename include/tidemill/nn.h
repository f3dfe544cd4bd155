/* Layers and losses: structs of values with _new and _apply. Weights are stored (out, in): y = W x + b.
 * Initial values are PyTorch's defaults: weights and biases of an affine map uniform on +-1/sqrt(fan_in).
 * Variables have the graph's default type (tide_default_type_set: F64 for a model in F64); what goes through a layer
 * must have theirs. What does not fit a layer is refused in its name, "linear 'encoder.out': x has the shape ...": with
 * the scopes that it was made in. */
#ifndef TIDEMILL_NN_H
#define TIDEMILL_NN_H

#include "ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x (..., in) -> (..., out). Variables name.weight (out, in) and name.bias (out). */
typedef struct tide_linear { tide_val weight, bias; } tide_linear;
TIDE_API tide_linear tide_linear_new(tide_graph *g, const char *name, int64_t in, int64_t out);
TIDE_API tide_val    tide_linear_apply(const tide_linear *layer, tide_val x);

/* x (..., size) -> same; over the last axis. name.weight = 1, name.bias = 0. */
typedef struct tide_layer_norm_layer { tide_val weight, bias; double eps; } tide_layer_norm_layer;
TIDE_API tide_layer_norm_layer tide_layer_norm_new(tide_graph *g, const char *name, int64_t size, double eps);
TIDE_API tide_val              tide_layer_norm_apply(const tide_layer_norm_layer *layer, tide_val x);

/* index I32 (...) -> (..., size). name.weight (count, size), standard normal. */
typedef struct tide_embedding { tide_val weight; } tide_embedding;
TIDE_API tide_embedding tide_embedding_new(tide_graph *g, const char *name, int64_t count, int64_t size);
TIDE_API tide_val       tide_embedding_apply(const tide_embedding *layer, tide_val index);

/* x (batch, in, length) -> (batch, out, (length + 2 padding - kernel) / stride + 1). name.weight (out, in, kernel),
 * name.bias (out). One product a tap: a program has some kernels more for each. */
typedef struct tide_conv1d { tide_val weight, bias; int64_t stride, padding; } tide_conv1d;
TIDE_API tide_conv1d tide_conv1d_new(tide_graph *g, const char *name, int64_t in, int64_t out, int64_t kernel,
                                     int64_t stride, int64_t padding);
TIDE_API tide_val    tide_conv1d_apply(const tide_conv1d *layer, tide_val x);

/* Scaled dot-product attention (Vaswani et al. 2017): softmax(q k^T / sqrt(d)) v, dropout on the probabilities. What is
 * infinite in an operand of F32 may be NaN on CUDA (docs/numerics.md).
 *   q (b, h, t, d), k (b, h, s, d), v (b, h, s, e); returns (b, h, t, e).
 * probabilities: NULL, or receives the (b, h, t, s) probabilities before dropout.
 * In F32 and without probabilities it is one node, of which a device may keep no more than the result and the logarithm
 * of each row's sum: then no (t, s) matrix is in memory, forward or backward. Elsewhere it is plain operations, and has
 * their bits. */
TIDE_API tide_val tide_attention(tide_val q, tide_val k, tide_val v, double dropout, tide_mode mode,
                                 tide_val *probabilities);

/* Multi-head self-attention: x (b, t, size) -> (b, t, size). heads * head_size need not equal size.
 * Variables of the four affine maps are named by `names` (query, key, value, out). */
typedef struct tide_self_attention {
    tide_linear query, key, value, out;
    int64_t heads, head_size;
} tide_self_attention;
TIDE_API tide_self_attention tide_self_attention_new(tide_graph *g, const char *const names[4], int64_t size,
                                                     int64_t heads, int64_t head_size);
TIDE_API tide_val tide_self_attention_apply(const tide_self_attention *layer, tide_val x, double dropout,
                                            tide_mode mode,
                                            tide_val *probabilities);
/* The same for some rows only: queries (b, u, size) attend to x (b, t, size); returns (b, u, size). */
TIDE_API tide_val tide_self_attention_queries(const tide_self_attention *layer, tide_val queries, tide_val x,
                                              double dropout,
                                              tide_mode mode, tide_val *probabilities);

/* ---- losses: scalars. `weight` may be the poison-free value (tide_val){0} for none, else broadcasts against the
 * element losses; the result is sum(weight * loss) / sum(weight). Without weights: the mean over all elements.
 * Prediction and truth must have the same shape: nothing broadcasts but the weight. ---- */
#ifdef __cplusplus
#define TIDE_NO_WEIGHT (tide_val())
#else
#define TIDE_NO_WEIGHT ((tide_val){ 0 })
#endif
TIDE_API tide_val tide_mse(tide_val prediction, tide_val truth);  /* squared errors */
TIDE_API tide_val tide_mae(tide_val prediction, tide_val truth);  /* absolute errors */
TIDE_API tide_val tide_mse_weighted(tide_val prediction, tide_val truth, tide_val weight);
TIDE_API tide_val tide_mae_weighted(tide_val prediction, tide_val truth, tide_val weight);
/* beta > 0: e^2/(2 beta) inside it, |e| - beta/2 outside */
TIDE_API tide_val tide_huber(tide_val prediction, tide_val truth, double beta, tide_val weight);
/* The pinball loss: e = truth - prediction; quantile e above it, (quantile - 1) e below. quantile: between 0 and 1. */
TIDE_API tide_val tide_quantile_loss(tide_val prediction, tide_val truth, double quantile, tide_val weight);
/* logits (..., classes), label I32 or I64 (...); a label outside 0..classes-1 gives NaN. */
TIDE_API tide_val tide_cross_entropy(tide_val logits, tide_val label, tide_val weight);
/* Binary cross-entropy of sigmoid(logits), no overflow; truth in [0, 1]. */
TIDE_API tide_val tide_bce_logits(tide_val logits, tide_val truth, tide_val weight);

#ifdef __cplusplus
}
#endif

#endif
