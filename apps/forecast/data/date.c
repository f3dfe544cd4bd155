/* Dates and labels: reading them, and writing them as they were read. */
#include "date.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"

/* The parts of a date in their order: y m d are numbers, b a month's name, M q h w numbers of months, quarters, halves
 * and ISO weeks behind their letter, k the day of such a week. Months and days that it stands for. */
static const struct { const char *parts; int32_t months, days; } shapes[DATE_SHAPES] = {
    [DATE_YMD] = { "ymd", 0, 1 },        [DATE_DMY] = { "dmy", 0, 1 },        [DATE_MDY] = { "mdy", 0, 1 },
    [DATE_COMPACT] = { "ymd", 0, 1 },    [DATE_YM] = { "ym", 1, 28 },         [DATE_Y] = { "y", 12, 365 },
    [DATE_QUARTER] = { "yq", 3, 90 },    [DATE_QUARTER_Y] = { "qy", 3, 90 },  [DATE_HALF] = { "yh", 6, 181 },
    [DATE_HALF_Y] = { "hy", 6, 181 },    [DATE_WEEK] = { "yw", 0, 7 },        [DATE_WEEK_DAY] = { "ywk", 0, 1 },
    [DATE_YM_LETTER] = { "yM", 1, 28 },  [DATE_NAME_Y] = { "by", 1, 28 },     [DATE_Y_NAME] = { "yb", 1, 28 },
    [DATE_D_NAME_Y] = { "dby", 0, 1 },   [DATE_NAME_D_Y] = { "bdy", 0, 1 },   [DATE_Y_NAME_D] = { "ybd", 0, 1 },
};

int32_t date_shape_days(date_shape shape) { return shapes[shape].days; }

bool date_shape_shows(date_shape shape, time_step step) {
    if (shapes[shape].days == 1 || step.unit == UNIT_NONE) return true;
    return shapes[shape].months ? step_months(step) && step_months(step) % shapes[shape].months == 0
                                : step.unit == UNIT_WEEK;
}

static const char *const month_names[] = { "January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December" };
enum { SHORT_NAME = 3, SEPTEMBER = 8 };

/* ---- reading ---- */

int read_digits(const char **at, int most, int32_t *value) {
    int count = 0;
    *value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (++count > most) return 0;
        *value = *value * 10 + (**at - '0');
    }
    return count;
}

/* A date's parts; those of a label lead to them. */
typedef struct parts { int32_t year, month, day, week, weekday; } parts;

static bool read_compact(const char **at, parts *p) {
    int32_t digits;
    if (read_digits(at, 8, &digits) != 8) return false;
    p->year = digits / 10000, p->month = digits / 100 % 100, p->day = digits % 100;
    return true;
}

/* Two digits beside a month's name alone, and where they cannot be its day: Jan-23, 01-Jan-23, but not Jan 23. */
static bool read_year(const char **at, date_shape shape, int32_t *year, time_format *f) {
    int  digits = read_digits(at, 4, year);
    bool may_be_short = shape == DATE_D_NAME_Y || (shape == DATE_NAME_Y && f->separator != ' ');
    if (digits == 4) return true;
    f->short_year = true;
    *year += *year < FIRST_SHORT_YEAR % 100 ? 2000 : 1900;
    return digits == 2 && may_be_short;
}

static bool read_name(const char **at, int32_t *month, time_format *f) {
    const char *p = *at;
    size_t      length = 0;
    while (isalpha((unsigned char)p[length])) length++;
    for (int32_t m = 0; m < 12; m++) {
        bool full = length > SHORT_NAME && length == strlen(month_names[m]), sept = length == 4 && m == SEPTEMBER;
        if ((!full && !sept && length != SHORT_NAME) || strncasecmp(p, month_names[m], length) != 0) continue;
        f->month_name = full ? 'B' : sept ? 's' : 'b';
        f->letters    = islower((unsigned char)*p) ? 'l' : isupper((unsigned char)p[1]) ? 'u' : 0;
        *month = m + 1;
        *at += length;
        return true;
    }
    return false;
}

/* Q3: the number behind its letter, and of how many months it is one; 0: of weeks. */
static bool read_lettered(const char **at, char part, parts *p, time_format *f) {
    static const struct { char part, letter; int32_t most, months; } of[] = {
        { 'q', 'Q', 4, 3 }, { 'h', 'H', 2, 6 }, { 'M', 'M', 12, 1 }, { 'w', 'W', 53, 0 }
    };
    int     k = 0;
    int32_t number;
    while (of[k].part != part) k++;
    if (toupper((unsigned char)**at) != of[k].letter) return false;
    f->letters = islower((unsigned char)*(*at)++) ? 'l' : 0;
    int digits = read_digits(at, of[k].most > 9 ? 2 : 1, &number);
    if (of[k].most > 9) f->padded = f->padded && digits == 2;
    if (of[k].months) p->month = (number - 1) * of[k].months + 1;
    else p->week = number;
    return digits && number >= 1 && number <= of[k].most;
}

static bool read_number(const char **at, char part, parts *p, time_format *f) {
    int digits = read_digits(at, part == 'k' ? 1 : 2, part == 'm' ? &p->month : part == 'd' ? &p->day : &p->weekday);
    if (part != 'k') f->padded = f->padded && digits == 2;
    return digits > 0;
}

/* The same between all parts. Beside letters there need be none; Jan 1, 2023 has a comma more. */
static bool read_separator(const char **at, date_shape shape, bool first, bool before_year, time_format *f) {
    bool letters = shape >= DATE_LABELS;
    if (shape == DATE_NAME_D_Y && before_year && **at == ',') f->comma = true, (*at)++;
    bool is_one = **at && strchr(letters ? "-/._: " : "-/.", **at);
    if (first && is_one) f->separator = **at;
    if (!f->separator) return letters;
    return is_one && *(*at)++ == f->separator;
}

static bool read_parts(const char **at, date_shape shape, parts *p, time_format *f) {
    const char *all = shapes[shape].parts;
    for (const char *part = all; *part; part++) {
        if (part > all && !read_separator(at, shape, part == all + 1, *part == 'y', f)) return false;
        bool read = *part == 'y'              ? read_year(at, shape, &p->year, f)
                    : *part == 'b'            ? read_name(at, &p->month, f)
                    : strchr("qhMw", *part)   ? read_lettered(at, *part, p, f)
                                              : read_number(at, *part, p, f);
        if (!read) return false;
    }
    return true;
}

/* The first day of an ISO week, or that weekday of it; false: its year has no such week. */
static bool date_of_week(const parts *p, calendar_date *date) {
    int64_t fourth = calendar_days((calendar_date){ p->year, 1, 4 }), /* lies in week 1 */
            days = fourth - calendar_weekday(fourth) + 7 * (p->week - 1) + p->weekday - 1;
    *date = calendar_date_of(days);
    return calendar_iso_week(days) == p->week && p->weekday >= 1 && p->weekday <= 7;
}

bool date_read(const char **at, date_shape shape, calendar_date *date, time_format *f) {
    parts p = { .month = 1, .day = 1, .weekday = 1 };
    f->shape  = (char)shape;
    f->padded = true;
    if (!(shape == DATE_COMPACT ? read_compact(at, &p) : read_parts(at, shape, &p, f))) return false;
    *date = (calendar_date){ p.year, p.month, p.day };
    if (p.week) return date_of_week(&p, date);
    return p.month >= 1 && p.month <= 12 && p.day >= 1 && p.day <= calendar_month_days(p.year, p.month);
}

/* ---- writing ---- */

void line_put(line *l, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int used = vsnprintf(l->at, l->left, format, args);
    va_end(args);
    size_t step = used < 0 ? 0 : (size_t)used < l->left ? (size_t)used : l->left - 1;
    l->at += step;
    l->left -= step;
}

static void put_name(line *l, int32_t month, const time_format *f) {
    const char *name = month_names[month - 1];
    int         most = SHORT_NAME + (f->month_name == 's' && month == SEPTEMBER + 1);
    for (int i = 0; name[i] && (f->month_name == 'B' || i < most); i++)
        line_put(l, "%c", f->letters == 'u' ? toupper(name[i]) : f->letters == 'l' ? tolower(name[i]) : name[i]);
}

static void put_letter(line *l, char letter, const time_format *f) {
    line_put(l, "%c", f->letters == 'l' ? tolower(letter) : letter);
}

static void put_part(line *l, char part, calendar_date d, const time_format *f) {
    int64_t days = calendar_days(d);
    bool    wide = f->padded || f->shape == DATE_COMPACT, week = f->shape == DATE_WEEK || f->shape == DATE_WEEK_DAY;
    int32_t year = week ? calendar_iso_year(days) : d.year;
    switch (part) {
    case 'y':
        if (f->short_year && year >= FIRST_SHORT_YEAR && year <= LAST_SHORT_YEAR) line_put(l, "%02d", year % 100);
        else line_put(l, "%04d", year);
        break;
    case 'b': put_name(l, d.month, f); break;
    case 'q': put_letter(l, 'Q', f), line_put(l, "%d", (d.month - 1) / 3 + 1); break;
    case 'h': put_letter(l, 'H', f), line_put(l, "%d", (d.month - 1) / 6 + 1); break;
    case 'M': put_letter(l, 'M', f), line_put(l, wide ? "%02d" : "%d", d.month); break;
    case 'w': put_letter(l, 'W', f), line_put(l, wide ? "%02d" : "%d", calendar_iso_week(days)); break;
    case 'k': line_put(l, "%d", calendar_weekday(days) + 1); break;
    default: line_put(l, wide ? "%02d" : "%d", part == 'm' ? d.month : d.day);
    }
}

void date_print(char buffer[DATE_TEXT], calendar_date d, const time_format *f) {
    line       l     = { buffer, DATE_TEXT };
    date_shape shape = f->shape >= 0 && f->shape < DATE_SHAPES ? (date_shape)f->shape : DATE_YMD;
    buffer[0] = 0;
    for (const char *part = shapes[shape].parts; *part; part++) {
        bool first = part == shapes[shape].parts;
        if (!first && shape == DATE_NAME_D_Y && *part == 'y' && f->comma) line_put(&l, ",");
        if (!first && shape != DATE_COMPACT && f->separator) line_put(&l, "%c", f->separator);
        put_part(&l, *part, d, f);
    }
}
