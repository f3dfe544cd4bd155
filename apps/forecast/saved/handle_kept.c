/* The rows that a run keeps, as a frame: those that it forecasts from where none are given. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/zoned.h"
#include "handle_parts.h"

/* Holidays follow from the times. Rows to come are there where the run knows all that it needs of them. */
static int64_t columns_kept(const bundle *b) { return b->config.columns - b->holiday_columns; }
static int64_t rows_ahead(const bundle *b) {
    return b->ahead && b->config.known > b->holiday_columns ? b->config.pred_len : 0;
}

static tide_status keep_times(const bundle *b, tide_frame *f, tide_failure *failure) {
    int64_t  rows = b->config.seq_len, ahead = rows_ahead(b);
    int64_t *time = malloc((size_t)(rows + ahead) * sizeof *time);
    if (!time) return fail(failure, TIDE_ENOMEM, "out of memory for the rows of the run");
    memcpy(time, b->tail_time, (size_t)rows * sizeof *time);
    for (int64_t i = 0; i < ahead; i++) time[rows + i] = zoned_advance(b->zone, time[rows - 1], b->step, i + 1);
    tide_status status = tide_frame_set_time(f, b->time_name, time, failure);
    free(time);
    return status;
}

static void fill_column(const bundle *b, int64_t column, double *values) {
    const model_config *c   = &b->config;
    int64_t             own = column - (c->columns - c->known);
    for (int64_t i = 0; i < c->seq_len; i++) values[i] = b->tail[i * c->columns + column];
    for (int64_t i = 0; i < rows_ahead(b); i++)
        values[c->seq_len + i] = own < 0 ? (double)NAN : b->ahead[i * c->known + own];
}

static tide_status keep_columns(const bundle *b, tide_frame *f, tide_failure *failure) {
    double     *values = malloc((size_t)tide_frame_rows(f) * sizeof *values);
    tide_status status = values ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the rows of the run");
    for (int64_t i = 0; status == TIDE_OK && i < columns_kept(b); i++) {
        fill_column(b, i, values);
        status = tide_frame_add(f, b->names[i], values, 1, failure);
    }
    free(values);
    return status;
}

tide_status forecast_model_kept(const forecast_model *m, tide_frame **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the frame");
    *out = NULL;
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    const bundle *b      = &m->of->bundle;
    tide_frame   *f      = NULL;
    tide_status   status = tide_frame_new(b->config.seq_len + rows_ahead(b), &f, failure);
    if (status == TIDE_OK && b->tail_time) status = keep_times(b, f, failure);
    if (status == TIDE_OK) status = keep_columns(b, f, failure);
    if (status == TIDE_OK) *out = f;
    else tide_frame_free(f);
    return status;
}
