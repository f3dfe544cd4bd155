/* Columns that only repeat what the time stamps say: parts of dates and dates written once more. They are no series. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"

static double of_year(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).year; }
static double of_month(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).month; }
static double of_day(int64_t s) { return calendar_date_of(floor_div(s, DAY_SECONDS)).day; }
static double of_hour(int64_t s) { return (double)(floor_mod(s, DAY_SECONDS) / 3600); }
static double of_minute(int64_t s) { return (double)(floor_mod(s, 3600) / 60); }
static double of_weekday(int64_t s) { return calendar_weekday(floor_div(s, DAY_SECONDS)); }
static double of_sunday_week(int64_t s) { return (calendar_weekday(floor_div(s, DAY_SECONDS)) + 1) % 7; }
static double of_day_of_year(int64_t s) { return calendar_day_of_year(floor_div(s, DAY_SECONDS)); }
static double of_week(int64_t s) { return calendar_iso_week(floor_div(s, DAY_SECONDS)); }
static double of_quarter(int64_t s) { return floor((of_month(s) - 1) / 3) + 1; }

/* What a column may count from is one more or less than ours, in every row the same. */
static const struct { const char *name; double (*of)(int64_t); } parts[] = {
    { "year", of_year },       { "yr", of_year },             { "month", of_month },       { "mo", of_month },         { "day", of_day },
    { "dayofmonth", of_day },  { "hour", of_hour },           { "hr", of_hour },           { "minute", of_minute },    { "weekday", of_weekday },
    { "dayofweek", of_weekday }, { "day_of_week", of_weekday }, { "dow", of_weekday },     { "weekday", of_sunday_week }, { "dayofweek", of_sunday_week },
    { "day_of_week", of_sunday_week }, { "dow", of_sunday_week }, { "dayofyear", of_day_of_year }, { "doy", of_day_of_year }, { "week", of_week },
    { "weekofyear", of_week }, { "quarter", of_quarter },
};
enum { PARTS = sizeof parts / sizeof *parts };

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
        double apart = v - of(r->out->time[i]);
        if (i == 0) shift = apart;
        if (apart != shift || fabs(apart) > 1) return false;
    }
    return true;
}

/* 20160701 in a column beside the stamps. */
static bool repeats_date(const reading *r, int64_t column) {
    for (int64_t i = 0; i < r->out->file_rows; i++) {
        int64_t     seconds;
        time_format format;
        if (!time_parse_as(reading_text(r, i, column), DATE_COMPACT, &seconds, &format) || format.middle) return false;
        if (floor_div(seconds, DAY_SECONDS) != floor_div(r->out->time[i], DAY_SECONDS)) return false;
    }
    return true;
}

static bool repeats(const reading *r, int64_t column) {
    for (int i = 0; i < PARTS; i++)
        if (!strcasecmp(r->table.header[column], parts[i].name) && repeats_part(r, column, parts[i].of)) return true;
    return repeats_date(r, column);
}

tide_status reading_leave_parts(reading *r) {
    const frame_options *o = r->options;
    tide_status status = TIDE_OK;
    if (o->run_names) return TIDE_OK; /* which are series is settled */
    for (int64_t c = 0; r->out->time && c < r->table.columns && status == TIDE_OK; c++) {
        const char *name = r->table.header[c];
        bool asked = (o->target && !strcmp(o->target, name)) || list_has(o->columns, name) || list_has(o->ignore, name);
        if (asked || reading_is_time(r, c) || !repeats(r, c)) continue;
        r->left_out[c] = true;
        status = reading_note(r, "'%.60s' only repeats what the time stamps say: left out (--columns keeps it)\n", name);
    }
    return status;
}
