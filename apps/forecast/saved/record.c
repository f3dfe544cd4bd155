/* What training learned about the series beside the network: split, test errors, baselines; in the model's metadata,
 * read back with care. */
#include "record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/gaps.h"
#include "forecast/data/origins.h"
#include "forecast/score/baseline.h"

static const double MOST_ROWS = 1e9, MOST_SEASON = 1e7; /* as the options have it */

void record_free(training_record *r) {
    free(r->linear);
    free(r->season_rows);
    r->linear = NULL, r->season_rows = NULL;
}

/* ---- taking ---- */

/* Gaps take the value a season before; those of PEMS files the value before them, as when they are scaled. */
static bool take_season(training_record *r, const dataset *d, const model_config *c) {
    const frame *f = &d->frame;
    int64_t      cells = r->season * f->columns, before = f->file_rows * f->columns - cells;
    if (r->season <= c->seq_len || r->season > f->file_rows) return true;
    double *all = malloc((size_t)(before + cells) * sizeof *all + 1);
    r->season_rows = malloc((size_t)cells * sizeof *r->season_rows + 1);
    if (all && r->season_rows) {
        memcpy(all, f->values, (size_t)(before + cells) * sizeof *all);
        gaps_repeat(all, f->file_rows, f->columns, f->gaps ? r->season : 1, d->scaler.mean);
        memcpy(r->season_rows, all + before, (size_t)cells * sizeof *all);
    }
    free(all);
    return all && r->season_rows;
}

static bool take_linear(training_record *r, const baseline *linear, const model_config *c) {
    size_t bytes = (size_t)((c->seq_len + 1) * c->pred_len) * sizeof *r->linear;
    if (!linear) return true;
    if ((r->linear = malloc(bytes + 1))) memcpy(r->linear, linear->weights, bytes);
    return r->linear != NULL;
}

bool record_take(training_record *r, const dataset *d, const model_config *c, const forecast_result *scores,
                 const baseline_parts *baselines) {
    record_free(r);
    r->scored = true, r->season = baselines->season;
    r->mse[0] = scores->model.mse;
    for (int i = 0; i < 3; i++) r->mse[i + 1] = baselines->present[i] ? scores->baselines[i].mse : (double)NAN;
    return take_linear(r, baselines->made[LINEAR], c) && take_season(r, d, c);
}

bool record_refresh(training_record *r, const dataset *d, const model_config *c) {
    free(r->season_rows);
    r->season_rows = NULL;
    return take_season(r, d, c);
}

forecast_use record_best(const training_record *r) {
    forecast_use best = FORECAST_USE_MODEL;
    for (int i = 1; r->scored && i < 4; i++)
        if (r->mse[i] < r->mse[best]) best = (forecast_use)i;
    return best;
}

/* ---- writing ---- */

static const char *const keys[] = { "model", "last_value", "seasonal_naive", "linear" };

json_t *record_json(const training_record *r) {
    json_t *o = json_pack("{s:f, s:f, s:b}", "val", r->sizes.val, "test", r->sizes.test, "refit", (int)r->refit),
           *mse = json_object();
    if (*r->origins) json_object_set_new(o, "origins", json_string(r->origins));
    if (!r->scored) {
        json_decref(mse);
        return o;
    }
    for (int i = 0; i < 4; i++)
        json_object_set_new(mse, keys[i], isfinite(r->mse[i]) ? json_real(r->mse[i]) : json_null());
    json_object_set_new(o, "season", json_integer(r->season));
    json_object_set_new(o, "test_mse", mse);
    json_object_set_new(o, "best", json_string(keys[record_best(r)]));
    return o;
}

tide_status record_add(tide_archive *a, const training_record *r, const model_config *c) {
    tide_status status = TIDE_OK;
    if (r->linear)
        status = tide_archive_add(a, "linear.weights", TIDE_F32, TIDE_SHAPE(c->seq_len + 1, c->pred_len), r->linear);
    if (status == TIDE_OK && r->season_rows)
        status = tide_archive_add(a, "season.values", TIDE_F64, TIDE_SHAPE(r->season, c->columns), r->season_rows);
    return status;
}

/* ---- reading ---- */

static bool all_finite(const tide_tensor *t) {
    int64_t count = tide_shape_count(t->shape);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(t->type == TIDE_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i]))
            return false;
    return true;
}

/* A tensor that may be absent; else of this type and shape, finite, copied to *out. */
static bool read_tensor(const tide_archive *a, const char *name, tide_dtype type, tide_shape shape, void **out,
                        bool *out_of_memory) {
    const tide_tensor *t = tide_archive_find(a, name);
    if (!t) return true;
    if (t->type != type || !tide_shape_equal(t->shape, shape) || !all_finite(t)) return false;
    size_t bytes = (size_t)tide_shape_count(shape) * tide_dtype_size(type);
    if ((*out = malloc(bytes + 1))) memcpy(*out, t->data, bytes);
    *out_of_memory = *out_of_memory || !*out;
    return *out != NULL;
}

static bool read_number(const json_t *o, const char *key, double most, double *out) {
    const json_t *v = json_object_get(o, key);
    *out = json_number_value(v);
    return json_is_number(v) && *out >= 0 && *out <= most;
}

static bool read_scores(const json_t *o, training_record *r) {
    double season;
    if (!read_number(o, "season", MOST_SEASON, &season)) return false;
    r->season = (int64_t)season, r->scored = true;
    for (int i = 0; i < 4; i++) {
        const json_t *v = json_object_get(json_object_get(o, "test_mse"), keys[i]);
        r->mse[i] = json_is_number(v) ? json_number_value(v) : (double)NAN;
        if (!json_is_null(v) && !(json_is_number(v) && r->mse[i] >= 0)) return false;
    }
    return true;
}

static bool read_origins(const json_t *text, training_record *r) {
    const char  *is = json_string_value(text);
    origin_rules rules;
    if (!text) return true;
    if (!is || strlen(is) >= sizeof r->origins || origins_parse(is, &rules, NULL) != TIDE_OK) return false;
    snprintf(r->origins, sizeof r->origins, "%s", is);
    return true;
}

bool record_read(const json_t *o, const tide_archive *a, const model_config *c, training_record *r,
                 bool *out_of_memory) {
    void *linear = NULL, *season = NULL;
    if (!o) return true;
    if (!read_number(o, "val", MOST_ROWS, &r->sizes.val) || !read_number(o, "test", MOST_ROWS, &r->sizes.test))
        return false;
    r->refit = json_is_true(json_object_get(o, "refit"));
    if (!read_origins(json_object_get(o, "origins"), r)) return false;
    if (!json_object_get(o, "test_mse")) return true;
    bool fine =
        read_scores(o, r) &&
        read_tensor(a, "linear.weights", TIDE_F32, TIDE_SHAPE(c->seq_len + 1, c->pred_len), &linear, out_of_memory) &&
        read_tensor(a, "season.values", TIDE_F64, TIDE_SHAPE(r->season, c->columns), &season, out_of_memory);
    r->linear = linear, r->season_rows = season;
    return fine;
}
