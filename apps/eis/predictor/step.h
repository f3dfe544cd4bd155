/* The programs that train and score a spectrum predictor. */
#ifndef EIS_SPECTRUM_STEP_H
#define EIS_SPECTRUM_STEP_H

#include <tidemill/optim.h>

#include "network.h"
#include "spectra.h"

typedef struct spectrum_step {
    tide_program *program;
    tide_val      features, known, label, weight;  /* inputs, as a batch has them */
    tide_val      loss, hits;      /* mean cross-entropy; share of the missing parameters whose most probable bin is
                                      right */
    tide_val      norm;            /* training: of the gradient before clipping; 0 if the loss scaler skips the step */
} spectrum_step;

typedef struct spectrum_session {
    tide_graph   *graph;
    network       network;
    tide_list     params;
    tide_val      lr;              /* variable, written before each step */
    spectrum_step train, score;
    tide_grad_scaler scaler;       /* training in f16; scale.graph NULL: none */
} spectrum_session;

typedef struct spectrum_settings {
    network_config network;
    int64_t        batch;
    double         weight_decay;
    tide_compile_options compile;  /* of the training step; its mode is that of both programs */
    const char *choices_of;  /* run folder whose choices by timing hold; NULL: none */
    const char    *device;
    int            threads;
    uint64_t       seed;
} spectrum_settings;

tide_status spectrum_session_open(const spectrum_settings *s, spectrum_session *out, tide_failure *failure);
void        spectrum_session_free(spectrum_session *s);
/* Runs a program on a batch. norm may be NULL. */
tide_status spectrum_step_run(const spectrum_step *step, const batch *b, float *loss, float *hits, float *norm,
                              tide_failure *failure);

#endif
