#include "calibration.h"

#include <stdio.h>

#include "eis/evaluate/evaluate.h"
#include "eis/known/model.h"
#include "eis/known/samples.h"

enum { EACH = 100, STREAM = 4711 };  /* rows a pattern; a stream that training does not draw from */

/* One row: a question, and what was right. */
static tide_status ask(known_model *m, const float *row, calibration *c, tide_failure *failure) {
    known_answer answer;
    eis_known    known;
    int64_t      points = m->network.sizes.points;
    for (int k = 0; k < EIS_COUNT; k++) {
        known.is[k]    = row[SAMPLE_MASK + k] > 0.5F;
        known.value[k] = eis_grid_value(k, (int64_t)row[SAMPLE_LABEL + k], points);
    }
    tide_status status = known_model_predict(m, &known, &answer, failure);
    for (int k = 0; k < EIS_COUNT && status == TIDE_OK; k++) {
        int64_t best = 0;
        if (known.is[k]) continue;
        for (int64_t i = 1; i < points; i++)
            if (answer.p[k][i] > answer.p[k][best]) best = i;
        calibration_add(c, answer.p[k][best], best == (int64_t)row[SAMPLE_LABEL + k]);
    }
    return status;
}

static tide_status ask_all(const eis_options *o, known_model *m, const known_data *data, calibration *c,
                           tide_failure *failure) {
    known_pool    pool    = { 0 };
    known_samples samples = { 0 };
    bool fine = known_pool_new(data, NULL, false, 0, NULL, &pool) &&
                known_samples_draw(&pool, EIS_MASKS_MLX, EACH, (uint64_t)o->seed, STREAM, &samples);
    tide_status   status  = fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the calibration");
    for (int64_t i = 0; i < samples.count && status == TIDE_OK; i++)
        status = ask(m, samples.row + i * SAMPLE_WIDTH, c, failure);
    known_samples_free(&samples);
    known_pool_free(&pool);
    return status;
}

tide_status known_calibration(const eis_options *o, const char *model, json_t **out, tide_failure *failure) {
    known_model m    = { 0 };
    known_data  data = { 0 };
    calibration c    = { 0 };
    bool        from_csv;
    tide_status status = known_model_load(model, &m, failure);
    if (status != TIDE_OK) return status;
    status = known_data_open(o, &data, &from_csv, failure);
    if (status == TIDE_OK) {
        status = ask_all(o, &m, &data, &c, failure);
        known_data_free(&data);
    }
    known_model_free(&m);
    if (status != TIDE_OK) return status;
    *out = calibration_json(&c);
    return *out ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the calibration");
}

/* eis_evaluate has measured it: of the first level, under the name that the recipe gives it. */
tide_status spectrum_calibration(const eis_options *options, const char *model, eis_listener listener, void *user,
                                 json_t **out,
                                 tide_failure *failure) {
    eis_options o = *options;
    eis_result  r = { 0 };
    o.out[0]       = 0;
    o.test_spectra = CALIBRATION_SPECTRA;
    snprintf(o.model, sizeof o.model, "%s", model);
    snprintf(o.noise, sizeof o.noise, "1%%");
    tide_status status = eis_evaluate(&o, listener, user, &r, failure);
    if (status != TIDE_OK) return status;
    json_t *all = json_loads(r.json, 0, NULL), *level = json_array_get(json_object_get(all, "levels"), 0),
           *list = json_object_get(level, "parameter_calibration");
    *out = json_deep_copy(list ? list : json_object_get(level, "marginal_calibration"));
    json_decref(all);
    eis_result_free(&r);
    return *out ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the calibration");
}
