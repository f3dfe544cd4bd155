/* A trained forecaster as a handle: what the handle costs over its program, and what many windows at once gain over one
 * by one. Arguments: the run's folder, threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tidemill/forecast.h>

#include "forecast/saved/handle.h"

enum { WINDOWS = 1000, SINGLE_ROUNDS = 4000, ROUNDS = 7 };

typedef struct windows {
    forecast_model *model;
    int64_t  rows, ahead, columns;
    double  *past, *future;
    int64_t *time_s;
} windows;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Hourly windows of waves, each an hour after the one before. */
static void make(windows *w) {
    w->rows = forecast_model_seq_len(w->model), w->ahead = forecast_model_pred_len(w->model);
    w->columns = forecast_model_columns(w->model);
    w->past    = malloc((size_t)(WINDOWS * w->rows * w->columns) * sizeof *w->past);
    w->future  = malloc((size_t)(WINDOWS * w->ahead * w->columns) * sizeof *w->future);
    w->time_s  = malloc((size_t)(WINDOWS * w->rows) * sizeof *w->time_s);
    for (int64_t i = 0; i < WINDOWS * w->rows; i++) {
        int64_t hour = i / w->rows + i % w->rows;
        w->time_s[i] = 1467331200 + 3600 * hour;
        for (int64_t c = 0; c < w->columns; c++)
            w->past[i * w->columns + c] = 5 * sin((double)hour * 0.26 + (double)c) + (double)c;
    }
}

static void predict(const windows *w, int64_t first, int64_t count) {
    tide_failure failure = { 0 };
    tide_status  status  = forecast_model_predict(w->model, count, w->past + first * w->rows * w->columns,
                                                  w->time_s + first * w->rows,
                                                  w->future + first * w->ahead * w->columns, &failure);
    if (status == TIDE_OK) return;
    puts(failure.message);
    exit(1);
}

static void measure_single(const windows *w) {
    float *scaled = calloc((size_t)(w->rows * w->columns), sizeof *scaled),
    *marks = calloc((size_t)w->rows * 8, sizeof *marks),
          *out    = malloc((size_t)(w->ahead * w->columns) * sizeof *out);
    double bare = 1, handle = 1;
    for (int i = 0; i < SINGLE_ROUNDS; i++) {
        double began = now();
        handle_forward(w->model, 1, (handle_windows){ scaled, marks, NULL }, out, NULL, NULL);
        double between = now();
        predict(w, 0, 1);
        double ended = now();
        bare = fmin(bare, between - began), handle = fmin(handle, ended - between);
    }
    printf("one window: program %.1f us, handle %.1f us, %+.1f us (least of %d)\n", 1e6 * bare, 1e6 * handle,
           1e6 * (handle - bare), SINGLE_ROUNDS);
    free(scaled), free(marks), free(out);
}

static void measure_many(const windows *w) {
    double single = 1e9, many = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double began = now();
        for (int64_t i = 0; i < WINDOWS; i++) predict(w, i, 1);
        double between = now();
        predict(w, 0, WINDOWS);
        double ended = now();
        single = fmin(single, between - began), many = fmin(many, ended - between);
    }
    printf("%d windows: one by one %.1f ms, at once %.1f ms, %.2f times the rate (least of %d)\n", WINDOWS,
           1e3 * single,
           1e3 * many, single / many, ROUNDS);
}

int main(int argc, char **argv) {
    if (argc < 3) return puts("usage: bench_handle RUN THREADS"), 2;
    forecast_options o;
    tide_failure     failure = { 0 };
    windows          w = { 0 };
    forecast_options_default(&o);
    o.threads = atoi(argv[2]);
    if (forecast_model_load(argv[1], &o, &w.model, &failure) != TIDE_OK) return puts(failure.message), 1;
    make(&w);
    predict(&w, 0, WINDOWS);
    measure_single(&w);
    measure_many(&w);
    forecast_model_free(w.model);
    free(w.past), free(w.future), free(w.time_s);
    return 0;
}
