/* Gaps of a series, NaN in its values, and what stands in for them where a model or a baseline looks at numbers.
 *
 * In a window a gap becomes a point on the line between its neighbours; where the window has a value on one side only,
 * that value; where it has none of the column, 0, which is the mean of the training rows. Nothing outside of the window
 * counts: no window sees what comes after it, and a forecast is the same from a file as from its last rows alone. */
#ifndef FORECAST_GAPS_H
#define FORECAST_GAPS_H

#include <tidemill/core.h>

/* Of each cell (rows, columns) of a series: the last value up to it and the first one from it on, and how many rows
 * away they are; without a value 0 and GAP_NONE. What a program needs to fill any window of the series. */
#define GAP_NONE 1e9F
typedef struct gap_sides { float *before, *since, *after, *until; } gap_sides;
bool gap_sides_new(const float *scaled, int64_t rows, int64_t columns, gap_sides *out);  /* false: out of memory */
void gap_sides_free(gap_sides *s);

/* One window (rows, columns) filled; `gaps`, if not NULL, is 1 where one was and 0 elsewhere. May be done in place. */
void gaps_fill(const float *scaled, int64_t rows, int64_t columns, float *filled, float *gaps);

/* Gaps of (rows, columns) take the value one season before, or where there is none the one in the row before, or the
 * column's mean: only what came earlier. Season 1: the last value. */
void gaps_repeat(double *values, int64_t rows, int64_t columns, int64_t season, const double *mean);

#endif
