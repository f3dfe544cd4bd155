/* Columns that only repeat what the time stamps say, parts of dates and dates written once more, or that would be parts
 * of stamps if the file had any. They are no series. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"
#include "zoned.h"

static double of_year(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).year; }
static double of_short_year(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).year % 100; }
static double of_month(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).month; }
static double of_day(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).day; }
static double of_hour(int64_t s) { return (double)(floor_mod(s, DAY_SECONDS) / 3600); }
static double of_minute(int64_t s) { return (double)(floor_mod(s, 3600) / 60); }
static double of_weekday(int64_t s) { return calendar_weekday(floor_div(s, DAY_SECONDS)); }
static double of_sunday_week(int64_t s) { return (calendar_weekday(floor_div(s, DAY_SECONDS)) + 1) % 7; }
static double of_day_of_year(int64_t s) { return calendar_day_of_year(floor_div(s, DAY_SECONDS)); }
static double of_week(int64_t s) { return calendar_iso_week(floor_div(s, DAY_SECONDS)); }
static double of_quarter(int64_t s) { return floor((of_month(s) - 1) / 3) + 1; }

/* What a column may count from is one more or less than ours, in every row the same. `low` and `high` bound the
 * part. */
static const struct { const char *names[5]; double (*of)(int64_t); double low, high; } parts[] = {
    { { "year", "yr", "yyyy", "jahr" }, of_year, 1700, 2200 },
    { { "year", "yr", "yy", "jahr" }, of_short_year, 0, 99 },
    { { "month", "mo", "monat" }, of_month, 0, 12 },
    { { "day", "dy", "dayofmonth", "day_of_month" }, of_day, 1, 31 },
    { { "hour", "hr", "stunde" }, of_hour, 0, 24 },
    { { "minute" }, of_minute, 0, 59 },
    { { "weekday", "dayofweek", "day_of_week", "dow" }, of_weekday, 0, 7 },
    { { "weekday", "dayofweek", "day_of_week", "dow" }, of_sunday_week, 0, 7 },
    { { "dayofyear", "day_of_year", "doy" }, of_day_of_year, 1, 366 },
    { { "week", "weekofyear", "week_of_year", "week_number" }, of_week, 0, 53 },
    { { "quarter", "qtr" }, of_quarter, 1, 4 },
};
enum { PARTS = sizeof parts / sizeof *parts };

static bool has_name(const reading *r, int64_t column, int part) {
    for (const char *const *name = parts[part].names; *name; name++)
        if (!strcasecmp(r->table.header[column], *name)) return true;
    return false;
}

static bool read_number(const reading *r, int64_t row, int64_t column, double *value) {
    char       *end;
    const char *text = reading_text(r, row, column);
    *value = num_parse(text, &end);
    return end > text && !*end;
}

static bool repeats_part(const reading *r, int64_t column, double (*of)(int64_t)) {
    double shift, v;
    for (int64_t i = 0; i < r->out->file_rows; i++) {
        if (!read_number(r, i, column, &v)) return false;
        double apart = v - of(zone_label(r->out->zone, r->out->time[i]));
        if (i == 0) shift = apart;
        if (apart != shift || fabs(apart) > 1) return false;
    }
    return true;
}

/* 20160701 in a column beside the stamps, or 201607, 2016070113 and the like. */
static bool repeats_digits(const reading *r, int64_t column) {
    time_format form = {
        .kind = 'd', .shape = DATE_COMPACT, .middle = 'T', .padded = true, .hour_padded = true, .seconds = true
    };
    for (int64_t i = 0; i < r->out->file_rows; i++) {
        char        stamp[40], digits[15] = "";
        const char *text = reading_text(r, i, column);
        size_t      length = strspn(text, "0123456789"), used = 0;
        if (length < 6 || length > 14 || length % 2 || (text[length] && strcmp(text + length, ".0") != 0)) return false;
        time_print(stamp, zone_label(r->out->zone, r->out->time[i]), &form);
        for (const char *at = stamp; *at && used < 14; at++)
            if (*at >= '0' && *at <= '9') digits[used++] = *at;
        if (strncmp(text, digits, length) != 0) return false;
    }
    return true;
}

/* Seconds, days or years since some day: as far apart as the stamps, within a hundredth of a row, gaps or no gaps. */
static bool follows_clock(const reading *r, int64_t column, const zone *z) {
    enum { FEWEST_ROWS = 20 };
    int64_t        rows = r->out->file_rows;
    const int64_t *time = r->out->time;
    int64_t        from = rows ? zone_label(z, time[0]) : 0, to = rows ? zone_label(z, time[rows - 1]) : 0;
    double         first, last, v;
    if (rows < FEWEST_ROWS || to == from || !read_number(r, 0, column, &first) ||
        !read_number(r, rows - 1, column, &last))
        return false;
    double slope = (last - first) / (double)(to - from), loose = 0.01 * fabs(last - first) / (double)(rows - 1);
    for (int64_t i = 0; i < rows; i++)
        if (!read_number(r, i, column, &v) || fabs(v - first - slope * (double)(zone_label(z, time[i]) - from)) > loose)
            return false;
    return last != first;
}

/* In a zone: the instants, or what its clocks show. */
static bool follows_stamps(const reading *r, int64_t column) {
    return follows_clock(r, column, NULL) || (r->out->zone && follows_clock(r, column, r->out->zone));
}

/* 2016Q3 in a column beside days, 2016-07, 2016-W26, Jul 2016 and the like; years go by their names. */
static bool repeats_label(const reading *r, int64_t column, date_shape shape) {
    for (int64_t i = 0; i < r->out->file_rows; i++) {
        char        label[40];
        int64_t     seconds;
        time_format form;
        const char *text = reading_text(r, i, column);
        if (!time_parse_as(text, shape, &seconds, &form)) return false;
        time_print(label, zone_label(r->out->zone, r->out->time[i]), &form);
        if (strcmp(label, text) != 0) return false;
    }
    return true;
}

static bool repeats_labels(const reading *r, int64_t column) {
    for (date_shape s = DATE_YM; s < DATE_SHAPES; s++)
        if (s != DATE_Y && date_shape_days(s) > 1 && repeats_label(r, column, s)) return true;
    return false;
}

static bool repeats(const reading *r, int64_t column) {
    for (int i = 0; i < PARTS; i++)
        if (has_name(r, column, i) && repeats_part(r, column, parts[i].of)) return true;
    return repeats_digits(r, column) || follows_stamps(r, column) || repeats_labels(r, column);
}

/* Named as a part of a date, and whole numbers within its bounds: Year and Quarter, a week alone, a fiscal quarter
 * beside stamps. A year may have a fraction where it goes on: 1958.203. */
static bool holds_part(const reading *r, int64_t column, int part) {
    bool   fraction = false, falls = false;
    double before = 0;
    for (int64_t i = 0; i < r->table.rows; i++) {
        double v;
        if (!read_number(r, i, column, &v) || v < parts[part].low || v > parts[part].high) return false;
        fraction = fraction || v != floor(v);
        falls    = falls || (i && v <= before);
        before   = v;
        if (fraction && (part != 0 || falls)) return false;
    }
    return true;
}

static bool is_part(const reading *r, int64_t column) {
    for (int part = 0; part < PARTS; part++)
        if (has_name(r, column, part) && holds_part(r, column, part)) return true;
    return false;
}

tide_status reading_leave_parts(reading *r) {
    const frame_options *o = r->options;
    const char *keeps = r->series ? "value" : "columns"; /* of long format */
    tide_status status = TIDE_OK;
    if (o->run_names) return TIDE_OK; /* which are series is settled */
    for (int64_t c = 0; c < r->table.columns && status == TIDE_OK; c++) {
        const char *name = r->table.header[c];
        bool asked = reading_asked(r, name) || list_has(o->ignore, name);
        if (asked || r->left_out[c] || list_has(o->value, name) || reading_is_time(r, c)) continue;
        bool repeated = r->out->time && repeats(r, c);
        if (!repeated && !is_part(r, c)) continue;
        r->left_out[c] = true;
        if (repeated)
            status = reading_note(r, "'%.60s' only repeats what the time stamps say: left out (`%s` keeps it)\n", name,
                                  keeps);
        else if (r->out->time)
            status = reading_note(r, "'%.60s' is a part of a date: left out (`%s` keeps it)\n", name, keeps);
        else
            status = reading_note(r,
                                  "'%.60s' is a part of a date, of which no time stamps can be made: left out "
                                  "(`columns` keeps it); with a "
                                  "column of dates such as 2016-07-01 the forecast has stamps\n",
                                  name);
    }
    return status;
}
