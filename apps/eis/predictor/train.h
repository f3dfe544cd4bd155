/* Trains the spectrum predictor: eis_train with EIS_INPUTS_SPECTRUM. */
#ifndef EIS_SPECTRUM_TRAIN_H
#define EIS_SPECTRUM_TRAIN_H

#include "eis/training/training.h"

extern const training_kind spectrum_training;

#endif
