/* The time that a search takes, over all its restarts, what is told of it, and what ends it early. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "tuning.h"

static const double TOLD_EVERY_S = 0.1, CLOCK_EVERY_S = 10;

double tuning_seconds(const tuning *t) { return t->before + os_seconds() - t->listener.began; }

static const trial *best_so_far(const tuning *t) {
    const trial *best = NULL;
    for (int64_t i = 0; i < t->count; i++)
        if (isfinite(t->trial[i].loss) && (!best || t->trial[i].loss < best->loss)) best = &t->trial[i];
    return best;
}

/* What the best has still to be trained belongs to the search: a trial of one part of nine needs eight times as much
 * again. */
static bool spent(const tuning *t) {
    const trial *best = best_so_far(t);
    double rest = 0;
    if (!(t->budget_s > 0)) return false;
    if (best && best->rungs && best->rungs <= t->rungs)
        rest = best->seconds * (double)(t->rung[best->rungs - 1].parts - 1);
    return tuning_seconds(t) + rest > t->budget_s;
}

static void tell(tuning *t, double loss) {
    const trial *best = best_so_far(t);
    char message[160], lowest[64] = "", seconds[32];
    if (best) snprintf(lowest, sizeof lowest, ", best validation %.5f (trial %" PRId64 ")", best->loss, best->number);
    snprintf(seconds, sizeof seconds, "%.0f s", tuning_seconds(t));
    snprintf(message, sizeof message, "%s: %" PRId64 " of %" PRId64 "%s, %s", t->doing, t->done, t->todo, lowest,
             seconds);
    if (listener_tell(&t->listener,
                      (forecast_event){ .stage = FORECAST_STAGE_TRIAL, .message = message, .batch = t->done,
                                        .batches = t->todo, .loss = loss,
                                        .val_loss = best ? best->loss : (double)NAN }))
        atomic_store(&t->cancelled, true);
}

/* Without it a search that was killed would forget what it took since the last trial. */
static void keep_clock(tuning *t) {
    tide_failure why  = { 0 };
    json_t      *line = json_with(json_object(), "elapsed", json_real(tuning_seconds(t)));
    t->clocked = os_seconds();
    if (!line || journal_add(&t->journal, "clock", line, &why) == TIDE_OK) return;
    t->why = why;
    atomic_store(&t->over, true);
}

bool tuning_stopped(const tuning *t) { return atomic_load(&t->cancelled) || atomic_load(&t->over); }

int tuning_tick(tuning *t, double loss) {
    pthread_mutex_lock(&t->mutex);
    double now = os_seconds();
    if (!isnan(loss) || now - t->told >= TOLD_EVERY_S) {
        t->told = now;
        tell(t, loss);
        if (spent(t)) atomic_store(&t->over, true);
    }
    if (!t->joined && now - t->clocked >= CLOCK_EVERY_S) keep_clock(t); /* several have no budget */
    pthread_mutex_unlock(&t->mutex);
    return tuning_stopped(t);
}

void tuning_stop(tuning *t, const tide_failure *why) {
    pthread_mutex_lock(&t->mutex);
    if (why->status != TIDE_ECANCELLED && t->why.status == TIDE_OK) t->why = *why;
    if (why->status != TIDE_ECANCELLED) atomic_store(&t->over, true);
    pthread_mutex_unlock(&t->mutex);
}
