/* --precision of both predictors' training. */
#ifndef EIS_TRAINING_PRECISION_H
#define EIS_TRAINING_PRECISION_H

#include <tidemill/eis.h>

static inline tide_precision training_precision(const eis_options *o) {
    static const tide_precision wanted[] = { [EIS_F32] = TIDE_PRECISION_F32, [EIS_BF16] = TIDE_PRECISION_BF16,
                                             [EIS_PRECISION_AUTO] = TIDE_PRECISION_AUTO };
    return wanted[o->precision];
}

#endif
