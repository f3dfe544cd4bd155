/* What the network gives a distribution of, and its bins: every quantity has a coordinate in 0..1 that is cut evenly.
 *
 *   Rsh ... Cb   place on the parameter's logarithmic axis. Grid recipe: 12 bins, one around each grid value; lab: 96
 *   TER, TEC, n1, d1, Rs (lab) distance from the fit's (of the logarithm, but for Rs), in standard deviations z of the
 *   fit, as
 *                Student's distribution of two degrees of freedom: 1/2 + z / (2 sqrt(2 + z^2)) */
#ifndef EIS_QUANTITIES_H
#define EIS_QUANTITIES_H

#include "features.h"

enum {
    QUANTITY_TER = EIS_COUNT,
    QUANTITY_TEC,
    QUANTITY_N1,
    QUANTITY_D1,
    QUANTITY_RS,
    QUANTITIES_LAB,
    QUANTITIES_GRID = EIS_COUNT
};
enum {
    CELL_VALUES = 12,
    BINS_GRID = CELL_VALUES,
    BINS_LAB = 96,
    BINS_MOST = BINS_LAB,
    QUANTITIES_MOST = QUANTITIES_CELL
};

/* Where the fit of a row of the lab recipe's features puts ln TER, ln TEC, ln n1, ln d1 and Rs, and how surely. */
enum { FIT_VIEWS = QUANTITIES_LAB - QUANTITY_TER };
typedef struct fit_view { double centre[FIT_VIEWS], sd[FIT_VIEWS]; } fit_view;
fit_view fit_view_of(const float *raw);

/* Student's distribution of two degrees of freedom, and its inverse: tails that a fit gone wrong still falls into. */
double student(double z);
double student_inverse(double share);

/* Coordinates of all quantities of a circuit, recipes lab and grid (cell: arcs_features.h). `view` is not
 * looked at in the grid recipe. */
void quantities_of(eis_recipe recipe, const double p[EIS_WITH_RS], const fit_view *view, float out[QUANTITIES_MOST]);
/* The value at a coordinate; the inverse. */
double quantity_value(eis_recipe recipe, int quantity, double coordinate, const fit_view *view);
static inline int quantity_bin(eis_recipe recipe, float coordinate) {
    int bins = (int)recipe_bins(recipe), bin = (int)(coordinate * (float)bins);
    return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin;
}

#endif
