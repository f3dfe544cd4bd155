/* Independent draws from Laplace's approximations at many places, with heavy tails, weighed by the density. */
#ifndef EIS_FIT_MIXTURE_H
#define EIS_FIT_MIXTURE_H

#include "target.h"

enum { MIXTURE_MOST = 600 };

typedef struct laplace {
    double mean[PARAMETERS_MOST];
    double root[PARAMETERS_MOST * PARAMETERS_MOST]; /* precision = root root', count x count */
    double log_size, share; /* log_size: ln of the density at the mean, up to the components' common constant */
} laplace;

typedef struct mixture {
    int count, components;
    laplace of[MIXTURE_MOST];
} mixture;

/* Adds a component; `precision`: count * count; `log_density`: the target's at the mean. */
void mixture_add(mixture *m, const double *mean, const double *precision, double log_density);
/* After the last: shares by the components' evidence. */
void mixture_share(mixture *m);
/* A draw, and ln of the density up to a constant. */
void mixture_draw(const mixture *m, rng *r, double *y);
double mixture_log(const mixture *m, const double *y);
/* Draws with the logarithms of their weights. False: stopped. */
bool mixture_sample(const mixture *m, const target *t, int64_t count, rng *r, sampled *out);

#endif
