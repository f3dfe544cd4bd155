/* On the real series: sixty Adam steps beside the published model's, and its errors with pseudo-random weights. */
#include "steps.h"

#include "forecast/models/encoder.h"

static const char *device;

/* The plain loops of ref and check are a hundred times slower: a part of the steps and of the windows tells as much. */
static bool is_slow(void) { return strcmp(device, "cpu") != 0; }

static void load_series(forecast_options *o, dataset *d) {
    char         path[512];
    tide_failure failure = { 0 };
    shared_path(path, "data/forecast/ETTh1.csv");
    snprintf(o->data, sizeof o->data, "%s", path);
    snprintf(o->device, sizeof o->device, "%s", device);
    o->kind = FORECAST_ETTH;
    *d      = (dataset){ 0 };
    if (dataset_load(o, 0, d, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

/* lr 1e-3, clipped to norm 1, batch 32, windows in order, no dropout. */
static void test_sixty_steps(void **state) {
    char             path[512];
    tide_failure     failure = { 0 };
    tide_archive     a       = { 0 };
    forecast_options o;
    dataset          d;
    (void)state;
    forecast_options_default(&o);
    o.pred_len = 24, o.d_model = 64, o.n_heads = 4, o.d_ff = 128, o.dropout = 0, o.batch_size = 32,
    o.learning_rate = 1e-3, o.grad_clip = 1;
    if (tide_npz_read(shared_path(path, "golden/itransformer_etth1_adam60.npz"), &a, &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
    load_series(&o, &d);
    check_steps(&a, &o, &d, is_slow() ? 12 : 60);
    dataset_free(&d);
    tide_archive_free(&a);
}

/* ---- fixed pseudo-random weights ---- */

static float hashed(uint32_t tensor, uint32_t element, double fan_in) {
    uint32_t s = element * 2654435761u + (tensor + 1) * 2246822519u;
    s ^= s >> 15;
    s *= 2246822519u;
    s ^= s >> 13;
    return (float)((2.0 * s / 4294967296.0 - 1) / sqrt(fan_in));
}

static void fill(tide_val variable, uint32_t tensor, double fan_in) {
    int64_t count = tide_shape_count(tide_shape_of(variable));
    float  *data  = malloc((size_t)count * sizeof *data);
    for (int64_t k = 0; k < count; k++) data[k] = hashed(tensor, (uint32_t)k, fan_in);
    assert_int_equal(tide_write(variable, data, (size_t)count * sizeof *data), TIDE_OK);
    free(data);
}

static uint32_t fill_linear(const tide_linear *layer, uint32_t tensor) {
    double fan_in = (double)tide_shape_of(layer->weight).dim[1];
    fill(layer->weight, tensor, fan_in);
    fill(layer->bias, tensor + 1, fan_in);
    return tensor + 2;
}

/* In the order of the published checkpoint; norms keep gain 1 and offset 0 but are counted. */
static void fill_model(const itransformer *m) {
    uint32_t t = fill_linear(&m->embedding, 0);
    for (int64_t i = 0; i < m->config.e_layers; i++) {
        const encoder_block *b = &m->blocks[i];
        const tide_linear *order[] = { &b->attention.query, &b->attention.key, &b->attention.value,
                                       &b->attention.out,   &b->conv1,         &b->conv2 };
        for (int k = 0; k < 6; k++) t = fill_linear(order[k], t);
        t += 4;
    }
    fill_linear(&m->projector, t + 2);
}

static void expect_number(const char *what, double got, double expected, double allowed) {
    if (!(fabs(got - expected) <= allowed))
        fail_msg("%s on %s: expected %.9g, got %.9g, %.2g apart, %.2g allowed", what, device, expected, got,
                 fabs(got - expected), allowed);
}

static void test_random_weights(void **state) {
    static const float first[7] = { 0.4678692f,   0.3900138f, 0.456265f,  0.06135902f,
                                    -0.06318646f, 0.7441206f, -0.7596281f };
    static const float last[7] = {
        -0.7042353f, 0.1815811f, -0.706346f, 0.04574099f, -0.2370421f, 0.5487262f, -0.709419f
    };
    tide_failure     failure = { 0 };
    forecast_options o;
    dataset          d;
    session          s = { 0 };
    window_program   p;
    model_config     c;
    score_pair       total = { 0 };
    (void)state;
    forecast_options_default(&o);
    o.d_model = o.d_ff = 256;
    load_series(&o, &d);
    model_config_from(&o, &d, &c);
    scoring w = { .data = &d,
                  .seq_len = 96,
                  .pred_len = 96,
                  .windows = dataset_windows(&d, d.split.test, 96, 96) };
    assert_int_equal(w.windows.count, 2785);
    if (session_open(&o, &c, &d, &s, &failure) != TIDE_OK ||
        session_scoring(&s, is_slow() ? 1 : 64, WINDOW_FORECASTS, &p, &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
    fill_model(s.model.self);
    if (!is_slow()) {
        if (score_model(&w, &p, &total, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        forecast_score score = score_pair_result("model", &total, false);
        expect_number("MSE", score.mse, 0.9034152, 1e-5);
        expect_number("MAE", score.mae, 0.6333848, 1e-5);
    }
    int32_t start = (int32_t)window_start(&w.windows, 0);
    assert_int_equal(run_windows(&p, &start, 1, &failure), TIDE_OK);
    const float *forecast = tide_data(p.prediction);
    for (int i = 0; i < 7; i++) {
        expect_number("step 1", (double)forecast[i], (double)first[i], 1e-5);
        expect_number("step 96", (double)forecast[95 * 7 + i], (double)last[i], 1e-5);
    }
    score_pair_free(&total);
    session_free(&s);
    dataset_free(&d);
}

int main(int argc, char **argv) {
    device = argc > 1 ? argv[1] : "cpu";
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sixty_steps), cmocka_unit_test(test_random_weights) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
