/* Successive halving: each rung is through when all its trials are, so the order in which they end leaves no trace. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "tuning.h"

/* Of a rung. */
typedef struct round_of {
    tuning *t;
    int     rung, threads;   /* threads: of each trial */
    trial **todo;
} round_of;

/* ---- which ---- */

/* The last rung is of all epochs; each before it of a third, while there are trials to be dropped and epochs to be left
 * out. */
static void plan_rungs(tuning *t) {
    int64_t trials = t->count, epochs = t->ground.epochs, parts = 1;
    t->rungs = 1;
    while (t->rungs < FORECAST_TUNE_RUNGS && trials / TUNE_FACTOR >= 1 && epochs / TUNE_FACTOR >= 1)
        trials /= TUNE_FACTOR, epochs /= TUNE_FACTOR, t->rungs++;
    for (int i = t->rungs - 1; i >= 0; i--, parts *= TUNE_FACTOR)
        t->rung[i] = (forecast_tune_rung){ .parts = parts, .best = (double)NAN };
}

static tide_status draw_trials(tuning *t, tide_failure *failure) {
    int64_t most   = t->space.count ? t->options->trials : 1;
    point  *points = malloc((size_t)most * sizeof *points);
    t->trial       = calloc((size_t)most, sizeof *t->trial);
    if (!points || !t->trial) return free(points), tuning_no_memory(failure);
    space_ground(&t->space, &t->ground.resolved, &points[0]);
    tide_status status = TIDE_OK;
    bool        found  = true;
    for (t->count = 1; t->count < most; t->count += found) {
        status = space_draw(&t->space, &t->ground.resolved, t->count + 1, points, t->count, &points[t->count], &found,
                            failure);
        if (status != TIDE_OK || !found) break;
    }
    for (int64_t i = 0; i < t->count; i++)
        t->trial[i] = (trial){ .number = i + 1, .at = points[i], .loss = (double)NAN };
    t->trial[0].at = (point){ 0 }; /* as given */
    free(points);
    if (status == TIDE_OK && t->count < most)
        listener_note(&t->listener, FORECAST_STAGE_NOTE,
                      "the space has hardly more than %" PRId64 " settings: so many trials, not %" PRId64, t->count,
                      most);
    return status;
}

static bool failed(const trial *x) { return *x->reason || !isfinite(x->loss); }

/* The lowest loss first, of equal ones the lowest number; failures last. */
static int by_loss(const void *a, const void *b) {
    const trial *x = *(const trial *const *)a, *y = *(const trial *const *)b;
    if (failed(x) != failed(y)) return failed(x) ? 1 : -1;
    if (!failed(x) && x->loss != y->loss) return x->loss < y->loss ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* ---- a rung ---- */

static void advance(void *user, int64_t i, int thread) {
    const round_of *r = user;
    tide_failure    why = { 0 };
    (void)thread;
    if (tuning_stopped(r->t)) return;
    if (trial_advance(r->t, r->todo[i], r->rung, r->threads, &why) != TIDE_OK) tuning_stop(r->t, &why);
}

int tuning_width(const tuning *t, int64_t count) {
    tide_device d;
    bool apart = tide_device_info(t->ground.resolved.device, &d, NULL) == TIDE_OK && d.own_memory;
    return (int)MIN2(apart ? 1 : t->threads, MAX2(count, 1));
}

/* Where there are fewer trials than threads, each takes what threads are free. */
static void run_side_by_side(round_of *r, int64_t count) {
    int width  = tuning_width(r->t, count);
    r->threads = tuning_each(r->t, width);
    parallel_for(width, count, 1, advance, r);
}

static void count_rung(forecast_tune_rung *out, trial *const *alive, int64_t count, int rung) {
    out->trials = count;
    for (int64_t i = 0; i < count; i++) {
        out->failed += *alive[i]->reason != 0;
        if (alive[i]->rungs <= rung) continue;
        out->through++;
        if (!(out->best <= alive[i]->loss)) out->best = alive[i]->loss;
    }
}

static void tell_rung(const tuning *t, int rung) {
    const forecast_tune_rung *r = &t->rung[rung];
    char share[48] = "all epochs", lost[48] = "", kept[48] = "";
    if (r->parts > 1) snprintf(share, sizeof share, "a share of 1/%" PRId64 " of the epochs", r->parts);
    if (r->failed) snprintf(lost, sizeof lost, ", %" PRId64 " failed", r->failed);
    if (rung + 1 < t->rungs)
        snprintf(kept, sizeof kept, "; the best %" PRId64 " go%s on", r->kept, r->kept == 1 ? "es" : "");
    listener_note(&t->listener, FORECAST_STAGE_NOTE,
                  "rung %d of %d, %s: %" PRId64 " trial%s%s, the lowest validation loss %.5f%s", rung + 1, t->rungs,
                  share, r->trials, r->trials == 1 ? "" : "s", lost, r->best, kept);
}

static void climb_together(tuning *t, int rung, trial **alive, int64_t count) {
    tide_failure why = { 0 };
    if (tuning_climb_joined(t, alive, count, rung, &why) != TIDE_OK) tuning_stop(t, &why);
}

/* Takes those of `alive` through it that were not before. False: it was stopped on the way. */
static bool climb(tuning *t, int rung, trial **alive, int64_t count, trial **todo) {
    char     doing[48];
    round_of r = { .t = t, .rung = rung, .todo = todo };
    int64_t  waiting = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!rung) tuning_recall(t, alive[i], SO_FAR);
        if (!tuning_recall(t, alive[i], rung)) todo[waiting++] = alive[i];
    }
    snprintf(doing, sizeof doing, "rung %d of %d", rung + 1, t->rungs);
    t->doing = doing, t->todo = count, t->done = count - waiting;
    if (t->joined) climb_together(t, rung, alive, count);
    else if (!t->best && waiting) run_side_by_side(&r, waiting);
    count_rung(&t->rung[rung], alive, count, rung);
    t->doing = "";
    return t->rung[rung].through + t->rung[rung].failed == count;
}

typedef struct dropped { trial **of; int64_t count; } dropped;

static tide_status close_rung(tuning *t, void *user, tide_failure *failure) {
    const dropped *d      = user;
    tide_status    status = t->joined ? tuning_commit(t, failure) : TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < d->count; i++) tuning_forget(t, d->of[i]);
    return status;
}

/* How many are left; -1: it was stopped. */
static int64_t drop(tuning *t, int rung, trial **alive, int64_t count) {
    forecast_tune_rung *r = &t->rung[rung];
    int64_t wanted = t->count;
    for (int i = 0; i <= rung; i++) wanted /= TUNE_FACTOR;
    qsort(alive, (size_t)count, sizeof *alive, by_loss);
    int64_t keep = rung + 1 < t->rungs ? MIN2(MAX2(wanted, 1), r->through) : r->through;
    r->kept      = keep;
    tide_failure why = { 0 };
    dropped      out = { alive + keep, count - keep };
    if (tuning_once(t, "closing the rung", close_rung, &out, &why) == TIDE_OK) return keep;
    tuning_stop(t, &why);
    return -1;
}

/* ---- all rungs ---- */

static void climb_all(tuning *t, trial **alive, trial **todo) {
    int64_t count = t->count;
    bool    known = t->best != 0; /* and told before */
    for (int64_t i = 0; i < count; i++) alive[i] = &t->trial[i];
    for (int rung = 0; rung < t->rungs && count; rung++) {
        bool through = climb(t, rung, alive, count, todo);
        if (!through) return;
        count = drop(t, rung, alive, count);
        if (count < 0) return;
        if (!known) tell_rung(t, rung);
    }
    t->complete = true;
}

static tide_status stopped(const tuning *t, tide_failure *failure) {
    return fail(failure, TIDE_ECANCELLED, "the search was stopped; `resume` auto `out` %s goes on", t->folder);
}

static tide_status record_best(tuning *t, void *user, tide_failure *failure) {
    (void)user;
    return tuning_record_best(t, failure);
}

/* As the one that chose first has it, with its time. */
static tide_status settle_best(tuning *t, tide_failure *failure) {
    tide_status status = tuning_once(t, "choosing", record_best, NULL, failure);
    if (status == TIDE_OK) status = tuning_take_best(t, failure);
    if (status == TIDE_OK) tuning_recall_best(t);
    return status;
}

static tide_status choose(tuning *t, trial **all, tide_failure *failure) {
    for (int64_t i = 0; i < t->count; i++) all[i] = &t->trial[i];
    qsort(all, (size_t)t->count, sizeof *all, by_loss);
    t->searched_s = tuning_seconds(t);
    if (!failed(all[0])) return t->best = all[0]->number, settle_best(t, failure);
    if (*t->trial[0].reason)
        return fail(failure, TIDE_EINVAL, "no trial could be trained; of the options as given: %s", t->trial[0].reason);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "budget",
                   "`budget` ended, after %.0f s, before any trial was through an epoch: give more; `resume` goes on",
                   tuning_seconds(t));
}

tide_status tuning_search(tuning *t, tide_failure *failure) {
    tide_status status = draw_trials(t, failure);
    if (status != TIDE_OK) return status;
    trial **alive = malloc(2 * (size_t)t->count * sizeof *alive);
    if (!alive) return tuning_no_memory(failure);
    plan_rungs(t);
    tuning_recall_best(t);
    climb_all(t, alive, alive + t->count);
    if (t->why.status && failure) *failure = t->why;
    if (t->why.status) status = t->why.status;
    else if (atomic_load(&t->cancelled)) status = stopped(t, failure);
    else if (!t->best || t->joined) status = choose(t, alive, failure);
    free(alive);
    return status;
}
