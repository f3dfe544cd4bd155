/* The accuracy that no predictor can exceed on spectra of the grid recipe: that of the exact posterior. */
#ifndef EIS_SPECTRUM_CEILING_H
#define EIS_SPECTRUM_CEILING_H

#include "spectra.h"

/* Mean probability of the most probable value of each missing parameter, over the first `spectra` of the validation
 * split with their first masks. False: out of memory. */
bool spectrum_ceiling(const sampler_settings *s, int64_t spectra, int threads, double *out);

#endif
