/* Two relaxations fitted to a spectrum in some tens of microseconds, for training by the million:
 *     Z = Rs + R1 / (1 + s tau1) + R2 / (1 + s tau2)
 * the member without shunt of every fibre (tidemill/eis.h). Weighted least squares in logarithms with a weak normal
 * prior of standard deviation 6 on each (it keeps what the data leave open finite). */
#ifndef EIS_QUICK_FIT_H
#define EIS_QUICK_FIT_H

#include <tidemill/eis.h>

enum { QUICK_LN_R1, QUICK_LN_TAU1, QUICK_LN_R2, QUICK_LN_TAU2, QUICK_COUNT };

typedef struct quick_fit {
    double x[QUICK_COUNT];                  /* the slower first */
    double cov[QUICK_COUNT][QUICK_COUNT];   /* inverse Hessian; Rs, if free, summed over */
    double rs_ohm, rs_sd;                   /* 0, 0 if not free */
    double rs_corr[QUICK_COUNT];            /* correlation of Rs with x */
    double misfit;                          /* sum of squares over (noise |Z|)^2, outliers weighed down where noise is
                                               free */
    double noise;                           /* given, or estimated */
    double outliers;                        /* how many points are taken to be outliers; 0 where noise is given */
} quick_fit;

/* noise NaN: unknown, estimated robustly (points with errors many times the others' count little). rs_free: Rs within
 * 0..100 ohm is fitted too. Never fails: 5 to 100 points, |z| > 0, frequencies positive; the result is always
 * finite. */
void quick_fit_run(int64_t count, const double *freq_hz, const eis_z *z, double noise, bool rs_free, quick_fit *out);

/* From the squares of both parts' errors over |z|, of at most SAMPLE_MOST points. */
double quick_noise_by_median(const double *square, int64_t count);

/* The circuits of the fit's fibre. `x` as in quick_fit. u[0..3]: grid coordinates of Ra, Rb, Ca, Cb when Rsh has this
 * value: 0 at the axis' low end, 11 at its high end, clipped to -4..15. Rsh at or below TER has no circuit: the limit
 * is given. */
void fibre_coordinates(const double x[QUICK_COUNT], double rsh_ohm, double u[4]);
/* The invariants of two relaxations without shunt. */
eis_invariants quick_invariants(const double x[QUICK_COUNT]);
/* The two relaxations of a shunt circuit: what its spectrum looks like. a and b need not be in order. */
void quick_of_circuit(const double p[EIS_COUNT], double x[QUICK_COUNT]);

#endif
