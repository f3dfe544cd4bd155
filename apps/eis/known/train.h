/* Trains the predictor from known values: eis_train with EIS_INPUTS_KNOWN. */
#ifndef EIS_KNOWN_TRAIN_H
#define EIS_KNOWN_TRAIN_H

#include <tidemill/eis.h>

tide_status known_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                        tide_failure *failure);

#endif
