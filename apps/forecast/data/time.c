/* Time stamps as text. Wall-clock labels: an offset is kept as text and shifts nothing here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "date.h"

static bool read_char(const char **at, char wanted) {
    if (**at != wanted) return false;
    (*at)++;
    return true;
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

/* AM and PM behind a clock of twelve hours. */
static bool read_half(const char **at, int32_t *hour, time_format *f) {
    const char *p = *at;
    while (*p == ' ') p++;
    if (!*p || !strchr("AaPp", *p) || !p[1] || !strchr("Mm", p[1])) return true;
    bool later = *p == 'P' || *p == 'p';
    f->half    = *p == 'A' || *p == 'P' ? 'A' : 'a';
    if (*hour < 1 || *hour > 12) return false;
    *hour = *hour % 12 + (later ? 12 : 0);
    *at   = p + 2;
    return true;
}

static bool read_clock(const char **at, int32_t *second_of_day, time_format *f) {
    int32_t hour, minute, second = 0;
    int digits = read_digits(at, 2, &hour);
    f->hour_padded = digits == 2;
    if (!digits || (**at != ':' && **at != '.')) return false;
    f->colon = *(*at)++;
    if (read_digits(at, 2, &minute) != 2) return false;
    f->seconds = read_char(at, f->colon);
    if (f->seconds && (read_digits(at, 2, &second) != 2 || !read_fraction(at, f))) return false;
    if (f->colon == '.' && !f->seconds) return false; /* 7.30 is a number */
    if (!read_half(at, &hour, f)) return false;
    *second_of_day = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60 && read_offset(at, f);
}

static bool ends_here(const char *p) {
    while (*p == ' ' || *p == '\t') p++;
    return !*p;
}

static bool parse_calendar(const char *p, date_shape shape, int64_t *seconds, time_format *f) {
    calendar_date date;
    int32_t second_of_day = 0;
    f->kind = 'd';
    if (!date_read(&p, shape, &date, f)) return false;
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
    return time_writable(*seconds);
}

bool time_parse(const char *text, int64_t *seconds, time_format *format) {
    while (*text == ' ' || *text == '\t') text++;
    time_format epoch = { .padded = true, .hour_padded = true }, calendar = { 0 };
    bool is_epoch = parse_epoch(text, seconds, &epoch);
    if (!is_epoch && (!parse_calendar(text, DATE_YMD, seconds, &calendar) || calendar.separator == '.')) return false;
    if (format) *format = is_epoch ? epoch : calendar;
    return true;
}

bool time_parse_as(const char *text, date_shape shape, int64_t *seconds, time_format *format) {
    time_format calendar = { 0 };
    while (*text == ' ' || *text == '\t') text++;
    bool usual = shape == DATE_YMD && time_parse_usual(text, seconds, &calendar);
    if (!usual && !parse_calendar(text, shape, seconds, &calendar)) return false;
    if (format) *format = calendar;
    return true;
}

bool clock_parse(const char *text) {
    int32_t     second_of_day;
    time_format f = { 0 };
    while (*text == ' ' || *text == '\t') text++;
    return read_clock(&text, &second_of_day, &f) && ends_here(text);
}

int32_t time_offset(const time_format *f) {
    int32_t hours = 0, minutes = 0;
    const char *at = f->offset + 1;
    if (*f->offset != '+' && *f->offset != '-') return 0;
    read_digits(&at, 4, &hours);
    if (at - f->offset == 5) minutes = hours % 100, hours /= 100;
    if (*at == ':') at++, read_digits(&at, 2, &minutes);
    return (hours * 3600 + minutes * 60) * (*f->offset == '-' ? -1 : 1);
}

/* Years 0 to 9999. */
bool time_writable(int64_t seconds) {
    static const int64_t first = -62167219200, last = 253402300799;
    return seconds >= first && seconds <= last;
}

static void put_clock(line *l, int64_t second_of_day, const time_format *f) {
    int hour = (int)(second_of_day / 3600), minute = (int)(second_of_day / 60 % 60), second = (int)(second_of_day % 60);
    char colon = f->colon ? f->colon : ':';
    line_put(l, f->hour_padded ? "%02d%c%02d" : "%d%c%02d", f->half ? (hour + 11) % 12 + 1 : hour, colon, minute);
    if (f->seconds) line_put(l, "%c%02d", colon, second);
    if (f->fraction > 0) line_put(l, ".%0*d", f->fraction, 0);
    if (f->half) line_put(l, " %s", f->half == 'A' ? (hour < 12 ? "AM" : "PM") : hour < 12 ? "am" : "pm");
    line_put(l, "%.*s", (int)sizeof f->offset, f->offset);
}

void time_print_part(char buffer[40], int64_t seconds, const time_format *f, time_part part) {
    line    l    = { buffer, 40 };
    bool    plain = f->kind != 'd' || !time_writable(seconds); /* beyond any year, the seconds are all there is to
                                                                  print */
    int64_t days = plain ? 0 : floor_div(seconds, DAY_SECONDS),
            second_of_day = plain ? 0 : seconds - days * DAY_SECONDS;
    calendar_date d = calendar_date_of(days);
    const int numbers[] = { [PART_YEAR] = d.year, [PART_MONTH] = d.month, [PART_DAY] = d.day,
                            [PART_HOUR] = (int)(second_of_day / 3600),
                            [PART_MINUTE] = (int)(second_of_day / 60 % 60), [PART_SECOND] = (int)(second_of_day % 60) };
    buffer[0] = 0;
    if (part >= PART_YEAR)
        line_put(&l, (part == PART_HOUR ? f->hour_padded : f->padded) ? "%02d" : "%d", numbers[part]);
    else if (plain) line_put(&l, "%" PRId64 "%s", seconds, f->kind == 'm' ? "000" : "");
    else if (part == PART_CLOCK) put_clock(&l, second_of_day, f);
    else {
        char date[DATE_TEXT];
        date_print(date, d, f);
        line_put(&l, "%s", date);
        if (part == PART_STAMP && f->middle) line_put(&l, "%c", f->middle), put_clock(&l, second_of_day, f);
    }
}

void time_print(char buffer[40], int64_t seconds, const time_format *f) {
    time_print_part(buffer, seconds, f, PART_STAMP);
}
