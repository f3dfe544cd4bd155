/* Priors of a fit: from the option's text to residuals. */
#ifndef EIS_FIT_PRIOR_H
#define EIS_FIT_PRIOR_H

#include "eis/circuit/prior.h"
#include "problem.h"

/* Whose parameters may be named: those of one circuit, fitted to so many spectra. Of several a name carries the
 * number of its spectrum, Rsh#2 (or Rsh2, where that is no other parameter), unless it is shared by all. */
typedef struct fit_names {
    const equivalent *e;
    int spectra;
    const bool *shared; /* by parameter; NULL: none is */
} fit_names;

enum { FIT_NAME = PARAMETER_NAME + 12 };
/* "Rsh", and "Rsh#2" of several spectra. */
void fit_name(const fit_names *n, int spectrum, int parameter, char name[FIT_NAME]);

/* Parameters of a prior are told as spectrum * PARAMETERS_MOST + parameter. */
tide_status fit_priors_read(const fit_names *n, const char *text, priors *out, tide_failure *failure);
/* Adds them to the problem's. TIDE_EINVAL: one that speaks of nothing free. */
tide_status fit_priors_add(fit_problem *p, const fit_names *n, const priors *from, tide_failure *failure);
/* "Ra/Rb", as in the text. */
enum { FIT_PRIOR_NAME = 2 * FIT_NAME };
void fit_prior_name(const fit_names *n, const prior *of, char name[FIT_PRIOR_NAME]);

#endif
