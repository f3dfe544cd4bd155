/* Samples of a density by a mixture of normal approximations, corrected by tempering and Markov moves. */
#ifndef EIS_SAMPLER_H
#define EIS_SAMPLER_H

#include "density.h"
#include "eis/circuit/rng.h"

typedef struct draw {
    double p[EIS_WITH_RS];
    double weight;       /* they sum to 1 */
    double log_density;
} draw;

/* `count` draws of equal weight into `out`. `centre` are `centres` points (coordinates, free_count each) near the modes
 * and along the ridges of the density. TIDE_ENOMEM; TIDE_EDATA where the density is 0, or no number, all over. */
tide_status sample_density(const density *d, const double *centre, int64_t centres, int64_t count, rng *r, draw *out);

#endif
