/* Runs from end to end on a small series: training, stopping, going on to the same bits, refusing, scoring,
 * forecasting. */
#include <tidemill/io.h>

#include <math.h>

#include "train_support.h"

static int set_up(void **state) { return folder_with_series(state, 600); }

static int stop_at(void *user, const forecast_event *e) {
    return e->stage == FORECAST_STAGE_STEP && e->step >= *(int64_t *)user;
}

static forecast_result train(const forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    return r;
}

static void refuse(const forecast_options *o, tide_status expected, const char *says) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    tide_status     status  = forecast_train(o, NULL, NULL, &r, &failure);
    forecast_result_free(&r);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", tide_status_name(expected), tide_status_name(status), failure.message);
    expect_has(failure.message, says);
}

static void out_folder(forecast_options *o, const char *name, char path[96]) {
    snprintf(path, 96, "%s/%s", folder, name);
    set(o, "out", path);
}

static void test_train(void **state) {
    forecast_options o;
    (void)state;
    small_options(&o);
    forecast_result r = train(&o);
    assert_true(r.model.present && r.baselines[0].present && r.model.mse < r.baselines[0].mse);
    assert_int_equal(r.epochs, 3);
    assert_int_equal(r.windows, 115); /* 120 test rows, 6 ahead */
    assert_int_equal(r.steps, 3 * ((420 - 30 + 1) / 16));
    expect_has(r.json, "\"schema_version\": 1");
    expect_has(r.json, "\"resumed_from_step\": 0");
    forecast_result_free(&r);
    refuse(&o, TIDE_EINVAL, "already contains a run");
    set(&o, "overwrite", "yes");
    r = train(&o);
    forecast_result_free(&r);
}

/* A gnuplot that leaves a mark where it was started. */
static void fake_gnuplot(char mark[96]) {
    char path[96];
    snprintf(mark, 96, "%s/started", folder);
    snprintf(path, sizeof path, "%s/gnuplot", folder);
    FILE *script = fopen(path, "w");
    assert_non_null(script);
    fprintf(script, "#!/bin/sh\ntouch '%s'\necho '<svg></svg>'\n", mark);
    fclose(script);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(setenv("TIDEMILL_GNUPLOT", path, 1), 0);
}

/* Only a program that asks for plots starts gnuplot. */
static void test_plots_are_asked_for(void **state) {
    static const char *const files[] = { "loss.svg", "horizon.svg", "sample.csv", "forecast-plot.svg" };
    char                     run[96], path[128], mark[96];
    (void)state;
    fake_gnuplot(mark);
    for (int asked = 0; asked < 2; asked++) {
        forecast_options o;
        forecast_result  forecast = { 0 };
        small_options(&o);
        out_folder(&o, asked ? "drawn" : "not-drawn", run);
        if (asked) set(&o, "plots", "yes");
        forecast_result trained = train(&o);
        set(&o, "model", run);
        assert_int_equal(forecast_predict(&o, NULL, NULL, &forecast, NULL), TIDE_OK);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            snprintf(path, sizeof path, "%s/%s", run, files[i]);
            if ((access(path, F_OK) == 0) != asked) fail_msg("%s, plots %d", path, asked);
        }
        assert_int_equal(access(mark, F_OK) == 0, asked);
        forecast_result_free(&trained);
        forecast_result_free(&forecast);
    }
    unsetenv("TIDEMILL_GNUPLOT");
}

/* Stopped at any step and resumed: the same files as without a stop, and at any number of threads. */
static void test_resume(void **state) {
    static const int64_t stops[] = { 1, 24, 25, 60, 72 };
    forecast_options     o;
    char                 whole[96], parts[96];
    (void)state;
    small_options(&o);
    set(&o, "threads", "2");
    out_folder(&o, "whole", whole);
    forecast_result r = train(&o);
    forecast_result_free(&r);
    out_folder(&o, "parts", parts);
    set(&o, "resume", "auto");
    set(&o, "threads", "1");
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        tide_failure failure = { 0 };
        int64_t      at      = stops[i];
        r                    = (forecast_result){ 0 };
        assert_int_equal(forecast_train(&o, stop_at, &at, &r, &failure), TIDE_ECANCELLED);
        expect_has(failure.message, "`resume` auto");
        assert_int_equal(r.steps, stops[i]);
        forecast_result_free(&r);
    }
    r = train(&o);
    assert_int_equal(r.resumed_from_step, 72);
    forecast_result_free(&r);
    assert_true(same_file(whole, parts, "model.safetensors"));
    char path[128];
    tide_archive a = { 0 }, b = { 0 };
    snprintf(path, sizeof path, "%s/state.safetensors", whole);
    assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
    snprintf(path, sizeof path, "%s/state.safetensors", parts);
    assert_int_equal(tide_safetensors_read(path, &b, NULL), TIDE_OK);
    assert_int_equal(a.count, b.count);
    for (int64_t i = 0; i < a.count; i++) {
        const tide_tensor *other = tide_archive_find(&b, a.tensors[i].name);
        assert_non_null(other);
        assert_memory_equal(other->data, a.tensors[i].data,
                            (size_t)tide_shape_count(other->shape) * tide_dtype_size(other->type));
    }
    assert_string_equal(tide_archive_metadata(&a, "best"), tide_archive_metadata(&b, "best"));
    tide_archive_free(&a);
    tide_archive_free(&b);
    r = train(&o); /* finished: scored again, nothing trained */
    assert_int_equal(r.resumed_from_step, r.steps);
    forecast_result_free(&r);
    set(&o, "learning-rate", "0.01");
    refuse(&o, TIDE_EINVAL, "`learning-rate`");
    set(&o, "learning-rate", "0.003");
    snprintf(path, sizeof path, "%s/series.csv", folder);
    write_series(path, 610);
    refuse(&o, TIDE_EINVAL, "another file");
    write_series(path, 600);
}

/* What is killed after metrics.csv grew and before the checkpoint was renamed leaves a line too many. */
static void test_cut_metrics(void **state) {
    forecast_options o;
    char             whole[96], run[96], path[128];
    tide_failure     failure = { 0 };
    int64_t          at      = 30;
    forecast_result  r       = { 0 };
    size_t           size, cut;
    (void)state;
    small_options(&o);
    out_folder(&o, "cut", run);
    set(&o, "resume", "auto");
    assert_int_equal(forecast_train(&o, stop_at, &at, &r, &failure), TIDE_ECANCELLED);
    snprintf(path, sizeof path, "%s/metrics.csv", run);
    FILE *f = fopen(path, "a");
    fputs("2,48,0.1,0.2,0.3", f);
    fclose(f);
    r = train(&o);
    forecast_result_free(&r);
    snprintf(whole, sizeof whole, "%s", run);
    char *text = whole_file(whole, "metrics.csv", &size);
    cut        = 0;
    for (char *c = text; *c; c++) cut += *c == '\n';
    assert_int_equal(cut, 4); /* a header and three epochs */
    assert_null(strstr(text, "0.2,0.3"));
    free(text);
}

static void test_refusals(void **state) {
    forecast_options o;
    char             path[96];
    (void)state;
    small_options(&o);
    out_folder(&o, "never", path);
    set(&o, "n-heads", "3");
    refuse(&o, TIDE_EINVAL, "does not divide");
    set(&o, "n-heads", "2");
    set(&o, "target", "west");
    refuse(&o, TIDE_EDATA, "west");
    set(&o, "target", "flow");
    set(&o, "device", "abacus");
    refuse(&o, TIDE_EDEVICE, "abacus");
    set(&o, "device", "cpu");
    set(&o, "pred-len", "500");
    refuse(&o, TIDE_EDATA, "rows");
    set(&o, "pred-len", "6");
    set(&o, "resume", "must");
    refuse(&o, TIDE_EINVAL, "no run");
    set(&o, "resume", "no");
    set_all(&o, "memory-limit-mib 1 d-model 256");
    refuse(&o, TIDE_ENOMEM, "no batch fits");
    assert_int_equal(access(path, F_OK), -1); /* nothing half-written */
}

/* The forecasts of evaluate, and of predict from the run, from a file and from standard values, agree. */
static void test_use(void **state) {
    forecast_options o, e;
    char             run[96], path[96];
    tide_failure     failure = { 0 };
    (void)state;
    small_options(&o);
    out_folder(&o, "used", run);
    forecast_result trained = train(&o), evaluated = { 0 }, from_run = { 0 }, from_file = { 0 };
    forecast_options_default(&e);
    set(&e, "model", run);
    if (forecast_predict(&e, NULL, NULL, &from_run, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    expect_has(from_run.csv, "date,north,south,flow\n2024-01-26 00:00:00,");
    set(&e, "data", o.data);
    if (forecast_predict(&e, NULL, NULL, &from_file, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    assert_string_equal(from_run.csv, from_file.csv);
    if (forecast_evaluate(&e, NULL, NULL, &evaluated, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
    expect_near("the run's score, again", evaluated.model.mse, trained.model.mse, 1e-9);
    expect_near("baseline", evaluated.baselines[2].mse, trained.baselines[2].mse, 1e-12);
    forecast_result_free(&evaluated);
    snprintf(path, sizeof path, "%s/short.csv", folder);
    write_series(path, 20);
    set(&e, "data", path);
    assert_int_equal(forecast_predict(&e, NULL, NULL, &evaluated, &failure), TIDE_EDATA);
    expect_has(failure.message, "the model needs 24");
    *e.model  = 0; /* baselines alone */
    evaluated = (forecast_result){ 0 };
    set_all(&e, "seq-len 24 pred-len 6");
    set(&e, "data", o.data);
    failure = (tide_failure){ 0 };
    if (forecast_evaluate(&e, NULL, NULL, &evaluated, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
    assert_true(!evaluated.model.present && evaluated.baselines[1].present);
    forecast_result_free(&trained);
    forecast_result_free(&evaluated);
    forecast_result_free(&from_run);
    forecast_result_free(&from_file);
}

/* One column of many: only the target is forecast, and it is the same whatever its place. */
static void test_features(void **state) {
    static const char *const features[] = { "S", "MS" };
    forecast_options o;
    char             run[96];
    (void)state;
    for (int i = 0; i < 2; i++) {
        small_options(&o);
        out_folder(&o, features[i], run);
        set(&o, "features", features[i]);
        set(&o, "target", "north");
        forecast_result r = train(&o), p = { 0 };
        tide_failure    failure = { 0 };
        assert_true(r.model.present);
        forecast_result_free(&r);
        set(&o, "model", run);
        *o.data = 0;
        if (forecast_predict(&o, NULL, NULL, &p, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
        expect_has(p.csv, "date,north\n");
        forecast_result_free(&p);
    }
}

/* The forecast of the run, every number of its CSV. */
static int64_t forecast_of(const char *run, const char *compile, double *out, int64_t room) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    int64_t          count   = 0;
    forecast_options_default(&o);
    set(&o, "model", run);
    set(&o, "compile", compile);
    if (forecast_predict(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    for (const char *at = strchr(r.csv, '\n'); at && at[1]; at = strchr(at + 1, '\n'))
        for (const char *cell = strchr(at + 1, ','); cell && count < room && (cell < strchr(at + 1, '\n'));
             cell = strchr(cell + 1, ','))
            out[count++] = strtod(cell + 1, NULL);
    forecast_result_free(&r);
    return count;
}

/* Op by op, everything is as with the compiler's passes but for rounding: what a run learns, and what it forecasts. */
static void test_no_compile(void **state) {
    forecast_options o;
    char             run[2][96];
    double           mse[2], forecast[2][18];
    (void)state;
    for (int i = 0; i < 2; i++) {
        small_options(&o);
        set_all(&o, "d-model 32 d-ff 32 epochs 1");
        out_folder(&o, i ? "op-by-op" : "compiled", run[i]);
        set(&o, "compile", i ? "no" : "yes");
        forecast_result r = train(&o);
        assert_true(r.compile_ms > 0 && r.first_step_ms > 0 && r.step_ms_min <= r.first_step_ms);
        expect_has(r.json, "\"compile_ms\"");
        mse[i] = r.model.mse;
        forecast_result_free(&r);
    }
    expect_near("error of the test windows", mse[1] / mse[0], 1, 1e-4); /* rounding, after 24 steps of Adam */
    for (int i = 0; i < 2; i++) assert_int_equal(forecast_of(run[0], i ? "no" : "yes", forecast[i], 18), 18);
    for (int i = 0; i < 18; i++)
        expect_near("forecast", forecast[1][i], forecast[0][i], 1e-5 * (1 + fabs(forecast[0][i])));
}

typedef struct heard { char notes[2000], page[400]; } heard;

static int hear(void *user, const forecast_event *e) {
    heard *h = user;
    size_t used = strlen(h->notes);
    if (e->stage == FORECAST_STAGE_NOTE) snprintf(h->notes + used, sizeof h->notes - used, "%s\n", e->message);
    if (e->stage == FORECAST_STAGE_EXPLAIN) snprintf(h->page, sizeof h->page, "%.399s", e->message);
    return 0;
}

/* The batch that a refusal names is the largest that fits: it trains, one more does not; --auto-batch takes that
 * one. */
static void test_auto_batch(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    heard            h       = { 0 };
    char             run[96], number[32];
    (void)state;
    small_options(&o);
    set_all(&o, "d-model 64 d-ff 64 e-layers 1 epochs 1 batch-size 300 memory-limit 3M");
    out_folder(&o, "fitted", run);
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_ENOMEM);
    expect_has(failure.message, "allowed by `memory-limit`:");
    const char *named = strstr(failure.message, "MiB are");
    named = named ? strstr(named, "`batch-size` ") : NULL;
    if (!named) fail_msg("no batch is named: %s", failure.message);
    int64_t fits = strtoll(named + strlen("`batch-size` "), NULL, 10);
    snprintf(number, sizeof number, "%d", (int)fits + 1);
    set(&o, "batch-size", number);
    refuse(&o, TIDE_ENOMEM, "would fit");
    set_all(&o, "batch-size 300 auto-batch yes");
    failure = (tide_failure){ 0 };
    if (forecast_train(&o, hear, &h, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    snprintf(number, sizeof number, "batch-size %d in place", (int)fits);
    expect_has(h.notes, number);
    assert_int_equal(r.steps, 391 / fits);
    forecast_result_free(&r);
    set_all(&o, "overwrite yes batch-size 16");
    h = (heard){ 0 };
    if (forecast_train(&o, hear, &h, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    if (strstr(h.notes, "in place")) fail_msg("a batch that fits was changed: %s", h.notes);
    forecast_result_free(&r);
}

/* Looking changes nothing: the same bits, and a page and an object that say what the step is. */
static void test_explain(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    heard            h       = { 0 };
    char             plain[96], looked[96];
    (void)state;
    small_options(&o);
    set(&o, "epochs", "1");
    out_folder(&o, "plain", plain);
    r = train(&o);
    forecast_result_free(&r);
    out_folder(&o, "looked", looked);
    set(&o, "explain", "yes");
    if (forecast_train(&o, hear, &h, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    expect_has(h.page, "kernels in");
    expect_has(r.json, "\"not_fused\"");
    forecast_result_free(&r);
    assert_true(same_file(plain, looked, "model.safetensors"));
    forecast_options_default(&o);
    set(&o, "model", looked);
    set_all(&o, "batch-size 8 measure no");
    if (forecast_explain(&o, hear, &h, &r, &failure) != TIDE_OK) fail_msg("explain: %s", failure.message);
    expect_has(r.text, "phase 2:");
    expect_has(r.text, "measured: not");
    expect_has(r.json, "\"batch_size\": 8");
    forecast_result_free(&r);
    set(&o, "model", folder); /* no run */
    assert_int_equal(forecast_explain(&o, hear, &h, &r, &failure), TIDE_EDATA);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_train),       cmocka_unit_test(test_plots_are_asked_for),
                                        cmocka_unit_test(test_resume),      cmocka_unit_test(test_cut_metrics),
                                        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_use),
                                        cmocka_unit_test(test_features),    cmocka_unit_test(test_no_compile),
                                        cmocka_unit_test(test_auto_batch),  cmocka_unit_test(test_explain) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
