/* What is thought of a spectrum before it is fitted, as a start for the circuits that it is about. */
#ifndef EIS_FIT_GUESS_H
#define EIS_FIT_GUESS_H

#include "problem.h"

/* Two arcs, the slower first, with a resistance, a CPE of the electrodes and an inductance in series
 * (circuit/arcs.h). */
typedef struct fit_guess {
    double r_ohm[2], tau_s[2], n[2];
    double rs_ohm, electrode_q, electrode_n, l_henry;
} fit_guess;

/* Several. */
enum { GUESSES_MOST = 4 };
typedef struct fit_guessed {
    fit_guess of[GUESSES_MOST];
    int count;
} fit_guessed;

/* As coordinates of the problem's circuit: any of these parts in series, arcs as R across C or CPE, Zarc or K; a shunt
 * across both takes its place in the middle of the fibre (as much current through it as through the cells). False: the
 * circuit has other parts. */
bool fit_guess_start(const fit_problem *p, const fit_guess *g, double x[PARAMETERS_MOST]);
/* Whether any guess is one of this circuit. */
bool fit_guess_goes(const equivalent *e);

#endif
