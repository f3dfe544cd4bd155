/* What every linear, causal, stable spectrum is a sum of: the columns of the linear Kramers-Kronig test (Boukamp 1995,
 * Schoenleber 2014). Of an impedance they are 1, relaxations 1 / (1 + s tau), an inductance and a series capacitance;
 * of an admittance 1, s tau / (1 + s tau), a capacitance and an inductance across it. */
#ifndef EIS_BASIS_H
#define EIS_BASIS_H

#include <tidemill/eis.h>

#include "eis/circuit/complex_of.h"

enum { BASIS_TERMS = 61 };
typedef struct basis {
    int    terms;             /* relaxations, at most BASIS_TERMS */
    bool   admittance;
    double low_w, high_w;
    double tau[BASIS_TERMS];  /* rising */
} basis;

/* Time constants from 1 / (extension w_max) to extension / w_min, even in the logarithm; one alone is the last. Points
 * that `left_out` flags do not count (NULL: all do). */
basis basis_over(const eis_spectrum *s, const bool *left_out, int terms, double extension, bool admittance);
/* Columns: 0 the constant, 1..terms relaxations, terms + 1 grows with s, terms + 2 falls with it. */
enum { BASIS_BESIDE = 3 };
double complex basis_at(const basis *b, int column, double freq_hz);
/* What is expanded: Z or 1 / Z. */
double complex basis_data(const basis *b, eis_z z);

#endif
