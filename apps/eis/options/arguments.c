#include "arguments.h"

#include "base/base.h"
#include "train/device.h"
#include "train/step.h"

static tide_status decimal_good(const char *decimal, tide_failure *failure) {
    if (!*decimal || !strcmp(decimal, ".") || !strcmp(decimal, ",")) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "decimal", "`decimal` is . or , and not \"%s\"", decimal);
}

/* Also where nothing that is asked for has use for it. */
static tide_status limit_good(const char *limit, tide_failure *failure) {
    int64_t bytes;
    return train_memory_limit(limit, "cpu", &bytes, failure);
}

tide_status options_good(const eis_options *o, tide_failure *failure) {
    tide_status status = tide_options_check(eis_table(), o, failure);
    if (status == TIDE_OK) status = limit_good(o->memory_limit, failure);
    return status == TIDE_OK ? decimal_good(o->decimal, failure) : status;
}

tide_status arguments_good(const eis_options *o, eis_result *result, tide_failure *failure) {
    if (!result) return fail(failure, TIDE_EINVAL, "there is no result to fill");
    *result = (eis_result){ 0 };
    tide_status status = options_good(o, failure);
    return status == TIDE_OK ? train_device_there(o->device, failure) : status;
}
