/* A file of holidays: which column holds the dates, how they are written, and which the names. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"
#include "holidays.h"

typedef struct file_columns { int64_t date, name; date_shape shape; } file_columns;

static int64_t named_column(const tide_table *t, const char *const *names) {
    for (; *names; names++)
        for (int64_t c = 0; c < t->columns; c++)
            if (!strcasecmp(t->header[c], *names)) return c;
    return -1;
}

/* The first row whose cell is no date as the others are. */
static int64_t odd_row(const reading *r, int64_t column, date_shape shape) {
    int64_t seconds, row = 0;
    while (row < r->table.rows && time_parse_as(reading_text(r, row, column), shape, &seconds, NULL)) row++;
    return MIN2(row, r->table.rows - 1);
}

static tide_status find_dates(reading *r, file_columns *out) {
    static const char *const names[] = { "date", "ds", "day", "datetime", "timestamp", NULL };
    bool    clock, either = false;
    int64_t named = named_column(&r->table, names);
    out->shape = DATE_SHAPES;
    for (int64_t c = 0; c < r->table.columns && out->shape == DATE_SHAPES; c++) {
        if (named >= 0 && c != named) continue;
        out->date = c, out->shape = column_calendar_shape(r, c, &clock, &either);
        if (out->shape == DATE_SHAPES && column_number_shape(r, c) == DATE_COMPACT) out->shape = DATE_COMPACT;
    }
    if (either)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], r->table.header[out->date],
                             "'%.40s' may be of either order, and no row decides it: `date-order` dmy or mdy says "
                             "which comes first", reading_text(r, 0, out->date));
    if (out->shape != DATE_SHAPES && date_shape_days(out->shape) == 1) return TIDE_OK;
    int64_t at = MAX2(named, 0), row = odd_row(r, at, column_usual_shape(r, at));
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->table.header[at],
                         "'%.40s' is no day: holidays are a column of dates such as 2024-12-25, and perhaps one of "
                         "names", reading_text(r, row, at));
}

/* By its header, else the first column of text. */
static void find_names(const reading *r, file_columns *at) {
    static const char *const names[] = { "name", "holiday", "event", "title", "description", NULL };
    at->name = named_column(&r->table, names);
    if (at->name == at->date) at->name = -1;
    for (int64_t c = 0; at->name < 0 && c < r->table.columns; c++) {
        char *end;
        const char *text = reading_text(r, 0, c);
        num_parse(text, &end);
        if (c != at->date && *text && *end) at->name = c;
    }
}

static tide_status take_rows(reading *r, const file_columns *at, holidays *out) {
    out->of = calloc((size_t)r->table.rows, sizeof *out->of);
    for (int64_t i = 0; out->of && i < r->table.rows; i++) {
        int64_t seconds = 0;
        time_parse_as(reading_text(r, i, at->date), at->shape, &seconds, NULL);
        out->of[i].day  = floor_div(seconds, DAY_SECONDS);
        out->of[i].name = strdup(at->name < 0 ? "" : reading_text(r, i, at->name));
        if (!out->of[i].name) return reading_no_memory(r);
        out->count++;
    }
    if (!out->of) return reading_no_memory(r);
    holidays_sort(out);
    return TIDE_OK;
}

tide_status holidays_read(const char *path, date_shape order, holidays *out, tide_failure *failure) {
    frame_options o = { .date_order = order };
    file_columns  at = { 0 };
    int64_t       seconds;
    reading       r = { .path = path, .options = &o, .failure = failure };
    tide_status   status = tide_csv_read(path, NULL, &r.table, failure);
    *out = (holidays){ 0 };
    for (int64_t c = 0; status == TIDE_OK && c < r.table.columns; c++)
        if (time_parse(r.table.header[c], &seconds, NULL))
            status = forecast_fail(failure, TIDE_EDATA, path, 1, NULL,
                                   "the first line holds a day, not column names; add a header line such as date,name");
    if (status == TIDE_OK && !r.table.rows)
        status = forecast_fail(failure, TIDE_EDATA, path, 1, NULL, "the file has a header but no rows");
    if (status == TIDE_OK) status = find_dates(&r, &at);
    if (status == TIDE_OK) find_names(&r, &at), status = take_rows(&r, &at, out);
    tide_table_free(&r.table);
    if (status != TIDE_OK) holidays_free(out);
    return status;
}
