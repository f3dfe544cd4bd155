/* A step whose parts are exchanged by the devices themselves (tidemill/communicator.h), so that the host waits for none
 * of them: what step_ranks.h does by way of the host, with the same bits. Of each variable of the accumulator, and of
 * the metric, all parts' are gathered into rows of a variable "ranks.NAME"; the program that updates adds them in the
 * order of the parts. */
#ifndef TIDE_TRAIN_STEP_EXCHANGE_H
#define TIDE_TRAIN_STEP_EXCHANGE_H

#include "step.h"

enum { EXCHANGE_PARTS = 64 };  /* of a batch, at most: they are terms of one sum */

/* Sets s->exchange where all ranks' devices can, else s->by_host to why not, a clause. All ranks together, before the
 * step's programs are built; TIDE_OK alone. */
tide_status step_exchange_open(train_step *s, tide_failure *failure);
/* The effect of a part, with what leaves its metric, if there is one. */
tide_val    step_exchange_part(train_step *s, tide_val part);
/* What all parts come to, in place of s->sums' variables; and of each part its metric, in their order, in place of
 * s->metric. */
void        step_exchange_total(train_step *s);
/* Queued, after `mine`, how the program of part `part` of this rank's went: it is told first, and nothing is exchanged
 * where any failed. */
tide_status step_exchange_rows(const train_step *s, int64_t part, tide_status mine, tide_failure *failure);
/* The device failed here: no other waits for it. */
void        step_exchange_failed(const train_step *s, tide_status status);
/* "NCCL 2.27.3" */
const char *step_exchange_library(const train_step *s);
void        step_exchange_close(train_step *s);

#endif
