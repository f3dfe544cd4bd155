/* Between a shunt circuit and the two relaxations that its spectrum shows, for several circuits at once. */
#ifndef EIS_LEARN_FIBRE_KERNEL_H
#define EIS_LEARN_FIBRE_KERNEL_H

#include "features.h"
#include "quick_kernel.h"

enum { FIBRE_ROOM = (RSH_VALUES + LANES - 1) / LANES * LANES };  /* a place for each Rsh */

/* The axes of grid coordinates in the logarithm, and how far the coordinates go. */
#define FIBRE_LN_10    2.302585092994045684017991
#define FIBRE_LN_LOW_C (-7 * FIBRE_LN_10)
#define FIBRE_STEP_R   (3 * FIBRE_LN_10 / (RSH_VALUES - 1))
#define FIBRE_STEP_C   ((3 * FIBRE_LN_10 - 0.69314718055994530942) / (RSH_VALUES - 1))
#define FIBRE_U_LEAST  (-4.0)
#define FIBRE_U_MOST   15.0
#define FIBRE_K_MOST   1e9    /* where Rsh does not exceed the whole resistance */
#define FIBRE_TINY     1e-24  /* keeps equal time constants apart, far below rounding */
#define FIBRE_SD_LEAST 1e-4

/* fibre_coordinates for `count` values of Rsh, a multiple of LANES: u[j * count + i]. */
void fibre_rows(const double x[QUICK_COUNT], const double *rsh, int count, double *u);
/* For LANES circuits p[k][i] (ohm, farad): R1, tau1, R2, tau2 and their logarithms. */
void fibre_relaxations(const double p[EIS_COUNT][LANES], double value[QUICK_COUNT][LANES],
                       double x[QUICK_COUNT][LANES]);

/* What RSH_FEATURES and CELL_FEATURES are made of; the places beyond RSH_VALUES repeat the last. */
typedef struct fibre_features {
    double u[4][FIBRE_ROOM], cosine[4][FIBRE_ROOM], sine[4][FIBRE_ROOM], ln_sd[4][FIBRE_ROOM];
} fibre_features;
/* root: lower triangle, a Cholesky factor of the covariance. */
void fibre_features_of(const double x[QUICK_COUNT], const double root[QUICK_COUNT][QUICK_COUNT],
                       const double rsh[FIBRE_ROOM],
                       fibre_features *out);
/* The grid circuits nearest to u: their misfit and their squared distance from x in units of `root`. */
void fibre_cells(const double x[QUICK_COUNT], const double root[QUICK_COUNT][QUICK_COUNT], const double rsh[FIBRE_ROOM],
                 const double u[4][FIBRE_ROOM], int64_t count, const double *freq_hz, const eis_z *z, double noise,
                 double misfit[FIBRE_ROOM], double distance[FIBRE_ROOM]);

#endif
