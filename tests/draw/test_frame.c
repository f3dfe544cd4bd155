/* Axes: prefixes, ticks, what is shown, and the words along a curve; and a plot drawn into a page. */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "draw/chart.h"
#include "draw/frame.h"
#include "xml_support.h"
/* cmocka's `fail` is a macro: after ours */
#include <cmocka.h>

static scale of(double low, double high, bool log, const char *unit) {
    return scale_of((extent){ low, high }, log, false, unit);
}

/* Nobody counts zeros. */
static void units_have_prefixes(void **state) {
    static const struct {
        double low, high;
        bool log;
        const char *unit, *title, *first;
    } cases[] = {
        { 0, 4820, false, "ohm", "q (kohm)", "0" },    { 1e-7, 1.2e-6, false, "F", "q (uF)", "0.2" },
        { 0, 950, false, "ohm", "q (ohm)", "0" },      { 2e9, 3e9, false, "ohm", "q (Gohm)", "2.0" },
        { 0.01, 1e5, true, "Hz", "q (Hz)", "10 m" },   { 1e-6, 1e-3, true, "F", "q (F)", "1 u" },
        { 1e-7, 10, true, NULL, "q", "1e-7" },         { 0.2, 0.9, true, "s", "q (ms)", "200" },
        { -0.004, 0.004, false, "V", "q (mV)", "-4" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SCALE_TITLE];
        scale s = of(cases[i].low, cases[i].high, cases[i].log, cases[i].unit);
        assert_string_equal(scale_title(&s, "q", text), cases[i].title);
        assert_string_equal(scale_tick(&s, s.tick[0], text), cases[i].first);
    }
}

/* Whatever is to be shown: some ticks, none twice, all of them within. */
static void any_extent_has_ticks(void **state) {
    static const double ends[][2] = { { 0, 1 },          { 5, 5 },          { 0, 0 },
                                      { -1e300, 1e300 }, { 1e-300, 1e300 }, { 431.7512, 431.7519 },
                                      { 1, 9.99 },       { 1, 10 },         { 1e9, 1e9 + 1 },
                                      { 1e308, -1e308 }, { 2, 2000 },       { 1e-15, 1e-12 } };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (int log = 0; log < 2; log++) {
            char word[2][SCALE_TEXT] = { "", "" };
            scale s = of(ends[i][0], ends[i][1], log, "ohm");
            assert_true(s.low < s.high);
            assert_in_range(s.ticks, 2, SCALE_TICKS);
            for (int k = 0; k < s.ticks; k++) {
                scale_tick(&s, s.tick[k], word[k % 2]);
                assert_string_not_equal(word[0], word[1]);
                double along = scale_along(&s, s.tick[k]);
                assert_true(along > -1e-6 && along < 1 + 1e-6);
            }
        }
}

/* ---- a curve ---- */

enum { POINTS = 121 };
typedef struct arc {
    double t[POINTS], x[POINTS], y[POINTS];
    plot_series series;
    plot p;
} arc;

static double complex z_of(double hz) { return 20 + 1000 / CMPLX(1, 6.283185307179586 * hz * 1e-3); }

static void make_arc(arc *a) {
    for (int i = 0; i < POINTS; i++) {
        a->t[i] = pow(10, -1 + i / 20.0);
        a->x[i] = creal(z_of(a->t[i])), a->y[i] = -cimag(z_of(a->t[i]));
    }
    a->series = (plot_series){ .name = "fit", .x = a->x, .y = a->y, .t = a->t, .count = POINTS };
    a->p = (plot){ .title = "t",
                   .x_label = "Re Z",
                   .y_label = "-Im Z",
                   .x_unit = "ohm",
                   .y_unit = "ohm",
                   .t_label = "frequency",
                   .t_unit = "Hz",
                   .equal_axes = true,
                   .series = &a->series,
                   .series_count = 1 };
}

static void an_ohm_is_as_long_on_both(void **state) {
    arc a;
    (void)state;
    make_arc(&a);
    frame f = frame_of(&a.p, 700, 350);
    double x = f.width / (f.x.high - f.x.low), y = f.height / (f.y[0].high - f.y[0].low);
    assert_true(fabs(x / y - 1) < 1e-12);
    assert_int_equal(f.x.thousands, f.y[0].thousands);
}

/* On the curve, where the frequency is a power of ten; where the curve ends in a point most of them are left out. */
static void decades_stand_on_the_curve(void **state) {
    decade_mark mark[DECADES_MOST];
    arc a;
    (void)state;
    make_arc(&a);
    frame f = frame_of(&a.p, 700, 350);
    int count = frame_decades(&a.p, &f, mark);
    bool hundred = false;
    assert_in_range(count, 3, 6);
    for (int i = 0; i < count; i++) {
        double hz = num_parse(mark[i].text, NULL) * (strchr(mark[i].text, 'k') ? 1e3 : 1) *
                    (strchr(mark[i].text, 'm') ? 1e-3 : 1);
        double complex z = z_of(hz);
        /* 20 points a decade: chords are within 0.2 % of the arc */
        assert_true(hypot(mark[i].x - creal(z), mark[i].y + cimag(z)) < 2);
        hundred = hundred || !strcmp(mark[i].text, "100 Hz");
    }
    assert_true(hundred);
    a.p.t_label = NULL;
    assert_int_equal(frame_decades(&a.p, &f, mark), 0);
}

static void limits_are_symmetric(void **state) {
    const double x[] = { 1, 10, 100 }, y[] = { -0.5, 1, 60 };
    plot_series s = { .name = "left", .x = x, .y = y, .count = 3, .style = PLOT_CROSSES };
    plot p = { .log_x = true, .y_is_symmetric = true, .y_limit = 2, .series = &s, .series_count = 1 };
    (void)state;
    frame f = frame_of(&p, 700, 350);
    assert_true(fabs(f.y[0].low + f.y[0].high) < 1e-12);
    assert_true(f.y[0].high > 2 && f.y[0].high < 2.5);
    assert_true(series_y(&p, &s, 2) == 2);
}

/* ---- in a page ---- */

static void charts_are_well_formed(void **state) {
    static const char hostile[] = "</svg><script>\"x\" & 'y' \xff\xed\xa0\x80\x01 \xe2\x82\xac";
    const double x[] = { 1, 2, 3 }, y[] = { 1, NAN, 3 }, low[] = { 0.5, 0, 2 }, high[] = { 2, 3, 4 };
    plot_series s[PLOT_ERRORS + 1];
    plot_axis lower = { hostile, "ohm", true, false };
    plot_marker at = { 2, hostile };
    plot_word word = { 3, 3, hostile };
    (void)state;
    for (plot_style k = PLOT_LINE; k <= PLOT_ERRORS; k++)
        s[k] = (plot_series){
            .name = hostile, .x = x, .y = y, .y_lower = low, .y_upper = high, .count = 3, .style = k, .lower = k % 2
        };
    plot p = { .title = hostile,
               .x_label = hostile,
               .y_label = hostile,
               .lower = &lower,
               .series = s,
               .series_count = PLOT_ERRORS + 1,
               .markers = &at,
               .marker_count = 1,
               .words = &word,
               .word_count = 1 };
    text out = { 0 };
    chart_svg(&p, &out);
    assert_false(out.failed);
    assert_null(xml_fault(out.data));
    assert_null(strstr(out.data, "<script"));
    assert_null(strchr(out.data, '\xff'));
    assert_null(strstr(out.data, "nan"));
    assert_non_null(strstr(out.data, "\xe2\x82\xac"));
    text_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_have_prefixes),       cmocka_unit_test(any_extent_has_ticks),
        cmocka_unit_test(an_ohm_is_as_long_on_both), cmocka_unit_test(decades_stand_on_the_curve),
        cmocka_unit_test(limits_are_symmetric),      cmocka_unit_test(charts_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
