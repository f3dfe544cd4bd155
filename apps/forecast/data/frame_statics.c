/* Attributes of series as columns of a table in long format, the same in all rows of a series. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frame_long.h"
#include "statics.h"

/* A table that is read for a run may lack some: who goes by them says so. */
static bool may_lack(const reading *r, const char *name) {
    for (int64_t c = 0; c < r->table.columns; c++)
        if (!strcmp(r->table.header[c], name)) return false;
    return r->options->run_time != NULL;
}

static tide_status refuse(reading *r, int64_t line, const char *name, const char *what) {
    return forecast_fail(r->failure, TIDE_EDATA, r->path, line, name, "`static-columns`: '%.60s' %s", name, what);
}

/* Of rows without a value nothing is asked. */
static tide_status check_same(reading *r, int64_t column) {
    const series_order *o = &r->series->order;
    const char *name = r->table.header[column];
    for (int64_t s = 0; s < r->series->series; s++) {
        const char *first = NULL;
        for (int64_t i = o->start[s]; i < o->start[s + 1]; i++) {
            const char *text = reading_text(r, o->row[i], column);
            if (number_is_missing(text)) continue;
            if (first && strcmp(first, text) != 0)
                return refuse(r, r->table.line[o->row[i]], name,
                              "changes within a series: what time changes is a covariate, and `value` may name it");
            first = text;
        }
    }
    return TIDE_OK;
}

static tide_status check_one(reading *r, const char *name) {
    if (may_lack(r, name)) return TIDE_OK;
    int64_t column = reading_find(r, "`static-columns`", name);
    if (column < 0) return r->failure ? r->failure->status : TIDE_EDATA;
    if (reading_is_time(r, column) || key_has(&r->series->key, column) || list_has(r->options->value, name))
        return refuse(r, reading_header_line(r), name, "holds the time stamps, the values or what tells series apart");
    return check_same(r, column);
}

tide_status reading_check_statics(reading *r) {
    const char *list = r->options->static_columns;
    size_t      length;
    if (r->options->run_names) return TIDE_OK; /* the run keeps those of its series */
    for (const char *item; list && (item = list_next(&list, &length));) {
        char *name = strndup(item, length);
        if (!name) return reading_no_memory(r);
        tide_status status = check_one(r, name);
        free(name);
        if (status) return status;
    }
    return TIDE_OK;
}

/* ---- kept with the frame: a row for each series that is read ---- */

static bool is_wanted(const reading *r, const char *name) { return list_has(r->options->static_columns, name); }

/* What the series says of itself: "" where no row does. */
static char *cell_of(const reading *r, int64_t s, int64_t column) {
    const struct long_table *l = r->series;
    static char nothing[] = "";
    for (int64_t i = l->order.start[s]; i < l->order.start[s + 1]; i++) {
        char *text = l->table.cells[l->order.row[i] * l->table.columns + column];
        if (!number_is_missing(text)) return text;
    }
    return nothing;
}

static bool make_room(const reading *r, static_table *t, int64_t columns, char **at) {
    const struct long_table *l = r->series;
    size_t bytes = 1;
    for (int64_t s = 0; s < l->series; s++) {
        bytes += series_text(r, &l->table, l->order.row[l->order.start[s]], NULL, 0) + 1;
        for (int64_t c = 0; c < l->table.columns; c++)
            if (is_wanted(r, l->table.header[c])) bytes += strlen(cell_of(r, s, c)) + 1;
    }
    for (int64_t c = 0; c < l->table.columns; c++) bytes += strlen(l->table.header[c]) + 1;
    *at = t->memory = malloc(bytes);
    t->names = calloc((size_t)columns + 1, sizeof *t->names);
    t->ids   = calloc((size_t)l->series + 1, sizeof *t->ids);
    t->cells = calloc((size_t)(l->series * columns) + 1, sizeof *t->cells);
    t->line  = calloc((size_t)l->series + 1, sizeof *t->line);
    return t->memory && t->names && t->ids && t->cells && t->line;
}

static char *put(char **at, const char *text) {
    size_t bytes = strlen(text) + 1;
    char  *to    = memcpy(*at, text, bytes);
    *at += bytes;
    return to;
}

static void put_series(const reading *r, int64_t s, static_table *t, char **at) {
    const struct long_table *l = r->series;
    int64_t row = l->order.row[l->order.start[s]], column = 0;
    size_t  bytes = series_text(r, &l->table, row, NULL, 0) + 1;
    t->line[t->rows] = l->table.line[row];
    t->ids[t->rows]  = *at;
    series_text(r, &l->table, row, *at, bytes);
    *at += bytes;
    for (int64_t c = 0; c < l->table.columns; c++)
        if (is_wanted(r, l->table.header[c])) t->cells[t->rows * t->columns + column++] = put(at, cell_of(r, s, c));
    t->rows++;
}

tide_status reading_keep_statics(reading *r) {
    const struct long_table *l = r->series;
    int64_t columns = 0;
    char   *at;
    for (int64_t c = 0; c < l->table.columns; c++) columns += is_wanted(r, l->table.header[c]);
    if (!columns || r->options->run_names) return TIDE_OK;
    static_table *t = r->out->statics = calloc(1, sizeof *t);
    bool *there = calloc((size_t)l->series + 1, sizeof *there);
    if (!t || !there || !make_room(r, t, columns, &at)) return free(there), reading_no_memory(r);
    for (int64_t c = 0; c < l->table.columns; c++)
        if (is_wanted(r, l->table.header[c])) t->names[t->columns++] = put(&at, l->table.header[c]);
    t->decimal = reading_decimal(r->options);
    for (int64_t i = 0; i < r->count; i++) {
        int64_t s = series_of(r, r->chosen[i]);
        if (!there[s]) put_series(r, s, t, &at);
        there[s] = true;
    }
    free(there);
    if (r->path && !(t->path = strdup(r->path))) return reading_no_memory(r);
    return static_table_finish(t, r->failure);
}
