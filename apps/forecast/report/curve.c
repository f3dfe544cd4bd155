/* A forecast as a curve: history, bands, forecast, what it is compared with; drawn by gnuplot as a file, or as text. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "draw/sheet.h"
#include "forecast/data/zone.h"
#include "forecast/saved/handle.h"
#include "report.h"

enum { BASELINES = 3, MOST_SERIES = 3 + BASELINES + FORECAST_MAX_LEVELS };

/* A plot with the memory that it borrows. */
typedef struct curve_plot {
    plot        plot;
    plot_series series[MOST_SERIES];
    plot_marker now;
    double     *x;
    char        names[FORECAST_MAX_LEVELS][24];
} curve_plot;

static tide_status no_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for a plot"); }

/* One band a level, the widest first, in the colour of the forecast; returns how many. `values` (2, level_count,
 * pred_len) is for their bounds, `names` for theirs. */
static int64_t band_series(const forecast_curve *c, const double *x, double *values, char names[][24],
                           plot_series *out) {
    int64_t count = 0, levels = c->level_count;
    for (int64_t l = levels - 1; l >= 0; l--) {
        double *low = values + 2 * l * c->pred_len, *high = low + c->pred_len;
        for (int64_t s = 0; s < c->pred_len; s++)
            low[s] = c->bands[(s * levels + l) * 2], high[s] = c->bands[(s * levels + l) * 2 + 1];
        if (isnan(low[0])) continue;
        snprintf(names[l], sizeof names[l], "%.9g %%", c->levels[l]);
        out[count++] = (plot_series){ .name = names[l], .x = x, .y = low, .y_upper = high, .count = c->pred_len,
                                      .style = PLOT_BAND, .colour = 2 };
    }
    return count;
}

/* Thin and dashed, behind the forecast. */
static int64_t baseline_series(const forecast_curve *c, const double *x, plot_series *out) {
    static const char *const words[BASELINES] = { "last value", "seasonal naive", "linear" };
    int64_t count = 0;
    for (int i = 0; i < BASELINES; i++)
        if (c->baselines[i])
            out[count++] = (plot_series){ .name = words[i], .x = x, .y = c->baselines[i], .count = c->pred_len,
                                          .style = PLOT_DASHED, .colour = 4 + i };
    return count;
}

static tide_status curve_open(const forecast_curve *c, curve_plot *out, tide_failure *failure) {
    int64_t total = c->seq_len + c->pred_len;
    double *x = out->x = malloc((size_t)(total + 2 * c->level_count * c->pred_len) * sizeof *x + 1);
    if (!x) return no_memory(failure);
    for (int64_t i = 0; i < total; i++)
        x[i] = c->time ? (double)(c->time[i] + c->offset_s) : (double)(i - c->seq_len + 1);
    plot_series *series = out->series;
    int64_t      count  = band_series(c, x + c->seq_len, x + total, out->names, series);
    series[count++]     = (plot_series){ .name = "past", .x = x, .y = c->past, .count = c->seq_len, .style = PLOT_LINE,
                                         .colour = 1 };
    count += baseline_series(c, x + c->seq_len, series + count);
    series[count++] = (plot_series){ .name = "forecast", .x = x + c->seq_len, .y = c->forecast, .count = c->pred_len,
                                     .style = PLOT_LINE, .colour = 2 };
    if (c->truth)
        series[count++] = (plot_series){ .name = "truth", .x = x + c->seq_len, .y = c->truth, .count = c->pred_len,
                                         .style = PLOT_DASHED, .colour = 3 };
    out->now  = (plot_marker){ x[c->seq_len ? c->seq_len - 1 : 0], "" };
    out->plot = (plot){ .title = c->title, .x_label = c->time ? NULL : "step", .y_label = c->column,
                        .x_is_time = c->time != NULL, .series = series, .series_count = count, .markers = &out->now,
                        .marker_count = 1 };
    return TIDE_OK;
}

tide_status plot_curve(const char *svg_path, const forecast_curve *c, plot_watch *watch, tide_failure *failure) {
    curve_plot  p;
    tide_status status = curve_open(c, &p, failure);
    if (status == TIDE_OK) status = plot_write(svg_path, &p.plot, watch, NULL, failure);
    free(p.x);
    return status;
}

/* ---- as text ---- */

static tide_status check(const forecast_plot *p, tide_failure *failure) {
    bool bands = p->level_count >= 0 && p->level_count <= FORECAST_MAX_LEVELS &&
                 (!p->level_count || (p->bands && p->levels));
    if (p->past_rows >= 0 && p->rows > 0 && (p->past || !p->past_rows) && p->forecast && bands) return TIDE_OK;
    return fail(failure, TIDE_EINVAL, "a plot needs a forecast of at least one row, %" PRId64 " values before it, and "
                                      "bounds for at most %d levels", p->past_rows, FORECAST_MAX_LEVELS);
}

static forecast_curve curve_of(const forecast_plot *p) {
    forecast_curve c = { .title = p->title, .column = p->name, .past = p->past, .forecast = p->forecast,
                         .truth = p->truth, .time = p->time_s, .seq_len = p->past_rows, .pred_len = p->rows,
                         .levels = p->levels, .bands = p->bands, .level_count = p->level_count,
                         .baselines = { p->baselines[0], p->baselines[1], p->baselines[2] } };
    const zone    *z = p->model ? handle_bundle(p->model)->zone : NULL;
    if (z && c.time) c.offset_s = zone_offset(z, c.time[c.seq_len ? c.seq_len - 1 : 0]);
    return c;
}

static tide_status add_picture(const forecast_plot *p, chart_sheet *sheet, tide_failure *failure) {
    curve_plot        drawn;
    forecast_curve    curve = curve_of(p);
    tide_status       status = check(p, failure);
    if (status == TIDE_OK) status = curve_open(&curve, &drawn, failure);
    if (status != TIDE_OK) return status;
    chart_sheet_add(sheet, &drawn.plot);
    free(drawn.x);
    return TIDE_OK;
}

tide_status forecast_plot_svg(const forecast_plot *plots, int64_t count, char **svg, tide_failure *failure) {
    failure_clear(failure);
    if (!plots || count < 1 || !svg) return fail(failure, TIDE_EINVAL, "there is nothing to draw, or no place for it");
    chart_sheet sheet;
    tide_status status = TIDE_OK;
    chart_sheet_begin(&sheet);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) status = add_picture(&plots[i], &sheet, failure);
    return chart_sheet_end(&sheet, status, svg, failure);
}
