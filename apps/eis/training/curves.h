/* What is drawn from metrics.csv of a predictor's training. */
#ifndef EIS_TRAINING_CURVES_H
#define EIS_TRAINING_CURVES_H

#include "training.h"

/* loss.svg and accuracy.svg of a run that is trained, with their numbers as CSV, if the options say so. */
tide_status training_draw(const training *t, tide_failure *failure);

#endif
