/* The rule at the end of a zone's file: POSIX' TZ, with hours from -167 to 167 as RFC 9636 has them. */
#include <ctype.h>
#include <string.h>

#include "calendar.h"
#include "zone.h"

/* When clocks change, by the clock as it is until then. */
typedef struct rule_day {
    char    kind;               /* 'M': the week-th weekday of the month, 5 the last; 'J': day 1 to 365, February 29 not
                                   counted; 'n': day 0 to 365 */
    int64_t month, week, day;   /* Sunday 0 */
    int64_t second;
} rule_day;

typedef struct rule { int64_t standard, summer; rule_day begin, end; } rule;

static bool read_sign(const char **at, char wanted) {
    if (**at != wanted) return false;
    (*at)++;
    return true;
}

static bool read_number(const char **at, int64_t low, int64_t high, int64_t *value) {
    int digits = 0;
    for (*value = 0; isdigit((unsigned char)**at) && digits < 4; (*at)++, digits++) *value = *value * 10 + **at - '0';
    return digits && *value >= low && *value <= high;
}

/* CET, or <+1030>. */
static bool read_name(const char **at) {
    const char *from = *at;
    bool quoted = read_sign(at, '<');
    while (isalpha((unsigned char)**at) || (quoted && **at && strchr("+-0123456789", **at))) (*at)++;
    return quoted ? *at > from + 1 && read_sign(at, '>') : *at - from >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool read_clock(const char **at, int64_t most_hours, int64_t *seconds) {
    int64_t hours, minutes = 0, rest = 0;
    bool minus = read_sign(at, '-');
    if (!minus) read_sign(at, '+');
    if (!read_number(at, 0, most_hours, &hours)) return false;
    if (read_sign(at, ':') && !read_number(at, 0, 59, &minutes)) return false;
    if (read_sign(at, ':') && !read_number(at, 0, 59, &rest)) return false;
    *seconds = (hours * 3600 + minutes * 60 + rest) * (minus ? -1 : 1);
    return true;
}

static bool read_day(const char **at, rule_day *d) {
    *d = (rule_day){ .kind = 'n', .second = 2 * 3600 };
    bool read;
    if (read_sign(at, 'M')) {
        d->kind = 'M';
        read = read_number(at, 1, 12, &d->month) && read_sign(at, '.') && read_number(at, 1, 5, &d->week) &&
               read_sign(at, '.') && read_number(at, 0, 6, &d->day);
    } else if (read_sign(at, 'J')) {
        d->kind = 'J';
        read = read_number(at, 1, 365, &d->day);
    } else read = read_number(at, 0, 365, &d->day);
    return read && (!read_sign(at, '/') || read_clock(at, 167, &d->second));
}

/* *changes: is there a summer time? POSIX counts offsets to the west. */
static bool read_rule(const char *text, rule *r, bool *changes) {
    enum { MOST_HOURS = 24 };
    if (!read_name(&text) || !read_clock(&text, MOST_HOURS, &r->standard)) return false;
    r->standard = -r->standard;
    *changes = *text != 0;
    if (!*changes) return true;
    if (!read_name(&text)) return false;
    r->summer = -r->standard - 3600;
    if (*text != ',' && !read_clock(&text, MOST_HOURS, &r->summer)) return false;
    r->summer = -r->summer;
    return read_sign(&text, ',') && read_day(&text, &r->begin) && read_sign(&text, ',') && read_day(&text, &r->end) &&
           !*text;
}

static int64_t days_of(const rule_day *d, int32_t year) {
    calendar_date date = { year, 1, 1 };
    if (d->kind != 'M') {
        bool leap_day = d->kind == 'J' && d->day >= 60 && calendar_month_days(year, 2) == 29;
        return calendar_days(date) + d->day - (d->kind == 'J') + leap_day;
    }
    date.month = (int32_t)d->month;
    int64_t first = calendar_days(date), days = calendar_month_days(year, date.month);
    int64_t sunday_based = (calendar_weekday(first) + 1) % 7;
    int64_t day = (d->day - sunday_based + 7) % 7 + (d->week - 1) * 7;
    return first + (day < days ? day : day - 7);
}

static void add_after(zone *z, int64_t last, int64_t at, int64_t offset) {
    if (at > last && at >= z->changes[z->count - 1].at) zone_add(z, at, offset);
}

static void add_year(zone *z, const rule *r, int64_t last, int32_t year) {
    int64_t begin = days_of(&r->begin, year) * DAY_SECONDS + r->begin.second - r->standard,
            end = days_of(&r->end, year) * DAY_SECONDS + r->end.second - r->summer;
    if (begin <= end) add_after(z, last, begin, r->summer), add_after(z, last, end, r->standard);
    else add_after(z, last, end, r->standard), add_after(z, last, begin, r->summer);
}

/* 400 years from the one after the last change on, and those on either side, whose changes may lie in them. */
bool zone_add_rule(zone *z, const char *text) {
    rule r;
    bool changes;
    if (!*text) return true;
    if (!read_rule(text, &r, &changes)) return false;
    if (!changes) return true;
    int64_t last = z->changes[z->count - 1].at;
    int32_t year = z->count > 1 ? calendar_date_of(floor_div(last, DAY_SECONDS)).year : 1970;
    for (int32_t i = 0; i < ZONE_RULE_CHANGES / 2; i++) add_year(z, &r, last, year + i);
    z->repeats = true;
    z->cycle   = calendar_days((calendar_date){ year + 1, 1, 1 }) * DAY_SECONDS;
    return true;
}
