/* What a predictor is told: the spectrum as features of its fit, and the known values. Recipe cell: arcs_features.h.
 *
 * A row of features (raw, unscaled f32), in this order:
 *   FIT_FEATURES ln R1, ln tau1, ln R2, ln tau2; ln of TER, n1, d1, d2, TEC; ln(misfit + 1) (lab: ln noise); ln sd of
 *                    the first four; their six correlations (12, 13, 14, 23, 24, 34)
 *   LAB_FEATURES lab only: Rs/100, asinh(Rs/sd), ln sd of Rs (+1e-6 ohm), its four correlations, ln count, ln of the
 *                    lowest and highest frequency, ln(1 + outliers seen)
 *   then for each of the 12 grid values of Rsh
 *   RSH_FEATURES 1 if Rsh > TER else 0; asinh((Rsh/TER - 1) / sd of ln TER); u of Ra, Rb, Ca, Cb (fibre_coordinates);
 *                    cos 2 pi u; sin 2 pi u; ln sd of u (central differences along the four principal or Cholesky
 *                    directions of the covariance, one standard deviation each way; + 1e-4)
 *   CELL_FEATURES grid only, following RSH_FEATURES: for the grid cell nearest to u at this Rsh: ln(1 + its misfit
 *                    above the fit's), ln(1 + its Mahalanobis distance from the fit in the four logarithms) */
#ifndef EIS_SPECTRUM_FEATURES_H
#define EIS_SPECTRUM_FEATURES_H

#include "quick_fit.h"
#include "arcs_features.h"
#include "recipes.h"
#include "eis/circuit/recipe.h"

enum {
    FIT_FEATURES = 20, LAB_FEATURES = 11, RSH_FEATURES = 18, CELL_FEATURES = 2, RSH_VALUES = 12,
    GRID_WIDTH    = FIT_FEATURES + RSH_VALUES * (RSH_FEATURES + CELL_FEATURES),        /* 260 */
    LAB_WIDTH     = FIT_FEATURES + LAB_FEATURES + RSH_VALUES * RSH_FEATURES,
    FEATURES_MOST = GRID_WIDTH > LAB_WIDTH ? GRID_WIDTH : LAB_WIDTH,  /* ARCS_WIDTH is less */
    KNOWN_WIDTH   = 97
};

_Static_assert((int)ARCS_WIDTH <= (int)FEATURES_MOST, "FEATURES_MOST is too small");

/* Features (of the recipes lab and grid) of any spectrum of 5 to SAMPLE_MOST points, frequencies falling. noise: as in
 * quick_fit_run (grid recipe:
 * given). `fit` (may be NULL) receives the fit. */
void features_of(eis_recipe recipe, int64_t count, const double *freq_hz, const eis_z *z, double noise, float *out,
                 quick_fit *fit);

/* Mean and 1 / standard deviation of every feature, from training spectra. */
typedef struct feature_scale { int64_t width; float mean[FEATURES_MOST], over_sd[FEATURES_MOST]; } feature_scale;
/* constant features: over_sd 1 */
void feature_scale_from(int64_t width, int64_t rows, const float *raw, feature_scale *out);
/* (raw - mean) / sd, clipped to +-6. Returns how many were clipped. */
int features_scale(const feature_scale *s, const float *raw, float *out);

/* The known values for the network, KNOWN_WIDTH numbers:
 *   60 for each parameter 12: where on its axis it is known to be: 1 at a grid value, shared between the two neighbours
 *   by
 *        distance elsewhere; zeros if missing
 *    5   1 where missing
 *   12   for each grid value of Rsh ln(1 + sum over known j of (u_j - k_j)^2 / (sd_j^2 + 4e-4)) / 4, with u and sd of
 *        RSH_FEATURES, k the known grid coordinates, j over Ra, Rb, Ca, Cb
 *   20 if Rsh is known: its u, cos, sin (of that very Rsh) and ln sd (between its neighbours' on the grid), 16, scaled
 *   as
 *        those of the nearest grid value and clipped; and u_j - k_j of the known j, clipped to +-3; else zeros
 * known_u: grid coordinates 0..11, NaN where missing. Recipe cell: nothing can be known, one 0. */
void features_known(eis_recipe recipe, const feature_scale *s, const float *raw, const float known_u[EIS_COUNT],
                    float *out);

/* Grid coordinate of a value on its parameter's axis. */
double grid_coordinate(int parameter, double value);

#endif
