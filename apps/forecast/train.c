/* forecast_train: from options to a scored run folder. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "forecast/saved/advice.h"
#include "base/base.h"
#include "forecast/report/explain.h"
#include "forecast/fit/graph_dump.h"
#include "forecast/fit/plan.h"
#include "refit.h"
#include "trainer.h"

/* 841568 as "841,568". */
static const char *grouped(int64_t n, char buffer[32]) {
    char digits[32];
    int  length = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) buffer[at++] = ',';
        buffer[at++] = digits[i];
    }
    buffer[at] = 0;
    return buffer;
}

static void tell_start(const trainer *t) {
    char        parameters[32];
    tide_memory m = tide_program_bytes(t->step.program), v = tide_program_bytes(t->validate.program);
    tide_graph *g = t->session.graph;
    tide_memory f = t->step.finish ? tide_program_bytes(t->step.finish) : (tide_memory){ 0 };
    listener_note(&t->listener, FORECAST_STAGE_START, "%s, %d thread%s, %s, %s parameters, %.1f MiB",
                  tide_graph_device(g), tide_graph_threads(g),
                  tide_graph_threads(g) == 1 ? "" : "s", tide_precision_name(t->session.precision),
                  grouped(model_parameters(&t->config), parameters),
                  (double)(m.total + f.arena + f.scratch + v.arena + v.scratch) / (1 << 20));
    if (t->step.parts > 1)
        listener_note(
            &t->listener, FORECAST_STAGE_VERBOSE,
            "a batch of %" PRId64 " windows runs as %" PRId64 " parts of %" PRId64 ", then %" PRId64 " kernels update",
            t->step.samples * t->step.parts, t->step.parts, t->step.samples, tide_program_kernels(t->step.finish));
    const forecast_options *o = t->options;
    listener_note(&t->listener, FORECAST_STAGE_VERBOSE,
                  "at most %" PRId64 " epochs, learning rate %g, patience %" PRId64 ", dropout %g", o->epochs,
                  o->learning_rate, o->patience, o->dropout);
    listener_note(&t->listener, FORECAST_STAGE_VERBOSE,
                  "step: %" PRId64 " kernels, %.2f GFLOP, arena %.1f MiB, variables %.1f MiB, constants %.1f MiB, "
                                   "scratch %.1f MiB; %" PRId64
                  " windows in %" PRId64 " batches of %" PRId64 ", validation in batches of %" PRId64,
                  tide_program_kernels(t->step.program), tide_program_flops(t->step.program) * 1e-9,
                  (double)m.arena / (1 << 20),
                  (double)m.variables / (1 << 20), (double)m.constants / (1 << 20), (double)m.scratch / (1 << 20),
                  t->windows, t->batches,
                  t->step.samples, t->validate.batch);
}

static void tell_notes(const trainer *t) {
    const forecast_options *o = t->options;
    tell_warnings(&t->listener, &t->data.frame);
    tell_sizes(&t->listener, o);
    session_tell(&t->session, &t->listener);
    if (o->kind == FORECAST_CUSTOM && frame_looks_like_ett(&t->data.frame))
        listener_note(&t->listener, FORECAST_STAGE_NOTE, "for published numbers use `kind` %s",
                      t->data.frame.step.unit == UNIT_HOUR ? "etth" : "ettm");
    if ((o->loss_function == FORECAST_FINANCIAL || o->loss_function == FORECAST_DIRECTIONAL) && !o->direction_surrogate)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "the directional losses' direction term has no gradient, so training equals MSE; "
                      "`direction-surrogate` gives one");
    if (t->asked_batch)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "batch-size %" PRId64 " in place of %" PRId64 ": the largest that fits %.1f MiB", o->batch_size,
                      t->asked_batch, (double)session_memory_limit(o) / (1 << 20));
    if (t->windows < o->batch_size)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "there are only %" PRId64 " training windows: one batch of all of them", t->windows);
}

/* ---- programs ---- */

/* Each try is a new graph: a failed one stays failed. */
static tide_status open_step(trainer *t, const forecast_options *o, tide_failure *failure) {
    session_free(&t->session);
    tide_status status = session_open(o, &t->config, &t->data, &t->session, failure);
    return status == TIDE_OK ? session_training(&t->session, o, &t->step, failure) : status;
}

static bool step_fits(trainer *t, const forecast_options *o, int64_t batch, int64_t parts) {
    forecast_options other  = *o;
    tide_failure     ignored = { 0 };
    /* timing can wait */
    other.batch_size = batch, other.accumulate = parts, other.compile_mode = FORECAST_MODE_DEFAULT;
    return open_step(t, &other, &ignored) == TIDE_OK;
}

/* The largest batch below the options' whose step fits, found by bisection: what a step needs grows with it. 0: none.
 * `near` is enough where no limit is in the way but the system refuses: nothing is gained by going to the edge of
 * that. */
static int64_t batch_that_fits(trainer *t, const forecast_options *o, bool near) {
    int64_t fits = 0, too_many = o->batch_size / o->accumulate; /* windows of a part */
    while (too_many - fits > 1 && !(near && fits)) {
        int64_t part = fits + (too_many - fits) / 2;
        if (step_fits(t, o, part * o->accumulate, o->accumulate)) fits = part;
        else too_many = part;
    }
    return fits * o->accumulate;
}

/* The fewest parts in which the whole batch fits, where parts of a batch of `fits` windows do; 0: none. Sums of
 * gradients need memory too, so what fits as a batch may not as a part. */
static int64_t parts_that_fit(trainer *t, const forecast_options *o, int64_t fits) {
    int64_t most = fits / o->accumulate;
    for (int64_t parts = o->accumulate + 1; parts <= o->batch_size; parts++)
        if (o->batch_size % parts == 0 && o->batch_size / parts <= most && step_fits(t, o, o->batch_size, parts))
            return parts;
    return 0;
}

static int64_t step_bytes(tide_memory m) { return m.arena + m.scratch + m.variables; }

static double mib(int64_t bytes) { return (double)bytes / (1 << 20); }

/* Replaces the engine's words by the user's: how much `m` is, how much there is, what would fit: a batch, or parts of
 * this one. */
static tide_status explain_memory(const forecast_options *o, tide_memory m, int64_t fits, int64_t parts,
                                  tide_failure *failure) {
    int64_t     needs = step_bytes(m), limit = session_memory_limit(o);
    const char *whose = *o->memory_limit      ? "allowed by `memory-limit`"
                        : o->memory_limit_mib ? "allowed by `memory-limit-mib`"
                                              : "here";
    char        need[160] = "the model alone does not fit";
    char        remedy[160] = "no batch fits; a smaller `d-model`, `d-ff` or fewer columns would";
    if (needs > limit)
        snprintf(need, sizeof need, "training with `batch-size` %" PRId64 " needs %.1f MiB, of which the model and "
                                                                          "its optimizer take %.1f", o->batch_size,
                 mib(needs), mib(m.variables));
    if (fits && parts)
        snprintf(remedy, sizeof remedy,
                 "`accumulate` %" PRId64 " would fit and trains the same; `batch-size` %" PRId64
                 " would fit too, and `auto-batch` takes it",
                 parts, fits);
    else if (fits)
        snprintf(remedy, sizeof remedy, "`batch-size` %" PRId64 " would fit, and `auto-batch` takes it", fits);
    if (failure && (needs > limit || !fits))
        snprintf(failure->message, sizeof failure->message, "%s; %.1f MiB are %s: %s", need, mib(limit), whose, remedy);
    return TIDE_ENOMEM;
}

/* The step with the batch asked for; if that does not fit, with what does (--auto-batch), or a refusal that names
 * it. */
static tide_status make_step(trainer *t, forecast_options *o, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = open_step(t, o, &why);
    if (status == TIDE_ENOMEM) {
        tide_memory m    = tide_program_bytes(t->step.program);
        int64_t     fits = batch_that_fits(t, o, step_bytes(m) <= session_memory_limit(o));
        if (!o->auto_batch || !fits) explain_memory(o, m, fits, fits ? parts_that_fit(t, o, fits) : 0, &why);
        else {
            t->asked_batch = o->batch_size, o->batch_size = fits;
            why    = (tide_failure){ 0 };
            status = open_step(t, o, &why);
        }
    }
    if (status != TIDE_OK && failure && !failure->status) *failure = why;
    return status;
}

static tide_status make_programs(trainer *t, forecast_options *o, tide_failure *failure) {
    t->windows    = block_windows(t->data.split.train, o->seq_len, o->pred_len);
    plan_training(o, t->windows);
    model_config_from(o, &t->data, &t->config);
    int64_t asked = o->batch_size;
    o->batch_size = MIN2(asked, t->windows);
    tide_status status = make_step(t, o, failure);
    t->batches    = t->windows / o->batch_size;
    if (!t->asked_batch) o->batch_size = asked; /* run.json keeps what was asked for */
    block b       = trainer_stop_block(t);
    int64_t windows = block_windows(b, o->seq_len, o->pred_len);
    if (status == TIDE_OK) status = session_scoring_all(&t->session, windows, false, &t->validate, failure);
    return status;
}

/* Before a run of before is taken away: `only_check`. */
static tide_status show_passes(const trainer *t, bool only_check, tide_failure *failure) {
    tide_status (*dump)(const char *, const char *, tide_list, tide_failure *) =
        only_check ? graph_dump_check : graph_dump_write;
    bool parts = t->step.parts > 1;
    const struct { const char *name; tide_list wanted; } programs[] = {
        { "validation", TIDE_LIST(t->validate.loss) },
        { parts ? "update" : "step", TIDE_LIST(t->step.loss, t->step.norm, t->step.update) },
        { "part", TIDE_LIST(t->step.part) },
    };
    tide_status status = TIDE_OK;
    for (int i = 0; i < 2 + parts && status == TIDE_OK; i++) {
        if (*t->options->dump_graph)
            status = dump(t->options->dump_graph, programs[i].name, programs[i].wanted, failure);
        if (status == TIDE_OK && t->options->verbose && !only_check)
            status = graph_dump_tell(&t->listener, programs[i].name, programs[i].wanted, failure);
    }
    return status;
}

static tide_status tell_explanation(trainer *t, forecast_result *r, tide_failure *failure) {
    tide_status status = explain_step(&t->session, &t->step, t->data.frame.rows, t->options->measure, r, failure);
    if (status == TIDE_OK)
        listener_tell(&t->listener, (forecast_event){ .stage = FORECAST_STAGE_EXPLAIN, .message = r->text });
    return status;
}

/* ---- scoring and reporting ---- */

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void fill_result(trainer *t, forecast_result *r) {
    if (t->timed) qsort(t->step_ms, (size_t)t->timed, sizeof *t->step_ms, by_size);
    r->step_ms_median = t->timed ? (double)t->step_ms[t->timed / 2] : (double)NAN;
    r->step_ms_min    = t->timed ? (double)t->step_ms[0] : (double)NAN;
    r->compile_ms = t->step.compile_s * 1e3, r->first_step_ms = t->timed ? t->first_step_ms : (double)NAN;
    if (!t->fit) return;
    const fit_progress *at = fit_at(t->fit);
    r->epochs = at->epoch - 1, r->best_epoch = at->best_epoch, r->steps = at->step;
    r->train_s = at->train_seconds, r->best_val_loss = at->best;
    r->resumed_from_step = fit_account_of(t->fit).resumed_from;
}

static void fill_setup(const trainer *t, forecast_result *r) {
    snprintf(r->run, sizeof r->run, "%.511s", t->folder.path);
    snprintf(r->device, sizeof r->device, "%s", tide_graph_device(t->session.graph));
    snprintf(r->precision, sizeof r->precision, "%s", tide_precision_name(t->session.precision));
    r->threads = tide_graph_threads(t->session.graph), r->parameters = model_parameters(&t->config);
    r->columns = t->data.frame.columns, r->seq_len = t->config.seq_len, r->pred_len = t->config.pred_len;
}

static int64_t test_windows(const trainer *t) {
    int64_t all = block_windows(t->data.split.test, t->config.seq_len, t->config.pred_len),
            batch = t->options->batch_size;
    return t->compat & FORECAST_COMPAT_TEST_DROP_LAST && all >= batch ? all / batch * batch : all;
}

static void tell_files(const trainer *t) {
    static const char *const names[] = { "loss.svg", "sample.svg", "horizon.svg", "model.safetensors" };
    char path[FOLDER_PATH];
    for (size_t i = t->options->plots ? 0 : 3; i < sizeof names / sizeof *names; i++)
        listener_tell(&t->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE,
                                                      .message = folder_file(t->folder.path, names[i], path) });
}

static tide_status draw(trainer *t, window_program *p, const scoring *w, const score_pair *model,
                        const baseline_parts *baselines, tide_failure *failure) {
    plot_watch watch = report_watch(&t->listener);
    if (!t->options->plots) return TIDE_OK;
    tide_status status = plot_losses(&t->folder, fit_at(t->fit)->best_epoch, &watch, failure);
    if (status == TIDE_OK)
        status = plot_sample(t->folder.path, &t->data, &t->bundle, p, w->first + w->windows - 1, &watch, failure);
    if (status == TIDE_OK)
        status =
            plot_horizon(t->folder.path, model->scaled, baselines, w->pred_len, t->data.out_count, &watch, failure);
    if (status == TIDE_ECANCELLED && failure)
        snprintf(failure->message + strlen(failure->message), sizeof failure->message - strlen(failure->message),
                 "; the trained model in %.200s is complete: forecast evaluate `model` scores it", t->folder.path);
    return status;
}

/* The model file once more, with what the test windows showed. */
static tide_status keep_record(trainer *t, const forecast_result *r, const baseline_parts *baselines,
                               tide_failure *failure) {
    char path[FOLDER_PATH];
    if (!record_take(&t->bundle.record, &t->data, &t->config, r, baselines))
        return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file");
    tide_status status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    return status == TIDE_OK ? bundle_write(path, &t->bundle, t->session.params, fit_best(t->fit), failure) : status;
}

static tide_status score_test(trainer *t, forecast_result *r, tide_failure *failure) {
    scoring        w = { .data = &t->data, .seq_len = t->config.seq_len, .pred_len = t->config.pred_len,
                         .first = t->data.split.test.start,
                         .windows = test_windows(t), .listener = &t->listener,
                         .metrics_scaled = (t->compat & FORECAST_COMPAT_METRICS_SCALED) != 0 };
    window_program p;
    score_pair     model     = { 0 };
    baseline_parts baselines = { 0 };
    error_parts    parts     = { 0 };
    tide_status status = session_scoring_all(&t->session, w.windows, true, &p, failure);
    if (status == TIDE_OK) status = score_model(&w, &p, &model, failure);
    if (status == TIDE_OK) status = score_baselines(&w, t->data.split, t->options->season, &baselines, failure);
    if (status == TIDE_OK) {
        r->windows = w.windows;
        r->model   = score_pair_result("model", &model, w.metrics_scaled);
        report_baselines(r, &baselines, w.metrics_scaled, &t->listener);
        status = report_columns(r, &t->data, &model, &baselines, failure);
    }
    if (status == TIDE_OK) {
        status = draw(t, &p, &w, &model, &baselines, failure);
    }
    if (status == TIDE_OK && !error_parts_new(model.scaled, w.pred_len, t->data.out_count, &parts))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the result");
    if (status == TIDE_OK) status = keep_record(t, r, &baselines, failure);
    if (status == TIDE_OK) advise_training(r, t->options);
    if (status == TIDE_OK && t->options->refit) status = refit_run(t, r, failure);
    r->wall_s       = os_seconds() - t->listener.began;
    r->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    if (status == TIDE_OK) status = report_json("forecast train", r, &parts, failure);
    if (status == TIDE_OK) tell_files(t);
    error_parts_free(&parts);
    score_pair_free(&model);
    baseline_parts_free(&baselines);
    return status;
}

/* ---- the command ---- */

static void trainer_free(trainer *t) {
    run_folder_close(&t->folder);
    fit_free(t->fit);
    session_free(&t->session);
    bundle_free(&t->bundle);
    dataset_free(&t->data);
    free(t->order);
    free(t->val_order);
    free(t->step_ms);
}

static tide_status train(trainer *t, forecast_options *o, forecast_result *r, tide_failure *failure) {
    tide_status status = dataset_load(o, t->compat, &t->data, failure);
    if (status == TIDE_OK) status = plan_of_run(o, failure);
    if (status == TIDE_OK) status = make_programs(t, o, failure);
    if (status == TIDE_OK) status = bundle_from(&t->data, o, &t->config, &t->bundle, failure);
    if (status == TIDE_OK) status = show_passes(t, true, failure);
    if (status == TIDE_OK)
        status = forecast_folder_open(o, &t->data, model_parameters(&t->config), t->session.graph, &t->folder, failure);
    if (status != TIDE_OK) return status;
    fill_setup(t, r);
    tell_start(t);
    tell_notes(t);
    status = run_choices_fix(t->session.graph, failure);
    if (status != TIDE_OK) return status;
    status = show_passes(t, false, failure);
    if (status == TIDE_OK && o->explain) status = tell_explanation(t, r, failure);
    if (status == TIDE_OK) status = trainer_run(t, failure);
    fill_result(t, r);
    return status == TIDE_OK ? score_test(t, r, failure) : status;
}

tide_status forecast_train(const forecast_options *options, forecast_progress progress, void *user,
                           forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    forecast_options *o = malloc(sizeof *o);
    memory_sample     memory = { 0 };
    trainer t = { .options = o, .folder = { .lock = -1 }, .listener = { progress, user, os_seconds(), &memory } };
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    tide_status status = options_resolve(options, o, &t.compat, failure);
    if (status == TIDE_OK) status = train(&t, o, result, failure);
    trainer_free(&t);
    free(o);
    return status;
}
