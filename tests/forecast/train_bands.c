/* Prediction intervals and sample paths of a run: kept in the model, given by predict and the handle, measured by train
 * and evaluate. */
#include <tidemill/io.h>

#include "train_support.h"

enum { SEQ = 24, PRED = 6, COLUMNS = 3, ROWS = 600 };

static double rows[ROWS * COLUMNS];
static int64_t times[ROWS];

static uint64_t seed = 362436069;

static double uniform(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* A wave and noise, so that there is something to be unsure of; the third column's name needs quotes. */
static int set_up(void **state) {
    char path[96];
    if (make_folder(state)) return -1;
    snprintf(path, sizeof path, "%s/series.csv", folder);
    FILE *f = fopen(path, "w");
    fputs("date,north,south,\"flow, \"\"raw\"\"\"\n", f);
    for (int i = 0; i < ROWS; i++) {
        for (int c = 0; c < COLUMNS; c++)
            rows[i * COLUMNS + c] = round(1e3 * (4 + 3 * sin(i * 0.2618 + c) + (1 + c) * (uniform() - 0.5))) / 1e3;
        times[i] = 1704067200 + 3600 * (int64_t)i;
        fprintf(f, "2024-01-%02d %02d:00:00,%.3f,%.3f,%.3f\n", 1 + i / 24, i % 24, rows[i * 3], rows[i * 3 + 1],
                rows[i * 3 + 2]);
    }
    fclose(f);
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    small_options(&o);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    assert_true(r.intervals[0].present && r.intervals[2].present && r.intervals[3].present);
    expect_has(r.json, "\"coverage_by_step\"");
    forecast_result_free(&r);
    return 0;
}

static void of_run(forecast_options *o, const char *name, const char *words) {
    char path[96];
    forecast_options_default(o);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    set(o, "model", path);
    set_all(o, words);
}

static forecast_result predict(const forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_predict(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("predict: %s", failure.message);
    return r;
}

static void refuse(const char *name, const char *words, tide_status expected, const char *says) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    of_run(&o, name, words);
    tide_status status = forecast_predict(&o, NULL, NULL, &r, &failure);
    if (status != expected)
        fail_msg("%s: expected %s, got %s: %s", words, tide_status_name(expected), tide_status_name(status),
                 failure.message);
    expect_has(failure.message, says);
    forecast_result_free(&r);
}

static forecast_model *load(const char *name) {
    forecast_model *m;
    tide_failure    failure = { 0 };
    char            path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (forecast_model_load(path, NULL, &m, &failure) != TIDE_OK) fail_msg("load: %s", failure.message);
    return m;
}

static tide_status ask(forecast_model *m, int64_t windows, const double *levels, int64_t count, double *future,
                       double *bands) {
    return forecast_model_predict_levels(m, windows, windows ? rows : NULL, windows ? times : NULL, NULL, levels, count,
                                         future, bands, NULL);
}

static double cell(const tide_table *t, int row, int column) {
    return strtod(t->cells[row * t->columns + column], NULL);
}

static tide_table as_table(const char *csv, const char *name) {
    tide_table   t;
    char         path[96];
    tide_failure failure = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(csv, f);
    fclose(f);
    if (tide_csv_read(path, NULL, &t, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return t;
}

/* Names and order as nixtla has them, bounds nested around the same forecast as without, and those of the handle. */
static void test_predict(void **state) {
    static const char *const names[] = { "date", "north-lo-95", "north-lo-80", "north-lo-12.5", "north",
                                         "north-hi-12.5", "north-hi-80", "north-hi-95", "south-lo-95" };
    const double levels[] = { 12.5, 80, 95 };
    double       future[PRED * COLUMNS], bands[PRED * COLUMNS * 3 * 2];
    forecast_options o;
    (void)state;
    of_run(&o, "run", "level 95,80,12.5,80");
    forecast_result r = predict(&o);
    tide_table      t = as_table(r.csv, "next.csv");
    assert_int_equal(t.columns, 1 + 7 * COLUMNS);
    for (int i = 0; i < 9; i++) assert_string_equal(t.header[i], names[i]);
    assert_string_equal(t.header[21], "flow, \"raw\"-hi-95");
    expect_has(r.json, "\"lo-12.5\"");
    forecast_model *m = load("run");
    assert_true(forecast_model_has_levels(m));
    tide_failure failure = { 0 };
    if (forecast_model_predict_levels(m, 1, rows + (ROWS - SEQ) * COLUMNS, times + ROWS - SEQ, NULL, levels, 3, future,
                                      bands,
                                      &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
    for (int i = 0; i < PRED * COLUMNS; i++) {
        int at = 1 + i % COLUMNS * 7, row = i / COLUMNS;
        for (int l = 0; l < 3; l++) {
            expect_near("lower", cell(&t, row, at + 2 - l), bands[i * 6 + 2 * l], 1e-5);
            expect_near("upper", cell(&t, row, at + 4 + l), bands[i * 6 + 2 * l + 1], 1e-5);
            assert_true(bands[i * 6 + 2 * l] <= bands[i * 6 + 2 * l + 1]);
            assert_true(!l || (bands[i * 6 + 2 * l] <= bands[i * 6 + 2 * l - 2] &&
                               bands[i * 6 + 2 * l + 1] >= bands[i * 6 + 2 * l - 1]));
        }
        expect_near("forecast", cell(&t, row, at + 3), future[i], 1e-5);
    }
    forecast_model_free(m);
    tide_table_free(&t);
    forecast_result_free(&r);
}

/* What evaluate measures is what the handle's intervals hold of the test windows, counted one by one here. */
static void test_measured(void **state) {
    const double levels[] = { 60, 90 };
    double       future[PRED * COLUMNS], bands[PRED * COLUMNS * 4], within[2] = { 0 }, count = 0;
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             path[96];
    (void)state;
    of_run(&o, "run", "level 60,90");
    snprintf(path, sizeof path, "%s/series.csv", folder);
    set(&o, "data", path);
    if (forecast_evaluate(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("evaluate: %s", failure.message);
    forecast_model *m     = load("run");
    int             first = ROWS - SEQ - PRED + 1 - (int)r.windows;
    for (int w = 0; w < r.windows; w++) {
        assert_int_equal(forecast_model_predict_levels(m, 1, rows + (first + w) * COLUMNS, times + first + w, NULL,
                                                       levels, 2, future, bands, NULL), TIDE_OK);
        for (int i = 0; i < PRED * COLUMNS; i++, count++)
            for (int l = 0; l < 2; l++) {
                double y = rows[(first + w + SEQ) * COLUMNS + i];
                within[l] += y >= bands[i * 4 + 2 * l] && y <= bands[i * 4 + 2 * l + 1];
            }
    }
    for (int l = 0; l < 2; l++) expect_near("coverage", r.intervals[0].level[l].coverage, 100 * within[l] / count, 0.1);
    assert_true(r.intervals[0].level[1].width > r.intervals[0].level[0].width);
    assert_true(r.intervals[0].crps < r.intervals[1].crps); /* a wave is better known than repeated */
    forecast_model_free(m);
    forecast_result_free(&r);
    small_options(&o);
    *o.out = 0;
    assert_int_equal(forecast_evaluate(&o, NULL, NULL, &r, NULL), TIDE_OK); /* the baselines alone, their own */
    assert_true(!r.intervals[0].present && r.intervals[2].present && r.intervals[2].level_count == 2);
    forecast_result_free(&r);
}

/* Each of them has intervals of its own. */
static void test_baselines(void **state) {
    static const char *const uses[] = { "model", "last-value", "seasonal-naive", "linear" };
    double width[4];
    (void)state;
    for (int k = 0; k < 4; k++) {
        forecast_options o;
        of_run(&o, "run", "level 90");
        set(&o, "use", uses[k]);
        forecast_result r = predict(&o);
        tide_table      t = as_table(r.csv, "next.csv");
        width[k]          = cell(&t, 0, 3) - cell(&t, 0, 1);
        assert_true(width[k] > 0 && cell(&t, 0, 1) < cell(&t, 0, 2));
        for (int i = 0; i < k; i++) assert_true(width[i] != width[k]);
        tide_table_free(&t);
        forecast_result_free(&r);
    }
    refuse("run", "level 90 use seasonal-naive season 12", TIDE_EINVAL, "are those of `season` 24");
}

static char noted[4000];
static int note(void *user, const forecast_event *e) {
    (void)user;
    if (e->stage == FORECAST_STAGE_NOTE)
        snprintf(noted + strlen(noted), sizeof noted - strlen(noted), "%s\n", e->message);
    return 0;
}

static void test_bounds(void **state) {
    forecast_options o;
    forecast_result  r = { 0 }, free_of;
    char             told[80];
    int              beyond[2] = { 0 };
    (void)state;
    of_run(&o, "run", "level 95");
    free_of = predict(&o);
    tide_table t = as_table(free_of.csv, "next.csv");
    set_all(&o, "lower 4,south=3.5 upper north=5.5");
    *noted = 0;
    assert_int_equal(forecast_predict(&o, note, NULL, &r, NULL), TIDE_OK);
    tide_table u = as_table(r.csv, "bounded.csv");
    for (int row = 0; row < PRED; row++)
        for (int c = 1; c < 10; c++) {
            double was = cell(&t, row, c), low = c >= 4 && c < 7 ? 3.5 : 4, high = c < 4 ? 5.5 : INFINITY;
            expect_near("bounded", cell(&u, row, c), fmin(fmax(was, low), high), 1e-6);
            beyond[c % 3 != 2] += was < low || was > high;
        }
    assert_true(beyond[0] > 0 && beyond[1] > 0);
    snprintf(told, sizeof told, "%d of 18 forecasts and %d of 36 bounds", beyond[0], beyond[1]);
    expect_has(noted, told);
    expect_has(r.json, "\"clamped\"");
    tide_table_free(&t);
    tide_table_free(&u);
    forecast_result_free(&free_of);
    forecast_result_free(&r);
    refuse("run", "lower west=3", TIDE_EINVAL, "'west', which is not forecast; these are: north, south");
    refuse("run", "lower 3 upper south=2", TIDE_EINVAL, "`lower` 3 of 'south' is above its `upper`, 2");
    refuse("run", "upper 3x", TIDE_EINVAL, "`upper` is a number for all columns");
    refuse("run", "upper nan", TIDE_EINVAL, "`upper` is a number for all columns");
    refuse("run", "lower north=", TIDE_EINVAL, "`lower` is a number for all columns");
}

static void test_levels(void **state) {
    static const char *const wrong[] = { "0.95", "100", "abc", "80,,95", "80,", "-5", "nan", "80;95" };
    const double             bad[][2] = { { 95, 80 }, { 80, 80 }, { 80, 100 }, { NAN, 80 } };
    double                   future[PRED * COLUMNS], bands[PRED * COLUMNS * 4];
    char                     words[80];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(words, sizeof words, "level %s", wrong[i]);
        refuse("run", words, TIDE_EINVAL, "`level` is a list of numbers from 1 to 99, in percent");
    }
    refuse("run", "level 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", TIDE_EINVAL, "up to 16");
    forecast_model *m = load("run");
    for (int i = 0; i < 4; i++) assert_int_equal(ask(m, 1, bad[i], 2, future, bands), TIDE_EINVAL);
    assert_int_equal(ask(m, 1, bad[0], 1, future, NULL), TIDE_EINVAL);
    assert_int_equal(ask(NULL, 1, bad[0], 1, future, bands), TIDE_EINVAL);
    assert_int_equal(ask(m, 0, bad[0], 1, NULL, NULL), TIDE_OK);
    assert_int_equal(ask(m, 1, NULL, 0, future, NULL), TIDE_OK);
    forecast_model_free(m);
}

static tide_archive read_model(const char *name) {
    char         path[128];
    tide_archive a = { 0 };
    snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, name);
    assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
    return a;
}

static void write_model(const char *name, tide_archive *a) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/model.safetensors", folder, name);
    assert_int_equal(tide_safetensors_write(path, a, NULL), TIDE_OK);
}

enum { PATHS = 40, CELLS = PRED * COLUMNS };

static void ask_paths(forecast_model *m, int64_t windows, double *future, double *paths) {
    tide_failure failure = { 0 };
    if (forecast_model_predict_paths(m, windows, rows, times, NULL, 5, PATHS, future, paths, &failure) != TIDE_OK)
        fail_msg("paths: %s", failure.message);
}

/* Windows of one call have the paths that they have alone, whatever the number of threads: 1 and 3. */
static void test_paths(void **state) {
    static double future[2 * CELLS], paths[2 * PATHS * CELLS], alone[PATHS * CELLS], centre[CELLS], below[CELLS];
    forecast_options machine;
    forecast_model  *m, *n;
    char             path[96];
    (void)state;
    snprintf(path, sizeof path, "%s/run", folder);
    forecast_options_default(&machine);
    machine.threads = 1;
    assert_int_equal(forecast_model_load(path, &machine, &m, NULL), TIDE_OK);
    machine.threads = 3;
    assert_int_equal(forecast_model_load(path, &machine, &n, NULL), TIDE_OK);
    assert_true(forecast_model_has_paths(m));
    ask_paths(m, 1, centre, alone);
    ask_paths(n, 1, future, paths);
    assert_memory_equal(alone, paths, sizeof alone);
    ask_paths(m, 2, future, paths); /* the second begins SEQ rows on */
    for (int i = 0; i < PATHS * CELLS; i++) {
        assert_true(isfinite(paths[i]) && isfinite(paths[PATHS * CELLS + i]));
        expect_near("path", paths[i], alone[i], 1e-9);
        below[i % CELLS] += alone[i] < centre[i % CELLS];
    }
    for (int i = 0; i < CELLS; i++) /* of 40 to either side of the forecast */
        if (below[i] < 4 || below[i] > 36) fail_msg("cell %d: %g of 40 paths below the forecast", i, below[i]);
    assert_int_equal(forecast_model_predict_paths(m, 1, rows, times, NULL, 5, -1, future, paths, NULL), TIDE_EINVAL);
    assert_int_equal(forecast_model_predict_paths(m, 1, rows, times, NULL, 5, 1, future, NULL, NULL), TIDE_EINVAL);
    assert_int_equal(forecast_model_predict_paths(m, 1, rows, times, NULL, 5, 0, future, NULL, NULL), TIDE_OK);
    forecast_model_free(m);
    forecast_model_free(n);
}

/* A model of before has quantiles and no windows: sums go without bounds, and what needs windows says what to do. Its
 * windows are checked as the rest of the file is. */
static void test_without_windows(void **state) {
    forecast_options o;
    (void)state;
    tide_archive whole = read_model("run"), bare = { 0 };
    for (int64_t i = 0; i < whole.count; i++) {
        const tide_tensor *t = &whole.tensors[i];
        if (strcmp(t->name, "bands.windows"))
            assert_int_equal(tide_archive_add(&bare, t->name, t->type, t->shape, t->data), TIDE_OK);
    }
    assert_int_equal(whole.count, bare.count + 1);
    assert_int_equal(tide_archive_set(&bare, "tidemill.forecast", tide_archive_metadata(&whole, "tidemill.forecast")),
                     TIDE_OK);
    write_model("windowless", &bare);
    refuse("windowless", "paths 3", TIDE_EINVAL, "an earlier version (train again)");
    refuse("windowless", "level 80 sum total=north+south", TIDE_EINVAL, "without `level` there are sums");
    refuse("windowless", "level 80 sum-horizon yes", TIDE_EINVAL, "without `level` there are sums");
    of_run(&o, "windowless", "sum total=north+south");
    forecast_result r = predict(&o);
    expect_has(r.csv, ",total\n");
    forecast_result_free(&r);
    forecast_model *m = load("windowless");
    assert_true(forecast_model_has_levels(m) && !forecast_model_has_paths(m));
    forecast_model_free(m);
    ((float *)(uintptr_t)tide_archive_find(&whole, "bands.windows")->data)[5] = INFINITY;
    write_model("lies", &whole);
    refuse("lies", "", TIDE_EDATA, "damaged: bands hold quantiles that cannot be");
    tide_archive_free(&whole);
    tide_archive_free(&bare);
    refuse("run", "use linear paths 3", TIDE_EINVAL, "trained with `arch` linear");
}

/* The shipped parameters are new ones, the intervals those that were calibrated out of sample. */
static void test_refit(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             path[96];
    (void)state;
    small_options(&o);
    snprintf(path, sizeof path, "%s/refit", folder);
    set(&o, "out", path);
    set(&o, "refit", "yes");
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    tide_archive a = read_model("run"), b = read_model("refit");
    static const char *const names[] = { "bands.model", "bands.linear", "bands.unit", "bands.windows",
                                          "projector.weight" };
    for (int i = 0; i < 5; i++) {
        const tide_tensor *x = tide_archive_find(&a, names[i]), *y = tide_archive_find(&b, names[i]);
        size_t bytes = (size_t)tide_shape_count(x->shape) * tide_dtype_size(x->type);
        assert_true((memcmp(x->data, y->data, bytes) == 0) == (i < 4));
    }
    tide_archive_free(&a);
    tide_archive_free(&b);
    of_run(&o, "refit", "level 80");
    r = predict(&o);
    expect_has(r.csv, "north-lo-80,north,north-hi-80");
    forecast_result_free(&r);
}

/* A model of before has none and says so; one whose tables cannot be is damaged, whatever is asked of it. */
static void test_files(void **state) {
    static const struct { const char *tensor; double value; } lies[] = {
        { "bands.model", NAN }, { "bands.model", 1e30 }, { "bands.unit", 0 }, { "bands.unit", INFINITY },
        { "bands.effective", -1 }, { "bands.probabilities", 1 }, { "bands.probabilities", -1 }, { "bands.steps", 3 }
    };
    forecast_options o;
    (void)state;
    tide_archive whole = read_model("run"), bare = { 0 };
    for (int64_t i = 0; i < whole.count; i++) {
        const tide_tensor *t = &whole.tensors[i];
        if (strncmp(t->name, "bands.", 6))
            assert_int_equal(tide_archive_add(&bare, t->name, t->type, t->shape, t->data), TIDE_OK);
    }
    assert_int_equal(tide_archive_set(&bare, "tidemill.forecast", tide_archive_metadata(&whole, "tidemill.forecast")),
                     TIDE_OK);
    write_model("before", &bare);
    refuse("before", "level 80", TIDE_EINVAL, "keeps no prediction intervals");
    of_run(&o, "before", "");
    forecast_result r = predict(&o);
    forecast_result_free(&r);
    forecast_model *m = load("before");
    assert_false(forecast_model_has_levels(m));
    forecast_model_free(m);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        tide_archive       a = read_model("run");
        const tide_tensor *t = tide_archive_find(&a, lies[i].tensor);
        void              *data = (void *)(uintptr_t)t->data;
        if (t->type == TIDE_F32) ((float *)data)[1] = (float)lies[i].value;
        else if (t->type == TIDE_F64) ((double *)data)[0] = lies[i].value;
        else ((int64_t *)data)[0] = (int64_t)lies[i].value;
        write_model("lies", &a);
        refuse("lies", "", TIDE_EDATA, "damaged: bands hold quantiles that cannot be");
        tide_archive_free(&a);
    }
    tide_archive_free(&whole);
    tide_archive_free(&bare);
}

/* Values that are missing are no residuals. A column that has none in validation has no interval, and the table of the
 * others goes on without it. */
static void test_gaps(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             path[96];
    (void)state;
    small_options(&o);
    snprintf(path, sizeof path, "%s/gaps.csv", folder);
    FILE *f = fopen(path, "w");
    fputs("date,a,b\n", f);
    for (int i = 0; i < ROWS; i++) {
        fprintf(f, "2024-01-%02d %02d:00:00,", 1 + i / 24, i % 24);
        if (i % 9 != 4) fprintf(f, "%.3f", rows[i * 3]);
        if (i < 400 || i > 490) fprintf(f, ",%.3f\n", rows[i * 3 + 1]);
        else fputs(",\n", f);
    }
    fclose(f);
    set(&o, "data", path);
    snprintf(path, sizeof path, "%s/gaps", folder);
    set(&o, "out", path);
    set_all(&o, "epochs 1 missing mask");
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    for (int k = 0; k < 4; k++) {
        const forecast_interval *l = &r.intervals[k].level[1];
        assert_true(r.intervals[k].present && l->coverage > 50 && l->coverage <= 100 && l->winkler > 0);
        assert_true(isnan(l->by_column[1]) && l->by_column[0] > 50 && l->worst_column == 0);
    }
    expect_has(r.json, "\"b\": null");
    forecast_result_free(&r);
    of_run(&o, "gaps", "level 80");
    r = predict(&o);
    tide_table t = as_table(r.csv, "next.csv");
    for (int row = 0; row < PRED; row++) {
        assert_true(cell(&t, row, 1) < cell(&t, row, 3));
        assert_true(!*t.cells[row * 7 + 4] && *t.cells[row * 7 + 5] && !*t.cells[row * 7 + 6]);
    }
    expect_has(r.json, "null");
    tide_table_free(&t);
    forecast_result_free(&r);
}

/* A column that is called as a bound would be. */
static void test_clash(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    char             path[96];
    (void)state;
    small_options(&o);
    snprintf(path, sizeof path, "%s/clash.csv", folder);
    FILE *f = fopen(path, "w");
    fputs("date,a,a-lo-80\n", f);
    for (int i = 0; i < 300; i++)
        fprintf(f, "2024-01-%02d %02d:00:00,%.3f,%.3f\n", 1 + i / 24, i % 24, rows[i * 3], rows[i * 3 + 1]);
    fclose(f);
    set(&o, "data", path);
    snprintf(path, sizeof path, "%s/clash", folder);
    set(&o, "out", path);
    set(&o, "epochs", "1");
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    refuse("clash", "level 80", TIDE_EINVAL, "'a-lo-80' would be the name of a bound of 'a'");
    of_run(&o, "clash", "level 81");
    r = predict(&o);
    forecast_result_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_predict), cmocka_unit_test(test_measured),
                                        cmocka_unit_test(test_baselines), cmocka_unit_test(test_bounds),
                                        cmocka_unit_test(test_levels),  cmocka_unit_test(test_refit),
                                        cmocka_unit_test(test_files),   cmocka_unit_test(test_gaps),
                                        cmocka_unit_test(test_clash),   cmocka_unit_test(test_paths),
                                        cmocka_unit_test(test_without_windows) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
