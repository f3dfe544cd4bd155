/* The circuit in coordinates in which its prior is flat and the fibre a straight line.
 *
 *     Z = Rs + R0 H(s tau0)        H(x) = (1 + T1 T2 x) / ((1 + T1 x) (1 + T2 x))        T1 > 1 > T2 > 0
 *
 * R0 is TER, tau0 = R0 TEC, T1 and T2 the poles over tau0: what the spectrum determines. With (Ra + Rb) / Rsh = g the
 * five parameters follow (../../../docs/eis-posterior.md has the algebra). A prior that is uniform in ln Rsh, ln Ra, ln
 * Rb, ln Ca, ln Cb has, in (ln R0, ln tau0, ln (T1 - 1), ln (1 / T2 - 1), ln g), the density 1 - T2 / T1: along the
 * fibre, where the likelihood is constant, it is uniform in ln g between the points where a parameter leaves its range.
 */
#ifndef EIS_SHAPE_H
#define EIS_SHAPE_H

#include "eis/circuit/parameters.h"

typedef struct shape {
    double r0_ohm, tau0_s;
    double t1, t2, over, under; /* T1, T2, T1 - 1, 1 - T2: these two exactly, however small */
} shape;

/* u[0] = ln (T1 - 1), u[1] = ln (1 / T2 - 1). */
shape shape_of(double ln_r0, double ln_tau0, const double u[2]);
/* False: its time constants are equal, and no shape is its own. */
bool shape_of_circuit(const double p[EIS_COUNT], shape *out);
/* Of Z = Rs + r1 / (1 + s t1) + r2 / (1 + s t2), t1 > t2. */
void shape_coordinates(const double r_ohm[2], const double tau_s[2], double *ln_r0, double *ln_tau0, double u[2]);
double shape_log_prior(const shape *s); /* ln (1 - T2 / T1) */

/* The parameters at g, a the slower membrane. */
void shape_circuit(const shape *s, double g, double p[EIS_COUNT]);

/* What of the fibre lies within the ranges: stretches of ln g, each with its mass, the prior's integral over it.
 * Swapped: a is the faster membrane. */
typedef struct fibre_piece {
    double low, high, mass;
    bool swapped;
} fibre_piece; /* points: low == high */
enum { FIBRE_PIECES = 800 };
typedef struct fibre {
    fibre_piece piece[FIBRE_PIECES];
    int count;
    double mass;
} fibre;

typedef struct fibre_rule {
    ranges range;
    int known; /* the parameter that is known; -1: none */
    double value;
    bool both; /* either membrane may be a */
    bool bare; /* no shunt: g is 0 (the chain) */
} fibre_rule;
void fibre_within(const shape *s, const fibre_rule *rule, fibre *out);  /* nothing is known */
void fibre_circuit(const shape *s, double ln_g, bool swapped, double p[EIS_COUNT]);
bool fibre_inside(const fibre_rule *rule, const double p[EIS_COUNT]);  /* the ranges of what is not known */
void fibre_add(fibre *out, double low, double high, double mass, bool swapped);
/* ln g of a piece at a share of it, 0..1. */
double fibre_at(const fibre_piece *p, double share);

#endif
