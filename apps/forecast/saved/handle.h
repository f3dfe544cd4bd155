/* A trained model as the library's own commands see it: the public handle (tidemill/forecast.h) from the inside. */
#ifndef FORECAST_HANDLE_H
#define FORECAST_HANDLE_H

#include "forecast/fit/session.h"
#include "loaded.h"

/* Of the run options->model; what it computes with is taken from `o` too, and with other_columns the columns of its
 * data. */
tide_status handle_open(const forecast_options *o, const char *path, forecast_model **out, tide_failure *failure);

const bundle *handle_bundle(const forecast_model *m);
/* With the parameters. Scoring puts a series on it and a program of its own: in the handle's batches, short ones at the
 * end, windows would have other last bits. */
session *handle_session(forecast_model *m);
double   handle_compile_s(const forecast_model *m);  /* of its programs so far */

/* scaled (windows, seq_len, columns), NaN where there are gaps, and marks (windows, seq_len, marks; not read where
 * there are none) to (windows, pred_len, out columns), scaled. */
typedef struct handle_windows {
    const float *scaled, *marks;
    const float *known;  /* (windows, pred_len, known), scaled; not read where nothing is known ahead */
} handle_windows;
/* `widths` (windows, pred_len, out columns, widths), scaled, where the model's head has them; NULL: they are not asked
 * for. */
tide_status handle_forward(forecast_model *m, int64_t windows, handle_windows x, float *out, float *widths,
                           tide_failure *failure);
/* TIDE_EDATA where one of them is no size that bounds can be made of. */
tide_status handle_widths_fine(const float *widths, int64_t count, tide_failure *failure);

#endif
