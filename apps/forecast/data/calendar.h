/* The Gregorian calendar, for every year, in days since 1970-01-01. */
#ifndef FORECAST_CALENDAR_H
#define FORECAST_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum { DAY_SECONDS = 86400 };

typedef struct calendar_date { int32_t year, month, day; } calendar_date;

int64_t       calendar_days(calendar_date date);          /* the day may lie outside its month */
calendar_date calendar_date_of(int64_t days);
int32_t       calendar_month_days(int32_t year, int32_t month);
int32_t       calendar_weekday(int64_t days);             /* Monday 0 ... Sunday 6 */
int32_t       calendar_first_weekday(int32_t year, int32_t month);  /* days of the month: of those from Monday to */
int32_t       calendar_last_weekday(int32_t year, int32_t month);   /* Friday */
int32_t       calendar_day_of_year(int64_t days);         /* January 1 is 1 */
int32_t       calendar_iso_week(int64_t days);            /* 1 to 53 */
int32_t       calendar_iso_year(int64_t days);            /* that its week belongs to */

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }  /* b > 0 */
static inline int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }

#endif
