/* A fit on its way to being told. */
#ifndef EIS_FIT_TELLING_H
#define EIS_FIT_TELLING_H

#include "fitted.h"

enum { NOTES_MOST = 24 };

typedef struct told_parameter {
    int spectrum, parameter;
} told_parameter;

typedef struct telling {
    eis_fitted *f;
    arena *memory;
    fit_problem *p;
    fit_minima *minima;
    fit_uncertainty *u;
    fit_names names;
    const priors *priors; /* in the order of the problem's first ones */
    const blank *blank; /* the problem's last; NULL or count 0: there is none */
    fit_interval interval[VARIABLES_MOST]; /* of coordinates, by variable; NaN: not asked for */
    int as_good; /* of the minima, the first so many: the noise does not tell them apart */
    robust robust;
    bool wandering[VARIABLES_MOST]; /* variables that starts left at different values of equal sums */
    int row[VARIABLES_MOST]; /* of the parameters that are told, by variable */
    told_parameter *entry; /* which they are: of several spectra one that is shared stands once */
    int entries;
    const eis_spectrum *spectrum; /* of the problem, in its order */
    const char **note;
} telling;

/* The errors, the robust values, the profile, and all of it into t->f, once minima are found. */
tide_status telling_conclude(telling *t, fit_data *data, const eis_fit_options *o, tide_failure *failure);

/* What lies on a bound, what the data leave open, other minima. False: out of memory. */
bool tell_notes(telling *t);
void telling_note(telling *t, const char *text);
/* "+1.00 ln Rsh, -0.35 ln Ra": a direction of the variables of an uncertainty. */
void telling_direction(const telling *t, const fit_uncertainty *u, const double *v, text *out);
/* The priors as they came out, with notes of what they pin and where the data disagree. False: out of memory. */
bool tell_priors(telling *t);

#endif
