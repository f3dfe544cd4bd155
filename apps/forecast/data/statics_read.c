/* A table of attributes: which columns say whose they are, and a row for each series. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "statics.h"
#include "util.h"

enum { MOST_IDS = 4 };
typedef struct id_columns { int64_t of[MOST_IDS]; int count; } id_columns;

void static_table_free(static_table *t) {
    if (!t) return;
    tide_table_free(&t->table);
    free(t->path);
    free(t->names);
    free(t->ids);
    free(t->cells);
    free(t->line);
    free(t->sorted);
    free(t->memory);
    *t = (static_table){ 0 };
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the attributes of the series");
}

static void trim(char **cell) {
    *cell += strspn(*cell, " \t");
    for (size_t length = strlen(*cell); length && strchr(" \t", (*cell)[length - 1]);) (*cell)[--length] = 0;
}

/* ---- whose they are ---- */

static id_columns find_ids(const tide_table *t, const long_form *form) {
    id_columns found = { .count = 0 };
    for (int64_t i = 0; form && i < form->ids && i < MOST_IDS; i++) {
        int64_t at = names_find(t->header, t->columns, form->names[i]);
        if (at >= 0) found.of[found.count++] = at;
    }
    if (!form || !form->ids || found.count < form->ids) found = (id_columns){ .of = { 0 }, .count = 1 };
    return found;
}

static bool is_id(const id_columns *ids, int64_t column) {
    for (int i = 0; i < ids->count; i++)
        if (ids->of[i] == column) return true;
    return false;
}

/* Several are joined as the names of series in long format are. */
static bool join_ids(static_table *t, const id_columns *ids) {
    size_t bytes = 1, used = 0;
    for (int64_t r = 0; r < t->rows; r++)
        for (int i = 0; i < ids->count; i++) bytes += strlen(t->table.cells[r * t->table.columns + ids->of[i]]) + 1;
    if (!(t->memory = malloc(bytes))) return false;
    for (int64_t r = 0; r < t->rows; r++) {
        t->ids[r] = t->memory + used;
        for (int i = 0; i < ids->count; i++) {
            const char *cell = t->table.cells[r * t->table.columns + ids->of[i]];
            used += (size_t)snprintf(t->memory + used, bytes - used, "%s%s", i ? "/" : "", cell);
        }
        used++;
    }
    return true;
}

/* ---- one row a series ---- */

typedef struct id_row { const char *id; int64_t row; } id_row;

static int by_id(const void *a, const void *b) {
    const id_row *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

tide_status static_table_finish(static_table *t, tide_failure *failure) {
    id_row *all = malloc((size_t)t->rows * sizeof *all + 1);
    t->sorted   = malloc((size_t)t->rows * sizeof *t->sorted + 1);
    if (!all || !t->sorted) return free(all), no_memory(failure);
    for (int64_t r = 0; r < t->rows; r++) all[r] = (id_row){ t->ids[r], r };
    qsort(all, (size_t)t->rows, sizeof *all, by_id);
    const id_row *twin = NULL;
    for (int64_t r = 0; r < t->rows; r++) {
        t->sorted[r] = all[r].row;
        if (r && !twin && !strcmp(all[r].id, all[r - 1].id)) twin = &all[r];
    }
    tide_status status = TIDE_OK;
    if (twin)
        status = fail_at(failure, TIDE_EDATA, t->path, t->line[twin->row], "static",
                         "'%.60s' has two rows of attributes, the first in line %" PRId64 ": a series has one",
                         twin->id, t->line[twin[-1].row]);
    free(all);
    return status;
}

/* ---- the file ---- */

static tide_status take_cells(static_table *t, const id_columns *ids, tide_failure *failure) {
    const tide_table *from = &t->table;
    int64_t           room = from->columns + 1;
    t->rows  = from->rows;
    t->names = calloc((size_t)room, sizeof *t->names);
    t->ids   = calloc((size_t)t->rows + 1, sizeof *t->ids);
    t->cells = calloc((size_t)(t->rows * room) + 1, sizeof *t->cells);
    t->line  = malloc((size_t)t->rows * sizeof *t->line + 1);
    if (!t->names || !t->ids || !t->cells || !t->line) return no_memory(failure);
    for (int64_t i = 0; i < from->rows * from->columns; i++) trim(&from->cells[i]);
    if (!join_ids(t, ids)) return no_memory(failure);
    for (int64_t c = 0; c < from->columns; c++)
        if (!is_id(ids, c) && *from->header[c]) t->names[t->columns++] = from->header[c];
    memcpy(t->line, from->line, (size_t)t->rows * sizeof *t->line);
    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0, at = 0; c < from->columns; c++)
            if (!is_id(ids, c) && *from->header[c])
                t->cells[r * t->columns + at++] = from->cells[r * from->columns + c];
    return TIDE_OK;
}

static tide_status check_names(const static_table *t, tide_failure *failure) {
    if (!t->rows)
        return fail_at(failure, TIDE_EDATA, t->path, t->table.header_line, "static",
                       "the file has a header but no rows: attributes are a row for each series");
    if (!t->columns)
        return fail_at(failure, TIDE_EDATA, t->path, t->table.header_line, "static",
                       "the file names series and nothing about them: attributes are columns beside '%.60s'",
                       t->table.header[0]);
    for (int64_t c = 0; c < t->columns; c++)
        if (names_find(t->names, c, t->names[c]) >= 0)
            return fail_at(failure, TIDE_EDATA, t->path, t->table.header_line, t->names[c],
                           "two attributes are both named '%.60s'; rename one", t->names[c]);
    return TIDE_OK;
}

tide_status static_table_read(const char *path, char decimal, const long_form *form, static_table *out,
                              tide_failure *failure) {
    *out = (static_table){ .path = strdup(path), .decimal = decimal };
    if (!out->path) return no_memory(failure);
    tide_status status = tide_csv_read(path, NULL, &out->table, failure);
    if (status != TIDE_OK) return status;
    id_columns ids = find_ids(&out->table, form);
    status         = take_cells(out, &ids, failure);
    if (status == TIDE_OK) status = check_names(out, failure);
    return status == TIDE_OK ? static_table_finish(out, failure) : status;
}
