/* Prediction intervals and sample paths of a handle's answers. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/options/levels.h"
#include "forecast/score/paths.h"
#include "handle_parts.h"

bool forecast_model_has_levels(const forecast_model *m) { return m && m->of->bundle.bands.quantile[0]; }

/* The scales of one window, whose values are scaled as the model's are. */
static void window_scales(const forecast_model *m, const double *past, float *scaled, float *scale) {
    const model_config *c = config_of(m);
    const bundle       *b = &m->of->bundle;
    const look_back window = { scaled + c->out_first, c->seq_len, c->columns, b->scaler.std + c->out_first,
                               b->blind ? b->blind + c->out_first : NULL };
    scaler_apply_gapped(&b->scaler, past, c->seq_len, scaled);
    bands_scales(&b->bands, &window, scale);
}

static void put_bands(const forecast_model *m, const levels *l, const double *future, const float *scale,
                      double *bands) {
    const model_config *c = config_of(m);
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++)
        bands_at(&m->of->bundle.bands, FORECAST_USE_MODEL, i, future[i], scale, l->of, l->count,
                 bands + i * l->count * 2);
}

tide_status forecast_model_predict_levels(forecast_model *m, int64_t windows, const double *past,
                                          const int64_t *time_s, const double *known, const double *asked,
                                          int64_t level_count, double *future, double *bands,
                                          tide_failure *failure) {
    const model_config *c = config_of(m);
    levels l;
    failure_clear(failure);
    if (m && !forecast_model_has_levels(m))
        return fail(failure, TIDE_EINVAL,
                    "the model keeps no prediction intervals: it was trained by an earlier version, or its training "
                    "did not end; train again");
    tide_status status = levels_take(asked, level_count, &l, failure);
    if (status == TIDE_OK && l.count != level_count)
        status = fail(failure, TIDE_EINVAL, "levels ascend, each once");
    for (int64_t i = 0; status == TIDE_OK && i < l.count; i++)
        if (l.of[i] != asked[i]) status = fail(failure, TIDE_EINVAL, "levels ascend, each once");
    if (status == TIDE_OK && windows && l.count && !bands)
        status = fail(failure, TIDE_EINVAL, "there is no place for the prediction intervals");
    if (status == TIDE_OK) status = forecast_model_predict_known(m, windows, past, time_s, known, future, failure);
    if (status != TIDE_OK) return status;
    float *scaled = malloc((size_t)(c->seq_len * c->columns + c->out_count) * sizeof *scaled);
    if (!scaled) return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
    float  *scale = scaled + c->seq_len * c->columns;
    int64_t each  = c->pred_len * c->out_count;
    for (int64_t w = 0; w < windows; w++) {
        window_scales(m, past + w * c->seq_len * c->columns, scaled, scale);
        put_bands(m, &l, future + w * each, scale, bands + w * each * l.count * 2);
    }
    free(scaled);
    return TIDE_OK;
}

/* ---- sample paths ---- */

bool forecast_model_has_paths(const forecast_model *m) { return m && m->of->bundle.bands.windows; }

static tide_status check_paths(const forecast_model *m, int64_t windows, int64_t path_count, const double *paths,
                               tide_failure *failure) {
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    if (!forecast_model_has_paths(m))
        return fail(failure, TIDE_EINVAL,
                    "the model keeps no windows of errors to make sample paths of: it was trained by an earlier "
                    "version, or its training did not end, or had too few of them; train again");
    if (path_count < 0) return fail(failure, TIDE_EINVAL, "%" PRId64 " paths: 0 or more can be asked for", path_count);
    if (windows && path_count && !paths) return fail(failure, TIDE_EINVAL, "there is no place for the sample paths");
    return TIDE_OK;
}

tide_status forecast_model_predict_paths(forecast_model *m, int64_t windows, const double *past,
                                         const int64_t *time_s, const double *known, int64_t seed,
                                         int64_t path_count, double *future, double *paths, tide_failure *failure) {
    const model_config *c = config_of(m);
    failure_clear(failure);
    tide_status status = check_paths(m, windows, path_count, paths, failure);
    if (status == TIDE_OK) status = forecast_model_predict_known(m, windows, past, time_s, known, future, failure);
    if (status != TIDE_OK) return status;
    path_maker maker = { 0 };
    int64_t    each  = c->pred_len * c->out_count;
    float     *scaled = malloc((size_t)(c->seq_len * c->columns + c->out_count) * sizeof *scaled);
    if (!scaled || !path_maker_new(&maker, &m->of->bundle.bands))
        return free(scaled), fail(failure, TIDE_ENOMEM, "out of memory for the sample paths");
    float *scale = scaled + c->seq_len * c->columns;
    for (int64_t w = 0; w < windows; w++) {
        window_scales(m, past + w * c->seq_len * c->columns, scaled, scale);
        for (int64_t i = 0; i < path_count; i++)
            path_make(&maker, path_drawn(seed, i), future + w * each, scale, paths + (w * path_count + i) * each);
    }
    path_maker_free(&maker);
    free(scaled);
    return TIDE_OK;
}
