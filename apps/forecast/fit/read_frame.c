/* What the forecaster reads, as a frame that anyone can look at. */
#include "base/base.h"
#include "forecast/data/dataset.h"
#include "resolve.h"

static tide_status convert(const frame *from, tide_frame **out, tide_failure *failure) {
    tide_status status = tide_frame_new(from->file_rows, out, failure);
    for (int64_t c = 0; status == TIDE_OK && c < from->columns; c++)
        status = tide_frame_add(*out, from->names[c], from->values + c, from->columns, failure);
    if (status == TIDE_OK && from->time) status = tide_frame_set_time(*out, from->time_name, from->time, failure);
    if (status == TIDE_OK) return status;
    tide_frame_free(*out);
    *out = NULL;
    return status;
}

tide_status forecast_read_frame(const forecast_options *options, tide_frame **out, tide_failure *failure) {
    failure_clear(failure);
    dataset     d      = { 0 };
    tide_status status = out ? options_sound(options, failure) : fail(failure, TIDE_EINVAL, "there is no place for it");
    if (out) *out = NULL;
    const run_columns any = { 0 }; /* also what is too short to train on */
    if (status == TIDE_OK) status = dataset_read(options, (forecast_kind)options->kind, &any, &d, failure);
    if (status == TIDE_OK) status = convert(&d.frame, out, failure);
    dataset_free(&d);
    return status;
}
