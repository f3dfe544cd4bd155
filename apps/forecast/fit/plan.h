/* How long to train, and at what rate, where the user leaves it open. What helps is the number of steps, not of epochs:
 * ten epochs are 2,640 steps on ETTh1 and 20 on twelve years of months. A resumed run takes what its run.json says. */
#ifndef FORECAST_PLAN_H
#define FORECAST_PLAN_H

#include <tidemill/forecast.h>

/* Sets batch_size, epochs, learning_rate, lradj, patience and dropout where they are open, for so many training
 * windows. */
void plan_training(forecast_options *o, int64_t windows);

/* Of a run that is to go on: those that are open become what the run was started with. Without such a run: TIDE_OK. */
tide_status plan_of_run(forecast_options *o, tide_failure *failure);

/* Of an evaluation or an explanation, which have no training windows. */
int64_t plan_batch(const forecast_options *o);
double  plan_dropout(const forecast_options *o);

#endif
