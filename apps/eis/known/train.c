#include "train.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/options/wanted_precision.h"
#include "trainer.h"

enum { HIDDEN = 512 };
static const double RATE = 1e-3;

static tide_status no_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the training run"); }

static tide_status note(const known_trainer *t, const char *message, tide_failure *f) {
    bool stop = t->listener && t->listener(t->user, EIS_NOTE, message);
    return stop ? fail(f, TIDE_ECANCELLED, "stopped before training began") : TIDE_OK;
}

/* ---- the folder ---- */

static json_t *option_json(const eis_options *o, const eis_option *row) {
    const char *field = (const char *)o + row->offset;
    char        text[EIS_TEXT_SIZE];
    switch (row->type) {
    case EIS_TYPE_BOOL: return json_boolean(*(const bool *)field);
    case EIS_TYPE_INT: return json_integer((json_int_t) * (const int64_t *)field);
    case EIS_TYPE_REAL: return json_real(*(const double *)field);
    default: return json_string(eis_option_get(o, row, text, sizeof text));
    }
}

static json_t *description(const known_trainer *t) {
    int64_t           rows;
    const eis_option *table   = eis_option_table(&rows);
    json_t           *options = json_object();
    for (int64_t i = 0; i < rows; i++)
        if (table[i].flags & EIS_FOR_TRAIN)
            json_object_set_new(options, table[i].name, option_json(t->options, &table[i]));
    return json_pack("{s:s, s:s, s:o, s:o, s:I, s:{s:s, s:I, s:I}}", "command", "eis train", "version", TIDE_VERSION,
                     "options", options, "choices",
                     run_choices_json(t->session.graph),
                     "parameters", (json_int_t)known_network_count(&t->session.network), "data", "set",
                     t->task.data.identity,
                     "ground_truths", (json_int_t)t->task.data.truths, "rows", (json_int_t)t->task.data.rows);
}

static tide_status open_folder(known_trainer *t, tide_failure *f) {
    static const char *const files[] = {
        "model.safetensors", "best_eis_predictor_mlx.npz", "loss.svg", "loss.csv", "accuracy.svg", "accuracy.csv", NULL
    };
    static const char *const may_differ[] = { "auto-size", "circuit", "n-workers", "data-dir", "out", "plots",
                                              "resume", "overwrite",
                                              "compile-mode", "choices", NULL };
    const eis_options *o = t->options;
    char path[1024];
    if (*o->out) snprintf(path, sizeof path, "%s", o->out);
    else run_folder_default("eis-known", path);
    if (o->resume && !*o->out)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "resume", "--resume needs --out, the folder of the run to go on with");
    tide_status status =
        run_folder_open(path, o->resume, o->overwrite, files, (const char *const[]){ NULL }, &t->folder, f);
    if (status != TIDE_OK) return status;
    json_t *now = description(t);
    if (!now) return no_memory(f);
    if (t->folder.resuming) status = run_json_check(&t->folder, now, may_differ, f);
    else {
        run_folder_clear(&t->folder, files);
        status = run_json_write(&t->folder, now, f);
    }
    json_decref(now);
    return status;
}

/* ---- the run ---- */

static tide_status tell_programs(const known_trainer *t, tide_failure *f) {
    const char *why, *device;
    char line[RUN_LINE], warning[PRECISION_LINE];
    bool told = t->listener && run_choices_told(t->session.graph, line);
    tide_program_precision(t->session.step, &why);
    tide_program_device(t->session.step, &device);
    bool stop = *why && t->listener && t->listener(t->user, EIS_WARNING, precision_warning(warning, why));
    stop = stop || (*device && t->listener && t->listener(t->user, EIS_WARNING, device)) ||
           (told && t->listener(t->user, EIS_NOTE, line));
    return stop ? fail(f, TIDE_ECANCELLED, "stopped before training began") : TIDE_OK;
}

static tide_status tell_data(const known_trainer *t, tide_failure *f) {
    const known_task *k = &t->task;
    char line[EIS_TEXT_SIZE];
    if (k->from_csv) {
        snprintf(line, sizeof line, "the data are a CSV, of the %s circuit",
                 k->data.circuit == EIS_CHAIN ? "chain" : "shunt");
        tide_status status = note(t, line, f);
        if (status != TIDE_OK) return status;
    }
    snprintf(line, sizeof line,
             "%" PRId64 " rows of %" PRId64 " ground truths (%" PRId64 " held out); pool %s: %" PRId64 " rows, %" PRId64
             " training samples",
             k->data.rows, k->data.truths, k->held_count, t->options->pool, k->pool.count, t->samples);
    return note(t, line, f);
}

static tide_status prepare(known_trainer *t, tide_failure *f) {
    const eis_options *o = t->options;
    tide_status status = known_task_open(o, &t->task, f);
    if (status != TIDE_OK) return status;
    t->samples  = t->task.train.count;
    t->rate     = o->learning_rate > 0 ? o->learning_rate : RATE;
    t->settings = (known_settings){ .device = o->device,
                                    .threads = (int)o->workers,
                                    .seed = (uint64_t)o->seed,
                                    .batch = o->batch_size ? o->batch_size : EIS_KNOWN_BATCH,
                                    .hidden = o->hidden_dim ? o->hidden_dim : HIDDEN,
                                    .points = t->task.data.points,
                                    .weight_decay = o->weight_decay,
                                    .no_bias_correction = o->compat_guide,
                                    .compile = { .precision = wanted_precision(o), .strict = o->strict,
                                                 .mode = wanted_mode(o) },
                                    .choices_of = choices_of(o) };
    if (t->settings.hidden < 2) return fail_at(f, TIDE_EINVAL, NULL, 0, "hidden-dim", "--hidden_dim is from 2");
    t->settings.batch = MIN2(t->settings.batch, t->samples);
    t->batches        = ceil_div(t->samples, t->settings.batch);
    status = known_session_open(&t->settings, &t->task.train, &t->session, f);
    known_samples_free(&t->task.train); /* the graph has a copy */
    if (status == TIDE_OK) status = tell_programs(t, f);
    if (status == TIDE_OK) status = open_folder(t, f);
    if (status == TIDE_OK) status = run_choices_fix(t->session.graph, f);
    return status == TIDE_OK ? tell_data(t, f) : status;
}

static void release(known_trainer *t) {
    run_folder_close(&t->folder);
    tide_snapshot_free(t->best);
    known_session_close(&t->session);
    known_task_close(&t->task);
    free(t->order);
    free(t);
}

tide_status known_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                        tide_failure *failure) {
    known_trainer *t = calloc(1, sizeof *t);
    *result = (eis_result){ 0 };
    if (!t) return no_memory(failure);
    t->options = options, t->listener = listener, t->user = user;
    t->began       = os_seconds();
    t->folder.lock = -1;
    tide_status status = prepare(t, failure);
    if (status == TIDE_OK) status = known_trainer_run(t, failure);
    if (status == TIDE_OK) status = known_report(t, result, failure);
    release(t);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
