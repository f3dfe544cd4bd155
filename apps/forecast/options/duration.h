/* A length of time as options have it. */
#ifndef FORECAST_DURATION_H
#define FORECAST_DURATION_H

#include <tidemill/forecast.h>

/* "90s", "1.5h", "1h30m", "2d" in seconds, above 0 and up to 10,000 hours; TIDE_EINVAL for anything else. `option`:
 * whose it is. */
tide_status duration_parse(const char *text, const char *option, double *seconds, tide_failure *failure);

#endif
