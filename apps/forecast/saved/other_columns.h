/* A run asked about columns that it has not learned: the variates of a file in the place of its own. */
#ifndef FORECAST_OTHER_COLUMNS_H
#define FORECAST_OTHER_COLUMNS_H

#include "bundle.h"

/* The columns of `b` become those of o->data, with a scaler of their own; what the run knows of its own columns
 * (scores, intervals, last rows) is dropped. TIDE_EINVAL where the network's columns are not all alike. */
tide_status other_columns_take(const forecast_options *o, bundle *b, tide_failure *failure);

/* What the user should know of such forecasts; nothing without `other_columns`. */
void other_columns_tell(const forecast_options *o, const bundle *b, const listener *l);
/* A failure that is a missing column of the run's gets the way out. */
void other_columns_suggest(tide_failure *failure);

#endif
