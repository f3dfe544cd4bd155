/* What a device makes of a batch's visits, beside what the processor feeds the network. */
#include "eis/predictor/visits.h"
/* cmocka's fail is a macro: after base.h, whose fail is not */
#include "random_model.h"

enum { SPECTRA = 40, STRIDE = GRID_WIDTH + EIS_COUNT + EIS_COUNT };

static void read_alike(const char *what, tide_val v, const float *expected, double allowed) {
    int64_t count = tide_shape_count(tide_shape_of(v));
    const float *got = tide_data(v);
    assert_non_null(got);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - (double)expected[i]) <= allowed))
            fail_msg("%s %lld: expected %.9g, got %.9g", what, (long long)i, (double)expected[i], (double)got[i]);
}

/* Known values stand on the grid to seven digits: what is between two of its places moves by as much. */
static void test_alike(void **state) {
    static float     rows[SPECTRA * STRIDE], raw[SPECTRA * GRID_WIDTH];
    const float     *row[SPECTRA];
    sampler_settings s = { .recipe = EIS_RECIPE_GRID, .seed = 3 };
    feature_scale    scale;
    batch            b;
    visits           v;
    train_feed       fed[VISIT_FEEDS];
    tide_feed        feeds[VISIT_FEEDS];
    (void)state;
    for (int i = 0; i < SPECTRA; i++) {
        pool_row(&s, SPLIT_TRAIN, (uint64_t)i, GRID_WIDTH, rows + i * STRIDE);
        memcpy(raw + i * GRID_WIDTH, row[i] = rows + i * STRIDE, GRID_WIDTH * sizeof *raw);
    }
    feature_scale_from(GRID_WIDTH, SPECTRA, raw, &scale);
    assert_true(batch_new(EIS_RECIPE_GRID, SPECTRA, &b) && visits_new(SPECTRA, &v));
    batch_fill(EIS_RECIPE_GRID, &scale, row, 3, SPLIT_TRAIN, 1000, 1, &b);
    visits_fill(row, 3, SPLIT_TRAIN, 1000, 2, &v);
    tide_graph     *g   = tide_graph_new(getenv("TIDEMILL_DEVICE"));
    visit_inputs    in  = visit_inputs_new(g, SPECTRA);
    spectrum_inputs out = visit_values(&in);
    tide_program   *p   = tide_compile(TIDE_LIST(out.features, out.known, out.label, out.weight), NULL);
    visit_feeds(&in, &v, &scale, fed);
    for (int i = 0; i < VISIT_FEEDS; i++) feeds[i] = (tide_feed){ fed[i].input, fed[i].data };
    if (tide_run(p, feeds, VISIT_FEEDS) != TIDE_OK) fail_msg("%s", tide_program_error(p)->message);
    read_alike("feature", out.features, b.features, 1e-6);
    read_alike("known", out.known, b.known, 2e-4);
    read_alike("weight", out.weight, b.weight, 1e-7);
    assert_memory_equal(tide_data(out.label), b.label, SPECTRA * MASKS * EIS_COUNT * sizeof *b.label);
    tide_graph_free(g);
    batch_free(&b);
    visits_free(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_alike) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
