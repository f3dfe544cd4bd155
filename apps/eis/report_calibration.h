/* How far the predictor from known values can be believed. */
#ifndef EIS_REPORT_CALIBRATION_H
#define EIS_REPORT_CALIBRATION_H

#include <jansson.h>
#include <tidemill/eis.h>

/* On fresh rows of the data in data_dir, with three known values each: [{confidence, mass, count}], the probability given to
 * the most probable value of a missing parameter against how often it was right. */
tide_status known_calibration(const eis_options *o, const char *model, json_t **out, tide_failure *failure);

#endif
