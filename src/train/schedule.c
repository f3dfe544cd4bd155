#include "schedule.h"

#include <math.h>

#include "base/base.h"
#include "base/philox.h"

/* The rate that each rule sets after epoch e. */
static double after_type2(double base, double e) {
    static const struct { double epoch, rate; } steps[] = { { 2, 5e-5 },  { 4, 1e-5 },  { 6, 5e-6 }, { 8, 1e-6 },
                                                            { 10, 5e-7 }, { 15, 1e-7 }, { 20, 5e-8 } };
    double rate = base;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (e >= steps[i].epoch) rate = steps[i].rate;
    return rate;
}

static double after(train_schedule rule, double base, double e, double epochs) {
    const double pi = acos(-1.0);
    switch (rule) {
    case TRAIN_LR_TYPE1: return base * pow(0.5, e - 1);
    case TRAIN_LR_TYPE2: return after_type2(base, e);
    case TRAIN_LR_TYPE3: return e < 3 ? base : base * pow(0.9, e - 3);
    case TRAIN_LR_COSINE: return 0.5 * base * (1 + cos(pi * e / epochs));
    case TRAIN_LR_MAC_TYPE1: return base * pow(0.75, floor((e - 1) / 5));
    case TRAIN_LR_MAC_TYPE2: return base * pow(0.5, e - 1);
    case TRAIN_LR_MAC_SLOWER: return base * pow(0.9, floor((e - 1) / 8));
    case TRAIN_LR_MAC_COSINE: return 0.5 * base * (1 + cos(pi * (e - 1) / epochs));
    case TRAIN_LR_AUTO: /* the model has a rule of its own */
    case TRAIN_LR_CONSTANT: break;
    }
    return base;
}

double schedule_rate(train_schedule rule, double base, int64_t epoch, int64_t epochs) {
    return epoch <= 1 ? base : after(rule, base, (double)(epoch - 1), (double)epochs);
}

/* Site 0 is never an operation's: the numbers are independent of the model's. The bias of a 64-bit product is below
 * 2^-32. */
void schedule_shuffle(int32_t *order, int64_t count, uint64_t seed, int64_t epoch) {
    for (int64_t i = 0; i < count; i++) order[i] = (int32_t)i;
    for (int64_t i = count - 1; i > 0; i--) {
        uint32_t word = philox_word(seed, (uint32_t)epoch, 0, 0, (uint32_t)i);
        int64_t  j    = (int64_t)(((uint64_t)word * (uint64_t)(i + 1)) >> 32);
        int32_t  kept = order[i];
        order[i]      = order[j];
        order[j]      = kept;
    }
}
