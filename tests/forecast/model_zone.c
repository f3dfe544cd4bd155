/* A time zone through the doors in memory: files as frames, training on them, and the model's times. */
#include <tidemill/tidemill.h>
#include <time.h>

#include "train_support.h"

enum { ROWS = 240, SEQ = 24, PRED = 6 };
/* 2024-03-31 01:00 UTC, when clocks in Berlin go from 02:00 to 03:00, and the first row. */
enum { CHANGE = 1711846800, BEGIN = CHANGE - 173 * 3600 };

static int64_t berlin(int64_t instant) { return instant + (instant < CHANGE ? 3600 : 7200); }

/* Local times of Berlin, and the same with their offsets. */
static int set_up(void **state) {
    if (make_folder(state)) return -1;
    for (int offset = 0; offset < 2; offset++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s.csv", folder, offset ? "offsets" : "series");
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "date,a,b\n");
        for (int64_t i = 0; i < ROWS; i++) {
            int64_t   instant = BEGIN + 3600 * i, label = berlin(instant);
            time_t    shown = (time_t)label;
            struct tm t;
            gmtime_r(&shown, &t);
            fprintf(f, "%04d-%02d-%02d %02d:00%s,%.4f,%.4f\n", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                    !offset ? "" : label - instant > 3600 ? "+02:00" : "+01:00", sin((double)i * 0.3),
                    cos((double)i * 0.2));
        }
        fclose(f);
    }
    return 0;
}

static void options_for(forecast_options *o, const char *file, const char *tz) {
    char path[96];
    small_options(o);
    set_all(o, "epochs 1");
    snprintf(path, sizeof path, "%s/%s.csv", folder, file);
    set(o, "data", path), set(o, "out", ""), set(o, "freq", ""), set(o, "tz", tz);
}

static void fine(tide_status status, const tide_failure *failure) {
    if (status != TIDE_OK) fail_msg("%s", failure->message);
}

static void need_database(void) {
    forecast_options o;
    tide_frame      *f;
    tide_failure     failure = { 0 };
    options_for(&o, "series", "Europe/Berlin");
    tide_status status = forecast_read_frame(&o, &f, &failure);
    tide_frame_free(f);
    if (status != TIDE_EIO) return fine(status, &failure);
    print_message("skipped: needs tzdata\n");
    skip();
}

static forecast_model *trained(const forecast_options *o, const tide_frame *series) {
    tide_failure      failure = { 0 };
    forecast_trainer *t;
    forecast_model   *m;
    fine(forecast_trainer_new(o, series, NULL, NULL, &t, &failure), &failure);
    fine(forecast_trainer_run(t, 0, &failure), &failure);
    fine(forecast_trainer_model(t, &m, &failure), &failure);
    forecast_trainer_free(t);
    return m;
}

static void check_hours(const forecast_model *m, const char *tz) {
    int64_t times[4];
    assert_string_equal(forecast_model_tz(m), tz);
    assert_string_equal(forecast_model_frequency(m), "h");
    fine(forecast_model_times_after(m, CHANGE - 3600, 4, times, NULL), &(tide_failure){ 0 });
    for (int i = 0; i < 4; i++) assert_int_equal(times[i], CHANGE + 3600 * (int64_t)i);
}

static void forecast(forecast_model *m, const tide_frame *f, double future[PRED * 2]) {
    tide_failure failure = { 0 };
    fine(forecast_model_predict_frame(m, f, future, &failure), &failure);
}

/* A file of local times becomes a frame of instants, which trains the same model, to the bit. */
static void test_file_and_frame(void **state) {
    (void)state;
    forecast_options o;
    tide_failure     failure = { 0 };
    tide_frame      *f;
    double           a[PRED * 2], b[PRED * 2], again[PRED * 2];
    need_database();
    options_for(&o, "series", "Europe/Berlin");
    fine(forecast_read_frame(&o, &f, &failure), &failure);
    for (int i = 0; i < ROWS; i++) assert_int_equal(tide_frame_time(f)[i], BEGIN + 3600 * (int64_t)i);
    forecast_model *of_file = trained(&o, NULL);
    set(&o, "data", "");
    forecast_model *of_frame = trained(&o, f), *copy;
    void           *bytes;
    size_t          size;
    fine(forecast_model_save_memory(of_frame, &bytes, &size, &failure), &failure);
    fine(forecast_model_load_memory(bytes, size, NULL, &copy, &failure), &failure);
    check_hours(of_file, "Europe/Berlin"), check_hours(of_frame, "Europe/Berlin"), check_hours(copy, "Europe/Berlin");
    forecast(of_file, f, a), forecast(of_frame, f, b), forecast(copy, f, again);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(a, again, sizeof a);
    tide_free(bytes);
    forecast_model_free(of_file), forecast_model_free(of_frame), forecast_model_free(copy), tide_frame_free(f);
}

/* Marks are those of the local clock, however the file says which it is, and not UTC's. */
static void test_marks(void **state) {
    (void)state;
    static const struct { const char *file, *tz; bool same; } runs[] = {
        { "series", "Europe/Berlin", true }, { "offsets", "Europe/Berlin", true }, { "offsets", "", true },
        { "offsets", "UTC", false },
    };
    double first[PRED * 2], other[PRED * 2];
    need_database();
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        forecast_options o;
        tide_failure     failure = { 0 };
        tide_frame      *f;
        options_for(&o, runs[k].file, runs[k].tz);
        fine(forecast_read_frame(&o, &f, &failure), &failure);
        assert_int_equal(tide_frame_time(f)[ROWS - 1], BEGIN + 3600 * (int64_t)(ROWS - 1));
        forecast_model *m = trained(&o, NULL);
        forecast(m, f, k ? other : first);
        if (k && (memcmp(first, other, sizeof first) == 0) != runs[k].same)
            fail_msg("%s in '%s': other numbers than expected", runs[k].file, runs[k].tz);
        if (!*runs[k].tz) assert_string_equal(forecast_model_tz(m), "+02:00");
        forecast_model_free(m), tide_frame_free(f);
    }
}

/* Each local midnight, over a day of 23 hours. */
static void test_days(void **state) {
    (void)state;
    forecast_options o;
    tide_failure     failure = { 0 };
    tide_frame      *f;
    int64_t          time[ROWS], next[2];
    need_database();
    options_for(&o, "series", "Europe/Berlin");
    fine(forecast_read_frame(&o, &f, &failure), &failure);
    for (int i = 0; i < ROWS; i++) time[i] = 1672527600 + 86400 * (int64_t)i; /* 2023-01-01 in Berlin */
    for (int i = 85; i < ROWS; i++) time[i] -= 3600;                         /* from 2023-03-27 on in summer */
    fine(tide_frame_set_time(f, "date", time, &failure), &failure);
    set(&o, "data", "");
    forecast_model *m = trained(&o, f);
    assert_string_equal(forecast_model_frequency(m), "d");
    fine(forecast_model_times_after(m, time[83], 2, next, &failure), &failure);
    assert_true(next[0] == time[84] && next[1] == time[85]);
    forecast_model_free(m), tide_frame_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_file_and_frame), cmocka_unit_test(test_marks),
                                        cmocka_unit_test(test_days) };
    return cmocka_run_group_tests_name("time zones of models", tests, set_up, remove_folder);
}
