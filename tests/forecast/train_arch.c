/* Every architecture behind the contract: trained, kept, asked, gone on with; and what the small ones compute. */
#include "forecast/models/forecaster.h"
#include "train_support.h"

enum { ROWS = 500, SEQ = 24, PRED = 6, COLS = 3 };

static const char *const archs[] = { "itransformer",   "dlinear",    "patchtst", "linear",
                                     "seasonal-naive", "last-value", "auto" };
enum { ARCHS = 7, STEPPED = 3, SINGLE = 6 };

static int set_up(void **state) { return folder_with_series(state, ROWS); }

static void options_for(forecast_options *o, const char *arch, const char *more) {
    small_options(o);
    set(o, "arch", arch);
    set_all(o, "missing auto overwrite yes epochs 2");
    if (!strcmp(arch, "auto")) set_all(o, "members itransformer,linear,seasonal-naive,dlinear season 12");
    set_all(o, more);
}

static double trained(forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_true(isfinite(r.model.mse) && r.parameters >= 0);
    double mse = r.model.mse;
    forecast_result_free(&r);
    return mse;
}

static void first_row(const char *csv, double out[COLS]) {
    const char *cell = strchr(csv, '\n');
    for (int c = 0; c < COLS; c++) cell = strchr(cell + 1, ','), out[c] = strtod(cell + 1, NULL);
}

/* The run's numbers, by the command and by the handle; and all that the file holds is what the contract says. */
static void test_runs(void **state) {
    (void)state;
    for (int a = 0; a < ARCHS; a++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        forecast_model  *m;
        char             path[96];
        double           past[SEQ * COLS], future[PRED * COLS], first[COLS];
        int64_t          times[SEQ];
        options_for(&o, archs[a], "");
        trained(&o);
        snprintf(path, sizeof path, "%s/run", folder);
        set(&o, "model", path);
        *o.data = 0;
        if (forecast_predict(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s: %s", archs[a], failure.message);
        first_row(r.csv, first);
        forecast_result_free(&r);
        if (forecast_model_load(path, NULL, &m, &failure) != TIDE_OK) fail_msg("%s: %s", archs[a], failure.message);
        for (int i = 0; i < SEQ; i++) {
            int    row   = ROWS - SEQ + i;
            double north = sin(row * 0.5059) + 0.3 * sin(row * 0.2618), south = cos(row * 0.5236 + 1);
            double v[COLS] = { north, 3 * south, 10 + north * south };
            times[i] = 1704067200 + 3600 * (int64_t)row;
            for (int c = 0; c < COLS; c++)
                past[i * COLS + c] = strtod((snprintf(path, sizeof path, "%.5f", v[c]), path), NULL);
        }
        assert_int_equal(forecast_model_predict(m, 1, past, times, future, &failure), TIDE_OK);
        for (int c = 0; c < COLS; c++) expect_near(archs[a], future[c], first[c], 1e-6 * fabs(first[c]) + 1e-7);
        forecast_model_free(m);
    }
}

/* Stopped and gone on with, or as parts of a batch: the same model. */
static void test_same_training(void **state) {
    (void)state;
    for (int a = 0; a < ARCHS; a++) {
        forecast_options o;
        options_for(&o, archs[a], "dropout 0.3");
        double whole = trained(&o);
        options_for(&o, archs[a], "dropout 0.3 accumulate 4");
        expect_near(archs[a], trained(&o) / whole, 1, 1e-4);
        options_for(&o, archs[a], "dropout 0.3 threads 1");
        expect_near(archs[a], trained(&o), whole, 0);
        options_for(&o, archs[a], "dropout 0.3 device ref");
        expect_near(archs[a], trained(&o) / whole, 1, 1e-3);
    }
}

static void refuse_training(const char *arch, const char *more, const char *says) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    options_for(&o, arch, more);
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, says);
    forecast_result_free(&r);
}

static void test_refused(void **state) {
    (void)state;
    for (int a = 1; a < SINGLE; a++) refuse_training(archs[a], "known flow", "needs `arch` itransformer");
}

/* series.csv with an empty cell in every seventh row. */
static const char *write_gaps(void) {
    static char path[96];
    char        from[96], line[200];
    snprintf(path, sizeof path, "%s/gaps.csv", folder);
    snprintf(from, sizeof from, "%s/series.csv", folder);
    FILE *in = fopen(from, "r"), *out = fopen(path, "w");
    for (int i = 0; fgets(line, sizeof line, in); i++) {
        char *cell = strchr(line, ','), *end = strchr(cell + 1, ',');
        if (i % 7 == 3) fprintf(out, "%.*s,%s", (int)(cell - line), line, end);
        else fputs(line, out);
    }
    fclose(in);
    fclose(out);
    return path;
}

/* The baselines as models are those that stand beside any other, which are not beside themselves; also with gaps. */
static void test_baselines(void **state) {
    (void)state;
    for (int gaps = 0; gaps < 2; gaps++) {
        forecast_options o;
        forecast_result  beside  = { 0 };
        tide_failure     failure = { 0 };
        options_for(&o, "dlinear", "season 12");
        if (gaps) set(&o, "data", write_gaps());
        assert_int_equal(forecast_train(&o, NULL, NULL, &beside, &failure), TIDE_OK);
        for (int a = STEPPED; a < SINGLE; a++) {
            forecast_result r     = { 0 };
            int             which = SINGLE - 1 - a; /* last_value, seasonal_naive, linear */
            set(&o, "arch", archs[a]);
            if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s: %s", archs[a], failure.message);
            expect_near(archs[a], r.model.rmse, beside.baselines[which].rmse, 2e-6); /* rounding of values near 3 */
            assert_true(r.solved && !r.baselines[which].present && !r.epochs);
            forecast_result_free(&r);
        }
        forecast_result_free(&beside);
    }
}

/* What goes by steps is refused by name, and so is a season that cannot be seen. */
static void test_solved_refused(void **state) {
    (void)state;
    for (int a = STEPPED; a < ARCHS; a++) {
        refuse_training(archs[a], "refit yes", "`arch` itransformer, dlinear or patchtst");
        refuse_training(archs[a], "explain yes", archs[a]);
    }
    refuse_training("seasonal-naive", "season 25", "a season is 25 rows, and `seq-len` 24 shows fewer");
}

/* In memory: there is nothing to run, and the model is there at once. */
static void test_solved_trainer(void **state) {
    (void)state;
    forecast_options  o;
    tide_failure      failure = { 0 };
    forecast_trainer *t       = NULL;
    forecast_model   *m       = NULL;
    for (int a = STEPPED; a < ARCHS; a += ARCHS - 1 - STEPPED) {
        options_for(&o, archs[a], "");
        double in_folder = trained(&o);
        *o.out = 0;
        if (forecast_trainer_new(&o, NULL, NULL, NULL, &t, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        forecast_training at = forecast_trainer_at(t);
        forecast_result   r  = { 0 };
        assert_true(at.finished && isfinite(at.best_val_loss));
        assert_int_equal(forecast_trainer_run(t, 10, &failure), TIDE_OK);
        assert_int_equal(forecast_trainer_save(t, &failure), TIDE_OK);
        assert_int_equal(forecast_trainer_model(t, &m, &failure), TIDE_OK);
        assert_int_equal(forecast_model_pred_len(m), PRED);
        assert_int_equal(forecast_trainer_score(t, &r, &failure), TIDE_OK);
        expect_near(archs[a], r.model.mse, in_folder, 0);
        assert_int_equal(r.member_count, a == SINGLE ? 4 : 0);
        forecast_result_free(&r);
        forecast_model_free(m);
        forecast_trainer_free(t);
    }
}

/* A member is stopped from outside: nothing is left of it in memory, and a folder goes on. */
static int stop_at_once(void *user, const forecast_event *e) {
    int *left = user;
    return e->stage == FORECAST_STAGE_STEP && --*left < 0;
}

static void test_auto_stopped(void **state) {
    (void)state;
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    int              left    = 40;
    options_for(&o, "auto", "");
    double whole = trained(&o);
    assert_int_equal(forecast_train(&o, stop_at_once, &left, &r, &failure), TIDE_ECANCELLED);
    options_for(&o, "auto", "overwrite no resume must");
    expect_near("auto", trained(&o), whole, 0);
}

/* Each parameter of the graph is one that the contract names, in its shape but for a width of 1, and they are as many
 * numbers as it counts. */
static void test_weights(void **state) {
    enum { HEADS = FORECAST_HEAD_STUDENT_T + 1 };
    (void)state;
    for (int a = 0; a < ARCHS; a++)
        for (int i = 0; i < 2 * HEADS; i++) {
            int masked = i % 2, head = i / 2;
            if (head && !forecaster_takes_heads(a)) continue;
            model_config c = { .seq_len = SEQ, .pred_len = PRED, .columns = 4, .d_model = 8, .n_heads = 2,
                               .head_size = 4, .d_ff = 12, .e_layers = 2, .masked = masked,
                               .known = a == 0 || a == SINGLE, .season = 4, .members = a == SINGLE ? 63 : 0,
                               .arch = a, .head = head, .quantile_count = head == FORECAST_HEAD_QUANTILE ? 3 : 0,
                               .quantile = { 0.1, 0.5, 0.9 } };
            tide_graph *g = tide_graph_new("cpu");
            forecaster  f;
            char        name[WEIGHT_NAME];
            tide_shape  shape;
            int64_t     count = 0, numbers = 0;
            assert_true(forecaster_new(g, &c, &f));
            tide_list all = tide_params(g, "");
            for (; forecaster_weight(&f.config, count, name, &shape); count++) {
                int64_t at = 0;
                while (at < all.count && strcmp(tide_name_of(all.items[at]), name)) at++;
                if (at == all.count) fail_msg("%s has no %s", f.of->name, name);
                assert_int_equal(tide_shape_count(tide_shape_of(all.items[at])), tide_shape_count(shape));
                numbers += tide_shape_count(shape);
            }
            assert_int_equal(count, all.count);
            assert_int_equal(numbers, forecaster_parameters(&f.config));
            forecaster_free(&f);
            tide_graph_free(g);
        }
}

/* DLinear by hand, in double: the average of 25 rows with the ends repeated, and what is left. */
static void test_dlinear(void **state) {
    enum { L = 30, S = 4, C = 2, HALF = 12 };
    (void)state;
    model_config c = { .seq_len = L, .pred_len = S, .columns = C, .arch = FORECAST_DLINEAR };
    tide_graph  *g = tide_graph_new_with(&(tide_graph_options){ .seed = 9 });
    forecaster   f;
    float        past[L * C], out[S * C];
    for (int i = 0; i < L * C; i++) past[i] = (float)(sin(i * 0.7) + 0.1 * (i % 5));
    assert_true(forecaster_new(g, &c, &f));
    tide_list all = tide_params(g, "");
    for (int i = 0; i < 4; i++) {
        float   w[S * L];
        int64_t n = tide_shape_count(tide_shape_of(all.items[i]));
        for (int64_t k = 0; k < n; k++) w[k] = (float)cos((double)k * 0.3 + i);
        assert_int_equal(tide_write(all.items[i], w, (size_t)n * sizeof *w), TIDE_OK);
    }
    model_windows x = { .past = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, L, C), past) };
    head_values h = forecaster_rows(&f, &x, TIDE_EVAL);
    assert_int_equal(tide_read(forecaster_points(&h), out, sizeof out), TIDE_OK);
    for (int s = 0; s < S; s++)
        for (int k = 0; k < C; k++) {
            double sum = cos(s * 0.3 + 1) + cos(s * 0.3 + 3);
            for (int t = 0; t < L; t++) {
                double trend = 0;
                for (int d = -HALF; d <= HALF; d++) {
                    int row = t + d < 0 ? 0 : t + d >= L ? L - 1 : t + d;
                    trend += (double)past[row * C + k] / (2 * HALF + 1);
                }
                sum += ((double)past[t * C + k] - trend) * cos((s * L + t) * 0.3) + trend * cos((s * L + t) * 0.3 + 2);
            }
            expect_near("dlinear", out[s * C + k], sum, 1e-4);
        }
    forecaster_free(&f);
    tide_graph_free(g);
}

/* PatchTST without blocks is affine in patches: the last norm and the head of embedded patches, by hand. */
static void test_patches(void **state) {
    enum { L = 40, S = 3, C = 2, D = 6, PATCH = 16, STRIDE = 8, PATCHES = (L - PATCH) / STRIDE + 2 };
    (void)state;
    model_config c = { .seq_len = L, .pred_len = S, .columns = C, .d_model = D, .n_heads = 2, .head_size = 3, .d_ff = 4,
                       .statics = 2, .arch = FORECAST_PATCHTST };
    tide_graph  *g = tide_graph_new_with(&(tide_graph_options){ .seed = 9 });
    forecaster   f;
    float        past[L * C], out[S * C];
    for (int i = 0; i < L * C; i++) past[i] = (float)(sin(i * 0.7) + 0.1 * (i % 5));
    assert_true(forecaster_new(g, &c, &f));
    tide_list all = tide_params(g, "");
    const float *embedding = NULL, *head = NULL, *bias = NULL;
    const float statics[C * 2] = { 0.5F, -1, 2, 0.25F };
    float       said[D * 2];
    for (int i = 0; i < D * 2; i++) said[i] = (float)cos(i * 0.9);
    for (int64_t i = 0; i < all.count; i++) {
        const char *name = tide_name_of(all.items[i]);
        if (strstr(name, "value_embedding")) embedding = tide_data(all.items[i]);
        if (!strcmp(name, "head.linear.weight")) head = tide_data(all.items[i]);
        if (!strcmp(name, "head.linear.bias")) bias = tide_data(all.items[i]);
        if (strstr(name, "static_embedding")) assert_int_equal(tide_write(all.items[i], said, sizeof said), TIDE_OK);
    }
    model_windows x = { .past = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, L, C), past),
                        .statics = tide_constant(g, TIDE_F32, TIDE_SHAPE(C, 2), statics) };
    head_values h = forecaster_rows(&f, &x, TIDE_EVAL);
    assert_int_equal(tide_read(forecaster_points(&h), out, sizeof out), TIDE_OK);
    for (int k = 0; k < C; k++) {
        double tokens[PATCHES][D];
        for (int p = 0; p < PATCHES; p++) {
            double mean = 0, variance = 0;
            for (int d = 0; d < D; d++) {
                double angle = p * exp(-log(1e4) * (d / 2 * 2) / D);
                tokens[p][d] = d % 2 ? cos(angle) : sin(angle);
                for (int a = 0; a < 2; a++) tokens[p][d] += (double)said[d * 2 + a] * (double)statics[k * 2 + a];
                for (int i = 0; i < PATCH; i++) {
                    int row = p * STRIDE + i < L ? p * STRIDE + i : L - 1;
                    tokens[p][d] += (double)embedding[d * PATCH + i] * (double)past[row * C + k];
                }
                mean += tokens[p][d] / D;
            }
            for (int d = 0; d < D; d++) variance += (tokens[p][d] - mean) * (tokens[p][d] - mean) / D;
            for (int d = 0; d < D; d++) tokens[p][d] = (tokens[p][d] - mean) / sqrt(variance + 1e-5);
        }
        for (int s = 0; s < S; s++) {
            double sum = bias[s];
            for (int d = 0; d < D; d++)
                for (int p = 0; p < PATCHES; p++) sum += (double)head[(s * D + d) * PATCHES + p] * tokens[p][d];
            expect_near("patches", out[s * C + k], sum, 1e-4);
        }
    }
    forecaster_free(&f);
    tide_graph_free(g);
}

/* Attributes add one product to a token: an iTransformer without blocks by hand, from the token to the last affine map.
 * Marks, and what is known ahead, change nothing of the others' tokens. */
static void test_statics(void **state) {
    enum { L = 7, S = 3, C = 3, D = 6, A = 2, M = 2 };
    (void)state;
    model_config c = { .seq_len = L, .pred_len = S, .columns = C, .known = 1, .marks = M, .statics = A, .d_model = D,
                       .n_heads = 2, .head_size = 3, .d_ff = 4, .arch = FORECAST_ITRANSFORMER };
    tide_graph  *g = tide_graph_new_with(&(tide_graph_options){ .seed = 11 });
    forecaster   f;
    float        past[L * C], known[S], marks[L * M], statics[C * A], said[D * A], out[S * (C - 1)];
    for (int i = 0; i < L * C; i++) past[i] = (float)sin(i * 0.7);
    for (int i = 0; i < S; i++) known[i] = (float)i;
    for (int i = 0; i < L * M; i++) marks[i] = (float)cos(i);
    for (int i = 0; i < C * A; i++) statics[i] = (float)(i % 4) - 1.5F;
    for (int i = 0; i < D * A; i++) said[i] = (float)cos(i * 0.9);
    assert_true(forecaster_new(g, &c, &f));
    tide_list    all = tide_params(g, "");
    const float *w[4] = { 0 };
    static const char *const names[] = { "enc_embedding.value_embedding.weight", "enc_embedding.value_embedding.bias",
                                         "projector.weight", "projector.bias" };
    for (int64_t i = 0; i < all.count; i++) {
        const char *name = tide_name_of(all.items[i]);
        for (int k = 0; k < 4; k++)
            if (!strcmp(name, names[k])) w[k] = tide_data(all.items[i]);
        if (strcmp(name, "enc_embedding.static_embedding.weight") != 0) continue;
        const float *first = tide_data(all.items[i]);
        for (int k = 0; k < D * A; k++) assert_true(first[k] == 0);
        assert_int_equal(tide_write(all.items[i], said, sizeof said), TIDE_OK);
    }
    model_windows x = { .past = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, L, C), past),
                        .known = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, S, 1), known),
                        .marks = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, L, M), marks),
                        .statics = tide_constant(g, TIDE_F32, TIDE_SHAPE(C, A), statics) };
    const head_values h = forecaster_rows(&f, &x, TIDE_EVAL);
    assert_int_equal(tide_read(forecaster_points(&h), out, sizeof out), TIDE_OK);
    for (int k = 0; k + 1 < C; k++) {
        double token[D], mean = 0, variance = 0;
        for (int d = 0; d < D; d++) {
            token[d] = (double)w[1][d];
            for (int i = 0; i < L; i++) token[d] += (double)w[0][d * L + i] * (double)past[i * C + k];
            for (int a = 0; a < A; a++) token[d] += (double)said[d * A + a] * (double)statics[k * A + a];
            mean += token[d] / D;
        }
        for (int d = 0; d < D; d++) variance += (token[d] - mean) * (token[d] - mean) / D;
        for (int s = 0; s < S; s++) {
            double sum = (double)w[3][s];
            for (int d = 0; d < D; d++) sum += (double)w[2][s * D + d] * (token[d] - mean) / sqrt(variance + 1e-5);
            expect_near("attributes", out[s * (C - 1) + k], sum, 1e-5);
        }
    }
    forecaster_free(&f);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_runs),    cmocka_unit_test(test_same_training),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_weights),
                                        cmocka_unit_test(test_dlinear), cmocka_unit_test(test_patches),
                                        cmocka_unit_test(test_statics),
                                        cmocka_unit_test(test_baselines), cmocka_unit_test(test_solved_refused),
                                        cmocka_unit_test(test_solved_trainer), cmocka_unit_test(test_auto_stopped) };
    return cmocka_run_group_tests_name("architectures", tests, set_up, remove_folder);
}
