/* The network's programs: a training step, and scoring. */
#ifndef EIS_KNOWN_STEP_H
#define EIS_KNOWN_STEP_H

#include <tidemill/optim.h>

#include "network.h"

enum { SCORE_BATCH = 1024 };

typedef struct known_session {
    tide_graph   *graph;
    known_network network;
    int64_t       batch, filling;            /* filling: number of the sample that fills up a batch */
    /* One step: gather the batch, forward, loss, backward, update. Feed numbers of samples (batch) and the rate. */
    tide_program *step;
    tide_val      index, rate, loss, hits, norm;  /* norm: of the gradient; 0 if the loss scaler skips the step */
    tide_grad_scaler scaler;                 /* training in f16; scale.graph NULL: none */
    /* Scoring: feed x (SCORE_BATCH, KNOWN_FEATURES). */
    tide_program *score;
    tide_val      x, log_p, resnorm;         /* (EIS_COUNT, SCORE_BATCH, points), (SCORE_BATCH) */
} known_session;

typedef struct known_settings {
    const char *device;
    int threads;
    uint64_t seed;
    int64_t batch, hidden, points;
    double weight_decay;
    bool no_bias_correction;
    tide_compile_options compile; /* of the training step; its mode is that of both programs */
    const char *choices_of;  /* run folder whose choices by timing hold; NULL: none */
} known_settings;

tide_status known_session_open(const known_settings *s, const known_samples *train, known_session *out,
                               tide_failure *failure);
void        known_session_close(known_session *s);

typedef struct known_step_result {
    float loss, hits, norm;
} known_step_result; /* hits: share of missing values that were the most probable */
/* `count` samples, at most a batch. */
tide_status known_session_step(known_session *s, const int32_t *samples, int64_t count, double rate,
                               known_step_result *out,
                               tide_failure *failure);

/* loss: mean over the parameters of the mean cross-entropy of their missing values, plus half the mean square of the
 * residual norm's error (mse, of the scaled one; r2: its share explained). */
typedef struct known_score { double loss, cross_entropy, mse, r2; known_accuracy accuracy; } known_score;
tide_status known_session_score(known_session *s, const known_samples *samples, known_score *out,
                                tide_failure *failure);

#endif
