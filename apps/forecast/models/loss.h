/* What training lowers, window by window. */
#ifndef FORECAST_LOSS_H
#define FORECAST_LOSS_H

#include <tidemill/forecast.h>
#include <tidemill/tidemill.h>

#include "model.h"

typedef struct loss_config {
    forecast_loss kind;
    double        weight;     /* of the direction term */
    bool          surrogate;  /* a smooth direction term in place of the counted one */
} loss_config;

/* prediction, truth (b, columns, steps) -> (b): the mean loss of each window. `observed`, of the same shape: 1 where
 * the truth is known, else 0, and the mean is over those; of a window without any it is 0. Graph NULL: all are. */
tide_val loss_windows(const loss_config *c, tide_val prediction, tide_val truth, tide_val observed);
/* The same of what a model's head says: of points by `c`, of others by the head's own loss (head.h). `freedom` is a
 * forecaster's. */
tide_val loss_head(const loss_config *c, const model_config *model, const head_values *h, tide_val freedom,
                   tide_val truth, tide_val observed);

#endif
