/* Steps with sessions: rows at certain hours of a week alone. */
#ifndef FORECAST_STEP_WEEK_H
#define FORECAST_STEP_WEEK_H

#include <stddef.h>

#include "step.h"

int64_t   week_advance(int64_t seconds, const time_step *step, int64_t steps);
bool      week_holds(const time_step *step, int64_t seconds);
/* What stands behind the unit's name: ", Mon-Fri 10:00-16:00". */
void      week_print(char *buffer, size_t bytes, const time_step *step);
bool      week_parse(const char *text, time_step *step);
/* `found` with the sessions that the stamps keep to, if they clearly do. */
time_step week_find(time_step found, const int64_t *time, int64_t rows);

#endif
