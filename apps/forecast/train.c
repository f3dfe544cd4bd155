/* forecast_train: from options to a scored run folder. */
#include "base/base.h"
#include "training/trainer.h"

tide_status forecast_train(const forecast_options *options, forecast_progress progress, void *user,
                           forecast_result *result, tide_failure *failure) {
    trainer *t;
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    tide_status status = trainer_open(options, NULL, true, progress, user, &t, failure);
    return status == TIDE_OK ? trainer_finish(t, result, failure) : status;
}
