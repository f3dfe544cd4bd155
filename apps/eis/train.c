/* tidemill eis train: which predictor. */
#include <stdlib.h>

#include "eis/options/arguments.h"
#include "auto_size.h"
#include "base/base.h"
#include "eis/known/train.h"
#include "eis/predictor/train.h"

static tide_status train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    if (options->inputs == EIS_INPUTS_KNOWN) return known_train(options, listener, user, result, failure);
    if (eis_option_given(options, "circuit") && options->circuit != EIS_SHUNT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit",
                       "predictors from spectra support only the shunt circuit; `inputs` known trains on either");
    return spectrum_train(options, listener, user, result, failure);
}

tide_status eis_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                      tide_failure *failure) {
    failure_clear(failure);
    if (arguments_good(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    eis_options *o = malloc(sizeof *o);
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    *o = *options;
    tide_status status = eis_auto_size(o, listener, user, failure);
    if (status == TIDE_OK) status = train(o, listener, user, result, failure);
    free(o);
    return status;
}
