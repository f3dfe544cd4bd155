#include "log.h"

#include <math.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "plot_told.h"

static const struct { const char *name; size_t offset; bool whole; } columns[] = {
    { "epoch", offsetof(training_row, epoch), true },
    { "step", offsetof(training_row, step), true },
    { "lr", offsetof(training_row, lr), false },
    { "train_loss", offsetof(training_row, train_loss), false },
    { "val_loss", offsetof(training_row, val_loss), false },
    { "train_acc", offsetof(training_row, train_acc), false },
    { "val_acc", offsetof(training_row, val_acc), false },
    { "best_possible_acc", offsetof(training_row, best_possible_acc), false },
    { "grad_norm", offsetof(training_row, grad_norm), false },
    { "seconds", offsetof(training_row, seconds), false },
    { "rss_mib", offsetof(training_row, rss_mib), false },
    { "loss_scale", offsetof(training_row, loss_scale), false },
    { "skipped_steps", offsetof(training_row, skipped_steps), true },
};
enum { COLUMNS = sizeof columns / sizeof *columns, SCALER_COLUMNS = 2 };

tide_status training_row_scaler(training_row *row, const tide_grad_scaler *s, tide_failure *failure) {
    float   scale   = 0;
    int32_t skipped = 0;
    if (!s->scale.graph) return TIDE_OK;
    tide_status status = tide_read(s->scale, &scale, sizeof scale);
    if (status == TIDE_OK) status = tide_read(s->skipped, &skipped, sizeof skipped);
    row->loss_scale = (double)scale, row->skipped_steps = skipped;
    return status == TIDE_OK ? status : fail(failure, status, "the loss scale could not be read");
}

static double value_of(const training_row *row, int column) {
    const char *field = (const char *)row + columns[column].offset;
    return columns[column].whole ? (double)*(const int64_t *)field : *(const double *)field;
}

tide_status training_log_append(const run_folder *r, const training_row *row, int64_t *bytes, tide_failure *failure) {
    text header = { 0 }, line = { 0 };
    int  count  = row->loss_scale > 0 ? COLUMNS : COLUMNS - SCALER_COLUMNS;
    for (int i = 0; i < count; i++) {
        char   number[32] = "";
        double value      = value_of(row, i);
        if (!isnan(value)) num_format(number, value, true);
        if (columns[i].whole) num_format(number, value, false);
        text_add(&header, "%s%s", i ? "," : "", columns[i].name);
        text_add(&line, "%s%s", i ? "," : "", number);
    }
    text_add(&header, "\n");
    text_add(&line, "\n");
    tide_status status = header.failed || line.failed ? fail(failure, TIDE_ENOMEM, "out of memory for metrics.csv")
                                                      : run_metrics_append(r, header.data, line.data, bytes, failure);
    text_free(&header);
    text_free(&line);
    return status;
}

/* ---- curves ---- */

typedef struct curve { const char *column, *name; plot_style style; } curve;

static int64_t column_of(const tide_table *t, const char *name) {
    for (int64_t i = 0; i < t->columns; i++)
        if (!strcmp(t->header[i], name)) return i;
    return -1;
}

static bool read_column(const tide_table *t, const char *name, double *out) {
    int64_t at = column_of(t, name);
    bool    any = false;
    for (int64_t i = 0; i < t->rows; i++) {
        char *end, *cell = at < 0 ? "" : t->cells[i * t->columns + at];
        out[i] = num_parse(cell, &end);
        if (end == cell) out[i] = NAN;
        any |= !isnan(out[i]);
    }
    return any;
}

static tide_status draw(const run_folder *r, const tide_table *t, const char *name, plot *p, const curve *curves,
                        int count, plot_watch *watch,
                        tide_failure *failure) {
    char        path[FOLDER_PATH];
    plot_series series[3];
    double     *values = malloc((size_t)(t->rows * (count + 1)) * sizeof *values + 1);
    if (!values) return fail(failure, TIDE_ENOMEM, "out of memory for a plot");
    read_column(t, "epoch", values);
    p->series = series;
    for (int i = 0; i < count; i++) {
        double *y = values + (i + 1) * t->rows;
        if (read_column(t, curves[i].column, y))
            series[p->series_count++] = (plot_series){
                .name = curves[i].name, .x = values, .y = y, .count = t->rows, .style = curves[i].style
            };
    }
    tide_status status = p->series_count ? owned_claim_plot(r->path, name, path, failure) : TIDE_OK;
    if (p->series_count && status == TIDE_OK) status = plot_write(path, p, watch, NULL, failure);
    free(values);
    return status;
}

tide_status training_log_plot(const run_folder *r, int64_t best_epoch, eis_listener listener, void *user,
                              tide_failure *failure) {
    static const curve losses[] = { { "train_loss", "training", PLOT_POINTS },
                                    { "val_loss", "validation", PLOT_POINTS } };
    static const curve accuracies[] = { { "train_acc", "training", PLOT_POINTS },
                                        { "val_acc", "validation", PLOT_POINTS },
                                        { "best_possible_acc", "best possible", PLOT_DASHED } };
    char        path[FOLDER_PATH];
    tide_table  t      = { 0 };
    told        to     = { listener, user };
    plot_watch  watch  = eis_plot_watch(&to);
    plot_marker best   = { (double)best_epoch, "best" };
    plot        loss   = { .title = "Loss by epoch", .x_label = "epoch", .y_label = "cross-entropy, nats",
                           .markers = &best,
                           .marker_count = best_epoch > 0, .x_is_whole = true, .y_not_negative = true };
    plot        accuracy = { .title = "Accuracy by epoch: missing parameters whose most probable value is right",
                             .x_label = "epoch",
                             .y_label = "share", .markers = &best, .marker_count = best_epoch > 0, .x_is_whole = true,
                             .y_not_negative = true };
    tide_status status = tide_csv_read(folder_file(r->path, "metrics.csv", path), NULL, &t, failure);
    if (status == TIDE_OK) status = draw(r, &t, "loss", &loss, losses, 2, &watch, failure);
    if (status == TIDE_OK) status = draw(r, &t, "accuracy", &accuracy, accuracies, 3, &watch, failure);
    tide_table_free(&t);
    return status;
}
