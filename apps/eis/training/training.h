/* What the trainings of both predictors share: the handle itself; options as a rule, a plan and an identity; the
 * folder; what is told. */
#ifndef EIS_TRAINING_H
#define EIS_TRAINING_H

#include <tidemill/eis.h>
#include <tidemill/io.h>

#include "train/device.h"
#include "train/fit.h"
#include "train/team.h"

typedef struct eis_trainer training;

/* What eis_train says in the end. */
typedef struct training_report {
    json_t *json;
    char   *text;
    char    message[512];            /* what should be known of the accuracy; "" */
} training_report;
void training_report_free(training_report *r);

/* What the two predictors do differently. The struct of a kind begins with its training. */
typedef struct training_kind {
    size_t      size;                /* of that struct */
    const char *samples;             /* what a step takes: "spectra" */
    eis_tone    epoch_tone;          /* of the line that tells of an epoch */
    /* From the options to an open fit. */
    tide_status (*open)(training *t, tide_failure *failure);
    /* Adds what model.safetensors holds, with these parameters. */
    tide_status (*archive)(const training *t, const tide_snapshot_t *best, tide_archive *a);
    /* Once, after the last step, the best parameters in place; NULL: nothing. */
    tide_status (*end)(training *t, tide_failure *failure);
    tide_status (*report)(training *t, training_report *out, tide_failure *failure);
    void        (*close)(training *t);  /* what `open` took, as far as it came */
} training_kind;

struct eis_trainer {
    const training_kind *kind;
    eis_options   options;
    eis_listener  listener;
    void         *user;
    train_device_choice device;      /* of --device auto */
    run_folder    folder;
    ranks        *ranks;             /* who trains along; NULL: alone */
    train_team   *team;              /* the others, where they are threads of this process; NULL */
    fit          *fit;               /* NULL before it is opened */
    int64_t       batch;             /* samples a step */
    bool          in_memory;         /* without a folder */
    bool          ended;             /* trained to the end, and `end` is done */
    double        rate;              /* base of the learning rate */
    double        possible;          /* accuracy that is possible; NaN: not known */
    double        began, last_tell;
};

/* Those that were started with this one, if the options want them; the options become rank 0's, and what the others do
 * is in memory and silent. */
tide_status training_join(training *t, tide_failure *failure);

/* TIDE_ECANCELLED when the listener says so. */
tide_status training_tell(const training *t, eis_tone tone, const char *message, tide_failure *failure);

/* The device, threads and memory that the options ask for. */
tide_status training_graph(const eis_options *o, train_graph *out, tide_failure *failure);
/* An `auto` of the options becomes the device on which `trial`'s step is fastest, in the options and in `graph`, or the
 * one that the run was begun on. */
tide_status training_device(training *t, const train_trial *trial, train_graph *graph, tide_failure *failure);
/* `of` as it is on another device. */
tide_status training_graph_on(const eis_options *o, const char *device, train_graph *of, tide_failure *failure);
/* AdamW without a limit of the norm, where the options leave it open. */
train_rule  training_rule(const training *t, double rate);
/* What the options choose, else the model's `own`. */
double      training_rate(const training *t, const fit_place *at, double own);
fit_plan    training_plan(const training *t, int64_t epochs, int64_t batches);

/* What the device lacks, and what was timed. */
tide_status training_tell_programs(const training *t, const train_step *step, tide_failure *failure);

/* What identifies a run of these options: run.json. `data` is stolen, NULL: made while it trains. NULL: out of
 * memory. */
json_t     *training_identity(const eis_options *o, const tide_graph *g, int64_t parameters, json_t *data);
/* Opens the folder that the options name, else runs/DATE-name, and writes or checks the identity, which is stolen; in
 * memory there is none. `free_names` may differ besides what always may. `flat` is what a run of 0.1.0 may have
 * instead, or NULL. */
tide_status training_open_folder(training *t, const char *name, const char *const *files, json_t *now, json_t *flat,
                                 const char *const *free_names, tide_failure *failure);

/* The model's user becomes the training, whose kind's struct it thereby is; its columns are those of metrics.csv. */
tide_status training_open_fit(training *t, fit_model *model, const fit_plan *plan, tide_failure *failure);
/* model.safetensors of the run folder, for fit_model.save. */
tide_status training_save(void *training, const tide_snapshot_t *best, tide_failure *failure);
/* The kind's archive, of the parameters as they are where `best` is NULL. tide_archive_free either way. */
tide_status training_archive(const training *t, const tide_snapshot_t *best, tide_archive *a, tide_failure *failure);

#endif
