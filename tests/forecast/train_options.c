/* Options: names, ranges, presets, --compat; learning rates, order of windows, losses. */
#include <tidemill/tidemill.h>

#include "forecast/models/loss.h"
#include "forecast/fit/resolve.h"
#include "train/schedule.h"
#include "forecast/fit/session.h"
#include "train_support.h"

static void refuse(const char *name, const char *text, const char *says) {
    forecast_options o;
    tide_failure     failure = { 0 };
    forecast_options_default(&o);
    assert_int_equal(forecast_option_set(&o, name, text, &failure), TIDE_EINVAL);
    expect_has(failure.message, says);
    assert_true(*failure.column);
}

static void test_values(void **state) {
    forecast_options o;
    char             text[600];
    int64_t          count;
    (void)state;
    forecast_options_default(&o);
    set_all(&o, "seq_len 48 train_epochs 7 lr 5e-4 loss_function mae use-norm no features MS target close kind etth "
                "lradj mac-slower");
    assert_int_equal(o.seq_len, 48);
    assert_int_equal(o.epochs, 7);
    assert_true(!o.use_norm && o.features == FORECAST_MS && o.kind == FORECAST_ETTH && o.loss_function == FORECAST_MAE);
    assert_int_equal(o.lradj, FORECAST_LR_MAC_SLOWER);
    assert_string_equal(o.target, "close");
    set(&o, "label_len", "48"); /* accepted, without an effect */
    const tide_option *table = forecast_option_table(&count);
    for (int64_t i = 0; i < count; i++) { /* what is printed can be read again */
        forecast_options again = o;
        forecast_option_get(&o, &table[i], text, sizeof text);
        set(&again, table[i].name, text);
        again.given[i] = o.given[i];
        if (memcmp(&again, &o, sizeof o)) fail_msg("--%s %s does not come back", table[i].name, text);
    }
    refuse("seq-len", "0", "whole number from 1");
    refuse("seq-len", "9.5", "whole number");
    refuse("dropout", "2", "to 0.95");
    refuse("dropout", "x", "a number");
    refuse("kind", "ett", "custom, etth");
    refuse("use-norm", "maybe", "yes or no");
    refuse("seqlen", "96", "seq-len");
}

/* Spec section 3: parameter counts of published models. */
static void test_presets(void **state) {
    static const struct { const char *name; int64_t columns, marks, parameters; } published[] = {
        { "etth1-96", 7, 4, 841568 },    { "etth1-720", 7, 4, 3576016 }, { "etth2-96", 7, 4, 224224 },
        { "weather-96", 21, 4, 4833888 },
        { "ecl-96", 321, 4, 4833888 },   { "traffic-96", 862, 4, 6411872 }, { "pems04-12", 307, 0, 25320460 },
    };
    forecast_options o, resolved;
    tide_failure     failure = { 0 };
    unsigned         compat;
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        dataset      d = { .frame = { .columns = published[i].columns }, .mark_count = published[i].marks };
        model_config c;
        forecast_options_default(&o);
        set(&o, "preset", published[i].name);
        assert_int_equal(options_resolve(&o, &resolved, &compat, &failure), TIDE_OK);
        model_config_from(&resolved, &d, &c);
        if (forecaster_parameters(&c) != published[i].parameters)
            fail_msg("%s has %" PRId64 " parameters, %" PRId64 " are published", published[i].name,
                     forecaster_parameters(&c), published[i].parameters);
    }
    forecast_options_default(&o);
    set_all(&o, "epochs 3 preset exchange-336 d-model 64");
    assert_int_equal(options_resolve(&o, &resolved, &compat, &failure), TIDE_OK);
    assert_true(resolved.epochs == 3 && resolved.d_model == 64 && resolved.d_ff == 128); /* given beats preset */
    assert_string_equal(resolved.marks, "h");
    for (int64_t i = 0; forecast_preset_name(i); i++) {
        forecast_options_default(&o);
        if (forecast_preset(&o, forecast_preset_name(i), &failure) != TIDE_OK)
            fail_msg("%s: %s", forecast_preset_name(i), failure.message);
    }
    assert_int_equal(forecast_preset(&o, "etth9-96", &failure), TIDE_EINVAL);
}

static void test_contradictions(void **state) {
    forecast_options o, resolved;
    tide_failure     failure = { 0 };
    unsigned         compat;
    (void)state;
    forecast_options_default(&o);
    set_all(&o, "d-model 100 n-heads 8");
    assert_int_equal(options_resolve(&o, &resolved, &compat, &failure), TIDE_EINVAL);
    expect_has(failure.message, "does not divide");
    forecast_options_default(&o);
    set_all(&o, "compat mac,stop-on-test lradj cosine");
    failure = (tide_failure){ 0 };
    assert_int_equal(options_resolve(&o, &resolved, &compat, &failure), TIDE_OK);
    assert_int_equal(compat, FORECAST_COMPAT_MAC | FORECAST_COMPAT_STOP_ON_TEST);
    assert_int_equal(resolved.lradj, FORECAST_LR_MAC_COSINE);
    assert_int_equal(forecast_compat_parse("mac,nonsense", &compat, &failure), TIDE_EINVAL);
    expect_has(failure.message, "nonsense");
}

/* What was called guide is taken everywhere, and is mac from then on: set by name, by a preset's name, or by hand. */
static void test_old_words(void **state) {
    static const char *const presets[][2] = {
        { "guide-mac", "mac" }, { "guide-m1", "mac-m1" }, { "guide-m2", "mac-m2" }, { "guide_m3", "mac-m3" },
    };
    forecast_options o, resolved;
    unsigned         compat;
    (void)state;
    forecast_options_default(&o);
    set_all(&o, "compat guide,stop-on-test lradj guide_type2");
    assert_string_equal(o.compat, "mac,stop-on-test");
    assert_int_equal(o.lradj, FORECAST_LR_MAC_TYPE2);
    strcpy(o.compat, "stop-on-test,guide"), o.lradj = FORECAST_LR_TYPE1;
    assert_int_equal(forecast_options_resolve(&o, &resolved, NULL), TIDE_OK);
    assert_string_equal(resolved.compat, "stop-on-test,mac");
    assert_int_equal(resolved.lradj, FORECAST_LR_GUIDE_TYPE1);
    assert_int_equal(forecast_compat_parse("guide", &compat, NULL), TIDE_OK);
    assert_int_equal(compat, FORECAST_COMPAT_GUIDE);
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        forecast_options_default(&o);
        strcpy(o.preset, presets[i][0]);
        assert_int_equal(forecast_options_resolve(&o, &resolved, NULL), TIDE_OK);
        assert_string_equal(resolved.preset, presets[i][1]);
        assert_int_equal(resolved.lradj, FORECAST_LR_MAC_COSINE);
    }
    assert_true(FORECAST_LR_GUIDE_TYPE1 == FORECAST_LR_MAC_TYPE1 && FORECAST_LR_GUIDE_TYPE2 == FORECAST_LR_MAC_TYPE2 &&
                FORECAST_LR_GUIDE_SLOWER == FORECAST_LR_MAC_SLOWER &&
                FORECAST_LR_GUIDE_COSINE == FORECAST_LR_MAC_COSINE);
}

static void test_memory_limit(void **state) {
    static const struct { const char *text; double bytes; } fine[] = {
        { "512M", 512.0 * (1 << 20) }, { "2G", 2.0 * (1 << 30) }, { "1.5GiB", 1.5 * (1 << 30) },
        { "300kb", 300 * 1024.0 }, { "1T", 1024.0 * (1 << 30) },
        { "123456789", 123456789 },    { "2", 2 },
    };
    static const char *const refused[] = { "0",    "-1",   "nan",   "inf", "1.5", "12Q", "G",    "2GG",
                                           "120%", "0.7x", "1e300", "M",   " ",   "5 M", "2GiBs" };
    tide_failure failure = { 0 };
    int64_t      bytes, all, share;
    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        if (train_memory_limit(fine[i].text, "cpu", &bytes, &failure) != TIDE_OK)
            fail_msg("%s: %s", fine[i].text, failure.message);
        expect_near(fine[i].text, (double)bytes, fine[i].bytes, 0);
    }
    assert_int_equal(train_memory_limit("1", "cpu", &all, &failure), TIDE_OK);
    assert_int_equal(train_memory_limit("0.7", "cpu", &share, &failure), TIDE_OK);
    assert_int_equal(train_memory_limit("70%", "cpu", &bytes, &failure), TIDE_OK);
    expect_near("a share", (double)share / (double)all, 0.7, 1e-6);
    expect_near("in percent", (double)bytes, (double)share, 1e6); /* a cgroup's limit may move */
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (train_memory_limit(refused[i], "cpu", &bytes, NULL) != TIDE_EINVAL)
            fail_msg("'%s' was accepted: %" PRId64, refused[i], bytes);
    forecast_options o, resolved;
    unsigned         compat;
    forecast_options_default(&o);
    set_all(&o, "memory-limit 2G memory-limit-mib 3");
    assert_int_equal(options_resolve(&o, &resolved, &compat, &failure), TIDE_EINVAL);
    expect_has(failure.message, "one of them");
    set_all(&o, "memory-limit-mib 0 memory-limit 3X");
    failure = (tide_failure){ 0 };
    assert_int_equal(options_resolve(&o, &resolved, &compat, &failure), TIDE_EINVAL);
    expect_has(failure.message, "512M");
    set(&o, "memory-limit", "2G");
    expect_near("limit", (double)session_memory_limit(&o), 2.0 * (1 << 30), 0);
}

/* Rates at base 1e-3 in ten epochs: spec section 8, and the Mac guide's own numbers. */
static void test_rates(void **state) {
    static const struct { train_schedule rule; int64_t epoch; double rate; } cases[] = {
        { TRAIN_LR_TYPE1, 1, 1e-3 },        { TRAIN_LR_TYPE1, 2, 1e-3 },
        { TRAIN_LR_TYPE1, 4, 2.5e-4 },
        { TRAIN_LR_TYPE2, 2, 1e-3 },        { TRAIN_LR_TYPE2, 3, 5e-5 },          { TRAIN_LR_TYPE2, 4, 5e-5 },
        { TRAIN_LR_TYPE2, 12, 5e-7 },       { TRAIN_LR_TYPE3, 4, 1e-3 },
        { TRAIN_LR_TYPE3, 6, 8.1e-4 },
        { TRAIN_LR_COSINE, 1, 1e-3 },       { TRAIN_LR_COSINE, 6, 5e-4 },         { TRAIN_LR_COSINE, 11, 0 },
        { TRAIN_LR_MAC_COSINE, 2, 1e-3 }, { TRAIN_LR_MAC_COSINE, 6, 6.545085e-4 },
        { TRAIN_LR_MAC_TYPE1, 7, 7.5e-4 },
        { TRAIN_LR_MAC_SLOWER, 10, 9e-4 }, { TRAIN_LR_MAC_TYPE2, 3, 5e-4 },
        { TRAIN_LR_CONSTANT, 9, 1e-3 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_near("rate", schedule_rate(cases[i].rule, 1e-3, cases[i].epoch, 10), cases[i].rate, 1e-10);
    expect_near("five epochs", schedule_rate(TRAIN_LR_MAC_COSINE, 1e-3, 6, 5), 9.549150e-5, 1e-10);
}

static void test_order(void **state) {
    int32_t a[1000], b[1000];
    bool    seen[1000] = { false };
    int     fixed = 0, same = 0;
    (void)state;
    schedule_shuffle(a, 1000, 7, 1);
    schedule_shuffle(b, 1000, 7, 1);
    assert_memory_equal(a, b, sizeof a);
    schedule_shuffle(b, 1000, 7, 2);
    for (int i = 0; i < 1000; i++) {
        assert_in_range(a[i], 0, 999);
        seen[a[i]] = true;
        fixed += a[i] == i, same += a[i] == b[i];
    }
    for (int i = 0; i < 1000; i++) assert_true(seen[i]);
    assert_true(fixed < 10 && same < 10); /* one of each is expected */
}

/* The Mac guide's own test tensors, as one window of one column each. */
static void test_financial(void **state) {
    static const struct {
        int64_t windows, steps;
        double weight;
        float prediction[8], truth[8];
        double loss;
    } cases[] = {
        { 2, 3, 0.5, { 1, 2, 3, 4, 3, 2 }, { 1.1f, 2.2f, 3.3f, 4.1f, 3.1f, 2.1f }, 0.0283333 },
        { 2,
          4,
          0.5,
          { 1, 2, 3, 4, 4, 3, 2, 1 },
          { 1.1f, 0.9f, 3.3f, 3.2f, 4.1f, 4.2f, 2.1f, 2.5f },
          0.7075 + 0.666667 * 0.5 },
        { 1, 4, 1, { 1, 3, 2, 4 }, { 1, 2, 3, 4 }, 0.833333 },
        { 1, 4, 1, { 4, 3, 2, 1 }, { 1, 2, 3, 4 }, 6 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_graph *g = tide_graph_new("cpu");
        tide_shape  s = TIDE_SHAPE(cases[i].windows, 1, cases[i].steps);
        tide_val p = tide_variable(g, "p", tide_constant(g, TIDE_F32, s, cases[i].prediction)),
                 t = tide_constant(g, TIDE_F32, s, cases[i].truth);
        loss_config c = { FORECAST_FINANCIAL, cases[i].weight, false }, mse = { FORECAST_MSE, 0, false };
        tide_val loss = tide_mean(loss_windows(&c, p, t, (tide_val){ 0 }), TIDE_ALL),
                 plain = tide_mean(loss_windows(&mse, p, t, (tide_val){ 0 }), TIDE_ALL);
        float       got, apart;
        assert_int_equal(tide_read(loss, &got, sizeof got), TIDE_OK);
        expect_near("financial loss", (double)got, cases[i].loss, 1e-5);
        /* its direction term has no gradient */
        tide_val difference = tide_sub(tide_grad(loss, TIDE_LIST(p)).items[0], tide_grad(plain, TIDE_LIST(p)).items[0]);
        assert_int_equal(tide_read(tide_max(tide_abs(difference), TIDE_ALL), &apart, sizeof apart), TIDE_OK);
        assert_true(apart == 0);
        c.surrogate = true; /* and the surrogate has one */
        tide_val pull = tide_grad(tide_mean(loss_windows(&c, p, t, (tide_val){ 0 }), TIDE_ALL), TIDE_LIST(p)).items[0];
        difference    = tide_sub(pull, tide_grad(plain, TIDE_LIST(p)).items[0]);
        assert_int_equal(tide_read(tide_max(tide_abs(difference), TIDE_ALL), &apart, sizeof apart), TIDE_OK);
        assert_true(apart > 0);
        tide_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_values),         cmocka_unit_test(test_presets),
                                        cmocka_unit_test(test_contradictions), cmocka_unit_test(test_old_words),
                                        cmocka_unit_test(test_memory_limit),   cmocka_unit_test(test_rates),
                                        cmocka_unit_test(test_order),          cmocka_unit_test(test_financial) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
