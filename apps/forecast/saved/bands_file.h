/* The tables of prediction intervals in a model file: tensors "bands.steps", "bands.probabilities", "bands.unit",
 * "bands.effective" and "bands.FORECASTER"; a file without them has none. "bands.windows" are the model's windows that
 * are kept whole, in files of later versions. */
#ifndef FORECAST_BANDS_FILE_H
#define FORECAST_BANDS_FILE_H

#include <tidemill/io.h>

#include "forecast/models/model.h"
#include "forecast/score/conformal.h"

tide_status bands_add(tide_archive *a, const band_tables *b);
/* From outside, so everything is checked. false: damaged, or *out_of_memory. */
bool bands_read(const tide_archive *a, const model_config *c, band_tables *out, bool *out_of_memory);

#endif
