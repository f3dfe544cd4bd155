/* What the forecaster reads, as a frame that anyone can look at. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "forecast/data/dataset.h"
#include "forecast/data/zoned.h"
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

static void put_names(char *out, size_t size, char *const *names, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? "," : "", names[i]);
    }
}

static void put_sign(char out[8], char sign) {
    if (sign) snprintf(out, 8, "%c", sign);
}

static void describe(const frame *f, forecast_found *out) {
    if (f->time && f->step.unit) step_name(out->step, f->step, f->time, f->file_rows);
    if (f->time) zoned_name(out->tz, f->zone);
    for (int i = 0; i < f->time_columns.count; i++) {
        char *name = f->time_columns.of[i].name;
        if (i) strncat(out->time_column, ",", sizeof out->time_column - strlen(out->time_column) - 1);
        put_names(out->time_column, sizeof out->time_column, &name, 1);
    }
    bool slashes = f->time && (f->format.shape == DATE_DMY || f->format.shape == DATE_MDY);
    if (slashes) snprintf(out->date_order, sizeof out->date_order, f->format.shape == DATE_DMY ? "dmy" : "mdy");
    put_sign(out->decimal, f->found_decimal);
    put_sign(out->thousands, f->found_thousands);
    put_names(out->id, sizeof out->id, f->form.names, f->form.ids);
    if (f->form.ids) put_names(out->value, sizeof out->value, f->form.names + f->form.ids, f->form.values);
    snprintf(out->notes, sizeof out->notes, "%s", f->warnings ? f->warnings : "");
}

tide_status forecast_read_found(const forecast_options *options, tide_frame **out, forecast_found *found,
                                tide_failure *failure) {
    failure_clear(failure);
    dataset     d      = { 0 };
    tide_status status = out ? options_sound(options, failure) : fail(failure, TIDE_EINVAL, "there is no place for it");
    if (out) *out = NULL;
    if (found) *found = (forecast_found){ 0 };
    const run_columns any = { 0 }; /* also what is too short to train on */
    if (status == TIDE_OK) status = dataset_read(options, (forecast_kind)options->kind, &any, &d, failure);
    if (status == TIDE_OK) status = convert(&d.frame, out, failure);
    if (status == TIDE_OK && found) describe(&d.frame, found);
    dataset_free(&d);
    return status;
}

tide_status forecast_read_frame(const forecast_options *options, tide_frame **out, tide_failure *failure) {
    return forecast_read_found(options, out, NULL, failure);
}
