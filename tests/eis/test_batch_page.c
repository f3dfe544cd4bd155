/* The page of a batch: every row on it, no text of others' as markup, no number without its unit. */
#include "../draw/xml_support.h"
#include "eis/batch/page.h"
#include "support.h"

static const char hostile[] = "plate/<script>alert('1')</script> & \"A1\" \xff.csv";

static int64_t count_of(const char *text, const char *part) {
    int64_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) count++;
    return count;
}

enum { ROWS = 5 };
typedef struct fixture {
    sample sample;
    eis_spectrum spectrum;
    int64_t used[POINTS];
    eis_z model[POINTS], residual[POINTS];
    batch_value parameter[2];
    eis_fault_kind fault;
    batch_row row[ROWS];
    batch_rows rows;
} fixture;

/* Three answers, of which one lies on a bound; a file that cannot be read, and a spectrum that is no epithelium's. */
static void make_rows(fixture *f) {
    rng r = { .seed = 11 };
    f->spectrum = make_spectrum(&f->sample, EIS_SHUNT, example, 20, 0.01, &r);
    f->fault = EIS_FAULT_OUTLIERS;
    for (int64_t i = 0; i < POINTS; i++)
        f->used[i] = i, f->model[i] = f->sample.z[i], f->residual[i] = (eis_z){ 0.001, -0.002 };
    f->parameter[0] = (batch_value){ "Rs", "ohm", 20, 0.5, NULL, NAN, NAN, EIS_PARAMETER_FREE };
    f->parameter[1] = (batch_value){ "Rsh", "ohm", 460, NAN, NULL, NAN, NAN, EIS_PARAMETER_OPEN };
    for (int i = 0; i < ROWS; i++) {
        f->row[i] = (batch_row){ .order = i,
                                 .file = "plate/well.csv",
                                 .sweep = "",
                                 .well = "A1",
                                 .condition = "",
                                 .donor = "",
                                 .time = "",
                                 .time_number = NAN,
                                 .area_cm2 = NAN,
                                 .spectrum = &f->spectrum,
                                 .reason = "",
                                 .note = "",
                                 .checked = true,
                                 .fault = &f->fault,
                                 .kk_rmse = 0.004,
                                 .noise = 0.005,
                                 .circuit = "Rs-Rsh",
                                 .verdict = EIS_FIT_ADEQUATE,
                                 .chi2 = 1.02,
                                 .used = f->used,
                                 .model = f->model,
                                 .residual = f->residual,
                                 .points = POINTS,
                                 .parameter = f->parameter,
                                 .parameters = 2 };
        f->row[i].of[BATCH_TER] =
            (batch_value){ "TER", "ohm", 4317.4 + i, 19.3, "ohm cm2", NAN, NAN, EIS_PARAMETER_FREE };
        f->row[i].of[BATCH_TEC] = (batch_value){ "TEC", "F", 9.559e-7, 2.1e-8, "uF/cm2", NAN, NAN, EIS_PARAMETER_FREE };
    }
    f->row[1].of[BATCH_TEC].state = EIS_PARAMETER_AT_HIGH;
    f->row[2].data = EIS_CHECK_FLAWED, f->row[2].faults = 1, f->row[2].verdict = EIS_FIT_SYSTEMATIC;
    f->row[3] = (batch_row){ .order = 3,
                             .file = hostile,
                             .sweep = "",
                             .well = "",
                             .condition = "",
                             .donor = "",
                             .time = "",
                             .time_number = NAN,
                             .reason = "line 3: <b>no</b> & number",
                             .note = "",
                             .kk_rmse = NAN,
                             .noise = NAN,
                             .chi2 = NAN };
    f->row[4].reason = "no epithelium", f->row[4].data = EIS_CHECK_UNFIT, f->row[4].points = 0;
    f->rows = (batch_rows){ .row = f->row, .count = ROWS, .answered = 3, .circuit = "epithelial" };
}

static char *page_of(const fixture *f) {
    text out = { 0 };
    static batch_group groups[] = {
        { "wells", "<drug>", "24", "", "", "", "TER", "ohm cm2", 3, 0, 431.5, 430, NAN, NAN, 12, 1, 11 },
        { "difference", "<drug>", "24", "control", "24", "donor", "TER", "ohm", 3, 0, -75.25, -70, -90, -60, 9, 1, 8 },
    };
    batch_page(&f->rows, &(batch_groups){ groups, 2 }, &out);
    assert_false(out.failed);
    const char *fault = xml_fault(out.data + strlen("<!doctype html>\n"));
    if (fault) fail_msg("not well-formed at %.80s", fault);
    return out.data;
}

static void all_rows_are_there(void **state) {
    static const char *const parts[] = {
        "3 of 5 spectra have an answer",
        "&lt;drug&gt;, 24</td><td class=\"left\">control, 24</td><td>3 pairs by donor</td><td>-75.25</td>"
        "<td>-90 to -60",
        "TER (kohm)",
        "TEC (nF)",
        "4.317 &#177; 0.019",
        "a bound",
        "outliers",
        "systematic",
        "no epithelium",
        "line 3: &lt;b&gt;no&lt;/b&gt; &amp; number",
        "on a bound",
        "doubtful",
        "epithelial</code>. Weights: modulus",
        "href=\"#s5\"",
        "id=\"s5\"",
    };
    fixture f;
    (void)state;
    make_rows(&f);
    char *page = page_of(&f);
    expect_has(page, tide_version());
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect_has(page, parts[i]);
    /* Nyquist of each spectrum, residuals of each fit, trends of TER, TEC and Rs; Rsh is not determined */
    assert_int_equal(count_of(page, "<svg"), 4 + 3 + 3);
    assert_int_equal(count_of(page, "<details"), 4);
    assert_int_equal(count_of(page, "<tr>"), 2 + ROWS + 2 + 1 + 2); /* answers, none, groups */
    static const char *const never[] = { "<script", "src=", "http://www.w3.org/1999", "nan", "inf\"", "\xff" };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) assert_null(strstr(page, never[i]));
    free(page);
}

/* Where a row has an area, all are per area, and one without says so; times are the axis where most have one. */
static void areas_and_times(void **state) {
    fixture f;
    (void)state;
    make_rows(&f);
    f.rows.plate = true;
    for (int i = 0; i < 2; i++) {
        f.row[i].of[BATCH_TER].area_value = 500 + i, f.row[i].of[BATCH_TER].area_error = 3;
        f.row[i].time = i ? "7" : "3", f.row[i].time_number = i ? 7 : 3, f.row[i].condition = i ? "drug" : "control";
    }
    char *page = page_of(&f);
    static const char *const parts[] = {
        "TER (ohm cm2)", "500.0 &#177; 3.0", "no area", ">time<", ">control<", ">drug<"
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect_has(page, parts[i]);
    free(page);
}

/* Without fits: medians, no residuals, no word of weights or a check. */
static void screened(void **state) {
    fixture f;
    (void)state;
    make_rows(&f);
    f.rows.screened = true, f.rows.circuit = "arcs";
    for (int i = 0; i < ROWS; i++) f.row[i].screened = true, f.row[i].points = 0, f.row[i].checked = false;
    char *page = page_of(&f);
    static const char *const parts[] = {
        "3 of 5 spectra have an answer of a predictor", "4.317 &#177; 0.019", "Medians", "nothing was fitted"
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect_has(page, parts[i]);
    assert_int_equal(count_of(page, ">screened<"), 3);
    assert_null(strstr(page, "Residuals"));
    assert_null(strstr(page, "Weights"));
    free(page);
}

static void nothing_at_all(void **state) {
    fixture f;
    (void)state;
    make_rows(&f);
    f.rows.row = &f.row[3], f.rows.count = 1, f.rows.answered = 0;
    char *page = page_of(&f);
    expect_has(page, "0 of 1 spectra");
    assert_null(strstr(page, "<svg"));
    assert_null(strstr(page, "Trends"));
    free(page);
    f.rows.count = 0;
    free(page_of(&f));
}

/* Hundreds stay usable: so many panels, closed, those first that someone should look at. */
static void hundreds_of_spectra(void **state) {
    enum { MANY = 600 };
    fixture f;
    (void)state;
    make_rows(&f);
    batch_row *many = malloc(MANY * sizeof *many);
    for (int i = 0; i < MANY; i++) many[i] = f.row[i == 599 ? 2 : 0], many[i].order = i;
    f.rows.row = many, f.rows.count = f.rows.answered = MANY;
    char *page = page_of(&f);
    expect_has(page, "200 of 600 spectra");
    expect_has(page, "id=\"s600\"");
    assert_int_equal(count_of(page, "<details"), 200);
    assert_int_equal(count_of(page, "open=\"open\""), 0);
    assert_null(strstr(page, "href=\"#s599\""));
    assert_true(strlen(page) < 8 << 20);
    free(page), free(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_are_there),
        cmocka_unit_test(areas_and_times),
        cmocka_unit_test(screened),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(hundreds_of_spectra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
