/* Where each series of a window lies and how wide it is: what instance normalisation takes from it and gives back (Kim
 * et al., ICLR 2022, without their learned factors, as the published iTransformer and PatchTST have it). */
#ifndef FORECAST_INSTANCE_H
#define FORECAST_INSTANCE_H

#include <tidemill/tidemill.h>

#define NORM_EPS 1e-5 /* of the layer norms and of the instance norm */

typedef struct instance_scale { tide_val mean, deviation; } instance_scale;  /* (b, series, 1) */

/* Of series (b, series, rows), over the rows that hold values: `gaps` as in model_windows, turned likewise, or graph
 * NULL. A series without any has the training rows' mean and deviation. *centred: series less their means. */
instance_scale instance_scale_of(tide_val series, tide_val gaps, tide_val *centred);

#endif
