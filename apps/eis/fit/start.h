/* Where a fit begins when nobody says where. */
#ifndef EIS_FIT_START_H
#define EIS_FIT_START_H

#include "landscape.h"

enum { STARTS_MOST = 16 };

typedef struct fit_start {
    double x[VARIABLES_MOST], misfit;
    uint64_t cell; /* the third of the spectrum in which each element works, as digits */
} fit_start;

/* Starts that differ from one another, the best first, and their number; the same ones each time. Values that the
 * circuit came with are among them. */
tide_status fit_starts(const fit_problem *p, const landscape *land, fit_start start[STARTS_MOST], int *count,
                       tide_failure *failure);

enum { FIT_ZONES = 4 };
/* Puts one element of the circuit at x into a zone, thirds of the spectrum's decades from the fast ones on, and what
 * lies beyond. An arc of which anything is `gone` (by variable) comes back there as a whole. False:
 * no time hangs on this element. */
bool fit_move(const fit_problem *p, const landscape *land, int part, int zone, const bool *gone, double *x);

#endif
