/* Scores, summed in double for every (step, column) apart, one window after the other: the bits do not depend on how
 * the windows were cut into batches. */
#include "score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one cell of the horizon has seen. */
typedef struct sums {
    double squared, absolute;       /* of errors */
    double relative, relative_squared;
    double symmetric, truth;        /* 2 |e| / (|p| + |y|); |y| */
    int64_t count, relative_count;  /* truths that are known, and those of them that are not near 0 */
} sums;

struct score {
    int64_t pred_len, columns, windows;
    sums   *cells;                  /* (pred_len, columns) */
    float  *last_prediction, *last_truth;  /* the window before */
    int64_t along, along_equal, across, across_equal;
    int64_t differences;            /* of the truth in each column; 0: as of windows in each row */
    int64_t truth_signs[3];         /* along the horizon: falling, level, rising */
};

score *score_new(int64_t pred_len, int64_t columns) {
    score *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    size_t cells = (size_t)(pred_len * columns);
    s->pred_len = pred_len;
    s->columns = columns;
    s->cells = calloc(cells, sizeof *s->cells);
    s->last_prediction = calloc(cells, sizeof *s->last_prediction);
    s->last_truth = calloc(cells, sizeof *s->last_truth);
    if (s->cells && s->last_prediction && s->last_truth) return s;
    score_free(s);
    return NULL;
}

void score_free(score *s) {
    if (!s) return;
    free(s->cells);
    free(s->last_prediction);
    free(s->last_truth);
    free(s);
}

static void add_cell(sums *c, double prediction, double truth) {
    double error = prediction - truth, size = fabs(error), scale = fabs(prediction) + fabs(truth);
    if (isnan(truth)) return;
    c->count++;
    c->squared += error * error;
    c->absolute += size;
    c->truth += fabs(truth);
    if (scale > 0) c->symmetric += 2 * size / scale;
    if (fabs(truth) > 1e-8) {
        double share = size / fabs(truth);
        c->relative += share;
        c->relative_squared += share * share;
        c->relative_count++;
    }
}

static int sign(float difference) { return (difference > 0) - (difference < 0); }

static void add_along(score *s, const float *prediction, const float *truth) {
    int64_t columns = s->columns, differences = (s->pred_len - 1) * columns;
    for (int64_t i = 0; i < differences; i++) {
        float difference = truth[i + columns] - truth[i];
        int   true_sign  = sign(difference);
        if (isnan(difference)) continue;
        s->along++;
        s->along_equal += sign(prediction[i + columns] - prediction[i]) == true_sign;
        s->truth_signs[true_sign + 1]++;
    }
}

static void add_across(score *s, const float *prediction, const float *truth) {
    int64_t cells = s->pred_len * s->columns;
    if (s->windows) {
        for (int64_t i = 0; i < cells; i++) {
            float difference = truth[i] - s->last_truth[i];
            if (isnan(difference)) continue;
            s->across++;
            s->across_equal += sign(prediction[i] - s->last_prediction[i]) == sign(difference);
        }
    }
    memcpy(s->last_prediction, prediction, (size_t)cells * sizeof *prediction);
    memcpy(s->last_truth, truth, (size_t)cells * sizeof *truth);
}

void score_add(score *s, const float *prediction, const float *truth, int64_t windows) {
    int64_t cells = s->pred_len * s->columns;
    for (int64_t w = 0; w < windows; w++, prediction += cells, truth += cells) {
        for (int64_t i = 0; i < cells; i++) add_cell(&s->cells[i], prediction[i], truth[i]);
        add_along(s, prediction, truth);
        add_across(s, prediction, truth);
        s->windows++;
    }
}

static double ratio(double a, double b) { return b > 0 ? a / b : (double)NAN; }

/* Wilson's interval for `share` of n trials at z = 1.96. */
static void wilson(double share, double n, double *low, double *high) {
    const double z = 1.959963984540054;
    double scale = 1 + z * z / n, centre = share + z * z / (2 * n);
    double half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *low = (centre - half) / scale;
    *high = (centre + half) / scale;
}

void score_differences(score *s, int64_t differences) { s->differences = differences; }

/* Windows that follow each other by one row share all but one of the true differences of their horizons. */
static double distinct_differences(const score *s) {
    return (double)((s->differences ? s->differences : s->windows + s->pred_len - 2) * s->columns);
}

static void add_directions(const score *s, score_result *r) {
    int64_t most = 0;
    for (int i = 0; i < 3; i++)
        if (s->truth_signs[i] > most) most = s->truth_signs[i];
    r->direction = ratio((double)s->along_equal, (double)s->along);
    r->direction_majority = ratio((double)most, (double)s->along);
    r->direction_across = ratio((double)s->across_equal, (double)s->across);
    r->direction_low = r->direction_high = (double)NAN;
    if (s->along) wilson(r->direction, distinct_differences(s), &r->direction_low, &r->direction_high);
}

score_result score_total(const score *s) {
    sums all = { 0 };
    int64_t cells = s->pred_len * s->columns;
    for (int64_t i = 0; i < cells; i++) {
        const sums *c = &s->cells[i];
        all.squared += c->squared;
        all.absolute += c->absolute;
        all.relative += c->relative;
        all.relative_squared += c->relative_squared;
        all.symmetric += c->symmetric;
        all.truth += c->truth;
        all.relative_count += c->relative_count;
        all.count += c->count;
    }
    double count = (double)all.count, relative_count = (double)all.relative_count;
    score_result r = {
        .windows = s->windows,
        .columns = s->columns,
        .mse = ratio(all.squared, count),
        .mae = ratio(all.absolute, count),
        .mape_left_out = all.count - all.relative_count,
        .mape = 100 * ratio(all.relative, relative_count),
        .mspe = 100 * ratio(all.relative_squared, relative_count),
        .smape = 100 * ratio(all.symmetric, count),
        .wape = 100 * ratio(all.absolute, all.truth),
    };
    r.rmse = sqrt(r.mse);
    add_directions(s, &r);
    return r;
}

/* Means over `count` cells that lie `stride` apart. */
static void mean_of(const sums *cells, int64_t count, int64_t stride, double *mse, double *mae) {
    double squared = 0, absolute = 0, n = 0;
    for (int64_t i = 0; i < count; i++) {
        squared += cells[i * stride].squared;
        absolute += cells[i * stride].absolute;
        n += (double)cells[i * stride].count;
    }
    if (mse) *mse = ratio(squared, n);
    if (mae) *mae = ratio(absolute, n);
}

void score_parts(const score *s, double *step_mse, double *step_mae, double *column_mse, double *column_mae) {
    for (int64_t i = 0; i < s->pred_len; i++)
        mean_of(s->cells + i * s->columns, s->columns, 1, step_mse ? step_mse + i : NULL,
                step_mae ? step_mae + i : NULL);
    for (int64_t c = 0; c < s->columns; c++)
        mean_of(s->cells + c, s->pred_len, s->columns, column_mse ? column_mse + c : NULL,
                column_mae ? column_mae + c : NULL);
}
