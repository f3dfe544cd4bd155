/* What a network says of each value to come: a point alone, or with it how the truth is spread around it.
 *
 * The last map of every architecture has `head_outputs` rows for each step, block by block: the points of all steps
 * first. A quantile head's other blocks are the gaps between neighbouring quantiles in ascending order, so quantiles
 * cannot cross, whatever the parameters: that is built in, where sorting afterwards would have trained crossed ones,
 * and the sums of gaps are made in double by whoever reads them. Student's has one more, the scale. Both are softplus
 * of what the map gives, and never 0. Where a window is normalised, they are in its deviations, and the point behind
 * them is moved and scaled: both come back in the units of the scaled series, so losses of all heads are on one scale.
 *
 * Degrees of freedom are parameters, one for each step, that all windows and columns share: they shape the likelihood,
 * so what heavy tails do to location and scale; an interval at a calibrated score does not need them
 * (score/spread.h). */
#ifndef FORECAST_HEAD_H
#define FORECAST_HEAD_H

#include "instance.h"
#include "model.h"

/* Of a window's deviation: no gap and no scale is narrower, so that a series that repeats itself exactly has a finite
 * likelihood. */
#define HEAD_LEAST_WIDTH 1e-4

int64_t head_outputs(const model_config *c);        /* rows of the last map for each step */
int64_t head_widths(const model_config *c);         /* head_outputs less the point */
int     head_median(const model_config *c);         /* where 0.5 is among the quantiles */
/* What the last map gave, raw (b, out columns, outputs * pred_len), as the head means it. `scale` (b, out columns, 1)
 * is what the window was normalised by; NULL: it was not. */
head_values head_restored(const model_config *c, tide_val raw, const instance_scale *scale);

/* The parameter "head.freedom" (pred_len) of Student's; graph NULL of other heads. */
tide_val head_freedom_new(tide_graph *g, const model_config *c);
/* The degrees of freedom (pred_len), above 2, that it stands for. */
tide_val head_freedom(tide_val parameter);

/* Of truths (b, out columns, pred_len) the loss of each. QUANTILE: twice the mean pinball loss, which is the absolute
 * error where the median is all there is, and nears the CRPS the more quantiles there are. STUDENT_T: the negative
 * logarithm of the density; `freedom` as head_freedom gives it. */
tide_val head_pinball(const model_config *c, const head_values *h, tide_val truth);
tide_val head_likelihood(const head_values *h, tide_val freedom, tide_val truth);

#endif
