/* Spectra made on a device beside the processor's. */
#include "eis/predictor/maker.h"
/* cmocka's fail is a macro: after base.h, whose fail is not */
#include "random_model.h"

enum { SPECTRA = 256, AT_A_TIME = 96, STRIDE = GRID_WIDTH + EIS_COUNT + EIS_COUNT };

static void test_rows(void **state) {
    static float     here[SPECTRA * STRIDE], there[SPECTRA * STRIDE], raw[SPECTRA * GRID_WIDTH];
    sampler_settings s   = { .recipe = EIS_RECIPE_GRID, .seed = 3, .keep_out = 0.05 };
    maker_settings   how = { .device = getenv("TIDEMILL_DEVICE"), .threads = 2, .spectra = AT_A_TIME };
    tide_failure     failure = { 0 };
    feature_scale    scale;
    maker           *m;
    int              close = 0, near = 0;
    (void)state;
    expect_ok(maker_open(&s, &how, &m, &failure), &failure);
    if (!m) skip();  /* no double precision */
    expect_ok(maker_rows(m, SPLIT_TRAIN, 1000, SPECTRA, STRIDE, there, &failure), &failure);
    maker_free(m);
    for (int i = 0; i < SPECTRA; i++) {
        pool_row(&s, SPLIT_TRAIN, 1000 + (uint64_t)i, GRID_WIDTH, here + i * STRIDE);
        memcpy(raw + i * GRID_WIDTH, here + i * STRIDE, GRID_WIDTH * sizeof *raw);
        assert_memory_equal(here + i * STRIDE + GRID_WIDTH, there + i * STRIDE + GRID_WIDTH,
                            2 * EIS_COUNT * sizeof *here);
    }
    feature_scale_from(GRID_WIDTH, SPECTRA, raw, &scale);
    for (int i = 0; i < SPECTRA; i++) {
        double worst = 0;
        int at = 0;
        for (int k = 0; k < GRID_WIDTH; k++) {
            double apart = fabs((double)((there[i * STRIDE + k] - here[i * STRIDE + k]) * scale.over_sd[k]));
            if (!(apart <= worst)) worst = apart, at = k;
        }
        close += worst < 1e-4, near += worst < 1e-2;
        if (getenv("TEST_VERBOSE") && worst > 1e-4)
            print_message("%d: feature %d: %g and %g, %g apart\n", i, at, (double)there[i * STRIDE + at],
                          (double)here[i * STRIDE + at], worst);
    }
    if (getenv("TEST_VERBOSE")) print_message("%d within 1e-4, %d within 1e-2\n", close, near);
    if (close < 0.9 * SPECTRA || near < 0.97 * SPECTRA)
        fail_msg("of %d spectra %d are within 1e-4, %d within 1e-2", SPECTRA, close, near);
}

/* All of its programs together keep within the limit, by fewer spectra at a time, or it is not opened. */
static void test_limit(void **state) {
    sampler_settings s   = { .recipe = EIS_RECIPE_GRID, .seed = 3, .keep_out = 0.05 };
    maker_settings   how = { .device = getenv("TIDEMILL_DEVICE"), .threads = 2, .spectra = AT_A_TIME,
                             .memory_limit = 3 << 20 };
    tide_failure     failure = { 0 };
    maker           *m;
    (void)state;
    expect_ok(maker_open(&s, &how, &m, &failure), &failure);
    if (!m) skip();  /* no double precision */
    assert_true(maker_bytes(m) > 0 && maker_bytes(m) <= how.memory_limit);
    maker_free(m);
    how.memory_limit = 1000;
    assert_int_equal(maker_open(&s, &how, &m, &failure), TIDE_ENOMEM);
    assert_null(m);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_limit) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
