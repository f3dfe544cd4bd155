/* A frame in memory as the series to learn from: its columns are taken as they are, and by the rules of a file's where
 * these do not read text: order of time, step, gaps, marks of missing values, numbers that no model can hold. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "frame_time.h"
#include "zone.h"

/* `line` says which row of the frame a row is, from 1: they may have been put in order. */
double reading_value(const reading *r, int64_t row, int64_t column) {
    int64_t       stride;
    const double *values = tide_frame_values(r->from, column, &stride);
    return values[(r->table.line[row] - 1) * stride];
}

static tide_status take_names(reading *r) {
    const tide_frame *from = r->from;
    int64_t rows = tide_frame_rows(from), columns = tide_frame_columns(from);
    if (!rows || !columns)
        return forecast_fail(r->failure, TIDE_EDATA, NULL, 0, NULL, "the frame has no %s", rows ? "columns" : "rows");
    r->table.header = malloc((size_t)columns * sizeof *r->table.header);
    r->table.line   = malloc((size_t)rows * sizeof *r->table.line);
    r->left_out     = calloc((size_t)columns, sizeof *r->left_out);
    if (!r->table.header || !r->table.line || !r->left_out) return reading_no_memory(r);
    r->table.columns = columns; /* and no rows: there is no text to look at */
    for (int64_t c = 0; c < columns; c++) r->table.header[c] = (char *)tide_frame_name(from, c);
    for (int64_t i = 0; i < rows; i++) r->table.line[i] = i + 1;
    r->out->file_rows = rows;
    return TIDE_OK;
}

/* ---- time ---- */

/* How a forecast's stamps are written: dates alone where all are midnights. */
static time_format usual_format(const frame *f) {
    time_format format = { .kind = 'd', .shape = DATE_YMD, .separator = '-', .padded = true, .hour_padded = true };
    for (int64_t i = 0; i < f->file_rows; i++)
        if (floor_mod(zone_label(f->zone, f->time[i]), DAY_SECONDS))
            format.middle = ' ', format.seconds = true, format.colon = ':';
    return format;
}

static tide_status name_time(reading *r) {
    frame      *f    = r->out;
    const char *name = tide_frame_time_name(r->from);
    f->time_name          = strdup(name);
    f->time_columns.count = 1;
    f->time_columns.of[0].name = strdup(name);
    return f->time_name && f->time_columns.of[0].name ? TIDE_OK : reading_no_memory(r);
}

static tide_status take_time(reading *r) {
    frame         *f    = r->out;
    const int64_t *time = tide_frame_time(r->from);
    if (tide_frame_time_real(r->from))
        return forecast_fail(r->failure, TIDE_EDATA, NULL, 0, tide_frame_time_name(r->from),
                             "the times are not in whole seconds: round them, or leave the time axis out");
    if (!time && r->options->freq) step_parse(r->options->freq, &f->step);
    if (!time) return TIDE_OK;
    tide_status status = name_time(r);
    f->time = status ? NULL : malloc((size_t)f->file_rows * sizeof *f->time);
    if (!f->time) return reading_no_memory(r);
    memcpy(f->time, time, (size_t)f->file_rows * sizeof *f->time);
    for (int64_t i = 0; i < f->file_rows; i++)
        if (!time_writable(time[i]))
            return forecast_fail(r->failure, TIDE_EDATA, NULL, i + 1, f->time_name,
                                 "the time lies outside the years 0 to 9999; times are seconds since 1970");
    f->format = usual_format(f);
    return reading_order_rows(r);
}

/* ---- values ---- */

static tide_status take_cell(reading *r, int64_t row, int64_t column) {
    frame *f     = r->out;
    double value = reading_value(r, row, r->chosen[column]);
    f->values[row * f->columns + column] = reading_is_mark(r, value) ? (double)NAN : value;
    if (!isinf(value)) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, NULL, r->table.line[row], f->names[column],
                         "'%.60s' holds an infinity; NaN says that a value is missing", f->names[column]);
}

static tide_status take_values(reading *r) {
    frame *f = r->out;
    f->values = malloc((size_t)(f->file_rows * f->columns) * sizeof *f->values);
    tide_status status = f->values ? reading_open_marks(r) : reading_no_memory(r);
    for (int64_t i = 0; i < f->file_rows && !status; i++)
        for (int64_t c = 0; c < f->columns && !status; c++) status = take_cell(r, i, c);
    reading_close_marks(r);
    if (!status) status = reading_aggregate(r);
    if (!status) status = reading_settle_step(r);
    if (status) return status;
    return r->options->kind == KIND_PEMS ? reading_check_sizes(r) : reading_settle_missing(r); /* the scaler fills */
}

/* Where each column would stand in a file, the time first. */
static void place_columns(frame *f) {
    for (int64_t c = 0; c < f->columns && f->time; c++) f->place[c]++;
}

/* ---- what tells this frame from another ---- */

static void hash_columns(const tide_frame *from, sha256 *h) {
    int64_t stride, rows = tide_frame_rows(from);
    for (int64_t c = 0; c < tide_frame_columns(from); c++) {
        const char   *name   = tide_frame_name(from, c);
        const double *values = tide_frame_values(from, c, &stride);
        sha256_add(h, name, strlen(name) + 1);
        for (int64_t i = 0; i < rows; i++) {
            double value = isnan(values[i * stride]) ? (double)NAN : values[i * stride]; /* one gap is as another */
            sha256_add(h, &value, sizeof value);
        }
    }
}

static void hash(const tide_frame *from, char hex[65]) {
    sha256         h;
    const int64_t *time = tide_frame_time(from);
    sha256_begin(&h);
    if (time) sha256_add(&h, time, (size_t)tide_frame_rows(from) * sizeof *time);
    hash_columns(from, &h);
    sha256_end(&h, hex);
}

tide_status frame_from_memory(const tide_frame *from, const frame_options *options, frame *out, tide_failure *failure) {
    *out = (frame){ 0 };
    reading     r      = { .from = from, .options = options, .out = out, .failure = failure };
    tide_status status = reading_check_options(&r);
    if (!status) status = take_names(&r);
    if (!status) status = take_time(&r);
    if (!status) status = reading_choose(&r);
    if (!status) status = take_values(&r);
    if (!status) status = reading_finish(&r);
    if (!status) place_columns(out), hash(from, out->sha256);
    reading_free(&r);
    if (status) frame_free(out);
    return status;
}
