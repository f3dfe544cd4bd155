/* What the steps of reading the time columns hand on to each other. */
#ifndef FORECAST_FRAME_TIME_H
#define FORECAST_FRAME_TIME_H

#include "base/base.h"
#include "calendar.h"
#include "frame_reading.h"

enum { STAMP_TEXT = 96 };

static inline const char *reading_text(const reading *r, int64_t row, int64_t column) { return r->table.cells[row * r->table.columns + column]; }

/* frame_order.c: rows that do not ascend are refused by what they are (long format, newest first), or put in order (--sort). */
tide_status reading_order_rows(reading *r);

/* frame_step.c: the step, and what is to be said of rows that it does not explain. */
tide_status reading_settle_step(reading *r);

#endif
