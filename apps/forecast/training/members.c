/* The members of an ensemble, each trained as a run of its own under RUN/members, so that a run that was killed goes on
 * with them, and each can be evaluated alone. What of the budget a member leaves, the next ones have. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "ensemble.h"
#include "forecast/data/frame_reading.h"
#include "forecast/options/duration.h"
#include "forecast/saved/run_options.h"

static const double USUAL_BUDGET_S = 600, LEAST_S = 1; /* below it no training by steps is begun */
static const int in_order[ENSEMBLE_MEMBERS] = { FORECAST_ARCH_LAST_VALUE, FORECAST_ARCH_SEASONAL_NAIVE,
                                                FORECAST_ARCH_LINEAR,     FORECAST_DLINEAR,
                                                FORECAST_ITRANSFORMER,    FORECAST_PATCHTST };

/* ---- which ---- */

static void leave_out(forecast_member *m, const char *format, ...) TIDE_PRINTF(2, 3);
static void leave_out(forecast_member *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(m->note, sizeof m->note, format, args);
    va_end(args);
}

static void check_season(const trainer *t, forecast_member *m) {
    int64_t season = t->config.season, rows = t->config.seq_len;
    if (season < 1) leave_out(m, "no season follows from the frequency");
    else if (season > rows)
        leave_out(m, "a season is %" PRId64 " rows, and `seq-len` %" PRId64 " shows fewer", season, rows);
}

tide_status members_choose(trainer *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    ensemble_training      *e = t->ensemble;
    for (int i = 0; i < ENSEMBLE_MEMBERS; i++) {
        const char *name = architecture_of(in_order[i])->name;
        if (*o->members && !list_has(o->members, name)) continue;
        forecast_member *m = &e->told[e->count];
        *m = (forecast_member){ .validation_mse = (double)NAN, .test_mse = (double)NAN };
        snprintf(m->name, sizeof m->name, "%s", name);
        if (in_order[i] == FORECAST_ARCH_SEASONAL_NAIVE) check_season(t, m);
        if (*m->note && *o->members)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "members", "`members` names %s: %s", name, m->note);
        e->arch[e->count++] = in_order[i];
    }
    if (!*o->budget) e->budget_s = *o->members ? 0 : USUAL_BUDGET_S;
    return *o->budget ? duration_parse(o->budget, "budget", &e->budget_s, failure) : TIDE_OK;
}

/* ---- one of them ---- */

typedef struct training { trainer *of; int index; bool running; } training;

/* Steps and epochs are told; of the rest only what is new about this training. */
static int hear(void *user, const forecast_event *event) {
    const training *m = user;
    bool told = event->stage == FORECAST_STAGE_STEP || event->stage == FORECAST_STAGE_EPOCH ||
                event->stage == FORECAST_STAGE_VALIDATE || (event->stage == FORECAST_STAGE_WARNING && m->running);
    return told ? listener_tell(&m->of->listener, *event) : 0;
}

/* Trainings by steps that are still to come, this one included, share what is left; those that waited have it one
 * after the other. 0: no limit. */
static double share_of(const ensemble_training *e, int index) {
    int left = 0;
    for (int i = index; i < e->count && !e->waits[index]; i++) left += !architecture_of(e->arch[i])->solved;
    return e->budget_s ? fmax(e->budget_s - e->spent_s, 0) / MAX2(left, 1) : 0;
}

/* "": in memory. */
static tide_status folder_of(const trainer *t, int index, char *path, size_t size, tide_failure *failure) {
    *path = 0;
    if (trainer_in_memory(t)) return TIDE_OK;
    int length = snprintf(path, size, "%s/members/%s", t->folder.path, t->ensemble->told[index].name);
    if (length < (int)size) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "out", "`out` is too long for the folders of the members");
}

/* A training that goes on keeps to the time it was begun with. */
static tide_status keep_minutes(forecast_options *o, tide_failure *failure) {
    json_t *run = NULL;
    if (!*o->out || !run_folder_present(o->out)) return TIDE_OK;
    tide_status status = run_options_read(o->out, &run, failure);
    const json_t *minutes = json_object_get(json_object_get(run, "options"), "max-minutes");
    if (json_is_number(minutes)) o->max_minutes = json_number_value(minutes);
    json_decref(run);
    return status;
}

/* The options of a member's own training: what is the whole's alone is left out. */
static tide_status options_of(const trainer *t, int index, forecast_options *o, tide_failure *failure) {
    const ensemble_training *e      = t->ensemble;
    bool                     solved = architecture_of(e->arch[index])->solved;
    *o           = *t->options;
    o->arch      = e->arch[index];
    *o->budget = *o->members = *o->preset = *o->out = 0;
    o->plots = o->overwrite = false;
    o->resume      = trainer_in_memory(t) ? FORECAST_RESUME_NO : FORECAST_RESUME_AUTO;
    o->max_minutes = solved ? 0 : share_of(e, index) / 60;
    tide_status status = folder_of(t, index, o->out, sizeof o->out, failure);
    return status == TIDE_OK ? keep_minutes(o, failure) : status;
}

static tide_status keep_learned(const trainer *one, tide_archive *out, tide_failure *failure) {
    void       *bytes = NULL;
    size_t      size;
    tide_status status =
        bundle_write_memory(&one->bundle, one->session.params, trainer_best(one), &bytes, &size, failure);
    if (status == TIDE_OK) status = tide_safetensors_read_memory(bytes, size, out, failure);
    tide_free(bytes);
    return status;
}

/* Seconds of all validation windows, from a batch of them; the first run of a program is not timed. */
static tide_status time_validation(trainer *one, double *seconds, tide_failure *failure) {
    window_set  all   = trainer_stop_windows(one), some = window_set_first(all, one->validate.batch);
    double      ignored, began = 0;
    tide_status status = TIDE_OK;
    for (int i = 0; i < 2 && status == TIDE_OK; i++) {
        began  = os_seconds();
        status = mean_loss(&one->validate, some, NULL, &one->listener, &ignored, failure);
    }
    *seconds = (os_seconds() - began) * (double)all.count / (double)some.count;
    return status;
}

/* A network that is validated more slowly than it may train has no use of its time, and would be scored for longer
 * than all are trained. One that goes on has been begun. */
static tide_status too_slow(const training *m, trainer *one, bool *slow, tide_failure *failure) {
    double share = share_of(m->of->ensemble, m->index), seconds;
    *slow = false;
    if (!share || !one->fit || fit_at(one->fit)->step) return TIDE_OK;
    tide_status status = time_validation(one, &seconds, failure);
    *slow = status == TIDE_OK && 2 * seconds > 0.8 * share;
    m->of->ensemble->waits[m->index] = *slow && !m->of->ensemble->waits[m->index];
    if (*slow)
        leave_out(&m->of->ensemble->told[m->index],
                  "not reached: one pass over the validation windows takes %.0f s, and it had %.0f s", seconds, share);
    return status;
}

/* What was opened and is not trained: a larger budget begins it anew. */
static tide_status put_back(const training *m, trainer *one, double seconds, tide_failure *failure) {
    char path[FOLDER_PATH];
    snprintf(path, sizeof path, "%s", one->folder.path);
    m->of->ensemble->spent_s += seconds;
    forecast_trainer_free(one);
    return *path ? forecast_folder_empty(path, failure) : TIDE_OK;
}

static tide_status learn(training *m, const tide_frame *from, bool in_folder, tide_failure *failure) {
    trainer           *t   = m->of, *one = NULL;
    ensemble_training *e   = t->ensemble;
    forecast_options  *o   = malloc(sizeof *o);
    double             began = os_seconds();
    bool               slow = false;
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    tide_status status = options_of(t, m->index, o, failure);
    if (status != TIDE_OK) return free(o), status;
    status     = trainer_start(o, t->compat, from, in_folder, hear, m, &one, failure);
    m->running = true;
    if (status == TIDE_OK) status = too_slow(m, one, &slow, failure);
    if (status == TIDE_OK && slow) return put_back(m, one, os_seconds() - began, failure);
    if (status == TIDE_OK) status = trainer_learn(one, 0, failure);
    if (status == TIDE_OK) status = trainer_write_model(one, trainer_best(one), failure);
    if (status == TIDE_OK) status = keep_learned(one, &e->learned[m->index], failure);
    bool stepped = one && one->fit;
    if (stepped) e->told[m->index].shortened = fit_place_now(one->fit).steps < one->batches * one->options->epochs;
    e->told[m->index].seconds = stepped ? fit_account_of(one->fit).elapsed : os_seconds() - began;
    e->spent_s += e->told[m->index].seconds;
    forecast_trainer_free(one);
    return status;
}

static int tell_begin(const trainer *t, int index) {
    const ensemble_training *e = t->ensemble;
    char left[60] = "";
    if (e->budget_s)
        snprintf(left, sizeof left, ", %.0f s of %.0f s left", fmax(e->budget_s - e->spent_s, 0), e->budget_s);
    return listener_note(&t->listener, FORECAST_STAGE_START, "member %d of %d: %s%s", index + 1, e->count,
                         e->told[index].name, left);
}

/* A member that fails of itself is left out; what concerns the run or the caller ends it. */
static tide_status judge(trainer *t, int index, tide_status status, const tide_failure *why, tide_failure *failure) {
    ensemble_training *e = t->ensemble;
    bool               own = status == TIDE_EDATA || status == TIDE_ENOMEM || status == TIDE_EDEVICE;
    if (status == TIDE_OK && *e->told[index].note) return TIDE_OK;
    if (status == TIDE_OK) {
        e->told[index].trained = true;
        e->trained |= 1U << e->arch[index];
        return TIDE_OK;
    }
    if (own && !*t->options->members) {
        leave_out(&e->told[index], "%.180s", why->message);
        listener_note(&t->listener, FORECAST_STAGE_WARNING, "%s is left out: %.300s", e->told[index].name,
                      why->message);
        return TIDE_OK;
    }
    if (status == TIDE_ECANCELLED && !trainer_in_memory(t)) /* the member's own words name the member's folder */
        return fail(failure, status, "stopped while %s was trained; `resume` auto `out` %s goes on with it",
                    e->told[index].name, t->folder.path);
    if (failure && !failure->status) *failure = *why;
    return status;
}

static tide_status train_member(trainer *t, int index, const tide_frame *from, bool in_folder, tide_failure *failure) {
    ensemble_training *e   = t->ensemble;
    training           m   = { .of = t, .index = index };
    tide_failure       why = { 0 };
    bool               solved = architecture_of(e->arch[index])->solved;
    char               path[FORECAST_TEXT_SIZE];
    if (*e->told[index].note) return TIDE_OK;
    tide_status status = folder_of(t, index, path, sizeof path, failure);
    if (status != TIDE_OK) return status;
    bool begun = *path && run_folder_present(path); /* it goes on, and to the same end */
    if (e->budget_s && !solved && !begun && share_of(e, index) < LEAST_S) {
        leave_out(&e->told[index], "not reached: the budget was used up");
        return TIDE_OK;
    }
    if (tell_begin(t, index)) return fail(failure, TIDE_ECANCELLED, "stopped before %s", e->told[index].name);
    status = learn(&m, from, in_folder, &why);
    return judge(t, index, status, &why, failure);
}

tide_status members_train(trainer *t, const tide_frame *from, bool in_folder, tide_failure *failure) {
    ensemble_training *e = t->ensemble;
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < e->count; i++) status = train_member(t, i, from, in_folder, failure);
    for (int i = 0; status == TIDE_OK && i < e->count; i++) {
        if (!e->waits[i]) continue;
        *e->told[i].note = 0;
        status = train_member(t, i, from, in_folder, failure);
    }
    if (status == TIDE_OK && !t->ensemble->trained)
        status = fail(failure, TIDE_EDATA, "no member could be trained: %s", t->ensemble->told[0].note);
    return status;
}

/* ---- together ---- */

/* The tensors of a member under the names that they have in the ensemble. */
static tide_status add_renamed(const model_config *c, const tide_archive *from, tide_archive *to,
                               tide_failure *failure) {
    const architecture *of = architecture_of(c->arch);
    char                name[WEIGHT_NAME], full[2 * WEIGHT_NAME];
    tide_shape          shape;
    tide_status         status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && of->weight(c, i, name, &shape); i++) {
        const tide_tensor *x = tide_archive_find(from, name);
        snprintf(full, sizeof full, "%s.%s", of->name, name);
        if (!x) return fail(failure, TIDE_EDATA, "the member %s lacks its parameter %s", of->name, name);
        status = tide_archive_add(to, full, x->type, x->shape, x->data);
    }
    return status == TIDE_OK ? status : fail(failure, status, "out of memory for the members");
}

tide_status members_load(const ensemble_training *e, session *s, tide_failure *failure) {
    const model_config *c      = &s->model.config;
    tide_archive        all    = { 0 };
    tide_status         status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < e->count; i++) {
        model_config one = ensemble_config(c, e->arch[i]);
        if (c->members >> e->arch[i] & 1) status = add_renamed(&one, &e->learned[i], &all, failure);
    }
    tide_list members = { s->params.items + 1, s->params.count - 1 }; /* behind the weights */
    if (status == TIDE_OK) status = tide_load_archive(members, &all, failure);
    tide_archive_free(&all);
    return status;
}
