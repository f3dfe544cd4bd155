/* A training run in progress, and its report. */
#ifndef EIS_KNOWN_TRAINER_H
#define EIS_KNOWN_TRAINER_H

#include "eis/training/training.h"
#include "model.h"
#include "step.h"
#include "task.h"

typedef struct known_trainer {
    training         run;
    known_task       task;
    known_settings   settings;
    known_session    session;
    int32_t         *order;                /* samples of the epoch */
    int64_t          samples;
} known_trainer;

/* Scores both validation sets. */
tide_status known_report(training *t, training_report *out, tide_failure *failure);
/* How good validation was beside how good it could be; why, when they meet and all rows are drawn alike. */
void known_verdict(double accuracy, double possible, bool uniform, char *out, size_t size);

#endif
