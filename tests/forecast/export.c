/* Models written from a handle: every format, the same bytes as the command writes, and what is refused. */
#include <tidemill/io.h>

#include "train_support.h"

static char run[96];

static int set_up(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    if (folder_with_series(state, 300)) return -1;
    small_options(&o);
    set(&o, "epochs", "1");
    snprintf(run, sizeof run, "%s/run", folder);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    return 0;
}

static const char *in_folder(const char *name, char path[160]) {
    snprintf(path, 160, "%s/%s", folder, name);
    return path;
}

static forecast_model *load(void) {
    forecast_model *m;
    tide_failure    failure = { 0 };
    if (forecast_model_load(run, NULL, &m, &failure) != TIDE_OK) fail_msg("load: %s", failure.message);
    return m;
}

static void export_by_command(const char *name) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             path[160];
    forecast_options_default(&o);
    set(&o, "model", run);
    set(&o, "output", in_folder(name, path));
    if (forecast_export(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s: %s", name, failure.message);
    expect_has(r.json, "\"forecast export\"");
    expect_has(r.text, path);
    assert_true(r.seq_len == 24 && r.pred_len == 6 && r.columns == 3 && r.parameters > 0);
    forecast_result_free(&r);
}

/* The name of what is written stands in no file but the C source: there it is the functions'. */
static void test_same_bytes(void **state) {
    (void)state;
    static const struct { const char *name, *also; forecast_format format; } cases[] = {
        { "model.c", "model.h", FORECAST_FORMAT_C }, { "model.onnx", NULL, FORECAST_FORMAT_ONNX },
        { "model.pth", NULL, FORECAST_FORMAT_PTH } };
    forecast_model *m = load();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char         path[160];
        size_t       by_command, by_handle;
        tide_failure failure = { 0 };
        const char  *name = cases[i].also ? cases[i].also : cases[i].name;
        export_by_command(cases[i].name);
        char *first = whole_file(folder, name, &by_command);
        for (int k = 0; k < 2; k++) {
            if (forecast_model_export(m, k ? cases[i].format : FORECAST_FORMAT_AUTO, in_folder(cases[i].name, path),
                                      &failure) != TIDE_OK)
                fail_msg("%s: %s", path, failure.message);
            char *second = whole_file(folder, name, &by_handle);
            assert_true(by_command == by_handle && !memcmp(first, second, by_command));
            free(second);
        }
        free(first);
    }
    forecast_model_free(m);
}

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *name; forecast_format format; const char *option; } cases[] = {
        { "model", FORECAST_FORMAT_AUTO, "format" }, { "model.onnx", FORECAST_FORMAT_C, "output" },
        { "2.c", FORECAST_FORMAT_AUTO, "output" },   { "a b.c", FORECAST_FORMAT_C, "output" } };
    forecast_model *m = load();
    char            path[160];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_failure failure = { 0 };
        assert_int_equal(forecast_model_export(m, cases[i].format, in_folder(cases[i].name, path), &failure),
                         TIDE_EINVAL);
        assert_string_equal(failure.column, cases[i].option);
    }
    tide_failure failure = { 0 };
    assert_int_equal(forecast_model_export(m, (forecast_format)9, in_folder("a.c", path), &failure), TIDE_EINVAL);
    assert_int_not_equal(forecast_model_export(m, FORECAST_FORMAT_AUTO, in_folder("no/a.onnx", path), NULL), TIDE_OK);
    assert_int_not_equal(forecast_model_export(m, FORECAST_FORMAT_AUTO, in_folder("no/a.c", path), NULL), TIDE_OK);
    assert_int_not_equal(forecast_model_export(m, FORECAST_FORMAT_AUTO, in_folder("no/a.pth", path), NULL), TIDE_OK);
    forecast_model_free(m);
}

/* ---- levels that validation cannot vouch for ---- */

typedef struct heard { int notes; char last[512]; } heard;

static int hear(void *user, const forecast_event *e) {
    heard *h = user;
    if (!strstr(e->message, "vouch")) return 0;
    assert_int_equal(e->stage, FORECAST_STAGE_NOTE);
    h->notes++;
    snprintf(h->last, sizeof h->last, "%s", e->message);
    return 0;
}

/* Command, handle and prediction say the same of a level beyond the windows, and nothing of one that is not. */
static void test_levels_told(void **state) {
    (void)state;
    static const struct { const char *text; double level; int notes; } cases[] = { { "50", 50, 0 }, { "99", 99, 1 } };
    forecast_model *m = load();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heard            by_command = { 0 }, by_handle = { 0 }, by_prediction = { 0 };
        char             path[160];
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        forecast_options_default(&o);
        set(&o, "model", run);
        set(&o, "level", cases[i].text);
        if (forecast_predict(&o, hear, &by_prediction, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        forecast_result_free(&r);
        set(&o, "output", in_folder(i ? "told.onnx" : "silent.onnx", path));
        if (forecast_export(&o, hear, &by_command, &r, &failure) != TIDE_OK ||
            forecast_model_export_levels(m, FORECAST_FORMAT_AUTO, path, &cases[i].level, 1, hear, &by_handle, &failure))
            fail_msg("%s", failure.message);
        forecast_result_free(&r);
        assert_int_equal(by_command.notes, cases[i].notes);
        assert_int_equal(by_handle.notes, cases[i].notes);
        assert_string_equal(by_command.last, by_prediction.last);
        assert_string_equal(by_handle.last, by_prediction.last);
    }
    forecast_model_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_refused),
                                         cmocka_unit_test(test_levels_told) };
    return cmocka_run_group_tests_name("exports", tests, set_up, remove_folder);
}
