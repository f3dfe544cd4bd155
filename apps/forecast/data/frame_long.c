/* A table in long format becomes a column for each series before columns are chosen: its cells are read as numbers
 * where they stand, then each goes to the row of its stamp and the column of its series. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_long.h"
#include "long_form.h"

void reading_long_free(reading *r) {
    struct long_table *l = r->series;
    if (!l) return;
    free(l->value);
    free(l->of);
    series_order_free(&l->order);
    free(l->time);
    free(l->number);
    tide_table_free(&l->table);
    free(l);
    r->series = NULL;
}

/* ---- the rows by series ---- */

/* How many; -1: out of memory. */
static int64_t number_rows(const reading *r, const series_key *key, int32_t *of) {
    int64_t  rows = r->table.rows;
    int32_t *more = malloc((size_t)rows * sizeof *more + 1), *both = malloc((size_t)rows * sizeof *both + 1);
    int64_t  series = more && both ? series_number(r, key->column[0], rows, of) : -1;
    for (int i = 1; series >= 0 && i < key->count; i++) {
        series = series_number(r, key->column[i], rows, more);
        if (series >= 0) series = series_combine(of, more, rows, rows, both);
        if (series >= 0) memcpy(of, both, (size_t)rows * sizeof *both);
    }
    free(more);
    free(both);
    return series;
}

static bool number_series(reading *r) {
    struct long_table *l = r->series;
    int64_t            rows = r->table.rows;
    l->of     = malloc((size_t)rows * sizeof *l->of + 1);
    l->series = l->of ? number_rows(r, &l->key, l->of) : -1;
    return l->series >= 0 && series_sort(r->out->time, l->of, rows, l->series, &l->order);
}

tide_status reading_group_rows(reading *r, series_order *out) {
    series_key  key;
    tide_status status = reading_find_key(r, &key);
    *out = (series_order){ 0 };
    if (status || !key.count) return status;
    int32_t *of     = malloc((size_t)r->table.rows * sizeof *of + 1);
    int64_t  series = of ? number_rows(r, &key, of) : -1;
    bool     fine   = series >= 0 && series_group(of, r->table.rows, series, out);
    free(of);
    return fine ? TIDE_OK : reading_no_memory(r);
}

/* A row whose id cells are all empty belongs to no series. */
static tide_status refuse_nameless(reading *r) {
    const struct long_table *l = r->series;
    for (int64_t s = 0; s < l->series; s++) {
        int64_t row = l->order.row[l->order.start[s]], filled = 0;
        for (int i = 0; i < l->key.count; i++) filled += reading_text(r, row, l->key.column[i])[0] != 0;
        if (filled) continue;
        for (int64_t i = l->order.start[s]; i < l->order.start[s + 1]; i++)
            if (l->order.row[i] < row) row = l->order.row[i];
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->table.header[l->key.column[0]],
                             "the row does not say which series it belongs to: fill '%.60s', or take the row out",
                             r->table.header[l->key.column[0]]);
    }
    return TIDE_OK;
}

size_t series_text(const reading *r, const tide_table *t, int64_t row, char *buffer, size_t bytes) {
    const series_key *key = &r->series->key;
    size_t            used = 0;
    for (int i = 0; i < key->count; i++) {
        const char *cell = t->cells[row * t->columns + key->column[i]];
        bool        room = used < bytes;
        used += (size_t)snprintf(room ? buffer + used : NULL, room ? bytes - used : 0, "%s%s", i ? "/" : "", cell);
    }
    return used;
}

/* ---- numbers ---- */

/* With the file's own rows and columns, so that what cannot be read is told by them. */
static tide_status read_numbers(reading *r) {
    struct long_table *l = r->series;
    frame             *f = r->out;
    r->chosen = l->value, r->count = f->columns = l->values;
    tide_status status = reading_read_cells(r);
    l->number = f->values, f->values = NULL;
    r->chosen = NULL, r->count = f->columns = 0;
    return status;
}

/* ---- a column for each series and value ---- */

static size_t name_length(const reading *r, int64_t row) {
    const struct long_table *l = r->series;
    size_t longest = 0;
    for (int64_t v = 0; l->values > 1 && v < l->values; v++) {
        size_t length = 1 + strlen(l->table.header[l->value[v]]);
        if (length > longest) longest = length;
    }
    return longest + series_text(r, &l->table, row, NULL, 0) + 1;
}

static char *put_name(const reading *r, int64_t row, int64_t v, char *at) {
    const struct long_table *l = r->series;
    at += series_text(r, &l->table, row, at, name_length(r, row));
    if (l->values > 1) at += sprintf(at, "/%s", l->table.header[l->value[v]]);
    return at + 1;
}

/* The time columns first, without names, which a series may have as well. */
static tide_status name_columns(reading *r) {
    struct long_table *l = r->series;
    tide_table        *t = &r->table;
    size_t             bytes = 1;
    for (int64_t s = 0; s < l->series; s++)
        bytes += (size_t)l->values * name_length(r, l->order.row[l->order.start[s]]);
    t->columns = r->time.count + l->series * l->values;
    t->header  = malloc((size_t)t->columns * sizeof *t->header);
    char *at   = t->memory = malloc(bytes);
    free(r->left_out);
    r->left_out = calloc((size_t)t->columns, sizeof *r->left_out);
    if (!t->header || !t->memory || !r->left_out) return reading_no_memory(r);
    int64_t c = 0;
    for (; c < r->time.count; c++) t->header[c] = "", r->time.of[c].place = c;
    for (int64_t s = 0; s < l->series; s++)
        for (int64_t v = 0; v < l->values; v++) {
            t->header[c++] = at;
            at = put_name(r, l->order.row[l->order.start[s]], v, at);
        }
    return TIDE_OK;
}

/* The file's table steps aside for one that has names alone, as a frame in memory has. */
static tide_status turn_table(reading *r) {
    r->series->table = r->table;
    r->table         = (tide_table){ .header_line = r->table.header_line };
    tide_status status = name_columns(r);
    return status ? status : reading_check_twins(r);
}

/* ---- where a value stands in the file ---- */

int64_t reading_line(const reading *r, int64_t row, int64_t column) {
    const struct long_table *l = r->series;
    if (!l) return r->table.line[row];
    int64_t s = series_of(r, r->chosen[column]), low = l->order.start[s], high = l->order.start[s + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (l->time[l->order.row[middle]] < r->out->time[row]) low = middle + 1;
        else high = middle;
    }
    bool given = low < l->order.start[s + 1] && l->time[l->order.row[low]] == r->out->time[row];
    return given ? l->table.line[l->order.row[low]] : r->table.line[row];
}

bool reading_was_column(const reading *r, const char *name) {
    for (int64_t c = 0; r->series && c < r->series->table.columns; c++)
        if (!strcmp(r->series->table.header[c], name)) return true;
    return false;
}

bool reading_is_value(const reading *r, const char *name) {
    for (int64_t v = 0; name && r->series && v < r->series->values; v++)
        if (!strcmp(r->series->table.header[r->series->value[v]], name)) return true;
    return false;
}

/* ---- how a forecast is written ---- */

static const char *id_cell(const reading *r, int64_t column, int64_t id) {
    const struct long_table *l = r->series;
    return l->table.cells[l->order.row[l->order.start[series_of(r, column)]] * l->table.columns + l->key.column[id]];
}

static bool keep_form(reading *r) {
    const struct long_table *l = r->series;
    long_form *form = &r->out->form;
    if (!long_form_new(form, l->key.count, l->values, r->count)) return false;
    bool fine = true;
    for (int64_t i = 0; fine && i < form->ids + form->values; i++) {
        int64_t column = i < form->ids ? l->key.column[i] : l->value[i - form->ids];
        form->place[i] = l->table.place ? l->table.place[column] : column;
        fine = (form->names[i] = strdup(l->table.header[column])) != NULL;
    }
    for (int64_t c = 0; fine && c < r->count; c++) {
        form->value[c] = value_of(r, r->chosen[c]);
        for (int64_t i = 0; fine && i < form->ids; i++)
            fine = (form->id[c * form->ids + i] = strdup(id_cell(r, r->chosen[c], i))) != NULL;
    }
    return fine;
}

/* ---- all of it ---- */

static tide_status note_form(reading *r) {
    const struct long_table *l = r->series;
    char   ids[200] = "", values[200] = "";
    char **names = calloc((size_t)(l->values + MOST_KEYS), sizeof *names);
    if (!names) return reading_no_memory(r);
    for (int i = 0; i < l->key.count; i++) names[i] = r->table.header[l->key.column[i]];
    names_list(ids, sizeof ids, names, l->key.count);
    for (int64_t i = 0; i < l->values; i++) names[i] = r->table.header[l->value[i]];
    names_list(values, sizeof values, names, l->values);
    free(names);
    tide_status status = TIDE_OK;
    if (!r->options->id || !r->options->value)
        status = reading_note(r, "long format: %" PRId64 " series by %s, values in %s (`id` and `value` name others, "
                                 "`id` none takes the rows as they are)\n", l->series, ids, values);
    if (status || l->order.ascending) return status;
    return reading_note(r, "the rows of each series were put in the order of time\n");
}

static tide_status take_rows(reading *r, series_key key) {
    struct long_table *l = r->series = calloc(1, sizeof *l);
    if (!l) return reading_no_memory(r);
    l->key   = key;
    l->value = calloc((size_t)r->table.columns + 1, sizeof *l->value);
    l->time  = malloc((size_t)r->table.rows * sizeof *l->time + 1);
    if (!l->value || !l->time || !number_series(r)) return reading_no_memory(r);
    memcpy(l->time, r->out->time, (size_t)r->table.rows * sizeof *l->time);
    return refuse_nameless(r);
}

tide_status reading_pivot(reading *r) {
    series_key  key;
    tide_status status = reading_find_key(r, &key);
    if (!status && !key.count && r->options->value && !r->options->run_names)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, reading_header_line(r), "value",
                             "`value` is for long format, and no column tells series apart: `id` names one");
    if (status || !key.count) return status;
    status = take_rows(r, key);
    for (int i = 0; !status && i < key.count; i++) r->left_out[key.column[i]] = true;
    if (!status) status = reading_leave_parts(r);
    if (!status) status = reading_check_statics(r);
    if (!status) status = reading_find_values(r);
    if (!status) status = note_form(r);
    if (!status) status = reading_note_others(r);
    if (!status) status = read_numbers(r);
    if (!status) status = reading_settle_repeats(r);
    if (!status) status = turn_table(r);
    if (!status) status = reading_lay_out(r);
    if (!status && !keep_form(r)) status = reading_no_memory(r);
    if (!status) status = reading_keep_statics(r);
    return status;
}
