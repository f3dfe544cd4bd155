/* The options of a predictor's training become what src/train takes, and its numbers become lines. */
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/options/tell.h"
#include "eis/options/wanted_precision.h"
#include "options/options.h"
#include "train/ranks.h"
#include "train/schedule.h"

static const double TELL_EVERY_S = 0.1;

tide_status training_tell(const training *t, eis_tone tone, const char *message, tide_failure *failure) {
    bool stop = eis_tell(t->listener, t->user, tone, message);
    return stop ? fail(failure, TIDE_ECANCELLED, t->fit ? "stopped" : "stopped before training began") : TIDE_OK;
}

/* ---- ranks ---- */

/* What is rank 0's alone: where and over what the run is written. */
static void leave_to_lead(training *t) {
    options_leave_places(eis_table(), &t->options);
    t->options.resume = EIS_RESUME_NO, t->options.overwrite = t->options.plots = false;
    t->in_memory = true;
}

tide_status training_join(training *t, tide_failure *failure) {
    eis_options *o      = &t->options;
    bool         open   = !eis_option_given(o, "accumulate");
    int64_t      was    = choices_of(o) && open ? run_parts_of(o->out) : 0;
    tide_status  status = o->ranks || rank_group_entered() ? ranks_join(&t->ranks, failure) : TIDE_OK;
    if (was) o->accumulate = was;
    if (status != TIDE_OK || !t->ranks) return status;
    o->accumulate = train_ranks_parts(t->ranks, o->accumulate, open);
    status = ranks_meet(t->ranks, train_ranks_mode(t->ranks, wanted_mode(o), failure), NULL, failure);
    if (status == TIDE_OK) status = train_ranks_begin(t->ranks, o, sizeof *o, failure);
    train_ranks_own_device(t->ranks, o->device, sizeof o->device);
    if (!ranks_lead(t->ranks)) leave_to_lead(t);
    return status;
}

/* ---- options ---- */

tide_status training_graph(const eis_options *o, train_graph *out, tide_failure *failure) {
    *out = (train_graph){ .device = o->device, .threads = (int)o->threads, .cut = (int)o->cut,
                          .seed = (uint64_t)o->seed, .mode = wanted_mode(o), .choices_of = choices_of(o) };
    return train_memory_limit(o->memory_limit, train_device_now(o->device), &out->memory_limit, failure);
}

tide_status training_graph_on(const eis_options *o, const char *device, train_graph *of, tide_failure *failure) {
    of->device = device;
    return train_memory_limit(o->memory_limit, device, &of->memory_limit, failure);
}

tide_status training_device(training *t, const train_trial *trial, train_graph *graph, tide_failure *failure) {
    eis_options *o = &t->options;
    if (!train_device_open(o->device)) return TIDE_OK;
    tide_status status = TIDE_OK;
    if (ranks_lead(t->ranks) && !train_device_resumed(choices_of(o), &t->device))
        status = train_device_choose(trial, &t->device, failure);
    status = ranks_meet(t->ranks, status, NULL, failure);
    if (status == TIDE_OK) status = ranks_tell(t->ranks, t->device.device, sizeof t->device.device, failure);
    if (status != TIDE_OK) return status;
    snprintf(o->device, sizeof o->device, "%.*s", (int)sizeof o->device - 1, t->device.device);
    status = tide_device_info(o->device, NULL, failure);
    if (status == TIDE_OK) status = training_graph_on(o, o->device, graph, failure);
    return status == TIDE_OK ? training_tell(t, EIS_NOTE, t->device.line, failure) : status;
}

train_rule training_rule(const training *t, double rate) {
    const eis_options *o = &t->options;
    return (train_rule){ .optimizer = o->optimizer == EIS_OPTIMIZER_AUTO ? TRAIN_ADAMW
                                                                         : (train_optimizer)(o->optimizer - EIS_ADAM),
                         .rate = rate, .weight_decay = o->weight_decay, .grad_clip = o->grad_clip,
                         .parts = o->accumulate, .ranks = t->ranks,
                         .compile = { .precision = wanted_precision(o), .strict = o->strict, .mode = wanted_mode(o),
                                      .no_passes = !o->compile } };
}

double training_rate(const training *t, const fit_place *at, double own) {
    int rule = t->options.lradj;
    return rule == EIS_LR_AUTO ? own
                               : schedule_rate((train_schedule)(rule - EIS_LR_TYPE1), t->rate, at->epoch, at->epochs);
}

fit_plan training_plan(const training *t, int64_t epochs, int64_t batches) {
    const eis_options *o = &t->options;
    return (fit_plan){ .epochs = epochs, .batches = batches, .patience = o->patience, .min_epochs = o->min_epochs,
                       .max_minutes = o->max_minutes, .began = t->began, .resume = "`resume` auto" };
}

/* ---- run.json ---- */

json_t *training_identity(const eis_options *o, const tide_graph *g, int64_t parameters, json_t *data) {
    return json_pack("{s:s, s:s, s:o, s:o, s:i, s:I, s:o*}", "command", "eis train", "version", TIDE_VERSION, "options",
                     options_object(eis_table(), o, EIS_FOR_TRAIN, 0), "choices", run_choices_json(g), "numerics",
                     tide_numerics(g), "parameters", (json_int_t)parameters, "data", data);
}

/* A run of 0.1.0 may have its values at the top instead of options. */
static bool is_flat(const run_folder *r) {
    char    path[FOLDER_PATH];
    json_t *was  = json_load_file(folder_file(r->path, "run.json", path), 0, NULL);
    bool    flat = was && !json_object_get(was, "options");
    json_decref(was);
    return flat;
}

static tide_status identify(training *t, const char *const *files, const json_t *now, const json_t *flat,
                            const char *const *free_names, tide_failure *failure) {
    if (!now) return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    if (t->folder.resuming)
        return run_json_check(&t->folder, flat && is_flat(&t->folder) ? flat : now, free_names, eis_table(), failure);
    run_folder_clear(&t->folder, files);
    return run_json_write(&t->folder, now, failure);
}

/* What goes on otherwise than it was begun. */
static tide_status tell_resumed(const training *t, tide_failure *failure) {
    char        line[RUN_LINE];
    tide_status status = TIDE_OK;
    if (run_moved_told(&t->folder, t->options.device, line)) status = training_tell(t, EIS_NOTE, line, failure);
    if (status == TIDE_OK && run_parts_told(&t->folder, t->options.accumulate, line))
        status = training_tell(t, EIS_NOTE, line, failure);
    return status;
}

tide_status training_open_folder(training *t, const char *name, const char *const *files, json_t *now, json_t *flat,
                                 const char *const *free_names, tide_failure *failure) {
    static const char *const none[] = { NULL };
    const eis_options       *o      = &t->options;
    char        path[1024];
    tide_status status = TIDE_OK;
    snprintf(path, sizeof path, "%s", o->out);
    if (o->resume && !*path)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "resume",
                         "`resume` needs `out`, the folder of the run to resume");
    if (!*path) run_folder_default(name, path);
    if (status == TIDE_OK && !t->in_memory)
        status = run_folder_open(path, o->resume, o->overwrite, files, none, &t->folder, failure);
    if (now && *t->device.line) json_object_set_new(now, "device_choice", json_string(t->device.line));
    if (status == TIDE_OK && !t->in_memory) status = identify(t, files, now, flat, free_names, failure);
    json_decref(now);
    json_decref(flat);
    return status == TIDE_OK ? tell_resumed(t, failure) : status;
}

/* ---- what is told ---- */

tide_status training_tell_programs(const training *t, const train_step *step, tide_failure *failure) {
    const char *note, *device;
    char        line[RUN_LINE], warning[PRECISION_LINE];
    tide_program_precision(step->program, &note);
    tide_program_device(step->program, &device);
    tide_status status = *note ? training_tell(t, EIS_WARNING, precision_warning(warning, note), failure) : TIDE_OK;
    if (status == TIDE_OK && *device) status = training_tell(t, EIS_WARNING, device, failure);
    if (status == TIDE_OK && train_ranks_told(step, line, sizeof line))
        status = training_tell(t, EIS_NOTE, line, failure);
    if (status == TIDE_OK && run_choices_told(step->graph, line)) status = training_tell(t, EIS_NOTE, line, failure);
    return status;
}

static const char *possible_text(const training *t, char text[64]) {
    *text = 0;
    if (!isnan(t->possible)) snprintf(text, 64, " (best possible %.1f %%)", 100 * t->possible);
    return text;
}

static eis_event training_event(eis_tone tone, const char *line, const fit_event *e) {
    eis_event event    = eis_event_of(tone, line);
    event.epoch        = e->at.epoch, event.epochs = e->at.epochs;
    event.done         = e->at.step, event.total = e->at.steps;
    event.seconds      = e->seconds, event.seconds_left = e->seconds_left;
    return event;
}

static int tell_epoch(const training *t, const fit_event *e) {
    char line[EIS_TEXT_SIZE], possible[64];
    snprintf(line, sizeof line,
             "epoch %" PRId64 ": loss %.4f, validation loss %.4f, accuracy %.1f %%, validation accuracy %.1f %%%s, "
             "%.2f M %s, %.0f s, %.0f MiB%s",
             e->at.epoch, e->loss, e->row[FIT_VAL_LOSS], 100 * e->metric, 100 * e->row[FIT_VAL_METRIC],
             possible_text(t, possible), (double)(e->at.step * t->batch) * 1e-6, t->kind->samples, e->seconds,
             e->row[FIT_RSS], e->best ? ", best" : "");
    eis_event event = training_event(t->kind->epoch_tone, line, e);
    event.loss = e->loss, event.val_loss = e->row[FIT_VAL_LOSS];
    return t->listener(t->user, &event);
}

static int tell_step(training *t, const fit_event *e) {
    char line[EIS_TEXT_SIZE], possible[64], epochs[24] = "";
    if (os_seconds() - t->last_tell < TELL_EVERY_S) return 0;
    t->last_tell = os_seconds();
    if (e->at.epochs) snprintf(epochs, sizeof epochs, "/%" PRId64, e->at.epochs);
    snprintf(line, sizeof line,
             "epoch %" PRId64 "%s  step %" PRId64 "  loss %.4f  accuracy %.1f %%%s  %.0f %s/s  %.0f MiB  "
             "%.0f min %02.0f s left",
             e->at.epoch, epochs, e->at.step, e->mean_loss, 100 * e->mean_metric, possible_text(t, possible),
             e->steps_per_s * (double)t->batch, t->kind->samples, e->rss_mib, floor(e->seconds_left / 60),
             fmod(e->seconds_left, 60));
    eis_event event = training_event(EIS_PROGRESS, line, e);
    event.loss = e->mean_loss;
    return t->listener(t->user, &event);
}

static int hear(void *user, const fit_event *e) {
    training *t = user;
    if (!t->listener) return 0;
    return e->row ? tell_epoch(t, e) : tell_step(t, e);
}

/* ---- the fit ---- */

tide_status training_open_fit(training *t, fit_model *model, const fit_plan *plan, tide_failure *failure) {
    static const fit_column columns[] = {
        { "epoch", FIT_EPOCH },           { "step", FIT_STEP },
        { "lr", FIT_LR },                 { "train_loss", FIT_TRAIN_LOSS },
        { "val_loss", FIT_VAL_LOSS },     { "train_acc", FIT_TRAIN_METRIC },
        { "val_acc", FIT_VAL_METRIC },    { "best_possible_acc", FIT_POSSIBLE },
        { "grad_norm", FIT_GRAD_NORM },   { "seconds", FIT_SECONDS },
        { "rss_mib", FIT_RSS },
    };
    model->user         = t;
    model->columns      = columns;
    model->column_count = sizeof columns / sizeof *columns;
    return fit_new(model, plan, t->in_memory ? NULL : &t->folder, hear, t, &t->fit, failure);
}

tide_status training_archive(const training *t, const tide_snapshot_t *best, tide_archive *a, tide_failure *failure) {
    tide_status status = t->kind->archive(t, best, a);
    return status == TIDE_OK ? TIDE_OK : fail(failure, status, "out of memory for the model");
}

tide_status training_save(void *of, const tide_snapshot_t *best, tide_failure *failure) {
    const training *t = of;
    char            path[FOLDER_PATH];
    tide_archive    a      = { 0 };
    tide_status     status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    if (status == TIDE_OK) status = training_archive(t, best, &a, failure);
    if (status == TIDE_OK) status = tide_safetensors_write(path, &a, failure);
    tide_archive_free(&a);
    return status;
}

void training_report_free(training_report *r) {
    json_decref(r->json);
    free(r->text);
    *r = (training_report){ 0 };
}
