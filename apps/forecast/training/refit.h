/* --refit: the model that is shipped learns from all rows, validation and test included, once the scores are taken. */
#ifndef FORECAST_REFIT_H
#define FORECAST_REFIT_H

#include "trainer.h"

/* From new parameters, on windows of all rows scaled by the mean and deviation of all, as many steps at the same rates
 * as the best epoch took; then model.safetensors has these parameters. Stopped or killed on the way, the run still has
 * the model that was scored, and a resumed run begins here again, to the same bits. A refit that diverges leaves the
 * scored model, and says so: r->refit tells. */
tide_status refit_run(trainer *t, forecast_result *r, tide_failure *failure);

#endif
