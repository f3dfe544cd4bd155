/* The step of a series: from one row's time stamp to the next one's. */
#ifndef FORECAST_STEP_H
#define FORECAST_STEP_H

#include <stdbool.h>
#include <stdint.h>

/* UNIT_NONE: no step (no time column). */
typedef enum time_unit { UNIT_NONE, UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_BUSINESS_DAY, UNIT_WEEK,
                         UNIT_MONTH,
                         UNIT_QUARTER, UNIT_YEAR } time_unit;

/* One stretch of a weekday's rows: the second of the week, from Monday on, of its first, and how many there are, a step
 * apart. */
enum { MOST_SESSIONS = 21 };
typedef struct week_session { int32_t first, slots; } week_session;

typedef struct time_step {
    time_unit unit;
    int32_t   count;     /* 15 minutes: { UNIT_MINUTE, 15 } */
    int32_t   day;       /* months and longer: the day of the month that the series keeps, 31 for the last one. 0: the
                          * day of the stamp itself, where the last day of a month stays the last. */
    int32_t   anchor;    /* what a word such as W-SUN or QE-DEC asks of the stamps: a weekday from Monday 1 on, a month
                          * from January 1 on; 0: nothing. The step itself keeps to the stamps. */
    bool      business;  /* day 1 or 31 is the first or last weekday of its month */
    int32_t   sessions;  /* minutes to days: rows stand at these hours of a week alone; 0: at all */
    week_session session[MOST_SESSIONS];
} time_step;

enum { STEP_TEXT = 128 };

/* ---- moving ---- */

/* Months, quarters, years by calendar; end-of-month days kept. What lies beyond any year that can be written stays
 * beyond it. */
int64_t time_advance(int64_t seconds, time_step step, int64_t steps);
/* Of the same length, whatever it is called: 3m and q. */
bool    step_same(time_step a, time_step b);
/* Rows of a day where all days with rows have the same hours, else of a week. */
int64_t week_season(const time_step *step);
int64_t step_months(time_step step);  /* 0: not by months */
/* Seconds of one of the unit, 0 where it varies. */
int64_t unit_seconds(time_unit unit);

/* ---- words ---- */

/* "15min", "h"; pandas' words, MS, BME, QS-JAN, W-SUN; with sessions "h, Mon-Fri 10:00-16:00", "d, Mon-Sat". */
bool step_parse(const char *text, time_step *step);
/* What step_parse takes back; a month's day and an anchor are not in it. */
void step_print(char buffer[STEP_TEXT], time_step step);

/* ---- finding ---- */

/* The step most stamps are apart; UNIT_NONE if fewer than two. Repeated stamps do not count. Weekdays without any
 * weekend are business days; equal days of the month are months, quarters (3) or years (12), as are their first or last
 * weekdays. Rows at certain hours of a week have sessions where that is clear: over two weeks at least, 98 % of the
 * rows there, and the hours filled in 85 % of the weeks. */
time_step step_find(const int64_t *time, int64_t rows);
/* Is the stamp one that the word names, a Sunday for W-SUN, the last day of a month for ME? */
bool      step_holds(time_step step, int64_t seconds);
/* Of nearly all stamps; *first: of those that are not. */
bool      step_holds_all(time_step step, const int64_t *time, int64_t rows, int64_t *first);
/* Are the rows, `found` apart by themselves, such as a step known from elsewhere makes? A few need not show the day of
 * the month that it keeps, nor its sessions. */
bool      step_keeps(time_step known, const int64_t *time, int64_t rows, time_step found);
/* The word that says most of stamps that are `found` apart: W-MON, QE-DEC, 15min. */
void      step_name(char buffer[STEP_TEXT], time_step found, const int64_t *time, int64_t rows);

#endif
