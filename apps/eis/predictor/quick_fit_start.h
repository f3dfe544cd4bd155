/* Where a quick fit may begin. */
#ifndef EIS_LEARN_QUICK_FIT_START_H
#define EIS_LEARN_QUICK_FIT_START_H

#include "quick_kernel.h"

enum { QUICK_STARTS = 3 };
typedef struct quick_start { double value[QUICK_UNKNOWNS]; } quick_start;

/* Up to QUICK_STARTS starts (R1, tau1, R2, tau2, Rs, all positive but Rs); returns how many, at least one. */
int quick_starts(const quick_data *d, bool rs_free, quick_start *out);

/* The time constants that are scanned, even in the logarithm: from 0.3 / highest to 3.3 / lowest omega, about. */
void quick_taus(int64_t count, const double *omega, double tau[SCAN_TAUS]);

#endif
