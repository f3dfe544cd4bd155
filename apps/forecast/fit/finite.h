/* Numbers that are not finite are a failure, and the failure says where they come from. */
#ifndef FORECAST_FINITE_H
#define FORECAST_FINITE_H

#include "forecast/data/dataset.h"

/* The value of rows first .. first + rows - 1 that lies furthest from its column's training mean, if that is further
 * than the arithmetic of the model can hold. Rows of d->frame. */
typedef struct extreme { int64_t row, column; double deviations; } extreme;
bool find_extreme(const dataset *d, int64_t first, int64_t rows, extreme *out);

/* TIDE_EDATA: `what` ("the forecast of 'load'") is not finite, because of an extreme value in those rows or else of the
 * numbers in the model. */
tide_status not_finite(const dataset *d, int64_t first, int64_t rows, const char *what, tide_failure *failure);

#endif
