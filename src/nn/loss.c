#include "../../include/tidemill/nn.h"

#include <math.h>
#include <stdio.h>

#include "../base/base.h"

/* A (4) against a (4, 1) would broadcast to 16 losses: hardly ever what was meant, and never seen. */
static bool same_shape(const char *loss, tide_val prediction, tide_val truth) {
    char why[400], a[128], b[128];
    if (!tide_ok(prediction) || !tide_ok(truth) || tide_shape_equal(tide_shape_of(prediction), tide_shape_of(truth)))
        return true;
    snprintf(why, sizeof why, "%s: prediction and truth have the shapes %s and %s; they must be the same", loss,
             shape_text(a, tide_shape_of(prediction)), shape_text(b, tide_shape_of(truth)));
    tide_poison(prediction.graph, TIDE_ESHAPE, why);
    return false;
}

static tide_val minus(const char *loss, tide_val a, tide_val b) {
    return same_shape(loss, a, b) ? tide_sub(a, b) : (tide_val){ a.graph, -1, 0 };
}

/* A number of the loss outside its range: the poison value, and the graph of an operand says so. */
static tide_val refused(tide_val a, tide_val b, const char *why) {
    return tide_poison(a.graph ? a.graph : b.graph, TIDE_EINVAL, why);
}

static bool has_weight(tide_val weight) { return weight.graph != NULL; }

static tide_val weighted_mean(tide_val losses, tide_val weight) {
    if (!has_weight(weight)) return tide_mean(losses, TIDE_ALL);
    tide_val each = tide_broadcast(weight, tide_shape_of(losses));
    return tide_div(tide_sum(tide_mul(each, losses), TIDE_ALL), tide_sum(each, TIDE_ALL));
}

tide_val tide_mse(tide_val prediction, tide_val truth) { return tide_mse_weighted(prediction, truth, TIDE_NO_WEIGHT); }
tide_val tide_mae(tide_val prediction, tide_val truth) { return tide_mae_weighted(prediction, truth, TIDE_NO_WEIGHT); }

tide_val tide_mse_weighted(tide_val prediction, tide_val truth, tide_val weight) {
    return weighted_mean(tide_square(minus("mse", prediction, truth)), weight);
}

tide_val tide_mae_weighted(tide_val prediction, tide_val truth, tide_val weight) {
    return weighted_mean(tide_abs(minus("mae", prediction, truth)), weight);
}

tide_val tide_huber(tide_val prediction, tide_val truth, double beta, tide_val weight) {
    if (!(beta > 0 && beta < INFINITY)) return refused(prediction, truth, "huber: beta must be a number above 0");
    tide_val size    = tide_abs(minus("huber", prediction, truth));
    tide_val inside  = tide_mul_scalar(tide_square(size), 0.5 / beta);
    tide_val outside = tide_add_scalar(size, -0.5 * beta);
    tide_val limit   = tide_scalar_of(size.graph, tide_dtype_of(size), beta);
    return weighted_mean(tide_where(tide_le(size, limit), inside, outside), weight);
}

/* Koenker & Bassett 1978: under-prediction costs q, over-prediction 1 - q. */
tide_val tide_quantile_loss(tide_val prediction, tide_val truth, double quantile, tide_val weight) {
    if (!(quantile > 0 && quantile < 1))
        return refused(prediction, truth, "quantile_loss: the quantile must lie between 0 and 1");
    tide_val e = minus("quantile_loss", truth, prediction);
    return weighted_mean(tide_maximum(tide_mul_scalar(e, quantile), tide_mul_scalar(e, quantile - 1)), weight);
}

static bool labels_fit(tide_val logits, tide_val label) {
    char why[400], a[128], b[128];
    tide_shape rows = tide_shape_of(logits);
    if (!tide_ok(logits) || !tide_ok(label)) return true;
    bool whole = tide_dtype_of(label) == TIDE_I32 || tide_dtype_of(label) == TIDE_I64;
    if (rows.ndim-- > 0 && tide_shape_equal(rows, tide_shape_of(label)) && whole) return true;
    snprintf(
        why, sizeof why,
        "cross_entropy: the logits have the shape %s, the labels are %s %s; they must be i32 or i64, of that shape "
        "without its last axis",
        shape_text(a, tide_shape_of(logits)), tide_dtype_name(tide_dtype_of(label)),
        shape_text(b, tide_shape_of(label)));
    tide_poison(logits.graph, TIDE_ESHAPE, why);
    return false;
}

/* The label's logit by comparing, not by index: lane-wise, so that a whole loss is one kernel. */
tide_val tide_cross_entropy(tide_val logits, tide_val label, tide_val weight) {
    tide_graph *g       = logits.graph;
    tide_shape  shape   = tide_shape_of(logits);
    int64_t     classes = shape.ndim ? shape.dim[shape.ndim - 1] : 0;
    if (!labels_fit(logits, label)) return (tide_val){ g, -1, 0 };
    tide_val    column  = tide_expand_dims(label, -1);
    tide_dtype  whole   = tide_dtype_of(label);
    tide_val    chosen  = tide_eq(column, tide_arange(g, whole, classes));
    tide_val logit = tide_sum(tide_where(chosen, logits, tide_scalar_of(g, tide_dtype_of(logits), 0)), TIDE_AXES(-1));
    tide_val inside = tide_and(tide_ge(label, tide_scalar_of(g, whole, 0)),
                               tide_lt(label, tide_scalar_of(g, whole, (double)classes)));
    tide_val    losses  = tide_sub(tide_logsumexp(logits, TIDE_AXES(-1)), logit);
    return weighted_mean(tide_where(inside, losses, tide_scalar_of(g, tide_dtype_of(logits), NAN)), weight);
}

/* -t log s(x) - (1 - t) log(1 - s(x)), without overflow. */
tide_val tide_bce_logits(tide_val logits, tide_val truth, tide_val weight) {
    if (!same_shape("bce_logits", logits, truth)) return (tide_val){ logits.graph, -1, 0 };
    return weighted_mean(tide_sub(tide_softplus(logits), tide_mul(logits, truth)), weight);
}
