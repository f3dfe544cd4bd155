/* From residuals to tables of quantiles. */
#include "conformal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "forecast/data/windows.h"

/* Newer residuals count for more: half the weight for each half of the windows. Of 1, 1/2 and 1/4 it lost least in
 * interval score on series that drift, and next to nothing on those that do not (bench/results/intervals.md). */
static const double HALF_LIFE = 0.5;

double residual_weight(int64_t i, int64_t kept) { return exp2(-(double)(kept - 1 - i) / (HALF_LIFE * (double)kept)); }

/* ---- one column at one step ---- */

typedef struct weighted { float value, weight; } weighted;

static int by_value(const void *a, const void *b) {
    float x = ((const weighted *)a)->value, y = ((const weighted *)b)->value;
    return (x > y) - (x < y);
}

/* The finite ones of `kept` values in the order of time, with their weights; how many. */
static int64_t gather(const float *values, int64_t kept, weighted *out) {
    int64_t count = 0;
    for (int64_t i = 0; i < kept; i++)
        if (isfinite(values[i]))
            out[count++] = (weighted){ values[i], (float)residual_weight(i, kept) };
    return count;
}

static double kish(const weighted *r, int64_t count) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)r[i].weight, squares += (double)r[i].weight * r[i].weight;
    return squares > 0 ? sum * sum / squares : 0;
}

/* How much more the mean over blocks of `block` of "beyond `limit`" varies than independent ones would; 0: unknown. */
static double block_excess(const weighted *r, int64_t count, int64_t block, float limit, bool above) {
    int64_t blocks = count / block, used = blocks * block;
    double  all = 0, squares = 0;
    for (int64_t b = 0; b < blocks; b++) {
        double sum = 0;
        for (int64_t i = 0; i < block; i++) {
            float v = r[count - used + b * block + i].value;
            sum += above ? v > limit : v < limit;
        }
        all += sum, squares += sum * sum;
    }
    double share = all / (double)used, mean = all / (double)blocks;
    double between = (squares - (double)blocks * mean * mean) / (double)(blocks - 1); /* of sums of a block */
    return share > 0 && share < 1 ? between / ((double)block * share * (1 - share)) : 0;
}

/* By how much dependence lowers the count of residuals: looked at where bounds lie, in the outer tenths, over blocks
 * that are longer than what windows share. `sorted` is scratch. 0: too few to tell. */
static double dependence(const weighted *r, int64_t count, int64_t shared, weighted *sorted) {
    int64_t block = MIN2(MAX2(shared, (int64_t)sqrt((double)count)), count / 4);
    if (block < 2) return 0;
    memcpy(sorted, r, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    double low  = block_excess(r, count, block, sorted[count / 10].value, false);
    double high = block_excess(r, count, block, sorted[count - 1 - count / 10].value, true);
    return fmin((low + high) / 2, (double)block);
}

/* Of m independent residuals the k-th is what a share k / (m + 1) of futures stays below, in the mean; it stands at
 * (k - 1/2) / m of them. So the share p of futures is this share of the residuals. */
static double share_of(double p, double m) { return 0.5 + (p - 0.5) * (m + 1) / m; }

/* Each residual stands in the middle of its own weight, between two of them values go on evenly, beyond the outermost
 * there is nothing to go on with. `wanted` ascends from call to call; `at` and `middle` are the residual before it. */
static double value_at(const weighted *sorted, int64_t count, double wanted, int64_t *at, double *middle) {
    while (*at + 1 < count) {
        const weighted *r     = sorted + *at;
        double          apart = ((double)r[0].weight + (double)r[1].weight) / 2, value = (double)r[0].value;
        if (*middle + apart > wanted)
            return value + fmax((wanted - *middle) / apart, 0) * ((double)r[1].value - value);
        *middle += apart, ++*at;
    }
    return (double)sorted[*at].value;
}

static void fill_column(const band_tables *b, weighted *r, int64_t count, double m, float *out) {
    double  total = 0, least = -INFINITY;
    int64_t at = 0;
    qsort(r, (size_t)count, sizeof *r, by_value);
    for (int64_t i = 0; i < count; i++) total += (double)r[i].weight;
    double middle = count ? (double)r->weight / 2 : 0;
    for (int64_t i = 0; i < b->points; i++) {
        if (count) least = fmax(least, value_at(r, count, share_of(b->probability[i], m) * total, &at, &middle));
        out[i] = count ? (float)least : NAN;
    }
}

/* ---- a forecaster ---- */

/* The mean over the columns, as each alone has few blocks to tell from; neighbours never add to the count. */
static double knot_dependence(const residuals *r, int64_t knot, weighted *of, weighted *sorted) {
    double  sum = 0;
    int64_t told = 0, shared = ceil_div(window_reach(r->step[knot] + 1, r->apart), r->stride);
    for (int64_t c = 0; c < r->columns; c++) {
        int64_t count = gather(r->values + (knot * r->columns + c) * r->kept, r->kept, of);
        double  one   = dependence(of, count, shared, sorted);
        sum += one, told += one > 0;
    }
    return told ? fmax(sum / (double)told, 1) : (double)shared;
}

bool bands_calibrate(band_tables *b, int forecaster, const residuals *r) {
    size_t    numbers = (size_t)(b->knots * b->columns * b->points);
    weighted *of      = malloc((size_t)(2 * r->kept) * sizeof *of + 1);
    float    *table   = malloc(numbers * sizeof *table + 1);
    for (int64_t k = 0; of && table && k < b->knots; k++) {
        double depends = knot_dependence(r, k, of, of + r->kept), most = 0;
        for (int64_t c = 0; c < b->columns; c++) {
            int64_t count = gather(r->values + (k * b->columns + c) * r->kept, r->kept, of);
            double  m     = fmax(kish(of, count) / depends, 1);
            most          = fmax(most, count ? m : 0);
            fill_column(b, of, count, m, table + (k * b->columns + c) * b->points);
        }
        b->effective[forecaster * b->knots + k] = most;
    }
    bool fine = of && table;
    free(of);
    if (fine) free(b->quantile[forecaster]), b->quantile[forecaster] = table;
    else free(table);
    return fine;
}

void bands_keep_windows(band_tables *b, residuals *whole) {
    free(b->window);
    b->window = whole->kept ? whole->values : NULL, b->windows = whole->kept;
    if (b->window) whole->values = NULL;
    for (int64_t i = 0; i < b->pred_len * b->columns * b->windows; i++)
        if (!isfinite(b->window[i])) b->window[i] = NAN;
}

/* ---- residuals ---- */

bool residuals_new(residuals *r, const band_tables *b, int64_t windows, int64_t apart, const float *scale) {
    enum { MOST_WINDOWS = 4096, MOST_NUMBERS = 64 << 20 };
    int64_t cells = MAX2(b->knots * b->columns, 1), most = MAX2(MIN2(MOST_WINDOWS, MOST_NUMBERS / cells), 64);
    *r        = (residuals){ .pred_len = b->pred_len, .columns = b->columns, .windows = windows, .knots = b->knots,
                             .apart = apart, .step = b->step, .scale = scale,
                             .stride = ceil_div(MAX2(windows, 1), most) };
    r->kept   = ceil_div(windows, r->stride);
    r->values = malloc((size_t)(cells * r->kept) * sizeof *r->values + 1);
    return r->values != NULL;
}

/* At least; odd, so that windows of hourly rows do not all begin in the same few hours. */
static int64_t whole_apart(int64_t pred_len, int64_t apart) {
    return window_reach(ceil_div(pred_len, 8), apart) | 1;
}

bool residuals_new_whole(residuals *r, const band_tables *b, int64_t windows, int64_t apart, const float *scale) {
    enum { MOST_WINDOWS = 512, MOST_NUMBERS = 1 << 20 };
    int64_t cells = b->pred_len * b->columns, most = MIN2(MOST_WINDOWS, MOST_NUMBERS / MAX2(cells, 1));
    *r = (residuals){ .pred_len = b->pred_len, .columns = b->columns, .windows = windows, .knots = b->pred_len,
                      .apart = apart, .scale = scale, .stride = 1 };
    if (most >= 2) r->stride = MAX2(ceil_div(windows, most) | 1, whole_apart(b->pred_len, apart));
    if (most >= 2 && windows > r->stride) r->kept = ceil_div(windows, r->stride);
    r->values = malloc((size_t)(cells * r->kept) * sizeof *r->values + 1);
    return r->values != NULL;
}

bool residuals_left_out(const residuals *whole) {
    int64_t apart = whole_apart(whole->pred_len, whole->apart);
    return whole->windows > apart && ceil_div(whole->windows, apart) > whole->kept;
}

/* Of a cell of the windows that were seen, in column c of window `window`. */
static float residual_of(const residuals *r, const seen_windows *seen, int64_t cell, int64_t window, int64_t c) {
    if (!r->shape) return (seen->truth[cell] - seen->prediction[cell]) / r->scale[window * r->columns + c];
    const float *widths = seen->widths + cell * r->shape->widths;
    return (float)spread_score(r->shape, widths, (double)seen->truth[cell] - (double)seen->prediction[cell]);
}

void residuals_add(residuals *r, int64_t at, int64_t count, const seen_windows *seen) {
    int64_t each = r->pred_len * r->columns;
    for (int64_t i = 0; i < count; i++) {
        int64_t age = r->windows - 1 - (at + i);
        if (age % r->stride || !r->kept) continue;
        for (int64_t k = 0; k < r->knots; k++)
            for (int64_t c = 0; c < r->columns; c++) {
                int64_t cell = i * each + (r->step ? r->step[k] : k) * r->columns + c;
                r->values[(k * r->columns + c) * r->kept + r->kept - 1 - age / r->stride] =
                    residual_of(r, seen, cell, at + i, c);
            }
    }
}

void residuals_free(residuals *r) {
    free(r->values);
    *r = (residuals){ 0 };
}
