/* Plots: the numbers always, the picture when gnuplot is there, hostile text as text, nothing half-written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "draw/plot.h"
#include "draw/ticks.h"
#include "../folder.h"

static const double epoch[] = { 1, 2, 3 }, late[] = { 2, 3, 4 }, loss[] = { 0.5, NAN, 0.25 }, low[] = { 1, 2, 3 },
                    high[] = { 2, 3, 4.5 };
static const plot_series series[] = {
    { .name = "train, \"first\"", .x = epoch, .y = loss, .count = 3, .style = PLOT_POINTS },
    { .name = "band", .x = late, .y = low, .y_upper = high, .count = 3, .style = PLOT_BAND },
};
static const char hostile[] = "it's `touch owned` <b>&amp;</b> \"q\" {/Bold x_1} \\ $HOME @x\nquit\n \xff \xe2\x82\xac";

static plot make(const char *title) {
    return (plot){ .title = title, .x_label = "epoch", .y_label = "loss", .series = series, .series_count = 2,
                   .markers = &(plot_marker){ 2, NULL }, .marker_count = 0 };
}

static const char *path(const char *name) {
    static char buffer[256];
    snprintf(buffer, sizeof buffer, "%s/%s", folder, name);
    return buffer;
}

static char *read_all(const char *name) {
    static char text[1 << 20];
    FILE *file = fopen(path(name), "rb");
    if (!file) return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static void csv_has_one_row_for_each_x(void **state) {
    (void)state;
    plot p = make("t");
    assert_int_equal(plot_write(path("a.svg"), &p, NULL, NULL, NULL), TIDE_OK);
    assert_string_equal(read_all("a.csv"), "epoch,\"train, \"\"first\"\"\",band (low),band (high)\n"
                                           "1,0.5,,\n"
                                           "2,,1,2\n"
                                           "3,0.25,2,3\n"
                                           "4,,3,4.5\n");
}

static void text_is_only_text(void **state) {
    (void)state;
    plot_series named = series[0];
    plot p = make(hostile);
    bool drawn = false;
    if (!plot_available()) skip();
    named.name = hostile;
    p.series = &named, p.series_count = 1, p.x_label = hostile, p.y_label = hostile;
    p.markers = &(plot_marker){ 2, hostile }, p.marker_count = 1;
    assert_int_equal(plot_write(path("b.svg"), &p, NULL, &drawn, NULL), TIDE_OK);
    assert_true(drawn);
    const char *svg = read_all("b.svg");
    assert_non_null(strstr(svg, "</svg>"));
    assert_non_null(strstr(svg, "touch owned"));
    assert_null(strstr(svg, "<b>"));
    assert_null(strchr(svg, '\xff'));
    assert_int_not_equal(access("owned", F_OK), 0);
}

static void times_and_logarithms(void **state) {
    (void)state;
    const double hours[] = { 1467331200, 1467334800, 1467338400 };
    plot_series s = { .name = "OT", .x = hours, .y = low, .count = 3 };
    plot p = { .title = "time", .x_is_time = true, .log_y = true, .series = &s, .series_count = 1 };
    if (!plot_available()) skip();
    assert_int_equal(plot_write(path("c.svg"), &p, NULL, NULL, NULL), TIDE_OK);
    assert_non_null(strstr(read_all("c.svg"), "2016-07-01"));
}

/* The lowest line of text in an SVG of gnuplot's: y of its transforms plus that of the text within. */
static double lowest_text(const char *svg) {
    double lowest = 0;
    for (const char *at = svg; (at = strstr(at, "<g transform=\"translate(")); at++) {
        double x, y, within = 0;
        const char *end = strstr(at, "</g>");
        if (sscanf(at, "<g transform=\"translate(%lf,%lf)", &x, &y) != 2 || !end) continue;
        for (const char *line = at; (line = strstr(line, "<text")) && line < end; line++)
            lowest = y > lowest ? y : lowest;
        for (const char *line = at; (line = strstr(line, " dy=\"")) && line < end; line++) within += atof(line + 5);
        lowest = y + within > lowest ? y + within : lowest;
    }
    return lowest;
}

/* Labels with a clock have a second line: it is above the lower edge, which is at 450. */
static void clocks_are_not_cut(void **state) {
    (void)state;
    const double steps[] = { 1, 60, 3600, 86400, 2629800 };
    if (!plot_available()) skip();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        double      x[3] = { 1704067200, 1704067200 + 40 * steps[i], 1704067200 + 80 * steps[i] };
        plot_series s    = { .name = "OT", .x = x, .y = low, .count = 3 };
        plot        p    = { .title = "time", .x_is_time = true, .series = &s, .series_count = 1 };
        assert_int_equal(plot_write(path("clock.svg"), &p, NULL, NULL, NULL), TIDE_OK);
        double lowest = lowest_text(read_all("clock.svg"));
        assert_true(lowest > 300);
        assert_true(lowest < 447);
    }
}

/* Few labels and an end, whatever the stamps are; dates only where a year has four digits. */
static void any_stamps(void **state) {
    (void)state;
    const double ends[][2] = { { 9.2e18, 9.2234e18 }, { -9.2e18, 9.2e18 }, { -1e300, 1e300 }, { 1e15, 1e15 + 3600 },
                               { -6.3e10, 0 },
                               { -62167219200.0, 253402300799.0 }, { -3600, 3600 }, { 0, 1e-3 },
                               { 2.534e11, 2.535e11 } };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char  *text = NULL;
        size_t size = 0;
        FILE  *out  = open_memstream(&text, &size);
        assert_non_null(out);
        ticks_put(out, ends[i][0], ends[i][1]);
        fclose(out);
        assert_true(size < 1000);
        assert_int_equal(size > 0, ends[i][0] >= -62167219200.0 && ends[i][1] <= 253402300799.0);
        free(text);
    }
}

/* Noncharacters, surrogates, controls of two bytes, overlong forms: an XML reader would refuse the SVG. */
static void only_what_xml_allows(void **state) {
    (void)state;
    static const char *const refused[] = { "\xef\xbf\xbe", "\xef\xbf\xbf", "\xef\xb7\x90", "\xed\xa0\x80", "\xc2\x85",
                                           "\xc0\xaf", "\xe0\x80\x80", "\xf4\x90\x80\x80",
                                           "\xf0\x9f\xbf\xbe", "\x01", "\x1b", "\xff" };
    if (!plot_available()) skip();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char        name[32];
        plot_series named = series[0];
        snprintf(name, sizeof name, "a%sb\xe2\x82\xac\xf0\x9f\x99\x82", refused[i]);
        named.name = name;
        plot p = { .title = name, .series = &named, .series_count = 1 };
        assert_int_equal(plot_write(path("xml.svg"), &p, NULL, NULL, NULL), TIDE_OK);
        assert_null(strstr(read_all("xml.svg"), refused[i]));
        assert_non_null(strstr(read_all("xml.svg"), "b\xe2\x82\xac\xf0\x9f\x99\x82"));
    }
}

/* Errors near 0 have no axis below it; a logarithm over less than a decade has ticks to read. */
static void axes_fit_their_values(void **state) {
    (void)state;
    const double x[] = { 1, 2, 3 }, error[] = { 0.001, 4, 2 }, ms[] = { 50, 60, 75 };
    plot_series  s = { .name = "mse", .x = x, .y = error, .count = 3 };
    plot         p = { .title = "t", .y_not_negative = true, .x_is_whole = true, .series = &s, .series_count = 1 };
    if (!plot_available()) skip();
    assert_int_equal(plot_write(path("axes.svg"), &p, NULL, NULL, NULL), TIDE_OK);
    assert_null(strstr(read_all("axes.svg"), ">-"));
    assert_non_null(strstr(read_all("axes.svg"), ">0<"));
    s.y = ms, p.log_y = true;
    assert_int_equal(plot_write(path("axes.svg"), &p, NULL, NULL, NULL), TIDE_OK);
    assert_null(strstr(read_all("axes.svg"), ">1000<"));
    assert_non_null(strstr(read_all("axes.svg"), ">70<"));
}

static char warning[512];
static void keep_warning(void *user, const char *message) {
    snprintf(warning, sizeof warning, "%s", message);
    ++*(int *)user;
}
static bool stop_now(void *user, const char *svg_path) { return ++*(int *)user, strstr(svg_path, ".svg") != NULL; }

/* A program that sleeps in a child of its own; the file `alive` tells that it was not killed. */
static void make_sleeper(void) {
    FILE *file = fopen(path("sleeper"), "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n(sleep 2; touch %s/alive) &\nwait\n", folder);
    fclose(file);
    assert_int_equal(chmod(path("sleeper"), 0755), 0);
    setenv("TIDEMILL_GNUPLOT", path("sleeper"), 1);
}

static void gnuplot_hangs(void **state) {
    (void)state;
    plot         p       = make("t");
    int          told    = 0;
    bool         drawn   = true;
    tide_failure failure = { 0 };
    plot_watch   watch   = { .warn = keep_warning, .user = &told, .limit_s = 0.2 };
    make_sleeper();
    for (int i = 0; i < 3; i++) assert_int_equal(plot_write(path("f.svg"), &p, &watch, &drawn, NULL), TIDE_OK);
    assert_int_equal(told, 1);
    assert_false(drawn);
    assert_non_null(strstr(warning, "sleeper"));
    watch = (plot_watch){ .limit_s = 0.2 };
    assert_int_equal(plot_write(path("f.svg"), &p, &watch, NULL, &failure), TIDE_EIO);
    unsetenv("TIDEMILL_GNUPLOT");
    assert_non_null(strstr(failure.message, "sleeper"));
    assert_non_null(read_all("f.csv"));
    assert_null(read_all("f.svg"));
}

static void stopped_while_drawing(void **state) {
    (void)state;
    plot         p       = make("t");
    int          asked   = 0;
    tide_failure failure = { 0 };
    plot_watch   watch   = { .stop = stop_now, .user = &asked };
    make_sleeper();
    assert_int_equal(plot_write(path("g.svg"), &p, &watch, NULL, &failure), TIDE_ECANCELLED);
    unsetenv("TIDEMILL_GNUPLOT");
    assert_int_equal(asked, 1);
    assert_non_null(strstr(failure.message, "g.svg"));
    assert_null(read_all("g.svg"));
    sleep(3);
    assert_int_not_equal(access(path("alive"), F_OK), 0);
}

/* What a full disk cuts short is no picture, though the program says that all is well. */
static void gnuplot_draws_a_part(void **state) {
    (void)state;
    plot         p       = make("t");
    tide_failure failure = { 0 };
    FILE        *file    = fopen(path("part"), "w");
    assert_non_null(file);
    fputs("#!/bin/sh\necho '<svg>'\n", file);
    fclose(file);
    assert_int_equal(chmod(path("part"), 0755), 0);
    setenv("TIDEMILL_GNUPLOT", path("part"), 1);
    assert_int_equal(plot_write(path("h.svg"), &p, NULL, NULL, &failure), TIDE_EIO);
    unsetenv("TIDEMILL_GNUPLOT");
    assert_null(read_all("h.svg"));
}

static void without_gnuplot(void **state) {
    (void)state;
    plot p = make("t");
    bool drawn = true;
    setenv("TIDEMILL_GNUPLOT", "", 1);
    assert_false(plot_available());
    assert_int_equal(plot_write(path("d.svg"), &p, NULL, &drawn, NULL), TIDE_OK);
    unsetenv("TIDEMILL_GNUPLOT");
    assert_false(drawn);
    assert_non_null(read_all("d.csv"));
    assert_null(read_all("d.svg"));
}

static void gnuplot_fails(void **state) {
    (void)state;
    plot p = make("t");
    tide_failure failure = { 0 };
    setenv("TIDEMILL_GNUPLOT", "false", 1);
    assert_int_equal(plot_write(path("e.svg"), &p, NULL, NULL, &failure), TIDE_EIO);
    unsetenv("TIDEMILL_GNUPLOT");
    assert_non_null(strstr(failure.message, "gnuplot"));
    assert_null(read_all("e.svg"));
}

static void refusals(void **state) {
    (void)state;
    plot p = make("t");
    assert_int_equal(plot_write(path("picture.png"), &p, NULL, NULL, NULL), TIDE_EINVAL);
    assert_int_equal(plot_write("/nowhere/at/all.svg", &p, NULL, NULL, NULL), TIDE_EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_one_row_for_each_x), cmocka_unit_test(text_is_only_text),
        cmocka_unit_test(times_and_logarithms),
        cmocka_unit_test(without_gnuplot), cmocka_unit_test(gnuplot_fails), cmocka_unit_test(refusals),
        cmocka_unit_test(clocks_are_not_cut), cmocka_unit_test(any_stamps), cmocka_unit_test(only_what_xml_allows),
        cmocka_unit_test(axes_fit_their_values),
        cmocka_unit_test(gnuplot_hangs), cmocka_unit_test(stopped_while_drawing),
        cmocka_unit_test(gnuplot_draws_a_part),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
