/* What a run keeps beside its network and how it is used: the split, the baselines that predict can give, a last
 * training on all rows; and what is refused because it is no forecast. */
#include <float.h>
#include <tidemill/io.h>

#include "train_support.h"

static int set_up(void **state) { return folder_with_series(state, 600); }

static forecast_result train(forecast_options *o, const char *name) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    char            path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "out", path);
    if (forecast_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    return r;
}

static void of_run(forecast_options *o, const char *name, const char *data) {
    char path[96];
    forecast_options_default(o);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "model", path);
    if (!data) return;
    snprintf(path, sizeof path, "%s/%s", folder, data);
    set(o, "data", path);
}

static forecast_result predict(const forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_predict(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    return r;
}

static void refuse_predict(const forecast_options *o, tide_status expected, const char *says) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    tide_status     status  = forecast_predict(o, NULL, NULL, &r, &failure);
    assert_null(r.csv);
    assert_null(r.json);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", tide_status_name(expected), tide_status_name(status), failure.message);
    expect_has(failure.message, says);
}

/* The first `rows` rows of series.csv; if `cell` is not NULL it stands in the last one's first column. */
static void write_part(const char *name, int rows, const char *cell) {
    size_t size;
    char   path[96], *text = whole_file(folder, "series.csv", &size), *end = text;
    for (int i = -1; i < rows - 1; i++) end = strchr(end, '\n') + 1;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f     = fopen(path, "w");
    char *first = strchr(end, ',') + 1, *second = strchr(first, ','), *stop = strchr(end, '\n') + 1;
    fwrite(text, 1, (size_t)(first - text), f);
    if (cell) fputs(cell, f);
    else fwrite(first, 1, (size_t)(second - first), f);
    fwrite(second, 1, (size_t)(stop - second), f);
    fclose(f);
    free(text);
}

static double cell_of(const char *csv, int row, int column) {
    const char *at = csv;
    for (int r = 0; r <= row; r++) at = strchr(at, '\n') + 1;
    for (int c = 0; c < column; c++) at = strchr(at, ',') + 1;
    return strtod(at, NULL);
}

/* The baselines of predict are the ones that were scored: at the first test window's origin each gives what its
 * definition says, and linear what a linear forecast of a wave must. */
static void test_baselines(void **state) {
    static const char *const names[] = { "model", "last_value", "seasonal_naive", "linear" }, *const words[] = {
        "model", "last-value", "seasonal-naive", "linear"
    };
    forecast_options o;
    (void)state;
    small_options(&o);
    forecast_result r = train(&o, "kept");
    assert_int_equal(r.season, 24);
    forecast_result_free(&r);
    write_part("past.csv", 500, NULL);
    size_t size;
    char  *series = whole_file(folder, "series.csv", &size);
    for (int k = 0; k < 4; k++) {
        of_run(&o, "kept", "past.csv");
        set(&o, "use", words[k]);
        r = predict(&o);
        assert_string_equal(r.used, names[k]);
        expect_has(r.json, names[k]);
        for (int s = 0; s < 6 && (k == 1 || k == 2); s++)
            expect_near(names[k], cell_of(r.csv, s, 1), cell_of(series, k == 1 ? 499 : 500 - 24 + s, 1), 1e-9);
        for (int s = 0; s < 6 && k == 3; s++)  /* two sines */
            expect_near(names[k], cell_of(r.csv, s, 1), cell_of(series, 500 + s, 1), 0.02);
        forecast_result_free(&r);
    }
    free(series);
    of_run(&o, "kept", NULL);
    set_all(&o, "use seasonal-naive season 700");
    refuse_predict(&o, TIDE_EDATA, "`data` FILE with more");
}

/* A season longer than the look-back: scored from the rows before the window, kept in the run, absent where the file
 * has none. */
static void test_long_season(void **state) {
    forecast_options o;
    (void)state;
    small_options(&o);
    set_all(&o, "season 48 epochs 1");
    forecast_result r = train(&o, "long"), e = { 0 };
    assert_true(r.baselines[1].present && r.season == 48 && !*r.season_note);
    assert_true(r.baselines[1].mse != r.baselines[0].mse);
    forecast_result_free(&r);
    size_t size;
    char  *series = whole_file(folder, "series.csv", &size);
    of_run(&o, "long", NULL);
    set(&o, "use", "seasonal-naive");
    r = predict(&o);
    for (int s = 0; s < 6; s++)
        expect_near("48 rows before", cell_of(r.csv, s, 2), cell_of(series, 600 - 48 + s, 2), 1e-9);
    forecast_result_free(&r);
    free(series);
    small_options(&o);
    set(&o, "season", "590");
    tide_failure failure = { 0 };
    if (forecast_evaluate(&o, NULL, NULL, &e, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
    assert_false(e.baselines[1].present);
    expect_has(e.season_note, "a season is 590 rows, and before the first forecast there are only 480");
    expect_has(e.json, "season_note");
    forecast_result_free(&e);
}

/* Fitted on the column that is scored, as --features S is; and errors of several columns have no one original
 * number. */
static void test_target_alone(void **state) {
    static const char *const features[] = { "S", "MS", "M" };
    double mse[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        small_options(&o);
        set(&o, "features", features[i]);
        set(&o, "target", "flow");
        if (forecast_evaluate(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
        mse[i] = r.baselines[2].mse;
        assert_int_equal(r.by_column_count, i < 2 ? 1 : 3);
        assert_true(isnan(r.baselines[2].original_mse) == (i == 2));
        if (i < 2) expect_near("original", r.by_column[0].original_mse[3], r.baselines[2].original_mse, 1e-12);
        expect_has(r.json, "\"flow\"");
        forecast_result_free(&r);
    }
    expect_near("linear, of the target alone", mse[1], mse[0], 0);
    assert_true(mse[2] != mse[0]);
}

/* What is asked for is what is scored, then and later; what holds no window names sizes that do. */
static void test_split(void **state) {
    static const struct {
        const char *words;
        int64_t windows;
    } cases[] = { { "val 60 test 90", 85 }, { "val 0.2 test 0.3", 175 }, { "test 30", 25 } };
    forecast_options o;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        small_options(&o);
        set_all(&o, "epochs 1 overwrite yes");
        set_all(&o, cases[i].words);
        forecast_result r = train(&o, "split"), e = { 0 };
        tide_failure    failure = { 0 };
        assert_int_equal(r.windows, cases[i].windows);
        of_run(&o, "split", "series.csv");
        if (forecast_evaluate(&o, NULL, NULL, &e, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
        assert_int_equal(e.windows, cases[i].windows);
        expect_near("the same windows", e.model.mse, r.model.mse, 1e-9);
        forecast_result_free(&r);
        forecast_result_free(&e);
    }
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    small_options(&o);
    set_all(&o, "val 300 test 300");
    assert_int_equal(forecast_evaluate(&o, NULL, NULL, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, "leave none");
}

static int stop_in_refit(void *user, const forecast_event *e) {
    return e->stage == FORECAST_STAGE_STEP && e->step >= *(int64_t *)user;
}

static bool same_tensor(const char *a, const char *b, const char *name) {
    char         path[128];
    tide_archive x = { 0 }, y = { 0 };
    snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, a);
    assert_int_equal(tide_safetensors_read(path, &x, NULL), TIDE_OK);
    snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, b);
    assert_int_equal(tide_safetensors_read(path, &y, NULL), TIDE_OK);
    const tide_tensor *s = tide_archive_find(&x, name), *t = tide_archive_find(&y, name);
    bool same = s && t && !memcmp(s->data, t->data, (size_t)tide_shape_count(s->shape) * tide_dtype_size(s->type));
    tide_archive_free(&x);
    tide_archive_free(&y);
    return same;
}

/* The scores are those of the first training, the parameters are not; stopped in the refit and resumed: the same
 * bits. */
static void test_refit(void **state) {
    forecast_options o;
    char             path[96], all[96];
    (void)state;
    small_options(&o);
    forecast_result plain = train(&o, "plain");
    set(&o, "refit", "yes");
    forecast_result r = train(&o, "refit");
    assert_true(r.refit && !plain.refit);
    expect_near("score", r.model.mse, plain.model.mse, 0);
    assert_false(same_tensor("plain", "refit", "projector.weight"));
    assert_true(same_tensor("plain", "refit", "linear.weights"));
    int64_t         at      = r.steps + 5;
    tide_failure    failure = { 0 };
    forecast_result part    = { 0 };
    set(&o, "resume", "auto");
    snprintf(path, sizeof path, "%s/stopped", folder);
    set(&o, "out", path);
    assert_int_equal(forecast_train(&o, stop_in_refit, &at, &part, &failure), TIDE_ECANCELLED);
    assert_true(same_tensor("plain", "stopped", "projector.weight")); /* until then the run has the model that was
                                                                         scored */
    forecast_result_free(&part);
    failure = (tide_failure){ 0 };
    if (forecast_train(&o, NULL, NULL, &part, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    snprintf(all, sizeof all, "%s/refit", folder);
    assert_true(same_file(all, path, "model.safetensors"));
    forecast_result_free(&part);
    forecast_result_free(&plain);
    forecast_result_free(&r);
}

static void set_bias(float value) {
    char         path[128];
    tide_archive a = { 0 };
    snprintf(path, sizeof path, "%s/finite/model.safetensors", folder);
    assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
    for (int64_t i = 0; i < a.count; i++)
        if (!strcmp(a.tensors[i].name, "projector.bias")) ((float *)(uintptr_t)a.tensors[i].data)[3] = value;
    assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
    tide_archive_free(&a);
}

/* A spike that the arithmetic cannot hold is named, and nothing is given; so is a model whose numbers are no
 * numbers. */
static void test_not_finite(void **state) {
    static const char *const uses[] = { "model", "linear" };
    forecast_options o;
    (void)state;
    small_options(&o);
    set(&o, "epochs", "1");
    forecast_result r = train(&o, "finite");
    forecast_result_free(&r);
    write_part("spike.csv", 100, "1e300");
    for (int i = 0; i < 2; i++) {
        of_run(&o, "finite", "spike.csv");
        set(&o, "use", uses[i]);
        refuse_predict(&o, TIDE_EDATA, "'1e300' is too large to forecast with");
    }
    write_part("spike.csv", 100, "1e29");
    of_run(&o, "finite", "spike.csv");
    refuse_predict(&o, TIDE_EDATA, "the data hold 1e+29 at 2024-01-05 03:00:00");
    set_bias(NAN);
    of_run(&o, "finite", NULL);
    refuse_predict(&o, TIDE_EDATA, "the model is damaged: projector.bias holds a value that is not finite");
    set_bias(FLT_MAX); /* finite, but what follows from it is not */
    refuse_predict(&o, TIDE_EDATA, "not a finite number");
    of_run(&o, "finite", "series.csv");
    tide_failure failure = { 0 };
    assert_int_equal(forecast_evaluate(&o, NULL, NULL, &r, &failure), TIDE_EDATA);
    expect_has(failure.message, "test windows is not a finite number");
}

/* The record comes from outside as the rest of the file does: what it cannot hold is refused, by every --use. */
static void test_damaged_record(void **state) {
    static const struct { const char *was, *is; } lies[] = { { "\"season\":24", "\"season\":-4" },
                                                             { "\"season\":24", "\"season\":2e9" },
                                                             { "\"val\":0.0", "\"val\":-1.0" },
                                                             { "\"val\":0.0", "\"val\":\"1\"" },
                                                             { "\"last_value\":", "\"last_value\":-" } };
    forecast_options o;
    char             path[128];
    (void)state;
    small_options(&o);
    set(&o, "epochs", "1");
    forecast_result r = train(&o, "lies");
    forecast_result_free(&r);
    snprintf(path, sizeof path, "%s/lies/model.safetensors", folder);
    for (size_t i = 0; i <= sizeof lies / sizeof *lies; i++) {
        tide_archive a = { 0 };
        char         text[8000];
        assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
        const char *true_text = tide_archive_metadata(&a, "tidemill.forecast"),
                   *at = i < 5 ? strstr(true_text, lies[i].was) : NULL;
        char       *kept = strdup(true_text);
        assert_true(i == 5 || at);
        if (at)
            snprintf(text, sizeof text, "%.*s%s%s", (int)(at - true_text), true_text, lies[i].is,
                     at + strlen(lies[i].was));
        for (int64_t k = 0; !at && k < a.count; k++)
            if (!strcmp(a.tensors[k].name, "linear.weights")) ((float *)(uintptr_t)a.tensors[k].data)[7] = INFINITY;
        float *weights = (float *)(uintptr_t)tide_archive_find(&a, "linear.weights")->data, whole = weights[7];
        if (at) assert_int_equal(tide_archive_set(&a, "tidemill.forecast", text), TIDE_OK);
        assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
        of_run(&o, "lies", NULL);
        refuse_predict(&o, TIDE_EDATA, "damaged");
        if (at) assert_int_equal(tide_archive_set(&a, "tidemill.forecast", kept), TIDE_OK);
        weights[7] = isfinite(whole) ? whole : 0;
        assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
        r = predict(&o); /* whole again */
        forecast_result_free(&r);
        free(kept);
        tide_archive_free(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_baselines), cmocka_unit_test(test_long_season),
                                        cmocka_unit_test(test_target_alone),
                                        cmocka_unit_test(test_split),     cmocka_unit_test(test_refit),
                                        cmocka_unit_test(test_not_finite),
                                        cmocka_unit_test(test_damaged_record) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
