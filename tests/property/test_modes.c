/* Compile modes: other choices give the same results within rounding, what was timed once is not timed again, and a
 * program made with given choices has the same bits. */
#include "runtime/runtime.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forecast/models/model.h"
#include "generate.h"

/* ---- a cache of our own ---- */

static char cache[64];

/* Kernels as compiled C have tests of their own, and each of their libraries costs a compiler's second. */
static int make_cache(void **state) {
    (void)state;
    setenv("CC", "/nonexistent/cc", 1);
    snprintf(cache, sizeof cache, "/tmp/tidemill-modes-XXXXXX");
    if (!mkdtemp(cache)) return -1;
    return setenv("XDG_CACHE_HOME", cache, 1);
}

static int remove_cache(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", cache);
    return system(command);
}

static void cache_file(char path[256]) {
    char command[128];
    snprintf(command, sizeof command, "ls %s/tidemill/tuning/*.json 2>/dev/null", cache);
    FILE *list = popen(command, "r");
    path[0] = 0;
    if (fgets(path, 256, list)) path[strcspn(path, "\n")] = 0;
    pclose(list);
}

/* ---- a training step of the forecaster ---- */

enum { STEPS = 3, BATCH = 12, COLUMNS = 7 };

typedef struct step {
    tide_graph    *graph;
    itransformer model;
    tide_val       x, marks, y, loss, update;
    tide_program  *program;
} step;

static void step_build(step *s) {
    model_config config = { .seq_len = 96, .pred_len = 96, .columns = COLUMNS, .marks = 4, .d_model = 128,
                            .n_heads = 8, .head_size = 16, .d_ff = 128,
                            .e_layers = 1, .dropout = 0.1, .use_norm = true };
    *s = (step){ .graph = tide_graph_new_with(&(tide_graph_options){ .threads = 2, .seed = 3 }) };
    assert_true(itransformer_new(s->graph, &config, &s->model));
    s->x = tide_input(s->graph, "x", TIDE_F32, TIDE_SHAPE(BATCH, 96, COLUMNS));
    s->marks = tide_input(s->graph, "m", TIDE_F32, TIDE_SHAPE(BATCH, 96, 4));
    s->y = tide_input(s->graph, "y", TIDE_F32, TIDE_SHAPE(BATCH, 96, COLUMNS));
    const model_windows window = { .past = s->x, .marks = s->marks };
    s->loss = tide_mse(itransformer_apply(&s->model, &window, TIDE_TRAIN, NULL), s->y);
    tide_list params = tide_params(s->graph, "");
    s->update = tide_adamw(params, tide_clip_norm(tide_grad(s->loss, params), 1.0),
                           &(tide_adamw_opts){ .lr = tide_scalar(s->graph, 1e-3) });
}

static void step_compile(step *s, tide_program_mode mode) {
    s->program = tide_compile(TIDE_LIST(s->loss, s->update), &(tide_compile_options){ .mode = mode });
    if (tide_program_error(s->program)->status) fail_msg("%s", tide_program_error(s->program)->message);
}

static void step_free(step *s) {
    itransformer_free(&s->model);
    tide_graph_free(s->graph);
}

/* The loss of each step, then all that survives. */
static float *step_run(step *s, int64_t *count) {
    float data[BATCH * 96 * COLUMNS];
    tide_list all = tide_params(s->graph, "");
    *count = STEPS;
    for (int64_t i = 0; i < all.count; i++) *count += tide_shape_count(tide_shape_of(all.items[i]));
    float *out = malloc(sizeof *out * (size_t)*count), *at = out + STEPS;
    for (int i = 0; i < (int)(sizeof data / sizeof *data); i++) data[i] = (float)(i * 7919 % 257) / 128 - 1;
    for (int i = 0; i < STEPS; i++) {
        assert_int_equal(tide_run(s->program, (tide_feed[]){ { s->x, data }, { s->marks, data }, { s->y, data } }, 3),
                         TIDE_OK);
        assert_int_equal(tide_read(s->loss, &out[i], sizeof out[i]), TIDE_OK);
    }
    for (int64_t i = 0; i < all.count; i++) {
        size_t bytes = sizeof(float) * (size_t)tide_shape_count(tide_shape_of(all.items[i]));
        assert_int_equal(tide_read(all.items[i], at, bytes), TIDE_OK);
        at += bytes / sizeof(float);
    }
    return out;
}

static double apart(const float *a, const float *b, int64_t count) {
    double worst = 0;
    for (int64_t i = 0; i < count; i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

/* Adam divides by the root of the second moment: where a gradient is next to nothing its sign is rounding, and a
 * parameter moves by the rate, 1e-3, either way. So parameters are held to two rates a step, and the losses, which see
 * all of them, to 1e-5. */
static void expect_alike(const char *what, const float *got, const float *expected, int64_t count) {
    double loss = apart(got, expected, STEPS), params = apart(got + STEPS, expected + STEPS, count - STEPS);
    if (!(loss <= 1e-5)) fail_msg("%s: losses %.3g apart, 1e-5 allowed", what, loss);
    if (!(params <= 2e-3 * STEPS)) fail_msg("%s: parameters %.3g apart, %.3g allowed", what, params, 2e-3 * STEPS);
}

/* The note is the graph's: kept here beyond it. */
static tide_tuning told_by(const tide_graph *g) {
    static char note[400];
    tide_tuning told = tide_graph_tuning(g);
    snprintf(note, sizeof note, "%s", told.note);
    told.note = note;
    return told;
}

static float *run_mode(tide_program_mode mode, const char *choices, int64_t *count, tide_tuning *told) {
    step s;
    step_build(&s);
    if (choices) assert_int_equal(tide_choices_set(s.graph, choices, NULL), TIDE_OK);
    step_compile(&s, mode);
    float *out = step_run(&s, count);
    if (told) *told = told_by(s.graph);
    step_free(&s);
    return out;
}

static char *choices_now(tide_tuning *told) {
    step s;
    step_build(&s);
    step_compile(&s, TIDE_MODE_MAX_AUTOTUNE);
    char *text = tide_choices(s.graph);
    *told = told_by(s.graph);
    step_free(&s);
    return text;
}

/* ---- the modes ---- */

static void test_modes_alike(void **state) {
    int64_t count;
    tide_tuning told;
    (void)state;
    float *usual = run_mode(TIDE_MODE_DEFAULT, NULL, &count, &told);
    assert_int_equal(told.timed, 0);
    char path[256];
    cache_file(path);
    assert_string_equal(path, "");
    float *overhead = run_mode(TIDE_MODE_REDUCE_OVERHEAD, NULL, &count, &told),
          *tuned = run_mode(TIDE_MODE_MAX_AUTOTUNE, NULL, &count, &told);
    assert_memory_equal(usual, overhead, sizeof *usual * (size_t)count);
    assert_true(told.timed > 3 && told.seconds > 0);
    assert_non_null(strstr(told.note, "no C compiler"));  /* which is all there is to tell */
    expect_alike("max-autotune", tuned, usual, count);
    free(usual), free(overhead), free(tuned);
}

static void test_second_times_nothing(void **state) {
    tide_tuning first, second;
    (void)state;
    char *before = choices_now(&first), *after = choices_now(&second);
    assert_int_equal(second.timed, 0);
    assert_true(second.kept > 3);
    assert_true(strlen(after) <= strlen(before));
    free(before), free(after);
}

/* Every choice made otherwise than the table has it: other providers, other cuts. */
static char *turned(const char *text, const int32_t to[3]) {
    choices c = { 0 };
    struct text out = { 0 };
    assert_true(choices_parse(&c, text));
    for (int32_t i = 0; i < c.count; i++) {
        const char *name = c.items[i].name;
        int which = !strncmp(name, "common rows", 11) ? 0 : !strncmp(name, "product rows", 12) ? 1 : 2;
        bool compiled = !strncmp(name, "compiled", 8); /* taken or not */
        c.items[i].value = compiled && to[2] < 9 ? to[2] == 3 : to[which];
    }
    choices_print(&out, &c);
    choices_free(&c);
    return out.data;
}

static void test_other_choices(void **state) {
    static const int32_t other[][3] = { { 48, 64, 3 }, { 96, 256, 0 }, { 0, 128, 1 }, { 384, 0, 3 } };
    int64_t count;
    tide_tuning told;
    (void)state;
    char *text = choices_now(&told);
    float *usual = run_mode(TIDE_MODE_DEFAULT, NULL, &count, NULL);
    bool differs = false;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        char what[80], *given = turned(text, other[i]);
        snprintf(what, sizeof what, "rows %d and %d, provider %d", other[i][0], other[i][1], other[i][2]);
        /* They hold whatever the mode and whatever is in the file, and the same ones give the same bits. */
        float *once = run_mode(TIDE_MODE_DEFAULT, given, &count, &told),
              *again = run_mode(TIDE_MODE_MAX_AUTOTUNE, given, &count, &told);
        assert_int_equal(told.timed + told.kept, 0);
        assert_memory_equal(once, again, sizeof *once * (size_t)count);
        expect_alike(what, once, usual, count);
        differs |= memcmp(once, usual, sizeof *once * (size_t)count) != 0;
        free(once), free(again), free(given);
    }
    assert_true(differs); /* they do something */
    free(usual), free(text);
}

/* Timing runs the step many times: nothing that survives may show it. */
static void test_variables_unchanged(void **state) {
    step s;
    (void)state;
    char path[256];
    cache_file(path);
    unlink(path);
    step_build(&s);
    tide_list all = tide_state(s.graph, "");
    tide_snapshot_t *before = tide_snapshot(all);
    step_compile(&s, TIDE_MODE_MAX_AUTOTUNE);
    assert_true(tide_graph_tuning(s.graph).timed > 3);
    for (int64_t i = 0; i < all.count; i++) {
        size_t bytes =
            (size_t)tide_shape_count(tide_shape_of(all.items[i])) * tide_dtype_size(tide_dtype_of(all.items[i]));
        if (memcmp(tide_data(all.items[i]), tide_snapshot_data(before, i), bytes))
            fail_msg("'%s' was changed by timing", tide_name_of(all.items[i]));
    }
    tide_snapshot_free(before);
    step_free(&s);
}

/* ---- the file ---- */

static void put(const char *path, const char *content) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void test_damaged_file(void **state) {
    static const char *const damaged[] = {
        "", "{", "{\"a\": }", "[1]", "{\"a\": 1.5}", "{\"a\": 1,}", "{\"a\": 1} x", "{\"a\": 99999999999}", "\x01\x02"
    };
    char path[256];
    tide_tuning told;
    (void)state;
    cache_file(path);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        choices c = { 0 };
        if (choices_parse(&c, damaged[i])) fail_msg("'%s' was taken for choices", damaged[i]);
        choices_free(&c);
    }
    put(path, "{ \"product");
    free(choices_now(&told));
    assert_non_null(strstr(told.note, "damaged"));
    assert_true(told.timed > 3);
    free(choices_now(&told)); /* it is whole again */
    assert_non_null(strstr(told.note, "no C compiler"));  /* which is all there is to tell */
    assert_int_equal(told.timed, 0);
}

/* Values that nobody could have chosen are not used. */
static void test_senseless_values(void **state) {
    int64_t count;
    tide_tuning told;
    (void)state;
    char *text = choices_now(&told), *given = turned(text, (int32_t[]){ -77, 1000000000, 99 });
    float *got = run_mode(TIDE_MODE_DEFAULT, given, &count, NULL),
          *usual = run_mode(TIDE_MODE_DEFAULT, NULL, &count, NULL);
    assert_memory_equal(got, usual, sizeof *got * (size_t)count);
    free(text), free(given), free(got), free(usual);
}

static void test_merged(void **state) {
    char path[256], line[200];
    tide_tuning told;
    bool kept = false;
    (void)state;
    free(choices_now(&told));
    cache_file(path);
    step s;
    step_build(&s);
    tide_compile_mode(s.graph, TIDE_MODE_MAX_AUTOTUNE);
    choice_file_read(s.graph->runtime);
    put(path, "{ \"written meanwhile\": 7 }");
    choices_put(&s.graph->runtime->tuning.used, "ours", 5);
    choice_file_write(s.graph->runtime);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file)) kept |= strstr(line, "written meanwhile\": 7") != NULL;
    fclose(file);
    assert_true(kept);
    step_free(&s);
}

static void test_no_place(void **state) {
    int64_t count;
    tide_tuning told;
    (void)state;
    setenv("XDG_CACHE_HOME", "/dev/null/none", 1);
    free(run_mode(TIDE_MODE_MAX_AUTOTUNE, NULL, &count, &told));
    setenv("XDG_CACHE_HOME", cache, 1);
    assert_non_null(strstr(told.note, "/dev/null/none"));
    assert_true(told.timed > 3);
}

static void test_folder_of_others(void **state) {
    char path[256], folder[256];
    tide_tuning told;
    (void)state;
    free(choices_now(&told));
    cache_file(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(chmod(folder, 0777), 0);
    free(choices_now(&told));
    assert_int_equal(chmod(folder, 0700), 0);
    assert_non_null(strstr(told.note, "others may write it"));
    assert_true(told.timed > 3 && told.kept == 0);
}

static void test_refused(void **state) {
    tide_failure why = { 0 };
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val one = tide_scalar(g, 1);
    tide_program *p = tide_compile(TIDE_LIST(one), &(tide_compile_options){ .mode = (tide_program_mode)9 });
    assert_int_equal(tide_program_error(p)->status, TIDE_EINVAL);
    assert_int_equal(tide_choices_set(g, "nonsense", &why), TIDE_EDATA);
    assert_string_equal(tide_compile_mode_name(TIDE_MODE_MAX_AUTOTUNE), "max-autotune");
    tide_compile_mode(g, (tide_program_mode)9);
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
    tide_graph_free(g);
}

/* ---- random graphs ---- */

static double *run_graph(uint64_t seed, const work_cut *cut, tide_program_mode mode, int64_t *count, tide_dtype *type) {
    maker m;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = 2, .seed = 11 });
    maker_build(&m, g, seed, 20);
    *type = m.type;
    tide_list wanted = { m.wanted, m.n_wanted };
    compile_request request = {
        .wanted = wanted, .passes = true, .precision_note = "", .numbers = &processor_cut, .cut = *cut,
        .task_memory = true
    };
    tide_program *p = mode == TIDE_MODE_DEFAULT ? program_make(g, &request, &(program_how){ 0 })
                                                : tide_compile(wanted, &(tide_compile_options){ .mode = mode });
    if (tide_run(p, m.feeds, m.n_feeds)) fail_msg("seed %d: %s", (int)seed, tide_program_error(p)->message);
    *count = 0;
    for (int i = 0; i < m.n_values; i++) *count += tide_shape_count(tide_shape_of(m.wanted[i]));
    double *out = malloc(sizeof *out * (size_t)(*count + 1)), *at = out;
    for (int i = 0; i < m.n_values; i++) {
        int64_t n = tide_shape_count(tide_shape_of(m.wanted[i]));
        assert_int_equal(tide_read(m.wanted[i], at, sizeof *at * (size_t)n), TIDE_OK);
        at += n;
    }
    tide_graph_free(g);
    maker_free(&m);
    return out;
}

/* The bounds are those of the test of random graphs on all devices. */
static void expect_same_values(uint64_t seed, const double *got, const double *expected, int64_t count,
                               tide_dtype type) {
    double allowed = type == TIDE_BF16 ? 0.25 : type == TIDE_F16 ? 0.04 : 3e-4, scale = 0.05;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(expected[i])) scale = fmax(scale, fabs(expected[i]));
    for (int64_t i = 0; i < count; i++) {
        if ((isnan(got[i]) && isnan(expected[i])) || got[i] == expected[i]) continue;
        if (!(fabs(got[i] - expected[i]) <= allowed * scale))
            fail_msg("seed %d, number %d: expected %.9g, got %.9g", (int)seed, (int)i, expected[i], got[i]);
    }
}

static void test_random_graphs(void **state) {
    static const work_cut plans[] = { { 48, 64 }, { 96, 128 }, { 384, 256 } };
    int64_t count, other;
    tide_dtype type;
    (void)state;
    for (uint64_t seed = 1; seed <= 36; seed++) {
        double *usual = run_graph(seed, &(work_cut){ 0 }, TIDE_MODE_DEFAULT, &count, &type);
        for (int i = 0; i < 4; i++) {
            if (i == 3 && seed % 6) continue; /* these are timed */
            double *got = i == 3 ? run_graph(seed, &(work_cut){ 0 }, TIDE_MODE_MAX_AUTOTUNE, &other, &type)
                                 : run_graph(seed, &plans[i], TIDE_MODE_DEFAULT, &other, &type);
            assert_int_equal(count, other);
            expect_same_values(seed, got, usual, count, type);
            free(got);
        }
        free(usual);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes_alike),         cmocka_unit_test(test_second_times_nothing),
        cmocka_unit_test(test_other_choices),
        cmocka_unit_test(test_variables_unchanged), cmocka_unit_test(test_damaged_file),
        cmocka_unit_test(test_senseless_values),
        cmocka_unit_test(test_merged),              cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_folder_of_others),
    };
    return cmocka_run_group_tests(tests, make_cache, remove_cache);
}
