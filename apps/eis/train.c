/* tidemill eis train: which predictor. */
#include "known/known_train.h"
#include "learn/spectrum_train.h"

tide_status eis_train(const eis_options *options, eis_listener listener, void *user, eis_result *result, tide_failure *failure) {
    if (options->inputs == EIS_INPUTS_KNOWN) return known_train(options, listener, user, result, failure);
    return spectrum_train(options, listener, user, result, failure);
}
