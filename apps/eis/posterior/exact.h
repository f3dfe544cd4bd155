/* The exact posterior of a circuit on the grid, in canonical labels, as a table over the missing parameters' grid
 * values. */
#ifndef EIS_EXACT_H
#define EIS_EXACT_H

#include "cells.h"
#include "eis/circuit/recipe.h"

typedef struct exact_posterior {
    int     missing_count, missing[EIS_COUNT];  /* ascending */
    int64_t count;         /* 12^missing_count */
    double *probability;   /* the last missing parameter fastest; sums to 1 */
    double  chance[2];     /* prior mass of the most probable cell, and of five of them, given the known values alone */
} exact_posterior;

/* `missing`: bit k for parameter k, at least one. The others are known at the grid values `index` in canonical labels.
 * Prior: uniform on 12^5, so a circuit off the diagonal counts twice; likelihood: independent normal errors of noise
 * |Z| in each part. False: out of memory. */
bool exact_posterior_new(const sample *s, unsigned missing, exact_posterior *out);
void exact_posterior_free(exact_posterior *p);
/* Its parts, for who has the probabilities from elsewhere: a table of zeros (false: out of memory), and the prior mass
 * of one and of five cells where so many cells count once and so many twice. */
bool exact_posterior_begin(unsigned missing, exact_posterior *out);
void exact_chance(int64_t once, int64_t twice, double chance[2]);
/* Of the missing parameter number `which` (place in `missing`): 12 probabilities. */
void exact_marginal(const exact_posterior *p, int which, double out[CELL_POINTS]);
/* The k (at most EXACT_TOP) most probable places of the table, best first; fewer if the table is smaller. Returns how
 * many. */
enum { EXACT_TOP = 5 };
int exact_top(const exact_posterior *p, int k, int64_t *place);
/* Sum of the k largest. */
double exact_top_mass(const exact_posterior *p, int k);

/* Table places to grid indices and back; indices of known parameters are neither set nor looked at. */
void    exact_bins(const exact_posterior *p, int64_t place, int bin[EIS_COUNT]);
int64_t exact_place(const exact_posterior *p, const int bin[EIS_COUNT]);
/* The place where the cumulated probability reaches `share`, in 0..1: a draw, if that is uniform. */
int64_t exact_draw(const exact_posterior *p, double share);

#endif
