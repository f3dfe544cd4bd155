/* Answers in memory: those of the command, its spectra and known values given as numbers; predictors as handles; a
 * listener that stops. */
#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "../folder.h"
#include "random_model.h"
#include "eis/circuit/rng.h"


enum { POINTS = 61 };
typedef struct points { double freq_hz[POINTS]; eis_z z[POINTS]; } points;
static const double example[EIS_COUNT] = { 460, 4820, 2210, 1.2e-6, 4.7e-6 };

static void expect_has(const char *text, const char *part) {
    if (!text || !strstr(text, part)) fail_msg("expected \"%s\" in \"%s\"", part, text ? text : "(null)");
}

static eis_spectrum made(points *s) {
    rng r = { .seed = 3 };
    for (int i = 0; i < POINTS; i++) s->freq_hz[i] = pow(10, -1 + i / 10.0);
    eis_impedance(EIS_SHUNT, example, 20, POINTS, s->freq_hz, s->z);
    for (int i = 0; i < POINTS; i++) {
        double sd = 0.01 * hypot(s->z[i].re, s->z[i].im);
        s->z[i].re += sd * rng_normal(&r), s->z[i].im += sd * rng_normal(&r);
    }
    return (eis_spectrum){ .count = POINTS, .freq_hz = s->freq_hz, .z = s->z };
}

/* As a user would write it down: with all digits. */
static void write_spectrum(const eis_spectrum *s, const char *path) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("frequency_hz,z_re_ohm,z_im_ohm\n", f);
    for (int64_t i = 0; i < s->count; i++) fprintf(f, "%.17g,%.17g,%.17g\n", s->freq_hz[i], s->z[i].re, s->z[i].im);
    fclose(f);
}

static json_t *parsed(char *text) {
    json_t *o = text ? json_loads(text, 0, NULL) : NULL;
    if (!o) fail_msg("no JSON: %s", text ? text : "(null)");
    return o;
}

static json_t *of_answer(const eis_answer *a) {
    char   *text = eis_answer_json(a);
    json_t *o    = parsed(text);
    tide_free(text);
    return o;
}

/* Of eis_complete, without what only the command says. */
static json_t *of_command(const eis_options *o) {
    eis_result   r   = { 0 };
    tide_failure why = { 0 };
    if (eis_complete(o, NULL, NULL, &r, &why) != TIDE_OK) fail_msg("%s", why.message);
    json_t *all = parsed(r.json);
    json_object_del(all, "schema_version"), json_object_del(all, "command");
    eis_result_free(&r);
    return all;
}

static void same(json_t *one, json_t *other) {
    if (!json_equal(one, other)) fail_msg("%s\nis not\n%s", json_dumps(one, 0), json_dumps(other, 0));
    json_decref(one), json_decref(other);
}

static eis_options options_of(int method) {
    eis_options o;
    eis_options_default(&o);
    o.method = method;
    return o;
}

static eis_answer solved(const eis_options *o, const eis_spectrum *s, const eis_known *known) {
    eis_answer   a;
    tide_failure why = { 0 };
    if (eis_solve(o, s, known, NULL, NULL, &a, &why) != TIDE_OK) fail_msg("%s", why.message);
    return a;
}

static void test_as_the_command(void **state) {
    static const int methods[] = { EIS_EXACT, EIS_REFINED };
    (void)state;
    for (int m = 0; m < 2; m++) {
        char         path[128];
        points       s;
        eis_options  o = options_of(methods[m]), of_file = o;
        eis_spectrum spectrum = made(&s);
        eis_known    known = { { true, false, true, false, false }, { 460, 0, 2100 } };
        snprintf(path, sizeof path, "%s/s.csv", folder);
        write_spectrum(&spectrum, path);
        spectrum.name = path, known.value[EIS_RB] = example[EIS_RB], known.value[EIS_RSH] = example[EIS_RSH];
        snprintf(of_file.spectra, sizeof of_file.spectra, "%s", path);
        snprintf(of_file.known, sizeof of_file.known, "Rsh=%.17g,Rb=%.17g", example[EIS_RSH], example[EIS_RB]);
        eis_answer a = solved(&o, &spectrum, &known);
        same(of_answer(&a), of_command(&of_file));
        assert_int_equal(a.method, methods[m]);
        assert_true(a.candidates > 0 && a.samples > 0 && a.of[EIS_TER].low < a.of[EIS_TER].high);
        assert_true(isnan(a.of[EIS_RSH].low) || a.known.is[EIS_RSH]);
        double sum = 0;
        for (int64_t i = 0; i < a.samples; i++) sum += a.sample[i].weight;
        expect_near("weights", sum, 1, 1e-9);
        char *text = eis_answer_text(&a);
        expect_has(text, "missing parameters");
        tide_free(text);
        eis_answer_free(&a);
        assert_null(a.parts);
    }
}

static void test_area_and_prior(void **state) {
    (void)state;
    points       s;
    eis_options  o = options_of(EIS_EXACT);
    eis_spectrum spectrum = made(&s);
    spectrum.area_cm2 = 0.5;
    eis_answer a = solved(&o, &spectrum, NULL);
    assert_string_equal(a.name, "the spectrum");
    assert_true(a.area_cm2 == 0.5);
    eis_answer_free(&a);
    o = options_of(EIS_METHOD_AUTO);
    a = solved(&o, NULL, &(eis_known){ { true }, { 460 } });
    assert_null(a.name);
    assert_int_equal(a.method, EIS_NETWORK);
    assert_true(isnan(a.noise) && a.notes > 0);
    eis_answer_free(&a);
}

typedef struct heard { int calls, at; } heard;

static int stop(void *user, const eis_event *event) {
    heard *h = user;
    assert_true(event->spectrum == 1 && event->spectra == 1 && event->seconds >= 0);
    return ++h->calls >= h->at;
}

static void test_stopped(void **state) {
    static const int methods[] = { EIS_EXACT, EIS_REFINED };
    (void)state;
    for (int m = 0; m < 2; m++) {
        points       s;
        heard        h = { 0, 1 };
        eis_options  o = options_of(methods[m]);
        eis_spectrum spectrum = made(&s);
        eis_answer   a;
        assert_int_equal(eis_solve(&o, &spectrum, NULL, stop, &h, &a, NULL), TIDE_ECANCELLED);
        assert_null(a.parts);
        assert_int_equal(h.calls, 1);
    }
}

static void refused(eis_spectrum s, const char *part, int64_t row) {
    eis_options  o = options_of(EIS_EXACT);
    eis_answer   a;
    tide_failure why = { 0 };
    assert_int_equal(eis_solve(&o, &s, NULL, NULL, NULL, &a, &why), TIDE_EDATA);
    expect_has(why.message, part);
    assert_int_equal(why.row, row);
}

static void test_refused(void **state) {
    (void)state;
    points       s;
    eis_spectrum spectrum = made(&s), few = spectrum;
    few.count = 4;
    refused(few, "4 points", 0);
    spectrum.freq_hz[2] = 0;
    refused(spectrum, "point 3: a frequency must be", 3);
    spectrum = made(&s), spectrum.z[1].im = NAN;
    refused(spectrum, "point 2: an impedance must be finite", 2);
}

/* ---- predictors ---- */

typedef struct job { eis_model *m; eis_spectrum spectrum; json_t *want; bool same; } job;

static void *work(void *data) {
    job         *j = data;
    eis_options  o = options_of(EIS_METHOD_AUTO);
    eis_answer   a[2];
    eis_spectrum two[2] = { j->spectrum, j->spectrum };
    j->same = eis_model_solve(j->m, &o, 2, two, NULL, NULL, NULL, a, NULL) == TIDE_OK;
    for (int i = 0; j->same && i < 2; i++) {
        json_t *got = of_answer(&a[i]);
        j->same &= json_equal(got, j->want);
        json_decref(got);
        eis_answer_free(&a[i]);
    }
    eis_model_free(j->m);
    return NULL;
}

static void test_model(void **state) {
    enum { THREADS = 4 };
    (void)state;
    char         path[128];
    points       s;
    job          jobs[THREADS];
    pthread_t    threads[THREADS];
    eis_model   *m, *again;
    void        *bytes;
    size_t       size;
    tide_failure why = { 0 };
    eis_options  o = options_of(EIS_METHOD_AUTO);
    eis_answer   a;
    eis_spectrum spectrum = made(&s);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    write_random_model(EIS_RECIPE_LAB, 32, path);
    o.threads = 1;
    if (eis_model_load(path, &o, &m, &why) != TIDE_OK) fail_msg("%s", why.message);
    assert_true(eis_model_takes_spectrum(m));
    if (eis_model_solve(m, &o, 1, &spectrum, NULL, NULL, NULL, &a, &why) != TIDE_OK) fail_msg("%s", why.message);
    json_t *want = of_answer(&a);
    eis_answer_free(&a);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){ NULL, spectrum, want, false };
        assert_int_equal(eis_model_clone(m, &jobs[i].m, NULL), TIDE_OK);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    assert_int_equal(eis_model_save_memory(m, &bytes, &size, NULL), TIDE_OK);
    eis_model_free(m);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_true(jobs[i].same);
    assert_int_equal(eis_model_load_memory(bytes, size, NULL, &again, NULL), TIDE_OK);
    o.known[0] = 0;
    assert_int_equal(eis_model_solve(again, &o, 1, NULL, NULL, NULL, NULL, &a, &why), TIDE_EINVAL);
    eis_model_free(again);
    tide_free(bytes);
    json_decref(want);
}

/* At the file's frequencies the numbers of the file; without noise the formula's. */
static void test_simulated(void **state) {
    enum { MOST = 61 };
    eis_options  o;
    eis_spectrum file;
    eis_z        z[MOST], clean[MOST];
    tide_failure why = { 0 };
    (void)state;
    eis_options_default(&o);
    snprintf(o.known, sizeof o.known, "Rsh=460,Ra=4820,Rb=2210,Ca=1.2u,Cb=4.7u");
    snprintf(o.rs, sizeof o.rs, "20");
    o.seed = 7;
    char path[128];
    snprintf(path, sizeof path, "%s/simulated.csv", folder);
    if (eis_simulate(&o, path, &why) != TIDE_OK) fail_msg("%s", why.message);
    if (eis_spectrum_read(path, false, &file, &why) != TIDE_OK) fail_msg("%s", why.message);
    assert_int_equal(file.count, MOST);
    assert_int_equal(eis_simulate_at(&o, MOST, file.freq_hz, z, &why), TIDE_OK);
    for (int i = 0; i < MOST; i++) assert_true(z[i].re == file.z[i].re && z[i].im == file.z[i].im);
    snprintf(o.noise, sizeof o.noise, "0");
    assert_int_equal(eis_simulate_at(&o, MOST, file.freq_hz, z, &why), TIDE_OK);
    eis_impedance(EIS_SHUNT, example, 20, MOST, file.freq_hz, clean);
    assert_memory_equal(z, clean, sizeof z);
    file.freq_hz[4] = -1;
    assert_int_equal(eis_simulate_at(&o, MOST, file.freq_hz, z, &why), TIDE_EDATA);
    assert_int_equal(why.row, 5);
    eis_spectrum_free(&file);
}

static void test_sign(void **state) {
    points       p;
    eis_spectrum s = made(&p);
    tide_failure why = { 0 };
    (void)state;
    eis_impedance(EIS_SHUNT, example, 20, POINTS, s.freq_hz, s.z);
    assert_int_equal(eis_spectrum_sign(&s, false, &why), TIDE_OK);
    for (int i = 0; i < POINTS; i++) s.z[i].im = -s.z[i].im;
    assert_int_equal(eis_spectrum_sign(&s, false, &why), TIDE_EDATA);
    expect_has(why.message, "the spectrum: the imaginary part is positive nearly throughout: looks like -Im(Z)");
    assert_int_equal(eis_spectrum_sign(&s, true, &why), TIDE_EDATA);
    expect_has(why.message, "leave it out");
    s.count = 0;
    assert_int_equal(eis_spectrum_sign(&s, false, &why), TIDE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_the_command), cmocka_unit_test(test_area_and_prior),
                                        cmocka_unit_test(test_stopped), cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_model), cmocka_unit_test(test_simulated),
                                        cmocka_unit_test(test_sign) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
