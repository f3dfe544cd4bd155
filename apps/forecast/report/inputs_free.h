/* Memory of an explanation (tidemill/explain.h). */
#ifndef FORECAST_INPUTS_FREE_H
#define FORECAST_INPUTS_FREE_H

#include <tidemill/explain.h>

void inputs_free(forecast_inputs *x);  /* NULL is fine */

#endif
