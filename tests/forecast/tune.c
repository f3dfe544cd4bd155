/* A search as a program calls it: the result's figures, and a callback that stops it on whatever thread it is told. */
#include <tidemill/tune.h>

#include "forecast/report/parcel.h"
#include "train_support.h"

static void options_of(forecast_options *o, const char *out, const char *more) {
    small_options(o);
    snprintf(o->out, sizeof o->out, "%s/%s", folder, out);
    set(o, "space", "learning-rate=1e-3..1e-2 log;dropout=0,0.1");
    set_all(o, "trials 6 epochs 9 threads 2");
    if (more) set_all(o, more);
}

static void search(const forecast_options *o, forecast_result *r) {
    tide_failure failure = { 0 };
    if (forecast_tune(o, NULL, NULL, r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void test_result(void **state) {
    forecast_options o;
    forecast_result  r = { 0 };
    (void)state;
    options_of(&o, "result", "seeds 2");
    search(&o, &r);
    const forecast_tune_result *t = r.tune;
    assert_non_null(t);
    assert_true(t->complete);
    assert_int_equal(t->count, 6);
    assert_int_equal(t->rung_count, 2);
    assert_int_equal(t->rungs[0].parts, 3), assert_int_equal(t->rungs[1].parts, 1);
    assert_int_equal(t->rungs[0].trials, 6), assert_int_equal(t->rungs[0].kept, 2);
    assert_int_equal(t->rungs[1].trials, 2);
    for (int64_t i = 0; i < t->count; i++) {
        assert_int_equal(t->trials[i].number, i + 1);
        assert_true(t->trials[i].val_loss >= t->trials[t->best - 1].val_loss);
        assert_int_equal(t->trials[i].epochs, t->trials[i].rungs == 2 ? 9 : 3);
        if (i) expect_has(t->trials[i].settings, "learning-rate=");
        assert_string_equal(t->trials[i].reason, "");
    }
    assert_true(t->rungs[1].best == t->trials[t->best - 1].val_loss);
    assert_int_equal(t->seed_count, 2);
    assert_true(t->seeds[0].mse == r.model.mse && t->seeds[0].val_loss == r.best_val_loss);
    expect_near("mean", t->mse_mean, (t->seeds[0].mse + t->seeds[1].mse) / 2, 1e-15);
    expect_near("deviation", t->mse_deviation, fabs(t->seeds[0].mse - t->seeds[1].mse) / sqrt(2), 1e-15);
    expect_has(t->command, "tidemill forecast train `data`=");
    expect_has(r.run, "/result/best");
    forecast_result_free(&r);
    assert_null(r.tune);
}

/* Stops at the n-th event of a trial, whichever thread has it; no two threads are told at once. */
typedef struct stopper { int left, inside, told; } stopper;

static int stop_at(void *user, const forecast_event *e) {
    stopper *s = user;
    if (s->inside++) s->told = -1000;
    s->told++;
    s->inside--;
    return e->stage == FORECAST_STAGE_TRIAL && --s->left <= 0;
}

static void stopped_and_resumed(const char *out, const char *more) {
    forecast_options o;
    forecast_result  whole = { 0 };
    char             name[32];
    snprintf(name, sizeof name, "%s-whole", out);
    options_of(&o, name, NULL);
    search(&o, &whole);
    options_of(&o, out, more);
    int stops = 0;
    for (int left = 1; left < 4; left++) {
        forecast_result r       = { 0 };
        tide_failure    failure = { 0 };
        stopper         s       = { .left = left };
        tide_status     status  = forecast_tune(&o, stop_at, &s, &r, &failure);
        stops += status == TIDE_ECANCELLED;
        assert_true(s.told > 0);
        assert_true(status == TIDE_ECANCELLED || status == TIDE_OK);
        if (status == TIDE_ECANCELLED) expect_has(failure.message, " goes on");
        forecast_result_free(&r);
    }
    assert_true(stops > 1);
    forecast_result r = { 0 };
    search(&o, &r);
    assert_int_equal(r.tune->best, whole.tune->best);
    for (int64_t i = 0; i < r.tune->count; i++)
        assert_true(r.tune->trials[i].val_loss == whole.tune->trials[i].val_loss);
    assert_true(r.model.mse == whole.model.mse);
    forecast_result_free(&r);
    forecast_result_free(&whole);
}

static void test_stopped(void **state) {
    (void)state;
    stopped_and_resumed("stopped", "resume auto");
    stopped_and_resumed("joined", "join yes");
}

/* ---- results that processes hand each other ---- */

static void expect_same(const forecast_result *a, const forecast_result *b) {
    assert_string_equal(a->json, b->json);
    assert_string_equal(a->run, b->run);
    assert_true(a->model.mse == b->model.mse && a->by_column_count == b->by_column_count && a->by_column_count > 0);
    for (int64_t i = 0; i < a->by_column_count; i++) assert_string_equal(a->by_column[i].name, b->by_column[i].name);
    assert_true(a->intervals[0].level_count == b->intervals[0].level_count && a->intervals[0].level_count > 0);
    const forecast_interval *x = a->intervals[0].level, *y = b->intervals[0].level;
    assert_memory_equal(x->by_step, y->by_step, (size_t)a->pred_len * sizeof *x->by_step);
    assert_memory_equal(x->by_column, y->by_column, (size_t)a->by_column_count * sizeof *x->by_column);
    assert_int_equal(a->sums.count, 1), assert_int_equal(b->sums.count, 1);
    assert_string_equal(a->sums.of[0].name, b->sums.of[0].name);
}

/* Whole it is the same; cut anywhere, or with any byte of its lengths another, it is refused or a result. */
static void test_parcel(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 }, again = { 0 };
    tide_failure     failure = { 0 };
    void            *bytes;
    size_t           size;
    (void)state;
    small_options(&o);
    snprintf(o.out, sizeof o.out, "%s/parcel", folder);
    set(&o, "sum", "total=north+south");
    no_failure(forecast_train(&o, NULL, NULL, &r, &failure), &failure);
    no_failure(parcel_pack(&r, &bytes, &size, &failure), &failure);
    no_failure(parcel_unpack(bytes, size, &again, &failure), &failure);
    expect_same(&r, &again);
    forecast_result_free(&again);
    for (size_t cut = 0; cut < size; cut += 1 + size / 500) {
        assert_int_equal(parcel_unpack(bytes, cut, &again, &failure), TIDE_EDATA);
        assert_null(again.json);
    }
    for (size_t at = 0; at < size; at += 1 + size / 2000) {
        ((unsigned char *)bytes)[at] ^= 0xff;
        if (parcel_unpack(bytes, size, &again, &failure) == TIDE_OK) forecast_result_free(&again);
        memset(&again, 0, sizeof again);
        ((unsigned char *)bytes)[at] ^= 0xff;
    }
    free(bytes);
    forecast_result_free(&r);
}

static int set_up(void **state) { return folder_with_series(state, 400); }

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_result), cmocka_unit_test(test_stopped),
                                        cmocka_unit_test(test_parcel) };
    return cmocka_run_group_tests_name("a search", tests, set_up, remove_folder);
}
