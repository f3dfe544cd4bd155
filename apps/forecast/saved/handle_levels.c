/* Prediction intervals and sample paths of a handle's answers. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/models/head.h"
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

/* Room for what bounds and paths are made with: one window's scales, and the widths of all where the head has them. */
typedef struct spread_room { float *scaled, *scale, *widths; int64_t wide; } spread_room;

static tide_status room_new(const forecast_model *m, int64_t windows, spread_room *out, tide_failure *failure) {
    const model_config *c = config_of(m);
    *out        = (spread_room){ .wide = c->pred_len * c->out_count * head_widths(c) };
    out->scaled = malloc((size_t)(c->seq_len * c->columns + c->out_count) * sizeof *out->scaled + 1);
    if (out->scaled) out->scale = out->scaled + c->seq_len * c->columns;
    if (out->wide) out->widths = malloc((size_t)(windows * out->wide) * sizeof *out->widths + 1);
    if (out->scaled && (out->widths || !out->wide)) return TIDE_OK;
    return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
}

static void room_free(spread_room *r) {
    free(r->scaled);
    free(r->widths);
}

static window_spread spread_of_window(const forecast_model *m, const spread_room *r, int64_t window,
                                      const double *past) {
    const model_config *c = config_of(m);
    window_scales(m, past + window * c->seq_len * c->columns, r->scaled, r->scale);
    return (window_spread){ r->scale, r->widths ? r->widths + window * r->wide : NULL };
}

static void put_bands(const forecast_model *m, const levels *l, const double *future, const window_spread *s,
                      double *bands) {
    const model_config *c = config_of(m);
    bands_of_window(&m->of->bundle.bands, FORECAST_USE_MODEL, c->pred_len * c->out_count, future, s, l->of, l->count,
                    bands);
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
    if (status != TIDE_OK) return status;
    spread_room room = { 0 };
    if (m && windows > 0) status = room_new(m, windows, &room, failure);
    if (status == TIDE_OK) status = handle_predict(m, windows, past, time_s, known, future, room.widths, failure);
    int64_t each = c->pred_len * c->out_count;
    for (int64_t w = 0; status == TIDE_OK && w < windows; w++) {
        window_spread s = spread_of_window(m, &room, w, past);
        put_bands(m, &l, future + w * each, &s, bands + w * each * l.count * 2);
    }
    room_free(&room);
    return status;
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
    if (status != TIDE_OK) return status;
    path_maker  maker = { 0 };
    spread_room room  = { 0 };
    int64_t     each  = c->pred_len * c->out_count;
    if (windows > 0) status = room_new(m, windows, &room, failure);
    if (status == TIDE_OK) status = handle_predict(m, windows, past, time_s, known, future, room.widths, failure);
    if (status == TIDE_OK && !path_maker_new(&maker, &m->of->bundle.bands))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the sample paths");
    for (int64_t w = 0; status == TIDE_OK && w < windows; w++) {
        window_spread s = spread_of_window(m, &room, w, past);
        for (int64_t i = 0; i < path_count; i++)
            path_make(&maker, path_drawn(seed, i), future + w * each, &s, paths + (w * path_count + i) * each);
    }
    path_maker_free(&maker);
    room_free(&room);
    return status;
}
