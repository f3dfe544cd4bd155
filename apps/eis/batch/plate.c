/* The plate read, and its rows laid beside the spectra. */
#include "plate.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/options/tell.h"
#include "eis/read/sweeps.h"

enum { FILE_COLUMN, SWEEP, WELL, CONDITION, DONOR, TIME, AREA, BLANK, COLUMNS };
static const char *const names[COLUMNS] = {
    "file", "sweep", "well", "condition", "donor", "time", "area_cm2", "blank"
};
#define NAMES "file|sweep|well|condition|donor|time|area_cm2|blank"

typedef struct plate_reading {
    plate *s;
    int64_t at[COLUMNS]; /* of each name; -1: there is no such column */
} plate_reading;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the plate");
}

static tide_status bad(const plate_reading *p, int64_t line, int column, tide_failure *failure, const char *what,
                       const char *cell) {
    return fail_at(failure, TIDE_EDATA, p->s->path, line, names[column], "%s, line %lld, column %s: %s%.80s",
                   p->s->path, (long long)line, names[column], what, cell);
}

/* ---- columns ---- */

static int name_of(const char *heading) {
    for (int k = 0; k < COLUMNS; k++)
        if (strcasecmp(heading, names[k]) == 0) return k;
    return COLUMNS;
}

static tide_status tell_unknown(const plate_reading *p, const char *heading, eis_listener listener, void *user,
                                tide_failure *failure) {
    char line[1536], near[32];
    const char *found = tide_word_nearest(heading, NAMES, near, sizeof near);
    snprintf(line, sizeof line,
             "%.900s: the column \"%.100s\" is not used%s%s%s; columns are file, sweep, well, "
             "condition, donor, time, area_cm2, blank",
             p->s->path, heading, found ? ": did you mean " : "", found ? found : "", found ? "?" : "");
    return eis_tell(listener, user, EIS_WARNING, line) ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static tide_status find_columns(plate_reading *p, eis_listener listener, void *user, tide_failure *failure) {
    const tide_table *t = &p->s->table;
    tide_status status = TIDE_OK;
    for (int k = 0; k < COLUMNS; k++) p->at[k] = -1;
    for (int64_t c = 0; status == TIDE_OK && c < t->columns; c++) {
        int k = name_of(t->header[c]);
        if (k == COLUMNS) status = *t->header[c] ? tell_unknown(p, t->header[c], listener, user, failure) : TIDE_OK;
        else if (p->at[k] >= 0) status = bad(p, 1, k, failure, "it is there twice", "");
        else p->at[k] = c;
    }
    if (status == TIDE_OK && p->at[FILE_COLUMN] < 0)
        status = fail_at(failure, TIDE_EDATA, p->s->path, 1, "file",
                         "%s has no column file; it needs one, and may have sweep, well, condition, donor, time, "
                         "area_cm2, blank",
                         p->s->path);
    return status;
}

/* ---- rows ---- */

/* With a decimal comma or point. */
static bool number_of(const char *cell, double *out) {
    char copy[64], *end;
    if (snprintf(copy, sizeof copy, "%s", cell) >= (int)sizeof copy || !*cell) return false;
    if (cell[strspn(cell, "0123456789+-.,eE")]) return false; /* other letters may be numbers to C, not here */
    char *comma = strchr(copy, ',');
    if (comma && !strchr(copy, '.')) *comma = '.';
    double value = num_parse(copy, &end);
    if (*end || end == copy || !isfinite(value)) return false;
    *out = value;
    return true;
}

static const char *cell_of(const plate_reading *p, int64_t row, int column) {
    const tide_table *t = &p->s->table;
    return p->at[column] < 0 ? "" : t->cells[row * t->columns + p->at[column]];
}

static tide_status read_row(const plate_reading *p, int64_t row, plate_row *out, tide_failure *failure) {
    const char *cell[COLUMNS];
    int64_t line = p->s->table.line[row];
    for (int k = 0; k < COLUMNS; k++) cell[k] = cell_of(p, row, k);
    *out = (plate_row){ cell[FILE_COLUMN],
                     cell[SWEEP],
                     cell[WELL],
                     cell[CONDITION],
                     cell[DONOR],
                     cell[TIME],
                     cell[BLANK],
                     NAN,
                     NAN,
                     line,
                     0 };
    if (strncmp(out->file, "./", 2) == 0) out->file += 2;
    if (!*out->file) return bad(p, line, FILE_COLUMN, failure, "it is empty", "");
    number_of(out->time, &out->time_number);
    if (*cell[AREA] && !(number_of(cell[AREA], &out->area_cm2) && out->area_cm2 >= 1e-12 && out->area_cm2 <= 1e6))
        return bad(p, line, AREA, failure, "an area above 0 in cm2 is needed, at most 1e6, not ", cell[AREA]);
    return TIDE_OK;
}

static bool is_empty(const tide_table *t, int64_t row) {
    for (int64_t c = 0; c < t->columns; c++)
        if (*t->cells[row * t->columns + c]) return false;
    return true;
}

static tide_status read_rows(const plate_reading *p, tide_failure *failure) {
    plate *s = p->s;
    tide_status status = TIDE_OK;
    s->of = calloc((size_t)MAX2(s->table.rows, 1), sizeof *s->of);
    if (!s->of) return out_of_memory(failure);
    for (int64_t row = 0; status == TIDE_OK && row < s->table.rows; row++)
        if (!is_empty(&s->table, row)) status = read_row(p, row, &s->of[s->count++], failure);
    if (status == TIDE_OK && !s->count)
        status = fail_at(failure, TIDE_EDATA, s->path, 0, "samples", "%s has no rows", s->path);
    return status;
}

tide_status plate_read(const char *path, eis_listener listener, void *user, plate *out, tide_failure *failure) {
    plate_reading p = { .s = out };
    *out = (plate){ .path = path };
    tide_status status = tide_csv_read(path, NULL, &out->table, failure);
    if (status == TIDE_OK) status = find_columns(&p, listener, user, failure);
    return status == TIDE_OK ? read_rows(&p, failure) : status;
}

/* ---- beside the spectra ---- */

bool plate_names_file(const char *word, const char *path) {
    size_t length = strlen(word), whole = strlen(path);
    return length <= whole && strcmp(path + whole - length, word) == 0 &&
           (length == whole || path[whole - length - 1] == '/');
}

/* Of a file's only sweep `well` is its name and no choice. */
static bool names_sweep(const plate_row *of, const measured_item *item, int64_t number, bool only) {
    const char *word = *of->sweep ? of->sweep : only ? "" : of->well;
    return !item->spectrum || sweeps_wanted(word, number, item->spectrum->name);
}

static tide_status refuse_two_rows(const plate *s, const plate_row *a, const plate_row *b, const char *name,
                                   tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, s->path, b->line, "file",
                   "%s, lines %lld and %lld: both name %s; of a file with several sweeps the column sweep or well says "
                   "which",
                   s->path, (long long)a->line, (long long)b->line, name);
}

static tide_status refuse_two_files(const plate *s, const plate_row *of, const char *path, tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, s->path, of->line, "file",
                   "%s, line %lld: %s is %s and %s: write as much of the path as tells them apart", s->path,
                   (long long)of->line, of->file, of->path, path);
}

static tide_status match_item(plate *s, const measured_item *item, int64_t number, bool only, const plate_row **out,
                              tide_failure *failure) {
    for (int64_t i = 0; i < s->count; i++) {
        plate_row *of = &s->of[i];
        if (!plate_names_file(of->file, item->path) || !names_sweep(of, item, number, only)) continue;
        if (*out && item->spectrum) return refuse_two_rows(s, *out, of, item->spectrum->name, failure);
        if (of->path && strcmp(of->path, item->path) != 0) return refuse_two_files(s, of, item->path, failure);
        of->path = item->path;
        if (!*out) *out = of;
    }
    return TIDE_OK;
}

tide_status plate_match(plate *s, const measured *m, tide_failure *failure) {
    tide_status status = TIDE_OK;
    s->item = calloc((size_t)MAX2(m->count, 1), sizeof(const plate_row *));
    if (!s->item) return out_of_memory(failure);
    for (int64_t i = 0, first = 0; status == TIDE_OK && i < m->count; i++) {
        if (m->item[i].path != m->item[first].path) first = i;
        bool more = i + 1 < m->count && m->item[i + 1].path == m->item[i].path;
        status = match_item(s, &m->item[i], i - first + 1, i == first && !more, &s->item[i], failure);
    }
    return status;
}

void plate_free(plate *s) {
    free(s->of);
    free(s->item);
    tide_table_free(&s->table);
    *s = (plate){ 0 };
}
