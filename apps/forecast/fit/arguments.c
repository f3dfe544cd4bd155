/* What a program hands to a command: there at all, and each option within what its row of the table accepts. Parsed
 * options are; a struct that was filled by hand, or never, need not be. */
#include "resolve.h"

#include "base/base.h"

tide_status options_sound(const forecast_options *o, tide_failure *failure) {
    return tide_options_check(forecast_table(), o, failure);
}

tide_status arguments_sound(const forecast_options *o, const forecast_result *result, tide_failure *failure) {
    return result ? options_sound(o, failure) : fail(failure, TIDE_EINVAL, "there is no result to fill");
}
