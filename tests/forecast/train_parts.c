/* Memory for time: a batch run in parts (--accumulate) and values made again (--recompute) train as without, within
 * rounding, whatever the loss; a run in parts goes on to the same bits; what does not fit is told how it would. */
#include "train_support.h"

static int set_up(void **state) { return folder_with_series(state, 600); }

/* The last epoch's line of metrics.csv. */
typedef struct told { double mse, train_loss, val_loss, grad_norm; } told;

static told last_line(const char *path) {
    size_t size;
    char  *text = whole_file(path, "metrics.csv", &size), *line = text + size - 1;
    told   out  = { 0 };
    while (line > text && line[-1] != '\n') line--;
    assert_int_equal(sscanf(line, "%*d,%*d,%*f,%lf,%lf,%lf", &out.train_loss, &out.val_loss, &out.grad_norm), 3);
    free(text);
    return out;
}

static told train(forecast_options *o, const char *name) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    char            path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "out", path);
    set(o, "overwrite", "yes");
    if (forecast_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    told out = last_line(path);
    out.mse  = r.model.mse;
    forecast_result_free(&r);
    return out;
}

/* Rounding, after some tens of steps of Adam: other masks change these by a per cent and more. */
static void expect_same(const char *what, told got, told expected) {
    expect_near(what, got.train_loss / expected.train_loss, 1, 1e-4);
    expect_near(what, got.val_loss / expected.val_loss, 1, 1e-4);
    expect_near(what, got.grad_norm / expected.grad_norm, 1, 1e-3);
    expect_near(what, got.mse / expected.mse, 1, 1e-4);
}

static void test_same_training(void **state) {
    static const char *const ways[] = { "accumulate 4", "accumulate 16", "recompute yes", "accumulate 2 recompute yes",
                                        "accumulate 2 threads 1 compile no" };
    forecast_options o;
    (void)state;
    small_options(&o);
    set_all(&o, "epochs 2 e-layers 3 grad-clip 1 dropout 0.3");
    told plain = train(&o, "plain");
    set(&o, "seed", "77");
    told again = train(&o, "seed");
    double apart = again.train_loss / plain.train_loss - 1;
    if (fabs(apart) < 3e-3) fail_msg("another seed changes the loss by %g only: masks could differ unseen", apart);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        small_options(&o);
        set_all(&o, "epochs 2 e-layers 3 grad-clip 1 dropout 0.3");
        set_all(&o, ways[i]);
        expect_same(ways[i], train(&o, "other"), plain);
    }
}

static void test_every_loss(void **state) {
    static const char *const losses[] = { "mae", "huber", "directional direction-surrogate yes",
                                          "financial directional-weight 2 direction-surrogate yes" };
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        told result[2];
        for (int parts = 0; parts < 2; parts++) {
            forecast_options o;
            char             words[128];
            small_options(&o);
            snprintf(words, sizeof words, "epochs 1 optimizer sgd learning-rate 0.05 accumulate %d loss-function %s",
                     parts ? 4 : 1,
                     losses[i]);
            set_all(&o, words);
            result[parts] = train(&o, "loss");
        }
        expect_same(losses[i], result[1], result[0]);
    }
}

/* On a device that multiplies in f16: one scale, one check of a step's sums. */
static void test_loss_scale(void **state) {
    told result[2];
    (void)state;
    for (int parts = 0; parts < 2; parts++) {
        forecast_options o;
        small_options(&o);
        set_all(&o, "device check precision f16 d-model 64 d-ff 64 epochs 1 batch-size 32");
        set(&o, "accumulate", parts ? "2" : "1");
        result[parts] = train(&o, "scaled");
    }
    /* products of 16-bit operands round differently where their sums are cut differently: 2^-11 each */
    expect_near("train loss", result[1].train_loss / result[0].train_loss, 1, 2e-3);
    expect_near("gradient", result[1].grad_norm / result[0].grad_norm, 1, 5e-3);
}

/* Another number of parts rounds otherwise, which is said. */
static int hear_parts(void *user, const forecast_event *e) {
    bool *told = user;
    *told |= e->stage == FORECAST_STAGE_NOTE && strstr(e->message, "goes on with 2: sums of parts round otherwise");
    return 0;
}

static int stop_at(void *user, const forecast_event *e) {
    return e->stage == FORECAST_STAGE_STEP && e->step >= *(int64_t *)user;
}

static void test_resume(void **state) {
    forecast_options o;
    char             whole[96], stopped[96];
    (void)state;
    small_options(&o);
    set_all(&o, "accumulate 4 recompute yes");
    snprintf(whole, sizeof whole, "%s/whole", folder), snprintf(stopped, sizeof stopped, "%s/stopped", folder);
    train(&o, "whole");
    set(&o, "overwrite", "no");
    set(&o, "out", stopped);
    set(&o, "resume", "auto");
    static const int64_t stops[] = { 1, 30, 48 };
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        forecast_result r       = { 0 };
        tide_failure    failure = { 0 };
        int64_t         at      = stops[i];
        assert_int_equal(forecast_train(&o, stop_at, &at, &r, &failure), TIDE_ECANCELLED);
        forecast_result_free(&r);
    }
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    assert_int_equal(r.resumed_from_step, 48);
    forecast_result_free(&r);
    assert_true(same_file(whole, stopped, "model.safetensors"));
    set(&o, "accumulate", "2");
    bool told = false;
    if (forecast_train(&o, hear_parts, &told, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    assert_true(told);
}

static void refuse(const forecast_options *o, tide_status expected, tide_failure *failure) {
    forecast_result r = { 0 };
    *failure = (tide_failure){ 0 };
    tide_status status = forecast_train(o, NULL, NULL, &r, failure);
    forecast_result_free(&r);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", tide_status_name(expected), tide_status_name(status), failure->message);
}

static void test_unequal_parts(void **state) {
    static const char *const says[][2] = { { "3", "`accumulate` 2 or `accumulate` 4 would do" },
                                           { "9", "`accumulate` 8 or `accumulate` 16 would do" },
                                           { "17", "`accumulate` 16 would do" } };
    forecast_options o;
    tide_failure     failure;
    (void)state;
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        small_options(&o);
        set(&o, "accumulate", says[i][0]);
        refuse(&o, TIDE_EINVAL, &failure);
        expect_has(failure.message, says[i][1]);
    }
}

static int hear_batch(void *user, const forecast_event *e) {
    if (e->stage == FORECAST_STAGE_NOTE) sscanf(e->message, "batch-size %" SCNd64 " in place", (int64_t *)user);
    return 0;
}

/* The parts that a refusal names train; fewer do not fit. With parts, --auto-batch lowers to a batch that they
 * divide. */
static void test_parts_that_fit(void **state) {
    forecast_options o;
    forecast_result  r = { 0 };
    tide_failure     failure;
    char             number[32];
    (void)state;
    small_options(&o);
    set_all(&o, "d-model 64 d-ff 64 e-layers 1 epochs 1 batch-size 300 memory-limit 3M");
    refuse(&o, TIDE_ENOMEM, &failure);
    const char *named = strstr(failure.message, "`accumulate` ");
    if (!named) fail_msg("no parts are named: %s", failure.message);
    int64_t parts = strtoll(named + strlen("`accumulate` "), NULL, 10), fewer = parts - 1;
    while (300 % fewer) fewer--;
    snprintf(number, sizeof number, "%d", (int)fewer);
    set(&o, "accumulate", number);
    refuse(&o, TIDE_ENOMEM, &failure);
    snprintf(number, sizeof number, "%d", (int)parts);
    set(&o, "accumulate", number);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    assert_int_equal(r.steps, 1); /* of 391 windows: the whole batch is what a step updates on */
    forecast_result_free(&r);
    int64_t lowered = 0;
    set_all(&o, "accumulate 7 batch-size 350 auto-batch yes overwrite yes memory-limit 1600K");
    failure = (tide_failure){ 0 };
    if (forecast_train(&o, hear_batch, &lowered, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    if (lowered < 7 || lowered >= 350 || lowered % 7)
        fail_msg("expected a batch of 7 equal parts below 350, got %" PRId64, lowered);
    assert_int_equal(r.steps, 391 / lowered);
    forecast_result_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_training), cmocka_unit_test(test_every_loss),
                                        cmocka_unit_test(test_loss_scale),    cmocka_unit_test(test_resume),
                                        cmocka_unit_test(test_unequal_parts), cmocka_unit_test(test_parts_that_fit) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
