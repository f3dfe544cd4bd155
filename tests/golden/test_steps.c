/* On a made series, from its CSV on: scaled rows, marks, sixty Adam steps, and the forecasts of what they made. */
#include "steps.h"

static const char *device;
static int         steps;

static const char columns[] = "date,a,b,c,d,e,f\n";
enum { ROWS = 1200, COLUMNS = 6, MARKS = 4, TRAIN_ROWS = 1040, HELD_ROWS = 80, SEQ_LEN = 48, PRED_LEN = 12,
       WINDOWS = HELD_ROWS - PRED_LEN + 1, FORECASTS = WINDOWS * PRED_LEN * COLUMNS };

/* The series is on a grid of 1/256 and below 10,000: twelve digits are the whole number. */
static void write_csv(const tide_archive *a, FILE *file) {
    static const time_format format = { .kind = 'd', .shape = DATE_YMD, .separator = '-', .padded = true,
                                        .hour_padded = true, .middle = ' ', .seconds = true };
    const float   *values = golden_array(a, "series", "", TIDE_F32, ROWS * COLUMNS);
    const int64_t *start  = golden_array(a, "start", "", TIDE_I64, 1);
    fputs(columns, file);
    for (int64_t i = 0; i < ROWS; i++) {
        char stamp[40];
        time_print(stamp, *start + 3600 * i, &format);
        fputs(stamp, file);
        for (int c = 0; c < COLUMNS; c++) fprintf(file, ",%.12g", (double)values[i * COLUMNS + c]);
        fputs("\n", file);
    }
}

static void load(const tide_archive *a, forecast_options *o, dataset *d) {
    char         path[] = "/tmp/tidemill-golden-XXXXXX";
    tide_failure failure = { 0 };
    int          descriptor = mkstemp(path);
    FILE        *file       = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    assert_non_null(file);
    write_csv(a, file);
    assert_int_equal(fclose(file), 0);
    snprintf(o->data, sizeof o->data, "%s", path);
    *d = (dataset){ 0 };
    tide_status status = dataset_load(o, 0, d, &failure);
    unlink(path);
    if (status != TIDE_OK) fail_msg("%s", failure.message);
}

static void options_of(const tide_archive *a, forecast_options *o) {
    const int64_t *c = golden_array(a, "config", "", TIDE_I64, 11);
    forecast_options_default(o);
    snprintf(o->device, sizeof o->device, "%s", device);
    o->batch_size = c[0], o->seq_len = c[3], o->pred_len = c[4];
    o->d_model = c[5], o->n_heads = c[6], o->d_ff = c[7], o->e_layers = c[8];
    o->use_norm = c[9] != 0, o->activation = c[10] ? FORECAST_GELU : FORECAST_RELU, o->dropout = 0;
    o->learning_rate = *(const double *)golden_array(a, "lr", "", TIDE_F64, 1);
    o->grad_clip     = *(const double *)golden_array(a, "grad_clip", "", TIDE_F64, 1);
    o->val = o->test = HELD_ROWS;
}

/* Means and deviations are sums of a thousand doubles, in another order than numpy's; rows are rounded to float32. */
static void check_data(const tide_archive *a, const dataset *d) {
    const double *mean = golden_array(a, "mean", "", TIDE_F64, COLUMNS);
    const double *std  = golden_array(a, "std", "", TIDE_F64, COLUMNS);
    assert_int_equal(d->split.train.rows, TRAIN_ROWS);
    assert_int_equal(*(const int64_t *)golden_array(a, "train_rows", "", TIDE_I64, 1), TRAIN_ROWS);
    for (int c = 0; c < COLUMNS; c++)
        if (!(fabs(d->scaler.mean[c] / mean[c] - 1) <= 1e-13 && fabs(d->scaler.std[c] / std[c] - 1) <= 1e-13))
            fail_msg("column %d: expected mean %.17g and deviation %.17g, got %.17g and %.17g", c, mean[c], std[c],
                     d->scaler.mean[c], d->scaler.std[c]);
    assert_int_equal(d->mark_count, MARKS);
    const float *marks = golden_array(a, "marks", "", TIDE_F32, ROWS * MARKS);
    const float *first = golden_array(a, "x_first", "", TIDE_F32, 16 * SEQ_LEN * COLUMNS);
    expect_close("the series", "marks", d->marks, marks, ROWS * MARKS, 1e-7);
    expect_close("the first window", "rows", d->scaled, first, SEQ_LEN * COLUMNS, 1e-7);
}

typedef struct fixture {
    tide_archive     golden;
    forecast_options options;
    dataset          data;
} fixture;

static int set_up(void **state) {
    char         path[512];
    tide_failure failure = { 0 };
    fixture     *t       = calloc(1, sizeof *t);
    own_path(path, "itransformer_adam60.npz");
    if (tide_npz_read(path, &t->golden, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    options_of(&t->golden, &t->options);
    load(&t->golden, &t->options, &t->data);
    *state = t;
    return 0;
}

static int tear_down(void **state) {
    fixture *t = *state;
    dataset_free(&t->data);
    tide_archive_free(&t->golden);
    free(t);
    return 0;
}

static void test_data(void **state) {
    const fixture *t = *state;
    check_data(&t->golden, &t->data);
}

static void test_steps(void **state) {
    const fixture *t = *state;
    check_steps(&t->golden, &t->options, &t->data, steps);
}

static void expect_error(const char *what, double got, double expected) {
    if (!(fabs(got / expected - 1) <= 1e-6))
        fail_msg("%s on %s: expected %.9g, got %.9g, 1e-6 relative allowed", what, device, expected, got);
}

/* Every window of the test block, by the parameters after the sixty steps. Forecasts are rounded in the seventh digit;
 * over five thousand of them the mean of that is smaller. */
static void test_scores(void **state) {
    const fixture *t       = *state;
    tide_failure   failure = { 0 };
    session        s       = { 0 };
    score_pair     total   = { 0 };
    float         *kept    = malloc(2 * FORECASTS * sizeof *kept);
    window_program p;
    model_config   c;
    scoring        w = { .data = &t->data, .seq_len = SEQ_LEN, .pred_len = PRED_LEN,
                         .windows = dataset_windows(&t->data, t->data.split.test, SEQ_LEN, PRED_LEN),
                         .keep_prediction = kept, .keep_truth = kept + FORECASTS };
    assert_int_equal(w.windows.count, WINDOWS);
    model_config_from(&t->options, &t->data, &c);
    tide_status status = session_open(&t->options, &c, &t->data, &s, &failure);
    if (status == TIDE_OK) status = session_scoring(&s, 32, WINDOW_FORECASTS, &p, &failure);
    if (status == TIDE_OK) put_params(&t->golden, "param60/", s.params), status = score_model(&w, &p, &total, &failure);
    if (status != TIDE_OK) fail_msg("%s", failure.message);
    const double  *errors = golden_array(&t->golden, "test_errors", "", TIDE_F64, 2);
    forecast_score score  = score_pair_result("model", &total, false);
    expect_error("MSE", score.mse, errors[0]);
    expect_error("MAE", score.mae, errors[1]);
    const float *out = golden_array(&t->golden, "test_out", "", TIDE_F32, FORECASTS);
    expect_close("the test block", "forecasts", kept, out, FORECASTS, 1e-5);
    free(kept);
    score_pair_free(&total);
    session_free(&s);
}

int main(int argc, char **argv) {
    device = argc > 1 ? argv[1] : "cpu";
    steps  = argc > 2 ? atoi(argv[2]) : 60;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data), cmocka_unit_test(test_steps), cmocka_unit_test(test_scores),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
