/* What evaluate measures, on a predictor that has learned nothing: its proposals are near chance, the exact posterior
 * is at its ceiling whatever the network does. */
#include "eis/evaluate/grid.h"
#include "files/owned.h"
/* cmocka's fail is a macro: after base.h, whose fail is not */
#include "random_model.h"

static char folder[] = "/tmp/tide_evaluate_XXXXXX", model_path[64], lab_path[64];

/* ---- calibration ---- */

static void test_calibration(void **state) {
    calibration c = { 0 };
    (void)state;
    for (int i = 0; i < 1000; i++) calibration_add(&c, (i + 0.5) / 1000, (i + 0.5) / 1000);
    expect_near("calibrated exactly", calibration_error(&c), 0, 1e-12);
    for (int i = 0; i < 1000; i++) calibration_add(&c, 0.9, 0.4);
    /* bin 13 (.867 to .933) has 1067 of the 2000, and there the mean confidence is 500 / 1067 too high */
    expect_near("too sure", calibration_error(&c), 0.25, 1e-12);
    calibration one = { 0 };
    calibration_add(&one, 1, 1);
    expect_near("certainty is in the last bin", one.count[CALIBRATION_BINS - 1], 1, 0);
}

/* ---- the grid recipe ---- */

static void evaluate(const eis_options *o, eis_result *r) {
    tide_failure failure = { 0 };
    expect_ok(eis_evaluate(o, NULL, NULL, r, &failure), &failure);
}

static eis_options options_for(int64_t spectra, const char *noise) {
    eis_options o;
    eis_options_default(&o);
    o.test_spectra = spectra;
    snprintf(o.model, sizeof o.model, "%s", folder);
    snprintf(o.noise, sizeof o.noise, "%s", noise);
    return o;
}

static double at(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v)) fail_msg("no number \"%s\"", key);
    return json_number_value(v);
}

static void check_row(const json_t *row, double ceiling_low) {
    double exact = at(row, "exact_top1"), network = at(row, "network_top1"), reranked = at(row, "reranked_top1");
    if (!(exact <= 1 + 1e-9 && exact > ceiling_low))
        fail_msg("the exact posterior has %g of the mass, above %g was expected", exact, ceiling_low);
    if (network > exact + 1e-9 || reranked > exact + 1e-9)
        fail_msg("above the ceiling: exact %g, network %g, re-ranked %g", exact, network, reranked);
    if (reranked < network - 1e-9) fail_msg("re-ranking made it worse: %g to %g", network, reranked);
    assert_true(at(row, "network_top5") <= at(row, "candidate_mass") + 1e-9);
    /* an exact divergence is not negative; the joint one is estimated from draws */
    assert_true(at(row, "marginal_excess_nats") >= 0 && at(row, "joint_excess_nats") > 0);
    assert_true(at(row, "network_label_top1") <= at(row, "exact_label_top1") + 1e-9);
}

static void test_untrained(void **state) {
    eis_options o = options_for(8, "1%");
    eis_result  r;
    (void)state;
    evaluate(&o, &r);
    json_t *all = json_loads(r.json, 0, NULL), *levels = json_object_get(all, "levels");
    assert_int_equal(json_array_size(levels), 2); /* cells trained on, and kept out */
    for (size_t i = 0; i < 2; i++) {
        const json_t *level = json_array_get(levels, i), *mean = json_object_get(level, "mean"),
                     *rows = json_object_get(level, "by_missing");
        check_row(mean, 0.6);   /* .918 over many spectra; these are 40 cases of 8 spectra */
        for (size_t n = 0; n < 5; n++) check_row(json_array_get(rows, n), 0.3);
        /* twelve values, and a network that knows nothing: a right one by chance in some of them */
        if (at(mean, "network_top1") > 0.4)
            fail_msg("an untrained network has %g of the mass", at(mean, "network_top1"));
        expect_near("cases", at(mean, "cases"), 40, 0);
        const json_t *five = json_array_get(rows, 4);
        expect_near("chance of 12^5, two copies", at(five, "chance_top1"), 2 / pow(12, 5), 1e-12);
        double patterns = 0;
        for (size_t k = 0; k < json_array_size(json_object_get(level, "by_pattern")); k++)
            patterns += at(json_array_get(json_object_get(level, "by_pattern"), k), "cases");
        expect_near("cases of all patterns", patterns, 40, 0);
    }
    assert_non_null(strstr(r.text, "kept out of training"));
    json_decref(all);
    eis_result_free(&r);
}

/* Everything but the time that it took. */
static void test_threads(void **state) {
    eis_options o = options_for(5, "5%");
    eis_result  one, two;
    (void)state;
    o.threads = 1;
    evaluate(&o, &one);
    o.threads = 2;
    evaluate(&o, &two);
    assert_string_equal(one.text, two.text);
    json_t *a = json_loads(one.json, 0, NULL), *b = json_loads(two.json, 0, NULL);
    json_object_del(a, "seconds"), json_object_del(b, "seconds");
    assert_true(json_equal(a, b));
    json_decref(a), json_decref(b);
    eis_result_free(&one);
    eis_result_free(&two);
}

/* Another device computes exact posteriors of many spectra at once, the processor one by one, from misfits in single
 * precision: probabilities differ by some 1e-5, and with them all means of exact mass. */
static void test_device(void **state) {
    static const char *const alike[] = { "exact_top1", "exact_top5", "network_top1", "candidate_mass",
                                         "exact_label_top1", "marginal_excess_nats", "exact_hit1", "reranked_top1" };
    const char *named = getenv("TIDEMILL_DEVICE");
    eis_options o = options_for(3, "0.1%");
    eis_result  here, there;
    (void)state;
    evaluate(&o, &here);
    snprintf(o.device, sizeof o.device, "%s", named ? named : "ref");
    snprintf(o.memory_limit, sizeof o.memory_limit, "32M");
    evaluate(&o, &there);
    json_t *a = json_loads(here.json, 0, NULL), *b = json_loads(there.json, 0, NULL);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_object_get(json_array_get(json_object_get(a, "levels"), i), "mean"),
                     *two = json_object_get(json_array_get(json_object_get(b, "levels"), i), "mean");
        for (size_t k = 0; k < sizeof alike / sizeof *alike; k++)
            expect_near(alike[k], at(two, alike[k]), at(one, alike[k]), 2e-4);
    }
    json_decref(a), json_decref(b);
    eis_result_free(&here);
    eis_result_free(&there);
    tide_failure failure = { 0 };
    snprintf(o.memory_limit, sizeof o.memory_limit, "1M");
    assert_int_equal(eis_evaluate(&o, NULL, NULL, &there, &failure), TIDE_ENOMEM);
    assert_non_null(strstr(failure.message, "memory"));
}

/* Nothing is learned, but the bins of TER, TEC, n1, d1 and Rs begin from the fit: their medians are not far off, and
 * the continuous posterior's are nearer. */
static void test_lab(void **state) {
    eis_options o = options_for(6, "auto");
    eis_result  r;
    (void)state;
    write_random_model(EIS_RECIPE_LAB, 32, lab_path);
    snprintf(o.model, sizeof o.model, "%s", lab_path);
    evaluate(&o, &r);
    unlink(lab_path);
    json_t *all = json_loads(r.json, 0, NULL), *level = json_array_get(json_object_get(all, "levels"), 0),
           *rows = json_object_get(level, "network");
    const json_t *beside = json_object_get(level, "beside_continuous_posterior");
    assert_int_equal(json_array_size(rows), QUANTITIES_LAB);
    double missing = 0;
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        const json_t *row = json_array_get(rows, (size_t)q);
        if (q < EIS_COUNT) missing += at(row, "cases");
        else expect_near("cases", at(row, "cases"), 30, 0);
        assert_true(at(row, "coverage_80") <= at(row, "coverage_95"));
        if (q == QUANTITY_TER && at(row, "median_abs_log10_error") > 0.05)
            fail_msg("TER is off by %g decades", at(row, "median_abs_log10_error"));
    }
    expect_near("missing parameters of 1 to 5, of six spectra", missing, 6 * 15, 0);
    if (beside) { /* a build with cminpack */
        const json_t *network = json_object_get(beside, "network"), *refined = json_object_get(beside, "continuous");
        assert_int_equal(json_array_size(network), json_array_size(refined));
        const json_t *ter = json_array_get(refined, json_array_size(refined) - (QUANTITIES_LAB - QUANTITY_TER));
        assert_string_equal(json_string_value(json_object_get(ter, "quantity")), "TER");
        expect_near("cases of the continuous posterior", at(ter, "cases"), 6, 0);
        if (at(ter, "median_abs_log10_error") > 0.02)
            fail_msg("the continuous TER is off by %g decades", at(ter, "median_abs_log10_error"));
    }
    json_decref(all);
    eis_result_free(&r);
}

static int stop_at_once(void *user, const eis_event *event) {
    (void)event;
    return ++*(int *)user;
}

static int stop_at_progress(void *user, const eis_event *event) {
    (void)user;
    return event->tone == EIS_PROGRESS;
}

/* One that several processes may share, stopped when a group of spectra is measured: the next call takes that one, or
 * says that it is damaged. The report is that of a process alone. */
static void test_joined(void **state) {
    eis_options  o = options_for(GRID_GROUP + 1, "1%");
    eis_result   alone, shared;
    tide_failure failure = { 0 };
    char         piece[FOLDER_PATH];
    (void)state;
    evaluate(&o, &alone);
    o.join = true;
    assert_int_equal(eis_evaluate(&o, NULL, NULL, &shared, &failure), TIDE_EINVAL); /* where? */
    assert_string_equal(failure.column, "join");
    snprintf(o.out, sizeof o.out, "%s/out", folder);
    folder_file(o.out, OWNED_FOLDER "/pieces/grid0-0", piece);
    assert_int_equal(eis_evaluate(&o, stop_at_progress, NULL, &shared, &failure), TIDE_ECANCELLED);
    assert_int_equal(truncate(piece, 100), 0);
    assert_int_equal(eis_evaluate(&o, NULL, NULL, &shared, &failure), TIDE_EDATA);
    assert_string_equal(failure.file, piece);
    assert_int_equal(unlink(piece), 0);
    evaluate(&o, &shared);
    assert_string_equal(alone.text, shared.text);
    assert_int_not_equal(access(piece, F_OK), 0);
    owned_remove(o.out, NULL);
    eis_result_free(&alone), eis_result_free(&shared);
}

static void test_refused(void **state) {
    static const char *const noises[] = { "0.01,", "x", "2", "1%;5%", "0.01,,0.05" };
    tide_failure failure = { 0 };
    eis_result   r;
    int          calls = 0;
    eis_options  o = options_for(64, "1%");
    (void)state;
    assert_int_equal(eis_evaluate(&o, stop_at_once, &calls, &r, &failure), TIDE_ECANCELLED);
    assert_int_equal(calls, 1);
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++) {
        failure = (tide_failure){ 0 };
        o = options_for(1, noises[i]);
        assert_int_equal(eis_evaluate(&o, NULL, NULL, &r, &failure), TIDE_EINVAL);
        assert_string_equal(failure.column, "noise");
    }
    failure = (tide_failure){ 0 };
    o.model[0] = 0;
    assert_int_equal(eis_evaluate(&o, NULL, NULL, &r, &failure), TIDE_EINVAL);
}

static int setup(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(model_path, sizeof model_path, "%s/model.safetensors", folder);
    snprintf(lab_path, sizeof lab_path, "%s/lab.safetensors", folder);
    write_random_model(EIS_RECIPE_GRID, 32, model_path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(model_path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calibration), cmocka_unit_test(test_untrained),
                                        cmocka_unit_test(test_threads),
                                        cmocka_unit_test(test_device), cmocka_unit_test(test_lab),
                                        cmocka_unit_test(test_joined), cmocka_unit_test(test_refused) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
