/* What a spectrum looks like from afar: a few points of it, its relaxations, its ends. */
#ifndef EIS_FIT_LANDSCAPE_H
#define EIS_FIT_LANDSCAPE_H

#include "problem.h"

enum { THIN = 24, PEAKS_MOST = 8 };

typedef struct relaxation {
    double r_ohm, tau_s;
} relaxation;

typedef struct landscape {
    int points;
    double omega[THIN], log_omega[THIN], weight[2 * THIN];
    double complex z[THIN]; /* from the highest frequency to the lowest */
    double high_ohm; /* what is left at high frequencies */
    relaxation peak[PEAKS_MOST]; /* of a coarse distribution of relaxation times, the largest first */
    int peaks;
} landscape;

void landscape_of(const fit_data *d, landscape *out);

/* min |b - A x|^2 over x >= 0 from gram = A'A and data = A'b, coordinate after coordinate: near enough for a start. */
void non_negative(int count, const double *gram, const double *data, double *x);

#endif
