/* What a set of weighted circuits says: intervals, marginals, the most probable cells. */
#ifndef EIS_SUMMARY_H
#define EIS_SUMMARY_H

#include "cells.h"
#include "sampler.h"

/* Quantities with an interval: the five parameters and Rs, then these. */
enum { SUM_TER = EIS_WITH_RS, SUM_TEC, SUM_N1, SUM_D1, SUM_COUNT };
typedef struct quantity { const char *name, *unit; } quantity;
extern const quantity quantities[SUM_COUNT];

/* 95 %. Low and high are NaN where there is no such interval (all draws agree), high alone where only a lower limit is
 * known, all three where the quantity does not apply. */
typedef struct interval { double low, median, high; } interval;

typedef struct candidate {
    double  p[EIS_WITH_RS];        /* the best draw of the cell */
    double  probability, resnorm;
    int     index[EIS_COUNT];      /* grid, 0-based */
} candidate;

enum { SUM_CANDIDATES = 1000 };

typedef struct summary {
    interval  of[SUM_COUNT];
    double    marginal[EIS_COUNT][CELL_POINTS];
    candidate *top;
    int64_t   top_count;
    double    entropy_nats, max_probability, top5_mass;  /* of the joint distribution over cells */
    double    best[EIS_WITH_RS];   /* the draw of the highest density */
} summary;

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
void summary_free(summary *s);

#endif
