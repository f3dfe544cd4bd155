/* What a run learns from: data, split, samples, and the best possible on them. */
#ifndef EIS_KNOWN_TASK_H
#define EIS_KNOWN_TASK_H

#include "ranks/ranks.h"
#include "samples.h"

typedef struct known_task {
    known_data     data;
    bool           from_csv;
    bool          *held;           /* [truths]: held out. None of them when split by row */
    int64_t        held_count, best;
    uint32_t      *kept;
    known_pool     pool, learned, unseen;  /* all; of the ground truths trained on; of those held out */
    known_scale    scale;
    known_samples  train;
    known_samples  by_truth;       /* of ground truths that were held out; empty when split by row */
    known_samples  by_row;         /* other draws from the ground truths trained on */
    known_accuracy ceiling;        /* on the whole pool */
} known_task;

/* 15 in 100 ground truths are held out, chosen by the seed (split by truth), and of each pattern's samples 15 in
 * 100. */
/* `r`: all call it; each has its stretch of the training samples, rank 0 alone those that judge, and the ceiling. */
tide_status known_task_open(const eis_options *o, ranks *r, known_task *out, tide_failure *failure);
void        known_task_close(known_task *t);
/* What chooses the best epoch. */
const known_samples *known_task_validation(const known_task *t);

#endif
