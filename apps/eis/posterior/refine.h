/* The continuous posterior: candidates from the grid, polished, then sampled. */
#ifndef EIS_REFINE_H
#define EIS_REFINE_H

#include "cells.h"
#include "sampler.h"
#include "two_rc.h"

/* Coordinates of the density near its modes and ridges: the most probable cell for each grid value of each missing
 * parameter, the most probable cells overall, and random circuits with the fit's TER and TEC, each moved to the best
 * nearby fit. malloc'ed; NULL when out of memory or on failure,
 * TIDE_ECANCELLED too. */
double *refine_centres(const density *d, const cells *c, const two_rc *fit, const eis_spectrum *s, rng *r,
                       const stopper *stop, int64_t *count, tide_failure *failure);

#endif
