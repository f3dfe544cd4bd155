/* Rows that do not follow each other in time: what the file is instead, or the rows put in order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame_time.h"

/* ---- long format: the rows of several series one below the other, or in turns ---- */

enum { MOST_IDS = 12, ROWS_A_SERIES = 3 };

/* What names a row's series: one column, or two. */
typedef struct series_key { const reading *r; int64_t column[2]; int count; } series_key;
typedef struct keyed_row { const series_key *key; int64_t row; } keyed_row;

static int compare_keys(const series_key *k, int64_t a, int64_t b) {
    int order = 0;
    for (int i = 0; i < k->count && !order; i++)
        order = strcmp(reading_text(k->r, a, k->column[i]), reading_text(k->r, b, k->column[i]));
    return order;
}

static int by_key(const void *a, const void *b) {
    const keyed_row *x = a, *y = b;
    int order = compare_keys(x->key, x->row, y->row);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Series of the key if the time of each ascends by itself; 0: it does not, or there are nearly as many as rows. */
static int64_t count_series(const series_key *key, keyed_row *rows) {
    const frame *f = key->r->out;
    int64_t      n = f->file_rows, series = 1;
    for (int64_t i = 0; i < n; i++) rows[i] = (keyed_row){ key, i };
    qsort(rows, (size_t)n, sizeof *rows, by_key);
    for (int64_t i = 1; i < n; i++) {
        bool same = compare_keys(key, rows[i - 1].row, rows[i].row) == 0;
        if (same && f->time[rows[i].row] <= f->time[rows[i - 1].row]) return 0;
        series += !same;
    }
    return series > 1 && series <= n / ROWS_A_SERIES ? series : 0;
}

/* Rows that repeat a date for each hour look the same. */
static bool names_clock(const char *name) {
    static const char *const names[] = { "hour", "hr",   "hh",     "h",        "he",     "hour_ending", "hourending",
                                         "hhmm", "time", "period", "interval", "stunde", "minute" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i])) return true;
    return false;
}

static tide_status fail_long(reading *r, const series_key *k, int64_t series) {
    const char *a = r->table.header[k->column[0]], *b = k->count > 1 ? r->table.header[k->column[1]] : NULL;
    if (!b && names_clock(a))
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[0], a,
                             "'%.60s' goes on where '%.60s' leaves off: put both into one column, as 2016-07-01 05:00 "
                             "(hours from 0 to 23)", a,
                             r->out->time_name);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, 1, a,
                         "this is long format: '%.60s'%s%.60s%s name%s %" PRId64 " series whose rows stand below each "
                                                                                 "other; give each series a column of "
                                                                                 "its "
                         "own, one row for each time stamp",
                         a, b ? " and '" : "", b ? b : "", b ? "'" : "", b ? "" : "s", series);
}

/* A frame's columns are numbers, which name nothing. */
static tide_status refuse_long_frame(reading *r, int64_t repeated) {
    if (repeated < r->out->file_rows / ROWS_A_SERIES || r->options->aggregate != AGGREGATE_NONE) return TIDE_OK;
    return forecast_fail(r->failure, TIDE_EDATA, NULL, 0, r->out->time_name,
                         "%" PRId64 " of %" PRId64 " time stamps stand more than once: a frame has one row for each "
                         "time stamp, and each series a column of its own; if they are one series, `aggregate` first, "
                         "last or mean makes one row of them", repeated, r->out->file_rows);
}

/* What tells series apart is no matter where it is left out and the rows of one stamp become one: all stores' sum. */
static bool summed_over(const reading *r, int64_t column) {
    return r->options->aggregate > AGGREGATE_KEEP && list_has(r->options->ignore, r->table.header[column]);
}

/* Of the columns, one or two together, that tell series apart, those that tell the fewest: a value may seem to by
 * chance. */
static tide_status refuse_long(reading *r) {
    keyed_row *rows = malloc((size_t)r->out->file_rows * sizeof *rows + 1);
    int64_t    candidate[MOST_IDS], candidates = 0, least = 0;
    series_key best = { r, { -1, -1 }, 0 };
    if (!rows) return reading_no_memory(r);
    for (int64_t c = 0; c < r->table.columns && candidates < MOST_IDS; c++)
        if (!reading_is_time(r, c) && !summed_over(r, c)) candidate[candidates++] = c;
    for (int64_t a = 0; a < candidates; a++)
        for (int64_t b = a; b < candidates; b++) { /* b == a: one column */
            series_key key    = { r, { candidate[a], candidate[b] }, b > a ? 2 : 1 };
            int64_t    series = count_series(&key, rows);
            if (series && (!least || series < least || (series == least && key.count < best.count)))
                least = series, best = key;
        }
    free(rows);
    return least ? fail_long(r, &best, least) : TIDE_OK;
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
    if (r->from) time_print(out, r->out->time[row], &r->out->format);
    else snprintf(out, 40, "%.39s", reading_text(r, row, r->time.of[0].place));
}

tide_status reading_order_rows(reading *r) {
    const frame *f = r->out;
    disorder     d = look(f);
    if (!d.backwards && d.repeated < f->file_rows / ROWS_A_SERIES) return TIDE_OK;
    tide_status status = r->from ? refuse_long_frame(r, d.repeated) : refuse_long(r);
    if (status != TIDE_OK || !d.backwards) return status;
    if (r->options->sort) return sort_rows(r);
    if (d.descending)
        return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[d.first], f->time_name,
                             "the newest row comes first; `sort` puts the rows in the order of time");
    char later[40], earlier[40];
    stamp(r, d.first, later), stamp(r, d.first - 1, earlier);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[d.first], f->time_name,
                         "time runs backwards %" PRId64 " time%s: %.40s comes after %.40s; `sort` puts the rows in "
                         "the order of time",
                         d.backwards, d.backwards == 1 ? "" : "s", later, earlier);
}
