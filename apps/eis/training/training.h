/* What the trainings of both predictors share: options as a rule, a plan and an identity; the folder; what is told. */
#ifndef EIS_TRAINING_H
#define EIS_TRAINING_H

#include <tidemill/eis.h>

#include "train/fit.h"

typedef struct training {
    const eis_options *options;
    eis_listener       listener;
    void              *user;
    run_folder         folder;
    fit               *fit;          /* NULL before it is opened */
    const char        *samples;      /* what a step takes: "spectra" */
    int64_t            batch;        /* of those */
    eis_tone           epoch_tone;   /* of the line that tells of an epoch */
    double             rate;         /* base of the learning rate */
    double             possible;     /* accuracy that is possible; NaN: not known */
    double             began, last_tell;
} training;

/* TIDE_ECANCELLED when the listener says so. */
tide_status training_tell(const training *t, eis_tone tone, const char *message, tide_failure *failure);

/* The device, threads and memory that the options ask for. */
tide_status training_graph(const eis_options *o, train_graph *out, tide_failure *failure);
/* AdamW without a limit of the norm, where the options leave it open. */
train_rule  training_rule(const eis_options *o, double rate);
/* What the options choose, else the model's `own`. */
double      training_rate(const training *t, const fit_place *at, double own);
fit_plan    training_plan(const training *t, int64_t epochs, int64_t batches);

/* What the device lacks, and what was timed. */
tide_status training_tell_programs(const training *t, const train_step *step, tide_failure *failure);

/* What identifies a run of these options: run.json. `data` is stolen, NULL: made while it trains. NULL: out of
 * memory. */
json_t     *training_identity(const eis_options *o, const tide_graph *g, int64_t parameters, json_t *data);
/* Opens the folder that the options name, else runs/DATE-name, and writes or checks the identity, which is stolen;
 * `free_names` may differ besides what always may. `flat` is what a run of 0.1.0 may have instead, or NULL. */
tide_status training_open_folder(training *t, const char *name, const char *const *files, json_t *now, json_t *flat,
                                 const char *const *free_names, tide_failure *failure);

/* A fit_listener, with a training as its user. */
int         training_hear(void *user, const fit_event *e);
void        training_columns(fit_model *model);  /* of metrics.csv */
void        training_close(training *t);

#endif
