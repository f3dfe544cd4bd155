/* Trains the predictor from known values: eis_train with EIS_INPUTS_KNOWN. */
#ifndef EIS_KNOWN_TRAIN_H
#define EIS_KNOWN_TRAIN_H

#include "eis/training/training.h"

extern const training_kind known_training;

#endif
