/* A training as a handle: from a frame or a file, in memory or in a folder, in pieces, stopped, resumed, scored. */
#include <pthread.h>
#include <tidemill/tidemill.h>

#include "forecast/training/trainer.h"
#include "train_support.h"

enum { SEQ = 24, PRED = 6, COLUMNS = 3, ROWS = 400 };

static tide_frame *series; /* of series.csv */

static void options_of(forecast_options *o, const char *words) {
    small_options(o);
    set_all(o, "epochs 3 seed 5");
    if (words) set_all(o, words);
    *o->out = 0;
}

static int set_up(void **state) {
    forecast_options o;
    tide_failure     failure = { 0 };
    if (folder_with_series(state, ROWS)) return -1;
    options_of(&o, NULL);
    no_failure(forecast_read_frame(&o, &series, &failure), &failure);
    return 0;
}

static int tear_down(void **state) {
    tide_frame_free(series);
    return remove_folder(state);
}

static forecast_trainer *open_on(const forecast_options *o, const tide_frame *frame, forecast_progress progress,
                                 void *user) {
    forecast_trainer *t;
    tide_failure      failure = { 0 };
    no_failure(forecast_trainer_new(o, frame, progress, user, &t, &failure), &failure);
    return t;
}

static forecast_trainer *open_frame(const char *words) {
    forecast_options o;
    options_of(&o, words);
    *o.data = 0;
    return open_on(&o, series, NULL, NULL);
}

static void run(forecast_trainer *t, int64_t steps) {
    tide_failure failure = { 0 };
    no_failure(forecast_trainer_run(t, steps, &failure), &failure);
}

typedef struct bytes { void *data; size_t size; } bytes;

static bytes model_of(const forecast_trainer *t) {
    forecast_model *m;
    bytes           b;
    tide_failure    failure = { 0 };
    no_failure(forecast_trainer_model(t, &m, &failure), &failure);
    no_failure(forecast_model_save_memory(m, &b.data, &b.size, &failure), &failure);
    forecast_model_free(m);
    return b;
}

static void expect_same(bytes a, bytes b) {
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    tide_free(a.data);
    tide_free(b.data);
}

/* ---- the same training, whichever door ---- */

static void predict_last(forecast_model *m, double *future) {
    tide_failure failure = { 0 };
    no_failure(forecast_model_predict_frame(m, series, future, &failure), &failure);
}

/* The command on the file, and a frame of its rows: the same parameters, the same scores. */
static void test_frame_as_file(void **state) {
    forecast_options o;
    forecast_result  file = { 0 }, frame = { 0 };
    tide_failure     failure = { 0 };
    forecast_model  *a, *b;
    double           from_file[PRED * COLUMNS], from_frame[PRED * COLUMNS];
    (void)state;
    options_of(&o, NULL);
    snprintf(o.out, sizeof o.out, "%s/as-file", folder);
    no_failure(forecast_train(&o, NULL, NULL, &file, &failure), &failure);
    no_failure(forecast_model_load(o.out, NULL, &a, &failure), &failure);
    forecast_trainer *t = open_frame(NULL);
    run(t, 0);
    no_failure(forecast_trainer_score(t, &frame, &failure), &failure);
    no_failure(forecast_trainer_model(t, &b, &failure), &failure);
    forecast_trainer_free(t);
    assert_true(file.model.mse == frame.model.mse && file.baselines[2].mse == frame.baselines[2].mse);
    assert_int_equal(file.steps, frame.steps);
    assert_string_equal(frame.run, "");
    predict_last(a, from_file), predict_last(b, from_frame);
    assert_memory_equal(from_file, from_frame, sizeof from_file);
    assert_string_equal(forecast_model_frequency(b), "h");
    forecast_model_free(a), forecast_model_free(b);
    forecast_result_free(&file), forecast_result_free(&frame);
}

/* Attributes of a frame's columns: the model's from a file, and a clone's and a copy's; long format is a file's. */
static void test_statics(void **state) {
    char            path[96];
    forecast_options o;
    tide_failure     failure = { 0 };
    forecast_model  *a, *b;
    double           first[PRED * COLUMNS], second[PRED * COLUMNS];
    (void)state;
    snprintf(path, sizeof path, "%s/stores.csv", folder);
    FILE *f = fopen(path, "w");
    fputs("name,type,size\nsouth,a,2\nflow,b,1\nnorth,a,7\n", f);
    fclose(f);
    options_of(&o, "epochs 1");
    *o.data = 0;
    set(&o, "static", path);
    forecast_trainer *t = open_on(&o, series, NULL, NULL);
    run(t, 0);
    no_failure(forecast_trainer_model(t, &a, &failure), &failure);
    bytes saved = model_of(t);
    forecast_trainer_free(t);
    assert_string_equal(forecast_model_attribute_name(a, 0), "type");
    assert_string_equal(forecast_model_attribute_name(a, 1), "size");
    assert_null(forecast_model_attribute_name(a, 2));
    assert_null(forecast_model_attribute_name(a, -1));
    assert_int_equal(remove(path), 0); /* the model keeps them */
    no_failure(forecast_model_load_memory(saved.data, saved.size, NULL, &b, &failure), &failure);
    predict_last(a, first), predict_last(b, second);
    assert_memory_equal(first, second, sizeof first);
    forecast_model_free(b);
    no_failure(forecast_model_clone(a, &b, &failure), &failure);
    predict_last(b, second);
    assert_memory_equal(first, second, sizeof first);
    forecast_model_free(a), forecast_model_free(b);
    tide_free(saved.data);
    *o.statics = 0;
    set(&o, "static-columns", "type");
    assert_int_equal(forecast_trainer_new(&o, series, NULL, NULL, &t, &failure), TIDE_EDATA);
    expect_has(failure.message, "long format");
    assert_null(t);
}

/* Begun with a run's parameters, and before the first step, it is that run, whose sizes need not be given. */
static void test_from(void **state) {
    forecast_options o, from;
    forecast_result  r = { 0 };
    tide_failure     failure = { 0 };
    forecast_model  *a, *b;
    double           parent[PRED * COLUMNS], child[PRED * COLUMNS];
    (void)state;
    options_of(&o, NULL);
    snprintf(o.out, sizeof o.out, "%s/parent", folder);
    no_failure(forecast_train(&o, NULL, NULL, &r, &failure), &failure);
    forecast_result_free(&r);
    forecast_options_default(&from);
    set_all(&from, "missing error freq h threads 1");
    set(&from, "from", o.out);
    forecast_trainer *t = open_on(&from, series, NULL, NULL);
    no_failure(forecast_model_load(o.out, NULL, &a, &failure), &failure);
    no_failure(forecast_trainer_model(t, &b, &failure), &failure);
    predict_last(a, parent), predict_last(b, child);
    assert_memory_equal(parent, child, sizeof parent);
    forecast_model_free(a), forecast_model_free(b);
    forecast_trainer_free(t);
}

/* ---- the fastest device ---- */

static int hear_choice(void *user, const forecast_event *e) {
    if (e->stage == FORECAST_STAGE_NOTE && !strncmp(e->message, "device auto: ", 13))
        snprintf(user, 200, "%s", e->message);
    return 0;
}

/* Where cpu is alone it is cpu's training; a handle is cpu's in any case. */
static void test_device_auto(void **state) {
    forecast_options  o;
    char              said[200] = "";
    (void)state;
    options_of(&o, "device auto");
    *o.data = 0;
    forecast_trainer *t = open_on(&o, series, hear_choice, said), *cpu = open_frame(NULL);
    assert_string_equal(said, "device auto: cpu, the only device here");
    run(t, 0), run(cpu, 0);
    bytes b = model_of(t);
    forecast_model *m;
    tide_failure    failure = { 0 };
    no_failure(forecast_model_load_memory(b.data, b.size, &o, &m, &failure), &failure);
    forecast_model_free(m);
    expect_same(b, model_of(cpu));
    forecast_trainer_free(t), forecast_trainer_free(cpu);
}

static void test_pieces(void **state) {
    (void)state;
    forecast_trainer *whole = open_frame(NULL), *pieces = open_frame("threads 1");
    run(whole, 0);
    forecast_training at = forecast_trainer_at(pieces);
    assert_true(at.step == 0 && at.epoch == 1 && at.epochs == 3 && !at.finished && isnan(at.val_loss));
    while (!forecast_trainer_at(pieces).finished) run(pieces, 7);
    at = forecast_trainer_at(pieces);
    assert_int_equal(at.step, forecast_trainer_at(whole).step);
    assert_true(at.best_epoch >= 1 && at.best_val_loss <= at.val_loss);
    expect_same(model_of(whole), model_of(pieces));
    run(pieces, 5); /* nothing is left */
    assert_int_equal(forecast_trainer_at(pieces).step, at.step);
    forecast_trainer_free(whole), forecast_trainer_free(pieces);
}

/* ---- stopping ---- */

static void *stop_soon(void *trainer) {
    forecast_trainer_cancel(trainer);
    return NULL;
}

static void test_cancel(void **state) {
    pthread_t    thread;
    tide_failure failure = { 0 };
    (void)state;
    forecast_trainer *whole = open_frame(NULL), *stopped = open_frame(NULL);
    run(whole, 0);
    int times = 0;
    for (tide_status status = TIDE_ECANCELLED; status != TIDE_OK;) {
        if (times < 3) pthread_create(&thread, NULL, stop_soon, stopped);
        if (times == 0) pthread_join(thread, NULL); /* asked before the call: it stops at its first step */
        status = forecast_trainer_run(stopped, 0, &failure);
        if (times > 0 && times < 3) pthread_join(thread, NULL);
        if (status != TIDE_OK) assert_int_equal(status, TIDE_ECANCELLED);
        times++;
    }
    assert_true(times > 1 && forecast_trainer_at(stopped).finished);
    expect_same(model_of(whole), model_of(stopped));
    forecast_trainer_free(whole), forecast_trainer_free(stopped);
}

static int stop_at_third(void *user, const forecast_event *e) {
    int *steps = user;
    return e->stage == FORECAST_STAGE_STEP && ++*steps == 3;
}

static void test_stopped_by_progress(void **state) {
    forecast_options o;
    tide_failure     failure = { 0 };
    int              steps = 0;
    (void)state;
    options_of(&o, NULL);
    forecast_trainer *t = open_on(&o, NULL, stop_at_third, &steps);
    assert_int_equal(forecast_trainer_run(t, 0, &failure), TIDE_ECANCELLED);
    assert_int_equal(forecast_trainer_at(t).step, 3);
    forecast_trainer_free(t); /* in the middle */
}

/* ---- with a folder ---- */

static void test_resume(void **state) {
    forecast_options o;
    tide_failure     failure = { 0 };
    forecast_trainer *t;
    (void)state;
    options_of(&o, NULL);
    *o.data = 0;
    snprintf(o.out, sizeof o.out, "%s/resumed", folder);
    t = open_on(&o, series, NULL, NULL);
    run(t, 20);
    no_failure(forecast_trainer_save(t, &failure), &failure);
    forecast_trainer_free(t);
    set(&o, "resume", "must");
    tide_frame *other;
    const double *values = NULL;
    int64_t       stride;
    no_failure(tide_frame_new(ROWS, &other, &failure), &failure);
    for (int64_t c = 0; c < COLUMNS; c++) {
        values = tide_frame_values(series, c == 0 ? 1 : c, &stride);
        no_failure(tide_frame_add(other, tide_frame_name(series, c), values, stride, &failure), &failure);
    }
    no_failure(tide_frame_set_time(other, "date", tide_frame_time(series), &failure), &failure);
    assert_int_equal(forecast_trainer_new(&o, other, NULL, NULL, &t, &failure), TIDE_EINVAL);
    expect_has(failure.message, "another series than this frame");
    tide_frame_free(other);
    t = open_on(&o, series, NULL, NULL);
    assert_int_equal(forecast_trainer_at(t).step, 20);
    run(t, 0);
    forecast_trainer *whole = open_frame(NULL);
    run(whole, 0);
    expect_same(model_of(whole), model_of(t));
    forecast_trainer_free(t), forecast_trainer_free(whole);
    *o.out = 0;
    assert_int_equal(forecast_trainer_new(&o, series, NULL, NULL, &t, &failure), TIDE_EINVAL);
    expect_has(failure.message, "`resume` needs `out`");
}

/* ---- what comes of it ---- */

static void test_score(void **state) {
    forecast_result r = { 0 };
    tide_failure    failure = { 0 };
    (void)state;
    forecast_trainer *t = open_frame(NULL);
    assert_int_equal(forecast_trainer_score(t, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, "nothing was learned yet");
    run(t, 5); /* of 16 or so: the epoch is judged as far as it came */
    no_failure(forecast_trainer_score(t, &r, &failure), &failure);
    assert_true(r.model.present && isfinite(r.model.mse) && r.epochs == 1 && r.steps == 5);
    expect_has(r.json, "\"mse\"");
    forecast_result_free(&r);
    assert_int_equal(forecast_trainer_score(t, &r, &failure), TIDE_EINVAL);
    run(t, 5);
    assert_int_equal(forecast_trainer_at(t).step, 5);
    forecast_trainer_free(t);
}

/* Scoring is stopped the first time; what the step held is free by then. */
static int stop_scoring(void *user, const forecast_event *e) {
    bool stop = e->stage == FORECAST_STAGE_SCORE && !*(bool *)user;
    *(bool *)user |= stop;
    return stop;
}

static void test_step_is_given_back(void **state) {
    forecast_options o;
    forecast_result  whole = { 0 }, again = { 0 };
    tide_failure     failure = { 0 };
    bool             stopped = false;
    (void)state;
    options_of(&o, NULL);
    *o.data = 0;
    forecast_trainer *once = open_frame(NULL), *t = open_on(&o, series, stop_scoring, &stopped);
    run(once, 0), run(t, 0);
    no_failure(forecast_trainer_score(once, &whole, &failure), &failure);
    assert_true(t->step.program && t->validate.program);
    assert_int_equal(forecast_trainer_score(t, &again, &failure), TIDE_ECANCELLED);
    assert_true(stopped && !t->step.program && !t->validate.program);
    forecast_result_free(&again);
    run(t, 0); /* learned already */
    no_failure(forecast_trainer_score(t, &again, &failure), &failure);
    assert_true(again.model.mse == whole.model.mse && again.steps == whole.steps);
    forecast_result_free(&whole);
    forecast_result_free(&again);
    forecast_trainer_free(once);
    forecast_trainer_free(t);
}

static int stop_in_refit(void *user, const forecast_event *e) {
    bool *scored = user;
    if (e->stage == FORECAST_STAGE_SCORE) *scored = true;
    return *scored && e->stage == FORECAST_STAGE_STEP;
}

/* ---- a pass over many windows of validation ---- */

static int stop_validating(void *user, const forecast_event *e) {
    bool *stopped = user, now = e->stage == FORECAST_STAGE_VALIDATE && e->batch < e->batches && !*stopped;
    *stopped |= now;
    return now;
}

/* Stopped in the middle of it, with a checkpoint from which the pass is made again. */
static void test_stopped_validating(void **state) {
    enum { MANY = 8000 };
    forecast_options o;
    tide_failure     failure = { 0 };
    char             path[96];
    bool             stopped = false;
    (void)state;
    snprintf(path, sizeof path, "%s/long.csv", folder);
    write_series(path, MANY);
    options_of(&o, "arch patchtst d-model 64 d-ff 256 e-layers 4 val 7600 test 100 epochs 2 missing linear");
    set(&o, "data", path);
    forecast_trainer *whole = open_on(&o, NULL, NULL, NULL);
    run(whole, 0);
    snprintf(path, sizeof path, "%s/validating", folder);
    set(&o, "out", path);
    forecast_trainer *t = open_on(&o, NULL, stop_validating, &stopped);
    assert_int_equal(forecast_trainer_run(t, 0, &failure), TIDE_ECANCELLED);
    assert_true(stopped);
    expect_has(failure.message, "resumes there");
    forecast_trainer_free(t);
    set(&o, "resume", "must");
    t = open_on(&o, NULL, stop_validating, &stopped);
    run(t, 0);
    expect_same(model_of(whole), model_of(t));
    forecast_trainer_free(whole), forecast_trainer_free(t);
}

static void test_refit(void **state) {
    forecast_options o;
    forecast_result  r = { 0 };
    tide_failure     failure = { 0 };
    bool             scored = false;
    (void)state;
    options_of(&o, "refit yes");
    *o.data = 0;
    forecast_trainer *t = open_on(&o, series, stop_in_refit, &scored);
    run(t, 0);
    assert_int_equal(forecast_trainer_score(t, &r, &failure), TIDE_ECANCELLED);
    expect_has(failure.message, "the one that was scored");
    forecast_result_free(&r);
    forecast_trainer *plain = open_frame(NULL), *whole = open_frame("refit yes");
    run(plain, 0), run(whole, 0);
    no_failure(forecast_trainer_score(plain, &r, &failure), &failure);
    forecast_result_free(&r);
    expect_same(model_of(plain), model_of(t));
    no_failure(forecast_trainer_score(whole, &r, &failure), &failure);
    assert_true(r.refit);
    forecast_result_free(&r);
    bytes a = model_of(plain), b = model_of(whole);
    assert_true(a.size != b.size || memcmp(a.data, b.data, a.size) != 0);
    tide_free(a.data), tide_free(b.data);
    forecast_trainer_free(t), forecast_trainer_free(plain), forecast_trainer_free(whole);
}

static void test_model_midway(void **state) {
    forecast_model *m;
    tide_failure    failure = { 0 };
    double          future[PRED * COLUMNS], again[PRED * COLUMNS];
    (void)state;
    forecast_trainer *t = open_frame(NULL);
    no_failure(forecast_trainer_model(t, &m, &failure), &failure); /* untrained */
    predict_last(m, future);
    run(t, 4);
    predict_last(m, again);
    assert_memory_equal(future, again, sizeof future); /* a handle of its own */
    forecast_model_free(m);
    no_failure(forecast_trainer_model(t, &m, &failure), &failure);
    forecast_trainer_free(t);
    predict_last(m, again);
    assert_memory_not_equal(future, again, sizeof future);
    forecast_model_free(m);
}

/* ---- frames that are no series, or need care ---- */

typedef struct made { double a[ROWS], b[ROWS]; int64_t time[ROWS]; } made;

static made sound_rows(void) {
    made m;
    for (int i = 0; i < ROWS; i++) {
        m.a[i] = sin(i * 0.3), m.b[i] = cos(i * 0.2) + 0.01 * i;
        m.time[i] = 1704067200 + 86400 * (int64_t)i;
    }
    return m;
}

static tide_frame *frame_of(const made *m, int64_t rows, bool time) {
    tide_frame  *f;
    tide_failure failure = { 0 };
    no_failure(tide_frame_new(rows, &f, &failure), &failure);
    no_failure(tide_frame_add(f, "a", m->a, 1, &failure), &failure);
    no_failure(tide_frame_add(f, "b", m->b, 1, &failure), &failure);
    if (time) no_failure(tide_frame_set_time(f, NULL, m->time, &failure), &failure);
    return f;
}

static void expect_refused(const made *m, int64_t rows, const char *words, const char *message, int64_t row) {
    forecast_options  o;
    forecast_trainer *t;
    tide_failure      failure = { 0 };
    tide_frame       *f = frame_of(m, rows, true);
    options_of(&o, words);
    *o.data = *o.freq = 0;
    tide_status status = forecast_trainer_new(&o, f, NULL, NULL, &t, &failure);
    if (status != TIDE_EDATA && status != TIDE_EINVAL) fail_msg("\"%s\" was not refused", message);
    expect_has(failure.message, message);
    assert_int_equal(failure.row, row);
    assert_null(t);
    tide_frame_free(f);
}

static void test_refusals(void **state) {
    (void)state;
    made m = sound_rows();
    m.b[70] = (double)NAN;
    expect_refused(&m, ROWS, NULL, "empty or NaN cells: 1", 71);
    m.b[70] = (double)INFINITY;
    expect_refused(&m, ROWS, "missing linear", "infinity", 71);
    m.b[70] = 1e31;
    expect_refused(&m, ROWS, NULL, "too large", 71);
    m = sound_rows();
    m.time[50] = m.time[40] - 1;
    expect_refused(&m, ROWS, NULL, "time runs backwards", 51);
    for (int i = 0; i < ROWS; i++) m.time[i] = 86400 * (int64_t)(i / 2);
    expect_refused(&m, ROWS, NULL, "stand more than once", 0);
    m = sound_rows();
    m.time[ROWS - 1] = INT64_MAX;
    expect_refused(&m, ROWS, NULL, "seconds since 1970", ROWS);
    m = sound_rows();
    expect_refused(&m, 20, NULL, "fewer than one window", 0);
    expect_refused(&m, ROWS, "target c", "there is no column 'c'", 0);
    m.time[200] += 3 * 86400;
    expect_refused(&m, 201, "strict-dates yes", "first at row 201", 201);
}

static int note(void *user, const forecast_event *e) {
    char *all = user;
    if (e->stage == FORECAST_STAGE_WARNING) strncat(all, e->message, 2000 - strlen(all));
    return 0;
}

/* Gaps, marks, rows in any order, a choice of columns, no time axis. */
static void test_care(void **state) {
    forecast_options o;
    char             told[2048] = "";
    (void)state;
    made m = sound_rows(), turned = m;
    m.a[100] = (double)NAN, m.b[ROWS - 1] = -999;
    for (int i = 0; i < ROWS; i++)
        turned.a[i] = m.a[ROWS - 1 - i], turned.b[i] = m.b[ROWS - 1 - i], turned.time[i] = m.time[ROWS - 1 - i];
    tide_frame *f = frame_of(&m, ROWS, true), *back = frame_of(&turned, ROWS, true), *bare = frame_of(&m, ROWS, false);
    options_of(&o, "missing linear na -999 target a epochs 1");
    *o.data = *o.freq = 0;
    forecast_trainer *t = open_on(&o, f, note, told);
    expect_has(told, "missing cells: 2");
    expect_has(told, "end the frame before row 400");
    run(t, 0);
    set(&o, "sort", "yes");
    forecast_trainer *sorted = open_on(&o, back, NULL, NULL);
    run(sorted, 0);
    forecast_model *a, *b;
    tide_failure    failure = { 0 };
    no_failure(forecast_trainer_model(t, &a, &failure), &failure);
    no_failure(forecast_trainer_model(sorted, &b, &failure), &failure);
    assert_string_equal(forecast_model_column_name(a, 1), "a"); /* the target is the last */
    assert_true(forecast_model_needs_time(a));
    made past = sound_rows();
    tide_frame *whole = frame_of(&past, ROWS, true);
    double      x[2 * PRED], y[2 * PRED];
    no_failure(forecast_model_predict_frame(a, whole, x, &failure), &failure);
    no_failure(forecast_model_predict_frame(b, whole, y, &failure), &failure);
    assert_memory_equal(x, y, sizeof x);
    forecast_model_free(a), forecast_model_free(b);
    forecast_trainer_free(t), forecast_trainer_free(sorted);
    set(&o, "columns", "a");
    t = open_on(&o, bare, NULL, NULL);
    run(t, 0);
    no_failure(forecast_trainer_model(t, &a, &failure), &failure);
    assert_int_equal(forecast_model_columns(a), 1);
    assert_false(forecast_model_needs_time(a));
    forecast_model_free(a);
    forecast_trainer_free(t);
    tide_frame_free(f), tide_frame_free(back), tide_frame_free(bare), tide_frame_free(whole);
}

static void test_two_series(void **state) {
    forecast_options  o;
    forecast_trainer *t;
    tide_failure      failure = { 0 };
    double            seconds[ROWS];
    (void)state;
    options_of(&o, NULL);
    assert_int_equal(forecast_trainer_new(&o, series, NULL, NULL, &t, &failure), TIDE_EINVAL);
    expect_has(failure.message, "there are two series");
    *o.data = 0;
    assert_int_equal(forecast_trainer_new(&o, NULL, NULL, NULL, &t, &failure), TIDE_EINVAL);
    made        m = sound_rows();
    tide_frame *f = frame_of(&m, ROWS, false);
    for (int i = 0; i < ROWS; i++) seconds[i] = i * 0.25;
    no_failure(tide_frame_set_time_real(f, "t", seconds, &failure), &failure);
    assert_int_equal(forecast_trainer_new(&o, f, NULL, NULL, &t, &failure), TIDE_EDATA);
    expect_has(failure.message, "not in whole seconds");
    tide_frame_free(f);
}

/* ---- several devices ---- */

static bytes learned(const char *words, int64_t first) {
    forecast_trainer *t = open_frame(words);
    if (first) run(t, first);
    run(t, 0);
    bytes b = model_of(t);
    forecast_trainer_free(t);
    return b;
}

/* The bits of one device with as many parts, however the run is cut into pieces. */
static void test_devices(void **state) {
    (void)state;
    expect_same(learned("accumulate 2", 0), learned("device cpu,cpu", 7));
    expect_same(learned("accumulate 4", 0), learned("device cpu,cpu accumulate 4", 0));
    expect_same(learned("batch-size 24 device ref accumulate 3", 0), learned("batch-size 24 device ref,ref,ref", 5));
}

static int cancels_at_7(void *user, const forecast_event *event) {
    if (event->stage == FORECAST_STAGE_STEP && event->step == 7) forecast_trainer_cancel(*(forecast_trainer **)user);
    return 0;
}

/* Rank 0's handle stops all, and all go on; one alone may be freed in the middle. */
static void test_devices_cancelled(void **state) {
    forecast_options  o;
    forecast_trainer *t;
    tide_failure      failure = { 0 };
    forecast_result   r       = { 0 };
    (void)state;
    options_of(&o, "device cpu,cpu");
    *o.data = 0;
    t = open_on(&o, series, cancels_at_7, &t);
    assert_int_equal(forecast_trainer_run(t, 0, &failure), TIDE_ECANCELLED);
    assert_in_range(forecast_trainer_at(t).step, 7, 9);
    run(t, 0);
    expect_same(model_of(t), learned("accumulate 2", 0));
    no_failure(forecast_trainer_score(t, &r, &failure), &failure);
    forecast_result_free(&r);
    forecast_trainer_free(t);
    t = open_frame("device cpu,cpu");
    run(t, 3);
    forecast_trainer_free(t);
}

static void test_devices_refused(void **state) {
    static const struct { const char *words, *why; tide_status status; } cases[] = {
        { "device cpu,ref", "several kinds", TIDE_EINVAL },
        { "device cpu,", "an empty place", TIDE_EINVAL },
        { "device auto,auto", "'auto' in a list", TIDE_EINVAL },
        { "device cuda:1-0", "ends before it begins", TIDE_EINVAL },
        { "device cuda:0-x", "no number", TIDE_EINVAL },
        { "device cuda:0,,2", "an empty place", TIDE_EINVAL },
        { "device none,none", "unknown device 'none'", TIDE_EDEVICE },
        { "device cpu,cpu,cpu batch-size 8", "is not 3 equal parts", TIDE_EINVAL },
        { "device cpu,cpu arch auto", "several networks", TIDE_EINVAL },
        { "device cpu,cpu arch linear", "closed form", TIDE_EINVAL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forecast_options  o;
        forecast_trainer *t;
        tide_failure      failure = { 0 };
        options_of(&o, cases[i].words);
        *o.data = 0;
        assert_int_equal(forecast_trainer_new(&o, series, NULL, NULL, &t, &failure), cases[i].status);
        expect_has(failure.message, cases[i].why);
        assert_null(t);
    }
    assert_int_equal(tide_device_info("cuda:0-1", NULL, NULL), TIDE_EDEVICE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_as_file), cmocka_unit_test(test_device_auto),
        cmocka_unit_test(test_statics),
        cmocka_unit_test(test_pieces),        cmocka_unit_test(test_from),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_stopped_by_progress), cmocka_unit_test(test_resume),
        cmocka_unit_test(test_score),         cmocka_unit_test(test_stopped_validating),
        cmocka_unit_test(test_step_is_given_back),
        cmocka_unit_test(test_refit),         cmocka_unit_test(test_model_midway),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_care),
        cmocka_unit_test(test_two_series),
        cmocka_unit_test(test_devices),       cmocka_unit_test(test_devices_cancelled),
        cmocka_unit_test(test_devices_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
