/* What a case times: a model with data made up for it, a training loss, and answers. The data are variables: they stay
 * on the device, as a training's do (the scripts that bench is run against have theirs there too). */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "bench.h"
#include "eis/known/network.h"
#include "forecast/models/model.h"

enum { SUBJECT_DATA = 4 };

typedef struct subject {
    const bench_spec *spec;
    tide_graph       *graph;
    itransformer    forecaster;             /* BENCH_FORECAST */
    known_network     network;                /* the others */
    tide_val          data[SUBJECT_DATA];     /* of the step; the first ones are what is answered */
    void             *host[SUBJECT_DATA];     /* the same in the host's memory */
    int64_t           count, asked, bytes;
    tide_val          loss;
} subject;

/* Makes the graph, the model and the loss; the data are zeros yet. `device` NULL: "cpu". Close it after a failure
 * too. */
tide_status subject_open(const bench_spec *spec, const char *device, int threads, subject *out, tide_failure *failure);
void        subject_close(subject *s);

/* The whole update of a training step: scaled for f16, clipped, AdamW. */
tide_val subject_update(subject *s, tide_precision precision);

/* Copies the data to the device, where they may arrive later. The first time is best when all is compiled: variables
 * have one place, and one program for their first values, if they are all there. */
tide_status subject_copy(const subject *s, tide_failure *failure);

/* Answers to the first `batch` of the step's samples; the list ends with the graph. From the first call on the
 * impedance network's parameters are fixed, as where it is used: train before. */
tide_list subject_answer(subject *s, int64_t batch);

#endif
