/* What is wrong with a spectrum before a circuit is fitted, and whether the circuit can have made it after. */
#ifndef EIS_FIT_JUDGING_H
#define EIS_FIT_JUDGING_H

#include "eis/check/faults.h"
#include "eis/posterior/residuals.h"
#include "fitted.h"

enum { WARNINGS_MOST = FAULTS_MOST + 2 };

typedef struct judging {
    const eis_spectrum *s; /* all of its points */
    eis_spectrum kept;
    faults found;
    bool keeps;
    residuals left;
    const fit_guessed *guessed; /* NULL: none */
    eis_fitted *f;
    const char **warning;
} judging;

/* TIDE_EDATA where no fit should be believed. judging_free in any case. */
tide_status judging_begin(judging *j, tide_failure *failure);
/* The points that are fitted, and their noise, of each part over |Z|, without the circuit. */
const eis_spectrum *judging_points(const judging *j);
double judging_noise(const judging *j);
/* Into j->f, which is fitted: the points used, warnings, noise and verdict. */
tide_status judging_conclude(judging *j, tide_failure *failure);
void judging_free(judging *j);

#endif
