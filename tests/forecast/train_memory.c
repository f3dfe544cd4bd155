/* Training, scoring and forecasting with an allocation of the forecaster made to fail once: a status and a sentence, no
 * crash, nothing leaked (the leak checker of a sanitizer build looks). The linker sends every allocation of the program
 * here; with thousands of them, each of the first and then ever fewer are made to fail. */
#include <tidemill/backtest.h>
#include <tidemill/explain.h>
#include <tidemill/tune.h>

#include "refuse.h"
#include "train_support.h"

static tide_frame *series;

typedef tide_status (*command)(const forecast_options *, forecast_progress, void *, forecast_result *, tide_failure *);

/* Runs the command with the allocation after `granted` refused; false when it makes no more than that. */
static bool run_refused(command call, const forecast_options *o, int64_t granted) {
    tide_failure    failure = { 0 };
    forecast_result r       = { 0 };
    until_failure      = granted;
    tide_status status = call(o, NULL, NULL, &r, &failure);
    bool        refused = until_failure < 0;
    until_failure      = -1;
    forecast_result_free(&r);
    if (status == TIDE_OK) return refused;
    if (!refused) fail_msg("all allocations granted: %s", failure.message);
    if (status == TIDE_EDATA || status == TIDE_EINVAL || !failure.message[0])
        fail_msg("allocation %" PRId64 " refused: status %s, \"%s\"", granted, tide_status_name(status),
                 failure.message);
    return true;
}

static void refuse_each(command call, const forecast_options *o, int64_t most) {
    allocations = 0;
    run_refused(call, o, INT64_MAX);
    int64_t all = allocations, stride = 2 * all / most + 1;
    for (int64_t granted = 0; granted < all; granted += granted < most / 2 ? 1 : stride) run_refused(call, o, granted);
}

/* The same from a frame, in memory, up to the model. */
static tide_status train_frame(const forecast_options *o, forecast_progress progress, void *user, forecast_result *r,
                               tide_failure *failure) {
    forecast_trainer *t;
    forecast_model   *m      = NULL;
    tide_status       status = forecast_trainer_new(o, series, progress, user, &t, failure);
    if (status == TIDE_OK) status = forecast_trainer_run(t, 0, failure);
    if (status == TIDE_OK) status = forecast_trainer_score(t, r, failure);
    if (status == TIDE_OK) status = forecast_trainer_model(t, &m, failure);
    forecast_model_free(m);
    forecast_trainer_free(t);
    return status;
}

static void test_commands(void **state) {
    forecast_options o, u;
    char             run[96];
    (void)state;
    small_options(&o);
    set_all(&o, "epochs 1 d-model 8 d-ff 8 e-layers 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes");
    refuse_each(forecast_train, &o, 120);
    forecast_result r = { 0 };
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    set(&o, "refit", "yes");
    refuse_each(forecast_train, &o, 80);
    u = o;
    *u.data = *u.out = 0;
    set(&u, "overwrite", "no");
    assert_int_equal(forecast_read_frame(&o, &series, NULL), TIDE_OK);
    refuse_each(train_frame, &u, 100);
    tide_frame_free(series);
    forecast_options_default(&u);
    snprintf(run, sizeof run, "%s/run", folder);
    set(&u, "model", run);
    set_all(&u, "threads 1 level 50,80 lower 0,flow=1");
    refuse_each(forecast_predict, &u, 120);
    set_all(&u, "paths 2 sum all=both+flow;both=north+south");
    refuse_each(forecast_predict, &u, 200);
    set_all(&u, "paths 0 sum-horizon yes");
    refuse_each(forecast_predict, &u, 200);
    set(&u, "sum-horizon", "no");
    set(&u, "sum", "");
    set(&u, "use", "linear");
    refuse_each(forecast_predict, &u, 60);
    set(&u, "level", "");
    set_all(&u, "use seasonal-naive season 100"); /* longer than the look-back; the run keeps 24 rows */
    set(&u, "data", o.data);
    refuse_each(forecast_predict, &u, 60);
    set_all(&u, "use model season 0");
    set(&u, "data", o.data);
    refuse_each(forecast_predict, &u, 120);
    refuse_each(forecast_evaluate, &u, 120);
    refuse_each(forecast_backtest, &u, 100);
    set_all(&u, "refit-every 4 windows 4 epochs 1 output -");
    refuse_each(forecast_backtest, &u, 100);
}

/* Looked into: programs, tables, the page. The run is the one of test_commands. */
static void test_explanation(void **state) {
    forecast_options o;
    (void)state;
    forecast_options_default(&o);
    snprintf(o.model, sizeof o.model, "%s/run", folder);
    set_all(&o, "threads 1 windows 2 targets north");
    refuse_each(forecast_explain_inputs, &o, 60);
}

/* A trial without memory is a row; anything else without it ends the search. */
static void test_search(void **state) {
    forecast_options o;
    (void)state;
    small_options(&o);
    snprintf(o.out, sizeof o.out, "%s/search", folder);
    set_all(&o, "epochs 3 d-model 8 d-ff 8 e-layers 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes "
                "space dropout=0,0.1;d-ff=8..16 trials 3 seeds 2 budget 1h");
    refuse_each(forecast_tune, &o, 40);
    set(&o, "space", "");
    o.given[forecast_option_find("learning-rate") - forecast_option_table(NULL)] = false;
    set_all(&o, "trials 2 seeds 1");
    refuse_each(forecast_tune, &o, 20);
}

/* Members that are trained, put together, and asked. */
static void test_auto(void **state) {
    forecast_options o, u;
    forecast_result  r = { 0 };
    (void)state;
    small_options(&o);
    set_all(&o, "epochs 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes arch auto "
                "members seasonal-naive,dlinear season 6");
    refuse_each(forecast_train, &o, 40);
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    forecast_options_default(&u);
    set(&u, "model", o.out);
    refuse_each(forecast_predict, &u, 40);
}

/* Widths of a head, and sums that are measured. */
static void test_heads(void **state) {
    forecast_options o, u;
    forecast_result  r = { 0 };
    (void)state;
    small_options(&o);
    snprintf(o.out, sizeof o.out, "%s/heads", folder);
    set_all(&o, "epochs 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes arch dlinear head quantile "
                "quantiles 0.1,0.5,0.9 sum both=north+south");
    refuse_each(forecast_train, &o, 40);
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    assert_int_equal(r.sums.count, 1);
    forecast_result_free(&r);
    forecast_options_default(&u);
    set(&u, "model", o.out);
    set_all(&u, "threads 1 level 80 paths 2");
    refuse_each(forecast_predict, &u, 40);
    set(&u, "data", o.data);
    set_all(&u, "sum both=north+south sum-horizon yes");
    refuse_each(forecast_evaluate, &u, 40);
    refuse_each(forecast_backtest, &u, 40);
}

/* Columns that are made of others and of other files. */
static void write_columns(void) {
    static const struct { const char *name, *header; } files[] = { { "words.csv", "date,colour,flow\n" },
                                                                   { "days.csv", "date,name\n" },
                                                                   { "issued.csv", "date,issued_at,wind\n" } };
    static const char *const colours[] = { "red", "blue", "", "red", "grey" };
    FILE *f[3];
    for (int i = 0; i < 3; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        fputs(files[i].header, f[i] = fopen(path, "w"));
    }
    for (int i = 0; i < 126; i++) {
        char when[32];
        snprintf(when, sizeof when, "2024-02-%02d %02d:00", 1 + i / 24, i % 24);
        if (i < 120) fprintf(f[0], "%s,%s,%.4f\n", when, i == 7 ? "once" : colours[i % 5], sin(i));
        if (i % 24 == 0 && i % 48) fprintf(f[1], "%.10s,Feast\n", when);
        fprintf(f[2], "%s,2024-01-31,%.4f\n", when, cos(i));
    }
    for (int i = 0; i < 3; i++) fclose(f[i]);
}

static void test_columns(void **state) {
    forecast_options o;
    char             path[96];
    (void)state;
    write_columns();
    small_options(&o);
    snprintf(path, sizeof path, "%s/words.csv", folder), set(&o, "data", path);
    snprintf(path, sizeof path, "%s/days.csv", folder), set(&o, "holidays", path);
    snprintf(path, sizeof path, "%s/issued.csv", folder), set(&o, "issued", path);
    set_all(&o, "epochs 1 d-model 8 d-ff 8 e-layers 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes "
                "categorical colour");
    refuse_each(forecast_train, &o, 200);
    forecast_result r = { 0 };
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    forecast_options u;
    forecast_options_default(&u);
    snprintf(path, sizeof path, "%s/run", folder), set(&u, "model", path);
    set(&u, "data", o.data), set(&u, "issued", o.issued), set(&u, "threads", "1");
    refuse_each(forecast_predict, &u, 200);
    refuse_each(forecast_evaluate, &u, 120);
}

/* Attributes in a file, and as columns of a table in long format; of the run's series and of others. */
static void write_attributes(void) {
    static const char *const names[] = { "north", "south", "flow" };
    char path[96];
    FILE *f[3];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, (const char *[]){ "stores.csv", "long.csv", "others.csv" }[i]);
        f[i] = fopen(path, "w");
    }
    fputs("name,type,size,lone\n", f[0]);
    fputs("store,item,date,y,type,size\n", f[1]);
    fputs("store,item,date,y,type,size\n", f[2]);
    for (int s = 0; s < 3; s++) {
        fprintf(f[0], "%s,%c,%d,%s\n", names[s], "aba"[s], s, s < 2 ? "x" : "y");
        for (int i = 0; i < 40; i++)
            for (int k = 1; k < 3; k++)
                fprintf(f[k], "%d,%d,2024-01-%02d %02d:00,%.4f,%c,%d\n", s, k, 1 + i / 24, i % 24, sin(i + s),
                        "aba"[s] + (k == 2 && s == 1), s);
    }
    for (int i = 0; i < 3; i++) fclose(f[i]);
}

static void test_statics(void **state) {
    static const char sizes[] = "epochs 1 d-model 8 d-ff 8 e-layers 1 seq-len 8 pred-len 2 batch-size 32 threads 1 "
                                "overwrite yes";
    forecast_options o, u;
    forecast_result  r = { 0 };
    char             path[96];
    (void)state;
    write_attributes();
    small_options(&o);
    set_all(&o, sizes);
    snprintf(path, sizeof path, "%s/stores.csv", folder), set(&o, "static", path);
    refuse_each(forecast_train, &o, 150);
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    forecast_options_default(&u);
    set(&u, "model", o.out), set(&u, "static", o.statics), set(&u, "threads", "1");
    refuse_each(forecast_predict, &u, 100);
    small_options(&o);
    set_all(&o, sizes);
    snprintf(path, sizeof path, "%s/long.csv", folder), set(&o, "data", path);
    set_all(&o, "id store,item value y static-columns type,size");
    refuse_each(forecast_train, &o, 150);
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    forecast_options_default(&u);
    snprintf(path, sizeof path, "%s/others.csv", folder), set(&u, "data", path);
    set(&u, "model", o.out), set_all(&u, "other-columns yes threads 1");
    refuse_each(forecast_predict, &u, 150);
}

/* A run, and one that begins with its parameters and its scaler. */
static void test_fine_tuning(void **state) {
    forecast_options o;
    forecast_result  r = { 0 };
    char             path[96];
    (void)state;
    small_options(&o);
    set_all(&o, "epochs 1 d-model 8 d-ff 8 e-layers 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes");
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    set(&o, "from", o.out);
    snprintf(path, sizeof path, "%s/child", folder), set(&o, "out", path);
    set_all(&o, "keep-scaler yes sample-columns 2");
    refuse_each(forecast_train, &o, 200);
    forecast_options u;
    forecast_options_default(&u);
    set(&u, "model", o.from), set(&u, "data", o.data), set(&u, "out", o.out);
    set_all(&u, "rows 5 steps 3 threads 1 overwrite yes");
    refuse_each(forecast_update, &u, 200);
    forecast_options_default(&u);
    set(&u, "model", o.from), set(&u, "data", o.data);
    set_all(&u, "other-columns yes threads 1");
    refuse_each(forecast_predict, &u, 150);
}

/* Out in each form, and in again. */
static void test_exports(void **state) {
    static const char *const files[] = { "model.c", "model.onnx", "model.pth" };
    forecast_options o, u;
    forecast_result  r = { 0 };
    char             path[96];
    (void)state;
    small_options(&o);
    set_all(&o, "epochs 1 d-model 8 d-ff 8 e-layers 1 seq-len 8 pred-len 2 batch-size 32 threads 1 overwrite yes");
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        forecast_options_default(&u);
        set(&u, "model", o.out);
        set(&u, "overwrite", "yes");
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        set(&u, "output", path);
        refuse_each(forecast_export, &u, 200);
    }
    forecast_options_default(&u);
    set(&u, "checkpoint", path);
    set(&u, "data", o.data);
    snprintf(path, sizeof path, "%s/imported", folder);
    set(&u, "out", path);
    set_all(&u, "n-heads 2 threads 1 overwrite yes");
    refuse_each(forecast_import, &u, 150);
}

static int set_up(void **state) { return folder_with_series(state, 120); }

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_commands), cmocka_unit_test(test_explanation),
                                        cmocka_unit_test(test_search), cmocka_unit_test(test_auto),
                                        cmocka_unit_test(test_heads),
                                        cmocka_unit_test(test_fine_tuning),
                                        cmocka_unit_test(test_columns), cmocka_unit_test(test_statics),
                                        cmocka_unit_test(test_exports) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
