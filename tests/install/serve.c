/* A server's core: a trained run is loaded once, eight threads answer with clones of it at once, and the model travels
 * through memory. Arguments: a run of hourly rows. Prints "served" when all answers are the same to the bit. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/forecast.h>

enum { THREADS = 8, WINDOWS = 40 };

typedef struct worker {
    forecast_model *model;
    const double   *past;
    const int64_t  *time_s;
    double         *future;
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

int main(int argc, char **argv) {
    tide_failure    why = { 0 };
    forecast_model *model, *again;
    pthread_t       threads[THREADS];
    worker          workers[THREADS];
    void           *bytes;
    size_t          size;
    if (argc < 2 || strcmp(tide_version(), TIDE_VERSION) != 0) return 2;
    if (forecast_model_load(argv[1], NULL, &model, &why)) return refuse("load", &why);
    int64_t seq_len = forecast_model_seq_len(model), columns = forecast_model_columns(model);
    size_t answer = (size_t)(WINDOWS * forecast_model_pred_len(model) * forecast_model_targets(model)) * sizeof(double);
    double *past   = malloc((size_t)(WINDOWS * seq_len * columns) * sizeof *past), *want = malloc(answer);
    int64_t *time_s = malloc((size_t)(WINDOWS * seq_len) * sizeof *time_s);
    for (int64_t i = 0; i < WINDOWS * seq_len * columns; i++) past[i] = sin((double)i * 0.37);
    for (int64_t i = 0; i < WINDOWS * seq_len; i++) time_s[i] = 1704067200 + 3600 * (i % seq_len);
    if (forecast_model_predict(model, WINDOWS, past, time_s, want, &why)) return refuse("predict", &why);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){ NULL, past, time_s, malloc(answer), TIDE_OK };
        if (forecast_model_clone(model, &workers[i].model, &why)) return refuse("clone", &why);
    }
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, serve, &workers[i]);
    if (forecast_model_save_memory(model, &bytes, &size, &why)) return refuse("save", &why);
    forecast_model_free(model);
    int differ = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        differ += workers[i].status != TIDE_OK || memcmp(workers[i].future, want, answer) != 0;
    }
    if (forecast_model_load_memory(bytes, size, NULL, &again, &why)) return refuse("load from memory", &why);
    tide_free(bytes);
    if (forecast_model_predict(again, WINDOWS, past, time_s, workers[0].future, &why)) return refuse("predict", &why);
    differ += memcmp(workers[0].future, want, answer) != 0;
    forecast_model_free(again);
    for (int i = 0; i < THREADS; i++) free(workers[i].future);
    free(past), free(time_s), free(want);
    if (differ) return fprintf(stderr, "%d answers differ\n", differ), 1;
    puts("served");
    return 0;
}
