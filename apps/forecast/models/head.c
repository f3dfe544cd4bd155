/* What the last map gives is split, made positive where it is a width, and put back on the scale of the series; the
 * losses of quantiles and of Student's distribution in plain ops. */
#include "head.h"

#include <math.h>

#include <tidemill/forecast.h>

int64_t head_outputs(const model_config *c) {
    return c->head == FORECAST_HEAD_QUANTILE ? c->quantile_count : c->head == FORECAST_HEAD_STUDENT_T ? 2 : 1;
}

int64_t head_widths(const model_config *c) { return head_outputs(c) - 1; }

int head_median(const model_config *c) {
    int at = 0;
    while (at < c->quantile_count && c->quantile[at] < 0.5) at++;
    return at;
}

head_values head_restored(const model_config *c, tide_val raw, const instance_scale *scale) {
    int64_t     outputs = head_outputs(c);
    head_values h       = { .point = raw };
    if (outputs > 1) {
        tide_val rest = tide_slice(raw, 2, c->pred_len, outputs * c->pred_len);
        h.point  = tide_slice(raw, 2, 0, c->pred_len);
        h.widths = tide_add_scalar(tide_softplus(rest), HEAD_LEAST_WIDTH);
    }
    if (!scale) return h;
    h.point = tide_add(tide_mul(h.point, scale->deviation), scale->mean);
    if (outputs > 1) h.widths = tide_mul(h.widths, scale->deviation);
    return h;
}

/* ---- degrees of freedom ---- */

/* They begin at 6. A weight of the last map moves with all the others of its row, and this parameter by itself, at the
 * same rate: so it counts as many times as there are such weights in a narrow network. */
static const double FREEDOM_BEGINS = 6, FREEDOM_ABOVE = 2.01, FREEDOM_GAIN = 64;

tide_val head_freedom_new(tide_graph *g, const model_config *c) {
    if (c->head != FORECAST_HEAD_STUDENT_T) return (tide_val){ 0 };
    tide_val v = tide_variable(g, "head.freedom", tide_fill(g, TIDE_F32, TIDE_SHAPE(c->pred_len), 0));
    tide_mark_param(v);
    return v;
}

tide_val head_freedom(tide_val parameter) {
    double at_first = log(expm1(FREEDOM_BEGINS - FREEDOM_ABOVE)); /* whose softplus that is */
    tide_val moved  = tide_add_scalar(tide_mul_scalar(parameter, FREEDOM_GAIN), at_first);
    return tide_add_scalar(tide_softplus(moved), FREEDOM_ABOVE);
}

/* ---- losses ---- */

/* Block `i` of the widths. */
static tide_val width(const head_values *h, int64_t i) {
    int64_t steps = tide_shape_of(h->point).dim[2];
    return tide_slice(h->widths, 2, i * steps, (i + 1) * steps);
}

static tide_val pinball(tide_val error, double p) {
    return tide_maximum(tide_mul_scalar(error, p), tide_mul_scalar(error, p - 1));
}

tide_val head_pinball(const model_config *c, const head_values *h, tide_val truth) {
    int      median = head_median(c);
    tide_val middle = tide_sub(truth, h->point), error = middle, sum = pinball(middle, c->quantile[median]);
    for (int i = median + 1; i < c->quantile_count; i++) {
        error = tide_sub(error, width(h, i - 1));
        sum   = tide_add(sum, pinball(error, c->quantile[i]));
    }
    error = middle;
    for (int i = median - 1; i >= 0; i--) {
        error = tide_add(error, width(h, i));
        sum   = tide_add(sum, pinball(error, c->quantile[i]));
    }
    return tide_mul_scalar(sum, 2.0 / (double)c->quantile_count);
}

/* log Gamma(z + 1/2) - log Gamma(z) for z > 1, which no operation gives. Four steps of Gamma(z + 1) = z Gamma(z) bring
 * z above 5, and there the asymptotic series of the ratio (Tricomi and Erdelyi, Pacific Journal of Mathematics 1951;
 * its coefficients follow from Stirling's) is off by less than 1e-9. One logarithm holds the four steps. */
static tide_val gamma_ratio(tide_val z) {
    enum { STEPS = 4 };
    tide_val steps = tide_scalar(z.graph, 1);
    for (int i = 0; i < STEPS; i++)
        steps = tide_mul(steps, tide_div(tide_add_scalar(z, i), tide_add_scalar(z, i + 0.5)));
    tide_val one = tide_scalar(z.graph, 1), r = tide_div(one, tide_add_scalar(z, STEPS)), r2 = tide_square(r);
    tide_val series = tide_add_scalar(tide_mul_scalar(r2, 17.0 / 14336), -1.0 / 640);
    series = tide_add_scalar(tide_mul(series, r2), 1.0 / 192);
    series = tide_add_scalar(tide_mul(series, r2), -1.0 / 8);
    tide_val far = tide_sub(tide_mul(series, r), tide_mul_scalar(tide_log(r), 0.5));
    return tide_add(far, tide_log(steps));
}

tide_val head_likelihood(const head_values *h, tide_val freedom, tide_val truth) {
    const double pi    = 3.14159265358979323846;
    tide_val     score = tide_div(tide_sub(truth, h->point), h->widths);
    tide_val     power = tide_mul_scalar(tide_add_scalar(freedom, 1), 0.5);
    tide_val     shape = tide_sub(tide_mul_scalar(tide_log(tide_mul_scalar(freedom, pi)), 0.5),
                                  gamma_ratio(tide_mul_scalar(freedom, 0.5)));
    tide_val     tails = tide_mul(tide_log1p(tide_div(tide_square(score), freedom)), power);
    return tide_add(tide_add(tide_log(h->widths), tails), shape);
}
