#include "arguments.h"

#include "base/base.h"

tide_status arguments_good(const eis_options *o, eis_result *result, tide_failure *failure) {
    if (!result) return fail(failure, TIDE_EINVAL, "there is no result to fill");
    *result = (eis_result){ 0 };
    return tide_options_check(eis_table(), o, failure);
}
