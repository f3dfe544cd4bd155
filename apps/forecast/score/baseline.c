/* Forecasts without a model, from a scaled window, each column by itself. */
#include "baseline.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

baseline *baseline_last_value(void) { return baseline_seasonal(1); }

baseline *baseline_seasonal(int64_t season) {
    baseline *b = calloc(1, sizeof *b);
    if (b) b->season = season;
    return b;
}

void baseline_free(baseline *b) {
    if (!b) return;
    free(b->weights);
    free(b);
}

int64_t season_default(time_step step) {
    static const int64_t per_day[] = { [UNIT_SECOND] = 86400, [UNIT_MINUTE] = 1440, [UNIT_HOUR] = 24 };
    static const int64_t cycle[UNIT_YEAR + 1] = {
        [UNIT_DAY] = 7, [UNIT_BUSINESS_DAY] = 5, [UNIT_WEEK] = 52, [UNIT_MONTH] = 12, [UNIT_QUARTER] = 4,
    };
    if (step.unit == UNIT_NONE || step.count < 1) return 0;
    if (step.sessions) return week_season(&step);
    int64_t units = step.unit <= UNIT_HOUR ? per_day[step.unit] : cycle[step.unit];
    return units % step.count ? 0 : units / step.count;
}

window_scale window_scale_of(const float *values, int64_t count, int64_t stride) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += values[i * stride];
    double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double d = values[i * stride] - mean;
        squares += d * d;
    }
    return (window_scale){ mean, sqrt(squares / (double)count + 1e-5) };
}

/* The last `season` rows over and over: a season longer than the window begins in the rows before it. */
static void predict_repeating(const float *window, int64_t seq_len, int64_t pred_len, int64_t columns, int64_t season,
                              float *out) {
    const float *cycle = window + (seq_len - season) * columns;
    for (int64_t s = 0; s < pred_len; s++)
        memcpy(out + s * columns, cycle + s % season * columns, (size_t)columns * sizeof *out);
}

enum { BLOCK = 64 };

/* mean + std (W (x - mean)/std + c) = mean + std c + W (x - mean), for `count` <= BLOCK steps of one column. */
static void predict_steps(const baseline *b, const float *column, int64_t columns, window_scale scale, int64_t first,
                          int64_t count, float *out) {
    float sum[BLOCK];
    const float *row = b->weights + b->seq_len * b->pred_len + first;
    for (int64_t s = 0; s < count; s++) sum[s] = (float)(scale.mean + scale.std * row[s]);
    for (int64_t l = 0; l < b->seq_len; l++) {
        float x = (float)(column[l * columns] - scale.mean);
        row = b->weights + l * b->pred_len + first;
        for (int64_t s = 0; s < count; s++) sum[s] += x * row[s];
    }
    for (int64_t s = 0; s < count; s++) out[(first + s) * columns] = sum[s];
}

static void predict_linear(const baseline *b, const float *window, int64_t columns, float *out) {
    for (int64_t c = 0; c < columns; c++) {
        window_scale scale = window_scale_of(window + c, b->seq_len, columns);
        for (int64_t s = 0; s < b->pred_len; s += BLOCK) {
            int64_t left = b->pred_len - s;
            predict_steps(b, window + c, columns, scale, s, left < BLOCK ? left : BLOCK, out + c);
        }
    }
}

void baseline_predict(const baseline *b, const float *window, int64_t seq_len, int64_t pred_len, int64_t columns,
                      float *out) {
    if (b->weights) {
        assert(seq_len == b->seq_len && pred_len == b->pred_len);
        predict_linear(b, window, columns, out);
        return;
    }
    predict_repeating(window, seq_len, pred_len, columns, b->season, out);
}
