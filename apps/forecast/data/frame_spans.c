/* Series of different spans in one table: those that hold too little are left out, the stamps of the others make the
 * rows, and cells that no row of the file gives are gaps. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frame_long.h"

/* ---- series that cannot be used ---- */

/* Values of a column at stamps before `end`. */
static int64_t count_values(const reading *r, int64_t column, int64_t end) {
    const struct long_table *l = r->series;
    int64_t count = 0, s = series_of(r, column);
    for (int64_t i = l->order.start[s]; i < l->order.start[s + 1]; i++) {
        int64_t row = l->order.row[i];
        count += l->time[row] < end && !isnan(l->number[row * l->values + value_of(r, column)]);
    }
    return count;
}

static bool asked_for(const reading *r, int64_t column) {
    const frame_options *o    = r->options;
    const char          *name = r->table.header[column];
    return (o->target && !strcmp(o->target, name)) || list_has(o->columns, name);
}

/* Leaves out the columns with fewer than `fewest` values before `end`, but for those asked for by name; how many. */
static int64_t leave_short(reading *r, int64_t fewest, int64_t end, char **names) {
    int64_t found = 0;
    if (r->options->features == FEATURES_S && r->options->target) return 0;
    for (int64_t c = r->time.count; c < r->table.columns; c++) {
        if (!reading_wanted(r, c) || asked_for(r, c) || count_values(r, c, end) >= fewest) continue;
        r->left_out[c] = true;
        names[found++] = r->table.header[c];
    }
    return found;
}

static tide_status note_short(reading *r, char *const *names, int64_t found, const char *why) {
    char list[600];
    if (!found) return TIDE_OK;
    names_list(list, sizeof list, names, found);
    return reading_note(r, "%" PRId64 " series left out, %s: %s; `columns` with its name among the others "
                            "keeps one\n", found, why, list);
}

static tide_status fail_all_short(reading *r) {
    int64_t most = 0, column = r->time.count;
    for (int64_t c = r->time.count; c < r->table.columns; c++) {
        int64_t count = reading_wanted(r, c) ? count_values(r, c, INT64_MAX) : 0;
        if (count > most) most = count, column = c;
    }
    return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, NULL,
                         "no series has the %" PRId64 " values that a window needs, `seq-len` and `pred-len` together: "
                         "the most are %" PRId64 ", of '%.60s'", r->options->window, most, r->table.header[column]);
}

/* Where all are too short none is left out: a table with fewer rows than a window is refused when it is split, with
 * sizes that fit. */
static tide_status leave_too_short(reading *r, char **names, bool *all) {
    int64_t wanted = 0;
    for (int64_t c = 0; c < r->table.columns; c++) wanted += reading_wanted(r, c);
    int64_t found = leave_short(r, r->options->window, INT64_MAX, names);
    *all = found && found == wanted;
    if (*all) memset(r->left_out, 0, (size_t)r->table.columns * sizeof *r->left_out);
    return *all ? TIDE_OK : note_short(r, names, found, "with fewer values than a window has rows");
}

/* ---- the axis: the stamps of all series that are read ---- */

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Which series has a chosen column. */
static bool *chosen_series(reading *r) {
    bool *chosen = calloc((size_t)r->series->series + 1, sizeof *chosen);
    for (int64_t i = 0; chosen && i < r->count; i++) chosen[series_of(r, r->chosen[i])] = true;
    return chosen;
}

static tide_status make_axis(reading *r) {
    const struct long_table *l = r->series;
    frame *f      = r->out;
    bool  *chosen = chosen_series(r);
    int64_t rows = 0, kept = 0;
    free(f->time);
    f->time = malloc((size_t)l->table.rows * sizeof *f->time + 1);
    for (int64_t i = 0; chosen && f->time && i < l->table.rows; i++)
        if (chosen[l->of[i]]) f->time[rows++] = l->time[i];
    free(chosen);
    if (!rows) return reading_no_memory(r); /* what is chosen has rows */
    qsort(f->time, (size_t)rows, sizeof *f->time, by_number);
    for (int64_t i = 0; i < rows; i++)
        if (!i || f->time[i] != f->time[kept - 1]) f->time[kept++] = f->time[i];
    f->file_rows = kept;
    return TIDE_OK;
}

static void unchoose(reading *r) {
    frame *f = r->out;
    for (int64_t c = 0; c < f->columns; c++) free(f->names[c]);
    free(f->names);
    free(f->place);
    free(r->chosen);
    free(r->run_names);
    f->names = NULL, f->place = NULL, r->chosen = NULL, r->run_names = NULL;
    f->columns = r->count = 0;
}

/* The first stamp behind the training rows. */
static int64_t end_of_training(const reading *r) {
    const frame *f = r->out;
    int64_t rows = train_rows_sized(r->options->kind, r->options->sizes, f->file_rows);
    return rows < f->file_rows ? f->time[rows > 0 ? rows : 0] : INT64_MAX;
}

/* A series left out may take stamps with it, and the training rows end elsewhere; some rounds are enough. */
static tide_status choose(reading *r, char **names) {
    enum { ROUNDS = 4 };
    tide_status status = reading_choose(r);
    if (!status) status = make_axis(r);
    for (int i = 0; i < ROUNDS && r->out->file_rows >= r->options->window && r->options->window && !status; i++) {
        int64_t found = leave_short(r, 1, end_of_training(r), names);
        if (!found) break;
        status = note_short(r, names, found, "without a value among the training rows");
        unchoose(r);
        if (!status) status = reading_choose(r);
        if (!status) status = make_axis(r);
    }
    return status;
}

/* ---- values ---- */

/* Series of which hardly two share a stamp would take memory without end. */
static tide_status refuse_sparse(reading *r) {
    enum { MOST_CELLS = 100000000, THINNEST = 50 };
    const struct long_table *l = r->series;
    int64_t rows = r->out->file_rows;
    double  cells = (double)rows * (double)r->count, given = (double)l->table.rows * (double)l->values;
    if (cells < MOST_CELLS || cells < THINNEST * given) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, NULL,
                         "%" PRId64 " series share so few of their %" PRId64 " time stamps that %.1f %% of a table of "
                         "both would be filled: `columns` picks series that go together", r->count, rows,
                         100 * given / cells);
}

static void fill_column(reading *r, int64_t at) {
    const struct long_table *l = r->series;
    frame  *f = r->out;
    int64_t s = series_of(r, r->chosen[at]), v = value_of(r, r->chosen[at]), i = l->order.start[s];
    for (int64_t row = 0; row < f->file_rows; row++) {
        bool given = i < l->order.start[s + 1] && l->time[l->order.row[i]] == f->time[row];
        f->values[row * f->columns + at] = given ? l->number[l->order.row[i] * l->values + v] : (double)NAN;
        if (given && (!r->table.line[row] || l->table.line[l->order.row[i]] < r->table.line[row]))
            r->table.line[row] = l->table.line[l->order.row[i]];
        i += given;
    }
}

static tide_status fill(reading *r) {
    frame *f = r->out;
    tide_status status = refuse_sparse(r);
    if (status) return status;
    f->values     = malloc((size_t)(f->file_rows * f->columns) * sizeof *f->values + 1);
    r->table.line = calloc((size_t)f->file_rows + 1, sizeof *r->table.line);
    if (!f->values || !r->table.line) return reading_no_memory(r);
    for (int64_t c = 0; c < f->columns; c++) fill_column(r, c);
    return TIDE_OK;
}

/* ---- all of it ---- */

tide_status reading_lay_out(reading *r) {
    char      **names  = calloc((size_t)r->table.columns + 1, sizeof *names);
    bool        all    = false;
    tide_status status = names ? TIDE_OK : reading_no_memory(r);
    if (!status && r->options->window) status = leave_too_short(r, names, &all);
    if (!status) status = choose(r, names);
    free(names);
    if (!status && all && r->out->file_rows >= r->options->window) status = fail_all_short(r);
    return status ? status : fill(r);
}
