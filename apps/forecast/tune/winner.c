/* The best trial becomes an ordinary run: its folder moves to `best`, its training goes to the end, and only now are
 * test windows looked at. Other seeds are runs beside it. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/parallel.h"
#include "forecast/training/trainer.h"
#include "tuning.h"

static const trial *best_of(const tuning *t) { return &t->trial[t->best - 1]; }

/* ---- the best ---- */

/* A trial that was dropped, or whose folder is gone, is trained anew there, to the same bits. */
static tide_status move(const tuning *t, const char *best, tide_failure *failure) {
    char from[FORECAST_TEXT_SIZE];
    tuning_trial_path(t, t->best, from);
    if (!owned_holds_run(from) || rename(from, best) == 0) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, best, 0, "out", "cannot move %s to %s: %s", from, best, strerror(errno));
}

/* What its data and options give rise to was told by the first trial; what training and scoring do, here. */
typedef struct telling { tuning *t; bool opened; } telling;

static int tell(void *user, const forecast_event *e) {
    telling *w = user;
    bool     again = !w->opened && (e->stage == FORECAST_STAGE_NOTE || e->stage == FORECAST_STAGE_WARNING);
    return again ? 0 : listener_tell(&w->t->listener, *e);
}

/* Training in the folder, to its end, then scored. */
static tide_status train(const forecast_options *o, forecast_progress hear, void *user, bool *opened,
                         forecast_result *r, tide_failure *failure) {
    trainer    *x;
    tide_status status = trainer_open(o, NULL, true, hear, user, &x, failure);
    if (status != TIDE_OK) return status;
    *opened = true;
    return trainer_finish(x, r, failure);
}

static tide_status stopped(const tuning *t, tide_failure *failure) {
    return fail(failure, TIDE_ECANCELLED,
                "stopped after the search, while its best was trained; `resume` auto `out` %s goes on", t->folder);
}

static tide_status train_best(tuning *t, forecast_result *r, tide_failure *failure) {
    char              best[FORECAST_TEXT_SIZE];
    telling           w   = { .t = t };
    tide_failure      why = { 0 };
    forecast_options *o = malloc(sizeof *o);
    if (!o) return tuning_no_memory(failure);
    tuning_path(t, "best", best);
    tide_status status = move(t, best, failure);
    if (status == TIDE_OK) status = tuning_forget_trials(t, failure);
    if (status == TIDE_OK) status = trial_options(t, best_of(t), best, o, failure);
    o->plots = t->options->plots;
    if (status == TIDE_OK) status = train(o, tell, &w, &w.opened, r, &why);
    free(o);
    if (why.status == TIDE_ECANCELLED) return stopped(t, failure);
    if (why.status && failure) *failure = why;
    return status;
}

/* ---- other seeds ---- */

typedef struct repeats {
    tuning              *t;
    forecast_tune_seed **todo;     /* what the journal does not have */
    int                  threads;  /* of each training */
} repeats;

static int hear_seed(void *user, const forecast_event *e) {
    (void)e;
    return tuning_tick(user, (double)NAN);
}

static tide_status train_once(tuning *t, forecast_tune_seed *s, int threads, tide_failure *failure) {
    char              name[TUNE_NAME], path[FORECAST_TEXT_SIZE];
    bool              opened;
    forecast_result  *r = calloc(1, sizeof *r);
    forecast_options *o = malloc(sizeof *o);
    tide_status       status = r && o ? TIDE_OK : tuning_no_memory(failure);
    snprintf(name, sizeof name, "seeds/%" PRId64, s->seed);
    tuning_path(t, name, path);
    if (status == TIDE_OK) status = trial_options(t, best_of(t), path, o, failure);
    if (status == TIDE_OK) {
        o->seed = s->seed, o->threads = threads, o->refit = false;
        status  = train(o, hear_seed, t, &opened, r, failure);
    }
    if (status == TIDE_OK) s->val_loss = r->best_val_loss, s->mse = r->model.mse, s->mae = r->model.mae;
    if (r) forecast_result_free(r);
    free(r);
    free(o);
    return status;
}

static void name_seed(tide_failure *why, int64_t seed) {
    char said[sizeof why->message];
    memcpy(said, why->message, sizeof said);
    snprintf(why->message, sizeof why->message, "with seed %" PRId64 ": %.400s", seed, said);
}

static tide_status train_seed(tuning *t, forecast_tune_seed *s, int threads, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = train_once(t, s, threads, &why);
    if (status == TIDE_OK) status = tuning_record_seed(t, s, &why);
    if (status != TIDE_OK) name_seed(&why, s->seed), *failure = why;
    return status;
}

static void repeat(void *user, int64_t i, int thread) {
    const repeats *p   = user;
    tide_failure   why = { 0 };
    (void)thread;
    if (tuning_stopped(p->t)) return;
    if (train_seed(p->t, p->todo[i], p->threads, &why) != TIDE_OK) tuning_stop(p->t, &why);
    pthread_mutex_lock(&p->t->mutex);
    p->t->done++;
    pthread_mutex_unlock(&p->t->mutex);
}

/* The first is the best run's own. */
static tide_status list_seeds(const tuning *t, const forecast_result *r, forecast_tune_result *out,
                              tide_failure *failure) {
    int64_t count = t->options->seeds;
    out->seeds    = calloc((size_t)count, sizeof *out->seeds);
    if (!out->seeds) return tuning_no_memory(failure);
    out->seed_count = count;
    for (int64_t i = 0; i < count; i++) out->seeds[i].seed = t->ground.resolved.seed + i;
    out->seeds[0].val_loss = r->best_val_loss, out->seeds[0].mse = r->model.mse, out->seeds[0].mae = r->model.mae;
    return TIDE_OK;
}

static void run_seeds(tuning *t, forecast_tune_result *out, forecast_tune_seed **todo) {
    int64_t waiting = 0;
    for (int64_t i = 1; i < out->seed_count; i++)
        if (!tuning_recall_seed(t, &out->seeds[i])) todo[waiting++] = &out->seeds[i];
    t->budget_s = 0, t->doing = "seeds", t->todo = out->seed_count - 1, t->done = t->todo - waiting;
    atomic_store(&t->over, false);
    int     width = tuning_width(t, waiting);
    repeats p     = { t, todo, tuning_each(t, width) };
    parallel_for(width, waiting, 1, repeat, &p);
}

static tide_status train_seeds(tuning *t, forecast_result *r, tide_failure *failure) {
    tide_status status = list_seeds(t, r, r->tune, failure);
    if (status == TIDE_OK && t->joined)
        return tuning_seeds_joined(t, train_seed, r->tune->seeds, r->tune->seed_count, failure);
    forecast_tune_seed **todo = status == TIDE_OK ? malloc((size_t)r->tune->seed_count * sizeof *todo) : NULL;
    if (!todo) return status == TIDE_OK ? tuning_no_memory(failure) : status;
    run_seeds(t, r->tune, todo);
    free(todo);
    if (t->why.status && failure) *failure = t->why;
    if (t->why.status) return t->why.status;
    if (atomic_load(&t->cancelled))
        return fail(failure, TIDE_ECANCELLED, "stopped while other seeds were trained; `resume` auto `out` %s goes on",
                    t->folder);
    return TIDE_OK;
}

tide_status tuning_finish(tuning *t, forecast_result *r, tide_failure *failure) {
    tide_status status = t->joined ? tuning_best_joined(t, train_best, r, failure) : train_best(t, r, failure);
    return status == TIDE_OK ? train_seeds(t, r, failure) : status;
}
