/* A tiny model trained through src/train: a map of 16 features with dropout, on made-up samples. */
#ifndef TEST_TINY_H
#define TEST_TINY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/tidemill.h>
#include <unistd.h>

#include "train/fit.h"
#include "train/schedule.h"
#include "../folder.h"

enum { SAMPLES = 96, BATCH = 24, BATCHES = SAMPLES / BATCH, FEATURES = 16, EPOCHS = 5 };

/* What goes wrong: one of these, at its call number `at`, from 0. */
typedef enum tiny_place { FAULT_NONE, FAULT_ENTER, FAULT_BATCH, FAULT_VALIDATE, FAULT_SAVE } tiny_place;
typedef struct tiny_fault { tiny_place place; tide_status status; int64_t at; } tiny_fault;

typedef struct tiny {
    tide_graph     *graph;
    train_step      step;
    tide_program   *validate_program;
    tide_val        index, validate_loss;
    int32_t         order[SAMPLES];
    const double   *val_losses;            /* told instead of the real ones; NULL */
    useconds_t      nap_us;                /* before each batch */
    train_schedule  schedule;
    int64_t         saves, events, epochs; /* counted */
    double          last_rate;
    int64_t         stop_at;               /* step; 0: never */
    bool            stop_at_epoch;         /* when it is closed */
    bool            divides;               /* validation, among ranks */
    tiny_fault      fault;
    uint64_t        figures;               /* of what was told, mixed */
    run_folder      folder;
    fit            *fit;
} tiny;

/* ---- the model ---- */

static tide_status fault_at(tiny *t, tiny_place place, tide_failure *failure) {
    if (t->fault.place != place || t->fault.at-- != 0) return TIDE_OK;
    if (failure) failure->status = t->fault.status, snprintf(failure->message, sizeof failure->message, "made to fail");
    return t->fault.status;
}

static double rate(void *user, const fit_place *at) {
    tiny *t = user;
    return t->last_rate = schedule_rate(t->schedule, 0.01, at->epoch, at->epochs);
}

static tide_status enter(void *user, const fit_place *at, tide_failure *failure) {
    tiny *t = user;
    schedule_shuffle(t->order, SAMPLES, 3, at->epoch);
    return fault_at(t, FAULT_ENTER, failure);
}

static tide_status batch(void *user, const fit_place *at, train_feed *feeds, int *count, tide_failure *failure) {
    tiny *t = user;
    if (t->nap_us) usleep(t->nap_us);
    feeds[0] = (train_feed){ t->index, t->order + at->batch * BATCH, false };
    *count   = 1;
    return fault_at(t, FAULT_BATCH, failure);
}

static tide_status validate(void *user, const fit_place *at, double row[FIT_VALUES], tide_failure *failure) {
    tiny *t    = user;
    float loss = 0;
    tide_status status = tide_run(t->validate_program, NULL, 0);
    if (status == TIDE_OK) status = tide_read(t->validate_loss, &loss, sizeof loss);
    row[FIT_VAL_LOSS] = t->val_losses ? t->val_losses[at->epoch - 1] : (double)loss;
    row[FIT_VAL_METRIC] = (double)at->epoch;
    return status == TIDE_OK ? fault_at(t, FAULT_VALIDATE, failure) : status;
}

static tide_status save(void *user, const tide_snapshot_t *best, tide_failure *failure) {
    tiny *t = user;
    assert_non_null(best);
    t->saves++;
    return fault_at(t, FAULT_SAVE, failure);
}

static uint64_t mix(uint64_t hash, const void *data, size_t bytes) {
    for (const unsigned char *b = data; bytes; bytes--) hash = (hash ^ *b++) * 1099511628211u;
    return hash;
}

static int hear(void *user, const fit_event *e) {
    tiny *t = user;
    t->figures = mix(t->figures, &e->loss, sizeof e->loss);
    t->figures = mix(mix(t->figures, &e->metric, sizeof e->metric), &e->grad_norm, sizeof e->grad_norm);
    t->events += !e->row, t->epochs += e->row != NULL;
    if (!isfinite(e->mean_loss) || e->rss_mib <= 0 || e->seconds < 0) fail_msg("an event without numbers");
    return e->row ? t->stop_at_epoch : t->stop_at && e->at.step == t->stop_at;
}

static tide_val table(tide_graph *g, int columns, double scale) {
    float *data = malloc(sizeof *data * SAMPLES * (size_t)columns);
    for (int i = 0; i < SAMPLES * columns; i++) data[i] = (float)(scale * sin(1.7 * i + 0.3 * (i % 7)));
    tide_val v = tide_constant(g, TIDE_F32, TIDE_SHAPE(SAMPLES, columns), data);
    free(data);
    return v;
}

/* y = relu(x W) v with dropout; the loss is a mean over the batch, the metric the mean of the predictions. */
static inline void open_model(tiny *t, train_rule rule, const char *device) {
    tide_failure failure = { 0 };
    *t = (tiny){ .folder = { .lock = -1 }, .schedule = TRAIN_LR_COSINE };
    assert_int_equal(train_graph_new(&(train_graph){ .device = device, .threads = 1, .seed = 5 }, &t->graph, &failure),
                     TIDE_OK);
    tide_graph *g = t->graph;
    tide_val x = table(g, FEATURES, 1), y = table(g, 1, 3);
    tide_linear first = tide_linear_new(g, "first", FEATURES, 64), second = tide_linear_new(g, "second", 64, 1);
    train_step_begin(&t->step, g, tide_params(g, ""), BATCH, &rule);
    t->index       = tide_input(g, "index", TIDE_I32, TIDE_SHAPE(t->step.samples));
    tide_val h     = tide_relu(tide_linear_apply(&first, tide_gather(x, 0, t->index)));
    tide_val guess = tide_linear_apply(&second, tide_dropout(h, 0.2, TIDE_TRAIN));
    tide_val error = tide_square(tide_sub(guess, tide_gather(y, 0, t->index)));
    train_loss loss = { .numerator = tide_mul_scalar(tide_sum(error, TIDE_ALL), 1.0 / BATCH),
                        .metric    = tide_mul_scalar(tide_sum(guess, TIDE_ALL), 1.0 / BATCH) };
    if (train_step_end(&t->step, loss, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    tide_val all        = tide_linear_apply(&second, tide_relu(tide_linear_apply(&first, x)));
    t->validate_loss    = tide_mse(all, y);
    t->validate_program = tide_compile(TIDE_LIST(t->validate_loss), NULL);
}

static const train_rule plain = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01, .grad_clip = 1 };
static const fit_plan   five  = { .batches = BATCHES, .epochs = EPOCHS, .resume = "`resume` auto" };

static inline tide_status open_fit(tiny *t, const fit_plan *plan, tide_failure *failure) {
    static const fit_column columns[] = { { "epoch", FIT_EPOCH },         { "loss", FIT_TRAIN_LOSS },
                                          { "val", FIT_VAL_LOSS },        { "guess", FIT_TRAIN_METRIC },
                                          { "possible", FIT_POSSIBLE } };
    const fit_model model = { t, &t->step, rate, enter, batch, validate, t->divides, save, columns, 5 };
    return fit_new(&model, plan, t->folder.lock >= 0 ? &t->folder : NULL, hear, t, &t->fit, failure);
}

/* The run folder NAME, which is resumed if it is there. */
static inline void open_run_folder(tiny *t, const char *name) {
    static const char *const none[] = { NULL };
    char         path[128];
    tide_failure failure = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (run_folder_open(path, run_folder_present(path), false, none, none, &t->folder, &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
    json_t *empty = json_object();
    if (!t->folder.resuming) assert_int_equal(run_json_write(&t->folder, empty, &failure), TIDE_OK);
    json_decref(empty);
}

static inline void close_tiny(tiny *t) {
    fit_free(t->fit);
    if (t->folder.lock >= 0) run_folder_close(&t->folder);
    train_step_free(&t->step);
    tide_graph_free(t->graph);
}

static inline uint64_t bits_of(const tiny *t) {
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < t->step.params.count; i++) {
        tide_val v = t->step.params.items[i];
        hash       = mix(hash, tide_data(v), sizeof(float) * (size_t)tide_shape_count(tide_shape_of(v)));
    }
    return hash;
}

#endif
