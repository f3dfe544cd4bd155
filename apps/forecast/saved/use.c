#include "use.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/gaps.h"
#include "forecast/score/baseline.h"

int64_t use_season(const forecast_options *o, const bundle *b) {
    if (o->season) return o->season;
    return b->record.season ? b->record.season : season_default(b->step);
}

tide_status use_not_kept(const forecast_options *o, const char *what, const char *option, tide_failure *failure) {
    if (!*o->model)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                       "the model keeps no %s: it was trained by an earlier version, or its training did not end; "
                       "train again", what);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, option,
                   "%s keeps no %s: it was trained by an earlier version, or its training did not end; train again, "
                   "or the same "
                   "command with `resume` auto `out` %s adds it", o->model, what, o->model);
}

tide_status use_settle(const forecast_options *o, const bundle *b, forecast_use *out, tide_failure *failure) {
    const training_record *r = &b->record;
    *out = (forecast_use)o->use;
    if (*out == FORECAST_USE_BEST && !r->scored) return use_not_kept(o, "scores", "use", failure);
    if (*out == FORECAST_USE_BEST) *out = record_best(r);
    bool other = *out == FORECAST_USE_SEASONAL && use_season(o, b) != b->config.season;
    if ((int)*out == forecaster_as_baseline(&b->config) && !other) *out = FORECAST_USE_MODEL;
    if (*out == FORECAST_USE_LINEAR && !r->linear) return use_not_kept(o, "linear baseline", "use", failure);
    if (*out == FORECAST_USE_SEASONAL && !use_season(o, b))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "season",
                       "no season follows from the frequency: `season` N says how many rows one has");
    return TIDE_OK;
}

static void repeat_rows(const model_config *c, const double *rows, int64_t count, double *values) {
    for (int64_t s = 0; s < c->pred_len; s++)
        for (int64_t i = 0; i < c->out_count; i++)
            values[s * c->out_count + i] = rows[s % count * c->columns + c->out_first + i];
}

/* The last value that there is of each column in the window; its mean where there is none. */
static void repeat_last(const model_config *c, const dataset *d, double *values) {
    for (int64_t i = 0; i < c->out_count; i++) {
        int64_t column = c->out_first + i, row = c->seq_len - 1;
        while (row >= 0 && isnan(d->frame.values[row * c->columns + column])) row--;
        double last = row < 0 ? d->scaler.mean[column] : d->frame.values[row * c->columns + column];
        for (int64_t s = 0; s < c->pred_len; s++) values[s * c->out_count + i] = last;
    }
}

static tide_status apply_linear(const bundle *b, const dataset *d, double *values, tide_failure *failure) {
    const model_config *c      = &b->config;
    const baseline      linear = { .weights = b->record.linear, .seq_len = c->seq_len, .pred_len = c->pred_len };
    float *window = malloc((size_t)((c->seq_len + c->pred_len) * c->columns) * sizeof *window + 1), *all;
    if (!window) return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
    all = window + c->seq_len * c->columns;
    gaps_fill(d->scaled, c->seq_len, c->columns, window, NULL);
    baseline_predict(&linear, window, c->seq_len, c->pred_len, c->columns, all);
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++) {
        int64_t column = c->out_first + i % c->out_count;
        values[i] =
            (double)all[i / c->out_count * c->columns + column] * d->scaler.std[column] + d->scaler.mean[column];
    }
    free(window);
    return TIDE_OK;
}

tide_status use_forecast(forecast_use use, const bundle *b, const dataset *d, const double *season,
                         int64_t season_rows, double *values,
                         tide_failure *failure) {
    const model_config *c = &b->config;
    if (use == FORECAST_USE_LINEAR) return apply_linear(b, d, values, failure);
    if (use == FORECAST_USE_SEASONAL) repeat_rows(c, season, season_rows, values);
    else repeat_last(c, d, values);
    return TIDE_OK;
}
