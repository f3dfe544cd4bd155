/* Samples of a density by a mixture of normal approximations, corrected by tempering and Markov moves. */
#ifndef EIS_SAMPLER_H
#define EIS_SAMPLER_H

#include "density.h"
#include "eis/circuit/rng.h"

typedef eis_sample draw;

/* Asked between two steps of a long work: true ends it. NULL calls never do. */
typedef struct stopper { bool (*call)(void *user); void *user; } stopper;
static inline bool stopped(const stopper *s) { return s && s->call && s->call(s->user); }

/* `count` draws of equal weight into `out`. `centre` are `centres` points (coordinates, free_count each) near the modes
 * and along the ridges of the density. TIDE_ENOMEM; TIDE_EDATA where the density is 0, or no number, all over;
 * TIDE_ECANCELLED. */
tide_status sample_density(const density *d, const double *centre, int64_t centres, int64_t count, rng *r,
                           const stopper *stop, draw *out);

#endif
