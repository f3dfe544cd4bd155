/* The network's programs: a training step, and scoring. */
#ifndef EIS_KNOWN_STEP_H
#define EIS_KNOWN_STEP_H

#include "network.h"
#include "shared.h"
#include "train/step.h"

enum { SCORE_BATCH = 1024 };

typedef struct known_session {
    tide_graph   *graph;
    known_network network;
    int64_t       batch, filling;            /* filling: number of the sample that fills up a batch */
    /* One step: gather the batch, forward, loss, backward, update. Its metric is the share of missing values that were
     * the most probable. */
    train_step    step;
    tide_val      index, all;                /* inputs: numbers of a run's samples; with parts, of the whole batch's */
    int32_t      *full;                      /* (batch) */
    tide_val      rows;                      /* of ranks: (batch + 1, SAMPLE_WIDTH), the batch's samples and one of
                                                filling, an input; else graph NULL: the graph has all samples */
    float        *row;
    known_shared  shared;
    /* Scoring: feed x (SCORE_BATCH, KNOWN_FEATURES). */
    tide_program *score;
    tide_val      x, log_p, resnorm;         /* (EIS_COUNT, SCORE_BATCH, points), (SCORE_BATCH) */
} known_session;

typedef struct known_settings {
    train_graph graph;
    train_rule  rule;        /* `scaled` follows from its precision */
    int64_t     batch, hidden, points;
} known_settings;

/* `train` is copied, but with ranks (rule.ranks) borrowed. */
tide_status known_session_open(const known_settings *s, const known_samples *train, known_session *out,
                               tide_failure *failure);
void        known_session_close(known_session *s);

/* `count` samples, at most a batch, as what a step is fed, and the number of feeds. They hold until the next call. With
 * ranks all call it. */
tide_status known_session_feeds(known_session *s, const int32_t *samples, int64_t count, train_feed *feeds, int *fed,
                                tide_failure *failure);
tide_status known_session_step(known_session *s, const int32_t *samples, int64_t count, double rate, train_result *out,
                               tide_failure *failure);

/* loss: mean over the parameters of the mean cross-entropy of their missing values, plus half the mean square of the
 * residual norm's error (mse, of the scaled one; r2: its share explained). */
typedef struct known_score { double loss, cross_entropy, mse, r2; known_accuracy accuracy; } known_score;
tide_status known_session_score(known_session *s, const known_samples *samples, known_score *out,
                                tide_failure *failure);

#endif
