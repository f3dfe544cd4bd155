/* The posterior density of the missing parameters, and its local shape. */
#ifndef EIS_DENSITY_H
#define EIS_DENSITY_H

#include "eis/circuit/parameters.h"

enum { FREE_MOST = EIS_WITH_RS };

/* Coordinates are the logarithms of the missing parameters, and the solution resistance itself if it is free; the prior
 * is uniform in them between low and high. */
typedef struct density {
    eis_circuit circuit;
    double  noise;
    bool    canonical;                       /* a is the slower membrane */
    bool    robust;                          /* residuals are Student's (student.h), not normal */
    const eis_spectrum *of;                  /* what it was made from */
    int     free_count, free[FREE_MOST];     /* EIS_RSH ... EIS_CB, EIS_RS */
    double  low[FREE_MOST], high[FREE_MOST];
    double  fixed[EIS_WITH_RS];              /* values of those that are not free */
    int64_t padded;                          /* points, rounded up to the kernel's lanes */
    double *omega, *re, *im, *counts;        /* counts: 1, and 0 for the padding */
} density;

enum { DENSITY_LANES = 8 };

/* rs_ohm NaN: free. False: out of memory. */
bool density_new(eis_circuit circuit, const eis_known *known, double rs_ohm, const ranges *within, bool canonical,
                 double noise, const eis_spectrum *s, density *out);
void density_free(density *d);

/* Values of all six at x. */
void density_parameters(const density *d, const double *x, double p[EIS_WITH_RS]);
void density_coordinates(const density *d, const double p[EIS_WITH_RS], double *x);
/* ln of the density up to a constant; -infinity outside the prior. `precision` (free_count^2, may be NULL) gets the
 * Fisher information plus a weak prior's: its inverse is the covariance of a normal approximation. */
double density_at(const density *d, const double *x, double *precision);
/* sum |data - Z|^2 / |Z|^2 at x; robust: the one at which a normal density were as low. */
double density_misfit(const density *d, const double *x);

#endif
