/* What a column of text holds: dates of one shape, clocks, epochs, dates in digits alone. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"

/* Calendar text of one shape in every row. */
bool column_all_dates(const reading *r, int64_t column, date_shape shape, bool *clock) {
    *clock = false;
    for (int64_t i = 0; i < r->table.rows; i++) {
        int64_t     seconds;
        time_format format;
        if (!time_parse_as(reading_text(r, i, column), shape, &seconds, &format)) return false;
        *clock = *clock || format.middle;
    }
    return true;
}

bool column_all_clocks(const reading *r, int64_t column) {
    for (int64_t i = 0; i < r->table.rows; i++)
        if (!clock_parse(reading_text(r, i, column))) return false;
    return true;
}

/* Numbers that are stamps only if nothing speaks against it: epochs never run backwards unless the column's name tells
 * them, few 20160701 do, and years go up by one. */
enum { CERTAIN_ROWS = 10 };  /* so many dates in digits are no chance */

static bool names_epoch(const char *name) {
    static const char *const names[] = { "ts",        "time",           "epoch",   "unix",     "unixtime",
                                         "unix_time", "unix_timestamp", "time_ms", "epoch_ms", "timestamp_ms" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i])) return true;
    return false;
}

/* The row before it, of its own series where these are known; -1: there is none. */
static int64_t row_before(const reading *r, int64_t row) { return r->before ? r->before[row] : row - 1; }

static bool all_epochs(const reading *r, int64_t column) {
    bool    any_order = names_epoch(r->table.header[column]);
    int64_t before = INT64_MIN, moved = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        int64_t     seconds, last = row_before(r, i);
        time_format format;
        if (r->before && last >= 0) time_parse(reading_text(r, last, column), &before, NULL);
        if (!time_parse(reading_text(r, i, column), &seconds, &format) || format.kind == 'd' ||
            (last >= 0 && seconds < before && !any_order))
            return false;
        moved += last >= 0 && seconds != before;
        before = seconds;
    }
    return moved > 0;
}

static bool all_numbered(const reading *r, int64_t column, date_shape shape) {
    calendar_date before = { 0 };
    int64_t       moved = 0, last = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        int64_t     seconds, p = row_before(r, i);
        time_format format;
        if (r->before && p >= 0 && time_parse_as(reading_text(r, p, column), shape, &last, NULL))
            before = calendar_date_of(floor_div(last, DAY_SECONDS));
        if (!time_parse_as(reading_text(r, i, column), shape, &seconds, &format) || format.middle) return false;
        if (p >= 0 && seconds < last && (shape != DATE_COMPACT || r->table.rows < CERTAIN_ROWS)) return false;
        calendar_date d = calendar_date_of(floor_div(seconds, DAY_SECONDS));
        if (d.year < FIRST_YEAR || d.year > LAST_YEAR || (shape == DATE_Y && p >= 0 && d.year != before.year + 1))
            return false;
        moved += p >= 0 && seconds != last;
        before = d, last = seconds;
    }
    return moved > 0;
}

/* 1013.5 is a month of the year 1013 only where the months go on. */
static bool looks_decimal(const reading *r, int64_t column, date_shape shape) {
    return shape == DATE_YM && strchr(reading_text(r, 0, column), '.') && !all_numbered(r, column, DATE_YM);
}

/* Whole numbers, one more each row: 0, 1, 2 ... under a name that dates usually have. From 15000 on a spreadsheet's
 * dates are such numbers. For a run without stamps no numbers are any. */
bool column_counts(const reading *r, int64_t column) {
    enum { FIRST_SERIAL = 15000 };
    bool   any    = r->options->run_time && !*r->options->run_time;
    double before = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        char  *end;
        double v = num_parse(reading_text(r, i, column), &end);
        if (end == reading_text(r, i, column) || *end) return false;
        if (!any && (v != floor(v) || (i && v != before + 1) || fabs(v) >= FIRST_SERIAL)) return false;
        before = v;
    }
    return true;
}

/* The shape of a column of calendar text, DATE_SHAPES if it is none. 1/2/2023 may be read both ways: then *either is
 * set, and the shape is what --date-order says, or the run. */
date_shape column_calendar_shape(const reading *r, int64_t column, bool *clock, bool *either) {
    *either = false;
    for (date_shape s = DATE_YMD; s < DATE_SHAPES; s++) {
        bool alone = s == DATE_YMD || s == DATE_YM || s >= DATE_LABELS; /* to be told from all others by itself */
        if (alone && column_all_dates(r, column, s, clock) && !looks_decimal(r, column, s)) return s;
    }
    bool wanted = r->options->date_order == DATE_DMY || r->options->date_order == DATE_MDY, other_clock;
    bool dmy = column_all_dates(r, column, DATE_DMY, clock),
         mdy = column_all_dates(r, column, DATE_MDY, dmy ? &other_clock : clock);
    if (dmy && mdy && wanted) return r->options->date_order;
    *either = dmy && mdy;
    return dmy ? DATE_DMY : mdy ? DATE_MDY : DATE_SHAPES;
}

/* Columns of numbers are many, and are not searched for labels. */
static bool has_letters(const reading *r, int64_t column) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return strpbrk(reading_text(r, 0, column), letters) ||
           strpbrk(reading_text(r, r->table.rows / 2, column), letters);
}

/* The shape that half of the cells have at least: then a cell is at fault, and not the column. DATE_SHAPES: there is
 * none. */
date_shape column_usual_shape(const reading *r, int64_t column) {
    date_shape best = DATE_SHAPES;
    int64_t    most = (r->table.rows - 1) / 2;
    bool       letters = has_letters(r, column);
    for (date_shape s = DATE_YMD; s < DATE_SHAPES; s++) {
        int64_t count = 0, seconds;
        if (s >= DATE_LABELS ? !letters : s > DATE_MDY) continue;
        for (int64_t i = 0; i < r->table.rows && i - count <= r->table.rows / 2; i++)
            count += time_parse_as(reading_text(r, i, column), s, &seconds, NULL);
        if (count > most) most = count, best = s;
    }
    return best;
}

/* Which time the numbers of a column are; DATE_SHAPES: none. DATE_YMD stands for an epoch. */
date_shape column_number_shape(const reading *r, int64_t column) {
    if (all_epochs(r, column)) return DATE_YMD;
    return all_numbered(r, column, DATE_COMPACT) ? DATE_COMPACT
           : all_numbered(r, column, DATE_Y)     ? DATE_Y
                                                 : DATE_SHAPES;
}

/* YYYYMM, YYYYMMDD.0, or YYYYMMDDHH with or without minutes and seconds, which are no epoch; few of them never fall. */
bool column_is_digit_stamps(const reading *r, int64_t column) {
    int64_t moved = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        int64_t     p = row_before(r, i);
        const char *text = reading_text(r, i, column), *before = p < 0 ? NULL : reading_text(r, p, column);
        size_t      length = strspn(text, "0123456789"), fraction = text[length] == '.';
        int         year, month, day = 1, hour = 0, minute = 0, second = 0;
        fraction += strspn(text + length + fraction, "0");
        if (text[length + fraction] ||
            !(length == 6 || (length == 8 && fraction) || length == 10 || length == 12 || length == 14))
            return false;
        sscanf(text, "%4d%2d%2d%2d%2d%2d", &year, &month, &day, &hour, &minute, &second);
        if (year < 1900 || year > 2100 || month < 1 || month > 12 || hour > 24 || minute > 59 || second > 59)
            return false;
        if (day < 1 || day > calendar_month_days(year, month)) return false;
        if (before &&
            (strspn(before, "0123456789") != length || (strcmp(text, before) < 0 && r->table.rows < CERTAIN_ROWS)))
            return false;
        moved += before && strcmp(text, before) != 0;
    }
    return moved > 1;
}
