/* Interval levels that hold: the network's distributions are binned, so where the truth is known more finely than a bin
 * their quantiles are too wide. On spectra it never saw, the levels are found at which the stated shares of truths lie
 * below (recalibration by quantiles: Kuleshov, Fenner & Ermon 2018). */
#ifndef EIS_CALIBRATE_H
#define EIS_CALIBRATE_H

#include "predictor.h"

/* Fills m->level from `spectra` spectra of the validation split, from number `first` on, MASKS sets of known values
 * each. */
tide_status calibrate(predictor *p, spectrum_model *m, int64_t first, int64_t spectra, int threads,
                      tide_failure *failure);

#endif
