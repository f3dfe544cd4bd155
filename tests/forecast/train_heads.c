/* Heads of more than points in whole trainings: series whose distribution is known, so that coverage and widths can be
 * held against it; stopped and resumed; what they give through every door; what is refused. With the argument "slow"
 * intervals of sums, whose paths take seconds. */
#include <tidemill/backtest.h>
#include <tidemill/io.h>

#include "train_support.h"

enum { SEQ = 48, PRED = 8, ROWS = 8000, HELD = 2500, LEVELS = 2 };

static const double levels[LEVELS] = { 80, 95 };
static int64_t      times[ROWS];

static uint64_t seed = 1181783497276652981;

static double uniform(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void) { return sqrt(-2 * log(uniform())) * cos(2 * acos(-1) * uniform()); }

/* A standard normal number over the root of a mean of `freedom` squares. */
static double student(int freedom) {
    double squares = 0, above = normal();
    for (int i = 0; i < freedom; i++) squares += pow(normal(), 2);
    return above / sqrt(squares / freedom);
}

/* A day's wave and noise: normal, whose deviation goes by the hour from 0.18 to 1.36, or of 3 degrees of freedom. */
typedef struct made { double y[ROWS], scale[ROWS]; } made;

static void make(made *m, bool heavy) {
    for (int t = 0; t < ROWS; t++) {
        double hour = 2 * acos(-1) * t / 24;
        m->scale[t] = heavy ? 0.5 : 0.5 * exp(sin(hour + 2));
        m->y[t]     = 3 * sin(hour) + m->scale[t] * (heavy ? student(3) : normal());
        times[t]    = 1704067200 + 3600 * (int64_t)t;
    }
}

static forecast_model *learn(const made *m, const char *words, forecast_result *r) {
    forecast_options  o;
    forecast_trainer *t;
    forecast_model   *out;
    tide_frame       *f       = NULL;
    tide_failure      failure = { 0 };
    forecast_options_default(&o);
    set_all(&o, "arch linear seq-len 48 pred-len 8 val 2500 test 2500 epochs 8 learning-rate 0.01 lradj cosine");
    set_all(&o, words);
    bool fine = tide_frame_new(ROWS, &f, &failure) == TIDE_OK &&
                tide_frame_borrow(f, "y", m->y, 1, &failure) == TIDE_OK &&
                tide_frame_set_time(f, "date", times, &failure) == TIDE_OK &&
                forecast_trainer_new(&o, f, NULL, NULL, &t, &failure) == TIDE_OK &&
                forecast_trainer_run(t, 0, &failure) == TIDE_OK && forecast_trainer_score(t, r, &failure) == TIDE_OK &&
                forecast_trainer_model(t, &out, &failure) == TIDE_OK;
    if (!fine) fail_msg("%s: %s", words, failure.message);
    forecast_trainer_free(t);
    tide_frame_free(f);
    return out;
}

/* What intervals of a level do on the last rows, whose scale is known. */
typedef struct held { double coverage, follows, noisy; } held;

/* follows: the slope of the logarithm of the width over that of the true scale, 1 where it does and 0 where it does
 * not. noisy: the coverage of the quarter of the truths with the largest scale. */
static void hold(forecast_model *m, const made *s, held out[LEVELS]) {
    enum { WINDOWS = HELD - PRED + 1, CELLS = WINDOWS * PRED };
    static double future[CELLS], bands[CELLS * LEVELS * 2], past[WINDOWS * SEQ];
    static int64_t past_times[WINDOWS * SEQ];
    for (int w = 0; w < WINDOWS; w++) {
        int first = ROWS - HELD - SEQ + w;
        memcpy(past + w * SEQ, s->y + first, SEQ * sizeof *past);
        memcpy(past_times + w * SEQ, times + first, SEQ * sizeof *past_times);
    }
    assert_int_equal(forecast_model_predict_levels(m, WINDOWS, past, past_times, NULL, levels, LEVELS, future, bands,
                                                   NULL), TIDE_OK);
    for (int l = 0; l < LEVELS; l++) {
        double within = 0, noisy = 0, noisy_within = 0, x = 0, y = 0, xx = 0, xy = 0;
        for (int i = 0; i < CELLS; i++) {
            int    row = ROWS - HELD + i / PRED + i % PRED;
            double low = bands[(i * LEVELS + l) * 2], high = bands[(i * LEVELS + l) * 2 + 1];
            double a = log(s->scale[row]), b = log(high - low);
            bool   in = s->y[row] >= low && s->y[row] <= high, loud = s->scale[row] > 0.5 * exp(0.7071);
            if (!(low < future[i] && future[i] < high)) fail_msg("%g is outside of %g to %g", future[i], low, high);
            if (l && !(low <= bands[i * LEVELS * 2] && high >= bands[i * LEVELS * 2 + 1])) fail_msg("levels cross");
            within += in, noisy += loud, noisy_within += in && loud;
            x += a, y += b, xx += a * a, xy += a * b;
        }
        out[l] = (held){ 100 * within / CELLS, (xy - x * y / CELLS) / (xx - x * x / CELLS),
                         100 * noisy_within / noisy };
    }
}

/* The mean degrees of freedom that a model has learned. */
static double freedom_of(forecast_model *m) {
    void        *bytes;
    size_t       size;
    tide_archive a   = { 0 };
    double       sum = 0;
    assert_int_equal(forecast_model_save_memory(m, &bytes, &size, NULL), TIDE_OK);
    assert_int_equal(tide_safetensors_read_memory(bytes, size, &a, NULL), TIDE_OK);
    const tide_tensor *t = tide_archive_find(&a, "head.freedom");
    assert_non_null(t);
    for (int i = 0; i < PRED; i++)
        sum += 2.01 + log1p(exp(64 * (double)((const float *)t->data)[i] + log(expm1(3.99))));
    tide_archive_free(&a);
    tide_free(bytes);
    return sum / PRED;
}

/* Coverage within two points of nominal, whatever the noise; and of noise whose deviation goes by the hour the heads'
 * widths go with it, where one calibrated width for all windows cannot. */
static void test_known_noise(void **state) {
    static const char *const heads[] = { "head point", "head quantile", "head student-t" };
    static made m;
    double      learned_freedom[2]; /* of normal noise, and of three degrees of freedom */
    (void)state;
    for (int heavy = 0; heavy < 2; heavy++) {
        make(&m, heavy);
        for (int h = 0; h < 3; h++) {
            forecast_result r = { 0 };
            held            got[LEVELS];
            forecast_model *model = learn(&m, heads[h], &r);
            hold(model, &m, got);
            for (int l = 0; l < LEVELS; l++) {
                expect_near(heads[h], got[l].coverage, levels[l], 2);
                expect_near("as train says", r.intervals[0].level[l].coverage, got[l].coverage, 0.01);
            }
            if (!heavy && !h) assert_true(got[0].follows < 0.2 && got[0].noisy < 65);
            if (!heavy && h) assert_true(got[0].follows > 0.8 && got[1].follows > 0.8 && got[0].noisy > 75);
            if (h == 2) learned_freedom[heavy] = freedom_of(model);
            forecast_model_free(model);
            forecast_result_free(&r);
        }
    }
    if (!(learned_freedom[1] > 2 && learned_freedom[1] < 4.5 && learned_freedom[0] > 2 * learned_freedom[1]))
        fail_msg("normal noise has %g degrees of freedom, and noise of 3 has %g", learned_freedom[0],
                 learned_freedom[1]);
}

/* ---- sums ---- */

enum { FEW = 4 }; /* rows of a horizon of sums */

static forecast_result learn_two(const double *a, const double *b, const char *words) {
    forecast_options  o;
    forecast_trainer *t;
    forecast_result   r       = { 0 };
    tide_frame       *f       = NULL;
    tide_failure      failure = { 0 };
    forecast_options_default(&o);
    set_all(&o, "arch linear seq-len 48 pred-len 4 val 2500 test 2500 epochs 6 learning-rate 0.003 lradj cosine");
    set_all(&o, words);
    bool fine = tide_frame_new(ROWS, &f, &failure) == TIDE_OK &&
                tide_frame_borrow(f, "a", a, 1, &failure) == TIDE_OK &&
                tide_frame_borrow(f, "b", b, 1, &failure) == TIDE_OK &&
                forecast_trainer_new(&o, f, NULL, NULL, &t, &failure) == TIDE_OK &&
                forecast_trainer_run(t, 0, &failure) == TIDE_OK && forecast_trainer_score(t, &r, &failure) == TIDE_OK;
    if (!fine) fail_msg("%s: %s", words, failure.message);
    forecast_trainer_free(t);
    tide_frame_free(f);
    return r;
}

/* Two series whose noise partly cancels: that of the sum has a known deviation. Its intervals hold, in a row and over
 * four, and are as wide as that says, where those of independent parts would be 1.9 times as wide, and the bounds of
 * the parts added up 2.6 times. */
static void test_sums(void **state) {
    static const struct { const char *words; bool over; } cases[] = {
        { "head point sum all=a+b", false },
        { "head student-t sum all=a+b", false },
        { "head student-t sum all=a+b sum-horizon yes", true },
    };
    static double a[ROWS], b[ROWS];
    const double  z[LEVELS] = { 1.2815516, 1.9599640 };
    (void)state;
    for (int t = 0; t < ROWS; t++) {
        double common = normal();
        a[t] = 3 * sin(2 * acos(-1) * t / 24) + common, b[t] = 5 + 0.7 * (normal() - common);
    }
    for (int i = 0; i < 3; i++) {
        bool                      over = cases[i].over;
        forecast_result           r    = learn_two(a, b, cases[i].words);
        const forecast_sum_score *all  = &r.sums.of[r.sums.count - 1];
        assert_int_equal(r.sums.count, over ? 3 : 1); /* in a row the series have intervals of their own */
        assert_string_equal(all->name, "all");
        assert_int_equal(all->truths, r.sums.windows * (over ? 1 : FEW));
        for (int l = 0; l < LEVELS; l++) {
            double width = 2 * z[l] * hypot(0.3, 0.7);
            /* Two deviations of what 2,500 rows of validation and of test tell at 80 %, 2.3 points, and over four rows
             * 4.6; and what widths that vary by themselves loosen of errors that cancel. */
            expect_near("coverage", all->coverage[l], levels[l], over ? 6 : 4);
            /* over rows the forecast's own error, which they share, counts as much again */
            if (!over) expect_near("width", all->width[l], width, 0.2 * width);
        }
        forecast_result_free(&r);
    }
}

/* ---- runs ---- */

static int set_up(void **state) { return folder_with_series(state, 600); }

static void run_of(forecast_options *o, const char *name, const char *words) {
    char path[96];
    small_options(o);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "out", path);
    set_all(o, words);
}

static forecast_result train(const forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    return r;
}

static int stop_at(void *user, const forecast_event *e) {
    return e->stage == FORECAST_STAGE_STEP && e->step >= *(int64_t *)user;
}

/* Stopped in the middle and gone on with, on another number of threads: the same model. */
static void test_resume(void **state) {
    static const char *const words[] = { "head quantile arch dlinear quantiles 0.1,0.5,0.8,0.9",
                                         "head student-t accumulate 2", "head quantile arch patchtst",
                                         "head student-t arch linear" };
    (void)state;
    for (int i = 0; i < 4; i++) {
        forecast_options o;
        char             whole[96], parts[96], name[16];
        int64_t          at = 40;
        forecast_result  r  = { 0 };
        snprintf(name, sizeof name, "whole%d", i);
        run_of(&o, name, words[i]);
        snprintf(whole, sizeof whole, "%s/%s", folder, name);
        r = train(&o);
        assert_true(r.intervals[0].present && r.epochs == 3 && !r.solved);
        assert_true(r.baselines[2].present); /* also beside a linear network, which is no baseline with a head */
        forecast_result_free(&r);
        snprintf(name, sizeof name, "parts%d", i);
        run_of(&o, name, words[i]);
        snprintf(parts, sizeof parts, "%s/%s", folder, name);
        set_all(&o, "resume auto threads 2");
        assert_int_equal(forecast_train(&o, stop_at, &at, &r, NULL), TIDE_ECANCELLED);
        forecast_result_free(&r);
        r = train(&o);
        assert_int_equal(r.resumed_from_step, 40);
        assert_true(same_file(whole, parts, "model.safetensors"));
        forecast_result_free(&r);
    }
}

/* The parts of a batch train what the whole does, a head's own parameters among them. */
static void test_parts(void **state) {
    double loss[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        forecast_options o;
        run_of(&o, i ? "in-parts" : "as-one", i ? "head student-t dropout 0 accumulate 4" : "head student-t dropout 0");
        forecast_result r = train(&o);
        loss[i]           = r.best_val_loss;
        forecast_result_free(&r);
    }
    expect_near("validation loss", loss[0], loss[1], 1e-4); /* other sums of gradients, 72 steps */
}

static void of_run(forecast_options *o, const char *name, const char *words) {
    char path[96];
    forecast_options_default(o);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "model", path);
    set_all(o, words);
}

/* The bounds of the command are those of the handle, all within `lower` and `upper`; evaluate and backtest count what
 * train counted; the quantiles of paths are the bounds. */
static void test_doors(void **state) {
    enum { WIDTH = 6 * 3, PATHS = 4000 };
    static double    past[24 * 3], future[WIDTH], bands[WIDTH * 2], paths[PATHS * WIDTH];
    static int64_t   stamps[24];
    static const double level[] = { 80 };
    forecast_options o;
    forecast_result  r = { 0 }, p = { 0 };
    tide_failure     failure = { 0 };
    forecast_model  *m;
    tide_table       t;
    char             path[128];
    (void)state;
    run_of(&o, "doors", "head quantile quantiles 0.1,0.5,0.9");
    r = train(&o);
    of_run(&o, "doors", "");
    snprintf(path, sizeof path, "%s/series.csv", folder);
    set(&o, "data", path);
    if (forecast_evaluate(&o, NULL, NULL, &p, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
    expect_near("coverage", p.intervals[0].level[0].coverage, r.intervals[0].level[0].coverage, 1e-9);
    assert_true(p.intervals[0].crps == r.intervals[0].crps);
    forecast_result_free(&p), forecast_result_free(&r);
    of_run(&o, "doors", "level 80 lower north=-0.5 upper north=0.5");
    if (forecast_predict(&o, NULL, NULL, &p, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    snprintf(path, sizeof path, "%s/next.csv", folder);
    FILE *f = fopen(path, "w");
    fputs(p.csv, f);
    fclose(f);
    forecast_result_free(&p);
    assert_int_equal(tide_csv_read(path, NULL, &t, NULL), TIDE_OK);
    assert_int_equal(forecast_model_load(o.model, NULL, &m, NULL), TIDE_OK);
    tide_frame      *series;
    forecast_options read;
    small_options(&read);
    assert_int_equal(forecast_read_frame(&read, &series, NULL), TIDE_OK);
    for (int c = 0; c < 3; c++) {
        int64_t       stride;
        const double *values = tide_frame_values(series, c, &stride);
        for (int i = 0; i < 24; i++) past[i * 3 + c] = values[(600 - 24 + i) * stride];
    }
    memcpy(stamps, tide_frame_time(series) + 600 - 24, sizeof stamps);
    tide_frame_free(series);
    assert_int_equal(forecast_model_predict_levels(m, 1, past, stamps, NULL, level, 1, future, bands, NULL), TIDE_OK);
    assert_int_equal(forecast_model_predict_paths(m, 1, past, stamps, NULL, 7, PATHS, future, paths, NULL), TIDE_OK);
    for (int i = 0; i < WIDTH; i++) {
        double below = 0, limit = i % 3 ? INFINITY : 0.5;
        for (int side = 0; side < 2; side++) {
            double written = strtod(t.cells[i / 3 * t.columns + 1 + i % 3 * 3 + 2 * side], NULL);
            expect_near("bound", written, fmin(fmax(bands[2 * i + side], -limit), limit), 1e-5);
        }
        assert_true(bands[2 * i] < future[i] && future[i] < bands[2 * i + 1]);
        for (int k = 0; k < PATHS; k++) below += paths[k * WIDTH + i] < bands[2 * i + 1];
        expect_near("share of paths below the 90 % bound", below / PATHS, 0.9, 0.03); /* drawn, and from few windows */
    }
    forecast_model_free(m);
    tide_table_free(&t);
}

static void refuse(const char *words, const char *column, const char *says) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    run_of(&o, "refused", words);
    tide_status status = forecast_train(&o, NULL, NULL, &r, &failure);
    if (status != TIDE_EINVAL) fail_msg("%s: %s", words, tide_status_name(status));
    assert_string_equal(failure.column, column);
    expect_has(failure.message, says);
    forecast_result_free(&r);
}

static void test_refusals(void **state) {
    static const char *const lists[] = { "0.1,0.9", "0.5", "0.5,0.9", "0.1,0.5", "0,0.5,0.9", "0.1,0.5,1", "0.1;0.5",
                                         "0.1,,0.5,0.9", "a", "0.1,0.5,nan" };
    char             words[96], path[96];
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        snprintf(words, sizeof words, "head quantile quantiles %s", lists[i]);
        refuse(words, "quantiles", "from 0.001 to 0.999, with 0.5 and one to either side");
    }
    refuse("quantiles 0.1,0.5,0.9", "quantiles", "of `head` quantile, and this is `head` point");
    refuse("head student-t quantiles 0.1,0.5,0.9", "quantiles", "and this is `head` student-t");
    refuse("head quantile arch auto", "head", "`arch` auto weighs points");
    refuse("head student-t arch seasonal-naive", "head", "learns nothing of its errors");
    refuse("sum t=north+nowhere", "sum", "'nowhere' in the sum 't'");
    refuse("head quantile loss-function huber", "loss-function", "is of `head` point");
    snprintf(words, sizeof words, "from %s/doors head point", folder);
    refuse(words, "head", "`head` point is not that of");
    of_run(&o, "doors", "");
    snprintf(path, sizeof path, "%s/doors.pth", folder);
    set(&o, "output", path);
    assert_int_equal(forecast_export(&o, NULL, NULL, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, "a published checkpoint has no head");
    forecast_result_free(&r);
    /* a run that begins with it has its head, and quantiles, without being told */
    snprintf(words, sizeof words, "from %s/doors", folder);
    run_of(&o, "finer", words);
    r = train(&o);
    assert_true(r.intervals[0].present);
    forecast_result_free(&r);
    snprintf(path, sizeof path, "%s/finer", folder);
    char *json = whole_file(path, "run.json", &(size_t){ 0 });
    expect_has(json, "\"quantiles\": \"0.1,0.5,0.9\"");
    free(json);
}

/* A few steps more, and models trained anew on the way, have the run's head. */
static void test_goes_on(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             path[96], out[96];
    (void)state;
    of_run(&o, "doors", "");
    snprintf(path, sizeof path, "%s/series.csv", folder);
    snprintf(out, sizeof out, "%s/updated", folder);
    set(&o, "data", path), set(&o, "out", out), set_all(&o, "rows 100 steps 3");
    if (forecast_update(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("update: %s", failure.message);
    forecast_result_free(&r);
    of_run(&o, "updated", "level 80");
    if (forecast_predict(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    expect_has(r.csv, "north-lo-80,north,north-hi-80");
    forecast_result_free(&r);
    of_run(&o, "doors", "refit-every 6 windows 12 sum both=north+south;all=both+flow");
    set(&o, "data", path);
    if (forecast_backtest(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("backtest: %s", failure.message);
    assert_true(r.backtest->refits == 2 && r.backtest->level_count == 2 && r.backtest->crps > 0);
    assert_true(r.sums.count == 2 && r.sums.windows == 12 && r.sums.of[1].truths == 12 * 6);
    assert_true(r.sums.of[0].width[0] > 0 && r.sums.of[0].width[1] >= r.sums.of[0].width[0]);
    expect_has(r.json, "\"both\"");
    forecast_result_free(&r);
}

/* Members of the metadata that no training writes. */
static void test_damaged(void **state) {
    static const struct { const char *was, *is, *says; } lies[] = {
        { "\"head\":\"quantile\"", "\"head\":\"quantilf\"", "model.head is no head" },
        { "\"head\":\"quantile\"", "\"head\":\"student-t\"", "head.freedom is not in it" },
        { "[0.1", "[0.6", "model.quantiles are none" },
        { "[0.1", "[0.01,0.1", "does not have the shape" },
    };
    char path[160];
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        tide_archive    a       = { 0 };
        forecast_model *m       = NULL;
        tide_failure    failure = { 0 };
        snprintf(path, sizeof path, "%s/doors/model.safetensors", folder);
        assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
        const char *text = tide_archive_metadata(&a, "tidemill.forecast"), *at = strstr(text, lies[i].was);
        size_t      room = strlen(text) + 40;
        assert_non_null(at);
        char *changed = malloc(room);
        snprintf(changed, room, "%.*s%s%s", (int)(at - text), text, lies[i].is, at + strlen(lies[i].was));
        assert_int_equal(tide_archive_set(&a, "tidemill.forecast", changed), TIDE_OK);
        free(changed);
        snprintf(path, sizeof path, "%s/lies.safetensors", folder);
        assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
        assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_EDATA);
        expect_has(failure.message, lies[i].says);
        tide_archive_free(&a);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest slow[]  = { cmocka_unit_test(test_sums) };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_noise), cmocka_unit_test(test_resume),  cmocka_unit_test(test_parts),
        cmocka_unit_test(test_doors),       cmocka_unit_test(test_refusals), cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_damaged),
    };
    if (argc > 1 && !strcmp(argv[1], "slow")) return cmocka_run_group_tests(slow, NULL, NULL);
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
