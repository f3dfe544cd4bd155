/* What a case times: a model with data made up for it, a training loss, and answers. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "bench.h"
#include "eis/known/network.h"
#include "forecast/models/model.h"

enum { SUBJECT_FEEDS = 4 };

typedef struct subject {
    const bench_spec *spec;
    tide_graph       *graph;
    itransformer    forecaster;             /* BENCH_FORECAST */
    known_network     network;                /* the others */
    tide_feed         feed[SUBJECT_FEEDS];    /* of the step; the first ones are the answer's input */
    void             *data[SUBJECT_FEEDS];
    int64_t           feeds, inputs, input_bytes;
    tide_val          loss;
} subject;

/* Makes the graph, the model and the loss. `device` NULL: "cpu". Close it after a failure too. */
tide_status subject_open(const bench_spec *spec, const char *device, int threads, subject *out, tide_failure *failure);
void        subject_close(subject *s);

/* The whole update of a training step: scaled for f16, clipped, AdamW. */
tide_val subject_update(subject *s, tide_precision precision);

/* Answers to `batch` of the step's samples. `feed` gets what to feed, `count` how many; the list ends with the graph.
 * From the first call on the impedance network's parameters are fixed, as where it is used: train before. */
tide_list subject_answer(subject *s, int64_t batch, tide_feed feed[SUBJECT_FEEDS], int64_t *count);

#endif
