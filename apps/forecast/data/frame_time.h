/* What the steps of reading the time columns hand on to each other. */
#ifndef FORECAST_FRAME_TIME_H
#define FORECAST_FRAME_TIME_H

#include "base/base.h"
#include "calendar.h"
#include "date.h"
#include "frame_reading.h"

enum { STAMP_TEXT = 96, FIRST_YEAR = 1700, LAST_YEAR = 2200 };

static inline const char *reading_text(const reading *r, int64_t row, int64_t column) {
    return r->table.cells[row * r->table.columns + column];
}

/* frame_shape.c: what all cells of a column are. A shape is DATE_SHAPES where there is none. */
bool       column_all_dates(const reading *r, int64_t column, date_shape shape, bool *clock);
bool       column_all_clocks(const reading *r, int64_t column);
/* Of calendar text. *either: 1/2/2023 may be read both ways, and the shape is a guess. */
date_shape column_calendar_shape(const reading *r, int64_t column, bool *clock, bool *either);
/* The one that half of the cells have at least: then a cell is at fault, and not the column. */
date_shape column_usual_shape(const reading *r, int64_t column);
/* Of numbers that are time; DATE_YMD stands for an epoch. */
date_shape column_number_shape(const reading *r, int64_t column);
/* YYYYMM, YYYYMMDD.0, or YYYYMMDDHH with or without minutes and seconds, which are no epoch; few of them never fall. */
bool       column_is_digit_stamps(const reading *r, int64_t column);

bool       column_counts(const reading *r, int64_t column);

/* frame_order.c: rows that do not ascend are refused by what they are (long format, newest first), or put in order
 * (--sort). */
tide_status reading_order_rows(reading *r);

/* frame_freq.c: the step that out->step is to have, where the stamps' own is `found`. */
tide_status reading_take_step(reading *r, time_step found);

/* frame_step.c: the step, and what is to be said of rows that it does not explain. */
tide_status reading_settle_step(reading *r);

#endif
