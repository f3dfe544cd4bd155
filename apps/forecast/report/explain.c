/* forecast_explain: the training step of a run, without its data: made-up rows of the same sizes take the same time. */
#include "explain.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "train/run.h"
#include "forecast/saved/loaded.h"
#include "forecast/saved/run_options.h"
#include "machine/machine.h"
#include "forecast/fit/plan.h"
#include "report.h"
#include "forecast/fit/run_folder.h"
#include "train/device.h"

static const double MEASURE_S = 1;

/* ---- a step that is there ---- */

/* What was measured of this machine's device with as many threads; zeros: nothing. */
static void known_roof(const session *s, double *gflops, double *gbs) {
    static const machine_precision of[] = {
        [TIDE_PRECISION_F32] = MACHINE_F32, [TIDE_PRECISION_BF16] = MACHINE_BF16, [TIDE_PRECISION_F16] = MACHINE_F16
    };
    machine here;
    machine_rates rates;
    machine_detect(NULL, &here);
    tide_device_info(tide_graph_device(s->graph), &here.device, NULL);
    bool same = machine_rates_known(&here, &rates) && rates.measured && rates.threads == tide_graph_threads(s->graph);
    *gflops = same ? rates.gflops[of[s->precision]] : 0;
    *gbs = same ? rates.bandwidth_gbs : 0;
}

static tide_explanation *explained(session *s, train_step *step, int64_t rows, bool measure,
                                   tide_failure *failure) {
    int64_t windows = rows - s->model.config.seq_len - s->model.config.pred_len + 1;
    int32_t *starts = malloc(sizeof *starts * (size_t)step->samples);
    tide_snapshot_t *before = tide_snapshot(tide_state(s->graph, ""));
    tide_explanation *e = NULL;
    for (int64_t i = 0; starts && i < step->samples; i++) starts[i] = (int32_t)(i % windows);
    if (starts && before) {
        tide_feed  feeds[3] = { { s->start, starts } };
        train_feed some;
        int        count = 1 + train_step_own_feeds(step, feeds + 1);
        if (sampled_feed(&s->sampled, 0, 0, &some)) feeds[count++] = (tide_feed){ some.input, some.data };
        e = tide_program_explain(step->program, &(tide_explain_options){ feeds, count, measure ? MEASURE_S : 0 });
        if (!e)
            fail(failure, tide_program_error(step->program)->status, "%s", tide_program_error(step->program)->message);
        if (tide_restore(before) != TIDE_OK) tide_explanation_free(e), e = NULL;
    }
    if (!e) train_unread(s->graph, "an explanation of the step", failure);
    tide_snapshot_free(before);
    free(starts);
    return e;
}

tide_status explain_step(session *s, train_step *step, int64_t rows, bool measure, forecast_result *r,
                         tide_failure *failure) {
    double gflops, gbs;
    tide_failure why = { 0 };
    tide_explanation *e = explained(s, step, rows, measure, &why);
    if (!e) return fail(failure, why.status, "%s", why.message);
    known_roof(s, &gflops, &gbs);
    r->text = tide_explanation_text(e, gflops, gbs);
    r->explanation = explanation_json(e, step);
    tide_explanation_free(e);
    return r->text && r->explanation ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory to explain the step");
}

/* ---- the step of a run ---- */

/* Waves in place of the series and its marks. */
static tide_status make_up_data(const model_config *c, int64_t rows, dataset *d, tide_failure *failure) {
    d->frame.rows = d->frame.file_rows = rows, d->frame.columns = c->columns, d->mark_count = c->marks;
    d->out_first = c->out_first, d->out_count = c->out_count;
    d->scaled = malloc(sizeof *d->scaled * (size_t)(rows * c->columns));
    d->marks = malloc(sizeof *d->marks * (size_t)(rows * c->marks) + 1);
    if (!d->scaled || !d->marks) return fail(failure, TIDE_ENOMEM, "out of memory for %" PRId64 " rows", rows);
    for (int64_t i = 0; i < rows * c->columns; i++) d->scaled[i] = (float)sin(0.37 * (double)i);
    for (int64_t i = 0; i < rows * c->marks; i++) d->marks[i] = (float)(i % 24) / 24 - 0.5f;
    return TIDE_OK;
}

typedef struct explaining {
    forecast_options *options, *resolved;
    json_t *run;
    bundle bundle;
    dataset data;
    session session;
} explaining;

static int64_t rows_of(const explaining *x) {
    const model_config *c = &x->bundle.config;
    int64_t kept = json_integer_value(json_object_get(json_object_get(x->run, "data"), "rows")),
            needed = c->seq_len + c->pred_len;
    return MAX2(kept, needed);
}

static tide_status require_steps(const explaining *x, tide_failure *failure) {
    const architecture *of = architecture_of(x->bundle.config.arch);
    if (!forecaster_solved(x->bundle.config.arch, x->bundle.config.head)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "model", "%s is of `arch` %s, which has no training step to explain",
                   x->options->model, of->name);
}

static tide_status explain(explaining *x, const listener *l, forecast_result *r, tide_failure *failure) {
    char path[FOLDER_PATH];
    unsigned compat;
    train_step step;
    forecast_options *o = x->resolved;
    bool run_mode = !forecast_option_given(x->options, "compile-mode"); /* then what the run chose holds */
    tide_status status = loaded_bundle(x->options, &x->bundle, path, failure);
    if (status == TIDE_OK) status = require_steps(x, failure);
    if (status == TIDE_OK) status = run_options_read(x->options->model, &x->run, failure);
    if (status == TIDE_OK) status = run_options_take(x->run, x->options, failure);
    if (status == TIDE_OK) status = options_resolve(x->options, o, &compat, failure);
    /* the run's step, where it was trained */
    if (status == TIDE_OK) train_device_of_run(o->device, o->model, TRAIN_DEVICE_BATCH, o->device);
    if (status == TIDE_OK) status = make_up_data(&x->bundle.config, rows_of(x), &x->data, failure);
    if (status == TIDE_OK && !statics_copy(&x->bundle.statics, &x->data.statics))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the attributes of the series");
    if (status == TIDE_OK) status = session_open(o, &x->bundle.config, &x->data, &x->session, failure);
    if (status != TIDE_OK) return status;
    o->batch_size = MIN2(plan_batch(o), rows_of(x) - o->seq_len - o->pred_len + 1);
    if (run_mode) status = run_choices_take(o->model, x->session.graph, failure);
    if (status == TIDE_OK) status = session_training(&x->session, o, NULL, &step, failure);
    session_tell(&x->session, l);
    if (status == TIDE_OK) status = explain_step(&x->session, &step, x->data.frame.rows, o->measure, r, failure);
    if (status != TIDE_OK) return status;
    snprintf(r->run, sizeof r->run, "%s", o->model);
    json_t *all = json_pack("{s:i, s:s, s:o, s:o*}", "schema_version", 1, "command", "explain", "run",
                            json_text(r->run), "step",
                            json_loads(r->explanation, 0, NULL));
    r->json = all ? json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(all);
    return r->json ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the result");
}

tide_status forecast_explain(const forecast_options *options, forecast_progress progress, void *user,
                             forecast_result *result,
                             tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    explaining x = { .options = malloc(sizeof *x.options), .resolved = malloc(sizeof *x.resolved) };
    listener l = { progress, user, os_seconds() };
    tide_status status =
        x.options && x.resolved ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the options");
    if (status == TIDE_OK) {
        *x.options = *options;
        status = explain(&x, &l, result, failure);
    }
    session_free(&x.session);
    dataset_free(&x.data);
    bundle_free(&x.bundle);
    json_decref(x.run);
    free(x.options);
    free(x.resolved);
    return status;
}
