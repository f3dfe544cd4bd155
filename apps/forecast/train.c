/* forecast_train: from options to a scored run folder. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "graph_dump.h"
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
    listener_note(&t->listener, FORECAST_STAGE_START, "%s, %d thread%s, %s, %s parameters, %.1f MiB", tide_graph_device(g), tide_graph_threads(g),
                  tide_graph_threads(g) == 1 ? "" : "s", tide_precision_name(t->session.precision), grouped(model_parameters(&t->config), parameters), (double)(m.total + v.arena + v.scratch) / (1 << 20));
    listener_note(&t->listener, FORECAST_STAGE_VERBOSE,
                  "step: %" PRId64 " kernels, %.2f GFLOP, arena %.1f MiB, variables %.1f MiB, constants %.1f MiB, scratch %.1f MiB; %" PRId64
                  " windows in %" PRId64 " batches of %" PRId64 ", validation in batches of %" PRId64,
                  tide_program_kernels(t->step.program), tide_program_flops(t->step.program) * 1e-9, (double)m.arena / (1 << 20),
                  (double)m.variables / (1 << 20), (double)m.constants / (1 << 20), (double)m.scratch / (1 << 20), t->windows, t->batches,
                  t->step.batch, t->validate.batch);
}

static void tell_notes(const trainer *t) {
    const forecast_options *o = t->options;
    tell_warnings(&t->listener, &t->data.frame);
    tell_sizes(&t->listener, o);
    session_tell(&t->session, &t->listener);
    if (o->kind == FORECAST_CUSTOM && frame_looks_like_ett(&t->data.frame))
        listener_note(&t->listener, FORECAST_STAGE_NOTE, "for published numbers use --kind %s", t->data.frame.step.unit == UNIT_HOUR ? "etth" : "ettm");
    if ((o->loss_function == FORECAST_FINANCIAL || o->loss_function == FORECAST_DIRECTIONAL) && !o->direction_surrogate)
        listener_note(&t->listener, FORECAST_STAGE_NOTE, "its direction term has no gradient: training equals MSE; --direction-surrogate gives one");
    if (t->windows < o->batch_size)
        listener_note(&t->listener, FORECAST_STAGE_NOTE, "there are only %" PRId64 " training windows: one batch of all of them", t->windows);
}

/* ---- programs ---- */

/* The largest power-of-two fraction of the batch whose step fits; 0: none. Each try is a new graph: a failed one stays failed. */
static int64_t batch_that_fits(trainer *t, forecast_options *o) {
    for (o->batch_size /= 2; o->batch_size >= 1; o->batch_size /= 2) {
        tide_failure ignored = { 0 };
        session_free(&t->session);
        if (session_open(o, &t->config, &t->data, &t->session, &ignored) == TIDE_OK &&
            session_training(&t->session, o, &t->step, &ignored) == TIDE_OK)
            return o->batch_size;
    }
    return 0;
}

static double mib(int64_t bytes) { return (double)bytes / (1 << 20); }

/* Replaces the engine's words by the user's: how much is needed, how much there is, what would fit. */
static tide_status explain_memory(trainer *t, const forecast_options *o, tide_failure *failure) {
    forecast_options smaller = *o;
    tide_memory      m       = tide_program_bytes(t->step.program);
    int64_t          needs   = m.arena + m.scratch + m.variables, limit = session_memory_limit(o), fits = batch_that_fits(t, &smaller);
    char             need[160] = "the model alone does not fit", remedy[96] = "no batch fits; a smaller --d-model, --d-ff or fewer columns would";
    if (needs > limit)
        snprintf(need, sizeof need, "training with --batch-size %" PRId64 " needs %.1f MiB, of which the model and its optimizer take %.1f", o->batch_size,
                 mib(needs), mib(m.variables));
    if (fits) snprintf(remedy, sizeof remedy, "--batch-size %" PRId64 " would fit", fits);
    if (failure && (needs > limit || !fits))
        snprintf(failure->message, sizeof failure->message, "%s; %.1f MiB are %s: %s", need, mib(limit), o->memory_limit_mib ? "allowed by --memory-limit-mib" : "here", remedy);
    return TIDE_ENOMEM;
}

static tide_status make_programs(trainer *t, forecast_options *o, tide_failure *failure) {
    model_config_from(o, &t->data, &t->config);
    t->windows    = block_windows(t->data.split.train, o->seq_len, o->pred_len);
    int64_t asked = o->batch_size;
    o->batch_size = MIN2(asked, t->windows);
    t->batches    = t->windows / o->batch_size;
    tide_status status = session_open(o, &t->config, &t->data, &t->session, failure);
    if (status == TIDE_OK) status = session_training(&t->session, o, &t->step, failure);
    if (status == TIDE_ENOMEM) status = explain_memory(t, o, failure);
    o->batch_size = asked; /* run.json keeps what was asked for */
    block b       = trainer_stop_block(t);
    int64_t windows = block_windows(b, o->seq_len, o->pred_len);
    if (status == TIDE_OK) status = session_scoring_all(&t->session, windows, false, &t->validate, failure);
    return status;
}

static tide_status show_passes(const trainer *t, tide_failure *failure) {
    const struct { const char *name; tide_list wanted; } programs[] = {
        { "step", TIDE_LIST(t->step.loss, t->step.norm, t->step.update) }, { "validation", TIDE_LIST(t->validate.loss) },
    };
    tide_status status = TIDE_OK;
    for (int i = 0; i < 2 && status == TIDE_OK; i++) {
        if (*t->options->dump_graph) status = graph_dump_write(t->options->dump_graph, programs[i].name, programs[i].wanted, failure);
        if (status == TIDE_OK && t->options->verbose) status = graph_dump_tell(&t->listener, programs[i].name, programs[i].wanted, failure);
    }
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
    r->epochs = t->at.epoch - 1, r->best_epoch = t->at.best_epoch, r->steps = t->at.step;
    r->train_s = t->at.train_seconds, r->best_val_loss = t->at.best;
}

static void fill_setup(const trainer *t, forecast_result *r) {
    snprintf(r->run, sizeof r->run, "%.511s", t->folder.path);
    snprintf(r->device, sizeof r->device, "%s", tide_graph_device(t->session.graph));
    snprintf(r->precision, sizeof r->precision, "%s", tide_precision_name(t->session.precision));
    r->threads = tide_graph_threads(t->session.graph), r->parameters = model_parameters(&t->config);
    r->columns = t->data.frame.columns, r->seq_len = t->config.seq_len, r->pred_len = t->config.pred_len;
}

static int64_t test_windows(const trainer *t) {
    int64_t all = block_windows(t->data.split.test, t->config.seq_len, t->config.pred_len), batch = t->options->batch_size;
    return t->compat & FORECAST_COMPAT_TEST_DROP_LAST && all >= batch ? all / batch * batch : all;
}

static void tell_files(const trainer *t) {
    static const char *const names[] = { "loss.svg", "sample.svg", "horizon.svg", "model.safetensors" };
    char path[RUN_PATH];
    for (size_t i = t->options->plots ? 0 : 3; i < sizeof names / sizeof *names; i++)
        listener_tell(&t->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = run_folder_file(t->folder.path, names[i], path) });
}

static tide_status draw(trainer *t, window_program *p, const scoring *w, const score_pair *model, const baseline_parts *baselines, tide_failure *failure) {
    if (!t->options->plots) return TIDE_OK;
    tide_status status = plot_losses(&t->folder, t->at.best_epoch, failure);
    if (status == TIDE_OK) status = plot_sample(t->folder.path, &t->data, &t->bundle, p, w->first + w->windows - 1, failure);
    if (status == TIDE_OK) status = plot_horizon(t->folder.path, model->scaled, baselines, w->pred_len, t->data.out_count, failure);
    return status;
}

static tide_status score_test(trainer *t, forecast_result *r, tide_failure *failure) {
    scoring        w = { .data = &t->data, .seq_len = t->config.seq_len, .pred_len = t->config.pred_len, .first = t->data.split.test.start,
                         .windows = test_windows(t), .metrics_scaled = (t->compat & FORECAST_COMPAT_METRICS_SCALED) != 0, .listener = &t->listener };
    window_program p;
    score_pair     model     = { 0 };
    baseline_parts baselines = { 0 };
    error_parts    parts     = { 0 };
    tide_status status = session_scoring_all(&t->session, w.windows, true, &p, failure);
    if (status == TIDE_OK) status = score_model(&w, &p, &model, failure);
    if (status == TIDE_OK) status = score_baselines(&w, t->data.split, 0, true, &baselines, failure);
    if (status == TIDE_OK) {
        r->windows = w.windows;
        r->model   = score_pair_result("model", &model, w.metrics_scaled);
        report_baselines(r, &baselines, w.metrics_scaled, &t->listener);
        status = draw(t, &p, &w, &model, &baselines, failure);
    }
    if (status == TIDE_OK && !error_parts_new(model.scaled, w.pred_len, t->data.out_count, &parts)) status = fail(failure, TIDE_ENOMEM, "out of memory for the result");
    r->wall_s       = os_seconds() - t->listener.began;
    r->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    if (status == TIDE_OK) status = report_json("forecast train", r, &parts, t->data.frame.names + t->data.out_first, failure);
    if (status == TIDE_OK) tell_files(t);
    error_parts_free(&parts);
    score_pair_free(&model);
    baseline_parts_free(&baselines);
    return status;
}

/* ---- the command ---- */

static void trainer_free(trainer *t) {
    run_folder_close(&t->folder);
    tide_snapshot_free(t->best);
    session_free(&t->session);
    bundle_free(&t->bundle);
    dataset_free(&t->data);
    free(t->order);
    free(t->val_order);
    free(t->step_ms);
}

static tide_status train(trainer *t, forecast_options *o, forecast_result *r, tide_failure *failure) {
    tide_status status = dataset_load(o, t->compat, &t->data, failure);
    if (status == TIDE_OK) status = make_programs(t, o, failure);
    if (status == TIDE_OK) status = bundle_from(&t->data, o, &t->config, &t->bundle, failure);
    if (status == TIDE_OK) status = forecast_folder_open(o, &t->data, model_parameters(&t->config), &t->folder, failure);
    if (status != TIDE_OK) return status;
    fill_setup(t, r);
    tell_start(t);
    tell_notes(t);
    status = show_passes(t, failure);
    if (status == TIDE_OK) status = trainer_run(t, failure);
    r->resumed_from_step = t->resumed_from;
    fill_result(t, r);
    return status == TIDE_OK ? score_test(t, r, failure) : status;
}

tide_status forecast_train(const forecast_options *options, forecast_progress progress, void *user, forecast_result *result, tide_failure *failure) {
    forecast_options *o = malloc(sizeof *o);
    trainer           t = { .options = o, .folder = { .lock = -1 }, .listener = { progress, user, os_seconds() } };
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    tide_status status = options_resolve(options, o, &t.compat, failure);
    if (status == TIDE_OK) status = train(&t, o, result, failure);
    trainer_free(&t);
    free(o);
    return status;
}
