/* What a training step consists of, for train --explain and `tidemill explain`. */
#ifndef FORECAST_EXPLAIN_H
#define FORECAST_EXPLAIN_H

#include "forecast/fit/session.h"

/* Explains the step: a page in result->text and an object in result->explanation. `rows` of the series are there to
 * take windows from. Measured steps leave no trace: all variables are put back. */
tide_status explain_step(session *s, train_step *step, int64_t rows, bool measure, forecast_result *result,
                         tide_failure *failure);

/* The explanation as one JSON object, malloc'ed; NULL when out of memory. */
char *explanation_json(const tide_explanation *e, const train_step *step);

#endif
