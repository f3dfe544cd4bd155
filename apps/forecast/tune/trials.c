/* A trial: a training in a folder of its own, which stops where its rung ends and goes on from its checkpoint. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "forecast/training/trainer.h"
#include "tuning.h"

tide_status trial_options(const tuning *t, const trial *x, const char *out, forecast_options *o,
                          tide_failure *failure) {
    *o = *t->base;
    snprintf(o->out, sizeof o->out, "%s", out);
    return point_apply(&t->space, &x->at, o, failure);
}

/* What the data and the options give rise to is told once: by the first trial. */
typedef struct hearing { tuning *t; bool tells; } hearing;

static int hear(void *user, const forecast_event *e) {
    const hearing *h = user;
    if (h->tells && (e->stage == FORECAST_STAGE_NOTE || e->stage == FORECAST_STAGE_WARNING)) {
        pthread_mutex_lock(&h->t->mutex);
        if (listener_tell(&h->t->listener, *e)) atomic_store(&h->t->cancelled, true);
        pthread_mutex_unlock(&h->t->mutex);
    }
    return tuning_tick(h->t, (double)NAN);
}

/* A guard behind the space's own: a file that has changed, series that are left out for a look-back between. */
static tide_status same_rows(const tuning *t, const trainer *r, tide_failure *failure) {
    char sum[65];
    ground_sum(&r->data, r->options, sum);
    if (!strcmp(sum, t->ground.sum)) return TIDE_OK;
    return fail(failure, TIDE_EDATA, "its validation rows or series are not those of the other trials");
}

/* To the end of its share of the epochs, one part of `parts`, or of all of them. */
static tide_status learn(trainer *r, int64_t parts, tide_failure *failure) {
    fit_place   at    = fit_place_now(r->fit);
    int64_t     share = MAX2(1, (at.epochs + parts / 2) / parts);
    int64_t     steps = share * at.batches - at.step;
    if (parts == 1) return trainer_learn(r, 0, failure);
    tide_status status = steps > 0 ? trainer_learn(r, steps, failure) : TIDE_OK;
    return status == TIDE_OK ? fit_save(r->fit, failure) : status;
}

static void take_figures(const trainer *r, trial *x) {
    const fit_progress *at = fit_at(r->fit);
    x->epochs = at->epoch - 1, x->best_epoch = at->best_epoch, x->seconds = at->train_seconds;
    x->loss = isfinite(at->best) ? at->best : (double)NAN;
}

/* What would meet any other trial too ends the search. */
static bool is_own(const tide_failure *why) {
    bool kind = why->status == TIDE_EINVAL || why->status == TIDE_EDATA || why->status == TIDE_ENOMEM;
    return kind && strcmp(why->column, "out") != 0;
}

/* The budget ended it before it was through any rung: it can still be chosen, where none was. */
static tide_status keep_so_far(tuning *t, trial *x, trial *now, tide_failure *failure) {
    if (atomic_load(&t->cancelled) || now->rungs || !isfinite(now->loss)) return TIDE_OK;
    pthread_mutex_lock(&t->mutex);
    *x = *now;
    pthread_mutex_unlock(&t->mutex);
    return tuning_record(t, now, SO_FAR, failure);
}

static tide_status settle(tuning *t, trial *x, trial *now, int rung, tide_status status, const tide_failure *why,
                          tide_failure *failure) {
    if (status == TIDE_ECANCELLED) return keep_so_far(t, x, now, failure); /* it has a checkpoint */
    if (status != TIDE_OK && !is_own(why)) {
        if (failure) *failure = *why;
        return status;
    }
    if (status == TIDE_OK) now->rungs = rung + 1;
    else now->loss = (double)NAN, snprintf(now->reason, sizeof now->reason, "%.399s", why->message);
    status = tuning_record(t, now, rung, failure);
    pthread_mutex_lock(&t->mutex);
    *x = *now;
    t->done++;
    pthread_mutex_unlock(&t->mutex);
    return status;
}

tide_status trial_advance(tuning *t, trial *x, int rung, int threads, tide_failure *failure) {
    char              path[FORECAST_TEXT_SIZE];
    forecast_options *o   = malloc(sizeof *o);
    hearing           h   = { t, x->number == 1 && !rung };
    trial             now = *x;
    trainer          *r   = NULL;
    tide_failure      why = { 0 };
    if (!o) return tuning_no_memory(failure);
    tuning_trial_path(t, x->number, path);
    tide_status status = trial_options(t, x, path, o, &why);
    o->threads = threads;
    if (status == TIDE_OK) status = trainer_open(o, NULL, true, hear, &h, &r, &why);
    if (status == TIDE_OK) status = same_rows(t, r, &why);
    if (status == TIDE_OK) status = learn(r, t->rung[rung].parts, &why);
    if (r && r->fit) take_figures(r, &now);
    forecast_trainer_free(r);
    free(o);
    status = settle(t, x, &now, rung, status, &why, failure);
    tuning_tick(t, now.loss);
    return status;
}
