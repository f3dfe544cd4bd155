/* Gaps that stay gaps: rows that the time axis lacks are put back, and what is missing is told. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "frame_time.h"
#include "zoned.h"

bool reading_masks(const reading *r) {
    frame_missing how = r->options->missing;
    return how == MISSING_MASK || (how == MISSING_AUTO && r->options->kind == KIND_CUSTOM);
}

/* ---- rows ---- */

/* The rows anew, with those between them that the step leads to. */
typedef struct whole_axis { double *values; int64_t *time, *line, rows; } whole_axis;

static void add_row(whole_axis *w, int64_t columns, int64_t time, int64_t line, const double *values) {
    double *to = w->values + w->rows * columns;
    for (int64_t c = 0; c < columns; c++) to[c] = values ? values[c] : (double)NAN;
    w->time[w->rows] = time, w->line[w->rows++] = line;
}

/* A row put back has the line of the one behind it. */
static void walk(const reading *r, whole_axis *w, int64_t most) {
    const frame *f = r->out;
    for (int64_t i = 0; i < f->file_rows; i++) {
        int64_t from = f->time[MAX2(i - 1, 0)], at = from;
        for (int64_t n = 1; i && w->rows < most - (f->file_rows - i); n++) {
            at = zoned_follow(f->zone, from, at, f->step, n);
            if (at >= f->time[i]) break;
            add_row(w, f->columns, at, r->table.line[i], NULL);
        }
        add_row(w, f->columns, f->time[i], r->table.line[i], f->values + i * f->columns);
    }
}

tide_status reading_put_back(reading *r) {
    frame     *f    = r->out;
    int64_t    rows = f->file_rows + r->absent;
    if (!r->absent) return TIDE_OK;
    whole_axis w = { malloc((size_t)(rows * f->columns) * sizeof *w.values + 1), malloc((size_t)rows * sizeof *w.time),
                     malloc((size_t)rows * sizeof *w.line), 0 };
    if (!w.values || !w.time || !w.line) {
        free(w.values), free(w.time), free(w.line);
        return reading_no_memory(r);
    }
    walk(r, &w, rows);
    free(f->values), free(f->time), free(r->table.line);
    f->values = w.values, f->time = w.time, r->table.line = w.line;
    f->file_rows = w.rows;
    return TIDE_OK;
}

/* ---- what is said of gaps ---- */

/* Of one column: how many, and how many in a row at most. */
typedef struct gap_count { int64_t cells, longest; } gap_count;

static gap_count count_gaps(const frame *f, int64_t column) {
    gap_count g = { 0 };
    for (int64_t i = 0, run = 0; i < f->file_rows; i++) {
        bool gap = isnan(f->values[i * f->columns + column]);
        run = gap ? run + 1 : 0;
        g.cells += gap;
        g.longest = MAX2(g.longest, run);
    }
    return g;
}

int64_t frame_gaps(const frame *f) {
    int64_t gaps = 0;
    for (int64_t c = 0; c < f->columns; c++) gaps += count_gaps(f, c).cells;
    return gaps;
}

tide_status reading_tell_gaps(reading *r, int64_t missing) {
    frame    *f     = r->out;
    int64_t   worst = 0, columns = 0;
    gap_count most  = { 0 };
    f->gaps = missing;
    for (int64_t c = 0; c < f->columns; c++) {
        gap_count g = count_gaps(f, c);
        columns += g.cells > 0;
        if (g.cells > most.cells) most = g, worst = c;
        if (g.cells == f->file_rows)
            return forecast_fail(r->failure, TIDE_EDATA, r->path, 0, f->names[c],
                                 "'%.100s' holds no value at all: fill it%s", f->names[c], reading_leave_out(r));
    }
    char also[80] = "";
    if (columns > 1) snprintf(also, sizeof also, " (%" PRId64 " columns have gaps)", columns);
    return reading_note(r, "missing: %" PRId64 " cells, %.2g %%, most of them in '%.60s', %" PRId64 ", at most %" PRId64
                           " in a row%s: they stay gaps, which the model learns around and no score counts; "
                           "`missing` linear fills them\n",
                        missing, 100 * (double)missing / (double)(f->file_rows * f->columns), f->names[worst],
                        most.cells, most.longest, also);
}
