/* Values to one, for what `aggregate` names: not for AGGREGATE_NONE and AGGREGATE_KEEP. */
#ifndef FORECAST_FRAME_MERGE_H
#define FORECAST_FRAME_MERGE_H

#include "frame.h"

/* Of one value at least, in the order of the rows; the values may be moved. */
double      merge_values(frame_aggregate how, double *values, int64_t count);
const char *merge_name(frame_aggregate how);
/* May the result be none of the values? Then a mark among them would be hidden by it. */
bool        merge_mixes(frame_aggregate how);

#endif
