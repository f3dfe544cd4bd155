/* A search in progress. */
#ifndef FORECAST_TUNING_H
#define FORECAST_TUNING_H

#include <pthread.h>
#include <stdatomic.h>
#include <tidemill/tune.h>

#include "files/journal.h"
#include "files/pieces.h"
#include "forecast/fit/scoring.h"
#include "space.h"

enum { SO_FAR = -1 };  /* in the place of a rung: what a trial came to that is through none */
enum { TUNE_FACTOR = 3, TRIAL_REASON = 400, TUNE_NAME = 32 };  /* TUNE_NAME: bytes of "/seeds/2024" */

typedef struct trial {
    int64_t number;            /* from 1 */
    point   at;
    int     rungs;             /* that it came through */
    int64_t epochs, best_epoch;
    double  loss;              /* lowest validation loss so far; NaN: none */
    double  seconds;
    char    reason[TRIAL_REASON];  /* "": it did not fail */
} trial;

typedef struct tuning {
    const forecast_options *options;   /* the caller's, without the budget */
    forecast_options *asked;           /* the same */
    forecast_options *base;            /* of each trial: without what is of the search */
    listener   listener;
    memory_sample memory;
    ground     ground;
    space      space;
    trial     *trial;
    int64_t    count;
    int        rungs;
    forecast_tune_rung rung[FORECAST_TUNE_RUNGS];
    int64_t    best;                   /* number of the best trial; 0: not chosen yet */
    bool       complete;               /* the budget did not end it */
    char       folder[FORECAST_TEXT_SIZE - TUNE_NAME];
    int        lock;                   /* on the folder; -1: none */
    journal    journal;
    bool       joined;                 /* several processes share the search */
    pieces    *pieces;                 /* what they take from; NULL: alone */
    double     budget_s, before;       /* 0: no limit; seconds of earlier processes */
    double     searched_s;             /* until the choice */
    int        threads;

    /* Of trials side by side: */
    pthread_mutex_t mutex;             /* of all below, and of who is told */
    atomic_bool cancelled, over;       /* by the caller; by the budget, or by `why` */
    tide_failure why;                  /* what ends a search: no matter of one trial */
    double     told, clocked;          /* os_seconds() of the last line of progress, and of the journal's clock */
    const char *doing;                 /* "rung 2 of 3" */
    int64_t    done, todo;             /* trials of it */
} tuning;

/* clock.c: seconds of the search, over all restarts; whether the budget is spent, but for what it takes to train the
 * best to its end. */
double  tuning_seconds(const tuning *t);
/* Tells how far it is, keeps the clock, and asks whether to stop. From any thread. */
int     tuning_tick(tuning *t, double loss);
/* Ends the search: a failure that is no matter of one trial. From any thread. */
void    tuning_stop(tuning *t, const tide_failure *why);
bool    tuning_stopped(const tuning *t);

/* folder.c: makes and locks it, and what is in it. `name` "best", "trials/7", "seeds/2024". */
tide_status tuning_folder_open(tuning *t, tide_failure *failure);
void        tuning_folder_close(tuning *t);
bool        tuning_present(const tuning *t);                    /* a search is there */
tide_status tuning_folder_clear(const tuning *t, bool present, tide_failure *failure);  /* of an earlier search */
void        tuning_path(const tuning *t, const char *name, char path[FORECAST_TEXT_SIZE]);
void        tuning_trial_path(const tuning *t, int64_t number, char path[FORECAST_TEXT_SIZE]);
void        tuning_forget(const tuning *t, const trial *x);     /* a trial that is out of it */
tide_status tuning_forget_trials(const tuning *t, tide_failure *failure);  /* all that are left, and their folder */

/* record.c: the journal. `rung` from 0, or SO_FAR. Several processes have what they have read of it and what they
 * take from each other in memory: a record goes to all, and who commits it to the file holds a piece. */
tide_status tuning_journal_open(tuning *t, tide_failure *failure);
tide_status tuning_journal_peek(const tuning *t, journal *out, tide_failure *failure);
void        tuning_recall_clock(tuning *t);
json_t     *tuning_head(const tuning *t);  /* what all of the search have the same; NULL: out of memory */
tide_status tuning_commit(const tuning *t, tide_failure *failure);
/* Is it recorded, by an earlier process or by one that is at work? Takes what another has recorded. */
bool        tuning_recorded(const tuning *t, const trial *x, int rung);
tide_status tuning_take(tuning *t, const trial *x, int rung, tide_failure *failure);
tide_status tuning_take_best(tuning *t, tide_failure *failure);
bool        tuning_recorded_seed(const tuning *t, int64_t seed);
tide_status tuning_take_seed(tuning *t, int64_t seed, tide_failure *failure);
bool        tuning_recall(const tuning *t, trial *x, int rung);  /* true: it was through this rung already, or failed */
tide_status tuning_record(tuning *t, const trial *x, int rung, tide_failure *failure);
void        tuning_recall_best(tuning *t);
tide_status tuning_record_best(tuning *t, tide_failure *failure);  /* unless it was recalled */
bool        tuning_recall_seed(const tuning *t, forecast_tune_seed *s);
tide_status tuning_record_seed(tuning *t, const forecast_tune_seed *s, tide_failure *failure);

/* trials.c: takes a trial through the rung. A failure of its own is x->reason and TIDE_OK. */
tide_status trial_advance(tuning *t, trial *x, int rung, int threads, tide_failure *failure);
/* The options of the trial, as a training takes them, in the folder `out`. */
tide_status trial_options(const tuning *t, const trial *x, const char *out, forecast_options *o,
                          tide_failure *failure);

/* joined.c: several processes. What stands in the way of it; joining, once the folder is open, in place of opening the
 * journal; leaving. */
tide_status tuning_join_check(const tuning *t, tide_failure *failure);
tide_status tuning_join(tuning *t, tide_failure *failure);
void        tuning_leave(tuning *t, bool over);
/* Done once: here, or by one of those that share the search, while the others wait. `doing` is told then. */
typedef tide_status (*tuning_work)(tuning *t, void *user, tide_failure *failure);
tide_status tuning_once(tuning *t, const char *doing, tuning_work work, void *user, tide_failure *failure);
/* Takes `alive` through the rung, with the others; figures of all of them. */
tide_status tuning_climb_joined(tuning *t, trial *const *alive, int64_t count, int rung, tide_failure *failure);
/* The same of the best's training, whose result all receive, and of those with other seeds, [1, count). */
typedef tide_status (*tuning_best_work)(tuning *t, forecast_result *r, tide_failure *failure);
typedef tide_status (*tuning_seed_work)(tuning *t, forecast_tune_seed *s, int threads, tide_failure *failure);
tide_status tuning_best_joined(tuning *t, tuning_best_work work, forecast_result *r, tide_failure *failure);
tide_status tuning_seeds_joined(tuning *t, tuning_seed_work work, forecast_tune_seed *seeds, int64_t count,
                                tide_failure *failure);

/* halving.c: how many of `count` trainings run side by side: one on a device with memory of its own. */
int tuning_width(const tuning *t, int64_t count);
/* And the threads of each: where there are fewer trainings than threads, what is free. */
static inline int tuning_each(const tuning *t, int width) { return width < t->threads ? t->threads : 1; }
/* All rungs, then the choice. */
tide_status tuning_search(tuning *t, tide_failure *failure);

/* winner.c: the best, trained to its end and scored, and with other seeds. */
tide_status tuning_finish(tuning *t, forecast_result *r, tide_failure *failure);

/* outcome.c: result->tune; tables.c: trials.csv, result->json and tune.json. */
tide_status tuning_outcome(const tuning *t, forecast_result *r, tide_failure *failure);
tide_status tuning_tables(tuning *t, forecast_result *r, tide_failure *failure);

static inline tide_status tuning_no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the search");
}

#endif
