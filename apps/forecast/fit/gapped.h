/* Windows of a series that has gaps, filled on the device as gaps_fill does (data/gaps.h). */
#ifndef FORECAST_GAPPED_H
#define FORECAST_GAPPED_H

#include <tidemill/tidemill.h>

/* What data/gaps.h's gap_sides holds, as values on a graph. Graphs NULL: the series has no gaps. */
typedef struct gapped { tide_val before, since, after, until; } gapped;

/* Of (rows, columns) scaled values, NaN where a gap is. TIDE_ENOMEM; else what fails, fails with the graph. */
tide_status gapped_new(tide_graph *g, const float *scaled, int64_t rows, int64_t columns, gapped *out,
                       tide_failure *failure);

/* The windows of `length` rows from each `start` (b) on: (b, length, columns), filled; *gaps is 1 where one was. */
tide_val gapped_windows(const gapped *s, tide_val start, int64_t length, tide_val *gaps);
/* The same with 0 in the gaps, and what is known: 1, or 0 in a gap. */
tide_val gapped_truth(const gapped *s, tide_val start, int64_t length, tide_val *observed);

#endif
