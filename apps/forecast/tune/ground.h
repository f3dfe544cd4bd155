/* What all trials of a search stand on: the options as given, and the rows that their losses are taken on. */
#ifndef FORECAST_GROUND_H
#define FORECAST_GROUND_H

#include "forecast/data/dataset.h"

typedef struct ground {
    const forecast_options *given;
    forecast_options resolved;        /* preset, --auto-size and --compat applied; what training plans stays open */
    char    sum[65];                  /* of what makes losses comparable: ground_sum */
    int64_t windows, rows;            /* of training */
    int64_t val_windows;
    int64_t epochs;                   /* that the options as given are trained for */
} ground;

/* Reads the series. TIDE_EINVAL for options that a search cannot go by. */
tide_status ground_open(const forecast_options *o, ground *out, tide_failure *failure);

/* A digest of the file, the columns, their scaler and which rows validation windows forecast: equal sums, comparable
 * losses. */
void ground_sum(const dataset *d, const forecast_options *o, char sum[65]);
/* Whether the architecture is one that is trained by steps; false says which are. */
bool ground_has_steps(const forecast_options *o, tide_failure *failure);
/* Would this look-back have the same? TIDE_EINVAL says what not. */
tide_status ground_look_back(const ground *g, int64_t seq_len, tide_failure *failure);

#endif
