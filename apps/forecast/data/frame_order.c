/* Rows that do not follow each other in time: refused, or put in order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_time.h"
#include "zoned.h"

/* A frame's columns are numbers, which name nothing. */
static tide_status refuse_long_frame(reading *r, int64_t repeated) {
    enum { ROWS_A_STAMP = 3 };
    if (repeated < r->out->file_rows / ROWS_A_STAMP || r->options->aggregate != AGGREGATE_NONE) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, NULL, 0, r->out->time_name,
                         "%" PRId64 " of %" PRId64 " time stamps stand more than once: a frame has one row for each "
                         "time stamp, and each series a column of its own, as tide_frame_pivot makes it; if they are "
                         "one series, `aggregate` first, last or mean makes one row of them",
                         repeated, r->out->file_rows);
}

/* ---- order ---- */

typedef struct timed_row { int64_t seconds, row; } timed_row;

static int by_time(const void *a, const void *b) {
    const timed_row *x = a, *y = b;
    return x->seconds != y->seconds ? (x->seconds > y->seconds) - (x->seconds < y->seconds)
                                    : (x->row > y->row) - (x->row < y->row);
}

static tide_status sort_rows(reading *r) {
    frame     *f = r->out;
    int64_t    rows = f->file_rows, columns = r->from ? 0 : r->table.columns; /* a frame's cells stay where they are */
    timed_row *order = malloc((size_t)rows * sizeof *order + 1);
    char     **cells = malloc((size_t)(rows * columns) * sizeof *cells + 1);
    int64_t   *line  = malloc((size_t)rows * sizeof *line + 1);
    bool       fine  = order && cells && line;
    for (int64_t i = 0; fine && i < rows; i++) order[i] = (timed_row){ f->time[i], i };
    if (fine) qsort(order, (size_t)rows, sizeof *order, by_time);
    for (int64_t i = 0; fine && i < rows; i++) {
        if (columns)
            memcpy(cells + i * columns, r->table.cells + order[i].row * columns, (size_t)columns * sizeof *cells);
        line[i]    = r->table.line[order[i].row];
        f->time[i] = order[i].seconds;
    }
    if (fine) {
        if (columns) memcpy(r->table.cells, cells, (size_t)(rows * columns) * sizeof *cells);
        memcpy(r->table.line, line, (size_t)rows * sizeof *line);
    }
    free(order);
    free(cells);
    free(line);
    return fine ? reading_note(r, "the rows were put in the order of time, as `sort` asks\n") : reading_no_memory(r);
}

typedef struct disorder { int64_t backwards, repeated, first; bool descending; } disorder;

static disorder look(const frame *f) {
    disorder d = { .first = -1, .descending = true };
    for (int64_t i = 1; i < f->file_rows; i++) {
        bool back = f->time[i] < f->time[i - 1];
        d.backwards += back;
        d.repeated += f->time[i] == f->time[i - 1];
        d.descending = d.descending && f->time[i] <= f->time[i - 1];
        if (back && d.first < 0) d.first = i;
    }
    return d;
}

/* As the file writes it. */
static void stamp(const reading *r, int64_t row, char out[40]) {
    if (r->from) zoned_print(out, r->out->zone, r->out->time[row], &r->out->format);
    else snprintf(out, 40, "%.39s", reading_text(r, row, r->time.of[0].place));
}

/* Rows that are in order but for clocks that were put back: putting them in order would mix the hour with its second
 * coming. */
static bool clocks_went_back(const reading *r, int64_t backwards) {
    const frame *f = r->out;
    time_step step = step_find(f->time, f->file_rows);
    for (int64_t i = 1; backwards && i < f->file_rows; i++)
        if (f->time[i] < f->time[i - 1] && !reading_clocks_moved(r, f->time[i - 1], f->time[i], step)) return false;
    return backwards > 0;
}

static tide_status refuse_clocks(reading *r, int64_t row) {
    char later[40], earlier[40];
    stamp(r, row, later), stamp(r, row - 1, earlier);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[row], r->out->time_name,
                         "%.40s comes after %.40s, as if clocks had been put back: `tz` NAME, the time zone such as "
                         "Europe/Berlin, reads local times",
                         later, earlier);
}

tide_status reading_order_rows(reading *r) {
    const frame *f = r->out;
    disorder     d = look(f);
    if (clocks_went_back(r, d.backwards)) return refuse_clocks(r, d.first);
    tide_status status = r->from ? refuse_long_frame(r, d.repeated) : TIDE_OK;
    if (status != TIDE_OK || !d.backwards) return status;
    if (r->options->sort) return sort_rows(r);
    if (d.descending)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[d.first], f->time_name,
                             "the newest row comes first; `sort` puts the rows in the order of time");
    char later[40], earlier[40];
    stamp(r, d.first, later), stamp(r, d.first - 1, earlier);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[d.first], f->time_name,
                         "time runs backwards %" PRId64 " time%s: %.40s comes after %.40s; `sort` puts the rows in "
                         "the order of time%s",
                         d.backwards, d.backwards == 1 ? "" : "s", later, earlier,
                         r->from ? "" : "; if they are rows of several series, `id` names the column that tells these "
                                        "apart");
}
