/* The published data set's statistics, to every printed digit. */
#include <jansson.h>

#include "support.h"

static json_t *generate(const char *const *words) {
    eis_options  o;
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    eis_options_default(&o);
    for (; *words; words += 2)
        if (eis_option_set(&o, words[0], words[1], &failure) != TIDE_OK) fail_msg("%s", failure.message);
    if (eis_generate(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    json_t *json = json_loads(r.json, 0, NULL);
    assert_non_null(json);
    eis_result_free(&r);
    return json;
}

static double statistic(const json_t *o, const char *key) {
    return json_number_value(json_object_get(json_object_get(o, "resnorm"), key));
}

static void expect_printed(const json_t *o, const char *key, double printed) {
    if (!(fabs(statistic(o, key) - printed) <= 0.5001e-4))
        fail_msg("%s: expected %.4f, got %.6f", key, printed, statistic(o, key));
}

static void test_published(void **state) {
    const char *root = getenv("TIDEMILL_SHARED");
    char path[512];
    (void)state;
    snprintf(path, sizeof path, "%s/golden/eis_ground_truths.json", root ? root : "../shared");
    if (access(path, R_OK)) {
        print_message("skipped: needs %s\n", path);
        skip();
    }
    json_t *o = generate((const char *[]){ "profile", "generator", "stats-only", "yes", "ground-truths", path, NULL });
    assert_int_equal(json_integer_value(json_object_get(o, "rows")), 1244165);
    expect_printed(o, "min", 0);
    expect_printed(o, "p25", 676.5158);
    expect_printed(o, "median", 1709.4567);
    expect_printed(o, "p75", 3029.2642);
    expect_printed(o, "p90", 6422.2272);
    expect_printed(o, "max", 17741.1545);
    json_decref(o);
}

/* Its best row against 460, 4820, 2210 ohm, 3.7, 3.4 uF. */
static void test_published_app(void **state) {
    char path[] = "/tmp/tidemill-eis-XXXXXX";
    (void)state;
    FILE *f = fdopen(mkstemp(path), "w");
    fputs("[{\"id\": \"quoted\", \"rsh\": 460, \"ra\": 4820, \"rb\": 2210, \"ca\": 3.7e-6, \"cb\": 3.4e-6}]", f);
    fclose(f);
    json_t *o = generate((const char *[]){ "stats-only", "yes", "ground-truths", path, NULL });
    assert_int_equal(json_integer_value(json_object_get(o, "rows")), 125280);
    expect_printed(o, "min", 4.0736);
    json_decref(o);
    unlink(path);
}

/* The fast sum against eis_resnorm, a full grid of 4 values against every circuit sorted, whatever the threads. */
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check_against_all(const char *circuit, eis_circuit kind, const char *norm, eis_resnorm_kind resnorm) {
    enum { N = 4, ALL = N * N * N * N * N, FREQUENCIES = 100 };
    char path[] = "/tmp/tidemill-eis-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("[{\"rsh\": 460, \"ra\": 4820, \"rb\": 2210, \"ca\": 1.2e-6, \"cb\": 4.7e-6}]", file);
    fclose(file);
    double *all = malloc(ALL * sizeof *all), f[FREQUENCIES];
    eis_z data[FREQUENCIES], model[FREQUENCIES];
    for (int i = 0; i < FREQUENCIES; i++) f[i] = pow(10, -1 + 6.0 * i / (FREQUENCIES - 1));
    eis_impedance(kind, example, 0, FREQUENCIES, f, data);
    for (int i = 0; i < ALL; i++) {
        double p[EIS_COUNT];
        for (int k = 0, rest = i; k < EIS_COUNT; k++, rest /= N) p[k] = eis_grid_value(k, rest % N, N);
        eis_impedance(kind, p, 0, FREQUENCIES, f, model);
        all[i] = eis_resnorm(resnorm, FREQUENCIES, f, data, model, 0);
    }
    qsort(all, ALL, sizeof *all, by_value);
    for (int workers = 1; workers <= 2; workers++) {
        json_t *o = generate((const char *[]){ "circuit", circuit, "resnorm", norm, "stats-only", "yes", "grid",
                                               "full", "points", "4", "ground_truths", path,
                                               "n_workers", workers == 1 ? "1" : "2", NULL });
        double at = 0.75 * (ALL - 1);
        expect_near("max", statistic(o, "max"), all[ALL - 1], 1e-13);
        expect_near("min", statistic(o, "min"), all[0], 1e-13);
        expect_near("p75", statistic(o, "p75"), all[(int)at] + (at - floor(at)) * (all[(int)at + 1] - all[(int)at]),
                    1e-13);
        json_decref(o);
    }
    free(all);
    unlink(path);
}

static void test_against_all(void **state) {
    (void)state;
    check_against_all("shunt", EIS_SHUNT, "mean-abs", EIS_MEAN_ABS);
    check_against_all("series", EIS_CHAIN, "mean-abs", EIS_MEAN_ABS);
    check_against_all("parallel", EIS_SHUNT, "pseudo-chi2", EIS_PSEUDO_CHI2);
}

static void test_drawn(void **state) {
    (void)state;
    json_t *o = generate((const char *[]){ "stats-only", "yes", "n_ground_truths", "100", "points", "2", NULL });
    assert_int_equal(json_integer_value(json_object_get(o, "rows")), 100 * 2 * 10); /* 4 membranes: 10 pairs */
    json_decref(o);
}

/* Every statistic of the same data, generated on a device, to rounding: more truths than go there at once. */
static void on_a_device(void **state) {
    const char *device = getenv("TIDEMILL_DEVICE");
    (void)state;
    for (int chain = 0; chain < 2; chain++) {
        const char *circuit = chain ? "chain" : "shunt";
        json_t *here  = generate((const char *[]){ "circuit", circuit, "points", "2", "n-ground-truths", "70", "grid",
                                                   "full", "stats-only", "yes", NULL }),
               *there = generate((const char *[]){ "circuit", circuit, "points", "2", "n-ground-truths", "70", "grid",
                                                   "full", "stats-only", "yes", "device", device ? device : "ref",
                                                   "memory-limit", "4M", NULL });
        const json_t *a = json_object_get(here, "resnorm"), *b = json_object_get(there, "resnorm"), *value;
        const char *key;
        assert_true(json_object_size(a) > 4);
        json_object_foreach((json_t *)a, key, value) {
            double expected = json_number_value(value), got = json_number_value(json_object_get(b, key));
            if (!json_is_number(value)) continue;
            if (!(fabs(got - expected) <= 1e-9 * (1 + fabs(expected))))
                fail_msg("%s %s: %.12g, not %.12g", circuit, key, got, expected);
        }
        json_decref(here), json_decref(there);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_published), cmocka_unit_test(test_published_app),
                                        cmocka_unit_test(test_against_all),
                                        cmocka_unit_test(test_drawn), cmocka_unit_test(on_a_device) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
