/* A backtest as CSV: a line for each origin, step and column. */
#include <inttypes.h>
#include <math.h>

#include "base/base.h"
#include "rolling.h"

static void put_text(FILE *out, const char *cell) {
    if (!strpbrk(cell, ",\"\n\r")) {
        fputs(cell, out);
        return;
    }
    putc('"', out);
    for (; *cell; cell++) fputs(*cell == '"' ? "\"\"" : (char[]){ *cell, 0 }, out);
    putc('"', out);
}

void rolling_stamp(const rolling *r, int64_t row, char out[40]) {
    if (r->data.frame.time) time_print(out, r->data.frame.time[row], &r->data.frame.format);
    else snprintf(out, 40, "%" PRId64, row + 1);
}

static void put_stamp(const rolling *r, int64_t row) {
    char cell[40];
    rolling_stamp(r, row, cell);
    put_text(r->csv, cell);
    putc(',', r->csv);
}

/* What the model and the linear baseline give has the digits of float32; the others repeat the file's numbers. */
static void put_number(FILE *out, double value, bool single) {
    char cell[40];
    if (isnan(value)) return;
    num_format(cell, value, single);
    fputs(cell, out);
}

tide_status rolling_header(rolling *r) {
    bool fine = fputs("origin,time,step,series,forecast,truth,last_value,seasonal_naive,linear\n", r->csv) >= 0;
    return fine ? TIDE_OK : TIDE_EIO;
}

tide_status rolling_rows(rolling *r, int64_t origin, const double *forecasts) {
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
        put_text(r->csv, r->bundle->names[column]);
        for (int k = 0; k < 5; k++) putc(',', r->csv), put_number(r->csv, cells[k], k == 0 || k == 4);
        putc('\n', r->csv);
    }
    return ferror(r->csv) ? TIDE_EIO : TIDE_OK;
}
