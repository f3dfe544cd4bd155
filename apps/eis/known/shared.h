/* Training samples of which each rank has a stretch: their targets, and the rows of a batch, brought together. */
#ifndef EIS_KNOWN_SHARED_H
#define EIS_KNOWN_SHARED_H

#include "ranks/ranks.h"
#include "samples.h"

/* Of all samples, in order, malloc'ed. All ranks call it; alone they are all here. */
tide_status known_targets(const known_samples *s, ranks *r, float **out, tide_failure *failure);

/* What brings batches together. */
typedef struct known_shared {
    ranks               *ranks;
    const known_samples *own;
    int64_t              batch, most;   /* most: samples of a rank that go in one round */
    float               *mine, *all;    /* [most], [ranks][most] rows */
    int64_t             *next;          /* [ranks]: how many of its samples were met so far */
} known_shared;
/* `own` is borrowed. All ranks call it. */
tide_status known_shared_new(ranks *r, const known_samples *own, int64_t batch, known_shared *out,
                             tide_failure *failure);
void        known_shared_free(known_shared *s);
/* The rows of these samples, at most a batch, in `rows`: the same list on all ranks, which call it together. */
tide_status known_shared_rows(known_shared *s, const int32_t *samples, int64_t count, float *rows,
                              tide_failure *failure);

#endif
