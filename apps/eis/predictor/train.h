/* Trains the spectrum predictor: eis_train with EIS_INPUTS_SPECTRUM. */
#ifndef EIS_SPECTRUM_TRAIN_H
#define EIS_SPECTRUM_TRAIN_H

#include <tidemill/eis.h>

tide_status spectrum_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                           tide_failure *failure);

#endif
