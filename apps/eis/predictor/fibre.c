/* One circuit at a time. */
#include <math.h>

#include "fibre_kernel.h"

void fibre_coordinates(const double x[QUICK_COUNT], double rsh_ohm, double u[4]) {
    double rsh[LANES], all[4 * LANES];
    for (int i = 0; i < LANES; i++) rsh[i] = rsh_ohm;
    fibre_rows(x, rsh, LANES, all);
    for (int j = 0; j < 4; j++) u[j] = all[j * LANES];
}

eis_invariants quick_invariants(const double x[QUICK_COUNT]) {
    double r1 = exp(x[QUICK_LN_R1]), r2 = exp(x[QUICK_LN_R2]), t1 = exp(x[QUICK_LN_TAU1]), t2 = exp(x[QUICK_LN_TAU2]);
    double r = r1 + r2, n1 = (r1 * t2 + r2 * t1) / r;
    return (
        eis_invariants){ .r0_ohm = r, .n1_s = n1, .d1_s = t1 + t2, .d2_s2 = t1 * t2, .cinf_farad = t1 * t2 / (r * n1) };
}

void quick_of_circuit(const double p[EIS_COUNT], double x[QUICK_COUNT]) {
    double all[EIS_COUNT][LANES], value[QUICK_COUNT][LANES], logs[QUICK_COUNT][LANES];
    for (int k = 0; k < EIS_COUNT; k++)
        for (int i = 0; i < LANES; i++) all[k][i] = p[k];
    fibre_relaxations(all, value, logs);
    for (int j = 0; j < QUICK_COUNT; j++) x[j] = logs[j][0];
}
