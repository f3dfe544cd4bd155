/* tidemill eis train: which predictor. */
#include "base/base.h"
#include "known/known_train.h"
#include "learn/spectrum_train.h"

tide_status eis_train(const eis_options *options, eis_listener listener, void *user, eis_result *result, tide_failure *failure) {
    if (options->inputs == EIS_INPUTS_KNOWN) return known_train(options, listener, user, result, failure);
    *result = (eis_result){ 0 };
    if (options->circuit_given && options->circuit != EIS_SHUNT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit",
                       "predictors from spectra are of the shunt circuit; --inputs known trains on data of either");
    return spectrum_train(options, listener, user, result, failure);
}
