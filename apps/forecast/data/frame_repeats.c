/* Rows of one series and time stamp in long format, or of one step of `freq`: they become one as `aggregate` says, or
 * are refused. They are next to each other where rows are in the order of series and time. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "frame_long.h"
#include "frame_merge.h"
#include "zoned.h"

/* ---- not asked for ---- */

static bool same_cells(const tide_table *t, int64_t a, int64_t b) {
    for (int64_t c = 0; c < t->columns; c++)
        if (strcmp(t->cells[a * t->columns + c], t->cells[b * t->columns + c]) != 0) return false;
    return true;
}

/* Do all stamps that stand twice in the series, from row `at` on, look like an hour that clocks showed twice? */
static bool hour_came_twice(const reading *r, int64_t at) {
    enum { HOUR = 3600 };
    const struct long_table *l = r->series;
    int64_t  s = l->of[l->order.row[at]], end = l->order.start[s + 1], rows = end - at;
    int64_t *time = malloc((size_t)rows * sizeof *time + 1);
    for (int64_t i = 0; time && i < rows; i++) time[i] = l->time[l->order.row[at + i]];
    time_step step  = time ? step_find(time, rows) : (time_step){ 0 };
    bool      twice = step.unit != UNIT_NONE;
    for (int64_t i = 0; twice && i < rows; i++)
        if (!i || time[i] == time[i - 1])
            twice = reading_clocks_moved(r, time[i], time_advance(time[i], step, 1) - HOUR, step);
    free(time);
    return twice;
}

static tide_status refuse(reading *r, int64_t at) {
    const struct long_table *l = r->series;
    int64_t first = l->order.row[at - 1], second = l->order.row[at];
    char    name[120], stamp[40];
    series_text(r, &r->table, first, name, sizeof name);
    zoned_print(stamp, r->out->zone, l->time[first], &r->out->format);
    bool others = r->table.columns > l->key.count + r->time.count + 1;
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[second], r->out->time_name,
                         "'%.100s' has the stamp %s in line %" PRId64 " and again here%s: %s`aggregate` first, last or "
                         "mean makes one row of them%s%.60s%s", name, stamp, r->table.line[first],
                         l->order.repeats > 1 ? " (and there are more)" : "",
                         hour_came_twice(r, at) ? READING_HOUR_TWICE : "",
                         others ? "; if one more column tells series apart, `id` " : "",
                         others ? r->table.header[l->key.column[0]] : "", others ? ",NAME adds it" : "");
}

/* The same row twice is one. */
static tide_status drop_alike(reading *r) {
    struct long_table *l    = r->series;
    int64_t            kept = 0, line = 0, *row = l->order.row;
    for (int64_t s = 0; s < l->series; s++) {
        int64_t from = l->order.start[s], to = l->order.start[s + 1];
        l->order.start[s] = kept;
        for (int64_t i = from; i < to; i++) {
            bool again = i > from && l->time[row[i]] == l->time[row[kept - 1]];
            if (again && (r->options->strict_dates || !same_cells(&r->table, row[i], row[kept - 1]))) {
                l->order.start[s] = from;
                return row[i - 1] = row[kept - 1], refuse(r, i);
            }
            if (!again) row[kept++] = row[i];
            else if (!line) line = r->table.line[row[i]];
        }
    }
    int64_t repeated = l->order.start[l->series] - kept;
    l->order.start[l->series] = kept;
    return reading_note(r, "%" PRId64 " row%s what stands before %s, time stamp and values: left out, the first at "
                           "line %" PRId64 "\n", repeated, repeated == 1 ? " repeats" : "s repeat",
                        repeated == 1 ? "it" : "them", line);
}

/* ---- as asked for ---- */

/* Marks of missing values that the result would hide. */
static tide_status note_marks(reading *r) {
    const struct long_table *l = r->series;
    tide_status status = TIDE_OK;
    for (int64_t v = 0; v < l->values && status == TIDE_OK && merge_mixes(r->options->aggregate); v++) {
        sentinel one;
        char     text[320];
        if (!sentinels_find(l->number + v, r->table.rows, l->values, &one, 1)) continue;
        sentinel_text(text, sizeof text, r->table.header[l->value[v]], &one);
        status = reading_note(r, "%s, else it is taken as it is\n", text);
    }
    return status;
}

typedef struct merging { reading *r; double *room; int64_t longest, kept, short_ends; } merging;

/* Rows `from` to `to` of those ordered become the first of them: a gap is left out, gaps alone are one. */
static void merge_group(const merging *m, int64_t from, int64_t to) {
    struct long_table *l = m->r->series;
    for (int64_t v = 0; v < l->values; v++) {
        int64_t count = 0;
        for (int64_t i = from; i < to; i++) {
            double value = l->number[l->order.row[i] * l->values + v];
            if (!isnan(value)) m->room[count++] = value;
        }
        l->number[l->order.row[from] * l->values + v] =
            count ? merge_values(m->r->options->aggregate, m->room, count) : (double)NAN;
    }
}

static void merge_series(merging *m, int64_t from, int64_t to) {
    struct long_table *l   = m->r->series;
    int64_t           *row = l->order.row, last = 0;
    for (int64_t i = from, next; i < to; i = next) {
        for (next = i + 1; next < to && l->time[row[next]] <= l->time[row[i]];) l->time[row[next++]] = l->time[row[i]];
        last       = next - i;
        m->longest = MAX2(m->longest, last);
        merge_group(m, i, next);
        row[m->kept++] = row[i];
    }
    m->short_ends += last < m->longest;
}

static tide_status tell(const merging *m, int64_t before) {
    reading    *r = m->r;
    char        step[STEP_TEXT];
    tide_status status = TIDE_OK;
    step_print(step, r->grid);
    if (r->grid.unit && r->options->aggregate == AGGREGATE_SUM && m->short_ends)
        status = reading_note(r, "the last step of %" PRId64 " series is a sum of fewer than %" PRId64 " rows: if rows "
                                 "are still to come, end the file before that step\n", m->short_ends, m->longest);
    if (status != TIDE_OK || m->kept == before) return status;
    return reading_note(r, "%" PRId64 " rows became %" PRId64 ", one for each series and %s%s, with the %s of its "
                           "values\n", before, m->kept, r->grid.unit ? "step of " : "time stamp",
                        r->grid.unit ? step : "", merge_name(r->options->aggregate));
}

static tide_status merge_all(reading *r) {
    struct long_table *l     = r->series;
    int64_t            first = INT64_MAX, rows = r->table.rows;
    merging            m     = { .r = r, .room = malloc((size_t)rows * sizeof *m.room + 1) };
    tide_status        status = m.room ? note_marks(r) : reading_no_memory(r);
    for (int64_t i = 0; i < rows; i++) first = MIN2(first, l->time[i]);
    if (status == TIDE_OK) reading_put_on_grid(r, l->time, rows, first, l->time);
    for (int64_t s = 0; s < l->series && status == TIDE_OK; s++) {
        int64_t from = l->order.start[s];
        l->order.start[s] = m.kept;
        merge_series(&m, from, l->order.start[s + 1]);
    }
    if (status == TIDE_OK) l->order.start[l->series] = m.kept, status = tell(&m, rows);
    free(m.room);
    return status;
}

tide_status reading_settle_repeats(reading *r) {
    if (r->options->aggregate > AGGREGATE_KEEP) return merge_all(r);
    return r->series->order.repeats ? drop_alike(r) : TIDE_OK;
}
