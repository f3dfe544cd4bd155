/* Plots of spectra: their numbers, their names, what is left out. */
#include "../draw/xml_support.h"
#include "../folder.h"
#include "eis/plots/spectrum_plots.h"
#include "support.h"

static char *read_all(const char *name) {
    static char text[1 << 20];
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("there is no %s", path);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static int64_t lines_of(const char *text) {
    int64_t count = 0;
    for (; *text; text++) count += *text == '\n';
    return count;
}

static const char *line_at(const char *text, double key) {
    for (const char *at = strchr(text, '\n'); at && at[1]; at = strchr(at + 1, '\n'))
        if (strtod(at + 1, NULL) == key) return at + 1;
    fail_msg("no row of %g", key);
    return NULL;
}

/* A row is a frequency, in ohm and hertz: data and line side by side, the point that was left out in columns of its
 * own. */
static void numbers_are_those_of_the_spectrum(void **state) {
    sample s;
    plot_place to = { *state, "", NULL };
    bool left_out[POINTS] = { [7] = true };
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 20, 0, NULL);
    double hz[2] = { s.freq_hz[0], s.freq_hz[POINTS - 1] };
    eis_z line[2] = { s.z[0], s.z[POINTS - 1] };
    spectrum.name = "well";
    spectrum_shown shown = { &spectrum, left_out, "fit", hz, line, 2 };
    assert_int_equal(draw_spectrum(&shown, &to, NULL), TIDE_OK);
    const char *text = read_all("nyquist.csv");
    expect_has(text,
               "frequency (Hz),data: Re Z (ohm),data: -Im Z (ohm),fit: Re Z (ohm),fit: -Im Z (ohm),left out: Re Z "
               "(ohm),left out: -Im Z (ohm)\n");
    assert_int_equal(lines_of(text), 1 + POINTS);
    for (int i = 0; i < POINTS; i++) {
        double f, re, minus_im;
        const char *format = left_out[i] ? "%lf,,,,,%lf,%lf" : "%lf,%lf,%lf";
        if (sscanf(line_at(text, s.freq_hz[i]), format, &f, &re, &minus_im) != 3) fail_msg("row %d", i);
        expect_z("a row", (eis_z){ re, -minus_im }, s.z[i], 1e-15);
    }
    text = read_all("bode.csv");
    expect_has(text, "frequency (Hz),data: |Z| (ohm),fit: |Z| (ohm),left out: |Z| (ohm),data: -phase (degrees),");
    double f, size, line_size;
    assert_int_equal(sscanf(line_at(text, s.freq_hz[0]), "%lf,%lf,%lf,", &f, &size, &line_size), 3);
    expect_near("|Z|", size, hypot(s.z[0].re, s.z[0].im), 1e-14);
}

/* Percent, in the order of frequencies, whatever theirs is; the band is the noise. */
static void residuals_stand_in_the_noise(void **state) {
    const double hz[] = { 100, 1, 10 };
    const eis_z left[] = { { 0.01, -0.02 }, { 0.5, 0.4 }, { -0.01, 0 } };
    const bool out[] = { false, true, false };
    plot_place to = { *state, "001_", NULL };
    residuals_shown shown = { "What is left", "well", hz, left, out, 3, 0.005 };
    spectrum_plot p;
    assert_int_equal(draw_residuals(&shown, "residuals", &to, NULL), TIDE_OK);
    assert_string_equal(read_all("001_residuals.csv"),
                        "frequency (Hz),noise (low),noise (high),real part,imaginary part,\"real part, left out\","
                        "\"imaginary part, left out\"\n"
                        "1,-0.5,0.5,,,50,40\n10,-0.5,0.5,-1,0,,\n100,-0.5,0.5,1,-2,,\n");
    /* What was left out does not squash the others: they span at least a third of the height. */
    assert_true(residual_plot(&shown, &p));
    assert_true(p.plot.y_limit > 2 && p.plot.y_limit < 3 * 2);
    assert_string_equal(p.plot.title, "What is left: well");
    spectrum_plot_free(&p);
}

static void names_are_only_text(void **state) {
    sample s;
    rng r = { .seed = 5 };
    plot_place to = { *state, "", NULL };
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 20, 0.01, &r);
    if (!plot_available()) skip();
    spectrum.name =
        "a folder/it's <b> & \"q\" \xff \\ `touch owned`\n"
        "and a name so long that nothing of the picture would be left if all of it were shown in the title.csv";
    spectrum_shown shown = { &spectrum, NULL, "fit", NULL, NULL, 0 };
    assert_int_equal(draw_spectrum(&shown, &to, NULL), TIDE_OK);
    static const char *const names[] = { "nyquist.svg", "bode.svg" }, *const said[] = { "1 kHz", "10 k" };
    for (int i = 0; i < 2; i++) {
        const char *svg = read_all(names[i]), *fault = xml_fault(svg);
        if (fault) fail_msg("%s: not well-formed at %.60s", names[i], fault);
        expect_has(svg, "touch owned");
        expect_has(svg, said[i]);
        assert_null(strstr(svg, "a folder"));
        assert_null(strstr(svg, "in the title.csv"));
    }
    assert_int_not_equal(access("owned", F_OK), 0);
}

/* 3 points, equal ones, an inductive loop, what is not finite: a picture each, and no failure. */
static void odd_spectra_are_drawn(void **state) {
    double hz[] = { 1, 1, 10 };
    eis_z equal[] = { { 5, 0 }, { 5, 0 }, { 5, 0 } }, loop[] = { { 1, 1 }, { 2, -1 }, { 1.5, 0.5 } },
          odd[] = { { -1, 0 }, { 0, 0 }, { NAN, INFINITY } };
    eis_z *const all[] = { equal, loop, odd };
    for (int i = 0; i < 3; i++) {
        char prefix[8];
        snprintf(prefix, sizeof prefix, "%d_", i);
        plot_place to = { *state, prefix, NULL };
        eis_spectrum spectrum = { .count = 3, .freq_hz = hz, .z = all[i] };
        spectrum_shown shown = { .data = &spectrum };
        residuals_shown left = { "left", NULL, hz, all[i], NULL, 3, NAN };
        tide_failure failure = { 0 };
        if (draw_spectrum(&shown, &to, &failure) != TIDE_OK || draw_residuals(&left, "r", &to, &failure) != TIDE_OK)
            fail_msg("spectrum %d: %s", i, failure.message);
    }
    expect_has(read_all("1_nyquist.csv"), "1,1,-1\n1,2,1\n10,1.5,-0.5\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_spectrum),
        cmocka_unit_test(residuals_stand_in_the_noise),
        cmocka_unit_test(names_are_only_text),
        cmocka_unit_test(odd_spectra_are_drawn),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
