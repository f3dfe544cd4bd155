/* What one spectrum of an epithelium of constant phase elements determines: two arcs in series, without the shunt.
 *
 *     Z = Rs + s L + R1 / (1 + (s tau1)^n1) + R2 / (1 + (s tau2)^n2) + E (s / w0)^-nel      s = j w
 *
 * An arc is a resistance across a constant phase element Q = tau^n / R, and tau / R its capacitance as the peak shows
 * it (Hsu and Mansfeld 2001). TER = R1 + R2, TEC = 1 / (R1 / tau1 + R2 / tau2). The last term is the CPE of the
 * electrodes, given by its size E at the lowest frequency w0 of the spectrum: Q = 1 / (E w0^nel). */
#ifndef EIS_ARCS_H
#define EIS_ARCS_H

#include <tidemill/eis.h>

enum { ARC_R1, ARC_TAU1, ARC_N1, ARC_R2, ARC_TAU2, ARC_N2, ARC_RS, ARC_EL, ARC_NEL, ARC_L, ARCS_COUNT };

static inline bool arc_is_exponent(int k) { return k == ARC_N1 || k == ARC_N2 || k == ARC_NEL; }

/* Z at n angular frequencies. */
void arcs_impedance(const double p[ARCS_COUNT], double omega_low, int64_t n, const double *omega, eis_z *z);
double arcs_ter(const double p[ARCS_COUNT]);
double arcs_tec(const double p[ARCS_COUNT]);
/* The slower arc first. */
void arcs_order(double p[ARCS_COUNT]);

#endif
