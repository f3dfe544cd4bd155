/* The time columns: which they are, and their stamps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"
#include "zone.h"

#define ACCEPTED \
    "accepted are 2016-07-01 00:00:00, 2016/7/1 0:00, 2016-07-01T00:00+02:00, 1.7.2016, 7/31/2016 1:00 PM, 20160701, " \
    "1 Jul 2016, 2016-07, Jul 2016, 2016Q3, 2016-W26 and epoch seconds or milliseconds"

static tide_status status_of(const reading *r) { return r->failure ? r->failure->status : TIDE_EDATA; }

static bool ignored(const reading *r, int64_t column) { return list_has(r->options->ignore, r->table.header[column]); }

static bool named(const reading *r, int64_t column, const char *const *words) {
    for (; *words; words++)
        if (!strcasecmp(r->table.header[column], *words)) return true;
    return false;
}

bool reading_is_time(const reading *r, int64_t column) {
    for (int i = 0; i < r->time.count; i++)
        if (r->time.of[i].place == column) return true;
    return false;
}

static void add_column(reading *r, int64_t column, time_part part) {
    r->time.of[r->time.count].place  = column;
    r->time.of[r->time.count++].part = part;
}

/* ---- year, month, day ... by their names ---- */

static const struct { time_part part; const char *names[6]; double low, high; } part_names[] = {
    { PART_YEAR, { "year", "yr", "yyyy", "jahr", NULL }, FIRST_YEAR, LAST_YEAR },
    { PART_MONTH, { "month", "mo", "mm", "monat", NULL }, 1, 12 },
    { PART_DAY, { "day", "dd", "dy", "dayofmonth", "tag", NULL }, 1, 31 },
    { PART_HOUR, { "hour", "hr", "hh", "stunde", NULL }, 0, 23 },
    { PART_MINUTE, { "minute", "min", NULL }, 0, 59 },                           { PART_SECOND,
        { "second", "sec", NULL }, 0, 59 },
};
enum { PARTS = sizeof part_names / sizeof *part_names, HOUR = 3 };

bool reading_names_part(const char *name) {
    for (int part = 0; part < PARTS; part++)
        for (const char *const *word = part_names[part].names; *word; word++)
            if (!strcasecmp(name, *word)) return true;
    return false;
}

static bool whole_within(const reading *r, int64_t column, double low, double high) {
    for (int64_t i = 0; i < r->table.rows; i++) {
        char  *end;
        double v = num_parse(reading_text(r, i, column), &end);
        if (end == reading_text(r, i, column) || *end || !(v >= low && v <= high) || v != (double)(int64_t)v)
            return false;
    }
    return true;
}

static int64_t find_part(const reading *r, int part) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (!ignored(r, c) && named(r, c, part_names[part].names) &&
            whole_within(r, c, part_names[part].low, part_names[part].high))
            return c;
    return -1;
}

/* ---- finding them ---- */

static tide_status fail_either(reading *r, int64_t column) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], r->table.header[column],
                         "'%.40s' may be day or month first, and no row decides it: `date-order` dmy or `date-order` "
                         "mdy", reading_text(r, 0, column));
}

/* The only column, but for the dates, that holds clocks and nothing else; -1: there is none, or there are two. */
static int64_t find_clock(const reading *r, int64_t date) {
    int64_t found = -1;
    for (int64_t c = 0; c < r->table.columns; c++) {
        if (c == date || ignored(r, c) || !clock_parse(reading_text(r, 0, c)) || !column_all_clocks(r, c)) continue;
        if (found >= 0) return -1;
        found = c;
    }
    return found;
}

static bool has_twins(const reading *r, int64_t column) {
    for (int64_t i = 1; i < r->table.rows; i++)
        if (!strcmp(reading_text(r, i - 1, column), reading_text(r, i, column))) return true;
    return false;
}

static bool is_constant(const reading *r, int64_t column) {
    for (int64_t i = 1; i < r->table.rows; i++)
        if (strcmp(reading_text(r, i - 1, column), reading_text(r, i, column))) return false;
    return true;
}

/* The column that goes on where dates leave off. Dates that never repeat need none: a sunrise beside them is no clock
 * of theirs. */
static int64_t find_beside(const reading *r, int64_t date, time_part *part) {
    static const char *const clocks[] = { "time", "clock", "uhrzeit", "zeit", "heure", "hora", NULL };
    bool    twins = has_twins(r, date);
    int64_t clock = find_clock(r, date), hour = twins && clock < 0 ? find_part(r, HOUR) : -1;
    *part = hour >= 0 ? PART_HOUR : PART_CLOCK;
    if (hour >= 0) return hour;
    return clock >= 0 && (twins || is_constant(r, clock) || named(r, clock, clocks)) ? clock : -1;
}

static void take_dates(reading *r, int64_t column, date_shape shape, bool complete) {
    time_part part;
    int64_t   beside = complete ? -1 : find_beside(r, column, &part);
    r->shape = shape;
    add_column(r, column, beside >= 0 ? PART_DATE : PART_STAMP);
    if (beside >= 0) add_column(r, beside, part);
}

/* Takes a column of calendar text, with the clock or hour beside it if it has none; false: it is none. */
static bool take_calendar(reading *r, int64_t column, tide_status *status) {
    bool       clock, either;
    date_shape shape = column_calendar_shape(r, column, &clock, &either);
    if (shape == DATE_SHAPES) return false;
    if (either) *status = fail_either(r, column);
    take_dates(r, column, shape, clock || date_shape_days(shape) > 1);
    return true;
}

static bool take_number(reading *r, int64_t column) {
    date_shape shape = column_number_shape(r, column);
    if (shape == DATE_SHAPES) return false;
    take_dates(r, column, shape, shape != DATE_COMPACT);
    return true;
}

static tide_status fail_digits(reading *r, int64_t column) {
    const char *text = reading_text(r, 0, column);
    char        written[24];
    size_t      length = strspn(text, "0123456789");
    int         used = snprintf(written, sizeof written, "%.4s-%.2s", text, text + 4);
    if (length >= 8) used += snprintf(written + used, sizeof written - (size_t)used, "-%.2s", text + 6);
    if (length >= 10)
        used += snprintf(written + used, sizeof written - (size_t)used, " %.2s:%.2s", text + 8,
                         length > 10 ? text + 10 : "00");
    if (length == 14) snprintf(written + used, sizeof written - (size_t)used, ":%.2s", text + 12);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], r->table.header[column],
                         "'%.20s' and those after it are dates in digits alone: write them as %s; if they are a "
                         "series, `columns` with the names of all "
                         "series keeps it", text, written);
}

/* The first cell tells most columns apart from time at once, and days from labels. */
static bool may_be_calendar(const reading *r, int64_t column, bool labels) {
    int64_t     seconds;
    const char *text = reading_text(r, 0, column);
    for (date_shape s = DATE_YMD; s < DATE_SHAPES; s++)
        if (s != DATE_COMPACT && s != DATE_Y && (date_shape_days(s) > 1) == labels &&
            time_parse_as(text, s, &seconds, NULL))
            return true;
    return false;
}

static tide_status fail_two(reading *r, int64_t a, int64_t b) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, 1, r->table.header[b],
                         "columns '%s' and '%s' both hold time stamps; choose one with `time-column`",
                         r->table.header[a], r->table.header[b]);
}

/* Labels of quarters, months or weeks are time where no column has days. */
static tide_status search_calendar(reading *r, bool labels) {
    tide_status status = TIDE_OK;
    for (int64_t c = 0; c < r->table.columns && status == TIDE_OK; c++) {
        if (ignored(r, c) || reading_is_time(r, c) || !may_be_calendar(r, c, labels)) continue;
        time_columns before = r->time;
        if (!take_calendar(r, c, &status) || !before.count) continue;
        status = fail_two(r, before.of[0].place, c);
    }
    return status;
}

/* A series by its name, whatever its numbers could be read as. */
static bool asked_for(const reading *r, int64_t column) {
    const frame_options *o = r->options;
    const char          *name = r->table.header[column];
    bool                 asked = reading_asked(r, name);
    for (int64_t i = 0; o->run_names && i < o->run_count && !asked; i++) asked = !strcmp(o->run_names[i], name);
    return asked;
}

/* Numbers are time in this order, and each only if it is alone: epochs, then 20160701, then years. */
static tide_status search_numbers(reading *r) {
    for (int64_t c = 0; c < r->table.columns; c++) {
        if (ignored(r, c) || reading_is_time(r, c)) continue;
        bool digits = column_is_digit_stamps(r, c);
        if ((!digits && column_number_shape(r, c) == DATE_SHAPES) || asked_for(r, c)) continue;
        int64_t first = r->time.count ? r->time.of[0].place : -1;
        if (first >= 0) return fail_two(r, first, c);
        if (digits) return fail_digits(r, c);
        take_number(r, c);
    }
    return TIDE_OK;
}

/* A column most of whose cells are dates is time, and its other cells are at fault. */
static void take_usual(reading *r) {
    for (int64_t c = 0; c < r->table.columns && !r->time.count; c++) {
        date_shape shape = ignored(r, c) || asked_for(r, c) ? DATE_SHAPES : column_usual_shape(r, c);
        if (shape != DATE_SHAPES) take_dates(r, c, shape, true);
    }
}

/* ---- year, month, day ... in columns of their own ---- */

/* From the year on, as many as there are without a gap: two at least, or years would be months. */
static void take_parts(reading *r) {
    int64_t columns[PARTS];
    int     count = 0;
    while (count < PARTS && (columns[count] = find_part(r, count)) >= 0) count++;
    for (int i = 0; count >= 2 && i < count; i++) add_column(r, columns[i], part_names[i].part);
    if (count >= 2) r->shape = DATE_YMD;
}

/* ---- all ways to it ---- */

static tide_status take_named(reading *r, int64_t column) {
    tide_status status = TIDE_OK;
    if (column_is_digit_stamps(r, column)) return fail_digits(r, column);
    if (take_calendar(r, column, &status) || take_number(r, column)) return status;
    date_shape shape = column_usual_shape(r, column);
    take_dates(r, column, shape == DATE_SHAPES ? DATE_YMD : shape, true); /* its first bad cell will be named */
    return status;
}

static bool has_column(const reading *r, const char *name) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (!strcmp(r->table.header[c], name)) return true;
    return false;
}

/* --time-column NAME, or DATE,CLOCK. */
static tide_status take_asked(reading *r) {
    const char *list = r->options->time_column, *comma = has_column(r, list) ? NULL : strchr(list, ',');
    char        name[128];
    if (comma) {
        snprintf(name, sizeof name, "%.*s", (int)(comma - list), list);
        int64_t date = reading_find(r, "`time-column`", name),
                clock = date < 0 ? -1 : reading_find(r, "`time-column`", comma + 1);
        if (clock < 0) return status_of(r);
        bool has_clock, either;
        r->shape = column_calendar_shape(r, date, &has_clock, &either);
        if (r->shape == DATE_SHAPES)
            r->shape = column_all_dates(r, date, DATE_COMPACT, &has_clock) ? DATE_COMPACT : DATE_YMD;
        add_column(r, date, PART_DATE), add_column(r, clock, whole_within(r, clock, 0, 23) ? PART_HOUR : PART_CLOCK);
        return either ? fail_either(r, date) : TIDE_OK;
    }
    int64_t column = reading_find(r, "`time-column`", list);
    return column < 0 ? status_of(r) : take_named(r, column);
}

/* Von and Bis beside dates that repeat: which of them goes on with the date is for the user to say. */
static tide_status refuse_two_clocks(reading *r, int64_t clock) {
    const char *date = r->table.header[r->time.of[0].place], *name = r->table.header[clock];
    if (r->time.count > 1 || !has_twins(r, r->time.of[0].place)) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], name,
                         "more than one column holds times of day, and the dates of '%.60s' repeat: `time-column` "
                         "'%.60s,%.60s' joins them; leave the "
                         "others out with `ignore`", date, date, name);
}

/* Times of day that belong to no date. */
static tide_status refuse_lone_clock(reading *r) {
    char word[WORD_TEXT];
    for (int64_t c = 0; c < r->table.columns; c++)
        if (!ignored(r, c) && !reading_is_time(r, c) && clock_parse(reading_text(r, 0, c)) && column_all_clocks(r, c))
            return r->time.count ? refuse_two_clocks(r, c) : forecast_fail(r->failure, TIDE_EDATA, r->path,
                r->table.line[0], r->table.header[c],
                                 "the column holds times of day, and no other column their dates; put both into one, "
                                 "or leave it out with `ignore` %s", reading_word(word, r->table.header[c], true));
    return TIDE_OK;
}

/* Under a usual name, and no numbers that only count the rows. */
static bool holds_usual(const reading *r, int64_t column, const char *name) {
    return name && *name && !strcasecmp(r->table.header[column], name) && !ignored(r, column) &&
           (column_number_shape(r, column) != DATE_SHAPES || !column_counts(r, column));
}

/* Numbers that are times in each series by itself: countries below each other, and their years. */
static tide_status search_by_series(reading *r) {
    tide_status status = r->before ? TIDE_OK : reading_guess_series(r, true);
    return status != TIDE_OK || !r->before ? status : search_numbers(r);
}

static tide_status search_columns(reading *r) {
    const char *const usual[] = { r->options->run_time, "date", "ds", "timestamp", "datetime" };
    for (size_t u = 0; u < sizeof usual / sizeof *usual; u++)
        for (int64_t c = 0; c < r->table.columns; c++) {
            bool parts = u == 0 && usual[u] && named(r, c, part_names[0].names); /* the run's year is not all of it */
            if (!parts && holds_usual(r, c, usual[u])) return take_named(r, c);
        }
    tide_status status = search_calendar(r, false);
    if (status == TIDE_OK && !r->time.count) status = search_calendar(r, true);
    if (status == TIDE_OK && !r->time.count) take_parts(r);
    if (status == TIDE_OK && !r->time.count) status = search_numbers(r);
    if (status == TIDE_OK && !r->time.count) status = search_by_series(r);
    if (status == TIDE_OK && !r->time.count) take_usual(r);
    return status;
}

tide_status reading_find_time(reading *r) {
    if (r->options->kind == KIND_SOLAR) return TIDE_OK;
    tide_status status = reading_guess_series(r, false);
    if (status == TIDE_OK && r->options->time_column) return take_asked(r);
    if (status == TIDE_OK) status = search_columns(r);
    return status == TIDE_OK ? refuse_lone_clock(r) : status;
}

/* ---- stamps ---- */

/* One format for the column: seconds or a clock shown anywhere are shown; one unpadded stamp makes all unpadded. */
static void merge_format(time_format *all, const time_format *one) {
    all->padded = all->padded && one->padded;
    all->hour_padded = all->hour_padded && one->hour_padded;
    all->seconds = all->seconds || one->seconds;
    if (!all->middle) all->middle = one->middle;
    if (!all->colon) all->colon = one->colon;
    if (!all->half) all->half = one->half;
    if (one->fraction > all->fraction) all->fraction = one->fraction;
    if (one->month_name == 'B' || (one->month_name == 's' && all->month_name == 'b')) /* May is either */
        all->month_name = one->month_name;
    all->short_year = all->short_year || one->short_year;
}

/* Date-only stamps among stamps with a clock (midnight, as some programs write it) have no offset of their own; in a
 * zone none needs one. */
static bool same_clock(const reading *r, const time_format *a, const time_format *b) {
    return a->kind == b->kind && (r->out->zone || !*a->offset == !*b->offset || !a->middle || !b->middle);
}

const char *reading_stamp_text(const reading *r, int64_t row, char buffer[STAMP_TEXT]) {
    const time_columns *t = &r->time;
    if (t->count < 2) return reading_text(r, row, t->of[0].place);
    if (t->of[0].part == PART_DATE && t->of[1].part == PART_HOUR) {
        snprintf(buffer, STAMP_TEXT, "%.40s %.10s:00", reading_text(r, row, t->of[0].place),
                 reading_text(r, row, t->of[1].place));
        return buffer;
    }
    if (t->of[1].part == PART_CLOCK) {
        snprintf(buffer, STAMP_TEXT, "%.40s %.40s", reading_text(r, row, t->of[0].place),
                 reading_text(r, row, t->of[1].place));
        return buffer;
    }
    int numbers[PARTS] = { 0, 1, 1 };
    for (int i = 0; i < t->count; i++) numbers[i] = (int)num_parse(reading_text(r, row, t->of[i].place), NULL);
    if (t->count <= 3) snprintf(buffer, STAMP_TEXT, "%04d-%02d-%02d", numbers[0], numbers[1], numbers[2]);
    else
        snprintf(buffer, STAMP_TEXT, "%04d-%02d-%02d %02d:%02d:%02d", numbers[0], numbers[1], numbers[2], numbers[3],
                 numbers[4], numbers[5]);
    return buffer;
}

static bool parse(const reading *r, const char *text, int64_t *seconds, time_format *format) {
    return time_parse_as(text, r->shape, seconds, format) ||
           (r->shape == DATE_YMD && time_parse(text, seconds, format));
}

/* What a number may be where stamps are wanted: a day as spreadsheets count them, from the end of 1899 on, or a
 * count. */
static void explain_number(const reading *r, const char *text, char *out, size_t bytes) {
    enum { FIRST_SERIAL = 15000, LAST_SERIAL = 80000, SERIAL_OF_1970 = 25569 };
    char   word[WORD_TEXT], day[120] = "", *end;
    double v = num_parse(text, &end);
    *out = 0;
    if (end == text || *end) return;
    if (v >= FIRST_SERIAL && v <= LAST_SERIAL) {
        calendar_date d = calendar_date_of((int64_t)v - SERIAL_OF_1970);
        snprintf(day, sizeof day, "; as a spreadsheet counts days it is %04d-%02d-%02d: save the column as dates",
                 d.year, d.month, d.day);
    }
    snprintf(out, bytes, "%s; if it only counts the rows, leave it out with `ignore` %s", day,
             reading_word(word, r->table.header[r->time.of[0].place], true));
}

static tide_status fail_stamp(reading *r, int64_t row, const char *text) {
    int64_t     seconds;
    char        number[WORD_TEXT + 200];
    bool        other = time_parse(text, &seconds, NULL);
    explain_number(r, text, number, sizeof number);
    for (date_shape s = DATE_YMD; s < DATE_SHAPES && !other; s++) other = time_parse_as(text, s, &seconds, NULL);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                         "'%.60s' is no time stamp%s; " ACCEPTED "%s", text,
                         !other ? "" : row ? " like those before it" : " like those after it", number);
}

/* The form of offsets is that of the last; Z, which can be no other offset, where all are so. */
static void merge_offset(time_format *all, const time_format *one) {
    if (*one->offset && (!*all->offset || *one->offset != 'Z')) memcpy(all->offset, one->offset, sizeof one->offset);
}

static tide_status fail_clock(reading *r, int64_t row, const char *text, const time_format *format) {
    if (format->kind != r->out->format.kind)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                             "'%.60s' is an epoch or a date, and the rows before are the other: write all alike", text);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                         "'%.60s' has %s offset, and the rows before have %s: write it in all rows, or give the time "
                         "zone of those without, `tz` Europe/Berlin or the like",
                         text, *format->offset ? "an" : "no", *format->offset ? "none" : "one");
}

static tide_status parse_stamp(reading *r, int64_t row, int32_t *offset) {
    frame      *f = r->out;
    char        buffer[STAMP_TEXT];
    const char *text = reading_stamp_text(r, row, buffer);
    time_format format;
    if (!parse(r, text, &f->time[row], &format)) return fail_stamp(r, row, text);
    if (row == 0) f->format = format;
    if (!same_clock(r, &f->format, &format)) return fail_clock(r, row, text, &format);
    *offset = *format.offset ? time_offset(&format) : format.middle ? NO_OFFSET : DATE_ALONE;
    merge_offset(&f->format, &format);
    merge_format(&f->format, &format);
    return TIDE_OK;
}

static tide_status parse_stamps(reading *r) {
    frame   *f      = r->out;
    int32_t *offset = calloc((size_t)f->file_rows + 1, sizeof *offset);
    tide_status status = offset ? TIDE_OK : reading_no_memory(r);
    for (int64_t i = 0; i < f->file_rows && status == TIDE_OK; i++) status = parse_stamp(r, i, &offset[i]);
    if (status == TIDE_OK) status = reading_settle_zone(r, offset);
    free(offset);
    return status;
}

static tide_status note_years(reading *r) {
    const frame  *f = r->out;
    calendar_date d = calendar_date_of(floor_div(zone_label(f->zone, f->time[0]), DAY_SECONDS));
    if (!f->format.short_year) return TIDE_OK;
    return reading_note(r, "years of two digits are those from %d to %d: '%.40s' is read as %04d-%02d-%02d\n",
                        (int)FIRST_SHORT_YEAR, (int)LAST_SHORT_YEAR, reading_text(r, 0, r->time.of[0].place), d.year,
                        d.month, d.day);
}

static tide_status keep_columns(reading *r) {
    frame *f       = r->out;
    f->time_columns = r->time;
    for (int i = 0; i < r->time.count; i++) f->time_columns.of[i].name = NULL;
    for (int i = 0; i < r->time.count; i++) f->time_columns.of[i].place = reading_place(r, r->time.of[i].place);
    for (int i = 0; i < r->time.count; i++)
        if (!(f->time_columns.of[i].name = strdup(r->table.header[r->time.of[i].place]))) return reading_no_memory(r);
    f->time_place = f->time_columns.of[0].place;
    f->time_name  = strdup(f->time_columns.of[0].name);
    return f->time_name ? TIDE_OK : reading_no_memory(r);
}

tide_status reading_parse_time(reading *r) {
    frame *f = r->out;
    f->file_rows = r->table.rows;
    if (!r->time.count) {
        if (r->options->freq) step_parse(r->options->freq, &f->step);
        return reading_pivot(r);
    }
    tide_status status = keep_columns(r);
    if (status != TIDE_OK) return status;
    f->time = calloc((size_t)f->file_rows, sizeof *f->time);
    if (!f->time) return reading_no_memory(r);
    status = parse_stamps(r);
    if (status == TIDE_OK && r->time.of[0].part == PART_YEAR) /* one number a column, as the file writes it */
        f->format.padded = f->format.hour_padded =
            r->time.count > 1 && reading_text(r, 0, r->time.of[1].place)[0] == '0';
    if (status == TIDE_OK) status = note_years(r);
    if (status == TIDE_OK) status = reading_pivot(r);
    return status == TIDE_OK ? reading_order_rows(r) : status;
}
