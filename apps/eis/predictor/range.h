/* Whether a spectrum is one of those that a predictor was trained for. */
#ifndef EIS_TRAINING_RANGE_H
#define EIS_TRAINING_RANGE_H

#include "eis/posterior/completion.h"
#include "model.h"
#include "points.h"

typedef struct range_question {
    const spectrum_model *model;
    const question       *q;
    const eis_spectrum   *spectrum;  /* as it was given */
    const spectrum_points *points; /* as the features took it */
    const float  *raw;               /* features */
    const quick_fit *fit;
    double        noise;
    bool          noise_estimated;
} range_question;

void training_range_check(const range_question *r, range_check *out);
/* The same for the recipe `cell`: by the points and the noise of the spectrum and its features. */
void training_range_check_cell(const spectrum_model *m, int64_t points, double decades, double noise, const float *raw,
                               range_check *out);

#endif
