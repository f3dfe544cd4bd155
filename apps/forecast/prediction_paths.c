/* --paths: sample paths around a forecast, and where they are written. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/saved/use.h"
#include "prediction.h"

/* Are paths needed, to be written or for the bounds of sums? The option that needs them; NULL: no. */
static const char *needed_for(const prediction *p) {
    const forecast_options *o = p->options;
    if (o->paths) return "paths";
    if (!p->levels.count) return NULL;
    return p->sums.count ? "sum" : o->sum_horizon ? "sum-horizon" : NULL;
}

tide_status prediction_read_paths(const prediction *p, tide_failure *failure) {
    static const char *const words[] = { "", "last-value", "seasonal-naive", "linear" };
    const char *option = needed_for(p), *what = p->options->paths ? "sample paths" : "intervals of sums";
    if (!option) return TIDE_OK;
    if (p->use != FORECAST_USE_MODEL)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                       "there are %s of a run's model alone, not of its baseline %s: `use` model, or a run that is "
                       "trained with `arch` %s%s", what, words[p->use], words[p->use],
                       p->options->paths ? "" : "; or no `level`");
    if (p->bundle->bands.windows) return TIDE_OK;
    if (!p->bundle->bands.quantile[0]) return use_not_kept(p->options, what, option, failure);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "%s keeps no windows of errors, of which %s are made: it was trained by an earlier version (train "
                   "again), or had one such window, or windows of over 2 MB (`pred-len`, or fewer columns)%s",
                   *p->options->model ? p->options->model : "the model", what,
                   p->options->paths ? "" : "; without `level` there are sums");
}

/* As few windows as there are say nothing of rare futures. */
static void tell_windows(const prediction *p) {
    int64_t windows = p->bundle->bands.windows;
    double  reach = floor(100 * (double)(windows - 1) / (double)(windows + 1));
    double  highest = p->levels.count ? p->levels.of[p->levels.count - 1] : 95;
    if (highest <= reach) return;
    listener_note(&p->listener, FORECAST_STAGE_NOTE,
                  "which errors go together is known from %" PRId64 " windows of validation, which vouch for no level "
                  "of a sum above %.0f %%", windows, reach);
}

tide_status prediction_open_paths(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    size_t bytes = (size_t)(c->pred_len * c->out_count) * sizeof *p->centre;
    if (!needed_for(p)) return TIDE_OK;
    if (!(p->centre = malloc(bytes + 1)) || !path_maker_new(&p->paths, &p->bundle->bands))
        return prediction_no_memory(failure);
    memcpy(p->centre, p->values, bytes);
    tell_windows(p);
    return TIDE_OK;
}

void prediction_path(const prediction *p, path_draw draw, double *cells) {
    path_make(&p->paths, draw, p->centre, &(window_spread){ p->scale, p->widths }, cells);
    prediction_clamp_path(p, cells);
}

/* ---- what is written ---- */

/* One path in place of the forecast, added up as that is. */
typedef struct path_writer {
    prediction one;
    double    *cells;
    int64_t    count, seed;
} path_writer;

static tide_status writer_open(path_writer *w, const prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    int64_t             cells = c->pred_len * c->out_count;
    *w = (path_writer){ .one = *p, .count = p->options->paths, .seed = p->options->seed };
    w->cells = malloc((size_t)(cells + p->rows * p->series) * sizeof *w->cells + 1);
    if (!w->cells) return prediction_no_memory(failure);
    w->one.values       = w->cells + cells;
    w->one.levels.count = 0;
    return TIDE_OK;
}

static void writer_take(path_writer *w, int64_t i) {
    const model_config *c = &w->one.bundle->config;
    prediction_path(&w->one, path_drawn(w->seed, i), w->cells);
    if (prediction_adds(&w->one)) prediction_round(w->cells, c->pred_len * c->out_count);
    prediction_add_up(&w->one, w->cells, w->one.values);
}

/* In the form of the forecast, behind a column with the path's number from 1 on. */
static tide_status put_paths(void *user, void *stdio_file) {
    enum { ASK_EVERY = 256 };
    path_writer *w      = user;
    tide_status  status = TIDE_OK;
    for (int64_t i = -1; status == TIDE_OK && i < w->count; i++) {
        text t = { 0 };
        char before[32] = PATH_COLUMN ",";
        if (i < 0) {
            text_add(&t, "%s", before);
            prediction_header(&w->one, &t);
        } else {
            snprintf(before, sizeof before, "%" PRId64 ",", i + 1);
            writer_take(w, i);
            prediction_rows_csv(&w->one, &t, before);
        }
        if (i % ASK_EVERY == 0 && listener_tell(&w->one.listener, (forecast_event){ .stage = FORECAST_STAGE_SCORE,
                                                                                    .batch = i + 1,
                                                                                    .batches = w->count }))
            status = TIDE_ECANCELLED;
        else if (t.failed) status = TIDE_ENOMEM;
        else if (fputs(t.data, stdio_file) < 0) status = TIDE_EIO;
        text_free(&t);
    }
    return status;
}

double *prediction_all_paths(const prediction *p, tide_failure *failure) {
    path_writer w;
    int64_t     each = p->rows * p->series;
    double     *all  = malloc((size_t)(p->options->paths * each) * sizeof *all + 1);
    if (!all) return prediction_no_memory(failure), NULL;
    if (writer_open(&w, p, failure) != TIDE_OK) return free(all), NULL;
    for (int64_t i = 0; i < w.count; i++) {
        writer_take(&w, i);
        memcpy(all + i * each, w.one.values, (size_t)each * sizeof *all);
    }
    free(w.cells);
    return all;
}

/* Beside --output, else into the run's folder. */
tide_status prediction_write_paths(const prediction *p, tide_failure *failure) {
    const forecast_options *o = p->options;
    path_writer w;
    char        path[FOLDER_PATH];
    bool        beside = prediction_beside(o) && prediction_name_beside(o, "-paths.csv", path);
    tide_status status = beside ? TIDE_OK : owned_claim_file(o->model, "forecast_paths.csv", path, failure);
    if (status == TIDE_OK) status = writer_open(&w, p, failure);
    if (status != TIDE_OK) return status;
    status = tide_file_replace(path, put_paths, &w, failure);
    free(w.cells);
    if (status == TIDE_OK && beside) output_remember(o->model, path);
    if (status == TIDE_OK)
        listener_tell(&p->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = path });
    else if (!beside) owned_release(o->model);
    return status;
}

/* [[a path's rows], ...] of one series. */
static void add_path(json_t *all, const path_writer *w, int64_t series) {
    json_t *one = json_array();
    for (int64_t row = 0; row < w->one.rows; row++) {
        double v = w->one.values[row * w->one.series + series];
        json_array_append_new(one, isnan(v) ? json_null() : json_real(v));
    }
    json_array_append_new(all, one);
}

tide_status prediction_paths_json(const prediction *p, json_t *o, tide_failure *failure) {
    enum { MOST_NUMBERS = 100000 };
    path_writer w;
    if (p->options->paths > MOST_NUMBERS / (p->rows * p->series)) return TIDE_OK;
    tide_status status = writer_open(&w, p, failure);
    if (status != TIDE_OK) return status;
    json_t *all = json_object();
    for (int64_t k = 0; k < p->series; k++) json_object_set_new(all, prediction_name(p, k), json_array());
    for (int64_t i = 0; i < w.count; i++) {
        writer_take(&w, i);
        for (int64_t k = 0; k < p->series; k++) add_path(json_object_get(all, prediction_name(p, k)), &w, k);
    }
    free(w.cells);
    json_object_set_new(o, "paths", all);
    return TIDE_OK;
}
