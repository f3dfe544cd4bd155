#include "calibration.h"

#include <math.h>
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
                known_samples_draw(&pool, EIS_MASKS_MLX, EACH, (uint64_t)o->seed, STREAM, ALL_SAMPLES,
                                   &samples);
    tide_status   status  = fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the calibration");
    for (int64_t i = 0; i < samples.count && status == TIDE_OK; i++)
        status = ask(m, samples.row + i * SAMPLE_WIDTH, c, failure);
    known_samples_free(&samples);
    known_pool_free(&pool);
    return status;
}

tide_status known_calibration(const eis_options *o, const char *model, calibration *out, tide_failure *failure) {
    known_model m    = { 0 };
    known_data  data = { 0 };
    bool        from_csv;
    *out = (calibration){ 0 };
    tide_status status = known_model_load(model, o->device, &m, failure);
    if (status != TIDE_OK) return status;
    status = known_data_open(o, &data, &from_csv, failure);
    if (status == TIDE_OK) {
        status = ask_all(o, &m, &data, out, failure);
        known_data_free(&data);
    }
    known_model_free(&m);
    return status;
}

/* A sum over `count` whose mean has eight digits, as evaluation.json gives it. */
static double to_eight_digits(double sum, double count) {
    double mean = sum / count, scale = pow(10, 7 - floor(log10(mean)));
    return mean > 0 ? round(mean * scale) / scale * count : sum;
}

/* That of the first level, which eis_evaluate measures. */
tide_status spectrum_calibration(const eis_options *options, const char *model, eis_listener listener, void *user,
                                 calibration *out, tide_failure *failure) {
    eis_options o = *options;
    eis_result  r = { 0 };
    o.out[0]       = 0;
    o.test_spectra = CALIBRATION_SPECTRA;
    *out           = (calibration){ 0 };
    snprintf(o.model, sizeof o.model, "%s", model);
    snprintf(o.noise, sizeof o.noise, "1%%");
    tide_status status = evaluate_options(&o, listener, user, out, &r, failure);
    eis_result_free(&r);
    for (int i = 0; i < CALIBRATION_BINS; i++) {
        if (!(out->count[i] > 0)) continue;
        out->confidence[i] = to_eight_digits(out->confidence[i], out->count[i]);
        out->mass[i]       = to_eight_digits(out->mass[i], out->count[i]);
    }
    return status;
}
