/* Levels of prediction intervals, in percent. */
#ifndef FORECAST_LEVELS_H
#define FORECAST_LEVELS_H

#include <tidemill/forecast.h>

typedef struct levels { int64_t count; double of[FORECAST_MAX_LEVELS]; } levels;  /* ascending, each once */

/* "80,95"; "" is none. TIDE_EINVAL with what is accepted. */
tide_status levels_parse(const char *text, levels *out, tide_failure *failure);
/* What train and evaluate measure: 80 and 95 where none are given. */
tide_status levels_measured(const char *text, levels *out, tide_failure *failure);
/* The same of numbers. */
tide_status levels_take(const double *given, int64_t count, levels *out, tide_failure *failure);

#endif
