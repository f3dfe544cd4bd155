/* The programs that train and score a spectrum predictor. */
#ifndef EIS_SPECTRUM_STEP_H
#define EIS_SPECTRUM_STEP_H

#include "network.h"
#include "visits.h"

typedef struct spectrum_session {
    tide_graph     *graph;
    network         network;
    tide_list       params;
    /* The loss is the mean cross-entropy, the metric the share of the missing parameters whose most probable bin is
     * right. */
    train_step      step;
    spectrum_inputs train, score;
    visit_inputs    visits;          /* what `train` is made of on the device; graph NULL: it is fed */
    tide_program   *score_program;
    tide_val        score_loss, score_hits;
} spectrum_session;

typedef struct spectrum_settings {
    train_graph    graph;
    train_rule     rule;        /* `scaled` follows from its precision */
    network_config network;
    int64_t        batch;
    bool           recompute;   /* of the residual blocks, for the backward pass */
    bool           visits;      /* a step is fed visits; else a batch */
} spectrum_settings;

tide_status spectrum_session_open(const spectrum_settings *s, spectrum_session *out, tide_failure *failure);
void        spectrum_session_free(spectrum_session *s);

enum { SPECTRUM_FEEDS = 4 };
void        spectrum_feeds(const spectrum_session *s, const batch *b, train_feed feeds[SPECTRUM_FEEDS]);  /* a step's */
tide_status spectrum_score(const spectrum_session *s, const batch *b, double *loss, double *hits,
                           tide_failure *failure);

#endif
