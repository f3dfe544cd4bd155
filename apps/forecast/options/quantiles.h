/* Which quantiles a quantile head learns. */
#ifndef FORECAST_QUANTILES_H
#define FORECAST_QUANTILES_H

#include <tidemill/forecast.h>

typedef struct quantiles { int count; double of[FORECAST_MAX_QUANTILES]; } quantiles;  /* ascending, each once */

/* "0.1,0.5,0.9"; "" is the usual ones. TIDE_EINVAL with what is accepted: the median and one to either side of it
 * are among them. */
tide_status quantiles_parse(const char *text, quantiles *out, tide_failure *failure);
/* Is such a list one that quantiles_parse gives? Of a file from outside. */
bool        quantiles_sound(const double *of, int64_t count);
/* As text that reads back the same. */
void        quantiles_print(const double *of, int64_t count, char *out, size_t size);

#endif
