/* Frames made by hand, and looked at. */
#include "frame.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "../base/base.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the frame");
}

tide_status tide_frame_new(int64_t rows, tide_frame **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "frame: there is no place for it");
    *out = NULL;
    if (rows < 0 || rows > INT64_MAX / (int64_t)sizeof(double))
        return fail(failure, TIDE_EINVAL, "frame: it cannot have %" PRId64 " rows", rows);
    *out = calloc(1, sizeof **out);
    if (!*out) return no_memory(failure);
    (*out)->rows = rows;
    return TIDE_OK;
}

void tide_frame_free(tide_frame *f) {
    if (!f) return;
    for (int64_t i = 0; i < f->count; i++) free(f->columns[i].name), free(f->columns[i].own);
    free(f->columns);
    free(f->time_name), free(f->time), free(f->time_real);
    free(f);
}

/* ---- columns ---- */

static tide_status check_column(const tide_frame *f, const char *name, const void *values, tide_failure *failure) {
    if (!f) return fail(failure, TIDE_EINVAL, "frame: there is none");
    if (!name || !*name) return fail(failure, TIDE_EINVAL, "frame: column %" PRId64 " has no name", f->count + 1);
    if (!values && f->rows)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "frame: column '%.60s' has no values", name);
    if (tide_frame_find(f, name) < 0 && (!f->time_name || strcmp(f->time_name, name) != 0)) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "frame: there is a column '%.60s' already", name);
}

static tide_status put_column(tide_frame *f, const char *name, const double *values, int64_t stride, double *own,
                              tide_failure *failure) {
    if (f->count == f->capacity) {
        int64_t       capacity = MAX2(8, 2 * f->capacity);
        frame_column *more     = realloc(f->columns, (size_t)capacity * sizeof *more);
        if (!more) return no_memory(failure);
        f->columns = more, f->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy) return no_memory(failure);
    f->columns[f->count++] = (frame_column){ copy, values, stride, own };
    return TIDE_OK;
}

static tide_status check_stride(const char *name, int64_t stride, tide_failure *failure) {
    if (stride > 0) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, name, "frame: column '%.60s' has a stride of %" PRId64 "; 1 or more",
                   name, stride);
}

tide_status tide_frame_borrow(tide_frame *f, const char *name, const double *values, int64_t stride,
                              tide_failure *failure) {
    failure_clear(failure);
    tide_status status = check_column(f, name, values, failure);
    if (status == TIDE_OK) status = check_stride(name, stride, failure);
    return status == TIDE_OK ? put_column(f, name, values, stride, NULL, failure) : status;
}

tide_status frame_take(tide_frame *f, const char *name, double *values, tide_failure *failure) {
    tide_status status = check_column(f, name, values, failure);
    if (status == TIDE_OK) status = put_column(f, name, values, 1, values, failure);
    if (status != TIDE_OK) free(values);
    return status;
}

tide_status tide_frame_add(tide_frame *f, const char *name, const double *values, int64_t stride,
                           tide_failure *failure) {
    failure_clear(failure);
    tide_status status = check_column(f, name, values, failure);
    if (status == TIDE_OK) status = check_stride(name, stride, failure);
    if (status != TIDE_OK) return status;
    double *own = malloc((size_t)f->rows * sizeof *own + 1);
    if (!own) return no_memory(failure);
    for (int64_t i = 0; i < f->rows; i++) own[i] = values[i * stride];
    return frame_take(f, name, own, failure);
}

/* ---- time ---- */

tide_status frame_take_time(tide_frame *f, const char *name, int64_t *whole, double *real, tide_failure *failure) {
    char       *copy   = strdup(name);
    tide_status status = copy ? TIDE_OK : no_memory(failure);
    if (copy && tide_frame_find(f, name) >= 0)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, name, "frame: there is a column '%.60s' already", name);
    if (status != TIDE_OK) return free(copy), free(whole), free(real), status;
    free(f->time_name), free(f->time), free(f->time_real);
    f->time_name = copy, f->time = whole, f->time_real = real;
    return TIDE_OK;
}

/* A copy of so many numbers of 8 bytes; NULL with the failure set. */
static void *copy_time(const tide_frame *f, const void *seconds, tide_status *status, tide_failure *failure) {
    *status = TIDE_OK;
    if (!f) *status = fail(failure, TIDE_EINVAL, "frame: there is none");
    else if (!seconds) *status = fail(failure, TIDE_EINVAL, "frame: there are no times");
    void *copy = *status == TIDE_OK ? malloc((size_t)f->rows * 8 + 1) : NULL;
    if (*status == TIDE_OK && !copy) *status = no_memory(failure);
    return copy ? memcpy(copy, seconds, (size_t)f->rows * 8) : NULL;
}

tide_status tide_frame_set_time(tide_frame *f, const char *name, const int64_t *seconds, tide_failure *failure) {
    failure_clear(failure);
    tide_status status;
    int64_t    *copy = copy_time(f, seconds, &status, failure);
    return copy ? frame_take_time(f, name ? name : "time", copy, NULL, failure) : status;
}

tide_status tide_frame_set_time_real(tide_frame *f, const char *name, const double *seconds, tide_failure *failure) {
    failure_clear(failure);
    for (int64_t i = 0; f && seconds && i < f->rows; i++)
        if (!isfinite(seconds[i]))
            return fail_at(failure, TIDE_EDATA, NULL, i + 1, name,
                           "frame: the time of row %" PRId64 " is no finite number",
                           i + 1);
    tide_status status;
    double     *copy = copy_time(f, seconds, &status, failure);
    return copy ? frame_take_time(f, name ? name : "time", NULL, copy, failure) : status;
}

/* ---- looking ---- */

static const frame_column *column_of(const tide_frame *f, int64_t column) {
    return f && column >= 0 && column < f->count ? &f->columns[column] : NULL;
}

int64_t tide_frame_rows(const tide_frame *f) { return f ? f->rows : 0; }
int64_t tide_frame_columns(const tide_frame *f) { return f ? f->count : 0; }

const char *tide_frame_name(const tide_frame *f, int64_t column) {
    const frame_column *c = column_of(f, column);
    return c ? c->name : NULL;
}

int64_t tide_frame_find(const tide_frame *f, const char *name) {
    for (int64_t i = 0; f && name && i < f->count; i++)
        if (strcmp(f->columns[i].name, name) == 0) return i;
    return -1;
}

const double *tide_frame_values(const tide_frame *f, int64_t column, int64_t *stride) {
    const frame_column *c = stride ? column_of(f, column) : NULL;
    if (stride) *stride = c ? c->stride : 0;
    return c ? c->values : NULL;
}

const char    *tide_frame_time_name(const tide_frame *f) { return f ? f->time_name : NULL; }
const int64_t *tide_frame_time(const tide_frame *f) { return f ? f->time : NULL; }
const double  *tide_frame_time_real(const tide_frame *f) { return f ? f->time_real : NULL; }
