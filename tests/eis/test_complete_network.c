/* Completion by a predictor: whose weights it trusts, what it says of itself, and what it refuses. The networks here
 * have learned nothing: what comes out right does so through the likelihood, or by construction. */
#include <jansson.h>
#include <tidemill/eis.h>

#include "eis/posterior/completion.h"
#include "eis/circuit/rng.h"
/* cmocka's fail is a macro */
#include "random_model.h"

static char folder[] = "/tmp/tide_network_XXXXXX", grid_path[80], lab_path[80], csv_path[80];
static const int truth_index[EIS_COUNT] = { 5, 9, 7, 6, 3 };

static void truth(double p[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++) p[k] = eis_grid_value(k, truth_index[k], 12);
}

/* 1 % noise; of `points` frequencies from 100 kHz to 0.1 Hz. */
static void write_spectrum(int points, double rs_ohm) {
    rng    r = { .seed = 5 };
    double p[EIS_COUNT];
    FILE  *file = fopen(csv_path, "w");
    assert_non_null(file);
    truth(p);
    fprintf(file, "frequency_hz,z_re_ohm,z_im_ohm\n");
    for (int i = 0; i < points; i++) {
        eis_z  z;
        double f = 1e5 * pow(1e-6, (double)i / (points - 1));
        eis_impedance(EIS_SHUNT, p, rs_ohm, 1, &f, &z);
        double sd = 0.01 * hypot(z.re, z.im), re = z.re + sd * rng_normal(&r), im = z.im + sd * rng_normal(&r);
        fprintf(file, "%.17g,%.17g,%.17g\n", f, re, im);
    }
    fclose(file);
}

static eis_options options_for(const char *model, const char *known) {
    eis_options o;
    eis_options_default(&o);
    snprintf(o.model, sizeof o.model, "%s", model);
    snprintf(o.known, sizeof o.known, "%s", known);
    if (*model) snprintf(o.spectra, sizeof o.spectra, "%s", csv_path);
    if (model == grid_path) snprintf(o.rs, sizeof o.rs, "0"); /* what it was trained on */
    return o;
}

static json_t *complete(const eis_options *o) {
    tide_failure failure = { 0 };
    eis_result   r;
    expect_ok(eis_complete(o, NULL, NULL, &r, &failure), &failure);
    json_t *all = json_loads(r.json, 0, NULL);
    assert_non_null(all);
    eis_result_free(&r);
    return all;
}

static double number(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    if (!json_is_number(v)) fail_msg("no number \"%s\"", key);
    return json_number_value(v);
}

static bool is_true(const json_t *o, const char *key) { return json_is_true(json_object_get(o, key)); }
static const json_t *best_of(const json_t *o) { return json_array_get(json_object_get(o, "top_k_predictions"), 0); }

/* One missing: all twelve values are candidates, so the re-ranked answer is the exact one whatever the network
 * thinks. */
static void test_reranked_is_exact(void **state) {
    char   known[200];
    double p[EIS_COUNT];
    (void)state;
    truth(p);
    write_spectrum(61, 0);
    snprintf(known, sizeof known, "Rsh=%.17g,Ra=%.17g,Rb=%.17g,Ca=%.17g", p[EIS_RSH], p[EIS_RA], p[EIS_RB], p[EIS_CA]);
    eis_options o = options_for(grid_path, known);
    snprintf(o.noise, sizeof o.noise, "1%%");
    o.canonical = true;
    json_t *network = complete(&o);
    o.method = EIS_EXACT;
    json_t *exact = complete(&o);
    for (int i = 0; i < 12; i++) {
        double a = json_number_value(
            json_array_get(json_object_get(json_object_get(network, "marginal_distributions"), "Cb"), (size_t)i));
        double b = json_number_value(
            json_array_get(json_object_get(json_object_get(exact, "marginal_distributions"), "Cb"), (size_t)i));
        expect_near("probability of Cb", a, b, 1e-5);
    }
    assert_true(is_true(network, "reranked") && is_true(network, "in_training_range") &&
                is_true(network, "grid_adequate"));
    expect_near("Cb", number(best_of(network), "Cb"), p[EIS_CB], 1e-9 * p[EIS_CB]); /* ten digits are printed */
    json_decref(network);
    json_decref(exact);
}

/* Labels of the user: exchanged, they must give the same answer with the names exchanged. */
static void test_labels(void **state) {
    double p[EIS_COUNT];
    char   given[2][80];
    json_t *answer[2];
    (void)state;
    truth(p);
    snprintf(given[0], sizeof given[0], "Ra=%.17g", p[EIS_RA]);
    snprintf(given[1], sizeof given[1], "Rb=%.17g", p[EIS_RA]);
    for (int rerank = 0; rerank < 2; rerank++) {
        for (int i = 0; i < 2; i++) {
            eis_options o = options_for(grid_path, given[i]);
            o.rerank  = rerank;
            answer[i] = complete(&o);
            assert_true(json_is_false(json_object_get(answer[i], "canonical")));
        }
        expect_near("entropy", number(json_object_get(answer[0], "uncertainty"), "entropy_nats"),
                    number(json_object_get(answer[1], "uncertainty"), "entropy_nats"), 1e-4);
        for (int i = 0; i < 12; i++) {
            double a = json_number_value(
                json_array_get(json_object_get(json_object_get(answer[0], "marginal_distributions"), "Ca"), (size_t)i));
            double b = json_number_value(
                json_array_get(json_object_get(json_object_get(answer[1], "marginal_distributions"), "Cb"), (size_t)i));
            expect_near("marginal of the known membrane", a, b, 1e-5);
        }
        json_decref(answer[0]);
        json_decref(answer[1]);
    }
}

/* Without re-ranking the marginals are the network's own, and what its candidates leave is not hidden. */
static void test_network_alone(void **state) {
    (void)state;
    write_spectrum(61, 0);
    eis_options o = options_for(grid_path, "");
    o.rerank = false;
    json_t *all = complete(&o);
    double  sum = 0;
    for (int i = 0; i < 12; i++)
        sum += json_number_value(
            json_array_get(json_object_get(json_object_get(all, "marginal_distributions"), "Rsh"), (size_t)i));
    expect_near("sum", sum, 1, 1e-5);
    assert_true(!is_true(all, "reranked"));
    /* 12^5 cells, nothing learned: 32 of them cannot have much */
    if (number(json_object_get(all, "uncertainty"), "top5_mass") > 0.05)
        fail_msg("an untrained network is sure of itself");
    json_decref(all);
}

static void test_lab(void **state) {
    (void)state;
    write_spectrum(40, 30);
    eis_options o = options_for(lab_path, "");
    json_t *all = complete(&o), *again = complete(&o), *intervals = json_object_get(all, "intervals_95");
    double  p[EIS_COUNT];
    truth(p);
    eis_invariants v = eis_invariants_of(p);
    assert_true(is_true(all, "in_training_range"));
    assert_string_equal(json_string_value(json_object_get(all, "recipe")), "lab");
    assert_true(json_is_null(json_object_get(all, "grid_adequate")));
    assert_true(json_equal(all, again));  /* drawn by counters */
    /* where the fit puts it, within some standard deviations: the bins begin from there */
    expect_near("TER", number(all, "ter_ohm"), v.r0_ohm, 0.1 * v.r0_ohm);
    expect_near("noise", number(all, "noise"), 0.01, 0.004);
    assert_int_equal(json_object_size(intervals), 10);
    json_decref(all);
    json_decref(again);
}

static void expect_reason(const json_t *all, const char *part) {
    const json_t *list = json_object_get(all, "training_range_reasons");
    assert_true(json_is_false(json_object_get(all, "in_training_range")));
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strstr(json_string_value(json_array_get(list, i)), part)) return;
    fail_msg("no reason says \"%s\"", part);
}

static void test_training_range(void **state) {
    (void)state;
    write_spectrum(31, 0);
    eis_options o = options_for(grid_path, "Ca=3.7uF");
    json_t *all = complete(&o);
    expect_reason(all, "frequencies are not");
    expect_reason(all, "Ca lies between grid values");
    json_decref(all);
    write_spectrum(12, 30);
    o = options_for(lab_path, "");
    all = complete(&o);
    expect_reason(all, "12 points");
    json_decref(all);
    write_spectrum(61, 400);
    all = complete(&o);
    expect_reason(all, "not within");  /* two relaxations take 400 ohm for a far smaller capacitance */
    json_decref(all);
}

/* Known values alone tell nothing: the prior, and a sentence that says so. */
static void test_prior(void **state) {
    (void)state;
    eis_options o = options_for("", "Rsh=460,Ra=4.8k");
    json_t *all = complete(&o), *interval = json_object_get(json_object_get(all, "intervals_95"), "Cb");
    expect_near("entropy", number(json_object_get(all, "uncertainty"), "entropy_nats"), 3 * log(12), 1e-9);
    expect_near("each", number(json_object_get(all, "uncertainty"), "max_probability"), pow(12, -3), 1e-12);
    assert_non_null(strstr(json_string_value(json_object_get(all, "note")), "carry no information"));
    assert_string_equal(json_string_value(json_object_get(all, "method")), "network");
    /* 2.5 % at either end of 500 in the logarithm; 2000 draws */
    expect_near("low end", log10(json_number_value(json_array_get(interval, 0))), -7 + 0.025 * log10(500), 0.05);
    expect_near("high end", log10(json_number_value(json_array_get(interval, 1))), -7 + 0.975 * log10(500), 0.05);
    json_decref(all);
}

static void expect_refused(const eis_options *o, const char *column, const char *part) {
    tide_failure failure = { 0 };
    eis_result   r;
    assert_int_equal(eis_complete(o, NULL, NULL, &r, &failure), TIDE_EINVAL);
    assert_string_equal(failure.column, column);
    if (!strstr(failure.message, part)) fail_msg("expected \"%s\" in \"%s\"", part, failure.message);
}

static void test_refused(void **state) {
    eis_options o = options_for(grid_path, "");
    (void)state;
    write_spectrum(61, 0);
    o.circuit = EIS_CHAIN;
    expect_refused(&o, "circuit", "shunt circuit");
    o = options_for(grid_path, "");
    for (int given = 0; given < 2; given++) {
        snprintf(o.rs, sizeof o.rs, given ? "free" : "auto");
        expect_refused(&o, "rs", "`recipe` grid");
    }
    o.model[0] = 0;
    o.method   = EIS_NETWORK;
    expect_refused(&o, "model", "`model` RUN");
}

/* Everything known: it is the answer, with either model. */
static void test_nothing_missing(void **state) {
    char   known[256];
    double p[EIS_COUNT];
    (void)state;
    truth(p);
    write_spectrum(61, 0);
    snprintf(known, sizeof known, "Rsh=%.17g,Ra=%.17g,Rb=%.17g,Ca=%.17g,Cb=%.17g", p[0], p[1], p[2], p[3], p[4]);
    for (int lab = 0; lab < 2; lab++) {
        eis_options o   = options_for(lab ? lab_path : grid_path, known);
        json_t     *all = complete(&o);
        expect_near("probability", number(best_of(all), "joint_probability"), 1, 0);
        expect_near("TER", number(all, "ter_ohm"), eis_invariants_of(p).r0_ohm, 1e-6);
        json_decref(all);
    }
}

static int setup(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(grid_path, sizeof grid_path, "%s/grid.safetensors", folder);
    snprintf(lab_path, sizeof lab_path, "%s/lab.safetensors", folder);
    snprintf(csv_path, sizeof csv_path, "%s/spectrum.csv", folder);
    write_random_model(EIS_RECIPE_GRID, 32, grid_path);
    write_random_model(EIS_RECIPE_LAB, 32, lab_path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(grid_path), unlink(lab_path), unlink(csv_path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reranked_is_exact), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_network_alone),     cmocka_unit_test(test_lab),
        cmocka_unit_test(test_training_range),    cmocka_unit_test(test_prior),
        cmocka_unit_test(test_refused),           cmocka_unit_test(test_nothing_missing)
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
