/* Time stamps as text. Wall-clock labels: an offset is kept as text and shifts nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "frame.h"

/* Reads 1 to `most` digits; returns how many, 0 if there are none or more than that. */
static int read_digits(const char **at, int most, int32_t *value) {
    int count = 0;
    *value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (++count > most) return 0;
        *value = *value * 10 + (**at - '0');
    }
    return count;
}

static bool read_char(const char **at, char wanted) {
    if (**at != wanted) return false;
    (*at)++;
    return true;
}

static bool read_date(const char **at, calendar_date *date, time_format *f) {
    if (read_digits(at, 4, &date->year) != 4) return false;
    f->separator = **at;
    if (f->separator != '-' && f->separator != '/') return false;
    (*at)++;
    int month = read_digits(at, 2, &date->month);
    if (!month || !read_char(at, f->separator)) return false;
    int day = read_digits(at, 2, &date->day);
    f->padded = month == 2 && day == 2;
    return day && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= calendar_month_days(date->year, date->month);
}

/* "", Z, +hh, +hhmm or +hh:mm up to the end of the text. */
static bool read_offset(const char **at, time_format *f) {
    const char *start = *at;
    if (*start == 'Z') {
        (*at)++;
    } else if (*start == '+' || *start == '-') {
        (*at)++;
        const char *digits = *at;
        while ((**at >= '0' && **at <= '9') || (**at == ':' && *at == digits + 2)) (*at)++;
        ptrdiff_t length = *at - digits;
        if (length != 2 && length != 4 && length != 5) return false;
        if ((length == 5) != (digits[2] == ':')) return false;
    }
    memcpy(f->offset, start, (size_t)(*at - start));
    return true;
}

static bool read_fraction(const char **at, time_format *f) {
    if (!read_char(at, '.')) return true;
    while (f->fraction < 9 && read_char(at, '0')) f->fraction++;
    return f->fraction > 0 && (**at < '0' || **at > '9');
}

static bool read_clock(const char **at, int32_t *second_of_day, time_format *f) {
    int32_t hour, minute, second = 0;
    int digits = read_digits(at, 2, &hour);
    f->hour_padded = digits == 2;
    if (!digits || !read_char(at, ':') || read_digits(at, 2, &minute) != 2) return false;
    f->seconds = read_char(at, ':');
    if (f->seconds && (read_digits(at, 2, &second) != 2 || !read_fraction(at, f))) return false;
    *second_of_day = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60 && read_offset(at, f);
}

static bool ends_here(const char *p) {
    while (*p == ' ' || *p == '\t') p++;
    return !*p;
}

static bool parse_calendar(const char *p, int64_t *seconds, time_format *f) {
    calendar_date date;
    int32_t second_of_day = 0;
    f->kind = 'd';
    if (!read_date(&p, &date, f)) return false;
    f->hour_padded = true;
    bool clock = (*p == 'T' || *p == ' ') && p[1] >= '0' && p[1] <= '9';
    if (clock) {
        f->middle = *p++;
        if (!read_clock(&p, &second_of_day, f)) return false;
    }
    *seconds = calendar_days(date) * DAY_SECONDS + second_of_day;
    return ends_here(p);
}

/* 9 to 11 digits: seconds from 1973 on; 12 to 15: milliseconds from 1973 on. The two do not overlap. */
static bool parse_epoch(const char *p, int64_t *seconds, time_format *f) {
    int64_t value = 0;
    int count = 0;
    for (; *p >= '0' && *p <= '9' && count <= 15; p++, count++) value = value * 10 + (*p - '0');
    if (count < 9 || count > 15 || !ends_here(p)) return false;
    f->kind = count < 12 ? 's' : 'm';
    if (f->kind == 'm' && value % 1000) return false;
    *seconds = f->kind == 'm' ? value / 1000 : value;
    return true;
}

bool time_parse(const char *text, int64_t *seconds, time_format *format) {
    while (*text == ' ' || *text == '\t') text++;
    time_format epoch = { .padded = true, .hour_padded = true }, calendar = { 0 };
    bool is_epoch = parse_epoch(text, seconds, &epoch);
    if (!is_epoch && !parse_calendar(text, seconds, &calendar)) return false;
    if (format) *format = is_epoch ? epoch : calendar;
    return true;
}

static int print_clock(char *buffer, size_t bytes, int64_t second_of_day, const time_format *f) {
    int hour = (int)(second_of_day / 3600), minute = (int)(second_of_day / 60 % 60), second = (int)(second_of_day % 60);
    int used = snprintf(buffer, bytes, f->hour_padded ? "%c%02d:%02d" : "%c%d:%02d", f->middle, hour, minute);
    if (f->seconds) used += snprintf(buffer + used, bytes - (size_t)used, ":%02d", second);
    if (f->fraction) used += snprintf(buffer + used, bytes - (size_t)used, ".%0*d", f->fraction, 0);
    return used + snprintf(buffer + used, bytes - (size_t)used, "%s", f->offset);
}

void time_print(char buffer[40], int64_t seconds, const time_format *f) {
    if (f->kind != 'd') {
        snprintf(buffer, 40, "%" PRId64 "%s", seconds, f->kind == 'm' ? "000" : "");
        return;
    }
    int64_t days = floor_div(seconds, DAY_SECONDS);
    calendar_date d = calendar_date_of(days);
    int used = snprintf(buffer, 40, f->padded ? "%04d%c%02d%c%02d" : "%04d%c%d%c%d", d.year, f->separator, d.month,
                        f->separator, d.day);
    if (f->middle && used < 40) print_clock(buffer + used, 40 - (size_t)used, seconds - days * DAY_SECONDS, f);
}
