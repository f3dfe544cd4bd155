#include "curves.h"

#include <math.h>
#include <stdlib.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "plot_told.h"

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

static tide_status draw_both(const training *run, int64_t best_epoch, tide_failure *failure) {
    static const curve losses[] = { { "train_loss", "training", PLOT_POINTS },
                                    { "val_loss", "validation", PLOT_POINTS } };
    static const curve accuracies[] = { { "train_acc", "training", PLOT_POINTS },
                                        { "val_acc", "validation", PLOT_POINTS },
                                        { "best_possible_acc", "best possible", PLOT_DASHED } };
    char        path[FOLDER_PATH];
    tide_table  t      = { 0 };
    told        to     = { run->listener, run->user };
    plot_watch  watch  = eis_plot_watch(&to);
    plot_marker best   = { (double)best_epoch, "best" };
    plot        loss   = { .title = "Loss by epoch", .x_label = "epoch", .y_label = "cross-entropy, nats",
                           .markers = &best,
                           .marker_count = best_epoch > 0, .x_is_whole = true, .y_not_negative = true };
    plot        accuracy = { .title = "Accuracy by epoch: missing parameters whose most probable value is right",
                             .x_label = "epoch",
                             .y_label = "share", .markers = &best, .marker_count = best_epoch > 0, .x_is_whole = true,
                             .y_not_negative = true };
    tide_status status = tide_csv_read(folder_file(run->folder.path, "metrics.csv", path), NULL, &t, failure);
    if (status == TIDE_OK) status = draw(&run->folder, &t, "loss", &loss, losses, 2, &watch, failure);
    if (status == TIDE_OK) status = draw(&run->folder, &t, "accuracy", &accuracy, accuracies, 3, &watch, failure);
    tide_table_free(&t);
    return status;
}

tide_status training_draw(const training *t, tide_failure *failure) {
    if (!t->options.plots) return TIDE_OK;
    tide_status status = plot_available() ? TIDE_OK : training_tell(t, EIS_NOTE, plot_missing_note(), failure);
    return status == TIDE_OK ? draw_both(t, fit_at(t->fit)->best_epoch, failure) : status;
}
