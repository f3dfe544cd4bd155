/* The rows of a backtest, one for each origin, step and column: as CSV, and kept as arrays. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <tidemill/backtest.h>

#include "base/base.h"
#include "forecast/data/zoned.h"
#include "forecast/report/csv.h"
#include "rolling.h"

void rolling_stamp(const rolling *r, int64_t row, char out[40]) {
    if (r->data.frame.time) zoned_print(out, r->data.frame.zone, r->data.frame.time[row], &r->data.frame.format);
    else snprintf(out, 40, "%" PRId64, row + 1);
}

static void put_stamp(const rolling *r, int64_t row) {
    char cell[40];
    rolling_stamp(r, row, cell);
    csv_text(r->csv, cell);
    putc(',', r->csv);
}

/* What the model and the linear baseline give has the digits of float32; the others repeat the file's numbers. */
static void put_number(FILE *out, double value, bool single) {
    char cell[40];
    if (isnan(value)) return;
    num_format(cell, value, single);
    fputs(cell, out);
}

/* Bounds are written where `level` is given; what is measured without it is not. */
static int64_t shown_levels(const rolling *r) { return *r->options->level ? r->intervals.levels.count : 0; }

/* From the left: lo-95, lo-80, hi-80, hi-95; the level and the side, 0 or 1, of one of them. */
static int64_t bound_at(int64_t levels, int64_t place, int *side) {
    *side = place >= levels;
    return *side ? place - levels : levels - 1 - place;
}

tide_status rolling_header(rolling *r) {
    int64_t levels = shown_levels(r);
    fputs("origin,time,step,series,forecast,truth,last_value,seasonal_naive,linear", r->csv);
    for (int64_t i = 0; i < 2 * levels; i++) {
        char    number[40];
        int     side;
        int64_t level = bound_at(levels, i, &side);
        num_format(number, r->intervals.levels.of[level], false);
        fprintf(r->csv, ",%s-%s", side ? "hi" : "lo", number);
    }
    putc('\n', r->csv);
    return ferror(r->csv) ? TIDE_EIO : TIDE_OK;
}

static void put_bounds(const rolling *r, const double *bounds) {
    int64_t levels = shown_levels(r);
    for (int64_t i = 0; i < 2 * levels; i++) {
        int     side;
        int64_t level = bound_at(levels, i, &side);
        putc(',', r->csv);
        put_number(r->csv, bounds[2 * level + side], true);
    }
}

static void put_row(const rolling *r, const told_row *t) {
    const double cells[] = { t->forecast[FORECAST_BY_MODEL], t->truth, t->forecast[FORECAST_BY_LAST_VALUE],
                             t->forecast[FORECAST_BY_SEASONAL], t->forecast[FORECAST_BY_LINEAR] };
    put_stamp(r, t->origin);
    put_stamp(r, t->row);
    fprintf(r->csv, "%" PRId64 ",", t->step + 1);
    csv_text(r->csv, r->bundle->names[r->bundle->config.out_first + t->column]);
    for (int k = 0; k < 5; k++) putc(',', r->csv), put_number(r->csv, cells[k], k == 0 || k == 4);
    put_bounds(r, t->bounds);
    putc('\n', r->csv);
}

/* ---- kept ---- */

tide_status rolling_rows_new(const rolling *r, forecast_backtest_rows **out, tide_failure *failure) {
    int64_t count = r->origins * r->options->horizon * r->bundle->config.out_count, levels = shown_levels(r);
    forecast_backtest_rows *k = *out = calloc(1, sizeof *k);
    if (!k) return rolling_no_memory(failure);
    size_t numbers = (size_t)(count * (1 + FORECAST_BY_COUNT + 2 * levels));
    k->count = count, k->level_count = levels;
    memcpy(k->level, r->intervals.levels.of, (size_t)levels * sizeof *k->level);
    k->origin   = malloc((size_t)(4 * count) * sizeof *k->origin + 1);
    k->forecast = malloc(numbers * sizeof *k->forecast + 1);
    if (r->data.frame.time) k->time = malloc((size_t)(2 * count) * sizeof *k->time + 1);
    if (!k->origin || !k->forecast || (r->data.frame.time && !k->time)) return rolling_no_memory(failure);
    k->row = k->origin + count, k->step = k->row + count, k->column = k->step + count;
    k->truth = k->forecast + FORECAST_BY_COUNT * count, k->bounds = k->truth + count;
    if (k->time) k->origin_time = k->time + count;
    return TIDE_OK;
}

static void keep_row(rolling *r, const told_row *t) {
    forecast_backtest_rows *k = r->rows;
    int64_t i = r->kept++, sides = 2 * k->level_count;
    k->origin[i] = t->origin, k->row[i] = t->row, k->step[i] = t->step + 1, k->column[i] = t->column;
    if (k->time) k->time[i] = r->data.frame.time[t->row], k->origin_time[i] = r->data.frame.time[t->origin];
    memcpy(k->forecast + i * FORECAST_BY_COUNT, t->forecast, FORECAST_BY_COUNT * sizeof *k->forecast);
    if (sides) memcpy(k->bounds + i * sides, t->bounds, (size_t)sides * sizeof *k->bounds);
    k->truth[i] = t->truth;
}

/* ---- both ---- */

void rolling_put_row(rolling *r, const told_row *t) {
    if (r->csv) put_row(r, t);
    if (r->rows) keep_row(r, t);
}
