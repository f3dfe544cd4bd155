/* Moving by the step of a series. */
#include "step.h"

#include "base/base.h"
#include "calendar.h"
#include "step_week.h"

int64_t unit_seconds(time_unit unit) {
    static const int64_t seconds[UNIT_YEAR + 1] = {
        [UNIT_SECOND] = 1, [UNIT_MINUTE] = 60, [UNIT_HOUR] = 3600, [UNIT_DAY] = DAY_SECONDS,
        [UNIT_WEEK] = 7 * DAY_SECONDS,
    };
    return seconds[unit];
}

static int64_t unit_months(time_unit unit) {
    static const int64_t months[UNIT_YEAR + 1] = { [UNIT_MONTH] = 1, [UNIT_QUARTER] = 3, [UNIT_YEAR] = 12 };
    return months[unit];
}

int64_t step_months(time_step step) { return unit_months(step.unit) * step.count; }

bool step_same(time_step a, time_step b) {
    if (a.unit == b.unit) return a.count == b.count;
    return step_months(a) ? step_months(a) == step_months(b)
                          : unit_seconds(a.unit) && unit_seconds(a.unit) * a.count == unit_seconds(b.unit) * b.count;
}

static int32_t day_in_month(time_step step, calendar_date from, calendar_date to) {
    int32_t last = calendar_month_days(to.year, to.month);
    if (step.business) return step.day == 1 ? calendar_first_weekday(to.year, to.month)
                                            : calendar_last_weekday(to.year, to.month);
    bool    at_end = from.day == calendar_month_days(from.year, from.month);
    int32_t wanted = step.day ? step.day : at_end ? 31 : from.day;
    return wanted < last ? wanted : last;
}

/* Of 20,000 years at most, which lead beyond those that can be written: a year is 32 bits. */
static int64_t advance_months(int64_t days, int64_t months, time_step step) {
    enum { MOST_MONTHS = 20000 * 12 };
    calendar_date d = calendar_date_of(days);
    months = months > MOST_MONTHS ? MOST_MONTHS : months < -MOST_MONTHS ? -MOST_MONTHS : months;
    int64_t month = (int64_t)d.year * 12 + d.month - 1 + months;
    calendar_date to = { (int32_t)floor_div(month, 12), (int32_t)floor_mod(month, 12) + 1, 0 };
    to.day = day_in_month(step, d, to);
    return calendar_days(to);
}

/* Counts in weekdays since a Monday; a stamp on a weekend counts as its Friday. */
static int64_t advance_business_days(int64_t days, int64_t steps) {
    int64_t monday = floor_div(days + 3, 7) * 7 - 3;
    int64_t weekday = days - monday < 4 ? days - monday : 4;
    int64_t moved = weekday + steps;
    return monday + floor_div(moved, 5) * 7 + floor_mod(moved, 5);
}

/* More of any unit than 10,000 years hold leads beyond them from every year, and must not overflow. */
static int64_t few_units(int64_t steps, int32_t count) {
    static const double most = 1e12;
    double units = (double)steps * count;
    return units > most ? (int64_t)most : units < -most ? -(int64_t)most : steps * count;
}

int64_t time_advance(int64_t seconds, time_step step, int64_t steps) {
    int64_t units = few_units(steps, step.count);
    if (step.sessions) return week_advance(seconds, &step, few_units(steps, 1));
    if (unit_seconds(step.unit)) return seconds + units * unit_seconds(step.unit);
    if (step.unit == UNIT_NONE) return seconds;
    int64_t days = floor_div(seconds, DAY_SECONDS), second_of_day = seconds - days * DAY_SECONDS;
    days = step.unit == UNIT_BUSINESS_DAY ? advance_business_days(days, units)
                                          : advance_months(days, units * unit_months(step.unit), step);
    return days * DAY_SECONDS + second_of_day;
}
