/* Loss curves and the forecast beside the truth, as SVG and as the numbers behind it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/zone.h"
#include "forecast/fit/calibrate.h"
#include "report.h"
#include "train/step.h"

static tide_status no_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for a plot"); }

static bool asked_to_stop(void *user, const char *svg_path) {
    return listener_tell(user, (forecast_event){ .stage = FORECAST_STAGE_DRAW, .message = svg_path }) != 0;
}

static void warn(void *user, const char *message) { listener_note(user, FORECAST_STAGE_WARNING, "%s", message); }

plot_watch report_watch(const listener *l) {
    return (plot_watch){ .stop = asked_to_stop, .warn = warn, .user = (listener *)l };
}

tide_status plot_losses(const run_folder *r, int64_t best_epoch, plot_watch *watch, tide_failure *failure) {
    char         path[FOLDER_PATH];
    metrics_row *rows;
    int64_t      count;
    tide_status  status = metrics_read(r, &rows, &count, failure);
    double      *values = malloc((size_t)count * 3 * sizeof *values + 1);
    if (status == TIDE_OK && !values) status = no_memory(failure);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        values[i]             = (double)rows[i].epoch;
        values[count + i]     = rows[i].train_loss;
        values[2 * count + i] = rows[i].val_loss;
    }
    plot_series series[2] = { { .name = "training", .x = values, .y = values + count, .count = count,
                                .style = PLOT_POINTS },
                              { .name = "validation", .x = values, .y = values + 2 * count, .count = count,
                                .style = PLOT_POINTS } };
    plot_marker best      = { (double)best_epoch, "best" };
    plot        p = { .title = "Loss by epoch", .x_label = "epoch", .y_label = "loss (scaled)", .series = series,
                      .series_count = 2, .markers = &best, .marker_count = best_epoch > 0, .x_is_whole = true,
                      .y_not_negative = true };
    if (status == TIDE_OK) status = owned_claim_plot(r->path, "loss", path, failure);
    if (status == TIDE_OK) status = plot_write(path, &p, watch, NULL, failure);
    free(values);
    free(rows);
    return status;
}

tide_status plot_horizon(const char *folder, const score *model, const baseline_parts *baselines, int64_t steps,
                         int64_t columns, plot_watch *watch,
                         tide_failure *failure) {
    char        path[FOLDER_PATH];
    error_parts parts[4]  = { { 0 } };
    plot_series series[4] = { { 0 } };
    int         count     = 0;
    bool        fine      = true;
    for (int i = 0; fine && i < 4; i++) {
        if (i > 0 && !baselines->present[i - 1]) continue;
        fine          = error_parts_new(i ? baselines->pair[i - 1].scaled : model, steps, columns, &parts[i]);
        series[count] = (plot_series){ .name = i ? baseline_names[i - 1] : "model",
                                       .y = parts[i].step_mse,
                                       .count = steps,
                                       .style = i ? PLOT_DASHED : PLOT_LINE };
        count++;
    }
    plot p = { .title = "Error by horizon step", .x_label = "step", .y_label = "mean squared error (scaled)",
               .x_is_whole = true, .y_not_negative = true,
               .series = series, .series_count = count };
    tide_status status = fine ? owned_claim_plot(folder, "horizon", path, failure) : no_memory(failure);
    if (status == TIDE_OK) status = plot_write(path, &p, watch, NULL, failure);
    for (int i = 0; i < 4; i++) error_parts_free(&parts[i]);
    return status;
}

static const double sample_levels[] = { 80, 95 };
enum { SAMPLE_LEVELS = sizeof sample_levels / sizeof *sample_levels };

/* Around one column's forecast (pred_len) of the window at `first_row`: (pred_len, SAMPLE_LEVELS, 2). Returns the
 * levels that there are: none where nothing is calibrated, or where there is no memory, which a plot can do without. */
static int64_t sample_bands(const dataset *d, const bundle *b, const window_program *p, int64_t first_row,
                            int64_t column, const double *forecast, double *bands) {
    const float *scaled = p->widths.graph ? tide_data(p->widths) : NULL;
    int64_t      cells = b->config.pred_len * d->out_count, wide = scaled ? cells * p->shape.widths : 0;
    look_back window = look_back_of(d, first_row, b->config.seq_len);
    float    *scale  = b->bands.quantile[0] ? malloc((size_t)(d->out_count + wide) * sizeof *scale + 1) : NULL;
    if (!scale || (p->widths.graph && !scaled)) return free(scale), 0;
    window_spread s = { scale, wide ? scale + d->out_count : NULL };
    if (wide) widths_to_original(d, scaled, cells, p->shape.widths, scale + d->out_count);
    bands_scales(&b->bands, &window, scale);
    for (int64_t i = 0; i < b->config.pred_len; i++)
        bands_at(&b->bands, 0, i * d->out_count + column - d->out_first, forecast[i], &s, sample_levels,
                 SAMPLE_LEVELS, bands + i * SAMPLE_LEVELS * 2);
    free(scale);
    return SAMPLE_LEVELS;
}

tide_status plot_sample(const char *folder, const dataset *d, const bundle *b, window_program *p, int64_t first_row,
                        plot_watch *watch,
                        tide_failure *failure) {
    char        path[FOLDER_PATH];
    int64_t     seq = b->config.seq_len, pred = b->config.pred_len, columns = d->frame.columns, out = d->out_count;
    bool        shown  = b->target >= d->out_first && b->target < d->out_first + out;
    int64_t     column = shown ? b->target : d->out_first;
    double     *values = malloc((size_t)(seq + (2 + SAMPLE_LEVELS * 2) * pred) * sizeof *values);
    if (!values) return no_memory(failure);
    for (int64_t i = 0; i < seq + pred; i++) values[i] = d->frame.values[(first_row + i) * columns + column];
    int32_t     start  = (int32_t)first_row;
    tide_status status = run_windows(p, &start, 1, failure);
    const float *scaled = status == TIDE_OK ? tide_data(p->prediction) : NULL;
    if (status == TIDE_OK && !scaled) status = train_unread(p->prediction.graph, "a plot", failure);
    for (int64_t i = 0; scaled && i < pred; i++)
        values[seq + pred + i] =
            scaled[i * out + column - d->out_first] * d->scaler.std[column] + d->scaler.mean[column];
    forecast_curve c = { .title = "The last test window", .column = d->frame.names[column], .past = values,
                         .truth = values + seq,
                         .forecast = values + seq + pred, .seq_len = seq, .pred_len = pred, .levels = sample_levels,
                         .bands = values + seq + 2 * pred };
    if (d->frame.time) {
        c.time     = d->frame.time + first_row;
        c.offset_s = zone_offset(d->frame.zone, c.time[seq - 1]);
    }
    if (scaled)
        c.level_count = sample_bands(d, b, p, first_row, column, c.forecast, values + seq + 2 * pred);
    if (scaled) status = owned_claim_plot(folder, "sample", path, failure);
    if (scaled && status == TIDE_OK) status = plot_curve(path, &c, watch, failure);
    free(values);
    return status;
}
