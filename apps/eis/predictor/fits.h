/* The quick fit and the features of many spectra at once, in operations of the engine and in double precision: what
 * quick_fit_run and features_of (recipe grid: the noise known, no solution resistance) do for one. A step of the fit is
 * a program of its own, run as often as the fit has steps, whose state stands in variables.
 *
 * Shapes: a number of a spectrum's start is (spectra, starts, 1), or (spectra, 1, 1) where all starts share it; what is
 * measured (spectra, 1, points). */
#ifndef EIS_FITS_H
#define EIS_FITS_H

#include <tidemill/ops.h>

#include "quick_fit.h"
#include "quick_fit_start.h"

typedef struct fits_data {
    int64_t  spectra, points;
    const double *freq_hz;
    tide_val omega;             /* (points) */
    tide_val re, im, weight;    /* weight: 1 / |z|^2 */
    tide_val over_noise;        /* 1 / noise^2 */
} fits_data;

/* What a fit under way knows. Derivatives are those of quick_sums, by ln R1, ln tau1, ln R2, ln tau2. */
enum { FIT_X = 0, FIT_GRADIENT = QUICK_COUNT, FIT_GRAM = FIT_GRADIENT + QUICK_COUNT,
       FIT_SQUARE = FIT_GRAM + QUICK_COUNT * (QUICK_COUNT + 1) / 2, FIT_OBJECTIVE, FIT_DAMPING, FIT_STATE };
typedef struct fits_state { tide_val of[FIT_STATE]; } fits_state;

/* At R1, tau1, R2, tau2. */
fits_state fits_begin(const fits_data *d, const tide_val value[QUICK_COUNT]);
/* A trial step. *gained (may be NULL): how far the objective fell, 0 if the trial was worse. */
fits_state fits_step(const fits_data *d, const fits_state *s, tide_val *gained);

/* QUICK_STARTS of them as R1, tau1, R2, tau2 (spectra, 1, 1); *first: whether there is the first, BOOL. */
void fits_starts(const fits_data *d, tide_val start[QUICK_STARTS][QUICK_COUNT], tide_val *first);

/* (spectra, GRID_WIDTH) in F32, of a fit that has ended. */
tide_val fits_features(const fits_data *d, const fits_state *s);

/* ---- what these share ---- */

typedef tide_val fits_matrix[QUICK_COUNT][QUICK_COUNT];

/* One relaxation and its derivative by ln tau. */
typedef struct relaxation_values { tide_val re, im, slope_re, slope_im, a, q; } relaxation_values;
relaxation_values fits_relaxation(tide_val r, tide_val a, tide_val q);
/* 1 / (1 + a^2). */
tide_val fits_pole(tide_val a);
/* Over the points: sum of ar br + ai bi. */
tide_val fits_dot(tide_val ar, tide_val ai, tide_val br, tide_val bi);

/* The Hessian, halved: its lower triangle; the gradient, halved, where g is not NULL. */
void fits_hessian(const fits_data *d, const fits_state *s, fits_matrix h, tide_val g[QUICK_COUNT]);
/* small_cholesky, small_substitute (small_system.h). */
void fits_cholesky(fits_matrix h);
void fits_substitute(fits_matrix l, tide_val x[QUICK_COUNT]);

#endif
