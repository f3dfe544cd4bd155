/* The sums over frequencies that a quick fit is made of. */
#ifndef EIS_LEARN_QUICK_KERNEL_H
#define EIS_LEARN_QUICK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "lanes.h"
#include "eis/circuit/recipe.h"

enum { QUICK_UNKNOWNS = 5, QUICK_PAIRS = QUICK_UNKNOWNS * (QUICK_UNKNOWNS + 1) / 2,
       QUICK_ROOM = (SAMPLE_MOST + LANES - 1) / LANES * LANES,
       SCAN_TAUS = 32 };

/* A spectrum laid out in lanes; the places beyond the last point weigh nothing. */
typedef struct quick_data {
    int64_t count, padded;
    double  omega[QUICK_ROOM], re[QUICK_ROOM], im[QUICK_ROOM], over[QUICK_ROOM];  /* over: 1 / |z|^2 */
    /* over, times a point's credit 0..1 */
    double  weight[QUICK_ROOM];
} quick_data;

/* Of the relative errors (model - z) / |z| with their weights; unknowns ln R1, ln tau1, ln R2, ln tau2, Rs / ohm. */
typedef struct quick_sums { double square, gradient[QUICK_UNKNOWNS], gram[QUICK_PAIRS]; } quick_sums;

/* value: R1, tau1, R2, tau2, Rs. Sums of Rs only if rs_free. */
void quick_sums_at(const quick_data *d, const double value[QUICK_UNKNOWNS], bool rs_free, quick_sums *out);
/* How the errors bend along a step, times their derivatives: the gradient's part of second order. */
void quick_bend(const quick_data *d, const double value[QUICK_UNKNOWNS], const double step[QUICK_UNKNOWNS],
                double out[QUICK_UNKNOWNS]);
/* Squares of the relative errors, unweighted. */
void quick_errors(const quick_data *d, const double value[QUICK_UNKNOWNS], double *square);
/* weight = over * credit, the credit being what a point with this squared error deserves if one in a hundred has ten
 * times the noise. Returns the sum of weight * |error|^2; `outliers` is their expected number. */
double quick_weigh(quick_data *d, const double *square, double noise, double *outliers);

/* For every tau the sums of weight x (real part of 1 / (1 + s tau)) and of weight x (its product with the data, real
 * part). */
typedef struct quick_scan { double tau[SCAN_TAUS], pole[SCAN_TAUS], data[SCAN_TAUS], one, one_data, total; } quick_scan;
void quick_scan_fill(const quick_data *d, quick_scan *out);  /* tau given */
/* data's sums for z less the model of `value`, into `score`. */
void quick_scan_errors(const quick_data *d, const double value[QUICK_UNKNOWNS], const double *tau, double *score);
/* The pair that leaves least, of positive amplitudes and at least `apart` steps from each other; slow > fast. False if
 * there is none. rs_free: with any constant added. */
bool quick_scan_best(const quick_scan *s, bool rs_free, int apart, int *slow, int *fast, double amplitude[2]);

#endif
