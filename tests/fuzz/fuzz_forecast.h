/* A small forecast run for the targets to change. */
#ifndef TEST_FUZZ_FORECAST_H
#define TEST_FUZZ_FORECAST_H

#include <tidemill/forecast.h>

#include "target.h"

/* Of a series of a few rows, tiny; "out" is the folder "run". */
void fuzz_train_options(forecast_options *o);
/* Trains it; with `stop`, up to its first epoch's checkpoint. */
void fuzz_train(bool stop);

#endif
