#include "fuzz_forecast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void set(forecast_options *o, const char *name, const char *text) {
    tide_failure failure = { 0 };
    forecast_option_set(o, name, text, &failure);
    fuzz_require(failure.status == TIDE_OK, name, &failure);
}

static void write_series(const char *path) {
    FILE *f = fopen(path, "w");
    if (!f) abort();
    fputs("date,north,south\n", f);
    for (int i = 0; i < 60; i++)
        fprintf(f, "2024-%02d-%02d,%.4f,%.4f\n", 1 + i / 28, 1 + i % 28, sin(i * 0.5), 3 * cos(i * 0.4));
    fclose(f);
}

void fuzz_train_options(forecast_options *o) {
    static const char *const words[][2] = { { "seq-len", "6" }, { "pred-len", "3" }, { "d-model", "4" },
                                            { "d-ff", "4" }, { "n-heads", "2" },
                                            { "e-layers", "1" }, { "batch-size", "16" }, { "epochs", "2" },
                                            { "learning-rate", "0.001" },
                                            { "patience", "0" }, { "threads", "1" } };
    forecast_options_default(o);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) set(o, words[i][0], words[i][1]);
    set(o, "data", fuzz_path("series.csv"));
    set(o, "out", fuzz_path("run"));
}

static int stop_after_epoch(void *user, const forecast_event *event) {
    (void)user;
    return event->stage == FORECAST_STAGE_EPOCH;
}

void fuzz_train(bool stop) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    write_series(fuzz_path("series.csv"));
    fuzz_train_options(&o);
    tide_status status = forecast_train(&o, stop ? stop_after_epoch : NULL, NULL, &r, &failure);
    fuzz_require(status == (stop ? TIDE_ECANCELLED : TIDE_OK), "the run to start from", &failure);
    forecast_result_free(&r);
}
