/* Rows of one time stamp, or of one step of the frequency, become one. What is not asked for is refused: a stamp that
 * stands twice moves every row after it by one step. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_grid.h"
#include "frame_merge.h"
#include "frame_time.h"
#include "zoned.h"

/* ---- groups of rows ---- */

/* Behind the last row with the label of row `from`: rows ascend in time. */
static int64_t group_end(const int64_t *label, int64_t from, int64_t rows) {
    int64_t to = from + 1;
    while (to < rows && label[to] == label[from]) to++;
    return to;
}

static int64_t longest_group(const int64_t *label, int64_t rows) {
    int64_t longest = 0;
    for (int64_t from = 0, to; from < rows; from = to) {
        to      = group_end(label, from, rows);
        longest = MAX2(longest, to - from);
    }
    return longest;
}

/* A gap is left out; gaps alone are one. */
static double merge_column(const reading *r, int64_t column, int64_t from, int64_t to, double *v) {
    const frame *f = r->out;
    int64_t count = 0;
    for (int64_t i = from; i < to; i++) {
        double value = f->values[i * f->columns + column];
        if (!isnan(value)) v[count++] = value;
    }
    return count ? merge_values(r->options->aggregate, v, count) : (double)NAN;
}

/* Row `to` is what was row `from`, but for its values. */
static void move_row(reading *r, int64_t from, int64_t to) {
    tide_table *t = &r->table;
    t->line[to] = t->line[from];
    if (!r->from && to != from)
        memcpy(t->cells + to * t->columns, t->cells + from * t->columns, (size_t)t->columns * sizeof *t->cells);
}

static void set_rows(reading *r, int64_t rows) {
    r->out->file_rows = rows;
    if (!r->from) r->table.rows = rows;
}

/* `v` has room for the longest group. */
static void merge_rows(reading *r, const int64_t *label, double *v) {
    frame  *f = r->out;
    int64_t rows = f->file_rows, kept = 0;
    for (int64_t from = 0, to; from < rows; from = to, kept++) {
        to = group_end(label, from, rows);
        for (int64_t c = 0; c < f->columns; c++)
            f->values[kept * f->columns + c] = merge_column(r, c, from, to, v);
        f->time[kept] = label[from];
        move_row(r, from, kept);
    }
    set_rows(r, kept);
}

/* ---- as asked for ---- */

/* A sum over the part of a step that the file reaches is no sum of it. */
static tide_status note_short_end(reading *r, const int64_t *label, int64_t rows, int64_t longest) {
    int64_t from = rows - 1;
    while (from && label[from - 1] == label[rows - 1]) from--;
    if (r->options->aggregate != AGGREGATE_SUM || rows - from >= longest) return TIDE_OK;
    return reading_note(r, "the last step is a sum of %" PRId64 " row%s where others have up to %" PRId64
                           ": if rows are still to come, end the %s before %s %" PRId64 "\n",
                        rows - from, rows - from == 1 ? "" : "s", longest, r->from ? "frame" : "file",
                        reading_rows_are(r), r->table.line[from]);
}

static tide_status merge(reading *r, const int64_t *label, double *v, int64_t longest) {
    int64_t     before = r->out->file_rows;
    tide_status status = TIDE_OK;
    char        step[STEP_TEXT];
    if (merge_mixes(r->options->aggregate) && longest > 1) {
        status          = reading_note_sentinels(r);
        r->marks_told = true;
    }
    if (!status && r->grid.unit) status = note_short_end(r, label, before, longest);
    if (status) return status;
    merge_rows(r, label, v);
    if (r->out->file_rows == before) return TIDE_OK;
    step_print(step, r->grid);
    return reading_note(r, "%" PRId64 " rows became %" PRId64 ", one for each %s%s, with the %s of its values\n",
                        before, r->out->file_rows, r->grid.unit ? "step of " : "time stamp", r->grid.unit ? step : "",
                        merge_name(r->options->aggregate));
}

void reading_put_on_grid(reading *r, const int64_t *time, int64_t rows, int64_t first, int64_t *label) {
    time_grid g = { 0 };
    if (r->options->freq) g = grid_open(r->options->freq, r->out->zone, first);
    r->grid = g.step;
    for (int64_t i = 0; i < rows; i++) label[i] = r->options->freq ? grid_label(&g, time[i]) : time[i];
}

static tide_status aggregate(reading *r) {
    frame   *f     = r->out;
    int64_t *label = malloc((size_t)f->file_rows * sizeof *label + 1);
    if (!label) return reading_no_memory(r);
    reading_put_on_grid(r, f->time, f->file_rows, f->time[0], label);
    for (int64_t i = 1; i < f->file_rows; i++) label[i] = MAX2(label[i], label[i - 1]); /* clocks may go back a day */
    int64_t     longest = longest_group(label, f->file_rows);
    double     *v       = malloc((size_t)longest * sizeof *v + 1);
    tide_status status  = v ? merge(r, label, v, longest) : reading_no_memory(r);
    free(v);
    free(label);
    return status;
}

/* ---- not asked for: the same row twice is one, other values are refused ---- */

/* The first column in which two rows differ; -1: none. A gap is as another. */
static int64_t differing_column(const frame *f, int64_t a, int64_t b) {
    for (int64_t c = 0; c < f->columns; c++) {
        double x = f->values[a * f->columns + c], y = f->values[b * f->columns + c];
        if (x != y && !(isnan(x) && isnan(y))) return c;
    }
    return -1;
}

typedef struct repeats { int64_t rows, differing, first, row, column; } repeats;

/* Of the stamps whose rows differ (`differing`) the first: it stands in row `first`, and other values in `row`. */
static repeats count_repeats(const frame *f) {
    repeats n = { .row = -1 };
    for (int64_t from = 0, to; from < f->file_rows; from = to) {
        int64_t column = -1, i = from;
        to = group_end(f->time, from, f->file_rows);
        while (column < 0 && ++i < to) column = differing_column(f, from, i);
        n.rows += to - from - 1;
        n.differing += column >= 0;
        if (column >= 0 && n.row < 0) n.first = from, n.row = i, n.column = column;
    }
    return n;
}

/* Do all of the stamps look like an hour that clocks showed twice? */
static bool hours_came_twice(const reading *r) {
    const frame *f = r->out;
    time_step step = step_find(f->time, f->file_rows);
    for (int64_t i = 1; i < f->file_rows; i++)
        if (f->time[i] == f->time[i - 1] && !reading_clocks_moved(r, f->time[i - 1], f->time[i], step)) return false;
    return true;
}

static tide_status refuse_repeats(reading *r, const repeats *n) {
    const frame *f = r->out;
    const char  *clocks = hours_came_twice(r) ? READING_HOUR_TWICE : "";
    char         stamp[40], more[80] = "";
    zoned_print(stamp, f->zone, f->time[n->row], &f->format);
    if (n->differing > 1) snprintf(more, sizeof more, ", as do %" PRId64 " time stamps in all", n->differing);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[n->row], f->time_name,
                         "%s stands more than once, with other values of '%.60s' (%.6g in %s %" PRId64
                         ", %.6g here)%s: %s`aggregate` first, last or mean makes one row of them",
                         stamp, f->names[n->column], f->values[n->first * f->columns + n->column], reading_rows_are(r),
                         r->table.line[n->first], f->values[n->row * f->columns + n->column], more,
                         clocks);
}

static tide_status drop_repeats(reading *r, int64_t repeated) {
    frame  *f    = r->out;
    int64_t kept = 1, first = 0;
    for (int64_t i = 1; i < f->file_rows; i++) {
        if (f->time[i] == f->time[kept - 1]) {
            first = first ? first : r->table.line[i];
            continue;
        }
        memmove(f->values + kept * f->columns, f->values + i * f->columns, (size_t)f->columns * sizeof *f->values);
        f->time[kept] = f->time[i];
        move_row(r, i, kept++);
    }
    set_rows(r, kept);
    return reading_note(r, "%" PRId64 " row%s what stands before %s, time stamp and values: left out, the first at %s "
                           "%" PRId64 "\n", repeated, repeated == 1 ? " repeats" : "s repeat",
                        repeated == 1 ? "it" : "them", reading_rows_are(r), first);
}

tide_status reading_aggregate(reading *r) {
    const frame_options *o = r->options;
    if (!r->out->time || !r->out->file_rows || o->aggregate == AGGREGATE_KEEP) return TIDE_OK;
    if (o->aggregate != AGGREGATE_NONE) return aggregate(r);
    if (o->kind != KIND_CUSTOM || o->strict_dates) return TIDE_OK;
    repeats n = count_repeats(r->out);
    if (n.differing) return refuse_repeats(r, &n);
    return n.rows ? drop_repeats(r, n.rows) : TIDE_OK;
}
