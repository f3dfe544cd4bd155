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

/* frame_time.c: the text of the row's stamp, put together if it stands in several columns. */
const char *reading_stamp_text(const reading *r, int64_t row, char buffer[STAMP_TEXT]);

/* frame_zone.c: makes instants of the labels, each with its offset or one of these, where the file is read in a time
 * zone or its offsets vary. */
enum { NO_OFFSET = INT32_MIN, DATE_ALONE };
tide_status reading_settle_zone(reading *r, const int32_t *offset);
/* Do local times of no zone look as if clocks had been put forward or back between two rows: an hour more or less than
 * the step, early on a Sunday? Then `tz` would tell. */
bool        reading_clocks_moved(const reading *r, int64_t before, int64_t now, time_step step);
#define READING_HOUR_TWICE "`tz` NAME, such as Europe/Berlin, reads it as an hour that clocks showed twice; "

/* frame_order.c: rows that do not ascend are refused (newest first, backwards), or put in order (--sort). */
tide_status reading_order_rows(reading *r);

/* frame_freq.c: the step that out->step is to have, where the stamps' own is `found`. */
tide_status reading_take_step(reading *r, time_step found);

#endif
