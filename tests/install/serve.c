/* A server's core: a model is trained from arrays, travels through memory, and eight threads answer with clones of it
 * at once. Prints "served" when all answers are the same to the bit. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/forecast.h>

enum { THREADS = 8, WINDOWS = 40, ROWS = 480, COLUMNS = 2, SEQ = 24, PRED = 6 };

static double  values[ROWS * COLUMNS];
static int64_t times[ROWS];

typedef struct worker {
    forecast_model *model;
    const double   *past;
    const int64_t  *time_s;
    double          future[WINDOWS * PRED * COLUMNS];
    tide_status     status;
} worker;

static void *serve(void *data) {
    worker *w = data;
    for (int i = 0; i < 3 && w->status == TIDE_OK; i++)
        w->status = forecast_model_predict(w->model, WINDOWS, w->past, w->time_s, w->future, NULL);
    forecast_model_free(w->model);
    return NULL;
}

static int refuse(const char *what, const tide_failure *why) {
    fprintf(stderr, "%s: %s\n", what, why->message);
    return 1;
}

/* Two columns of a table of the caller's, borrowed. */
static tide_status make_frame(tide_frame **frame, tide_failure *why) {
    for (int i = 0; i < ROWS; i++) {
        values[i * COLUMNS] = sin(i * 0.26), values[i * COLUMNS + 1] = cos(i * 0.26) + 0.1 * sin(i * 0.9);
        times[i] = 1704067200 + 3600 * (int64_t)i;
    }
    tide_status status = tide_frame_new(ROWS, frame, why);
    if (status == TIDE_OK) status = tide_frame_borrow(*frame, "level", values, COLUMNS, why);
    if (status == TIDE_OK) status = tide_frame_borrow(*frame, "flow", values + 1, COLUMNS, why);
    return status == TIDE_OK ? tide_frame_set_time(*frame, "time", times, why) : status;
}

static tide_status train(const tide_frame *frame, void **bytes, size_t *size, tide_failure *why) {
    forecast_options *o       = forecast_options_new();
    forecast_trainer *trainer = NULL;
    forecast_model   *model   = NULL;
    static const char *const settings[][2] = {
        { "seq-len", "24" }, { "pred-len", "6" },  { "d-model", "16" }, { "d-ff", "16" },
        { "n-heads", "2" },  { "e-layers", "1" },  { "epochs", "2" },
    };
    tide_status status = o ? TIDE_OK : TIDE_ENOMEM;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && status == TIDE_OK; i++)
        status = forecast_option_set(o, settings[i][0], settings[i][1], why);
    if (status == TIDE_OK) status = forecast_trainer_new(o, frame, NULL, NULL, &trainer, why);
    while (status == TIDE_OK && !forecast_trainer_at(trainer).finished) status = forecast_trainer_run(trainer, 10, why);
    if (status == TIDE_OK) status = forecast_trainer_model(trainer, &model, why);
    if (status == TIDE_OK) status = forecast_model_save_memory(model, bytes, size, why);
    forecast_model_free(model);
    forecast_trainer_free(trainer);
    forecast_options_free(o);
    return status;
}

int main(void) {
    tide_failure    why = { 0 };
    tide_frame     *frame = NULL;
    forecast_model *model;
    pthread_t       threads[THREADS];
    static worker   workers[THREADS], alone;
    static double   past[WINDOWS * SEQ * COLUMNS];
    static int64_t  time_s[WINDOWS * SEQ];
    void           *bytes;
    size_t          size;
    if (strcmp(tide_version(), TIDE_VERSION) != 0) return 2;
    if (make_frame(&frame, &why)) return refuse("frame", &why);
    if (train(frame, &bytes, &size, &why)) return refuse("train", &why);
    tide_frame_free(frame);
    if (forecast_model_load_memory(bytes, size, NULL, &model, &why)) return refuse("load from memory", &why);
    tide_free(bytes);
    for (int w = 0; w < WINDOWS; w++) { /* in the frame's order: the target, by default the last column, stands last */
        memcpy(past + w * SEQ * COLUMNS, values + w * COLUMNS, SEQ * COLUMNS * sizeof *past);
        memcpy(time_s + w * SEQ, times + w, SEQ * sizeof *time_s);
    }
    if (forecast_model_predict(model, WINDOWS, past, time_s, alone.future, &why)) return refuse("predict", &why);
    for (int i = 0; i < THREADS; i++) {
        workers[i].past = past, workers[i].time_s = time_s;
        if (forecast_model_clone(model, &workers[i].model, &why)) return refuse("clone", &why);
    }
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, serve, &workers[i]);
    forecast_model_free(model);
    int differ = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        differ += workers[i].status != TIDE_OK || memcmp(workers[i].future, alone.future, sizeof alone.future) != 0;
    }
    if (differ) return fprintf(stderr, "%d answers differ\n", differ), 1;
    puts("served");
    return 0;
}
