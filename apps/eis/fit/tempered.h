/* Draws of a density of any shape within its bounds. */
#ifndef EIS_FIT_TEMPERED_H
#define EIS_FIT_TEMPERED_H

#include "mixture.h"

typedef struct tempered_account {
    double effective; /* how many independent draws these are worth, by the coordinate that moved least */
    bool stopped, failed; /* failed: out of memory */
} tempered_account;

/* `count` draws of equal weight, from the mixture within the bounds by way of powers of what is between it and the
 * density. */
tempered_account tempered_sample(const target *t, const mixture *from, int64_t count, rng *r, sampled *out);

#endif
