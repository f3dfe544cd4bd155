/* The steps of a frequency as bins: each has a label, by default its first instant. */
#ifndef FORECAST_FRAME_GRID_H
#define FORECAST_FRAME_GRID_H

#include "frame.h"
#include "zone.h"

typedef struct time_grid {
    time_step step;    /* as the labels follow each other: its day is that of the labels */
    int64_t   origin;  /* where counting begins: seconds, weekdays since 1970 or months since the year 0 */
    const zone *clock; /* NULL, or the zone whose days these are */
} time_grid;

/* Of `freq`, which step_parse takes: full hours, quarters of an hour, midnights, Mondays or the weekday of W-SUN, first
 * days of months; the last days for ME, QE, YE. What neither divides a day or a year nor is whole years is counted from
 * `first` on. In a zone days and more are those of its clocks; hours and less are of equal length, from the midnight
 * before `first` on. */
time_grid grid_open(const char *freq, const zone *clock, int64_t first);
/* The label of the bin that the instant lies in. */
int64_t   grid_label(const time_grid *g, int64_t seconds);

#endif
