/* Whether a misfit is that of the noise. */
#ifndef EIS_CHI2_H
#define EIS_CHI2_H

#include <tidemill/eis.h>

/* 99.9 % quantile of a reduced chi2 of nu degrees of freedom, where the noise stands on `noise_dof` of its own (the F
 * distribution's); with `low` the 0.1 % quantile. */
double chi2_limit(double nu, double noise_dof, bool low);

/* Whether a reduced chi2 of nu degrees of freedom is that of the noise; where this is known from Kramers and Kronig, by
 * what the circuit leaves more than their expansion, over what that leaves: an F test of nested models. */
bool chi2_fits(eis_noise_source source, double noise_dof, double chi2, double nu);

#endif
