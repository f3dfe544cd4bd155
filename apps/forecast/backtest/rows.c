/* A backtest as CSV: a line for each origin, step and column. */
#include <inttypes.h>
#include <math.h>

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

static void put_bounds(rolling *r, const answerer *a, int64_t cell, double forecast, const window_spread *spread) {
    double  bounds[2 * FORECAST_MAX_LEVELS];
    int64_t levels = shown_levels(r);
    if (!levels) return;
    if (a->bands->quantile[FORECAST_BY_MODEL])
        bands_at(a->bands, FORECAST_BY_MODEL, cell, forecast, spread, r->intervals.levels.of, levels, bounds);
    else
        for (int64_t i = 0; i < 2 * levels; i++) bounds[i] = (double)NAN;
    for (int64_t i = 0; i < 2 * levels; i++) {
        int     side;
        int64_t level = bound_at(levels, i, &side);
        putc(',', r->csv);
        put_number(r->csv, bounds[2 * level + side], true);
    }
}

tide_status rolling_rows(rolling *r, const answerer *a, int64_t origin, const double *forecasts,
                         const window_spread *spread) {
    const model_config *c = &r->bundle->config;
    const frame *f = &r->data.frame;
    for (int64_t i = 0; i < r->options->horizon * c->out_count; i++, forecasts += FORECAST_BY_COUNT) {
        int64_t step = r->options->lead + i / c->out_count, row = r->origin[origin] + 1 + step,
                column = c->out_first + i % c->out_count;
        const double cells[] = { forecasts[FORECAST_BY_MODEL], f->values[row * f->columns + column],
                                 forecasts[FORECAST_BY_LAST_VALUE], forecasts[FORECAST_BY_SEASONAL],
                                 forecasts[FORECAST_BY_LINEAR] };
        put_stamp(r, r->origin[origin]);
        put_stamp(r, row);
        fprintf(r->csv, "%" PRId64 ",", step + 1);
        csv_text(r->csv, r->bundle->names[column]);
        for (int k = 0; k < 5; k++) putc(',', r->csv), put_number(r->csv, cells[k], k == 0 || k == 4);
        put_bounds(r, a, step * c->out_count + column - c->out_first, cells[0], spread);
        putc('\n', r->csv);
    }
    return ferror(r->csv) ? TIDE_EIO : TIDE_OK;
}
