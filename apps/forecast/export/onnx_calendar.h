/* Time features of stamps, worked out in an ONNX graph. */
#ifndef FORECAST_ONNX_CALENDAR_H
#define FORECAST_ONNX_CALENDAR_H

#include "forecast/data/marks.h"
#include "onnx_graph.h"

/* seconds since 1970, int64 (batch, rows) -> float (batch, count, rows): marks_fill's features for the step, those of
 * the years 0 to 9999. */
onnx_value onnx_marks(onnx_graph *g, onnx_value seconds, time_step step, int64_t count);

#endif
