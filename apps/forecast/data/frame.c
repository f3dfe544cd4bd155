/* Reading a table into a frame: header, time column, columns, cells, warnings, in this order. */
#include "frame.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_reading.h"
#include "statics.h"
#include "zone.h"

tide_status reading_no_memory(reading *r) {
    return forecast_fail(r->failure, TIDE_ENOMEM, r->path, 0, NULL, "out of memory while reading the data");
}

char reading_decimal(const frame_options *o) { return o->decimal ? o->decimal : o->thousands == '.' ? ',' : '.'; }

tide_status reading_check_options(reading *r) {
    const frame_options *o = r->options;
    if (o->thousands && (o->thousands == reading_decimal(o) || strchr("+-0123456789eE", o->thousands)))
        return forecast_fail(r->failure, TIDE_EINVAL, NULL, 0, "thousands",
                             "`thousands` is what groups digits, such as , . ' or a blank, and not the decimal sign");
    if (o->decimal && o->decimal != '.' && o->decimal != ',')
        return forecast_fail(r->failure, TIDE_EINVAL, NULL, 0, "decimal", "the decimal sign is '.' or ','");
    if (o->decimal == ',' && o->separator == ',')
        return forecast_fail(r->failure, TIDE_EINVAL, NULL, 0, "sep",
                             "a comma cannot separate both columns and decimals; give another `sep`");
    if (o->categorical && o->kind == KIND_PEMS && !r->from)
        return forecast_fail(r->failure, TIDE_EINVAL, NULL, 0, "categorical",
                             "`categorical`: a file of `kind` pems holds numbers alone");
    time_step step;
    if (o->freq && !step_parse(o->freq, &step))
        return forecast_fail(r->failure, TIDE_EINVAL, NULL, 0, "freq",
                             "'%s' is no frequency; accepted are s, min, h, d, b, w, m, q and y, with a count before "
                             "it: 15min; and pandas' words: MS, ME, BMS, BME, QS-JAN, QE-DEC, YS, YE, W-SUN; "
                             "and hours of a week: 'h, Mon-Fri 10:00-16:00'",
                             o->freq);
    return o->tz ? zone_open(o->tz, &r->out->zone, r->failure) : TIDE_OK;
}

static tide_status read_csv_frame(reading *r) {
    tide_status status = reading_table(r);
    if (!status && !(r->left_out = calloc((size_t)r->table.columns + 1, sizeof *r->left_out)))
        status = reading_no_memory(r);
    if (!status) status = reading_check_header(r);
    if (!status) status = reading_find_time(r);
    if (!status) status = reading_parse_time(r);
    if (!status && !r->series) status = reading_expand_categories(r);
    if (!status && !r->series) status = reading_leave_parts(r);
    if (!status && !r->series) status = reading_choose(r);
    if (!status && !r->series) status = reading_read_cells(r);
    if (!status && !r->series) status = reading_aggregate(r);
    if (!status) status = reading_settle_step(r);
    return status ? status : reading_settle_missing(r);
}

/* ETT's benchmark uses 20 "months" of 30 days. */
static tide_status cut_rows(reading *r) {
    frame *f = r->out;
    f->rows = f->file_rows;
    frame_kind kind = r->options->kind;
    if (kind != KIND_ETTH && kind != KIND_ETTM) return TIDE_OK;
    int64_t wanted = train_rows(kind, 0) / 12 * 20;
    if (f->file_rows < wanted)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, NULL,
                             "there are %" PRId64 " rows; `kind` %s uses the first %" PRId64 " of ETT's: use "
                                                                                                "`kind` custom",
                             f->file_rows, kind == KIND_ETTH ? "etth" : "ettm", wanted);
    f->rows = wanted;
    return TIDE_OK;
}

static bool column_is_constant(const frame *f, int64_t column, int64_t rows) {
    double first = f->values[column];
    for (int64_t i = 1; i < rows; i++)
        if (f->values[i * f->columns + column] != first) return false;
    return !isnan(first);
}

static tide_status note_constant_columns(reading *r) {
    const frame *f = r->out;
    if (r->options->run_names) return TIDE_OK; /* these are no training rows */
    int64_t rows = train_rows(r->options->kind, f->rows), found = 0;
    char **names = calloc((size_t)f->columns, sizeof *names);
    if (!names) return reading_no_memory(r);
    for (int64_t c = 0; c < f->columns && rows > 1; c++)
        if (column_is_constant(f, c, rows)) names[found++] = f->names[c];
    char list[200];
    names_list(list, sizeof list, names, found);
    free(names);
    if (!found) return TIDE_OK;
    return reading_note(r, "constant over the %" PRId64 " training rows, so not scaled: %s\n", rows, list);
}

/* Names go into the forecast as they are, so that it can be read again; a spreadsheet may take one for a formula and
 * run it. */
static tide_status note_formulas(reading *r) {
    const frame *f = r->out;
    for (int64_t i = 0; i < f->columns; i++)
        if (strchr("=+-@\t\r", f->names[i][0]) && f->names[i][0])
            return reading_note(
                r, "column \"%.60s\" begins as a formula does: spreadsheets may run it when they open a forecast\n",
                f->names[i]);
    return TIDE_OK;
}

tide_status reading_finish(reading *r) {
    tide_status status = cut_rows(r);
    if (!status) status = note_constant_columns(r);
    if (!status && r->options->tz && !r->out->time)
        status = reading_note(r, "`tz` has no effect: no column holds time stamps\n");
    if (!status) status = note_formulas(r);
    r->out->path = r->path ? strdup(r->path) : NULL;
    if (!status && r->path && !r->out->path) status = reading_no_memory(r);
    if (!status) status = reading_note(r, "%s", "");
    return status;
}

void reading_free(reading *r) {
    tide_table_free(&r->table);
    reading_long_free(r);
    free(r->chosen);
    free(r->left_out);
    free(r->before);
    free(r->run_names);
    reading_free_categories(r);
    r->out->warnings = r->notes;
}

tide_status frame_read(const char *path, const frame_options *options, frame *out, tide_failure *failure) {
    *out = (frame){ 0 };
    reading r = { .path = path, .options = options, .out = out, .failure = failure };
    tide_status status = reading_check_options(&r);
    if (!status) status = options->kind == KIND_PEMS ? reading_pems(&r) : read_csv_frame(&r);
    if (!status && options->kind == KIND_PEMS && !options->run_time)
        status = tide_file_sha256(path, out->sha256, failure);
    if (!status) status = reading_finish(&r);
    reading_free(&r);
    if (status) frame_free(out);
    return status;
}

static void free_names(char **names, int64_t count) {
    for (int64_t i = 0; names && i < count; i++) free(names[i]);
    free(names);
}

void time_columns_free(time_columns *t) {
    for (int i = 0; i < t->count; i++) free(t->of[i].name);
    *t = (time_columns){ 0 };
}

bool time_columns_copy(const time_columns *from, time_columns *out) {
    *out = *from;
    for (int i = 0; i < out->count; i++) out->of[i].name = NULL;
    for (int i = 0; i < out->count; i++)
        if (!(out->of[i].name = strdup(from->of[i].name))) return time_columns_free(out), false;
    return true;
}

void frame_free(frame *f) {
    if (!f) return;
    free_names(f->names, f->columns);
    free(f->values);
    free(f->time);
    zone_free(f->zone);
    free(f->time_name);
    time_columns_free(&f->time_columns);
    long_form_free(&f->form);
    free(f->place);
    free(f->warnings);
    free(f->categorical);
    static_table_free(f->statics);
    free(f->statics);
    free(f->path);
    *f = (frame){ 0 };
}

bool frame_looks_like_ett(const frame *f) {
    static const char *const names[] = { "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT" };
    if (f->columns != 7 || (f->file_rows != 17420 && f->file_rows != 69680)) return false;
    for (int i = 0; i < 7; i++)
        if (strcmp(f->names[i], names[i])) return false;
    return true;
}

static bool append_names(frame *f, char *const *names, int64_t count) {
    char   **all   = realloc(f->names, (size_t)(f->columns + count) * sizeof *all);
    int64_t *place = f->place ? realloc(f->place, (size_t)(f->columns + count) * sizeof *place) : NULL;
    int64_t  last  = f->columns, made = 0;
    if (all) f->names = all;
    if (place) f->place = place;
    if (!all || (f->place && !place)) return false;
    for (int64_t c = 0; place && c < f->columns; c++) last = place[c] >= last ? place[c] + 1 : last;
    for (int64_t c = 0; place && c < count; c++) place[f->columns + c] = last + c;
    while (made < count && (all[f->columns + made] = strdup(names[made]))) made++;
    for (int64_t c = 0; made < count && c < made; c++) free(all[f->columns + c]);
    return made == count;
}

bool frame_append(frame *f, char *const *names, int64_t count, const double *values) {
    int64_t wide = f->columns + count;
    double *all  = malloc((size_t)(f->file_rows * wide) * sizeof *all + 1);
    if (!all || !append_names(f, names, count)) return free(all), false;
    for (int64_t i = 0; i < f->file_rows; i++) {
        memcpy(all + i * wide, f->values + i * f->columns, (size_t)f->columns * sizeof *all);
        memcpy(all + i * wide + f->columns, values + i * count, (size_t)count * sizeof *all);
    }
    free(f->values);
    f->values = all, f->columns = wide;
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(**(char *const *const *)a, **(char *const *const *)b);
}

/* Where each of `names` stands in the frame, found by halving: both may have a million columns. */
static tide_status find_sorted(const frame *f, char **const *sorted, const char *path, char *const *names,
                               int64_t count, int64_t *from,
                               tide_failure *failure) {
    for (int64_t i = 0; i < count; i++) {
        char *const *name = &names[i],
                    **const *found = bsearch(&name, sorted, (size_t)f->columns, sizeof *sorted, by_name);
        if (found) {
            from[i] = *found - f->names;
            continue;
        }
        char list[320];
        names_list(list, sizeof list, f->names, f->columns);
        return forecast_fail(failure, TIDE_EDATA, path, 1, names[i],
                             "the model needs a column '%s'; the file has %s", names[i], list);
    }
    return TIDE_OK;
}

static tide_status find_names(const frame *f, const char *path, char *const *names, int64_t count, int64_t *from,
                              tide_failure *failure) {
    char ***sorted = malloc((size_t)f->columns * sizeof *sorted + 1);
    if (!sorted) return TIDE_ENOMEM;
    for (int64_t c = 0; c < f->columns; c++) sorted[c] = &f->names[c];
    qsort(sorted, (size_t)f->columns, sizeof *sorted, by_name);
    tide_status status = find_sorted(f, sorted, path, names, count, from, failure);
    free(sorted);
    return status;
}

/* Moves the columns `from` of f into new arrays, then swaps them in. Names move: none is in `from` twice. */
static tide_status take_columns(frame *f, const int64_t *from, int64_t count) {
    double *values = malloc((size_t)(f->file_rows * count) * sizeof *values);
    char **names = calloc((size_t)count, sizeof *names);
    int64_t *place = calloc((size_t)count, sizeof *place);
    long_form form = { 0 };
    if (!values || !names || !place || !long_form_take(&f->form, from, count, &form)) {
        free(values);
        free(names);
        free(place);
        return TIDE_ENOMEM;
    }
    for (int64_t i = 0; i < f->file_rows; i++)
        for (int64_t c = 0; c < count; c++) values[i * count + c] = f->values[i * f->columns + from[c]];
    for (int64_t c = 0; c < count; c++) {
        place[c] = f->place ? f->place[from[c]] : from[c];
        names[c] = f->names[from[c]];
        f->names[from[c]] = NULL;
    }
    int64_t target = count - 1;
    for (int64_t c = 0; c < count; c++)
        if (from[c] == f->target) target = c;
    free(f->values);
    free_names(f->names, f->columns);
    free(f->place);
    long_form_free(&f->form);
    f->form = form;
    f->values = values;
    f->place = place;
    f->names = names;
    f->columns = count;
    f->target = target;
    return TIDE_OK;
}

tide_status frame_select(frame *f, const char *path, char *const *names, int64_t count, tide_failure *failure) {
    int64_t *from = calloc((size_t)count + 1, sizeof *from);
    tide_status status = from ? find_names(f, path, names, count, from, failure) : TIDE_ENOMEM;
    if (!status) status = take_columns(f, from, count);
    if (status == TIDE_ENOMEM)
        forecast_fail(failure, TIDE_ENOMEM, path, 0, NULL, "out of memory while choosing columns");
    free(from);
    return status;
}
