/* Plots: the numbers always, the picture when gnuplot is there, hostile text as text, nothing half-written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot/plot.h"

static char folder[] = "/tmp/tidemill-plot-XXXXXX";

static const double epoch[] = { 1, 2, 3 }, late[] = { 2, 3, 4 }, loss[] = { 0.5, NAN, 0.25 }, low[] = { 1, 2, 3 }, high[] = { 2, 3, 4.5 };
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
    assert_int_equal(plot_write(path("a.svg"), &p, NULL, NULL), TIDE_OK);
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
    assert_int_equal(plot_write(path("b.svg"), &p, &drawn, NULL), TIDE_OK);
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
    assert_int_equal(plot_write(path("c.svg"), &p, NULL, NULL), TIDE_OK);
    assert_non_null(strstr(read_all("c.svg"), "2016-07-01"));
}

static void without_gnuplot(void **state) {
    (void)state;
    plot p = make("t");
    bool drawn = true;
    setenv("TIDEMILL_GNUPLOT", "", 1);
    assert_false(plot_available());
    assert_int_equal(plot_write(path("d.svg"), &p, &drawn, NULL), TIDE_OK);
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
    assert_int_equal(plot_write(path("e.svg"), &p, NULL, &failure), TIDE_EIO);
    unsetenv("TIDEMILL_GNUPLOT");
    assert_non_null(strstr(failure.message, "gnuplot"));
    assert_null(read_all("e.svg"));
}

static void refusals(void **state) {
    (void)state;
    plot p = make("t");
    assert_int_equal(plot_write(path("picture.png"), &p, NULL, NULL), TIDE_EINVAL);
    assert_int_equal(plot_write("/nowhere/at/all.svg", &p, NULL, NULL), TIDE_EIO);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_one_row_for_each_x), cmocka_unit_test(text_is_only_text), cmocka_unit_test(times_and_logarithms),
        cmocka_unit_test(without_gnuplot), cmocka_unit_test(gnuplot_fails), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
