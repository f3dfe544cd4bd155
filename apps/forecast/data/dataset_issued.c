/* Covariates that were forecast: their columns in the series, and what was known at each row of those after it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "dataset.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for what was known at each row");
}

/* ---- columns ---- */

static tide_status check_names(const frame *f, const issues *s, const char *file, tide_failure *failure) {
    for (int64_t c = 0; c < f->columns; c++)
        for (int64_t i = 0; i < s->columns; i++)
            if (!strcmp(f->names[c], s->names[i]))
                return fail_at(failure, TIDE_EDATA, file, 1, s->names[i],
                               "'%.60s' is a column of the series too: rename one of the two, or leave it out of both "
                               "with `ignore`", s->names[i]);
    return TIDE_OK;
}

/* In each row what had been issued of it by its own time. */
static tide_status append(const forecast_options *o, dataset *d, tide_failure *failure) {
    frame  *f = &d->frame;
    int64_t count = d->issues.columns, found = 0;
    double *values = malloc((size_t)(f->file_rows * count) * sizeof *values + 1);
    if (!values) return no_memory(failure);
    for (int64_t i = 0; i < f->file_rows * count; i++) {
        values[i] = issues_value(&d->issues, f->time[i / count], f->time[i / count], i % count);
        found += !isnan(values[i]);
    }
    bool fine = frame_append(f, d->issues.names, count, values);
    free(values);
    if (!fine) return no_memory(failure);
    int64_t gaps = f->file_rows * count - found;
    f->gaps += gaps;
    d->issued_columns = count;
    if (found && gaps && o->missing == FORECAST_MISSING_ERROR)
        return fail_at(failure, TIDE_EDATA, o->issued, 0, NULL,
                       "of %" PRId64 " values nothing had been issued by the time of their row; `missing` mask learns "
                       "around them", gaps);
    if (found) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, o->issued, 0, NULL,
                   "of no row of the series had anything been issued by its own time: are the columns of the times "
                   "the right ones (`issued-at`)?");
}

tide_status dataset_read_issued(const forecast_options *o, char *const *names, int64_t count, dataset *d,
                                tide_failure *failure) {
    const issues_options as = { .issued_at = *o->issued_at ? o->issued_at : NULL, .time_name = d->frame.time_name,
                                .ignore = o->ignore, .decimal = *o->decimal == ',' ? ',' : '.',
                                .date_order = (date_shape)o->date_order, .names = names, .count = count };
    if (!d->frame.time)
        return fail_at(failure, TIDE_EDATA, d->frame.path, 0, "issued",
                       "`issued` goes by time stamps, and no column holds any: `time-column` names one");
    if (d->frame.zone)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "issued",
                       "`issued` goes by the stamps as they are written, which with `tz`, or with offsets that vary, "
                       "do not tell instants: write both files in UTC, and leave `tz` out");
    return issues_read(o->issued, &as, &d->issues, failure);
}

tide_status dataset_add_issued(const forecast_options *o, char *const *names, int64_t count, dataset *d,
                               tide_failure *failure) {
    tide_status status = dataset_read_issued(o, names, count, d, failure);
    if (status == TIDE_OK) status = check_names(&d->frame, &d->issues, o->issued, failure);
    return status == TIDE_OK ? append(o, d, failure) : status;
}

/* ---- what was known at each row ---- */

static int64_t stamp_after(const frame *f, int64_t row, int64_t steps) {
    return row + steps < f->file_rows ? f->time[row + steps] : time_advance(f->time[row], f->step, steps);
}

tide_status dataset_tabulate_issued(dataset *d, int64_t pred_len, tide_failure *failure) {
    const frame *f = &d->frame;
    int64_t count = d->issued_columns, each = pred_len * count;
    if (!count) return TIDE_OK;
    if (f->rows > INT64_MAX / 16 / each) return no_memory(failure);
    d->issued   = malloc((size_t)(f->rows * each) * sizeof *d->issued + 1);
    d->informed = malloc((size_t)f->rows * sizeof *d->informed + 1);
    if (!d->issued || !d->informed)
        return fail(failure, TIDE_ENOMEM, "out of memory for what was known at each of %" PRId64 " rows, %.0f MiB: a "
                    "shorter `pred-len` or fewer columns need less", f->rows,
                    (double)(f->rows * each) * sizeof *d->issued / (1 << 20));
    for (int64_t i = 0; i < f->rows * each; i++) {
        int64_t row = i / each, stamp = stamp_after(f, row, i % each / count + 1);
        if (i % each == 0) d->informed[row] = 1;
        d->issued[i] = issues_value(&d->issues, stamp, f->time[row], i % count);
        if (isnan(d->issued[i])) d->informed[row] = 0;
    }
    return TIDE_OK;
}

int64_t dataset_uninformed(const dataset *d, block b, int64_t seq_len, int64_t pred_len) {
    window_set w = dataset_windows(d, b, seq_len, pred_len);
    int64_t    count = 0;
    for (int64_t i = 0; d->informed && i < w.count; i++)
        count += !(d->informed[window_start(&w, i) + seq_len - 1] > 0);
    return count;
}
