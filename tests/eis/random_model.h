/* A spectrum predictor with the parameters it begins its training with. */
#ifndef EIS_TEST_RANDOM_MODEL_H
#define EIS_TEST_RANDOM_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eis/predictor/spectra.h"
#include "eis/predictor/predictor.h"

static inline void expect_near(const char *what, double got, double expected, double allowed) {
    if (!(fabs(got - expected) <= allowed))
        fail_msg("%s: expected %.12g, got %.12g, %.3g apart, %.3g allowed", what, expected, got, fabs(got - expected),
                 allowed);
}

static inline void expect_ok(tide_status status, const tide_failure *failure) {
    if (status != TIDE_OK) fail_msg("%s", failure->message);
}

/* Raw features of the first test spectra of a recipe. */
static inline float *test_features(eis_recipe recipe, int64_t count, double noise) {
    sampler_settings s = { .recipe = recipe, .seed = 1, .noise = noise };
    int64_t width = features_width(recipe), stride = width + EIS_COUNT + recipe_quantities(recipe);
    float  *raw = malloc((size_t)(count * width) * sizeof *raw), *row = malloc((size_t)stride * sizeof *row);
    assert_true(raw && row);
    for (int64_t i = 0; i < count; i++) {
        pool_row(&s, SPLIT_TEST, (uint64_t)i, width, row);
        memcpy(raw + i * width, row, (size_t)width * sizeof *raw);
    }
    free(row);
    return raw;
}

enum { SCALE_SPECTRA = 256 };

static inline void write_random_model(eis_recipe recipe, int64_t width, const char *path) {
    tide_failure   failure = { 0 };
    tide_archive   a = { 0 };
    spectrum_model m = { .config = { recipe, width }, .seed = 1, .keep_out = 0.05 };
    tide_graph    *g = tide_graph_new("cpu");
    float         *raw = test_features(recipe, SCALE_SPECTRA, 0);
    feature_scale_from(features_width(recipe), SCALE_SPECTRA, raw, &m.scale);
    network_new(g, &m.config);
    spectrum_model_plain_levels(&m);
    expect_ok(spectrum_model_archive(&m, tide_params(g, ""), NULL, &a), &failure);
    expect_ok(tide_safetensors_write(path, &a, &failure), &failure);
    tide_archive_free(&a);
    tide_graph_free(g);
    free(raw);
}

#endif
