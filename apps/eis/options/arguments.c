#include "arguments.h"

#include "base/base.h"

tide_status options_good(const eis_options *o, tide_failure *failure) {
    return tide_options_check(eis_table(), o, failure);
}

tide_status arguments_good(const eis_options *o, eis_result *result, tide_failure *failure) {
    if (!result) return fail(failure, TIDE_EINVAL, "there is no result to fill");
    *result = (eis_result){ 0 };
    return options_good(o, failure);
}
