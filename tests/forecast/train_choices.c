/* --compile-mode: what a run chose by timing is in its run.json, and is what it goes on with, whatever the cache says
 * by then. */
#include "train_support.h"

static void run_folder_of(char path[96], const char *name) { snprintf(path, 96, "%s/%s", folder, name); }

static int make_cache(void **state) {
    return folder_with_series(state, 300) || setenv("XDG_CACHE_HOME", folder, 1);
}

/* ---- the cache ---- */

static bool cache_file(char path[128]) {
    char  command[128];
    snprintf(command, sizeof command, "ls %s/tidemill/tuning/*.json 2>/dev/null", folder);
    FILE *list = popen(command, "r");
    bool  there = fgets(path, 128, list) != NULL;
    if (there) path[strcspn(path, "\n")] = 0;
    pclose(list);
    return there;
}

/* As if every program were fastest with small tasks and with products from oneDNN, which may round otherwise than
 * ours. */
static void write_other_choices(void) {
    enum { ONEDNN = 0, NONE = -1 };  /* of gemm_tune.c's names */
    char   path[128];
    size_t size;
    assert_true(cache_file(path));
    char *text = whole_file(folder, path + strlen(folder) + 1, &size);
    FILE *f    = fopen(path, "w");
    for (char *rest = text, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *value  = strrchr(line, ':');
        int   other  = strstr(line, "\"common rows") ? 48 : strstr(line, "\"product ") ? ONEDNN : NONE;
        bool  more   = line[strlen(line) - 1] == ',';
        if (value && other != NONE) fprintf(f, "%.*s: %d%s\n", (int)(value - line), line, other, more ? "," : "");
        else fprintf(f, "%s\n", line);
    }
    fclose(f);
    free(text);
}

static void empty_cache(void) {
    char path[128];
    if (cache_file(path)) unlink(path);
}

/* ---- runs ---- */

typedef struct heard {
    int64_t stop_at;     /* step; 0: never */
    char    note[640];   /* on what was timed */
} heard;

static int hear(void *user, const forecast_event *e) {
    heard *h = user;
    if (strstr(e->message, "max-autotune:")) snprintf(h->note, sizeof h->note, "%s", e->message);
    return h->stop_at && e->stage == FORECAST_STAGE_STEP && e->step == h->stop_at;
}

static tide_status train(const char *name, const char *words, heard *h) {
    char             path[96];
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    small_options(&o);
    run_folder_of(path, name);
    set(&o, "out", path);
    set_all(&o, words);
    tide_status status = forecast_train(&o, hear, h, &r, &failure);
    if (status != TIDE_OK && status != TIDE_ECANCELLED) fail_msg("%s: %s", name, failure.message);
    forecast_result_free(&r);
    return status;
}

static bool same_model(const char *a, const char *b) {
    char one[96], other[96];
    run_folder_of(one, a), run_folder_of(other, b);
    return same_file(one, other, "model.safetensors");
}

/* Where these change no bit (a row of a product is the same beside any others, oneDNN adds in our order), what is
 * written down is all that tells. */
static void expect_other_choices(const char *run) {
    char   path[96];
    size_t size;
    run_folder_of(path, run);
    char *kept = whole_file(path, "run.json", &size), *rows = strstr(kept, "\"common rows of program");
    assert_non_null(rows);
    rows = strstr(rows, "\": ");
    assert_non_null(rows);
    rows[strcspn(rows, ",}\n")] = 0;
    expect_has(rows, ": 48");
    free(kept);
}

static void test_run_beats_cache(void **state) {
    heard  h = { 0 }, stop = { .stop_at = 12 };
    (void)state;
    assert_int_equal(train("usual", "batch-size 32 patience 0 epochs 4", &h), TIDE_OK);
    assert_string_equal(h.note, "");
    char other[128];
    assert_false(cache_file(other));
    assert_int_equal(train("first", "batch-size 32 patience 0 epochs 4 threads 2 compile-mode max-autotune", &h),
                     TIDE_OK);
    expect_has(h.note, " 0 from the cache");
    write_other_choices();
    h = (heard){ 0 };
    assert_int_equal(train("other", "batch-size 32 patience 0 epochs 4 threads 2 compile-mode max-autotune", &h),
                     TIDE_OK);
    expect_other_choices("other");

    /* Stopped, the cache emptied, resumed in another mode and on another number of threads: what the run has
     * chosen holds. */
    assert_int_equal(train("halves", "batch-size 32 patience 0 epochs 4 threads 2 compile-mode max-autotune", &stop),
                     TIDE_ECANCELLED);
    empty_cache();
    h = (heard){ 0 };
    assert_int_equal(
        train("halves", "batch-size 32 patience 0 epochs 4 threads 1 resume must compile-mode default", &h), TIDE_OK);
    if (!same_model("halves", "other")) fail_msg("the resumed run has other bits than the one that was not stopped");
    expect_other_choices("halves");

    /* The other way round: a run of default mode goes on by the fixed tables. */
    stop = (heard){ .stop_at = 12 }, h = (heard){ 0 };
    assert_int_equal(train("plain", "batch-size 32 patience 0 epochs 4", &stop), TIDE_ECANCELLED);
    assert_int_equal(train("plain", "batch-size 32 patience 0 epochs 4 resume must compile-mode max-autotune", &h),
                     TIDE_OK);
    assert_string_equal(h.note, "");
    if (!same_model("plain", "usual"))
        fail_msg("a run of default mode changed its bits when it was resumed with max-autotune");
}

static void test_damaged_choices(void **state) {
    heard            stop = { .stop_at = 12 };
    char             path[96], file[128];
    size_t           size;
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    (void)state;
    assert_int_equal(train("damaged", "batch-size 32 patience 0 epochs 4", &stop), TIDE_ECANCELLED);
    run_folder_of(path, "damaged");
    char *text = whole_file(path, "run.json", &size), *at = strstr(text, "\"choices\": {");
    assert_non_null(at);
    snprintf(file, sizeof file, "%s/run.json", path);
    FILE *f = fopen(file, "w");
    fprintf(f, "%.*s\"a\": \"b\"%s", (int)(at + 12 - text), text, at + 12);
    fclose(f);
    free(text);
    small_options(&o);
    set(&o, "out", path);
    set_all(&o, "batch-size 32 patience 0 epochs 4 resume must");
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_EDATA);
    expect_has(failure.message, "choices");
    forecast_result_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_run_beats_cache),
                                        cmocka_unit_test(test_damaged_choices) };
    return cmocka_run_group_tests(tests, make_cache, remove_folder);
}
