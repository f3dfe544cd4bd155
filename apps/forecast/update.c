/* forecast_update: a few steps more on the newest rows, from a run's parameters into a new run. Its trainer is in
 * memory: the folder is made when all steps were taken. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/plan.h"
#include "forecast/saved/loaded.h"
#include "forecast/saved/run_options.h"
#include "training/parent.h"

/* Of the run's rate; one that was fine-tuned has such a rate already: docs/forecast-finetune.md. */
static const double UPDATE_RATE = 0.1;

typedef struct update {
    trainer          *trainer;  /* its options are those of the steps */
    forecast_options *run;      /* those of the new run: the run's own, on the new file */
    tide_archive      archive;  /* the run's model */
    double            loss[2];  /* of the windows that are learned, before and after */
} update;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the update");
}

/* ---- options ---- */

/* The run's, but for what is of this command and this machine. */
static tide_status take_options(update *u, const forecast_options *asked, tide_failure *failure) {
    json_t           *json = NULL;
    forecast_options *o    = u->run;
    *o = *asked;
    tide_status status = run_options_read(asked->model, &json, failure);
    if (status == TIDE_OK) status = run_options_take(json, o, failure);
    json_decref(json);
    const struct { char *to; const char *from; size_t size; } places[] = {
        { o->data, asked->data, sizeof o->data },       { o->out, asked->out, sizeof o->out },
        { o->holidays, asked->holidays, sizeof o->holidays }, { o->issued, asked->issued, sizeof o->issued },
        { o->device, asked->device, sizeof o->device },
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) memcpy(places[i].to, places[i].from, places[i].size);
    *o->preset = *o->dump_graph = 0;
    o->threads = asked->threads, o->overwrite = asked->overwrite, o->resume = FORECAST_RESUME_NO;
    o->plots = o->explain = o->refit = false;
    return status;
}

static void set_rate(const forecast_options *asked, const forecast_options *run, forecast_options *o) {
    double share     = *run->from ? 1 : UPDATE_RATE;
    o->learning_rate = forecast_option_given(asked, "learning-rate") ? asked->learning_rate : share * o->learning_rate;
    o->lradj         = FORECAST_LR_CONSTANT;
}

/* ---- rows ---- */

/* Windows that overlap are nearly one: of so few one step after the other learns what is chance. */
enum { LEAST_ROWS = 200 };

/* Rows behind the last that the run knows, and where these are few older ones beside them. */
static tide_status count_new(const trainer *t, int64_t *rows, tide_failure *failure) {
    const bundle *b = &t->bundle;
    const frame  *f = &t->data.frame;
    if (!f->time || !b->tail_time)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "rows",
                       "without time stamps nothing tells which rows are new: `rows` N, the last N are learned");
    int64_t last = b->tail_time[b->config.seq_len - 1], from = f->rows;
    while (from > 0 && f->time[from - 1] > last) from--;
    *rows = MAX2(f->rows - from, LEAST_ROWS);
    if (from < f->rows) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, t->options->data, 0, "rows",
                   "none of the %" PRId64 " rows comes after the run's last: a file with newer ones, or `rows` N, "
                   "which takes the last N in any case", f->rows);
}

/* The windows whose horizon ends in one of the rows. */
static tide_status choose_rows(const update *u, tide_failure *failure) {
    trainer            *t    = u->trainer;
    const model_config *c    = &t->config;
    int64_t             rows = t->options->rows, window = c->seq_len + c->pred_len, all = t->data.frame.rows;
    tide_status         status = rows ? TIDE_OK : count_new(t, &rows, failure);
    if (status != TIDE_OK) return status;
    t->windows = MIN2(rows, all - window + 1);
    if (t->windows < 1)
        return fail_at(failure, TIDE_EDATA, t->options->data, 0, NULL,
                       "the file has %" PRId64 " rows, and a window takes %" PRId64 ": it needs rows before the new "
                       "ones", all, window);
    t->data.split.train = (block){ all - window - t->windows + 1, t->windows + window - 1 };
    status = dataset_choose_origins(u->run->origins, c->seq_len, c->pred_len, &t->data, failure);
    if (status != TIDE_OK) return status;
    t->learned = dataset_windows(&t->data, t->data.split.train, c->seq_len, c->pred_len);
    if (!t->learned.count)
        return fail_at(failure, TIDE_EDATA, t->options->data, 0, "rows",
                       "none of the %" PRId64 " windows to learn starts a forecast at the run's `origins`, %s: "
                       "`rows` N takes more", t->windows, u->run->origins);
    t->windows = t->learned.count;
    return TIDE_OK;
}

/* As predict reads it. */
static tide_status read_rows(update *u, tide_failure *failure) {
    trainer      *t    = u->trainer;
    forecast_kind kind = t->bundle.kind == FORECAST_SOLAR || t->bundle.kind == FORECAST_PEMS
                             ? (forecast_kind)t->bundle.kind
                             : FORECAST_CUSTOM;
    tide_status status = loaded_data(u->run, &t->bundle, kind, NULL, &t->data, failure);
    if (status == TIDE_OK) status = choose_rows(u, failure);
    if (status != TIDE_OK) return status;
    tell_warnings(&t->listener, &t->data.frame);
    return dataset_scale(&t->data, t->data.frame.rows, failure);
}

/* ---- steps ---- */

static tide_status read_run(update *u, tide_failure *failure) {
    trainer    *t      = u->trainer;
    tide_status status = tide_file_sha256(t->from.path, t->from.sha256, failure);
    if (status == TIDE_OK) status = tide_safetensors_read(t->from.path, &u->archive, failure);
    if (status == TIDE_OK) status = bundle_take(t->from.path, &u->archive, &t->bundle, failure);
    t->config = t->bundle.config;
    return status == TIDE_OK ? parent_check_arch(t->options->model, "model", &t->config, failure) : status;
}

/* A batch of fewer windows, where there are not as many as the run's has. */
static void set_batch(trainer *t, forecast_options *o) {
    plan_training(o, t->windows);
    o->batch_size = MIN2(o->batch_size, t->windows);
    if (o->batch_size % o->accumulate) o->accumulate = 1;
    t->batches = t->windows / o->batch_size;
}

static tide_status open_session(update *u, tide_failure *failure) {
    trainer    *t      = u->trainer;
    tide_status status = session_open(t->options, &t->config, &t->data, &t->session, failure);
    if (status == TIDE_OK) status = trainer_put_parameters(t, &u->archive, failure);
    if (status == TIDE_OK) status = session_training(&t->session, t->options, NULL, &t->step, failure);
    if (status == TIDE_OK)
        status = session_scoring_all(&t->session, t->windows, WINDOW_LOSSES, &t->validate, failure);
    if (status == TIDE_OK && !(t->order = malloc((size_t)t->windows * sizeof *t->order))) status = no_memory(failure);
    return status;
}

static tide_status measure(update *u, int which, tide_failure *failure) {
    trainer *t = u->trainer;
    return mean_loss(&t->validate, t->learned, NULL, &t->listener, &u->loss[which],
                     failure);
}

/* Epochs of a few windows are nobody's measure. */
static int hear(void *user, const fit_event *e) { return e->row ? 0 : trainer_hear(user, e); }

/* In memory and without validation, as `refit` learns. */
static tide_status take_steps(update *u, tide_failure *failure) {
    trainer    *t     = u->trainer;
    int64_t     steps = t->options->steps;
    fit_model   model = trainer_model(t);
    fit_plan    plan  = { .batches = t->batches, .epochs = ceil_div(steps, t->batches) };
    model.validate = NULL, model.save = NULL;
    tide_status status = measure(u, 0, failure);
    if (status == TIDE_OK) status = fit_new(&model, &plan, NULL, hear, t, &t->fit, failure);
    if (status == TIDE_OK) status = fit_run(t->fit, steps, failure);
    if (status == TIDE_OK) status = measure(u, 1, failure);
    if (status != TIDE_OK || isfinite(u->loss[1])) return status;
    return fail_at(failure, TIDE_EDATA, t->options->data, 0, "learning-rate",
                   "the update diverged, its loss is no number, and nothing was written: a `learning-rate` lower than "
                   "%g", t->options->learning_rate);
}

/* ---- the new run ---- */

static json_t *steps_json(const update *u) {
    const forecast_options *o = u->trainer->options;
    return json_pack("{s:s, s:I, s:I, s:f, s:f, s:f}", "run", o->model, "steps", (json_int_t)o->steps, "windows",
                     (json_int_t)u->trainer->windows, "learning_rate", o->learning_rate, "loss_before", u->loss[0],
                     "loss_after", u->loss[1]);
}

static tide_status write_run(update *u, tide_failure *failure) {
    trainer *t = u->trainer;
    if (!bundle_refresh(&t->bundle, &t->data)) return no_memory(failure);
    t->bundle.record.refit = true; /* what was learned from is no test */
    tide_status status = forecast_folder_update(u->run, &t->data, forecaster_parameters(&t->config), &t->from,
                                                steps_json(u), &t->folder, failure);
    return status == TIDE_OK ? trainer_write_model(t, NULL, failure) : status;
}

static tide_status tell(const update *u, forecast_result *r, tide_failure *failure) {
    const trainer *t    = u->trainer;
    char           text[FOLDER_PATH + 400];
    json_t        *json = steps_json(u);
    snprintf(r->run, sizeof r->run, "%.*s", (int)sizeof r->run - 1, t->folder.path);
    r->steps = t->options->steps, r->windows = t->windows, r->columns = t->config.columns;
    r->seq_len = t->config.seq_len, r->pred_len = t->config.pred_len;
    json_object_set_new(json, "schema_version", json_integer(1));
    json_object_set_new(json, "command", json_string("forecast update"));
    json_object_set_new(json, "new_run", json_string(r->run));
    r->json = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(json);
    snprintf(text, sizeof text,
             "%" PRId64 " steps at %g on the newest %" PRId64 " windows: their loss was %.5f and is %.5f\n"
             "scores and intervals stay those of %.200s: rows that were learned measure nothing\nrun: %s\n",
             r->steps, t->options->learning_rate, t->windows, u->loss[0], u->loss[1], t->options->model, r->run);
    r->text = strdup(text);
    return r->json && r->text ? TIDE_OK : no_memory(failure);
}

/* ---- the command ---- */

static tide_status update_run(update *u, const forecast_options *asked, forecast_result *r, tide_failure *failure) {
    trainer          *t      = u->trainer;
    forecast_options *o      = malloc(sizeof *o);
    tide_status       status = o ? TIDE_OK : no_memory(failure);
    t->options = o;
    if (status == TIDE_OK) status = loaded_path(asked->model, t->from.path, failure);
    if (status == TIDE_OK) status = take_options(u, asked, failure);
    if (status != TIDE_OK) return status;
    status = options_resolve(u->run, o, &t->compat, failure);
    if (status == TIDE_OK) status = read_run(u, failure);
    if (status == TIDE_OK) status = read_rows(u, failure);
    if (status != TIDE_OK) return status;
    set_batch(t, o);
    set_rate(asked, u->run, o);
    status = trainer_device(t, o, failure);
    if (status == TIDE_OK) status = open_session(u, failure);
    if (status == TIDE_OK) session_tell(&t->session, &t->listener);
    if (status == TIDE_OK) status = take_steps(u, failure);
    if (status == TIDE_OK) status = write_run(u, failure);
    return status == TIDE_OK ? tell(u, r, failure) : status;
}

tide_status forecast_update(const forecast_options *options, forecast_progress progress, void *user,
                            forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    update      u      = { .trainer = calloc(1, sizeof *u.trainer), .run = malloc(sizeof *u.run) };
    tide_status status = u.trainer && u.run ? TIDE_OK : no_memory(failure);
    if (status == TIDE_OK) {
        u.trainer->folder.lock = -1;
        u.trainer->listener    = (listener){ progress, user, os_seconds(), &u.trainer->memory };
        status                 = update_run(&u, options, result, failure);
    }
    forecast_trainer_free(u.trainer);
    tide_archive_free(&u.archive);
    free(u.run);
    return status;
}
