/* How long is trained where the user leaves it open, what a diverged training does, and the advice at the end:
 * followed, it works. */
#include <tidemill/io.h>

#include "forecast/fit/plan.h"
#include "train_support.h"

static int set_up(void **state) { return folder_with_series(state, 600); }

/* Published numbers for long series and rules by the epoch; steps for short ones; what is given stays. */
static void test_plan(void **state) {
    static const struct {
        const char *words;
        int64_t windows, batch, epochs, patience;
        double rate, dropout;
        forecast_lradj rule;
    } cases[] = {
        { "seed 1", 8449, 32, 10, 3, 1e-4, 0.1, FORECAST_LR_TYPE1 },
        { "seed 1", 6400, 32, 10, 3, 1e-4, 0.1, FORECAST_LR_TYPE1 },
        { "seed 1", 3200, 32, 20, 5, 1e-3, 0.1, FORECAST_LR_COSINE },
        { "seed 1", 256, 32, 250, 63, 1e-3, 0.1, FORECAST_LR_COSINE },
        { "seed 1", 255, 8, 65, 17, 1e-3, 0, FORECAST_LR_COSINE },
        { "seed 1", 1, 8, 2000, 500, 1e-3, 0, FORECAST_LR_COSINE },
        { "epochs 7", 64, 8, 7, 63, 1e-3, 0, FORECAST_LR_COSINE },
        { "lradj type1", 64, 8, 10, 3, 1e-4, 0, FORECAST_LR_TYPE1 },
        { "lradj constant", 64, 8, 250, 63, 1e-3, 0, FORECAST_LR_CONSTANT },
        { "batch-size 64 dropout 0.2", 640, 64, 200, 50, 1e-3, 0.2, FORECAST_LR_COSINE },
        { "patience 0 learning-rate 0.02", 64, 8, 250, 0, 0.02, 0, FORECAST_LR_COSINE },
        { "optimizer lion", 64, 8, 250, 63, 1e-4, 0, FORECAST_LR_COSINE },
        { "epochs 3 learning-rate 0.5 lradj type3 patience 9 batch-size 1", 64, 1, 3, 9, 0.5, 0, FORECAST_LR_TYPE3 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forecast_options o;
        forecast_options_default(&o);
        set_all(&o, cases[i].words);
        plan_training(&o, cases[i].windows);
        bool same = o.batch_size == cases[i].batch && o.epochs == cases[i].epochs && o.patience == cases[i].patience &&
                    o.lradj == (int)cases[i].rule;
        if (!same || o.learning_rate != cases[i].rate || o.dropout != cases[i].dropout)
            fail_msg("%s, %" PRId64 " windows: got batch %" PRId64 ", %" PRId64 " epochs, patience %" PRId64
                     ", rate %g, dropout %g, rule %d",
                     cases[i].words, cases[i].windows, o.batch_size, o.epochs, o.patience, o.learning_rate, o.dropout,
                     o.lradj);
    }
}

/* Presets leave nothing open. */
static void test_presets(void **state) {
    (void)state;
    for (int64_t i = 0; forecast_preset_name(i); i++) {
        forecast_options o, planned;
        forecast_options_default(&o);
        assert_int_equal(forecast_preset(&o, forecast_preset_name(i), NULL), TIDE_OK);
        planned = o;
        plan_training(&planned, 50);
        assert_true(planned.batch_size == o.batch_size && planned.epochs == o.epochs &&
                    planned.patience == o.patience && planned.learning_rate == o.learning_rate &&
                    planned.lradj == o.lradj && planned.dropout == o.dropout && o.epochs > 0);
    }
}

static tide_status run(forecast_options *o, const char *name, forecast_progress progress, void *user,
                       forecast_result *r, tide_failure *failure) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "out", path);
    *r       = (forecast_result){ 0 };
    *failure = (tide_failure){ 0 };
    return forecast_train(o, progress, user, r, failure);
}

static int stop_at_30(void *user, const forecast_event *e) {
    (void)user;
    return e->stage == FORECAST_STAGE_STEP && e->step >= 30;
}

/* What was open goes on as it was begun: run.json says how, whatever would be taken today. */
static void test_goes_on_as_begun(void **state) {
    forecast_options o;
    forecast_result  r;
    tide_failure     failure;
    char             whole[96], parts[96];
    (void)state;
    small_options(&o);
    set_all(&o, "epochs 3 lradj type3 patience 2");
    if (run(&o, "whole", NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    assert_int_equal(run(&o, "begun", stop_at_30, NULL, &r, &failure), TIDE_ECANCELLED);
    forecast_result_free(&r);
    set_all(&o, "epochs 0 lradj auto patience -1 batch-size 0 learning-rate 0 dropout -1 resume must");
    if (run(&o, "begun", NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    assert_int_equal(r.resumed_from_step, 30);
    forecast_result_free(&r);
    snprintf(whole, sizeof whole, "%s/whole", folder), snprintf(parts, sizeof parts, "%s/begun", folder);
    assert_true(same_file(whole, parts, "model.safetensors"));
}

/* "the best epoch is the last: --epochs N [--lradj RULE] goes further": it does. */
static void test_go_further(void **state) {
    static const char *const rules[] = { "type1", "cosine" };
    (void)state;
    for (int i = 0; i < 2; i++) {
        forecast_options o;
        forecast_result  r, further;
        tide_failure     failure;
        char             epochs[16], rule[16] = "";
        small_options(&o);
        set_all(&o, "epochs 2 learning-rate 0.001");
        set(&o, "lradj", rules[i]);
        if (run(&o, rules[i], NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
        expect_has(r.advice, "the best epoch is the last");
        expect_has(r.json, "the best epoch is the last");
        if (sscanf(strstr(r.advice, "`epochs`"), "`epochs` %15s `lradj` %15s", epochs, rule) < 1)
            fail_msg("no epochs: %s", r.advice);
        set(&o, "epochs", epochs);
        if (*rule) set(&o, "lradj", rule);
        set(&o, "overwrite", "yes");
        if (run(&o, rules[i], NULL, NULL, &further, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
        if (!(further.best_val_loss < r.best_val_loss))
            fail_msg("%s: %g, further %g", rules[i], r.best_val_loss, further.best_val_loss);
        forecast_result_free(&r);
        forecast_result_free(&further);
    }
}

typedef struct heard { int epochs; char warnings[1000]; } heard;

static int hear(void *user, const forecast_event *e) {
    heard *h = user;
    size_t used = strlen(h->warnings);
    h->epochs += e->stage == FORECAST_STAGE_EPOCH;
    if (e->stage == FORECAST_STAGE_WARNING) snprintf(h->warnings + used, sizeof h->warnings - used, "%s\n", e->message);
    return 0;
}

/* Nothing kept: one epoch is enough to know. With a best the run keeps it, and stops long before the last epoch. */
static void test_diverged(void **state) {
    forecast_options o;
    forecast_result  r;
    tide_failure     failure;
    heard            h = { 0 };
    (void)state;
    small_options(&o);
    set_all(&o, "optimizer sgd learning-rate 100 lradj constant epochs 200 patience 0 use-norm no");
    assert_int_equal(run(&o, "lost", hear, &h, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, "diverged");
    assert_int_equal(h.epochs, 1);
    forecast_result_free(&r);
}

/* After a good epoch: made by going on with a state that has lost one number of the weights. The best is kept, and a
 * third of the patience is waited for. */
static void test_diverged_later(void **state) {
    static const struct { const char *patience; int64_t epochs; } cases[] = { { "0", 2 }, { "9", 4 } };
    (void)state;
    for (int i = 0; i < 2; i++) {
        forecast_options o;
        forecast_result  r;
        tide_failure     failure;
        tide_archive     a = { 0 };
        heard            h = { 0 };
        char             path[128], name[16];
        small_options(&o);
        set_all(&o, "epochs 200 resume auto");
        set(&o, "patience", cases[i].patience);
        snprintf(name, sizeof name, "later%d", i), snprintf(path, sizeof path, "%s/%s/state.safetensors", folder, name);
        assert_int_equal(run(&o, name, stop_at_30, NULL, &r, &failure), TIDE_ECANCELLED);
        forecast_result_free(&r);
        assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
        for (int64_t k = 0; k < a.count; k++)
            if (!strcmp(a.tensors[k].name, "now/projector.bias")) ((float *)(uintptr_t)a.tensors[k].data)[0] = NAN;
        assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
        tide_archive_free(&a);
        if (run(&o, name, hear, &h, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
        assert_int_equal(r.epochs, cases[i].epochs);
        assert_int_equal(r.best_epoch, 1);
        assert_true(isfinite(r.model.mse));
        expect_has(h.warnings, "the best epoch, 1, is kept");
        forecast_result_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_plan),       cmocka_unit_test(test_presets),
                                        cmocka_unit_test(test_goes_on_as_begun),
                                        cmocka_unit_test(test_go_further), cmocka_unit_test(test_diverged),
                                        cmocka_unit_test(test_diverged_later) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
