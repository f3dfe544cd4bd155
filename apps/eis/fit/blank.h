/* A spectrum without cells, as what is known beside one with them. */
#ifndef EIS_FIT_BLANK_H
#define EIS_FIT_BLANK_H

#include "eis/equivalent/blank.h"
#include "problem.h"

/* Fits the sweeps of a file together: by evidence a resistance alone, or with an inductance, a capacitance or CPE. Low
 * frequencies at which they are noise are left out. TIDE_EDATA: it is no blank, or not fit to be read. (blank_read.c)
 */
tide_status blank_read(const char *path, const eis_options *options, blank *out, tide_failure *failure);

/* Each element of the blank is one of the circuit's, in series with all the rest; what the circuit has not is added
 * there. TIDE_EINVAL: it has two that could be it. */
tide_status blank_attach(const blank *b, equivalent *e, tide_failure *failure);
/* The circuit's parameters that are the blank's, in its order. */
void blank_parameters(const blank *b, const equivalent *e, int at[BLANK_MOST]);
/* Its values and covariance as priors. TIDE_EINVAL where one of them is fixed. */
tide_status blank_add(const blank *b, fit_problem *p, tide_failure *failure);

#endif
