/* Rows at certain hours of a week alone: trading hours, shops closed on Sundays, no nights. Moving from one to the
 * next, their words, and finding them in the stamps. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "calendar.h"
#include "date.h"
#include "step_week.h"

enum { WEEK_SECONDS = 7 * DAY_SECONDS, WEEK_MINUTES = WEEK_SECONDS / 60, EPOCH_WEEKDAY = 3 };

static int64_t seconds_of(const time_step *s) { return unit_seconds(s->unit) * s->count; }

static int64_t slots_of(const time_step *s) {
    int64_t slots = 0;
    for (int32_t i = 0; i < s->sessions; i++) slots += s->session[i].slots;
    return slots;
}

/* A stamp as its week, and the second of it from Monday on. The stamps of days keep their own time of day. */
typedef struct place { int64_t week, second, clock; } place;

static place place_of(const time_step *s, int64_t seconds) {
    int64_t monday = seconds + EPOCH_WEEKDAY * DAY_SECONDS;
    place   p = { .week = floor_div(monday, WEEK_SECONDS) };
    p.clock  = s->unit == UNIT_DAY ? floor_mod(monday, DAY_SECONDS) : 0;
    p.second = monday - p.week * WEEK_SECONDS - p.clock;
    return p;
}

/* Slots of the week up to the second, itself included. */
static int64_t slots_until(const time_step *s, int64_t second) {
    int64_t slots = 0, each = seconds_of(s);
    for (int32_t i = 0; i < s->sessions && s->session[i].first <= second; i++)
        slots += MIN2(s->session[i].slots, (second - s->session[i].first) / each + 1);
    return slots;
}

bool week_holds(const time_step *s, int64_t seconds) {
    place p = place_of(s, seconds);
    return slots_until(s, p.second) > slots_until(s, p.second - 1);
}

/* A stamp between two slots counts as the one behind which it lies. */
int64_t week_advance(int64_t seconds, const time_step *s, int64_t steps) {
    place   p     = place_of(s, seconds);
    int64_t slots = slots_of(s), moved = slots_until(s, p.second) - 1 + steps;
    if (!steps) return seconds;
    int64_t rest = floor_mod(moved, slots);
    int32_t i = 0;
    while (rest >= s->session[i].slots) rest -= s->session[i++].slots;
    return (p.week + floor_div(moved, slots)) * WEEK_SECONDS - EPOCH_WEEKDAY * DAY_SECONDS + s->session[i].first +
           rest * seconds_of(s) + p.clock;
}

/* ---- by the day ---- */

static int32_t day_of(week_session session) { return session.first / DAY_SECONDS; }

/* The sessions of a weekday: where they begin, and how many. */
static int32_t sessions_of_day(const time_step *s, int32_t day, int32_t *first) {
    int32_t count = 0;
    *first = 0;
    while (*first < s->sessions && day_of(s->session[*first]) < day) (*first)++;
    while (*first + count < s->sessions && day_of(s->session[*first + count]) == day) count++;
    return count;
}

static bool same_hours(const time_step *s, int32_t a, int32_t b) {
    int32_t of_a, of_b, count = sessions_of_day(s, a, &of_a);
    if (count != sessions_of_day(s, b, &of_b)) return false;
    for (int32_t i = 0; i < count; i++) {
        const week_session *x = &s->session[of_a + i], *y = &s->session[of_b + i];
        if (x->slots != y->slots || y->first - x->first != (b - a) * DAY_SECONDS) return false;
    }
    return true;
}

int64_t week_season(const time_step *s) {
    int32_t day = day_of(s->session[0]), first;
    int64_t slots = 0;
    bool    days = s->unit != UNIT_DAY;
    for (int32_t d = day + 1; d < 7; d++) days = days && (!sessions_of_day(s, d, &first) || same_hours(s, day, d));
    for (int32_t i = 0; i < s->sessions && (!days || day_of(s->session[i]) == day); i++) slots += s->session[i].slots;
    return slots;
}

/* ---- words: "h, Mon-Fri 10:00-16:00", "d, Mon-Sat" ---- */

static const char *const day_names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

static void put_hours(line *l, const time_step *s, int32_t day) {
    int32_t first, count = sessions_of_day(s, day, &first);
    for (int32_t i = first; i < first + count && s->unit != UNIT_DAY; i++) {
        int64_t from = s->session[i].first % DAY_SECONDS / 60,
                to   = from + (s->session[i].slots - 1) * seconds_of(s) / 60;
        line_put(l, " %02d:%02d", (int)(from / 60), (int)(from % 60));
        if (to > from) line_put(l, "-%02d:%02d", (int)(to / 60), (int)(to % 60));
    }
}

void week_print(char *buffer, size_t bytes, const time_step *s) {
    line    l = { buffer, bytes };
    int32_t first;
    for (int32_t day = 0, last; day < 7; day = last + 1) {
        last = day;
        if (!sessions_of_day(s, day, &first)) continue;
        while (last + 1 < 7 && same_hours(s, day, last + 1)) last++;
        line_put(&l, last > day ? ", %s-%s" : ", %s", day_names[day], day_names[last]);
        put_hours(&l, s, day);
    }
}

static bool read_day(const char **at, int32_t *day) {
    for (*day = 0; *day < 7; (*day)++)
        if (!strncasecmp(*at, day_names[*day], 3)) return *at += 3, true;
    return false;
}

static bool read_clock(const char **at, int32_t *second) {
    int32_t hour, minute;
    if (!read_digits(at, 2, &hour) || *(*at)++ != ':' || read_digits(at, 2, &minute) != 2) return false;
    *second = hour * 3600 + minute * 60;
    return hour < 24 && minute < 60;
}

/* In the order of time, and apart. */
static bool add_session(time_step *s, int32_t first, int64_t slots) {
    const week_session *before = s->sessions ? &s->session[s->sessions - 1] : NULL;
    if (s->sessions == MOST_SESSIONS || (before && first < before->first + before->slots * seconds_of(s))) return false;
    s->session[s->sessions++] = (week_session){ first, (int32_t)slots };
    return true;
}

/* The clocks of one group of days, for each of them; days have none. */
static bool read_hours(const char *p, const char **end, int32_t day, time_step *s) {
    int32_t from, to;
    if (s->unit == UNIT_DAY) return *end = p, add_session(s, day * DAY_SECONDS, 1);
    for (int count = 0; *p == ' ' || !count; count++) {
        while (*p == ' ') p++;
        if (!read_clock(&p, &from)) return false;
        to = from;
        if (*p == '-' && (p++, !read_clock(&p, &to))) return false;
        if (to < from || (to - from) % seconds_of(s)) return false;
        if (!add_session(s, day * DAY_SECONDS + from, (to - from) / seconds_of(s) + 1)) return false;
    }
    return *end = p, true;
}

bool week_parse(const char *p, time_step *s) {
    bool fits = s->unit == UNIT_DAY ? s->count == 1 : seconds_of(s) >= 60 && seconds_of(s) < DAY_SECONDS;
    if (!fits || seconds_of(s) % 60 || !*p) return false;
    while (*p == ',') {
        int32_t first, last;
        for (p++; *p == ' ';) p++;
        if (!read_day(&p, &first)) return false;
        last = first;
        if (*p == '-' && (p++, !read_day(&p, &last))) return false;
        const char *hours = p;
        for (int32_t day = first; day <= last; day++)
            if (!read_hours(hours, &p, day, s)) return false;
        if (last < first) return false;
    }
    return !*p;
}

/* ---- finding ---- */

/* How often each minute of the week has a row, and how often it could have had one. */
typedef struct week_rows { int32_t rows[WEEK_MINUTES]; place first, last; int64_t all; } week_rows;

/* In any of its weeks: from the first row to the last. */
static int64_t chances(const week_rows *w, int64_t minute) {
    int64_t first = w->first.second / 60, last = w->last.second / 60;
    return w->last.week - w->first.week + 1 - (minute < first) - (minute > last);
}

static void count_rows(week_rows *w, const time_step *s, const int64_t *time, int64_t rows) {
    memset(w, 0, sizeof *w);
    w->first = place_of(s, time[0]), w->last = place_of(s, time[rows - 1]);
    for (int64_t i = 0; i < rows; i++) {
        place p = place_of(s, time[i]);
        if (i && time[i] <= time[i - 1]) continue;
        w->all++;
        if (p.second % 60 == 0 && p.clock == w->first.clock) w->rows[p.second / 60]++;
    }
}

/* How many slots rows that are left out by chance would close, as many as are missing of the `could` that are open, in
 * a table of `all` slots over `weeks` weeks. */
static double closed_by_chance(int64_t held, int64_t could, double all, double weeks) {
    return all / weeks * pow(1 - (double)held / (double)could, floor(weeks));
}

/* Nearly all rows stand at slots, which are nearly always filled: holidays are few. No chance has closed the others,
 * and they are closed indeed. */
static bool is_clear(const week_rows *w, const time_step *s, int64_t held, int64_t could) {
    double span = (double)((w->last.week - w->first.week) * WEEK_SECONDS + w->last.second - w->first.second),
           all = span / (double)seconds_of(s), weeks = span / WEEK_SECONDS;
    int64_t outside = w->all - held;
    return held * 20 >= could * 17 && outside * 50 <= w->all && (double)outside * 20 <= all - (double)could &&
           closed_by_chance(held, could, all, weeks) < 0.01;
}

/* The minutes that have a row in half of the weeks at least are slots. */
static bool take_slots(const week_rows *w, time_step *s) {
    int64_t held = 0, could = 0, each = seconds_of(s);
    for (int64_t m = 0; m < WEEK_MINUTES; m++) {
        int64_t chance = chances(w, m);
        if (!w->rows[m] || w->rows[m] * 2 < chance) continue;
        held += w->rows[m], could += chance;
        week_session *last = s->sessions ? &s->session[s->sessions - 1] : NULL;
        bool next = last && m * 60 == last->first + last->slots * each && day_of(*last) == m * 60 / DAY_SECONDS;
        if (next) last->slots++;
        else if (!add_session(s, (int32_t)(m * 60), 1)) return false;
    }
    return s->sessions && is_clear(w, s, held, could);
}

/* The closed hours must have passed often enough: in two weeks, and three times between rows. */
static bool closed_often(const time_step *s, const int64_t *time, int64_t rows) {
    int64_t passed = 0;
    for (int64_t i = 1; i < rows; i++)
        passed += time[i] - time[i - 1] > seconds_of(s) && time[i] == week_advance(time[i - 1], s, 1);
    return passed >= 3 && week_advance(time[rows - 1], s, 1) - time[0] >= 2 * WEEK_SECONDS;
}

static bool weekdays_alone(const time_step *s) {
    return s->unit == UNIT_DAY && s->sessions == 5 && day_of(s->session[4]) == 4;
}

time_step week_find(time_step found, const int64_t *time, int64_t rows) {
    week_rows w;
    time_step step = { .unit = found.unit, .count = found.unit == UNIT_DAY ? 1 : found.count }, again;
    char      text[STEP_TEXT];
    int64_t   each = seconds_of(&step), gaps = 0;
    if (found.unit < UNIT_SECOND || found.unit > UNIT_DAY || each % 60 || each > DAY_SECONDS) return found;
    for (int64_t i = 1; i < rows; i++) gaps += time[i] - time[i - 1] > each;
    if (gaps < 3) return found;
    count_rows(&w, &step, time, rows);
    if (!take_slots(&w, &step) || slots_of(&step) * each >= WEEK_SECONDS || !closed_often(&step, time, rows))
        return found;
    step_print(text, step); /* what no text holds, no run could keep */
    if (!step_parse(text, &again) || slots_of(&again) != slots_of(&step)) return found;
    return weekdays_alone(&step) ? (time_step){ .unit = UNIT_BUSINESS_DAY, .count = 1 } : step;
}
