#include "../../include/tidemill/nn.h"

#include <math.h>

static bool has_weight(tide_val weight) { return weight.graph != NULL; }

static tide_val weighted_mean(tide_val losses, tide_val weight) {
    if (!has_weight(weight)) return tide_mean(losses, TIDE_ALL);
    tide_val each = tide_broadcast(weight, tide_shape_of(losses));
    return tide_div(tide_sum(tide_mul(each, losses), TIDE_ALL), tide_sum(each, TIDE_ALL));
}

tide_val tide_mse(tide_val prediction, tide_val truth) { return tide_mse_weighted(prediction, truth, TIDE_NO_WEIGHT); }
tide_val tide_mae(tide_val prediction, tide_val truth) { return tide_mae_weighted(prediction, truth, TIDE_NO_WEIGHT); }

tide_val tide_mse_weighted(tide_val prediction, tide_val truth, tide_val weight) {
    return weighted_mean(tide_square(tide_sub(prediction, truth)), weight);
}

tide_val tide_mae_weighted(tide_val prediction, tide_val truth, tide_val weight) {
    return weighted_mean(tide_abs(tide_sub(prediction, truth)), weight);
}

tide_val tide_huber(tide_val prediction, tide_val truth, double beta, tide_val weight) {
    tide_val size    = tide_abs(tide_sub(prediction, truth));
    tide_val inside  = tide_mul_scalar(tide_square(size), 0.5 / beta);
    tide_val outside = tide_add_scalar(size, -0.5 * beta);
    tide_val limit   = tide_scalar_of(size.graph, tide_dtype_of(size), beta);
    return weighted_mean(tide_where(tide_le(size, limit), inside, outside), weight);
}

/* Koenker & Bassett 1978: under-prediction costs q, over-prediction 1 - q. */
tide_val tide_quantile_loss(tide_val prediction, tide_val truth, double quantile, tide_val weight) {
    tide_val e = tide_sub(truth, prediction);
    return weighted_mean(tide_maximum(tide_mul_scalar(e, quantile), tide_mul_scalar(e, quantile - 1)), weight);
}

/* The label's logit by comparing, not by index: lane-wise, so that a whole loss is one kernel. */
tide_val tide_cross_entropy(tide_val logits, tide_val label, tide_val weight) {
    tide_graph *g       = logits.graph;
    tide_shape  shape   = tide_shape_of(logits);
    int64_t     classes = shape.ndim ? shape.dim[shape.ndim - 1] : 0;
    tide_val    column  = tide_expand_dims(label, -1);
    tide_val    chosen  = tide_eq(column, tide_arange(g, TIDE_I32, classes));
    tide_val    logit   = tide_sum(tide_where(chosen, logits, tide_scalar_of(g, tide_dtype_of(logits), 0)), TIDE_AXES(-1));
    tide_val    inside  = tide_and(tide_ge(label, tide_scalar_of(g, TIDE_I32, 0)), tide_lt(label, tide_scalar_of(g, TIDE_I32, (double)classes)));
    tide_val    losses  = tide_sub(tide_logsumexp(logits, TIDE_AXES(-1)), logit);
    return weighted_mean(tide_where(inside, losses, tide_scalar_of(g, tide_dtype_of(logits), NAN)), weight);
}

/* -t log s(x) - (1 - t) log(1 - s(x)), without overflow. */
tide_val tide_bce_logits(tide_val logits, tide_val truth, tide_val weight) {
    return weighted_mean(tide_sub(tide_softplus(logits), tide_mul(logits, truth)), weight);
}
