/* The search for a training's settings: trials by successive halving, on all cores, resumable.
 *
 * A trial is a training of forecast_train with some options drawn anew. Of n trials each first takes a small share of
 * its epochs; the best third goes on to three times as many, and so on, until the last take all of theirs (successive
 * halving: Jamieson and Talwalkar, AISTATS 2016; a bracket of Hyperband: Li et al., JMLR 2018). A rung is closed when
 * all its trials are through it, so what is chosen depends neither on how many run at once nor on which ends first, as
 * it does in the asynchronous form (Li et al., MLSys 2020).
 *
 * What is drawn follows from options->seed and the trial's number alone. Trial 1 is the options as they are given. A
 * trial's score is its lowest validation loss so far, over the same rows, scaled by the same means and deviations, in
 * each trial: a look-back for which these would be others is refused. Test rows are read when the search is over: the
 * trial with the lowest loss (of equal ones the lowest number) is trained to its end and scored on them once.
 *
 *     forecast_options_default(&o);
 *     forecast_option_set(&o, "data", "sales.csv", &failure);
 *     forecast_option_set(&o, "out", "runs/tuned", &failure);
 *     forecast_option_set(&o, "space", "d-model=64,128,256;learning-rate=1e-4..3e-3 log", &failure);
 *     if (forecast_tune(&o, NULL, NULL, &r, &failure) == TIDE_OK) puts(r.tune->command); */
#ifndef TIDEMILL_TUNE_H
#define TIDEMILL_TUNE_H

#include "forecast.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FORECAST_TUNE_RUNGS 4

typedef struct forecast_tune_trial {
    int64_t number;              /* from 1 */
    int64_t rungs;               /* that it came through */
    int64_t epochs, best_epoch;  /* trained so far; the one whose loss counts */
    double  val_loss;            /* lowest so far; NaN: none */
    double  seconds;             /* that it was trained for, by one thread or several */
    char   *settings;            /* "arch=dlinear seq-len=192 ...": what was drawn; "" of trial 1 */
    char   *reason;              /* why it failed; "": it did not */
} forecast_tune_trial;

typedef struct forecast_tune_rung {
    int64_t parts;               /* each trial takes one of so many parts of its epochs: 9, 3, 1 */
    int64_t trials, through, failed, kept;
    double  best;                /* the lowest validation loss; NaN: none */
} forecast_tune_rung;

/* The best settings, trained with one seed more, in the run folder OUT/seeds/SEED; the first is OUT/best. */
typedef struct forecast_tune_seed {
    int64_t seed;
    double  val_loss, mse, mae;  /* of validation; of the test windows, scaled */
} forecast_tune_seed;

typedef struct forecast_tune_result {
    forecast_tune_trial *trials; /* (count), by number */
    int64_t count, best;         /* best: its number */
    forecast_tune_rung rungs[FORECAST_TUNE_RUNGS];
    int64_t rung_count;
    bool    complete;            /* false: the budget ended the search; the rungs say where */
    double  seconds;             /* of the search, over all restarts */
    forecast_tune_seed *seeds;   /* (seed_count) */
    int64_t seed_count;          /* 1: options->seed alone */
    double  mse_mean, mse_deviation, mae_mean, mae_deviation;  /* over the seeds; deviations (of a sample) NaN of one */
    char   *command;             /* what trains the best again, options in backticks */
} forecast_tune_result;

/* Searches options->space with options->trials trials, within options->budget, on options->threads threads; every
 * option of forecast_train but max_minutes, explain and dump_graph is the trials' ground. In the folder options->out
 * it leaves tune.jsonl (what is finished, from which a killed search goes on, with options->resume, to the same
 * choice), trials.csv, tune.json, best/ (an ordinary run), seeds/ and, of trials that a budget ended, trials/. Fills
 * result->tune, json, and what forecast_train fills, of the best run. A trial that fails is a row with its reason.
 *
 * options->space: "NAME=VALUE,VALUE" or, for numbers, "NAME=LOW..HIGH", evenly drawn, with " log" by their logarithm;
 * entries part by ';' or line. Of arch (itransformer, dlinear, patchtst), seq-len, d-model, n-heads, e-layers, d-ff,
 * dropout, activation, use-norm, batch-size, learning-rate, optimizer, weight-decay, lradj and grad-clip. What the
 * drawn architecture has no use for (of dlinear: widths, heads, layers, dropout) stays as given.
 *
 * options->join: other processes may search along in the same folder, of this machine or of others that see it; each
 * receives the whole result. It goes on with what is there, and takes no budget.
 *
 * Statuses as forecast_train's. TIDE_EINVAL too for a space that cannot be drawn from, with what could; TIDE_ECANCELLED
 * where `progress` stopped it: the trials have checkpoints. */
TIDE_API tide_status forecast_tune(const forecast_options *options, forecast_progress progress, void *user,
                                   forecast_result *result, tide_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
