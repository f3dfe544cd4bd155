/* A spectrum predictor's training in progress. */
#ifndef EIS_SPECTRUM_TRAINER_H
#define EIS_SPECTRUM_TRAINER_H

#include "eis/training/training.h"
#include "maker.h"
#include "model.h"
#include "step.h"

enum { VALIDATION_BATCHES = 4 };

typedef struct spectrum_trainer {
    training           run;
    spectrum_settings  settings;
    spectrum_session   session;
    spectrum_model     model;
    maker             *maker;                      /* of the pool's spectra; NULL: the threads make them */
    pool               pool;
    batch              batch, validation[VALIDATION_BATCHES];
    visits             visits;                     /* in place of `batch`, where settings.visits says so */
    const float      **row;
    int                threads;
    int64_t            epochs;                     /* 0: until the time is over */
    int64_t            round, round_steps;         /* round: whose rows are in the pool, -1 before the first */
} spectrum_trainer;

/* ---- report.c ---- */

json_t     *spectrum_description(const spectrum_trainer *t);  /* what the run was trained with; NULL: out of memory */
int64_t     spectrum_parameters(const spectrum_trainer *t);   /* numbers in the parameters */
tide_status spectrum_report(training *t, training_report *out, tide_failure *failure);

#endif
