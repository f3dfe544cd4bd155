/* A step's part that is told to other ranks: the sums of each part that was run here, and their metrics. */
#ifndef TIDE_TRAIN_STEP_RANKS_H
#define TIDE_TRAIN_STEP_RANKS_H

#include "step.h"

/* What a part leaves, variables: the accumulator's sums, its numerator, its denominator if there is one. */
int64_t     step_carried_count(const train_step *s);
tide_val    step_carried(const train_step *s, int64_t i);
/* TIDE_ETYPE: sums are added in float32. Alone always TIDE_OK. */
tide_status step_ranks_check(const train_step *s, tide_failure *failure);
/* Keeps what part `part` of the batch left; the accumulator begins anew. */
tide_status step_ranks_keep(const train_step *s, int64_t part, double metric);
/* Meets the others, `mine` being how the parts went here; then the accumulator holds the sums of all parts, and
 * *metric, unless it is NULL, the sum of their metrics. */
tide_status step_ranks_exchange(const train_step *s, tide_status mine, double *metric, tide_failure *failure);

#endif
