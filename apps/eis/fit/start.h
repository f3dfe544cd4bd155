/* Where a fit begins when nobody says where. */
#ifndef EIS_FIT_START_H
#define EIS_FIT_START_H

#include "problem.h"

enum { STARTS_MOST = 16 };

typedef struct fit_start {
    double x[PARAMETERS_MOST], misfit;
    uint64_t cell; /* the third of the spectrum in which each element works, as digits */
} fit_start;

/* Starts that differ from one another, the best first, and their number; the same ones each time. Values that the
 * circuit came with are among them. */
tide_status fit_starts(const fit_problem *p, fit_start start[STARTS_MOST], int *count, tide_failure *failure);

#endif
