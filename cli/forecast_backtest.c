/* A backtest as a page of tables: over all columns, by step, by column. */
#include "forecast_backtest.h"

#include "forecast_intervals.h"

#include <inttypes.h>
#include <math.h>

static const char *const forecasters[] = { "this model", "last value", "seasonal naive", "linear" };

static void put_number(FILE *out, double value) {
    if (isnan(value)) fprintf(out, " %11s", "");
    else fprintf(out, " %11.5g", value);
}

/* No column for them where there are none. */
static void put_interval_head(FILE *out, const forecast_backtest_result *b) {
    if (b->samples) fprintf(out, "  %-19s", "95 %");
}

static void put_interval(FILE *out, const forecast_backtest_result *b, double low, double high) {
    char cell[40] = "";
    if (!b->samples) return;
    if (!isnan(low)) snprintf(cell, sizeof cell, "%.4g to %.4g", low, high);
    fprintf(out, "  %-19s", cell);
}

static void put_head(FILE *out, const forecast_backtest_result *b) {
    fprintf(out, "%" PRId64 " forecasts, the first from %s, the last from %s; ", b->origins, b->first_origin,
            b->last_origin);
    if (b->horizon == 1) fprintf(out, "of each step %" PRId64 " counts\n", b->lead + 1);
    else fprintf(out, "of each steps %" PRId64 " to %" PRId64 " count\n", b->lead + 1, b->lead + b->horizon);
    if (b->refits) fprintf(out, "by %" PRId64 " models, each trained on what came before its first\n", b->refits);
}

static void put_totals(FILE *out, const forecast_backtest_result *b) {
    fprintf(out, "scaled           %11s %11s", "mse", "mae");
    put_interval_head(out, b);
    fprintf(out, " %11s %11s  %s\n", "mase", "rmsse", "model's mae / its");
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        const forecast_backtest_total *t = &b->of[k];
        if (!t->present) continue;
        fprintf(out, "  %-15s", forecasters[k]);
        put_number(out, t->mse);
        put_number(out, t->mae);
        put_interval(out, b, t->mae_low, t->mae_high);
        put_number(out, t->mase);
        put_number(out, t->rmsse);
        if (k) fprintf(out, "  %.3f", t->ratio);
        if (k && !isnan(t->ratio_low)) fprintf(out, " (%.3f to %.3f)", t->ratio_low, t->ratio_high);
        putc('\n', out);
    }
}

/* "steps 14-21": where a third begins and ends. */
static void put_third(FILE *out, const forecast_backtest_result *b, int third) {
    char    cell[48];
    int64_t first = b->lead + 1 + (third ? b->third_stop[third - 1] : 0), last = b->lead + b->third_stop[third];
    snprintf(cell, sizeof cell, "%" PRId64 "-%" PRId64, first, last);
    fprintf(out, " %11s", cell);
}

static void put_thirds(FILE *out, const forecast_backtest_result *b) {
    if (b->horizon < 3) return;
    fputs("scaled mae, steps", out);
    for (int i = 0; i < 3; i++) put_third(out, b, i);
    putc('\n', out);
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        if (!b->of[k].present) continue;
        fprintf(out, "  %-15s", forecasters[k]);
        for (int i = 0; i < 3; i++) put_number(out, b->of[k].third_mae[i]);
        putc('\n', out);
    }
}

static void put_column(FILE *out, const forecast_backtest_result *b, const forecast_backtest_column *c) {
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        const forecast_backtest_errors *e = &c->of[k];
        if (!b->of[k].present) continue;
        fprintf(out, "  %-15s", forecasters[k]);
        put_number(out, e->mae);
        put_interval(out, b, e->mae_low, e->mae_high);
        put_number(out, e->rmse);
        put_number(out, e->mase);
        put_number(out, e->rmsse);
        put_number(out, e->wape);
        fprintf(out, "  %s\n", c->name);
    }
}

static void put_columns(FILE *out, const forecast_backtest_result *b) {
    enum { MOST = 10 };
    if (b->columns > MOST) {
        fprintf(out, "errors of the %" PRId64 " columns in their own units: --json, by_column\n", b->columns);
        return;
    }
    fprintf(out, "in its own units %11s", "mae");
    put_interval_head(out, b);
    fprintf(out, " %11s %11s %11s %11s  column\n", "rmse", "mase", "rmsse", "wape %");
    for (int64_t i = 0; i < b->columns; i++) put_column(out, b, &b->by_column[i]);
}

static void put_levels(FILE *out, const forecast_backtest_result *b) {
    if (!b->level_count) return;
    fputs("this model's intervals:", out);
    for (int64_t i = 0; i < b->level_count; i++)
        fprintf(out, "%s those of %.4g %% hold %.1f %%", i ? "," : "", b->intervals[i].level, b->intervals[i].coverage);
    fprintf(out, " of what came; scaled crps %.4g\n", b->crps);
}

void forecast_backtest_put(FILE *out, const forecast_result *r) {
    const forecast_backtest_result *b = r->backtest;
    put_head(out, b);
    put_totals(out, b);
    if (*r->season_note) fprintf(out, "%s\n", r->season_note);
    put_thirds(out, b);
    put_levels(out, b);
    put_sums(out, r);
    put_columns(out, b);
    if (!b->samples)
        fputs("no intervals: the forecasts are too few, or overlap too much, to draw blocks of them\n", out);
    if (r->beaten) fputs("by MSE a baseline is at least as good as this model\n", out);
}
