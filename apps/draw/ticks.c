/* Dates under a time axis: at most LABELS or so of them, on round times, so that no two overlap. */
#include "ticks.h"

#include <string.h>
#include <time.h>

#include "base/base.h"

enum { LABELS = 6, DAY = 86400 };
_Static_assert(TICKS_MOST == 2 * LABELS, "a spacing is at most halved");

/* The first second of year 0 and the last of year 9999: what has a date of the usual length. */
static const double FIRST = -62167219200.0, LAST = 253402300799.0;

typedef struct spacing { int64_t seconds, months; } spacing;  /* one of them */

static const spacing spacings[] = {
    { 1, 0 },        { 2, 0 },        { 5, 0 },        { 10, 0 },        { 15, 0 },   { 30, 0 },  { 60, 0 },
    { 120, 0 },
    { 300, 0 },      { 600, 0 },      { 900, 0 },      { 1800, 0 },      { 3600, 0 }, { 7200, 0 }, { 10800, 0 },
    { 21600, 0 },
    { 43200, 0 },    { DAY, 0 },      { 2 * DAY, 0 },  { 7 * DAY, 0 },   { 14 * DAY, 0 }, { 0, 1 }, { 0, 2 },
    { 0, 3 },
    { 0, 6 },        { 0, 12 },       { 0, 24 },       { 0, 60 },        { 0, 120 },  { 0, 240 }, { 0, 600 },
    { 0, 1200 },
    { 0, 2400 },     { 0, 6000 },     { 0, 12000 },    { 0, 24000 },
};
enum { SPACINGS = sizeof spacings / sizeof *spacings };

static int64_t approximate_seconds(spacing s) { return s.months ? s.months * 2629746 : s.seconds; }

static spacing choose(double span) {
    int i = 0;
    while (i + 1 < SPACINGS && span / (double)approximate_seconds(spacings[i]) > LABELS) i++;
    return spacings[i];
}

/* Months since 0000-01 of the first of the month at or after `seconds`, on a multiple of `step`. */
static int64_t first_month(int64_t seconds, int64_t step) {
    time_t    at = (time_t)(seconds - 1);
    struct tm t;
    gmtime_r(&at, &t);
    return round_up((int64_t)(t.tm_year + 1900) * 12 + t.tm_mon + 1, step);
}

static int64_t month_seconds(int64_t month) {
    struct tm t = { .tm_year = (int)(month / 12) - 1900, .tm_mon = (int)(month % 12), .tm_mday = 1 };
    return (int64_t)timegm(&t);
}

/* Weeks begin on Monday: day 4 of 1970 was one. */
static int64_t first_tick(int64_t seconds, int64_t step) {
    int64_t shift = step % (7 * DAY) == 0 ? 4 * DAY : 0, from = seconds - shift;
    return shift + (from > 0 ? round_up(from, step) : -(-from / step * step));
}

static const char *format_of(spacing s) {
    return s.months >= 12     ? "%Y"
           : s.months         ? "%Y-%m"
           : s.seconds >= DAY ? "%Y-%m-%d"
           : s.seconds >= 60  ? "%Y-%m-%d\n%H:%M"
                              : "%Y-%m-%d\n%H:%M:%S";
}

int ticks_lines(double low, double high) {
    spacing s = choose(high - low);
    return low >= FIRST && high <= LAST && !s.months && s.seconds < DAY ? 2 : 1;
}

static void set_tick(date_tick *t, int64_t seconds, const char *format) {
    time_t    at = (time_t)seconds;
    struct tm parts;
    gmtime_r(&at, &parts);
    t->at = (double)seconds;
    strftime(t->label, sizeof t->label, format, &parts);
}

int ticks_dates(double low, double high, date_tick out[TICKS_MOST]) {
    if (!(low >= FIRST && high <= LAST)) return 0;
    spacing s     = choose(high - low);
    int64_t month = s.months ? first_month((int64_t)low, s.months) : 0;
    int64_t at    = s.months ? month_seconds(month) : first_tick((int64_t)low, s.seconds);
    int     count = 0;
    for (; count < TICKS_MOST && (double)at <= high; count++) {
        set_tick(&out[count], at, format_of(s));
        at = s.months ? month_seconds(month += s.months) : at + s.seconds;
    }
    return count;
}

void ticks_put(FILE *out, double low, double high) {
    if (!(low >= FIRST && high <= LAST)) return; /* no dates: gnuplot's own numbers */
    date_tick tick[TICKS_MOST];
    int       count = ticks_dates(low, high, tick);
    fputs("set xtics (", out);
    for (int i = 0; i < count; i++) {
        int date = (int)strcspn(tick[i].label, "\n");
        fprintf(out, "%s\"%.*s%s%s\" %lld", i ? ", " : "", date, tick[i].label, tick[i].label[date] ? "\\n" : "",
                tick[i].label + date + (tick[i].label[date] != 0), (long long)tick[i].at);
    }
    fputs(")\n", out);
}
