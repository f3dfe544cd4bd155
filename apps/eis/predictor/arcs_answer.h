/* What a predictor of the recipe `cell` says of a spectrum. */
#ifndef EIS_ARCS_ANSWER_H
#define EIS_ARCS_ANSWER_H

#include "eis/posterior/completion.h"
#include "arcs_features.h"
#include "arcs_predictor.h"
#include "predictor.h"

typedef struct arcs_answer {
    eis_interval of[QUANTITIES_CELL]; /* in the units of cell_quantities */
    double noise; /* of each part over |Z| */
    double decades; /* that the frequencies span */
    fit_guessed starts; /* where the two best quick fits ended, and the medians */
    range_check range; /* what the predictor was not trained on */
} arcs_answer;

/* As arcs_predict_starts. */
tide_status arcs_predict(arcs_predictor *p, int thread, const eis_spectrum *s, arcs_answer *out, tide_failure *failure);

/* Intervals and starts from a spectrum's features, with the network's probabilities; `low_hz`: its lowest frequency. */
void arcs_answer_of(const spectrum_model *m, const arcs_fit *fit, const float *probability, double low_hz,
                    arcs_answer *out);
/* A circuit as a guess; `omega_low` is the lowest angular frequency of its spectrum. */
fit_guess arcs_guess_of(const double p[ARCS_COUNT], double omega_low);

#endif
