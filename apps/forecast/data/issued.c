/* A file of forecasts with the times at which they were issued. */
#include "issued.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "frame_time.h"

void issues_free(issues *s) {
    for (int64_t i = 0; s->names && i < s->columns; i++) free(s->names[i]);
    free(s->names);
    free(s->of);
    free(s->values);
    *s = (issues){ 0 };
}

static int by_stamp(const void *a, const void *b) {
    const issue *x = a, *y = b;
    if (x->stamp_s != y->stamp_s) return (x->stamp_s > y->stamp_s) - (x->stamp_s < y->stamp_s);
    if (x->issued_s != y->issued_s) return (x->issued_s > y->issued_s) - (x->issued_s < y->issued_s);
    return (x->place > y->place) - (x->place < y->place);
}

double issues_value(const issues *s, int64_t stamp_s, int64_t origin_s, int64_t column) {
    const issue at  = { stamp_s, origin_s, INT64_MAX };
    int64_t     low = 0, high = s->rows;
    while (low < high) { /* the first that comes after it */
        int64_t middle = low + (high - low) / 2;
        if (by_stamp(&s->of[middle], &at) <= 0) low = middle + 1;
        else high = middle;
    }
    while (low-- > 0 && s->of[low].stamp_s == stamp_s) {
        double value = s->values[s->of[low].place * s->columns + column];
        if (!isnan(value)) return value;
    }
    return (double)NAN;
}

/* ---- reading ---- */

typedef struct stamp_column { int64_t at; date_shape shape; } stamp_column;

static int64_t find_header(const tide_table *t, const char *const *names) {
    for (; *names; names++)
        for (int64_t c = 0; c < t->columns; c++)
            if (!strcasecmp(t->header[c], *names)) return c;
    return -1;
}

static tide_status open_stamps(reading *r, int64_t column, stamp_column *out) {
    bool clock, either = false;
    *out = (stamp_column){ column, column_calendar_shape(r, column, &clock, &either) };
    if (out->shape == DATE_SHAPES) out->shape = column_number_shape(r, column);
    if (either)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], r->table.header[column],
                             "'%.40s' may be of either order: `date-order` dmy or mdy says which",
                             reading_text(r, 0, column));
    if (out->shape == DATE_SHAPES) out->shape = DATE_YMD; /* the cell at fault is found by it */
    return TIDE_OK;
}

static tide_status find_stamps(reading *r, const issues_options *o, stamp_column *stamp, stamp_column *issued) {
    const char *const issue_names[] = { o->issued_at ? o->issued_at : "issued_at", o->issued_at ? NULL : "issued",
                                        "issue_time", "reference_time", "forecast_time", NULL };
    const char *const stamp_names[] = { o->time_name ? o->time_name : "date", "date", "ds", "timestamp", "datetime",
                                        "valid_time", NULL };
    int64_t when = find_header(&r->table, issue_names), row = find_header(&r->table, stamp_names);
    char    all[320];
    names_list(all, sizeof all, r->table.header, r->table.columns);
    if (when < 0 || row < 0 || when == row)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, 1, NULL,
                             "no column says %s: `issued-at` names the one that holds when a forecast was issued, and "
                             "the row that is meant is '%s'; the columns are %s",
                             when < 0 ? "when a forecast was issued" : "which row is meant", stamp_names[0], all);
    tide_status status = open_stamps(r, row, stamp);
    return status == TIDE_OK ? open_stamps(r, when, issued) : status;
}

static tide_status read_stamp(const reading *r, int64_t row, stamp_column c, int64_t *seconds) {
    if (time_parse_as(reading_text(r, row, c.at), c.shape, seconds, NULL)) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->table.header[c.at],
                         "'%.40s' is no time stamp as the others are", reading_text(r, row, c.at));
}

/* The table's columns that are values, into `from`. */
static tide_status choose(reading *r, const issues_options *o, int64_t stamp, int64_t issued, int64_t *from,
                          issues *out) {
    for (int64_t c = 0; !o->names && c < r->table.columns; c++)
        if (c != stamp && c != issued && r->table.header[c][0] && !list_has(o->ignore, r->table.header[c]))
            from[out->columns++] = c;
    for (int64_t i = 0; i < o->count; i++) {
        int64_t c = 0;
        while (c < r->table.columns && strcmp(r->table.header[c], o->names[i]) != 0) c++;
        if (c == r->table.columns)
            return forecast_fail(r->failure, TIDE_EDATA, r->path, 1, o->names[i],
                                 "the model needs a column '%.60s', and the file has none", o->names[i]);
        from[out->columns++] = c;
    }
    if (!out->columns)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, 1, NULL, "there is no column of values beside the times");
    out->names = calloc((size_t)out->columns, sizeof *out->names);
    for (int64_t i = 0; out->names && i < out->columns; i++)
        if (!(out->names[i] = strdup(r->table.header[from[i]]))) return reading_no_memory(r);
    return out->names ? TIDE_OK : reading_no_memory(r);
}

static tide_status read_rows(reading *r, const issues_options *o, stamp_column stamp, stamp_column issued,
                             const int64_t *from, issues *out) {
    number_reader number;
    tide_status   status = number_reader_open(&number, o->decimal) ? TIDE_OK : reading_no_memory(r);
    if (status != TIDE_OK) return status;
    for (int64_t i = 0; i < r->table.rows && status == TIDE_OK; i++) {
        out->of[i].place = i;
        status = read_stamp(r, i, stamp, &out->of[i].stamp_s);
        if (status == TIDE_OK) status = read_stamp(r, i, issued, &out->of[i].issued_s);
        for (int64_t c = 0; c < out->columns && status == TIDE_OK; c++)
            if (!reading_cell(r, &number, reading_text(r, i, from[c]), &out->values[i * out->columns + c]))
                status = forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[i], out->names[c],
                                       "'%.60s' is not a finite number; correct it, or leave the column out with "
                                       "`ignore`", reading_text(r, i, from[c]));
    }
    number_reader_close(&number);
    out->rows = r->table.rows;
    qsort(out->of, (size_t)out->rows, sizeof *out->of, by_stamp);
    return status;
}

tide_status issues_read(const char *path, const issues_options *o, issues *out, tide_failure *failure) {
    frame_options options = { .date_order = o->date_order };
    reading       r = { .path = path, .options = &options, .failure = failure };
    stamp_column  stamp, issued;
    tide_status   status = tide_csv_read(path, NULL, &r.table, failure);
    int64_t      *from = NULL;
    *out = (issues){ 0 };
    if (status == TIDE_OK && !r.table.rows)
        status = forecast_fail(failure, TIDE_EDATA, path, 1, NULL, "the file has a header but no rows");
    if (status == TIDE_OK) status = find_stamps(&r, o, &stamp, &issued);
    if (status == TIDE_OK && !(from = malloc((size_t)(r.table.columns + o->count) * sizeof *from)))
        status = reading_no_memory(&r);
    if (status == TIDE_OK) status = choose(&r, o, stamp.at, issued.at, from, out);
    if (status == TIDE_OK) {
        out->of     = calloc((size_t)r.table.rows, sizeof *out->of);
        out->values = calloc((size_t)(r.table.rows * out->columns), sizeof *out->values);
        if (!out->of || !out->values) status = reading_no_memory(&r);
    }
    if (status == TIDE_OK) status = read_rows(&r, o, stamp, issued, from, out);
    free(from);
    tide_table_free(&r.table);
    if (status != TIDE_OK) issues_free(out);
    return status;
}
