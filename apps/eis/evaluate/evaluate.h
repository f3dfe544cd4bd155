/* How good a predictor is on spectra that it has not seen. */
#ifndef EIS_EVALUATE_H
#define EIS_EVALUATE_H

#include <jansson.h>

#include "base/base.h"
#include "calibration.h"
#include "eis/options/joined.h"
#include "eis/posterior/exact_batch.h"
#include "eis/predictor/predictor.h"
#include "train/device.h"

enum { NOISES_MOST = 16 };

typedef struct evaluation {
    const eis_options *options;
    eis_listener listener;
    void        *user;
    predictor   *predictor;
    char         device[TRAIN_DEVICE]; /* the predictor's */
    exact_batch *exact;                /* grid: posteriors on that device; NULL: by the processor, one by one */
    int          threads;
    int          noises;
    double       noise[NOISES_MOST];   /* 0: log-uniform, as in training */
    joined_folder *joined;             /* what other processes share; NULL: alone */
    calibration *first;                /* receives that of the first level's missing parameters; NULL: not wanted */
} evaluation;

/* eis_evaluate; `first` as above. The options are sound. */
tide_status evaluate_options(const eis_options *options, eis_listener listener, void *user, calibration *first,
                             eis_result *result, tide_failure *failure);

/* They add to the report: members of an object, and text. `predictor` is for the first three. */
tide_status evaluate_grid(const evaluation *e, json_t *report, text *talk, tide_failure *failure);
tide_status evaluate_lab(const evaluation *e, json_t *report, text *talk, tide_failure *failure);
tide_status evaluate_cell(const evaluation *e, json_t *report, text *talk, tide_failure *failure);
tide_status evaluate_known(const evaluation *e, json_t *report, text *talk, tide_failure *failure);

/* evaluation.json, evaluation.txt and a calibration plot into the folder `out`. */
tide_status evaluate_files(const eis_options *o, const json_t *report, const eis_result *result, tide_failure *failure);

/* ---- what both are asked ---- */

/* Question `which` (0..4) about test spectrum `number`: bit k for a missing parameter k; which + 1 are missing, which
 * ones is drawn. */
unsigned test_mask(const evaluation *e, int64_t number, int which);
/* Test spectra per noise level. */
sampler_settings test_settings(const evaluation *e, double noise, bool kept_out);
void test_draw(const evaluation *e, const sampler_settings *s, int64_t number, sample *out);
/* TIDE_ECANCELLED when the listener wants to stop. */
tide_status evaluation_progress(const evaluation *e, const char *what, double noise, int64_t done,
                                tide_failure *failure);

#endif
