/* The fibre where one parameter is known. A resistance is R0 times a function of the shape and g, a capacitance TEC
 * times one: so for each g the known value says what R0, or TEC, is, and how probable that is by the spectrum. */
#ifndef EIS_SHAPE_KNOWN_H
#define EIS_SHAPE_KNOWN_H

#include "shape.h"
#include "shape_fit.h"

/* The covariance of Rs, ln R0 and ln tau0 (the first row and column 0 where Rs is given). */
void shape_covariance(const shape_fit *f, bool rs_free, double out[3][3]);

/* Pieces of ln g with the posterior's mass over each, given the normal approximation `f`: the density of ln R0 (or ln
 * TEC) at the value that g asks for, where the circuit is within its ranges. */
void fibre_known(const double u[2], const fibre_rule *rule, const shape_fit *f, bool rs_free, fibre *out);
/* ln R0 of a known resistance, ln tau0 - ln R0 of a known capacitance, at this g. */
double fibre_asks(const double u[2], const fibre_rule *rule, double ln_g, bool swapped);
/* Every circuit of the shape that has the known value, as points. */
void fibre_points(const shape *s, const fibre_rule *rule, fibre *out);

#endif
