/* forecast_explain_inputs: what the forecasts of a run go by. Scored as forecast_evaluate does, then looked into. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/explain.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "base/json.h"
#include "evaluation.h"
#include "forecast/data/zoned.h"
#include "forecast/explain/explained.h"
#include "forecast/explain/explaining.h"
#include "forecast/saved/run_options.h"
#include "prediction.h"

typedef struct explanation {
    evaluation evaluation;
    explaining work;
    explained  shown;
    prediction forecast;        /* after the series' last row */
    double    *last;            /* where there can be none, the last test window's: numbers of explained's arrays */
    dataset    trained;         /* the training file, where it is another than the one that is explained */
    json_t    *run;             /* run.json; NULL: there is none */
    char       folder[FOLDER_PATH];
    char       targets[sizeof ((forecast_options *)0)->targets];
} explanation;

/* ---- options ---- */

/* A model file has no folder of its own; whether it is one comes first. */
static tide_status name_folder(explanation *x, const char *path, tide_failure *failure) {
    const forecast_options *o = x->evaluation.options;
    model_config            c;
    if (*o->out) snprintf(x->folder, sizeof x->folder, "%s", o->out);
    else folder_file(o->model, "explain", x->folder);
    if (*o->out || strcmp(path, o->model)) return TIDE_OK;
    tide_status status = bundle_sizes(path, &c, failure);
    return status != TIDE_OK ? status
                             : fail_at(failure, TIDE_EINVAL, NULL, 0, "out",
                                       "%s is no run folder to write into: `out` DIR names one", o->model);
}

static tide_status settle_folder(explanation *x, const char *path, tide_failure *failure) {
    const forecast_options *o = x->evaluation.options;
    struct stat             info;
    tide_status             status = name_folder(x, path, failure);
    if (status != TIDE_OK) return status;
    if (stat(x->folder, &info)) return TIDE_OK;
    if (!S_ISDIR(info.st_mode))
        return fail_at(failure, TIDE_EINVAL, x->folder, 0, "out", "%s is no folder: `out` DIR names one", x->folder);
    status = owned_check(x->folder, explained_files, failure);
    const char *const inputs[] = { o->data, o->holidays, o->issued, o->future };
    for (int i = 0; status == TIDE_OK && i < 4; i++)
        if (*inputs[i]) status = owned_refuse_input(x->folder, inputs[i], failure);
    return status;
}

/* `targets` says what is explained; to those who read the series it would be another question. */
static void take_targets(explanation *x) {
    forecast_options  *o   = x->evaluation.options;
    const tide_option *row = forecast_option_find("targets");
    memcpy(x->targets, o->targets, sizeof x->targets);
    *o->targets                        = 0;
    o->given[row - forecast_table()->rows] = false;
}

/* Without `data` the run's own file. */
static tide_status settle_data(explanation *x, tide_failure *failure) {
    forecast_options *o   = x->evaluation.options;
    tide_failure      why = { 0 };
    if (run_options_read(o->model, &x->run, &why) != TIDE_OK) {
        json_decref(x->run);
        x->run = NULL;
    }
    if (*o->data || !x->run) return TIDE_OK;
    return run_option_take(x->run, "data", o, failure);
}

static tide_status settle(explanation *x, tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_status status = loaded_path(x->evaluation.options->model, path, failure);
    if (status == TIDE_OK) status = settle_data(x, failure);
    if (status == TIDE_OK) status = settle_folder(x, path, failure);
    take_targets(x);
    return status;
}

/* ---- drift ---- */

static const char *run_text(const explanation *x, const char *object, const char *member) {
    const char *text = json_string_value(json_object_get(json_object_get(x->run, object), member));
    return text ? text : "";
}

/* Is this file, byte by byte, the one that was trained on? */
static bool is_trained(const explanation *x, const char *path) {
    char sum[65];
    bool file = *path && strcmp(path, "-") != 0;
    return file && tide_file_sha256(path, sum, NULL) == TIDE_OK && !strcmp(sum, run_text(x, "data", "sha256"));
}

/* The file that was trained on, read as it was; false, with the reason in drift_note, if it cannot be. */
static bool read_trained(explanation *x, tide_status *status) {
    const evaluation *e    = &x->evaluation;
    const char       *path = run_text(x, "options", "data");
    forecast_options *as   = malloc(sizeof *as);
    tide_failure      why  = { 0 };
    *status = as ? TIDE_OK : TIDE_ENOMEM;
    if (!as) return false;
    *as = *e->options;
    snprintf(as->data, sizeof as->data, "%s", path);
    bool same = is_trained(x, path);
    if (same) *status = loaded_data(as, e->bundle, (forecast_kind)e->bundle->kind, NULL, &x->trained,
                                    &why);
    free(as);
    if (same && *status == TIDE_OK) return true;
    snprintf(x->work.out->drift_note, sizeof x->work.out->drift_note,
             "The inputs are not compared with the rows that were trained on: %s%.100s%s.",
             *path ? "" : "the run does not tell its training file", path,
             !*path  ? ""
             : same  ? " cannot be read as it was"
                     : " is not there, or has changed since");
    if (*status != TIDE_ENOMEM) *status = TIDE_OK;
    return false;
}

/* Rows after the training file's last one, by their stamps. */
static int64_t newer_from(const explanation *x) {
    const bundle *b = x->evaluation.bundle;
    const frame  *f = &x->evaluation.data.frame;
    int64_t       from = f->rows;
    if (!b->tail_time || !f->time) return from;
    while (from > 0 && f->time[from - 1] > b->tail_time[b->config.seq_len - 1]) from--;
    return from;
}

/* The recent rows [from, rows), by `rows`, by stamps, or the test rows. */
static int64_t recent_from(const explanation *x, const char **what) {
    const evaluation       *e = &x->evaluation;
    const forecast_options *o = e->options;
    int64_t rows = e->data.frame.rows, newer = newer_from(x);
    bool    pems = e->bundle->kind == FORECAST_PEMS;
    *what = "the last rows";
    if (o->rows) return rows - o->rows;
    *what = "the rows after those of the training file";
    if (rows - newer >= e->bundle->config.seq_len) return newer;
    *what = "the test rows";
    return MIN2(e->data.split.test.start + (pems ? 0 : e->bundle->config.seq_len), rows);
}

static void stamp_of(const frame *f, int64_t row, char out[40]) {
    if (f->time) zoned_print(out, f->zone, f->time[row], &f->format);
    else snprintf(out, 40, "row %" PRId64, row + 1);
}

static tide_status drifts(explanation *x, tide_failure *failure) {
    evaluation        *e      = &x->evaluation;
    const frame       *now    = &e->data.frame, *before = now;
    const bundle      *b      = e->bundle;
    split              s      = { 0 };
    const char        *what;
    char               first[40], last[40], start[40], end[40];
    tide_status        status = TIDE_OK;
    if (e->options->rows > now->rows)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "rows",
                       "`rows` %" PRId64 " are more than the series has, %" PRId64, e->options->rows, now->rows);
    if (!is_trained(x, e->options->data)) {
        if (!read_trained(x, &status)) return status == TIDE_OK ? TIDE_OK : explaining_no_memory(failure);
        before = &x->trained.frame;
    }
    status = split_sized(before, (frame_kind)b->kind, b->record.sizes, b->config.seq_len,
                                     b->config.pred_len, &s, failure);
    if (status != TIDE_OK) return status;
    int64_t from = recent_from(x, &what), stop = now->rows;
    if (!e->options->rows && e->bundle->kind != FORECAST_CUSTOM)
        stop = MIN2(stop, e->data.split.test.start + e->data.split.test.rows);
    stamp_of(now, from, first), stamp_of(now, stop - 1, last);
    stamp_of(before, s.train.start, start), stamp_of(before, s.train.start + s.train.rows - 1, end);
    snprintf(x->work.out->drift_note, sizeof x->work.out->drift_note,
             "Compared: %s (%" PRId64 ", %s to %s) with those that were trained on (%" PRId64 ", %s to %s).", what,
             stop - from, first, last, s.train.rows, start, end);
    if (b->record.refit)
        listener_note(&e->listener, FORECAST_STAGE_NOTE,
                      "the run has learned from all rows since (`refit`, update); drift is told from the rows of the "
                      "training before");
    return explain_drifts(&x->work, before, s.train, from, stop, failure);
}

/* ---- looking ---- */

static tide_status look_into(explanation *x, forecast_result *r, tide_failure *failure) {
    evaluation *e = &x->evaluation;
    r->inputs     = calloc(1, sizeof *r->inputs);
    if (!r->inputs) return explaining_no_memory(failure);
    x->work = (explaining){ .session = handle_session(e->run), .data = &e->data, .listener = &e->listener,
                            .out = r->inputs };
    tide_status status = explaining_windows(&x->work, e->scoring.windows, e->options->windows, failure);
    if (status == TIDE_OK) status = explaining_inputs(&x->work, failure);
    if (status == TIDE_OK) status = explaining_targets(&x->work, x->targets, failure);
    if (status == TIDE_OK) status = explain_attention(&x->work, failure);
    if (status == TIDE_OK) status = explain_attributions(&x->work, failure);
    if (status == TIDE_OK) status = explain_flat(&x->work, failure);
    return status == TIDE_OK ? drifts(x, failure) : status;
}

/* ---- the forecast ---- */

static bool keeps_levels(const explanation *x) {
    const bundle *b = x->evaluation.bundle;
    return b->bands.quantile[FORECAST_USE_MODEL] != NULL;
}

/* What was known at row `now` of those after it, original units: (pred_len, known), as the model takes it. */
static void known_then(const dataset *d, const model_config *c, int64_t now, double *out) {
    int64_t stop = c->known - d->holiday_columns, first = stop - d->issued_columns;
    for (int64_t i = 0; i < c->pred_len * c->known; i++) {
        int64_t step = i / c->known, column = i % c->known;
        bool    issued = d->issued && column >= first && column < stop;
        out[i] = issued ? d->issued[(now * c->pred_len + step) * d->issued_columns + column - first]
                        : d->frame.values[(now + 1 + step) * c->columns + c->columns - c->known + column];
    }
}

/* The last window whose truth is known, where a forecast after it would need what nobody has told. */
static tide_status forecast_last(explanation *x, tide_failure *failure) {
    const evaluation   *e   = &x->evaluation;
    const dataset      *d   = &e->data;
    const model_config *c   = &e->bundle->config;
    explained          *s   = &x->shown;
    levels              l   = { 0 };
    int64_t     start = window_start(&e->scoring.windows, e->scoring.windows.count - 1), now = start + c->seq_len - 1;
    int64_t     cells = c->pred_len * c->out_count;
    tide_status status = keeps_levels(x) ? levels_measured(e->options->level, &l, failure) : TIDE_OK;
    if (status != TIDE_OK) return status;
    x->last = malloc((size_t)(cells * (2 + 2 * l.count) + c->pred_len * c->known) * sizeof *x->last + 1);
    if (!x->last) return explaining_no_memory(failure);
    double *truth = x->last + cells, *bands = truth + cells, *known = bands + cells * 2 * l.count;
    const double  *past = d->frame.values + start * c->columns;
    const int64_t *time = d->frame.time ? d->frame.time + start : NULL;
    for (int64_t i = 0; i < cells; i++)
        truth[i] = d->frame.values[(now + 1 + i / c->out_count) * c->columns + c->out_first + i % c->out_count];
    known_then(d, c, now, known);
    status = l.count ? forecast_model_predict_levels(e->run, 1, past, time, known, l.of, l.count, x->last, bands, NULL)
                     : forecast_model_predict_known(e->run, 1, past, time, known, x->last, NULL);
    if (status != TIDE_OK) return status == TIDE_ENOMEM ? explaining_no_memory(failure) : TIDE_OK;
    s->past = past, s->values = x->last, s->truth = truth, s->bands = bands, s->levels = l;
    stamp_of(&d->frame, now, s->last);
    return TIDE_OK;
}

/* The page has a forecast where there can be one; where not, it says why. */
static tide_status forecast_ahead(explanation *x, tide_failure *failure) {
    prediction  *p   = &x->forecast;
    explained   *s   = &x->shown;
    tide_failure why = { 0 };
    if (!strcmp(x->evaluation.options->data, "-")) {
        snprintf(s->no_forecast, sizeof s->no_forecast,
                 "None after the last row: the series came from standard input, which can be read once.");
        return forecast_last(x, failure);
    }
    if (!(p->options = malloc(sizeof *p->options))) return explaining_no_memory(failure);
    *p->options = *x->evaluation.options;
    p->listener = (listener){ .began = x->evaluation.listener.began };
    if (!*p->options->level && keeps_levels(x)) snprintf(p->options->level, sizeof p->options->level, "80,95");
    tide_status status = prediction_open(p, &why);
    if (status == TIDE_OK) status = prediction_make(p, &why);
    if (status == TIDE_ENOMEM || (status != TIDE_OK && *p->options->future)) {
        if (failure) *failure = why;
        return status;
    }
    if (status != TIDE_OK) {
        snprintf(s->no_forecast, sizeof s->no_forecast, "None after the last row: %.350s.", why.message);
        return forecast_last(x, failure);
    }
    const frame *f = &p->data.frame;
    s->past = f->values, s->values = p->values, s->bands = p->bands, s->levels = p->levels;
    if (f->time) zoned_print(s->last, f->zone, f->time[f->rows - 1], &f->format);
    return TIDE_OK;
}

/* ---- what is shown ---- */

static bool steps_of(explanation *x) {
    const evaluation *e    = &x->evaluation;
    bool              fine = true;
    int64_t           steps = e->scoring.pred_len, columns = e->data.out_count;
    for (int i = 0; i < 3; i++)
        if (e->baselines.present[i])
            fine &= error_parts_new(e->baselines.pair[i].scaled, steps, columns, &x->shown.steps[i + 1]);
    return fine && error_parts_new(e->model.scaled, steps, columns, &x->shown.steps[0]);
}

static tide_status members_of(explanation *x, tide_failure *failure) {
    explained    *s = &x->shown;
    const session *own = x->work.session;
    tide_val      weights;
    int64_t       columns = own->model.config.out_count;
    s->parts = ensemble_parts(&own->model, s->part, &weights);
    const float *w = weights.graph ? tide_data(weights) : NULL;
    if (weights.graph && !w) return session_failure(own, failure) ? TIDE_ENOMEM : explaining_no_memory(failure);
    for (int64_t i = 0; w && i < s->parts * columns; i++) s->weight[i / columns] += w[i] / (double)columns;
    return TIDE_OK;
}

static tide_status write_json(explanation *x, forecast_result *r, tide_failure *failure) {
    tide_status status = report_json("forecast explain", r, &x->evaluation.parts, failure);
    if (status != TIDE_OK) return status;
    json_t *o = json_loads(r->json, 0, NULL);
    char   *text = explained_json(&x->shown, &o) ? json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(o);
    if (!text) return explaining_no_memory(failure);
    free(r->json);
    r->json = text;
    return TIDE_OK;
}

static tide_status show(explanation *x, forecast_result *r, tide_failure *failure) {
    evaluation *e = &x->evaluation;
    explained  *s = &x->shown;
    char        path[FOLDER_PATH];
    s->options = e->options, s->result = r, s->bundle = e->bundle, s->data = &e->data;
    tide_status status = steps_of(x) ? TIDE_OK : explaining_no_memory(failure);
    if (status == TIDE_OK) status = members_of(x, failure);
    if (status == TIDE_OK) status = forecast_ahead(x, failure);
    if (status == TIDE_OK) status = make_folders(x->folder, failure);
    if (status == TIDE_OK) status = explained_write(s, x->folder, &e->listener, failure);
    if (status != TIDE_OK) return status;
    snprintf(r->inputs->report, sizeof r->inputs->report, "%s", folder_file(x->folder, explained_files[0], path));
    r->text = explained_text(s);
    if (!r->text) return explaining_no_memory(failure);
    r->wall_s       = os_seconds() - e->listener.began;
    r->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    return write_json(x, r, failure);
}

/* ---- the command ---- */

static tide_status explain(explanation *x, forecast_result *r, tide_failure *failure) {
    tide_status status = settle(x, failure);
    if (status == TIDE_OK) status = evaluation_score(&x->evaluation, r, failure);
    if (status == TIDE_OK) status = look_into(x, r, failure);
    return status == TIDE_OK ? show(x, r, failure) : status;
}

static void explanation_free(explanation *x) {
    for (int i = 0; i < 4; i++) error_parts_free(&x->shown.steps[i]);
    explaining_free(&x->work);
    prediction_free(&x->forecast);
    dataset_free(&x->trained);
    free(x->last);
    evaluation_free(&x->evaluation);
    json_decref(x->run);
    free(x);
}

tide_status forecast_explain_inputs(const forecast_options *options, forecast_progress progress, void *user,
                                    forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    explanation *x = calloc(1, sizeof *x);
    if (!x) return explaining_no_memory(failure);
    evaluation *e = &x->evaluation;
    e->options    = malloc(sizeof *options);
    e->listener   = (listener){ progress, user, os_seconds(), NULL };
    tide_status status = e->options ? options_resolve(options, e->options, &e->compat, failure)
                                    : explaining_no_memory(failure);
    if (status == TIDE_OK) status = explain(x, result, failure);
    explanation_free(x);
    return status;
}
