/* Which time features a step's rows have. */
#ifndef FORECAST_MARKS_H
#define FORECAST_MARKS_H

#include "frame.h"

typedef enum mark_feature {
    NO_FEATURE,
    SECOND_OF_MINUTE,
    MINUTE_OF_HOUR,
    HOUR_OF_DAY,
    DAY_OF_WEEK,
    DAY_OF_MONTH,
    DAY_OF_YEAR,
    MONTH_OF_YEAR,
    WEEK_OF_YEAR
} mark_feature;

enum { MOST_MARKS = 6 };

/* MOST_MARKS of them, in the order of marks_fill; those that are not used are NO_FEATURE. */
const mark_feature *marks_of(time_step step);
const char         *mark_name(mark_feature f);  /* "hour of day" */

#endif
