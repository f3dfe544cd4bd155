/* The report page and its charts: what must be on it, and what must not. */
#include <jansson.h>
#include <sys/stat.h>

#include "eis/answer/answer.h"
#include "eis/report/report.h"
#include "../folder.h"
#include "support.h"

static char *read_all(const char *folder, const char *name) {
    char  path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("there is no %s", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *all = calloc(1, size + 1);
    assert_int_equal(fread(all, 1, size, file), size);
    fclose(file);
    return all;
}

static void expect_not(const char *text, const char *part) {
    const char *at = strstr(text, part);
    if (at) fail_msg("did not expect \"%s\": ...%.80s", part, at);
}

static int64_t count_of(const char *text, const char *part) {
    int64_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) count++;
    return count;
}

/* Ca and Cb missing, two candidates; Cb is left open. */
static eis_answer make_answer(void) {
    static const interval none = { NAN, NAN, NAN };
    question q = { .circuit = EIS_SHUNT,
                   .method = EIS_REFINED,
                   .known = { { true, true, true, false, false }, { 0 } } };
    completion c = { .noise = 0.01, .noise_used = 0.01, .chi2 = 1, .resnorm = 3.5, .rs_ohm = 0, .grid_chi2 = NAN };
    summary   *s = &c.summary;
    eis_answer out;
    memcpy(q.known.value, example, 3 * sizeof *example);
    s->top = calloc(2, sizeof *s->top), s->top_count = 2, s->max_probability = 0.75;
    for (int k = 0; k < SUM_COUNT; k++) s->of[k] = none;
    s->of[SUM_TER] = (interval){ 431.0, 431.749, 432.0 }, s->of[SUM_TEC] = (interval){ NAN, 9.5593e-7, NAN };
    s->of[EIS_CA] = (interval){ 1.0e-6, 1.2e-6, 1.5e-6 }, s->of[EIS_CB] = (interval){ 5.0e-6, 1e-5, 1e-4 };
    for (int k = EIS_CA; k <= EIS_CB; k++) s->marginal[k][5] = 0.75, s->marginal[k][6] = 0.25;
    for (int i = 0; i < 2; i++)
        s->top[i] = (candidate){ .p = { [EIS_CA] = 1.2e-6 * (1 + i), [EIS_CB] = 4.7e-6 }, .resnorm = 3.5,
                                 .probability = i ? 0.25 : 0.75, .index = { [EIS_CA] = 5 + i, [EIS_CB] = 6 } };
    answer from = { .question = &q, .completion = &c, .model = "", .source = "" };
    assert_int_equal(answer_make(&from, &c, &out, NULL), TIDE_OK);
    return out;
}

static char *page_of(report *r, const char *folder) {
    tide_failure failure = { 0 };
    r->folder = folder;
    if (!r->title) r->title = "A <report> & more";
    if (!r->candidates) r->candidates = 10;
    if (report_write(r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return read_all(folder, "report.html");
}

static void test_whole(void **state) {
    static const char *const parts[] = { "A &lt;report&gt; &amp; more",
                                         "Where Ca is",
                                         "Where Cb is",
                                         "Ca and Cb together",
                                         "Nyquist",
                                         "Bode: size",
                                         "Bode: phase",
                                         "Calibration",
                                         "Loss",
                                         "Accuracy",
                                         ">truth<",
                                         "431.7 ohm",
                                         "1.2 uF",
                                         "inside",
                                         "outside; left open by the data",
                                         "Rsh = 460 ohm",
                                         "name=\"viewport\"",
                                         "@media print" };
    char   path[256];
    sample s;
    rng    r = { .seed = 3 };
    snprintf(path, sizeof path, "%s/metrics.csv", (const char *)*state);
    FILE *file = fopen(path, "w");
    fputs("epoch,train_loss,val_loss,train_acc,val_acc,best_possible_acc\n1,2.5,2.6,0.08,0.081,0.083\n2,2.4,2.5,,0.082,"
          "0.083\n",
          file);
    fclose(file);
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 0, 0.01, &r);
    eis_answer answer = make_answer();
    calibration calibration = { .count = { [1] = 50, [13] = 40 }, .confidence = { [1] = 5, [13] = 36 },
                                .mass = { [1] = 10, [13] = 32 } };
    report whole = { .answer = &answer,
                     .other = &answer,
                     .answer_name = "one",
                     .other_name = "other",
                     .truth = example,
                     .spectrum = &spectrum,
                     .spectrum_note = "made up",
                     .metrics = path,
                     .calibration = &calibration,
                     .calibration_of = "of what" };
    char   *page   = page_of(&whole, *state), *json = read_all(*state, "report.json");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect_has(page, parts[i]);
    assert_int_equal(count_of(page, "<svg"), 9);
    assert_int_equal(count_of(page, "<svg"), count_of(page, "</svg>"));
    assert_int_equal(count_of(page, "<figure>"), count_of(page, "</figure>"));
    expect_not(page, "<script");
    expect_not(page, "src=");
    expect_not(page, "href=");
    expect_not(page, "nan");
    expect_not(page, "inf\"");
    json_t *read = json_loads(json, 0, NULL);
    expect_near("truth in report.json", json_real_value(json_object_get(json_object_get(read, "truth"), "Cb")),
                example[EIS_CB], 1e-9);
    assert_int_equal(json_array_size(json_object_get(read, "calibration")), 2);
    json_decref(read);
    eis_answer_free(&answer);
    free(page), free(json);
}

/* Without truth, spectrum or training there is less on it, and nothing empty. */
static void test_least(void **state) {
    eis_answer answer = make_answer();
    report  r      = { .answer = &answer, .candidates = 1 };
    char   *page   = page_of(&r, *state);
    expect_not(page, "Nyquist");
    expect_not(page, "truth");
    expect_not(page, "The trained predictor");
    expect_not(page, "<figure></figure>");
    assert_int_equal(count_of(page, "<svg"), 3);
    assert_int_equal(count_of(page, "<tr><td>2<td>"), 0);
    eis_answer_free(&answer);
    free(page);
}

static void test_charts_edges(void **state) {
    const double x[] = { 1, 2, 3, 4 }, y[] = { NAN, -1, INFINITY, 5 }, same[] = { 7, 7, 7, 7 };
    const struct {
        const double *x, *y;
        int64_t count;
        bool log;
    } cases[] = { { x, y, 4, true },  { x, y, 4, false },      { x, y, 1, true },
                  { x, y, 0, false }, { same, same, 4, true }, { same, same, 1, false } };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (plot_style style = PLOT_LINE; style <= PLOT_ERRORS; style++) {
            text        out    = { 0 };
            plot_series series = { .name = "s", .x = cases[i].x, .y = cases[i].y, .y_upper = cases[i].x,
                                   .y_lower = cases[i].y, .count = cases[i].count, .style = style };
            plot c = { .title = "t",
                       .x_label = "x",
                       .y_label = "y",
                       .log_x = cases[i].log,
                       .log_y = cases[i].log,
                       .series = &series,
                       .series_count = 1 };
            chart_svg(&c, &out);
            expect_not(out.data, "nan");
            expect_not(out.data, "inf");
            text_free(&out);
        }
}

static void test_si(void **state) {
    static const struct { double value; int digits; const char *text;
    } cases[] = {
        { 4820, 3, "4.82 k" }, { 1.2e-6, 3, "1.2 u" }, { 999.96, 4, "1 k" },        { 0, 3, "0 " },
        { 460, 4, "460 " },
        { NAN, 3, "-" },       { 1e-9, 3, "1 n" },     { 9.5593e-7, 4, "955.9 n" }, { 0.999999, 3, "1 " },
        { 12345678, 3, "12.3 M" },
    };
    char buffer[32];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(si_format(buffer, cases[i].value, cases[i].digits), cases[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_least, make_folder, remove_folder),
        cmocka_unit_test(test_charts_edges),
        cmocka_unit_test(test_si),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
