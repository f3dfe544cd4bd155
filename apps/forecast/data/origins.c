/* The words of `origins`, and the rows that they pick. */
#include "origins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/base.h"
#include "date.h"
#include "frame_reading.h"
#include "zone.h"

static const char *const day_names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

/* ---- words ---- */

/* Three letters of a name or more. */
static bool read_day(const char **at, int *day) {
    size_t length = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    for (*day = 0; length >= 3 && *day < 7; (*day)++)
        if (length <= strlen(day_names[*day]) && !strncasecmp(*at, day_names[*day], length)) return *at += length, true;
    return false;
}

/* "Mon", "Fri-Mon"; none where the text begins with a clock. */
static bool read_days(const char **at, int32_t *days) {
    int first, last;
    *days = 0x7F;
    if (**at >= '0' && **at <= '9') return true;
    if (!read_day(at, &first)) return false;
    last = first;
    if (**at == '-' && (++*at, !read_day(at, &last))) return false;
    *days = 1 << first;
    for (int day = first; day != last; *days |= 1 << day) day = (day + 1) % 7;
    while (**at == ' ') (*at)++;
    return true;
}

static bool read_part(const char **at, int32_t most, int32_t *value) {
    return read_digits(at, 2, value) && *value < most;
}

static bool read_second(const char **at, int32_t *second) {
    int32_t hour, minute, rest = 0;
    if (!read_part(at, 24, &hour) || *(*at)++ != ':' || !read_part(at, 60, &minute)) return false;
    if (**at == ':' && (++*at, !read_part(at, 60, &rest))) return false;
    *second = hour * 3600 + minute * 60 + rest;
    return true;
}

static bool rule_parse(const char *text, origin_rule *out) {
    const char *at = text;
    *out = (origin_rule){ .second = -1 };
    return read_days(&at, &out->days) && (!*at || read_second(&at, &out->second)) && !*at;
}

static tide_status refuse(tide_failure *failure, const char *item) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "origins",
                   "`origins` holds '%.60s': it takes clocks, weekdays or both, such as 10:00, Mon, Mon-Fri 10:00, "
                   "with commas between them, or all", item);
}

tide_status origins_parse(const char *text, origin_rules *out, tide_failure *failure) {
    size_t length;
    *out = (origin_rules){ 0 };
    if (!strcasecmp(text, "all")) return TIDE_OK;
    for (const char *item; (item = list_next(&text, &length));) {
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)MIN2(length, sizeof word - 1), item);
        if (out->count == MOST_ORIGIN_RULES)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "origins", "`origins` holds more than %d clocks",
                           MOST_ORIGIN_RULES);
        if (!rule_parse(word, &out->of[out->count++])) return refuse(failure, word);
    }
    return TIDE_OK;
}

bool origin_rule_holds(origin_rule rule, int64_t seconds) {
    int64_t day = floor_div(seconds, DAY_SECONDS);
    return (rule.second < 0 || seconds - day * DAY_SECONDS == rule.second) && (rule.days >> calendar_weekday(day) & 1);
}

/* ---- rows ---- */

/* What the local clock shows. */
static int64_t label_of(const frame *f, int64_t row) { return zone_label(f->zone, f->time[row]); }

bool origin_at(const frame *f, const origin_rules *rules, int64_t row) {
    for (int i = 0; i < rules->count; i++)
        if (origin_rule_holds(rules->of[i], label_of(f, row))) return true;
    return !rules->count;
}

/* "Mon 00:00, Mon 06:00, ...": the weekdays and clocks that the rows have, the first of them. */
static void tell_clocks(const frame *f, int64_t first, int64_t last, char *buffer, size_t bytes) {
    enum { MOST = 6 };
    line        l = { buffer, bytes };
    origin_rule told[MOST];
    int         count = 0;
    for (int64_t row = first; row <= last; row++) {
        int64_t label = label_of(f, row), day = floor_div(label, DAY_SECONDS), second = label - day * DAY_SECONDS;
        bool    new   = true;
        for (int i = 0; i < count; i++) new = new && !origin_rule_holds(told[i], label);
        if (!new) continue;
        if (count == MOST) {
            line_put(&l, ", ...");
            return;
        }
        int weekday   = calendar_weekday(day);
        told[count++] = (origin_rule){ (int32_t)second, 1 << weekday };
        line_put(&l, "%s%.3s %02d:%02d", count > 1 ? ", " : "", day_names[weekday], (int)(second / 3600),
                 (int)(second / 60 % 60));
    }
}

/* A rule that finds nothing would be in vain without a word. */
tide_status origins_check(const frame *f, const origin_rules *rules, int64_t first, int64_t last,
                          tide_failure *failure) {
    if (rules->count && !f->time)
        return fail_at(failure, TIDE_EDATA, f->path, 0, "origins",
                       "`origins` goes by time stamps, and no column holds any: leave it out; `step` N "
                       "takes every Nth row of a backtest");
    for (int i = 0; i < rules->count; i++) {
        int64_t row = first;
        char    clocks[160];
        while (row <= last && !origin_rule_holds(rules->of[i], label_of(f, row))) row++;
        if (row <= last) continue;
        tell_clocks(f, first, last, clocks, sizeof clocks);
        return fail_at(failure, TIDE_EINVAL, f->path, 0, "origins",
                       "`origins`: no row that can be forecast from fits number %d of the list; they are %s", i + 1,
                       clocks);
    }
    return TIDE_OK;
}

static tide_status keep_last(const frame *f, int64_t windows, int64_t *rows, int64_t *count, tide_failure *failure) {
    if (windows > *count)
        return fail_at(failure, TIDE_EINVAL, f->path, 0, "windows",
                       "there are %" PRId64 " rows to forecast from, fewer than `windows` %" PRId64
                       ": fewer, a smaller `step`, or a larger `test` give so many", *count, windows);
    if (!windows) return TIDE_OK;
    memmove(rows, rows + *count - windows, (size_t)windows * sizeof *rows);
    *count = windows;
    return TIDE_OK;
}

tide_status origins_choose(const frame *f, const origin_choice *c, int64_t **out, int64_t *count,
                           tide_failure *failure) {
    origin_rules rules;
    int64_t      found = 0;
    *count = 0;
    tide_status status = origins_parse(c->text, &rules, failure);
    if (status == TIDE_OK) status = origins_check(f, &rules, c->first, c->last, failure);
    if (status != TIDE_OK) return status;
    *out = malloc((size_t)(c->last - c->first + 1) * sizeof **out + 1);
    if (!*out) return fail(failure, TIDE_ENOMEM, "out of memory for the origins");
    for (int64_t row = c->first; row <= c->last; row++)
        if (origin_at(f, &rules, row) && found++ % c->step == 0) (*out)[(*count)++] = row;
    return keep_last(f, c->windows, *out, count, failure);
}
