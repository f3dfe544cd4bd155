/* How far a predictor can be believed: the probability given to the most probable value of a missing parameter against
 * how often it was right. */
#ifndef EIS_REPORT_CALIBRATION_H
#define EIS_REPORT_CALIBRATION_H

#include <tidemill/eis.h>

#include "eis/evaluate/calibration.h"

/* Of a predictor from known values, on 1,000 fresh rows of the data in data_dir, with three known values each. */
tide_status known_calibration(const eis_options *o, const char *model, calibration *out, tide_failure *failure);
/* Of a predictor from spectra, on CALIBRATION_SPECTRA fresh ones at 1 % noise, with 1 to 5 missing parameters. */
enum { CALIBRATION_SPECTRA = 64 };
tide_status spectrum_calibration(const eis_options *o, const char *model, eis_listener listener, void *user,
                                 calibration *out, tide_failure *failure);

#endif
