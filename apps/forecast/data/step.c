/* The step of a series: its names, moving by it, and finding it in the stamps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "calendar.h"
#include "frame.h"

typedef struct unit_name { const char *name; time_unit unit; } unit_name;

/* The first name of a unit is the one printed. pandas' and the published scripts' names are understood too. */
static const unit_name unit_names[] = {
    { "s", UNIT_SECOND },        { "sec", UNIT_SECOND },   { "second", UNIT_SECOND }, { "seconds", UNIT_SECOND },
    { "min", UNIT_MINUTE },      { "t", UNIT_MINUTE },     { "minute", UNIT_MINUTE }, { "minutes", UNIT_MINUTE },
    { "h", UNIT_HOUR },          { "hour", UNIT_HOUR },    { "hours", UNIT_HOUR },    { "hourly", UNIT_HOUR },
    { "d", UNIT_DAY },           { "day", UNIT_DAY },      { "days", UNIT_DAY },      { "daily", UNIT_DAY },
    { "b", UNIT_BUSINESS_DAY },  { "w", UNIT_WEEK },       { "week", UNIT_WEEK },     { "weeks", UNIT_WEEK },
    { "weekly", UNIT_WEEK },     { "m", UNIT_MONTH },      { "month", UNIT_MONTH },   { "months", UNIT_MONTH },
    { "monthly", UNIT_MONTH },   { "q", UNIT_QUARTER },    { "quarter", UNIT_QUARTER }, { "quarterly", UNIT_QUARTER },
    { "y", UNIT_YEAR },          { "a", UNIT_YEAR },       { "year", UNIT_YEAR },     { "years", UNIT_YEAR },
    { "yearly", UNIT_YEAR },
};
enum { UNIT_NAMES = sizeof unit_names / sizeof *unit_names };

/* pandas' words for the first and the last day of a month, quarter or year, in its own spelling: ms would be
 * milliseconds. */
static const struct { const char *name; time_unit unit; int32_t day; } edges[] = {
    { "MS", UNIT_MONTH, 1 }, { "ME", UNIT_MONTH, 31 }, { "QS", UNIT_QUARTER, 1 }, { "QE", UNIT_QUARTER, 31 },
    { "YS", UNIT_YEAR, 1 },  { "AS", UNIT_YEAR, 1 },   { "YE", UNIT_YEAR, 31 },
};

/* "W-SUN", "QE-DEC": the weekday or month is that of the stamps, which the steps keep. */
static size_t without_anchor(const char *p) {
    size_t length = strlen(p);
    bool   anchor = length > 4 && p[length - 4] == '-' && strspn(p + length - 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
    return anchor && strchr("WQYA", *p) ? length - 4 : length;
}

static bool step_parse_edge(const char *name, int32_t count, time_step *step) {
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        if (!strcmp(name, edges[i].name)) return *step = (time_step){ edges[i].unit, count, edges[i].day }, true;
    return false;
}

bool step_parse(const char *text, time_step *step) {
    int32_t count = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && count < 100000; p++) count = count * 10 + (*p - '0');
    char name[16];
    if (p > text && count == 0) return false;
    snprintf(name, sizeof name, "%.*s", (int)MIN2(without_anchor(p), sizeof name - 1), p);
    if (step_parse_edge(name, p > text ? count : 1, step)) return true;
    for (int i = 0; i < UNIT_NAMES; i++)
        if (!strcasecmp(name, unit_names[i].name)) {
            *step = (time_step){ unit_names[i].unit, p > text ? count : 1, 0 };
            return true;
        }
    return false;
}

void step_print(char buffer[24], time_step step) {
    const char *name = "none";
    for (int i = UNIT_NAMES - 1; i >= 0; i--)
        if (unit_names[i].unit == step.unit) name = unit_names[i].name;
    if (step.unit == UNIT_NONE || step.count == 1)
        snprintf(buffer, 24, "%s", name);
    else
        snprintf(buffer, 24, "%d%s", (int)step.count, name);
}

/* Seconds of one of the unit, 0 where it varies. */
static int64_t unit_seconds(time_unit unit) {
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

/* Of 20,000 years at most, which lead beyond those that can be written: a year is 32 bits. */
static int64_t advance_months(int64_t days, int64_t months, int32_t kept_day) {
    enum { MOST_MONTHS = 20000 * 12 };
    calendar_date d = calendar_date_of(days);
    months = months > MOST_MONTHS ? MOST_MONTHS : months < -MOST_MONTHS ? -MOST_MONTHS : months;
    int32_t wanted = kept_day ? kept_day : d.day == calendar_month_days(d.year, d.month) ? 31 : d.day;
    int64_t month = (int64_t)d.year * 12 + d.month - 1 + months;
    calendar_date to = { (int32_t)floor_div(month, 12), (int32_t)floor_mod(month, 12) + 1, 0 };
    int32_t last = calendar_month_days(to.year, to.month);
    to.day = wanted < last ? wanted : last;
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
    if (unit_seconds(step.unit)) return seconds + units * unit_seconds(step.unit);
    if (step.unit == UNIT_NONE) return seconds;
    int64_t days = floor_div(seconds, DAY_SECONDS), second_of_day = seconds - days * DAY_SECONDS;
    days = step.unit == UNIT_BUSINESS_DAY ? advance_business_days(days, units)
                                          : advance_months(days, units * unit_months(step.unit), step.day);
    return days * DAY_SECONDS + second_of_day;
}

/* Whole months from a to b: same time of day, and same day of the month or one of them cut to its month's end. 0:
 * none. */
static int64_t months_between(int64_t a, int64_t b) {
    if (floor_mod(a, DAY_SECONDS) != floor_mod(b, DAY_SECONDS)) return 0;
    calendar_date from = calendar_date_of(floor_div(a, DAY_SECONDS)), to = calendar_date_of(floor_div(b, DAY_SECONDS));
    bool cut =
        from.day == calendar_month_days(from.year, from.month) || to.day == calendar_month_days(to.year, to.month);
    if (from.day != to.day && !cut) return 0;
    return ((int64_t)to.year - from.year) * 12 + to.month - from.month;
}

static int64_t seconds_between(int64_t a, int64_t b) { return b - a; }

typedef struct common { int64_t value, count; } common;

enum { CANDIDATES = 8 };

/* Misra and Gries: after one pass the counters hold every value that makes up more than 1/9 of all. No memory
 * needed. */
static void find_candidates(const int64_t *time, int64_t rows, int64_t (*between)(int64_t, int64_t), common *c) {
    for (int64_t i = 1; i < rows; i++) {
        int64_t value = between(time[i - 1], time[i]);
        int slot = -1;
        for (int k = CANDIDATES - 1; k >= 0; k--)
            if (c[k].count == 0) slot = k;
        for (int k = 0; k < CANDIDATES; k++)
            if (c[k].count && c[k].value == value) slot = k;
        if (value <= 0) continue;
        if (slot < 0) {
            for (int k = 0; k < CANDIDATES; k++) c[k].count--;
        } else {
            c[slot].value = value;
            c[slot].count++;
        }
    }
}

/* The most frequent positive difference and how often it occurs. Ties go to the smaller one. */
static common most_common(const int64_t *time, int64_t rows, int64_t (*between)(int64_t, int64_t)) {
    common c[CANDIDATES] = { 0 }, best = { 0 };
    find_candidates(time, rows, between, c);
    for (int k = 0; k < CANDIDATES; k++) c[k].count = 0;
    for (int64_t i = 1; i < rows; i++) {
        int64_t value = between(time[i - 1], time[i]);
        for (int k = 0; k < CANDIDATES; k++) c[k].count += value > 0 && c[k].value == value;
    }
    for (int k = 0; k < CANDIDATES; k++)
        if (c[k].count > best.count || (c[k].count && c[k].count == best.count && c[k].value < best.value)) best = c[k];
    return best;
}

/* 31 if every stamp is its month's last day, else the largest day of the month. */
static int32_t kept_day(const int64_t *time, int64_t rows) {
    int32_t largest = 0;
    bool last = true;
    for (int64_t i = 0; i < rows; i++) {
        calendar_date d = calendar_date_of(floor_div(time[i], DAY_SECONDS));
        last = last && d.day == calendar_month_days(d.year, d.month);
        if (d.day > largest) largest = d.day;
    }
    return last ? 31 : largest;
}

static time_step step_of_months(int64_t months, int32_t day) {
    if (months % 12 == 0) return (time_step){ UNIT_YEAR, (int32_t)(months / 12), day };
    if (months == 3) return (time_step){ UNIT_QUARTER, 1, day };
    return (time_step){ UNIT_MONTH, (int32_t)months, day };
}

static time_step step_of_seconds(int64_t seconds) {
    static const time_unit units[] = { UNIT_WEEK, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND };
    int i = 0;
    while (seconds % unit_seconds(units[i])) i++;
    int64_t count = seconds / unit_seconds(units[i]);
    if (count > INT32_MAX) return (time_step){ 0 };
    return (time_step){ units[i], (int32_t)count, 0 };
}

/* Daily stamps that pass over at least one weekend and never lie in one. */
static bool weekdays_only(const int64_t *time, int64_t rows) {
    bool over_weekend = false;
    for (int64_t i = 0; i < rows; i++) {
        int64_t days = floor_div(time[i], DAY_SECONDS);
        if (calendar_weekday(days) > 4) return false;
        over_weekend = over_weekend || (i && time[i] - time[i - 1] > 2 * DAY_SECONDS);
    }
    return over_weekend;
}

time_step step_find(const int64_t *time, int64_t rows) {
    common seconds = most_common(time, rows, seconds_between);
    if (!seconds.count) return (time_step){ 0 };
    if (seconds.value >= 28 * DAY_SECONDS) {
        common months = most_common(time, rows, months_between);
        if (months.count >= seconds.count) return step_of_months(months.value, kept_day(time, rows));
    }
    if (seconds.value == DAY_SECONDS && weekdays_only(time, rows)) return (time_step){ UNIT_BUSINESS_DAY, 1, 0 };
    return step_of_seconds(seconds.value);
}
