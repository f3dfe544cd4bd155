/* The model as a handle: opened, cloned, saved, asked what it is. What was learned is held once, by a graph that
 * never runs: each handle has a graph of its own whose variables are that one's, so that clones on other threads hold
 * programs alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/zoned.h"
#include "handle_parts.h"
#include "other_columns.h"
#include "train/device.h"
#include "train/run.h"

static const int64_t most_windows[HANDLE_SIZES] = { 32, 8, 4, 2, 1 };

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the model");
}

const bundle *handle_bundle(const forecast_model *m) { return &m->of->bundle; }
session      *handle_session(forecast_model *m) { return &m->session; }
double        handle_compile_s(const forecast_model *m) { return m->compile_s; }

/* ---- opening ---- */

static void learned_release(learned *l) {
    if (!l || atomic_fetch_sub(&l->holders, 1) != 1) return;
    session_free(&l->store);
    bundle_free(&l->bundle);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The largest batch keeps the activations near 16 million numbers, as scoring does. */
static void choose_sizes(forecast_model *m) {
    for (int i = 0; i < HANDLE_SIZES; i++) m->size[i] = session_batch(&m->of->bundle.config, most_windows[i]);
    for (int i = 0; i + 1 < HANDLE_SIZES; i++)
        if (m->size[i] == m->size[i + 1]) m->size[i] = 0;
}

static tide_status make_room(forecast_model *m, tide_failure *failure) {
    const model_config *c = &m->of->bundle.config;
    int64_t rows = c->seq_len;
    for (int i = HANDLE_SIZES - 1; i >= 0; i--) rows = MAX2(rows, m->size[i] * c->seq_len);
    m->scaled = malloc((size_t)(rows * c->columns) * sizeof *m->scaled);
    m->gaps   = malloc((size_t)(rows * c->columns) * sizeof *m->gaps);
    m->marks  = malloc((size_t)(rows * c->marks) * sizeof *m->marks + 1);
    m->known  = malloc((size_t)(rows / c->seq_len * c->pred_len * c->known) * sizeof *m->known + 1);
    return m->scaled && m->gaps && m->marks && m->known ? TIDE_OK : no_memory(failure);
}

/* A handle of what `of` holds; the reference to it is the handle's. */
static tide_status handle_new(learned *of, forecast_model **out, tide_failure *failure) {
    forecast_model *m = calloc(1, sizeof *m);
    int             smallest;
    *out = NULL;
    if (!m) return learned_release(of), no_memory(failure);
    m->of = of;
    choose_sizes(m);
    tide_status status = session_begin(&of->machine, &of->bundle.config, &m->session, failure);
    if (status == TIDE_OK) {
        pthread_mutex_lock(&of->lock);
        status = tide_variables_share(m->session.params, of->store.params, failure);
        pthread_mutex_unlock(&of->lock);
    }
    if (status == TIDE_OK) status = make_room(m, failure);
    if (status == TIDE_OK) status = handle_program(m, 1, &smallest, failure);
    if (status == TIDE_OK) *out = m;
    else forecast_model_free(m);
    return status;
}

/* `asked`: NULL, or options that may ask for the columns of their data, and for attributes of their own. */
static tide_status learn(learned *l, const tide_archive *a, const char *path, const forecast_options *asked,
                         tide_failure *failure) {
    tide_status status = bundle_take(path, a, &l->bundle, failure);
    if (status == TIDE_OK && asked)
        status = asked->other_columns ? other_columns_take(asked, &l->bundle, failure)
                                      : loaded_statics(asked, &l->bundle, NULL, failure);
    if (status != TIDE_OK) return status;
    step_print(l->frequency, l->bundle.step);
    if (!l->bundle.step.unit) *l->frequency = 0;
    zoned_name(l->tz, l->bundle.zone);
    status = session_begin(&l->machine, &l->bundle.config, &l->store, failure);
    return status == TIDE_OK ? tide_load_archive(l->store.params, a, failure) : status;
}

/* Frees the archive. */
static tide_status open_archive(const forecast_options *machine, tide_archive *a, const char *path,
                                const forecast_options *asked, forecast_model **out, tide_failure *failure) {
    learned    *l = calloc(1, sizeof *l);
    tide_status status = l ? TIDE_OK : no_memory(failure);
    *out = NULL;
    if (l) {
        atomic_init(&l->holders, 1);
        pthread_mutex_init(&l->lock, NULL);
        if (machine) l->machine = *machine;
        else forecast_options_default(&l->machine);
        /* it asks for fewer windows at once than a device that is chosen is for */
        if (train_device_open(l->machine.device)) snprintf(l->machine.device, sizeof l->machine.device, "cpu");
        *l->machine.out = 0; /* nothing of a training that goes on */
        status          = learn(l, a, path, asked, failure);
    }
    tide_archive_free(a);
    if (status == TIDE_OK) return handle_new(l, out, failure);
    learned_release(l);
    return status;
}

static tide_status open_file(const forecast_options *machine, const char *path, const forecast_options *asked,
                             forecast_model **out, tide_failure *failure) {
    tide_archive a = { 0 };
    *out = NULL;
    tide_status status = tide_safetensors_read(path, &a, failure);
    return status == TIDE_OK ? open_archive(machine, &a, path, asked, out, failure) : status;
}

tide_status handle_open(const forecast_options *o, const char *path, forecast_model **out, tide_failure *failure) {
    return open_file(o, path, o, out, failure);
}

static tide_status check_load(const forecast_options *machine, forecast_model **out, tide_failure *failure) {
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the model");
    *out = NULL;
    return machine ? options_sound(machine, failure) : TIDE_OK;
}

tide_status forecast_model_load(const char *run, const forecast_options *machine, forecast_model **out,
                                tide_failure *failure) {
    failure_clear(failure);
    char path[FOLDER_PATH];
    tide_status status = check_load(machine, out, failure);
    if (status == TIDE_OK && !run) status = fail(failure, TIDE_EINVAL, "there is no path of a run");
    if (status == TIDE_OK) status = loaded_path(run, path, failure);
    return status == TIDE_OK ? open_file(machine, path, NULL, out, failure) : status;
}

tide_status forecast_model_load_memory(const void *bytes, size_t size, const forecast_options *machine,
                                       forecast_model **out, tide_failure *failure) {
    failure_clear(failure);
    tide_archive a = { 0 };
    tide_status  status = check_load(machine, out, failure);
    if (status == TIDE_OK) status = tide_safetensors_read_memory(bytes, size, &a, failure);
    return status == TIDE_OK ? open_archive(machine, &a, "memory", NULL, out, failure) : status;
}

tide_status forecast_model_clone(const forecast_model *m, forecast_model **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the model");
    *out = NULL;
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    atomic_fetch_add(&m->of->holders, 1);
    return handle_new(m->of, out, failure);
}

tide_status forecast_model_save_memory(const forecast_model *m, void **bytes, size_t *size, tide_failure *failure) {
    failure_clear(failure);
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    pthread_mutex_lock(&m->of->lock);
    tide_status status = bundle_write_memory(&m->of->bundle, m->of->store.params, NULL, bytes, size, failure);
    pthread_mutex_unlock(&m->of->lock);
    return status;
}

void forecast_model_free(forecast_model *m) {
    if (!m) return;
    attention_program_free(m->attention);
    session_free(&m->session);
    free(m->scaled), free(m->gaps), free(m->marks), free(m->known);
    learned_release(m->of);
    free(m);
}

/* ---- what it is ---- */

int64_t forecast_model_seq_len(const forecast_model *m) { return config_of(m)->seq_len; }
int64_t forecast_model_pred_len(const forecast_model *m) { return config_of(m)->pred_len; }
int64_t forecast_model_columns(const forecast_model *m) { return config_of(m)->columns; }
int64_t forecast_model_targets(const forecast_model *m) { return config_of(m)->out_count; }
bool    forecast_model_needs_time(const forecast_model *m) { return config_of(m)->marks > 0; }

const char *forecast_model_column_name(const forecast_model *m, int64_t column) {
    return column >= 0 && column < config_of(m)->columns ? m->of->bundle.names[column] : NULL;
}

const char *forecast_model_target_name(const forecast_model *m, int64_t target) {
    const model_config *c = config_of(m);
    return target >= 0 && target < c->out_count ? m->of->bundle.names[c->out_first + target] : NULL;
}

const char *forecast_model_attribute_name(const forecast_model *m, int64_t attribute) {
    bool there = m && attribute >= 0 && attribute < m->of->bundle.statics.count;
    return there ? m->of->bundle.statics.of[attribute].name : NULL;
}

int64_t forecast_model_known(const forecast_model *m) { return config_of(m)->known; }

int64_t forecast_model_holidays(const forecast_model *m, int64_t time_s, double *values) {
    int64_t count = m ? m->of->bundle.holiday_columns : 0;
    for (int64_t i = 0; values && i < count; i++) {
        const bundle *b = &m->of->bundle;
        int64_t       label = zone_label(b->zone, time_s);
        values[i] = holidays_value(&b->holidays, b->names[b->config.columns - count + i], label, b->step);
    }
    return count;
}

bool forecast_model_takes_gaps(const forecast_model *m) { return config_of(m)->masked; }

const char *forecast_model_frequency(const forecast_model *m) { return m ? m->of->frequency : ""; }

const char *forecast_model_tz(const forecast_model *m) { return m ? m->of->tz : ""; }

tide_precision forecast_model_precision(const forecast_model *m, const char **note) {
    if (note) *note = m ? m->session.precision_note : "";
    return m ? m->session.precision : TIDE_PRECISION_F32;
}

tide_status forecast_model_times_after(const forecast_model *m, int64_t last_time_s, int64_t count, int64_t *time_s,
                                       tide_failure *failure) {
    failure_clear(failure);
    if (!m || count < 0 || (count && !time_s))
        return fail(failure, TIDE_EINVAL, "there is no model, or no place for times");
    const time_step step = m->of->bundle.step;
    if (!step.unit) return fail(failure, TIDE_EINVAL, "the model was trained without time stamps");
    if (!time_writable(last_time_s)) return fail(failure, TIDE_EDATA, "the last time lies outside the years 0 to 9999");
    for (int64_t i = 0; i < count; i++)
        time_s[i] = zoned_follow(m->of->bundle.zone, last_time_s, i ? time_s[i - 1] : last_time_s, step, i + 1);
    return TIDE_OK;
}
