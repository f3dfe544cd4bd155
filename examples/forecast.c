/* A forecaster without a file: trained on columns in memory, asked for what comes next. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/forecast.h>

enum { ROWS = 600, AHEAD = 12 };

static void check(tide_status status, const tide_failure *failure) {
    if (status == TIDE_OK) return;
    fprintf(stderr, "%s\n", failure->message);
    exit(1);
}

static double north_at(int i) { return 3 + sin(i * 0.5059) + 0.3 * sin(i * 0.2618); }
static double south_at(int i) { return 2 + 0.8 * sin((i - 3) * 0.5059); }

/* Hourly levels of two gauges; the second lags behind the first. */
static tide_frame *gauges(tide_failure *failure) {
    static double  north[ROWS], south[ROWS];
    static int64_t time_s[ROWS];
    tide_frame    *f;
    for (int i = 0; i < ROWS; i++) {
        time_s[i] = 1704067200 + 3600 * (int64_t)i; /* from 2024-01-01 00:00 on */
        north[i] = north_at(i), south[i] = south_at(i);
    }
    check(tide_frame_new(ROWS, &f, failure), failure);
    check(tide_frame_borrow(f, "north", north, 1, failure), failure);
    check(tide_frame_borrow(f, "south", south, 1, failure), failure);
    check(tide_frame_set_time(f, "time", time_s, failure), failure);
    return f;
}

int main(void) {
    tide_failure      failure;
    forecast_options  o;
    forecast_trainer *trainer;
    forecast_model   *model;
    double            future[AHEAD * 2], worst = 0;
    tide_frame       *series = gauges(&failure);

    forecast_options_default(&o); /* o.out is "": nothing is written */
    o.seq_len = 48, o.pred_len = AHEAD, o.d_model = o.d_ff = 32, o.n_heads = 4, o.epochs = 60;
    check(forecast_trainer_new(&o, series, NULL, NULL, &trainer, &failure), &failure);
    while (!forecast_trainer_at(trainer).finished) { /* 200 steps at a time, so that we can tell how it goes */
        check(forecast_trainer_run(trainer, 200, &failure), &failure);
        forecast_training at = forecast_trainer_at(trainer);
        printf("step %4" PRId64 " of %" PRId64 ": validation loss %.4f\n", at.step, at.steps, at.val_loss);
    }
    check(forecast_trainer_model(trainer, &model, &failure), &failure);
    forecast_trainer_free(trainer);

    check(forecast_model_predict_frame(model, series, future, &failure), &failure);
    for (int h = 0; h < AHEAD; h++) {
        printf("in %2d h: north %.2f, south %.2f\n", h + 1, future[2 * h], future[2 * h + 1]);
        worst = fmax(worst, fabs(future[2 * h] - north_at(ROWS + h)));
        worst = fmax(worst, fabs(future[2 * h + 1] - south_at(ROWS + h)));
    }
    forecast_model_free(model);
    tide_frame_free(series);
    return worst > 0.1; /* as far as it was from what came */
}
