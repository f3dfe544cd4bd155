#include "loss.h"

#include "head.h"

/* Differences between consecutive steps: (b, columns, steps) -> (b, columns, steps - 1). */
static tide_val differences(tide_val x, int64_t steps) {
    return tide_sub(tide_slice(x, 2, 1, steps), tide_slice(x, 2, 0, steps - 1));
}

/* Over the elements of each window that count, by a weight of 1 or 0; graph NULL: all do. */
static tide_val window_mean(tide_val x, tide_val counts) {
    if (!counts.graph) return tide_mean(x, TIDE_AXES(1, 2));
    tide_val count = tide_maximum(tide_sum(counts, TIDE_AXES(1, 2)), tide_scalar(x.graph, 1));
    return tide_div(tide_sum(tide_mul(x, counts), TIDE_AXES(1, 2)), count);
}

/* The share of steps whose direction is wrong. Counting has no gradient; the surrogate, the mean of
 * softplus(-k dy_hat dy), pulls each step towards its true direction. k = 5 makes it about half as steep as a count for
 * the differences of standardised series. */
static tide_val direction_term(const loss_config *c, tide_val prediction, tide_val truth, tide_val observed,
                               int64_t steps) {
    tide_val both = observed; /* ends of a difference */
    if (both.graph) both = tide_mul(tide_slice(observed, 2, 1, steps), tide_slice(observed, 2, 0, steps - 1));
    tide_val dp = differences(prediction, steps), dt = differences(truth, steps);
    if (c->surrogate) return window_mean(tide_softplus(tide_mul_scalar(tide_mul(dp, dt), -5)), both);
    return window_mean(tide_cast(tide_ne(tide_sign(dp), tide_sign(dt)), TIDE_F32), both);
}

static tide_val without_nan(tide_val x) {
    return tide_where(tide_eq(x, x), x, tide_fill(x.graph, tide_dtype_of(x), tide_shape_of(x), 0));
}

static tide_val huber(tide_val error) {
    tide_val size = tide_abs(error), one = tide_scalar(error.graph, 1);
    return tide_where(tide_le(size, one), tide_mul_scalar(tide_square(error), 0.5), tide_add_scalar(size, -0.5));
}

tide_val loss_windows(const loss_config *c, tide_val prediction, tide_val truth, tide_val observed) {
    tide_shape shape = tide_shape_of(truth);
    int64_t    steps = shape.ndim == 3 ? shape.dim[2] : 0;
    if (c->kind == FORECAST_FINANCIAL) prediction = without_nan(prediction), truth = without_nan(truth);
    tide_val error = tide_sub(prediction, truth);
    switch (c->kind) {
    case FORECAST_MAE: return window_mean(tide_abs(error), observed);
    case FORECAST_HUBER: return window_mean(huber(error), observed);
    case FORECAST_DIRECTIONAL:
    case FORECAST_FINANCIAL:
        if (steps > 1)
            return tide_add(window_mean(tide_square(error), observed),
                            tide_mul_scalar(direction_term(c, prediction, truth, observed, steps), c->weight));
        break;
    case FORECAST_MSE: break;
    }
    return window_mean(tide_square(error), observed);
}

tide_val loss_head(const loss_config *c, const model_config *model, const head_values *h, tide_val freedom,
                   tide_val truth, tide_val observed) {
    switch (model->head) {
    case FORECAST_HEAD_QUANTILE: return window_mean(head_pinball(model, h, truth), observed);
    case FORECAST_HEAD_STUDENT_T: return window_mean(head_likelihood(h, head_freedom(freedom), truth), observed);
    default: return loss_windows(c, h->point, truth, observed);
    }
}
