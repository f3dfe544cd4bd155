/* Predictors of the recipe `cell` at work on measured spectra. Each spectrum is asked about alone, so that its answer
 * has the same bits whatever else is asked about. */
#ifndef EIS_ARCS_PREDICTOR_H
#define EIS_ARCS_PREDICTOR_H

#include "eis/fit/guess.h"

typedef struct arcs_predictor arcs_predictor;
struct predictor_settings;

/* For `threads` threads, each of which computes alone. TIDE_EINVAL where the run is of another recipe. */
tide_status arcs_predictor_open(const char *path, const struct predictor_settings *s, int threads, arcs_predictor **out,
                                tide_failure *failure);
void arcs_predictor_free(arcs_predictor *p); /* NULL is fine */
/* SHA-256 of what it has learned. */
tide_status arcs_predictor_digest(const arcs_predictor *p, char hex[65], tide_failure *failure);

/* Where a fit of the spectrum may begin; p NULL: nowhere. At the same time by different `thread`, from 0. TIDE_EDATA:
 * too few points, or a predictor that is damaged. */
tide_status arcs_predict_starts(arcs_predictor *p, int thread, const eis_spectrum *s, fit_guessed *out,
                                tide_failure *failure);

#endif
