/* Training from its options to its end: what eis_train and eis_full share. */
#ifndef EIS_TRAIN_H
#define EIS_TRAIN_H

#include "eis/training/training.h"

/* Into the folder `out`, or runs/DATE-name. training_report_free either way. */
tide_status train_whole(const eis_options *options, eis_listener listener, void *user, training_report *out,
                        tide_failure *failure);

#endif
