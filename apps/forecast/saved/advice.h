/* What to try next, said at the end of a training and of an evaluation: commands that work as they stand. */
#ifndef FORECAST_ADVICE_H
#define FORECAST_ADVICE_H

#include "bundle.h"

/* Fills r->advice; its last line names the baseline that is better than the model, if one is. */
void advise_training(forecast_result *r, const forecast_options *o);
void advise_evaluation(forecast_result *r, const forecast_options *o, const bundle *b);

#endif
