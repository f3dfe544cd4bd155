/* Dates as text, and labels that stand for more than a day: 2023Q1, 2023-W05, Jan 2023. */
#ifndef FORECAST_DATE_H
#define FORECAST_DATE_H

#include "calendar.h"
#include "frame.h"

enum { DATE_TEXT = 24, FIRST_SHORT_YEAR = 1930, LAST_SHORT_YEAR = 2029 };  /* what 30 to 99 and 00 to 29 stand for */

/* Text that grows in a buffer and never past it. */
typedef struct line { char *at; size_t left; } line;
void line_put(line *l, const char *format, ...) TIDE_PRINTF(2, 3);

/* Reads 1 to `most` digits; returns how many, 0 if there are none or more than that. */
int read_digits(const char **at, int most, int32_t *value);

/* Moves *at behind the date, a label's first day; fills what of `f` says how it is written. */
bool date_read(const char **at, date_shape shape, calendar_date *date, time_format *f);
void date_print(char buffer[DATE_TEXT], calendar_date date, const time_format *f);

#endif
