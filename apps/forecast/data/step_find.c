/* The step of a series, found in its time stamps. */
#include "base/base.h"
#include "calendar.h"
#include "step_week.h"

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

/* Of business months: their days differ. */
static int64_t month_labels_between(int64_t a, int64_t b) {
    if (floor_mod(a, DAY_SECONDS) != floor_mod(b, DAY_SECONDS)) return 0;
    calendar_date from = calendar_date_of(floor_div(a, DAY_SECONDS)), to = calendar_date_of(floor_div(b, DAY_SECONDS));
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

/* 1 or 31 if the stamps keep to the first or the last weekday of their months, and less to the day itself; 0: to none.
 * Four of five do: New Year and other holidays move the days of trade. */
static int32_t kept_weekday(const int64_t *time, int64_t rows) {
    int64_t first = 0, last = 0, calendar_first = 0, calendar_last = 0;
    for (int64_t i = 0; i < rows; i++) {
        calendar_date d = calendar_date_of(floor_div(time[i], DAY_SECONDS));
        first += d.day == calendar_first_weekday(d.year, d.month);
        last += d.day == calendar_last_weekday(d.year, d.month);
        calendar_first += d.day == 1;
        calendar_last += d.day == calendar_month_days(d.year, d.month);
    }
    if (last * 5 >= rows * 4 && last > calendar_last) return 31;
    return first * 5 >= rows * 4 && first > calendar_first ? 1 : 0;
}

static time_step step_of_months(int64_t months, int32_t day, bool business) {
    bool years = months % 12 == 0, quarter = months == 3;
    return (time_step){ .unit  = years ? UNIT_YEAR : quarter ? UNIT_QUARTER : UNIT_MONTH,
                        .count = (int32_t)(years ? months / 12 : quarter ? 1 : months),
                        .day = day, .business = business };
}

static time_step step_of_seconds(int64_t seconds) {
    static const time_unit units[] = { UNIT_WEEK, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND };
    int i = 0;
    while (seconds % unit_seconds(units[i])) i++;
    int64_t count = seconds / unit_seconds(units[i]);
    if (count > INT32_MAX) return (time_step){ 0 };
    return (time_step){ .unit = units[i], .count = (int32_t)count };
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
        int32_t weekday = kept_weekday(time, rows);
        common months = most_common(time, rows, weekday ? month_labels_between : months_between);
        if (months.count >= seconds.count)
            return step_of_months(months.value, weekday ? weekday : kept_day(time, rows), weekday > 0);
    }
    if (seconds.value == DAY_SECONDS && weekdays_only(time, rows))
        return (time_step){ .unit = UNIT_BUSINESS_DAY, .count = 1 };
    return week_find(step_of_seconds(seconds.value), time, rows);
}

bool step_keeps(time_step known, const int64_t *time, int64_t rows, time_step found) {
    int64_t apart = 0, misfit;
    for (int64_t i = 1; i < rows; i++) apart += time[i] == time_advance(time[i - 1], known, 1);
    bool same = known.sessions ? step_holds_all(known, time, rows, &misfit) : step_same(known, found);
    return known.unit != UNIT_NONE && same && apart * 2 > rows - 1;
}
