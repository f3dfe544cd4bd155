/* The steps of a frequency as bins, on the grid that people expect: full hours, Mondays, first days of months. */
#include "frame_grid.h"

#include <string.h>

#include "calendar.h"

static int find_word(const char *word, const char *const *words, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(word, words[i])) return i;
    return -1;
}

static const char *anchor_text(const char *freq) {
    const char *dash = strrchr(freq, '-');
    return dash ? dash + 1 : "";
}

/* W-SUN; Monday without. */
static int anchor_weekday(const char *freq) {
    static const char *const words[] = { "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN" };
    int found = find_word(anchor_text(freq), words, 7);
    return found < 0 ? 0 : found;
}

/* The first month of a quarter or year: QS-FEB names it, Q-NOV and YE-JUN name the last one. */
static int anchor_month(const char *freq) {
    static const char *const words[] = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                         "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };
    int found = find_word(anchor_text(freq), words, 12);
    bool named_first = found >= 0 && strchr(freq, 'S') && strchr(freq, 'S') < strrchr(freq, '-');
    return found < 0 ? 0 : named_first ? found : (found + 1) % 12;
}

/* Months of a bin; 0: it is no matter of months. */
static int64_t bin_months(time_step step) {
    static const int32_t months[UNIT_YEAR + 1] = { [UNIT_MONTH] = 1, [UNIT_QUARTER] = 3, [UNIT_YEAR] = 12 };
    return (int64_t)months[step.unit] * step.count;
}

static int64_t month_of(int64_t seconds) {
    calendar_date d = calendar_date_of(floor_div(seconds, DAY_SECONDS));
    return (int64_t)d.year * 12 + d.month - 1;
}

/* Weekdays since a Monday long ago; a weekend counts as its Friday. */
static int64_t weekday_of(int64_t seconds) {
    int64_t days = floor_div(seconds, DAY_SECONDS), day = calendar_weekday(days);
    return floor_div(days + 3, 7) * 5 + (day < 4 ? day : 4);
}

static int64_t day_of_weekday(int64_t weekday) { return floor_div(weekday, 5) * 7 - 3 + floor_mod(weekday, 5); }

static int64_t midnight(int64_t seconds) { return seconds - floor_mod(seconds, DAY_SECONDS); }

static int64_t week_start(int64_t seconds, int first_day) {
    int64_t days = floor_div(seconds, DAY_SECONDS);
    return (days - floor_mod(calendar_weekday(days) - first_day, 7)) * DAY_SECONDS;
}

/* Bins begin with the year's anchor where they divide it or it divides them. */
static int64_t first_month(int64_t months, int64_t first, int64_t anchor) {
    int64_t unit = months % 12 == 0 ? 12 : 12 % months == 0 ? months : 1;
    return anchor + floor_div(first - anchor, unit) * unit;
}

static bool is_short(const time_grid *g) { return g->step.unit <= UNIT_HOUR; }

time_grid grid_open(const char *freq, const zone *clock, int64_t first) {
    time_grid g = { .clock = clock };
    step_parse(freq, &g.step);
    first = zone_label(clock, first);
    g.step.sessions = 0; /* which hours have rows is for these to show */
    int64_t months = bin_months(g.step);
    if (months) {
        g.step.day = g.step.day == 31 ? 31 : 1;
        g.origin   = first_month(months, month_of(first), anchor_month(freq));
    } else if (g.step.unit == UNIT_BUSINESS_DAY) g.origin = weekday_of(first);
    else g.origin = g.step.unit == UNIT_WEEK ? week_start(first, anchor_weekday(freq)) : midnight(first);
    if (is_short(&g)) g.origin = zone_instant(clock, g.origin);
    return g;
}

/* Of a bin that begins in this month, counted since the year 0. */
static int64_t month_label(const time_grid *g, int64_t month) {
    bool at_end = g->step.day == 31;
    if (at_end) month += bin_months(g->step) - 1;
    calendar_date d = { (int32_t)floor_div(month, 12), (int32_t)floor_mod(month, 12) + 1, 1 };
    if (at_end) d.day = calendar_month_days(d.year, d.month);
    int64_t days = calendar_days(d), weekend = g->step.business ? calendar_weekday(days) - 4 : 0;
    if (weekend > 0) days += at_end ? -weekend : 3 - weekend;
    return days * DAY_SECONDS;
}

static int64_t label_of(const time_grid *g, int64_t seconds) {
    int64_t months = bin_months(g->step), count = g->step.count;
    if (months) return month_label(g, g->origin + floor_div(month_of(seconds) - g->origin, months) * months);
    if (g->step.unit == UNIT_BUSINESS_DAY)
        return day_of_weekday(g->origin + floor_div(weekday_of(seconds) - g->origin, count) * count) * DAY_SECONDS;
    int64_t size = unit_seconds(g->step.unit) * count;
    return g->origin + floor_div(seconds - g->origin, size) * size;
}

int64_t grid_label(const time_grid *g, int64_t seconds) {
    if (is_short(g)) return label_of(g, seconds);
    return zone_instant(g->clock, label_of(g, zone_label(g->clock, seconds)));
}
