#include <math.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "evaluate.h"
#include "draw/plot.h"
#include "train/run.h"

enum { SERIES_MOST = 8, NAME = 64 };

static tide_status write_text(void *user, void *stdio_file) {
    const char *s = user;
    return fputs(s, stdio_file) < 0 || fputs("\n", stdio_file) < 0 ? TIDE_EIO : TIDE_OK;
}

/* Confidence against what was right, one series for each noise and kind of calibration in the report. */
typedef struct curves {
    plot_series series[SERIES_MOST + 1];
    char        name[SERIES_MOST][NAME];
    double      x[SERIES_MOST][CALIBRATION_BINS], y[SERIES_MOST][CALIBRATION_BINS];
    int         count;
} curves;

static void add_curve(curves *c, const json_t *bins, const char *what, double noise) {
    int at = c->count;
    if (at == SERIES_MOST || !json_array_size(bins)) return;
    for (size_t i = 0; i < json_array_size(bins); i++) {
        const json_t *row = json_array_get(bins, i);
        c->x[at][i] = json_real_value(json_object_get(row, "confidence")),
        c->y[at][i] = json_real_value(json_object_get(row, "mass"));
    }
    if (noise > 0) snprintf(c->name[at], NAME, "%s, noise %g %%", what, 100 * noise);
    else snprintf(c->name[at], NAME, "%s", what);
    c->series[c->count++] = (plot_series){
        .name = c->name[at], .x = c->x[at], .y = c->y[at], .count = (int64_t)json_array_size(bins), .style = PLOT_POINTS
    };
}

static tide_status plot_calibration(const char *folder, const json_t *report, tide_failure *failure) {
    static const struct { const char *key, *what; } kinds[] = {
        { "joint_calibration", "joint" }, { "parameter_calibration", "parameters" },
        { "derived_calibration", "TER, TEC, n1, d1, Rs" }, { "calibration", "arcs, TER, TEC" }
    };
    static const double ends[] = { 0, 1 };
    const json_t *levels = json_object_get(report, "levels");
    char          path[FOLDER_PATH];
    curves        c = { .count = 0 };
    for (size_t i = 0; i < json_array_size(levels); i++) {
        const json_t *level = json_array_get(levels, i);
        const char   *cells = json_string_value(json_object_get(level, "cells"));
        if (cells && !strcmp(cells, "kept out")) continue;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            add_curve(&c, json_object_get(level, kinds[k].key), kinds[k].what,
                      json_number_value(json_object_get(level, "noise")));
    }
    if (!c.count) return TIDE_OK;
    c.series[c.count++] = (plot_series){ .name = "right", .x = ends, .y = ends, .count = 2, .style = PLOT_DASHED };
    plot p = { .title = "Calibration", .x_label = "probability that the network gives its first choice",
               .y_label = "probability that it has",
               .series = c.series, .series_count = c.count };
    tide_status status = owned_claim_plot(folder, "calibration", path, failure);
    return status == TIDE_OK ? plot_write(path, &p, NULL, NULL, failure) : status;
}

tide_status evaluate_files(const eis_options *o, const json_t *report, const eis_result *result,
                           tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_status status = make_folders(o->out, failure);
    if (status == TIDE_OK)
        status = owned_claim(o->out, (const char *const[]){ "evaluation.json", "evaluation.txt", NULL }, failure);
    if (status == TIDE_OK)
        status = tide_file_replace(folder_file(o->out, "evaluation.json", path), write_text, result->json, failure);
    if (status == TIDE_OK)
        status = tide_file_replace(folder_file(o->out, "evaluation.txt", path), write_text, result->text, failure);
    return status == TIDE_OK && o->plots ? plot_calibration(o->out, report, failure) : status;
}
