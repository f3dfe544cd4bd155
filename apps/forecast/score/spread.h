/* How a head's forecast is spread around its point, and where a truth lies in it.
 *
 * A head gives, for each value, widths: the gaps between its quantiles, or a scale. They make a line of its own for
 * each value, from errors (truth - point) to scores, that ascends: through 0 at the point; at the quantile p the score
 * is that of a normal distribution, Phi^-1(p), with straight lines between, and the outermost go on; Student's has
 * error / scale. What is calibrated are scores: of the windows of validation those that were reached so often
 * (conformal.h), and a bound is the error at such a score. This is conformalised quantile regression (Romano, Patterson
 * and Candes, NeurIPS 2019) with one conformity score for all levels in place of one for each, as in distributional
 * conformal prediction (Chernozhukov, Wuethrich and Zhu, PNAS 2021): coverage is that of any split conformal interval,
 * the width follows the head from window to window, a level need not be among the quantiles, and bounds of several
 * levels cannot cross, as quantiles of scores do not and the lines ascend.
 *
 * The degrees of freedom of Student's are one number for all windows at a step, so a line through its distribution
 * function would differ from error / scale by one fixed ascending map, which quantiles of scores pass through: it would
 * give the very same bounds. */
#ifndef FORECAST_SPREAD_H
#define FORECAST_SPREAD_H

#include "forecast/models/model.h"

/* To one side of the point: gap i is widths[first + i * step], and its far end has the score node[i] (its size). */
typedef struct spread_side { int count, first, step; double node[FORECAST_MAX_QUANTILES]; } spread_side;
typedef struct spread_shape {
    int         widths;    /* of a value; 0: a head of points, which has no lines */
    spread_side side[2];   /* below, above */
} spread_shape;

spread_shape spread_of(const model_config *c);
/* `widths`: of one value, above 0, in the error's units. Each undoes the other; NaN of NaN. */
double spread_score(const spread_shape *s, const float *widths, double error);
double spread_error(const spread_shape *s, const float *widths, double score);

/* What a bound around a forecast of one window is made with: scales where forecasts are points (conformal.h), widths
 * where they are more. */
typedef struct window_spread {
    const float *scale;    /* (columns) */
    const float *widths;   /* (pred_len, columns, widths), in original units; NULL: points */
} window_spread;

#endif
