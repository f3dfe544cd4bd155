/* Gaps: what windows put in their place, what counts them and what does not, and a model that learns around them. */
#include "forecast/data/gaps.h"
#include "forecast/fit/gapped.h"
#include "forecast/models/loss.h"
#include "forecast/models/model.h"
#include "forecast/score/score.h"
#include "train_support.h"

enum { ROWS = 60, COLUMNS = 5, LENGTH = 9 };

static float uniform(void) { return (float)rand() / (float)RAND_MAX * 2 - 1; }

/* `share` of the cells are gaps; the last column holds nothing but gaps, the one before none. */
static void make_series(float *series, double share) {
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        int  column = i % COLUMNS;
        bool gap    = column == COLUMNS - 1 || (column < COLUMNS - 2 && rand() < share * RAND_MAX);
        series[i]   = gap ? NAN : uniform();
    }
}

static void expect_close(const char *what, const float *got, const float *expected, int count) {
    for (int i = 0; i < count; i++)
        if (!(fabsf(got[i] - expected[i]) <= 2e-6F)) fail_msg("%s, %d: %g, expected %g", what, i, got[i], expected[i]);
}

/* By the words of gaps.h, one cell at a time. */
static float filled_by_hand(const float *window, int row, int column) {
    int left = row, right = row;
    while (left >= 0 && isnan(window[left * COLUMNS + column])) left--;
    while (right < LENGTH && isnan(window[right * COLUMNS + column])) right++;
    float a = left < 0 ? 0 : window[left * COLUMNS + column];
    float b = right == LENGTH ? 0 : window[right * COLUMNS + column];
    if (left == row) return a;
    if (left < 0) return b;
    if (right == LENGTH) return a;
    return a + (b - a) * (float)(row - left) / (float)(right - left);
}

static void test_windows(void **state) {
    static const double shares[] = { 0, 0.1, 0.5, 0.9, 1 };
    static float series[ROWS * COLUMNS], filled[LENGTH * COLUMNS], gaps[LENGTH * COLUMNS], hand[LENGTH * COLUMNS];
    (void)state;
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
        make_series(series, shares[k]);
        int32_t     starts[ROWS - LENGTH + 1];
        tide_graph *g = tide_graph_new("cpu");
        gapped      on_device;
        tide_val    marked, known, start;
        for (int i = 0; i <= ROWS - LENGTH; i++) starts[i] = i;
        assert_int_equal(gapped_new(g, series, ROWS, COLUMNS, &on_device, NULL), TIDE_OK);
        start = tide_constant(g, TIDE_I32, TIDE_SHAPE(ROWS - LENGTH + 1), starts);
        tide_val     windows = gapped_windows(&on_device, start, LENGTH, &marked);
        tide_val     truth   = gapped_truth(&on_device, start, LENGTH, &known);
        const float *w = tide_data(windows), *m = tide_data(marked), *t = tide_data(truth), *n = tide_data(known);
        assert_true(w && m && t && n);
        for (int i = 0; i <= ROWS - LENGTH; i++) {
            const float *window = series + i * COLUMNS;
            int          at     = i * LENGTH * COLUMNS;
            gaps_fill(window, LENGTH, COLUMNS, filled, gaps);
            for (int c = 0; c < LENGTH * COLUMNS; c++) hand[c] = filled_by_hand(window, c / COLUMNS, c % COLUMNS);
            expect_close("filled", filled, hand, LENGTH * COLUMNS);
            expect_close("filled on the device", w + at, hand, LENGTH * COLUMNS);
            expect_close("gaps", m + at, gaps, LENGTH * COLUMNS);
            for (int c = 0; c < LENGTH * COLUMNS; c++) {
                assert_true(gaps[c] == (isnan(window[c]) ? 1 : 0) && n[at + c] == 1 - gaps[c]);
                assert_true(t[at + c] == (isnan(window[c]) ? 0 : window[c]));
            }
        }
        tide_graph_free(g);
    }
}

static void test_repeat(void **state) {
    (void)state;
    const double mean = 7;
    double       a[] = { NAN, 1, 2, NAN, 4, NAN, NAN, NAN }, b[8];
    memcpy(b, a, sizeof a);
    gaps_repeat(a, 8, 1, 3, &mean);
    gaps_repeat(b, 8, 1, 1, &mean);
    const double season[] = { 7, 1, 2, 7, 4, 2, 7, 4 }, last[] = { 7, 1, 2, 2, 4, 4, 4, 4 };
    for (int i = 0; i < 8; i++) assert_true(a[i] == season[i] && b[i] == last[i]);
}

/* ---- the model ---- */

typedef struct small_model { tide_graph *g; itransformer model; } small_model;

static small_model model_new(bool masked) {
    small_model  s = { tide_graph_new_with(&(tide_graph_options){ .seed = 5 }), { { 0 } } };
    model_config c = { .seq_len = LENGTH, .pred_len = 4, .columns = COLUMNS, .d_model = 8, .n_heads = 2, .head_size = 4,
                       .d_ff = 8, .e_layers = 1, .use_norm = true, .masked = masked };
    assert_true(itransformer_new(s.g, &c, &s.model));
    return s;
}

static void forecast_of(small_model *s, const float *past, const float *gaps, float *out) {
    tide_shape    shape = TIDE_SHAPE(1, LENGTH, COLUMNS);
    model_windows x     = { .past = tide_constant(s->g, TIDE_F32, shape, past) };
    if (gaps) x.gaps = tide_constant(s->g, TIDE_F32, shape, gaps);
    tide_val f = itransformer_apply(&s->model, &x, TIDE_EVAL, NULL);
    assert_int_equal(tide_read(f, out, sizeof(float) * 4 * COLUMNS), TIDE_OK);
}

/* Another unit or origin of a series changes its forecast alike. */
static void test_units(void **state) {
    float series[ROWS * COLUMNS], past[LENGTH * COLUMNS], gaps[LENGTH * COLUMNS], other[LENGTH * COLUMNS];
    float a[4 * COLUMNS], b[4 * COLUMNS];
    (void)state;
    make_series(series, 0.4);
    gaps_fill(series, LENGTH, COLUMNS, past, gaps);
    for (int i = 0; i < LENGTH * COLUMNS; i++) past[i] *= 100; /* the 1e-5 of the norm is little beside it */
    for (int i = 0; i < LENGTH * COLUMNS; i++) other[i] = i % COLUMNS == COLUMNS - 1 ? 0 : 3 * past[i] + 50;
    small_model s = model_new(true);
    forecast_of(&s, past, gaps, a);
    forecast_of(&s, other, gaps, b);
    for (int i = 0; i < 4 * COLUMNS; i++)
        if (i % COLUMNS < COLUMNS - 1) expect_near("other units", b[i], 3 * (double)a[i] + 50, 0.02);
    itransformer_free(&s.model);
    tide_graph_free(s.g);
}

/* A model that has just begun takes a window without gaps as one that knows of none, to the bit; and a gap's embedding
 * has a derivative. */
static void test_no_gaps(void **state) {
    float past[LENGTH * COLUMNS], none[LENGTH * COLUMNS] = { 0 }, a[4 * COLUMNS], b[4 * COLUMNS], c[4 * COLUMNS];
    (void)state;
    for (int i = 0; i < LENGTH * COLUMNS; i++) past[i] = uniform();
    small_model masked = model_new(true), plain = model_new(false);
    tide_list   from = tide_params(plain.g, ""), all = tide_params(masked.g, "");
    for (int64_t i = 0, k = 0; i < all.count; i++) {
        if (strstr(tide_name_of(all.items[i]), "gap_embedding")) continue;
        const void *data = tide_data(from.items[k]);
        size_t      size = (size_t)tide_shape_count(tide_shape_of(from.items[k])) * sizeof(float);
        assert_string_equal(tide_name_of(all.items[i]), tide_name_of(from.items[k++]));
        assert_int_equal(tide_write(all.items[i], data, size), TIDE_OK);
    }
    forecast_of(&plain, past, NULL, a), forecast_of(&masked, past, NULL, b), forecast_of(&masked, past, none, c);
    expect_close("gaps that are not there", b, a, 4 * COLUMNS);
    expect_close("no gap among them", c, a, 4 * COLUMNS);
    none[3] = 1;
    model_windows x = { .past = tide_constant(masked.g, TIDE_F32, TIDE_SHAPE(1, LENGTH, COLUMNS), past),
                        .gaps = tide_constant(masked.g, TIDE_F32, TIDE_SHAPE(1, LENGTH, COLUMNS), none) };
    tide_val loss = tide_sum(tide_square(itransformer_apply(&masked.model, &x, TIDE_EVAL, NULL)), TIDE_ALL), slope;
    slope = tide_sum(tide_abs(tide_grad(loss, TIDE_LIST(masked.model.gap_embedding)).items[0]), TIDE_ALL);
    float size = 0;
    assert_int_equal(tide_read(slope, &size, sizeof size), TIDE_OK);
    assert_true(size > 0);
    itransformer_free(&masked.model), itransformer_free(&plain.model);
    tide_graph_free(masked.g), tide_graph_free(plain.g);
}

/* ---- what counts ---- */

static void test_loss(void **state) {
    enum { B = 3, C = 2, S = 4, N = B * C * S };
    (void)state;
    float p[N], t[N], known[N];
    for (int i = 0; i < N; i++) {
        p[i] = uniform() * 3, t[i] = uniform() * 3;
        known[i] = i / (C * S) == 1 ? 0 : (float)(rand() % 2);
    }
    known[0] = 1;
    for (int i = 0; i < N; i++) t[i] *= known[i];
    for (int kind = FORECAST_MSE; kind <= FORECAST_HUBER; kind++) {
        tide_graph *g = tide_graph_new("cpu");
        tide_shape  s = TIDE_SHAPE(B, C, S);
        loss_config c = { (forecast_loss)kind, 0, false };
        float       got[B];
        tide_val loss = loss_windows(&c, tide_constant(g, TIDE_F32, s, p), tide_constant(g, TIDE_F32, s, t),
                                     tide_constant(g, TIDE_F32, s, known));
        assert_int_equal(tide_read(loss, got, sizeof got), TIDE_OK);
        for (int b = 0; b < B; b++) {
            double sum = 0, count = 0;
            for (int i = b * C * S; i < (b + 1) * C * S; i++) {
                double e = fabs((double)p[i] - (double)t[i]);
                if (known[i] == 0) continue;
                sum += kind == FORECAST_MSE ? e * e : kind == FORECAST_MAE ? e : e <= 1 ? e * e / 2 : e - 0.5;
                count++;
            }
            expect_near("loss", got[b], count > 0 ? sum / count : 0, 1e-5);
        }
        tide_graph_free(g);
    }
}

static void test_score(void **state) {
    enum { W = 7, S = 3, C = 2, N = W * S * C };
    float  p[N], t[N];
    double squared = 0, absolute = 0, column[C] = { 0 }, column_count[C] = { 0 }, got[C];
    int    count = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        p[i] = uniform(), t[i] = rand() % 3 ? uniform() : NAN;
        double e = isnan(t[i]) ? 0 : (double)p[i] - (double)t[i];
        squared += e * e, absolute += fabs(e), count += !isnan(t[i]);
        column[i % C] += e * e, column_count[i % C] += !isnan(t[i]);
    }
    score *s = score_new(S, C);
    score_add(s, p, t, W);
    score_result r = score_total(s);
    expect_near("mse", r.mse, squared / count, 1e-9);
    expect_near("mae", r.mae, absolute / count, 1e-9);
    score_parts(s, NULL, NULL, got, NULL);
    for (int c = 0; c < C; c++) expect_near("column", got[c], column[c] / column_count[c], 1e-9);
    assert_true(r.mape_left_out == 0 && r.direction >= 0 && r.direction <= 1);
    score_free(s);
}

/* ---- runs ---- */

/* A training whose series has lost a fifth of its cells and some rows: what it says of itself, in a file, in memory,
 * and asked in parts. */
static void test_run(void **state) {
    enum { SERIES = 600, SEQ = 24, PRED = 6, COLS = 3 };
    static double rows[SERIES][COLS];
    static int64_t times[SERIES];
    (void)state;
    char path[96];
    snprintf(path, sizeof path, "%s/gaps.csv", folder);
    FILE *f = fopen(path, "w");
    fputs("date,north,south,flow\n", f);
    for (int i = 0; i < SERIES; i++) {
        times[i] = 1704067200 + 3600 * (int64_t)i;
        double v[COLS] = { sin(i * 0.5059), 3 * cos(i * 0.5236 + 1), 10 + sin(i * 0.5059) * cos(i * 0.5236 + 1) };
        bool   left_out = i % 37 == 5;
        if (!left_out) fprintf(f, "2024-01-%02d %02d:00:00", 1 + i / 24, i % 24);
        for (int c = 0; c < COLS; c++) {
            bool gap   = left_out || rand() % 5 == 0;
            rows[i][c] = gap ? NAN : strtod((snprintf(path, sizeof path, "%.5f", v[c]), path), NULL);
            if (!left_out) fprintf(f, gap ? "," : ",%.5f", v[c]);
        }
        if (!left_out) fputs("\n", f);
    }
    fclose(f);
    forecast_options o;
    forecast_result  r = { 0 };
    tide_failure     failure = { 0 };
    small_options(&o);
    snprintf(path, sizeof path, "%s/gaps.csv", folder);
    set(&o, "data", path);
    set_all(&o, "missing auto target flow epochs 6 overwrite yes");
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_true(isfinite(r.model.mse) && isfinite(r.best_val_loss) && r.model.mse < 1);
    for (int i = 0; i < 3; i++) assert_true(r.baselines[i].present && isfinite(r.baselines[i].mse));
    double whole = r.best_val_loss, mse = r.model.mse;
    forecast_result_free(&r);

    forecast_model *m;
    double past[SEQ][COLS], future[PRED * COLS], alone[PRED * COLS];
    snprintf(path, sizeof path, "%s/run", folder);
    assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_OK);
    assert_true(forecast_model_takes_gaps(m));
    memcpy(past, rows[SERIES - SEQ], sizeof past);
    tide_status status = forecast_model_predict(m, 1, &past[0][0], times + SERIES - SEQ, future, &failure);
    if (status != TIDE_OK) fail_msg("%s", failure.message);
    set(&o, "model", path);
    *o.data = 0;
    assert_int_equal(forecast_predict(&o, NULL, NULL, &r, &failure), TIDE_OK);
    const char *line = strchr(r.csv, '\n');
    for (int s = 0; s < PRED; s++, line = strchr(line + 1, '\n'))
        for (int c = 0; c < COLS; c++) {
            const char *cell = line;
            for (int k = 0; k <= c; k++) cell = strchr(cell + 1, ',');
            double expected = future[s * COLS + c];
            expect_near("predict", strtod(cell + 1, NULL), expected, 1e-6 * fabs(expected) + 1e-6);
        }
    forecast_result_free(&r);
    for (int i = 0; i < SEQ; i++) past[i][0] = NAN; /* a sensor that is silent */
    assert_int_equal(forecast_model_predict(m, 1, &past[0][0], times, alone, &failure), TIDE_OK);
    past[3][1] = INFINITY;
    assert_int_equal(forecast_model_predict(m, 1, &past[0][0], times, alone, &failure), TIDE_EDATA);
    expect_has(failure.message, "NaN says that a value is missing");
    forecast_model_free(m);

    tide_frame *frame;
    assert_int_equal(tide_frame_new(SERIES, &frame, NULL), TIDE_OK);
    assert_int_equal(tide_frame_set_time(frame, "date", times, NULL), TIDE_OK);
    static const char *const names[] = { "north", "south", "flow" };
    for (int c = 0; c < COLS; c++) assert_int_equal(tide_frame_add(frame, names[c], &rows[0][c], COLS, NULL), TIDE_OK);
    forecast_trainer *t;
    *o.out = 0, *o.model = 0;
    if (forecast_trainer_new(&o, frame, NULL, NULL, &t, &failure)) fail_msg("%s", failure.message);
    if (forecast_trainer_run(t, 0, &failure)) fail_msg("%s", failure.message);
    expect_near("a frame", forecast_trainer_at(t).best_val_loss, whole, 0);
    forecast_trainer_free(t);
    set(&o, "accumulate", "4");
    if (forecast_trainer_new(&o, frame, NULL, NULL, &t, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(forecast_trainer_run(t, 0, NULL), TIDE_OK);
    expect_near("in parts", forecast_trainer_at(t).best_val_loss / whole, 1, 1e-3);
    assert_int_equal(forecast_trainer_score(t, &r, &failure), TIDE_OK);
    expect_near("in parts", r.model.mse / mse, 1, 1e-3);
    forecast_result_free(&r);
    forecast_trainer_free(t);
    tide_frame_free(frame);
}

/* One that was trained on whole rows does not take NaN for anything. */
static void test_not_learned(void **state) {
    (void)state;
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    forecast_model  *m;
    char             path[96];
    double           past[24 * 3] = { 0 }, future[6 * 3];
    int64_t          times[24] = { 0 };
    small_options(&o);
    set_all(&o, "epochs 1 overwrite yes");
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_OK);
    forecast_result_free(&r);
    snprintf(path, sizeof path, "%s/run", folder);
    assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_OK);
    assert_false(forecast_model_takes_gaps(m));
    past[5] = NAN;
    assert_int_equal(forecast_model_predict(m, 1, past, times, future, &failure), TIDE_EDATA);
    expect_has(failure.message, "has not learned around gaps");
    forecast_model_free(m);
}

static int set_up(void **state) { return folder_with_series(state, 600); }

int main(void) {
    srand(11);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows), cmocka_unit_test(test_repeat), cmocka_unit_test(test_units),
        cmocka_unit_test(test_no_gaps), cmocka_unit_test(test_loss),   cmocka_unit_test(test_score),
        cmocka_unit_test(test_run),     cmocka_unit_test(test_not_learned),
    };
    return cmocka_run_group_tests_name("gaps", tests, set_up, remove_folder);
}
