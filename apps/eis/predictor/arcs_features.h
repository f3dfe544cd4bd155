/* A spectrum of the recipe `cell` as features, and what its network gives distributions of.
 *
 * A row of features (raw, f32), none of which depends on the units of impedance or frequency:
 *   10  the fit's coordinates less their shift (arcs_fit.h)
 *   10  ln of their standard deviations
 *   45  their correlations
 *    4  ln TER, ln TEC, scaled alike, and ln of their standard deviations
 *    4  ln noise, ln count, ln(1 + outliers), ln of the highest over the lowest frequency
 *   11  where the second best start led to, less the fit; asinh of how much more it leaves
 *   32  at 16 frequencies from the highest to the lowest, even in the logarithm: ln |Z| scaled, phase
 *
 * A quantity's bins are those of lab's TER (quantities.h): distance from the fit's in its standard deviations. */
#ifndef EIS_ARCS_FEATURES_H
#define EIS_ARCS_FEATURES_H

#include "arcs_fit.h"

enum { ARCS_PLACES = 16, ARCS_WIDTH = 10 + 10 + 45 + 4 + 4 + 11 + 2 * ARCS_PLACES };

enum { CELL_TER, CELL_TEC, CELL_ARCS, QUANTITIES_CELL = CELL_ARCS + ARCS_COUNT };

/* As told: exponents have no unit. */
typedef struct cell_quantity {
    const char *name, *unit;
    bool exponent;
} cell_quantity;
extern const cell_quantity cell_quantities[QUANTITIES_CELL];

/* The fit's quantities (logarithms, but for exponents) and their standard deviations. */
typedef struct arcs_view {
    double centre[QUANTITIES_CELL], sd[QUANTITIES_CELL];
} arcs_view;

/* Spectra as arcs_fit_run takes them. `fit` receives the fit. */
void arcs_features(int64_t count, const double *freq_hz, const eis_z *z, float out[ARCS_WIDTH], arcs_fit *fit);

arcs_view arcs_view_of(const arcs_fit *fit);
double arcs_quantity(const double p[ARCS_COUNT], int quantity);
void arcs_coordinates(const double p[ARCS_COUNT], const arcs_view *view, float out[QUANTITIES_CELL]);
/* The value at a coordinate; the inverse. */
double arcs_value(int quantity, double coordinate, const arcs_view *view);

#endif
