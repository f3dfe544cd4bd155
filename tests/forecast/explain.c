/* What forecasts go by, worked out again: attention by plain loops over the weights, attributions of a linear network
 * as its weights and of another by differences of forecasts, errors without an input from flattened windows. */
#include <tidemill/explain.h>
#include <tidemill/io.h>

#include "train_support.h"

enum { ROWS = 400, SEQ = 24, PRED = 6, COLUMNS = 3, WIDTH = 16, HEADS = 2, LAYERS = 2 };
enum { WINDOWS = 3, FIRST = 296, ALL = 75 };
static double series[ROWS][COLUMNS], mean[COLUMNS], deviation[COLUMNS];

/* ---- the series and its windows ---- */

static void read_series(void) {
    forecast_options o;
    tide_frame      *f = NULL;
    small_options(&o);
    assert_int_equal(forecast_read_frame(&o, &f, NULL), TIDE_OK);
    for (int c = 0; c < COLUMNS; c++) {
        int64_t       stride;
        const double *values = tide_frame_values(f, c, &stride);
        double        sum = 0, squares = 0;
        for (int i = 0; i < ROWS; i++) series[i][c] = values[i * stride];
        for (int i = 0; i < ROWS * 7 / 10; i++) sum += series[i][c] / (ROWS * 7 / 10);
        for (int i = 0; i < ROWS * 7 / 10; i++) squares += pow(series[i][c] - sum, 2) / (ROWS * 7 / 10);
        mean[c] = sum, deviation[c] = sqrt(squares);
    }
    tide_frame_free(f);
}

/* Of the test rows' 75 windows three, evenly spread, the last among them. */
static int start_of(int window) { return FIRST + ALL - 1 - (WINDOWS - 1 - window) * ALL / WINDOWS; }

static double flat_value(int window, int column) {
    double sum = 0;
    for (int i = 0; i < SEQ; i++) sum += series[start_of(window) + i][column] / SEQ;
    return sum;
}

/* A window with each column this far from flat. */
static void window_along(int window, const double along[COLUMNS], double out[SEQ * COLUMNS]) {
    for (int i = 0; i < SEQ; i++)
        for (int c = 0; c < COLUMNS; c++) {
            double flat = flat_value(window, c);
            out[i * COLUMNS + c] = flat + along[c] * (series[start_of(window) + i][c] - flat);
        }
}

static forecast_model *model_of(const char *run) {
    char            path[96];
    forecast_model *m = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, run);
    assert_int_equal(forecast_model_load(path, NULL, &m, NULL), TIDE_OK);
    return m;
}

static void predict(forecast_model *m, int window, const double along[COLUMNS], double out[PRED * COLUMNS]) {
    double past[SEQ * COLUMNS];
    window_along(window, along, past);
    assert_int_equal(forecast_model_predict(m, 1, past, NULL, out, NULL), TIDE_OK);
}

static double mean_forecast(forecast_model *m, int window, const double along[COLUMNS], int target) {
    double out[PRED * COLUMNS], sum = 0;
    predict(m, window, along, out);
    for (int s = 0; s < PRED; s++) sum += out[s * COLUMNS + target] / PRED;
    return sum;
}

/* ---- runs ---- */

static void train(const char *run, const char *words) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    small_options(&o);
    snprintf(o.out, sizeof o.out, "%s/%s", folder, run);
    set_all(&o, words);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train %s: %s", run, failure.message);
    forecast_result_free(&r);
}

static void of_run(forecast_options *o, const char *run) {
    forecast_options_default(o);
    snprintf(o->model, sizeof o->model, "%s/%s", folder, run);
    set_all(o, "threads 1 windows 3");
    if (getenv("TIDEMILL_DEVICE")) set(o, "device", getenv("TIDEMILL_DEVICE"));
}

static forecast_result explained(const forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_explain_inputs(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("explain: %s", failure.message);
    return r;
}

/* ---- attention ---- */

static tide_archive weights;

static const float *weight(const char *name) {
    const tide_tensor *t = tide_archive_find(&weights, name);
    if (!t) fail_msg("the model has no %s", name);
    return t->data;
}

static void affine(const char *name, int rows, int in, int out, const double *x, double *y) {
    char         text[100];
    const float *w, *b;
    snprintf(text, sizeof text, "%s.weight", name), w = weight(text);
    snprintf(text, sizeof text, "%s.bias", name), b = weight(text);
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out; o++) {
            y[r * out + o] = b[o];
            for (int i = 0; i < in; i++) y[r * out + o] += (double)w[o * in + i] * x[r * in + i];
        }
}

static void normalise(const char *name, int rows, double *x) {
    char         text[100];
    const float *w, *b;
    snprintf(text, sizeof text, "%s.weight", name), w = weight(text);
    snprintf(text, sizeof text, "%s.bias", name), b = weight(text);
    for (int r = 0; r < rows; r++) {
        double m = 0, v = 0;
        for (int i = 0; i < WIDTH; i++) m += x[r * WIDTH + i] / WIDTH;
        for (int i = 0; i < WIDTH; i++) v += pow(x[r * WIDTH + i] - m, 2) / WIDTH;
        for (int i = 0; i < WIDTH; i++) x[r * WIDTH + i] = (x[r * WIDTH + i] - m) / sqrt(v + 1e-5) * w[i] + b[i];
    }
}

/* Softmax of queries and keys: adds the mean over the heads to `map`, and gives the heads' values. */
static void attend(const double *q, const double *k, const double *v, double *map, double *out) {
    enum { SIZE = WIDTH / HEADS };
    for (int h = 0; h < HEADS; h++)
        for (int i = 0; i < COLUMNS; i++) {
            double p[COLUMNS], all = 0;
            for (int j = 0; j < COLUMNS; j++) {
                double dot = 0;
                for (int d = 0; d < SIZE; d++) dot += q[i * WIDTH + h * SIZE + d] * k[j * WIDTH + h * SIZE + d];
                all += p[j] = exp(dot / sqrt(SIZE));
            }
            for (int d = 0; d < SIZE; d++) out[i * WIDTH + h * SIZE + d] = 0;
            for (int j = 0; j < COLUMNS; j++) {
                map[i * COLUMNS + j] += p[j] / all / HEADS;
                for (int d = 0; d < SIZE; d++)
                    out[i * WIDTH + h * SIZE + d] += p[j] / all * v[j * WIDTH + h * SIZE + d];
            }
        }
}

enum { TOKENS = COLUMNS * WIDTH };

static void block(int layer, double x[TOKENS], double *map) {
    double     q[TOKENS], k[TOKENS], v[TOKENS], heads[TOKENS], y[TOKENS];
    char       name[100];
#define NAMED(part) (snprintf(name, sizeof name, "encoder.attn_layers.%d.%s", layer, part), name)
    affine(NAMED("attention.query_projection"), COLUMNS, WIDTH, WIDTH, x, q);
    affine(NAMED("attention.key_projection"), COLUMNS, WIDTH, WIDTH, x, k);
    affine(NAMED("attention.value_projection"), COLUMNS, WIDTH, WIDTH, x, v);
    attend(q, k, v, map, heads);
    affine(NAMED("attention.out_projection"), COLUMNS, WIDTH, WIDTH, heads, y);
    for (int i = 0; i < TOKENS; i++) x[i] += y[i];
    normalise(NAMED("norm1"), COLUMNS, x);
    affine(NAMED("conv1"), COLUMNS, WIDTH, WIDTH, x, q);
    for (int i = 0; i < TOKENS; i++) q[i] *= 0.5 * (1 + erf(q[i] / sqrt(2)));
    affine(NAMED("conv2"), COLUMNS, WIDTH, WIDTH, q, y);
    for (int i = 0; i < TOKENS; i++) x[i] += y[i];
    normalise(NAMED("norm2"), COLUMNS, x);
#undef NAMED
}

/* The maps of all layers, (LAYERS, COLUMNS, COLUMNS). */
static void maps_of(int window, double *map) {
    double normed[COLUMNS * SEQ], x[TOKENS];
    for (int c = 0; c < COLUMNS; c++) {
        double m = 0, v = 0;
        for (int i = 0; i < SEQ; i++) {
            normed[c * SEQ + i] = (series[start_of(window) + i][c] - mean[c]) / deviation[c];
            m += normed[c * SEQ + i] / SEQ;
        }
        for (int i = 0; i < SEQ; i++) v += pow(normed[c * SEQ + i] - m, 2) / SEQ;
        for (int i = 0; i < SEQ; i++) normed[c * SEQ + i] = (normed[c * SEQ + i] - m) / sqrt(v + 1e-5);
    }
    affine("enc_embedding.value_embedding", COLUMNS, SEQ, WIDTH, normed, x);
    for (int l = 0; l < LAYERS; l++) block(l, x, map + l * COLUMNS * COLUMNS);
}

/* Sums of float32 beside doubles, through two layers. */
#define FORWARD_TOLERANCE 2e-5

static void test_attention(void **state) {
    forecast_options o;
    char             path[128];
    double           map[LAYERS * COLUMNS * COLUMNS] = { 0 };
    (void)state;
    of_run(&o, "run");
    forecast_result        r = explained(&o);
    const forecast_inputs *x = r.inputs;
    snprintf(path, sizeof path, "%s/run/model.safetensors", folder);
    assert_int_equal(tide_safetensors_read(path, &weights, NULL), TIDE_OK);
    for (int w = 0; w < WINDOWS; w++) maps_of(w, map);
    assert_int_equal(x->attention_count, LAYERS);
    for (int l = 0; l < LAYERS; l++) {
        const forecast_attention *a = &x->attention[l];
        assert_int_equal(a->tokens, COLUMNS);
        assert_int_equal(a->layer, l + 1);
        assert_string_equal(a->token[1], "south");
        for (int i = 0; i < COLUMNS * COLUMNS; i++)
            expect_near("attention", a->weight[i], map[l * COLUMNS * COLUMNS + i] / WINDOWS, FORWARD_TOLERANCE);
    }
    tide_archive_free(&weights);
    forecast_result_free(&r);
    assert_null(r.inputs);
}

/* Of a model in memory: the same loops, a window each. */
static void test_attention_of_window(void **state) {
    char               path[128];
    forecast_model    *m = model_of("run");
    const double       whole[COLUMNS] = { 1, 1, 1 };
    double             past[SEQ * COLUMNS];
    forecast_attention *a;
    int64_t            count;
    tide_failure       failure = { 0 };
    (void)state;
    snprintf(path, sizeof path, "%s/run/model.safetensors", folder);
    assert_int_equal(tide_safetensors_read(path, &weights, NULL), TIDE_OK);
    for (int w = WINDOWS - 1; w >= 0; w--) {
        double map[LAYERS * COLUMNS * COLUMNS] = { 0 };
        window_along(w, whole, past);
        maps_of(w, map);
        assert_int_equal(forecast_model_attention(m, past, NULL, NULL, &a, &count, &failure), TIDE_OK);
        assert_int_equal(count, LAYERS);
        for (int l = 0; l < LAYERS; l++) {
            assert_int_equal(a[l].layer, l + 1);
            assert_string_equal(a[l].token[1], "south");
            for (int i = 0; i < COLUMNS * COLUMNS; i++)
                expect_near("attention", a[l].weight[i], map[l * COLUMNS * COLUMNS + i], FORWARD_TOLERANCE);
        }
        forecast_attention_free(a, count);
    }
    past[4] = NAN;
    assert_int_equal(forecast_model_attention(m, past, NULL, NULL, &a, &count, &failure), TIDE_EDATA);
    expect_has(failure.message, "row 2, 'south'");
    assert_true(!a && !count);
    tide_archive_free(&weights);
    forecast_model_free(m);
}

/* ---- attributions ---- */

/* All of DLinear's map from a scaled window to the mean over the horizon, without its biases. */
static void dlinear_weights(double out[SEQ]) {
    const float *seasonal = weight("Linear_Seasonal.weight"), *trend = weight("Linear_Trend.weight");
    for (int t = 0; t < SEQ; t++) out[t] = 0;
    for (int s = 0; s < PRED; s++)
        for (int t = 0; t < SEQ; t++) {
            out[t] += (double)seasonal[s * SEQ + t] / PRED;
            for (int k = t - 12; k <= t + 12; k++)
                out[k < 0 ? 0 : k >= SEQ ? SEQ - 1 : k] +=
                    ((double)trend[s * SEQ + t] - (double)seasonal[s * SEQ + t]) / PRED / 25;
        }
}

/* Of a linear network every attribution is its weight times how far the value is from flat. */
static void test_linear(void **state) {
    forecast_options o;
    char             path[128];
    double           w[SEQ];
    (void)state;
    train("linear", "arch dlinear use-norm no epochs 1");
    of_run(&o, "linear");
    forecast_result r = explained(&o);
    snprintf(path, sizeof path, "%s/linear/model.safetensors", folder);
    assert_int_equal(tide_safetensors_read(path, &weights, NULL), TIDE_OK);
    dlinear_weights(w);
    for (int c = 0; c < COLUMNS; c++) {
        const forecast_explained *e = &r.inputs->explained[c];
        double sum = 0;
        for (int t = 0; t < SEQ; t++) {
            double strength = 0;
            for (int k = 0; k < WINDOWS; k++) {
                double part = w[t] * (series[start_of(k) + t][c] - flat_value(k, c)) / WINDOWS;
                strength += fabs(part), sum += part;
            }
            expect_near("strength of a row", e->by_row[c * (SEQ + PRED) + t], strength, 1e-5 * deviation[c]);
        }
        expect_near("sum", e->of[c].mean, sum, 1e-5 * deviation[c]);
        expect_near("share of itself", e->of[c].share, 100, 1e-9);
        assert_true(e->of[(c + 1) % COLUMNS].strength == 0 && e->gap < 1e-4);
    }
    expect_has(r.inputs->no_attention, "dlinear has no attention");
    expect_near("own share", r.inputs->own_share, 100, 1e-9);
    tide_archive_free(&weights);
    forecast_result_free(&r);
}

/* The integral of the derivatives along the line, by differences of forecasts in each column's direction. */
static double by_differences(forecast_model *m, int target, int column, int steps) {
    double sum = 0;
    for (int k = 0; k < WINDOWS; k++)
        for (int s = 0; s < steps; s++) {
            double up[COLUMNS], down[COLUMNS], u = (s + 0.5) / steps, at = u * u, h = 0.01 * u;
            for (int c = 0; c < COLUMNS; c++) up[c] = down[c] = at;
            up[column] += h, down[column] -= h;
            sum += (mean_forecast(m, k, up, target) - mean_forecast(m, k, down, target)) / (2 * h) * 2 * u / steps /
                   WINDOWS;
        }
    return sum;
}

static void test_attributions(void **state) {
    static const double whole[COLUMNS] = { 1, 1, 1 }, none[COLUMNS] = { 0 };
    forecast_options o;
    (void)state;
    of_run(&o, "run");
    set(&o, "targets", "flow, north");
    forecast_result        r = explained(&o);
    const forecast_inputs *x = r.inputs;
    forecast_model        *m = model_of("run");
    assert_int_equal(x->explained_count, 2);
    for (int k = 0; k < 2; k++) {
        const forecast_explained *e = &x->explained[k];
        int    target = k ? 0 : 2;
        double forecast = 0, flat = 0, sum = 0, shares = 0;
        assert_string_equal(e->name, k ? "north" : "flow");
        for (int w = 0; w < WINDOWS; w++) {
            forecast += mean_forecast(m, w, whole, target) / WINDOWS;
            flat += mean_forecast(m, w, none, target) / WINDOWS;
        }
        expect_near("forecast", e->forecast, forecast, 1e-5 * deviation[target]);
        expect_near("flat forecast", e->flat, flat, 1e-5 * deviation[target]);
        for (int c = 0; c < COLUMNS; c++) {
            /* forecasts of float32 over a difference of 0.02; the curvature of so short a way is less */
            expect_near("attribution", e->of[c].mean, by_differences(m, target, c, (int)x->steps),
                        2e-3 * deviation[target]);
            sum += e->of[c].mean, shares += e->of[c].share;
            assert_true(e->of[c].strength >= fabs(e->of[c].mean));
        }
        expect_near("shares", shares, 100, 1e-9);
        assert_true(e->gap < 0.02);
        expect_near("completeness", sum, forecast - flat, 0.02 * (fabs(forecast - flat) + e->of[target].strength));
    }
    forecast_model_free(m);
    forecast_result_free(&r);
}

/* ---- errors without an input ---- */

static void test_flat(void **state) {
    forecast_options o;
    (void)state;
    of_run(&o, "run");
    forecast_result        r = explained(&o);
    const forecast_inputs *x = r.inputs;
    forecast_model        *m = model_of("run");
    double rise[COLUMNS + 1] = { 0 };
    for (int without = -1; without < COLUMNS; without++) {
        double along[COLUMNS] = { 1, 1, 1 }, errors[COLUMNS] = { 0 }, out[PRED * COLUMNS];
        if (without >= 0) along[without] = 0;
        for (int w = 0; w < WINDOWS; w++) {
            predict(m, w, along, out);
            for (int i = 0; i < PRED * COLUMNS; i++) {
                int c = i % COLUMNS;
                errors[c] += pow((out[i] - series[start_of(w) + SEQ + i / COLUMNS][c]) / deviation[c], 2);
            }
        }
        for (int c = 0; c < COLUMNS; c++) {
            double mse = errors[c] / (WINDOWS * PRED);
            expect_near("mse", without < 0 ? x->mse[c] : x->mse_flat[without * COLUMNS + c], mse, 1e-5 * (1 + mse));
            rise[without + 1] += mse / COLUMNS;
        }
    }
    for (int c = 0; c < COLUMNS; c++)
        expect_near("rise", x->input[c].loss_rise, 100 * (rise[c + 1] / rise[0] - 1), 0.01);
    forecast_model_free(m);
    forecast_result_free(&r);
}

/* ---- networks and inputs of other kinds ---- */

static void check_rows(const forecast_attention *a) {
    for (int64_t i = 0; i < a->tokens; i++) {
        double row = 0;
        for (int64_t j = 0; j < a->tokens; j++) row += a->weight[i * a->tokens + j];
        expect_near("a row of attention", row, 1, 1e-5);
    }
}

/* A model in memory has the same maps, of whichever window. */
static void check_kept(const char *run, const forecast_inputs *x) {
    forecast_model     *m = model_of(run);
    double              past[SEQ * COLUMNS], known[PRED * COLUMNS];
    int64_t             time[SEQ], count;
    forecast_attention *a;
    tide_failure        failure = { 0 };
    for (int i = 0; i < SEQ * COLUMNS; i++) past[i] = series[i / COLUMNS][i % COLUMNS];
    for (int i = 0; i < SEQ; i++) time[i] = 3600 * i;
    for (int i = 0; i < PRED * COLUMNS; i++) known[i] = series[SEQ + i / COLUMNS][2];
    tide_status status = forecast_model_attention(m, past, time, known, &a, &count, &failure);
    assert_int_equal(status, x->attention_count ? TIDE_OK : TIDE_EINVAL);
    assert_int_equal(count, x->attention_count);
    if (!count) assert_string_equal(failure.message, x->no_attention);
    for (int64_t l = 0; l < count; l++) {
        check_rows(&a[l]);
        assert_string_equal(a[l].model, x->attention[l].model);
        assert_int_equal(a[l].layer, x->attention[l].layer);
        assert_int_equal(a[l].tokens, x->attention[l].tokens);
        for (int64_t i = 0; i < a[l].tokens; i++) assert_string_equal(a[l].token[i], x->attention[l].token[i]);
    }
    forecast_attention_free(a, count);
    forecast_model_free(m);
}

/* Time features, columns known ahead, members of a sum; rows of every map add up to 1. */
static void check_kind(const char *run, const char *words, int64_t inputs, int64_t maps, const char *first_map) {
    forecast_options o;
    train(run, words);
    of_run(&o, run);
    forecast_result        r = explained(&o);
    const forecast_inputs *x = r.inputs;
    double                 shares = 0;
    assert_int_equal(x->count, inputs);
    assert_int_equal(x->attention_count, maps);
    for (int64_t l = 0; l < maps; l++) check_rows(&x->attention[l]);
    if (maps) assert_string_equal(x->attention[0].model, first_map);
    else assert_true(*x->no_attention);
    check_kept(run, x);
    for (int64_t i = 0; i < inputs; i++) shares += x->input[i].share;
    expect_near("shares", shares, 100, 1e-6);
    for (int64_t k = 0; k < x->explained_count; k++) {
        const forecast_explained *e = &x->explained[k];
        double sum = 0;
        for (int64_t i = 0; i < inputs; i++) sum += e->of[i].mean;
        expect_near("completeness", sum, e->forecast - e->flat, 0.02 * (1 + fabs(e->forecast - e->flat)));
    }
    forecast_result_free(&r);
}

static void test_kinds(void **state) {
    (void)state;
    check_kind("known", "known flow marks h epochs 1", 7, LAYERS, "itransformer");
    check_kind("patches", "arch patchtst epochs 1", COLUMNS, LAYERS, "patchtst");
    check_kind("naive", "arch seasonal-naive season 24", COLUMNS, 0, NULL);
    check_kind("sum", "arch auto members seasonal-naive,itransformer,dlinear season 24 epochs 1", COLUMNS + 4, LAYERS,
               "itransformer");
}

/* ---- stopping, refusals, files ---- */

typedef struct watch { int64_t events, stop_at; } watch;

static int count_events(void *user, const forecast_event *e) {
    watch *w = user;
    (void)e;
    return ++w->events == w->stop_at;
}

static void test_stops(void **state) {
    forecast_options o;
    (void)state;
    of_run(&o, "run");
    watch           all = { 0, -1 };
    forecast_result r   = { 0 };
    assert_int_equal(forecast_explain_inputs(&o, count_events, &all, &r, NULL), TIDE_OK);
    forecast_result_free(&r);
    for (int64_t stop = 2; stop < all.events - 8; stop++) { /* the last are of files that were written */
        watch        w       = { 0, stop };
        tide_failure failure = { 0 };
        tide_status  status  = forecast_explain_inputs(&o, count_events, &w, &r, &failure);
        assert_true(status == TIDE_ECANCELLED || status == TIDE_OK);
        if (status != TIDE_OK) expect_has(failure.message, "stopped");
        forecast_result_free(&r);
    }
}

static void test_refusals(void **state) {
    static const struct { const char *name, *value; tide_status status; const char *says; } rows[] = {
        { "targets", "flow,tide", TIDE_EINVAL, "'tide' is no column that the run forecasts: north, south, flow" },
        { "known", "flow", TIDE_EINVAL, "fixed by the run" },
        { "model", "/nowhere", TIDE_EDATA, "holds no trained model" },
        { "data", "/nowhere", TIDE_EDATA, "cannot be read" },
        { "out", "/dev/null", TIDE_EINVAL, "is no folder" },
        { "rows", "401", TIDE_EINVAL, "`rows` 401 are more than the series has, 400" },
        { "future", "/nowhere", TIDE_EINVAL, "no column of this run is known ahead" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        of_run(&o, "run");
        set(&o, rows[i].name, rows[i].value);
        tide_status status = forecast_explain_inputs(&o, NULL, NULL, &r, &failure);
        if (status != rows[i].status)
            fail_msg("%s %s: %s, \"%s\"", rows[i].name, rows[i].value, tide_status_name(status), failure.message);
        expect_has(failure.message, rows[i].says);
        forecast_result_free(&r);
    }
}

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* What somebody else has put there stays, and is told before the work begins; what was ours is written anew. */
static void test_files(void **state) {
    char             out[96], path[160], drift[160];
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    size_t           size;
    (void)state;
    snprintf(out, sizeof out, "%s/why", folder);
    snprintf(path, sizeof path, "%s/drift.csv", out);
    of_run(&o, "run");
    set(&o, "out", out);
    assert_int_equal(mkdir(out, 0700), 0);
    write_text(path, "mine");
    watch w = { 0, -1 };
    assert_int_equal(forecast_explain_inputs(&o, count_events, &w, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, "drift.csv");
    assert_int_equal(w.events, 0);
    char *mine = whole_file(out, "drift.csv", &size);
    assert_string_equal(mine, "mine");
    free(mine);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 2; i++) {
        r = explained(&o);
        snprintf(drift, sizeof drift, "%s/report.html", out);
        assert_string_equal(r.inputs->report, drift);
        forecast_result_free(&r);
    }
    char *page = whole_file(out, "report.html", &size);
    expect_has(page, "What the forecasts of");
    free(page);
}

static int set_up(void **state) {
    if (folder_with_series(state, ROWS)) return -1;
    read_series();
    train("run", "marks none");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attention), cmocka_unit_test(test_attention_of_window),
        cmocka_unit_test(test_linear),    cmocka_unit_test(test_attributions),
        cmocka_unit_test(test_flat),      cmocka_unit_test(test_kinds),  cmocka_unit_test(test_stops),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
