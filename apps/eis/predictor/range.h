/* Whether a spectrum is one of those that a predictor was trained for. */
#ifndef EIS_TRAINING_RANGE_H
#define EIS_TRAINING_RANGE_H

#include "eis/posterior/completion.h"
#include "model.h"

typedef struct range_question {
    const spectrum_model *model;
    const question       *q;
    const eis_spectrum   *spectrum;  /* as it was given */
    int64_t       count;             /* as the features took it: frequencies falling */
    const double *freq_hz;
    const float  *raw;               /* features */
    const quick_fit *fit;
    double        noise;
    bool          noise_estimated;
} range_question;

void training_range_check(const range_question *r, range_check *out);

#endif
