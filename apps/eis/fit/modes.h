/* Where a fit's posterior is: at the minima, and along the ridges that lead away from the best of them. */
#ifndef EIS_FIT_MODES_H
#define EIS_FIT_MODES_H

#include "fitted.h"
#include "likelihood.h"
#include "mixture.h"

/* Components at the minima of the fit and along its ridges; sets l->best. `data` are the problem's. */
tide_status modes_find(likelihood *l, fit_data *data, const eis_fitted *f, mixture *out, tide_failure *failure);

#endif
