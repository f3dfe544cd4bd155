/* What a set of weighted circuits says: intervals, marginals, the most probable cells. */
#ifndef EIS_SUMMARY_H
#define EIS_SUMMARY_H

#include "cells.h"
#include "sampler.h"

/* Quantities with an interval: the five parameters and Rs, then these. */
enum { SUM_TER = EIS_TER, SUM_TEC = EIS_TEC, SUM_N1 = EIS_N1, SUM_D1 = EIS_D1, SUM_COUNT = EIS_QUANTITIES };
typedef struct quantity { const char *name, *unit; } quantity;
extern const quantity quantities[SUM_COUNT];

typedef eis_interval interval;

typedef eis_candidate candidate;

enum { SUM_CANDIDATES = 1000 };

typedef struct summary {
    interval  of[SUM_COUNT];
    double    marginal[EIS_COUNT][CELL_POINTS];
    candidate *top;
    int64_t   top_count;
    double    entropy_nats, max_probability, top5_mass;  /* of the joint distribution over cells */
    double    best[EIS_WITH_RS];   /* the draw of the highest density */
} summary;

/* A circuit's value of one of them; NaN where it has none. */
double circuit_quantity(const double *p, int k, eis_circuit circuit);

/* Index of the grid value nearest to v on the parameter's logarithmic axis. */
int grid_index(int parameter, double v);

typedef struct draws_of {
    const draw *draw;
    int64_t count;
    const eis_known *known;
    eis_circuit circuit;
    bool cells;
} draws_of;

/* `elsewhere` is the probability that the answer is none of the cells seen, spread evenly over all of the missing
 * parameters' cells. False: out of memory. */
bool summarise(const draws_of *of, int64_t top_k, double elsewhere, summary *out);
/* Intervals alone, of draws whose weights sum to `all`. */
bool summarise_intervals(const draws_of *of, double all, summary *out);
void summary_free(summary *s);

#endif
