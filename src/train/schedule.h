/* Learning rate by epoch, and the order of the training samples. Plain functions: a resumed run asks again. */
#ifndef TIDE_TRAIN_SCHEDULE_H
#define TIDE_TRAIN_SCHEDULE_H

#include <tidemill/core.h>

/* As the options of the applications count them. AUTO: the model's own rule, here constant. */
typedef enum train_schedule {
    TRAIN_LR_TYPE1,
    TRAIN_LR_TYPE2,
    TRAIN_LR_TYPE3,
    TRAIN_LR_COSINE,
    TRAIN_LR_CONSTANT,
    TRAIN_LR_MAC_TYPE1,
    TRAIN_LR_MAC_TYPE2,
    TRAIN_LR_MAC_SLOWER,
    TRAIN_LR_MAC_COSINE,
    TRAIN_LR_AUTO
} train_schedule;

/* The rate of epoch `epoch` (1-based) of `epochs`, from the base rate. The published rules set the rate after an epoch,
 * so most have epochs 1 and 2 at the base rate. */
double schedule_rate(train_schedule rule, double base, int64_t epoch, int64_t epochs);

/* 0 .. count-1 in the order of (seed, epoch): Fisher and Yates with Philox. */
void schedule_shuffle(int32_t *order, int64_t count, uint64_t seed, int64_t epoch);

#endif
