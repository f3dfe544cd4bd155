/* A search that several processes share, of one machine or of several (files/pieces.h): a piece is a trial at a rung,
 * and what only one can do is a piece by itself. All have the figures of all trials, so all choose alike. A trial goes
 * on from its checkpoint, whoever made it. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "forecast/report/parcel.h"
#include "tuning.h"

static const char result_name[] = "result";

/* ---- what is refused ---- */

tide_status tuning_join_check(const tuning *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    const struct { bool given; const char *option, *why; } rows[] = {
        { !*o->out, "out", "several processes share a search in one folder: give `out`, the same to all of them" },
        { o->overwrite, "overwrite",
          "which of several processes is to replace the search, and which to go on with it, cannot be told: replace "
          "it with one process, without `join` and mpirun, or give another `out`" },
        { t->budget_s > 0, "budget",
          "`budget` ends a search by the clock of one process, and others would choose differently: leave it out, or "
          "search with one process, without `join` and mpirun" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].given) return fail_at(failure, TIDE_EINVAL, NULL, 0, rows[i].option, "%s", rows[i].why);
    return TIDE_OK;
}

/* Trials that a budget ended are gone. */
static tide_status check_journal(const tuning *t, tide_failure *failure) {
    journal      is      = { .file = -1 };
    tide_failure ignored = { 0 };
    tide_status  status  = tuning_journal_peek(t, &is, failure);
    const json_t *best   = status == TIDE_OK ? journal_find(&is, "best") : NULL;
    if (best && !json_is_true(json_object_get(best, "complete")))
        status = fail_at(failure, TIDE_EINVAL, t->folder, 0, "out",
                         "the search in %s was ended by its `budget`: what it found is one process' to finish, without "
                         "`join` and mpirun; or give another folder", t->folder);
    journal_close(&is, &ignored);
    return status;
}

/* ---- joining ---- */

/* What all must have the same: also where it makes no difference to a trial, but to the files. */
static tide_status enter(tuning *t, tide_failure *failure) {
    json_t     *words  = pieces_options(forecast_table(), t->options, FORECAST_FOR_TUNE), *head = tuning_head(t);
    bool        fine   = words && head && json_object_update(words, head) == 0;
    tide_status status = fine ? pieces_join(t->folder, words, false, &t->pieces, failure) : tuning_no_memory(failure);
    json_decref(words), json_decref(head);
    return status;
}

static tide_status begin(tuning *t, void *user, tide_failure *failure) {
    (void)user;
    tide_status status = tuning_present(t) ? TIDE_OK : tuning_folder_clear(t, false, failure);
    return status == TIDE_OK ? tuning_commit(t, failure) : status;
}

/* With what others committed before this one came; what comes later they put down. */
tide_status tuning_join(tuning *t, tide_failure *failure) {
    tide_status status = check_journal(t, failure);
    if (status == TIDE_OK) status = enter(t, failure);
    if (status != TIDE_OK) return status;
    status = tuning_once(t, "beginning", begin, NULL, failure);
    if (status == TIDE_OK) status = tuning_journal_peek(t, &t->journal, failure);
    if (status == TIDE_OK) tuning_recall_clock(t);
    else tuning_leave(t, !tuning_present(t)); /* then nothing was put down */
    return status;
}

void tuning_leave(tuning *t, bool over) {
    pieces_leave(t->pieces, over);
    t->pieces = NULL;
}

/* ---- one for all ---- */

/* `user` begins with the search. */
static bool ask(void *user, int64_t done) {
    tuning *t = *(tuning *const *)user;
    pthread_mutex_lock(&t->mutex);
    t->done = done;
    pthread_mutex_unlock(&t->mutex);
    return tuning_tick(t, (double)NAN);
}

/* Tries again where a run's folder is another's: that of a process which was killed may be free after its piece. */
typedef tide_status (*attempt)(void *user, int64_t i, tide_failure *why);

static tide_status patiently(attempt make, void *user, int64_t i, tide_failure *failure) {
    const double until = os_seconds() + 2;
    for (;;) {
        tide_failure why    = { 0 };
        tide_status  status = make(user, i, &why);
        bool         held   = status == TIDE_EINVAL && !strcmp(why.column, "out");
        if (status != TIDE_OK && failure) *failure = why;
        if (!held || os_seconds() > until) return status;
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    }
}

typedef struct once { tuning *t; tuning_work work; void *user; } once;

static tide_status do_once(void *user, int64_t i, int thread, tide_failure *failure) {
    const once *o = user;
    (void)i, (void)thread;
    return o->work(o->t, o->user, failure);
}

static tide_status once_joined(tuning *t, const char *doing, pieces_task *task, tide_failure *failure) {
    const char *before = t->doing;
    int64_t     todo = t->todo, done = t->done;
    t->doing = doing, t->todo = task->count, t->done = 0;
    tide_status status = pieces_do(t->pieces, task, NULL, failure);
    t->doing = before, t->todo = todo, t->done = done;
    return status;
}

tide_status tuning_once(tuning *t, const char *doing, tuning_work work, void *user, tide_failure *failure) {
    once        o    = { t, work, user };
    pieces_task task = { .count = 1, .threads = 1, .make = do_once, .stop = ask, .user = &o };
    return t->joined ? once_joined(t, doing, &task, failure) : work(t, user, failure);
}

/* ---- trials ---- */

typedef struct rung_of { tuning *t; trial *const *alive; int rung, threads; } rung_of;

static bool has_trial(void *user, int64_t i) {
    const rung_of *r = user;
    return tuning_recorded(r->t, r->alive[i], r->rung);
}

/* One that was stopped has a checkpoint and no record. */
static tide_status advance(void *user, int64_t i, tide_failure *why) {
    const rung_of *r      = user;
    tide_status    status = trial_advance(r->t, r->alive[i], r->rung, r->threads, why);
    if (status != TIDE_OK || tuning_recorded(r->t, r->alive[i], r->rung)) return status;
    return fail(why, TIDE_ECANCELLED, "the search was stopped");
}

static tide_status make_trial(void *user, int64_t i, int thread, tide_failure *failure) {
    (void)thread;
    return patiently(advance, user, i, failure);
}

tide_status tuning_climb_joined(tuning *t, trial *const *alive, int64_t count, int rung, tide_failure *failure) {
    int         width  = tuning_width(t, count);
    rung_of     r      = { t, alive, rung, tuning_each(t, width) };
    pieces_task task   = { .count = count, .threads = width, .is_made = has_trial, .make = make_trial,
                           .stop = ask, .user = &r };
    tide_status status = pieces_do(t->pieces, &task, NULL, failure);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        status = tuning_take(t, alive[i], rung, failure);
        if (status == TIDE_OK) tuning_recall(t, alive[i], rung);
    }
    return status;
}

/* ---- the best ---- */

typedef struct best_of { tuning *t; tuning_best_work work; } best_of;

static bool has_best(void *user, int64_t i) { return pieces_has(((best_of *)user)->t->pieces, result_name, i); }

static tide_status put_result(const tuning *t, const forecast_result *r, tide_failure *failure) {
    void       *bytes  = NULL;
    size_t      size   = 0;
    tide_status status = parcel_pack(r, &bytes, &size, failure);
    if (status == TIDE_OK) status = pieces_put(t->pieces, result_name, 0, bytes, size, failure);
    free(bytes);
    return status;
}

static tide_status take_result(const tuning *t, forecast_result *r, tide_failure *failure) {
    void       *bytes  = NULL;
    size_t      size   = 0;
    tide_status status = pieces_get(t->pieces, result_name, 0, &bytes, &size, failure);
    if (status == TIDE_OK) status = parcel_unpack(bytes, size, r, failure);
    free(bytes);
    return status;
}

static tide_status train_best(void *user, int64_t i, tide_failure *why) {
    const best_of   *b = user;
    forecast_result *r = calloc(1, sizeof *r);
    (void)i;
    if (!r) return tuning_no_memory(why);
    tide_status status = b->work(b->t, r, why);
    if (status == TIDE_OK) status = put_result(b->t, r, why);
    forecast_result_free(r);
    free(r);
    return status;
}

static tide_status make_best(void *user, int64_t i, int thread, tide_failure *failure) {
    (void)thread;
    return patiently(train_best, user, i, failure);
}

tide_status tuning_best_joined(tuning *t, tuning_best_work work, forecast_result *r, tide_failure *failure) {
    best_of     b      = { t, work };
    pieces_task task   = { .count = 1, .threads = 1, .is_made = has_best, .make = make_best, .stop = ask,
                           .user = &b };
    tide_status status = once_joined(t, "training the best", &task, failure);
    return status == TIDE_OK ? take_result(t, r, failure) : status;
}

/* ---- other seeds ---- */

typedef struct seeds_of { tuning *t; tuning_seed_work work; forecast_tune_seed *of; int threads; } seeds_of;

static bool has_seed(void *user, int64_t i) {
    const seeds_of *s = user;
    return tuning_recorded_seed(s->t, s->of[i].seed);
}

static tide_status train_seed(void *user, int64_t i, tide_failure *why) {
    const seeds_of *s = user;
    return s->work(s->t, &s->of[i], s->threads, why);
}

static tide_status make_seed(void *user, int64_t i, int thread, tide_failure *failure) {
    (void)thread;
    return patiently(train_seed, user, i, failure);
}

tide_status tuning_seeds_joined(tuning *t, tuning_seed_work work, forecast_tune_seed *seeds, int64_t count,
                                tide_failure *failure) {
    int         width  = tuning_width(t, count - 1);
    seeds_of    s      = { t, work, seeds + 1, tuning_each(t, width) };
    pieces_task task   = { .count = count - 1, .threads = width, .is_made = has_seed, .make = make_seed,
                           .stop = ask, .user = &s };
    tide_status status = once_joined(t, "seeds", &task, failure);
    for (int64_t i = 1; status == TIDE_OK && i < count; i++) {
        status = tuning_take_seed(t, seeds[i].seed, failure);
        if (status == TIDE_OK) tuning_recall_seed(t, &seeds[i]);
    }
    return status;
}
