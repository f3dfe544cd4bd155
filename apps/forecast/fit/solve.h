/* What is fitted in closed form: the linear map of ridge.c, from a series as the model sees it. */
#ifndef FORECAST_SOLVE_H
#define FORECAST_SOLVE_H

#include "forecast/score/score.h"
#include "session.h"

/* Learns from lines across gaps, where windows are filled likewise. TIDE_ENOMEM, TIDE_EDATA. *out: baseline_free. */
tide_status linear_fit(const dataset *d, split s, int64_t seq_len, int64_t pred_len, baseline **out,
                       tide_failure *failure);

/* The parameters of a network that is solved (forecaster.h), from d's training rows. */
tide_status session_solve(session *s, const dataset *d, tide_failure *failure);

#endif
