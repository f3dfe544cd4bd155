/* forecast_train: from options to a scored run folder. */
#include "base/base.h"
#include "training/trainer.h"

tide_status forecast_train(const forecast_options *options, forecast_progress progress, void *user,
                           forecast_result *result, tide_failure *failure) {
    trainer *t;
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    tide_status status = trainer_open(options, NULL, true, progress, user, &t, failure);
    if (status != TIDE_OK) return status;
    status = trainer_learn(t, 0, failure);
    trainer_fill(t, result);
    if (status == TIDE_OK) status = trainer_score(t, result, failure);
    forecast_trainer_free(t);
    return status;
}
