/* The linear baseline: one ridge regression from L inputs to S outputs, shared by the columns that are forecast.
 *
 * The windows are instance-normalised as the model's are: out = mean + std (W (x - mean)/std + c). Squared errors are
 * taken on `out`, as training and scores take them, so a window counts with its variance: with z = (x - mean, std) and
 * y = out - mean the intercept is one more weight. Without that, windows of no movement, divided by next to nothing,
 * would rule the fit (ETTm1, 96 steps: test MSE 0.55 instead of 0.35).
 *
 * Training and validation windows are reduced to normal equations once; every strength is then one Cholesky
 * factorisation, and its validation error follows from the validation set's own normal equations,
 *   |Y - Z W|^2 = |Y|^2 - 2 <W, Z'Y> + <W, Z'Z W>,
 * without a look at a window again. All in double. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "forecast/data/util.h"

/* Windows are handled ROWS at a time, as panels of LANES columns: panel[row][lane]. */
enum { ROWS = 64, LANES = 4 };
typedef double panel[ROWS][LANES];

/* Sums over windows of z z', z y' and |y|^2, where z holds seq_len inputs and the std, y pred_len outputs. They lie in
 * one matrix with a row for each element of z and a column for each element of (z, y). */
typedef struct normal {
    int64_t inputs, outputs;      /* seq_len + 1; pred_len */
    int64_t height, width;        /* of `sums`: rounded up to whole panels */
    double *sums, squares;
} normal;

typedef struct problem {
    const float *scaled, *gapped;           /* from the first column that is fitted; gapped: NULL, or as in score.h */
    int64_t columns, fitted, seq_len, pred_len;
} problem;

static int64_t whole_panels(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

static bool normal_new(normal *n, int64_t seq_len, int64_t pred_len) {
    *n = (normal){ .inputs = seq_len + 1, .outputs = pred_len };
    n->height = whole_panels(n->inputs);
    n->width = whole_panels(n->inputs + pred_len);
    n->sums = calloc((size_t)(n->height * n->width), sizeof *n->sums);
    return n->sums;
}

/* The root of the weight that a window has. */
static double window_root(const problem *p, int64_t first) {
    const float *truth = p->gapped + first + p->seq_len * p->columns;
    int64_t      known = 0;
    for (int64_t i = 0; i < p->pred_len; i++) known += !isnan(truth[i * p->columns]);
    return sqrt((double)known / (double)p->pred_len);
}

static void weigh_row(panel *panels, int row, int64_t width, double by) {
    for (int64_t i = 0; i < width; i++) panels[i / LANES][row][i % LANES] *= by;
}

/* Row `row` of the panels: z and y of the window from the series' number `first` on. Returns |y|^2. */
static double put_window(const problem *p, int64_t first, panel *panels, int row) {
    const float *window = p->scaled + first;
    window_scale s = window_scale_of(window, p->seq_len, p->columns);
    double squares = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < p->seq_len; i++, at++)
        panels[at / LANES][row][at % LANES] = window[i * p->columns] - s.mean;
    panels[at / LANES][row][at % LANES] = s.std;
    at++;
    for (int64_t i = p->seq_len; i < p->seq_len + p->pred_len; i++, at++) {
        double y = window[i * p->columns] - s.mean;
        panels[at / LANES][row][at % LANES] = y;
        squares += y * y;
    }
    if (!p->gapped) return squares;
    double root = window_root(p, first);
    weigh_row(panels, row, at, root);
    return squares * root * root;
}

/* sums += a' b over the rows of two panels. */
static void add_tile(const panel a, const panel b, double *sums, int64_t width) {
    double tile[LANES][LANES] = { 0 };
    for (int k = 0; k < ROWS; k++)
        for (int i = 0; i < LANES; i++)
            for (int j = 0; j < LANES; j++) tile[i][j] += a[k][i] * b[k][j];
    for (int i = 0; i < LANES; i++)
        for (int j = 0; j < LANES; j++) sums[i * width + j] += tile[i][j];
}

/* The lower triangle of z z' is left out: it mirrors the upper one. */
static void add_panels(normal *n, panel *panels) {
    for (int64_t i = 0; i < n->height / LANES; i++)
        for (int64_t j = i; j < n->width / LANES; j++)
            add_tile(panels[i], panels[j], n->sums + i * LANES * n->width + j * LANES, n->width);
}

static void add_column(normal *n, const problem *p, int64_t column, const window_set *of, panel *panels) {
    int64_t windows = of->count;
    for (int64_t w = 0; w < windows; w += ROWS) {
        int64_t rows = windows - w < ROWS ? windows - w : ROWS;
        if (rows < ROWS) memset(panels, 0, (size_t)(n->width / LANES) * sizeof *panels);
        for (int64_t k = 0; k < rows; k++)
            n->squares += put_window(p, window_start(of, w + k) * p->columns + column, panels, (int)k);
        add_panels(n, panels);
    }
}

static bool add_windows(normal *n, const problem *p, const window_set *of) {
    panel *panels = calloc((size_t)(n->width / LANES), sizeof *panels);
    if (!panels) return false;
    for (int64_t c = 0; c < p->fitted; c++) add_column(n, p, c, of, panels);
    free(panels);
    for (int64_t i = 0; i < n->inputs; i++)
        for (int64_t j = 0; j < i; j++) n->sums[i * n->width + j] = n->sums[j * n->width + i];
    return true;
}

/* The lower Cholesky factor of z z' + strength I, the intercept not shrunk. false: not positive definite. */
static bool factorise(const normal *n, double strength, double *factor) {
    int64_t size = n->inputs;
    for (int64_t j = 0; j < size; j++)
        for (int64_t i = j; i < size; i++) {
            double sum = n->sums[i * n->width + j] + (i == j && i + 1 < size ? strength : 0);
            for (int64_t k = 0; k < j; k++) sum -= factor[i * size + k] * factor[j * size + k];
            if (i == j && sum <= 0) return false;
            factor[i * size + j] = i == j ? sqrt(sum) : sum / factor[j * size + j];
        }
    return true;
}

static void subtract_row(double *to, const double *from, double by, int64_t count) {
    for (int64_t i = 0; i < count; i++) to[i] -= by * from[i];
}

static void divide_row(double *row, double by, int64_t count) {
    for (int64_t i = 0; i < count; i++) row[i] /= by;
}

/* weights (inputs, outputs) of factor factor' weights = z y'. */
static void solve(const normal *n, const double *factor, double *weights) {
    int64_t size = n->inputs, outputs = n->outputs;
    for (int64_t i = 0; i < size; i++) {
        memcpy(weights + i * outputs, n->sums + i * n->width + size, (size_t)outputs * sizeof *weights);
        for (int64_t k = 0; k < i; k++)
            subtract_row(weights + i * outputs, weights + k * outputs, factor[i * size + k], outputs);
        divide_row(weights + i * outputs, factor[i * size + i], outputs);
    }
    for (int64_t i = size - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < size; k++)
            subtract_row(weights + i * outputs, weights + k * outputs, factor[k * size + i], outputs);
        divide_row(weights + i * outputs, factor[i * size + i], outputs);
    }
}

/* Squared error of the weights over the windows that n sums up; row: scratch of `outputs`. */
static double squared_error(const normal *n, const double *weights, double *row) {
    double error = n->squares;
    for (int64_t i = 0; i < n->inputs; i++) {
        const double *sums = n->sums + i * n->width, *own = weights + i * n->outputs;
        for (int64_t s = 0; s < n->outputs; s++) row[s] = -2 * sums[n->inputs + s];
        for (int64_t k = 0; k < n->inputs; k++) subtract_row(row, weights + k * n->outputs, -sums[k], n->outputs);
        for (int64_t s = 0; s < n->outputs; s++) error += own[s] * row[s];
    }
    return error;
}

/* Scratch of one fit. */
typedef struct search { double *factor, *weights, *row; } search;

static void keep_weights(baseline *b, const double *weights) {
    for (int64_t i = 0; i < (b->seq_len + 1) * b->pred_len; i++) b->weights[i] = (float)weights[i];
}

/* Tries the strengths and keeps the weights that forecast the validation windows best. */
static bool choose_strength(const normal *train, const normal *val, search s, baseline *b) {
    double best = INFINITY;
    for (int power = -4; power <= 4; power++) {
        if (!factorise(train, pow(10, power), s.factor)) continue;
        solve(train, s.factor, s.weights);
        double error = squared_error(val, s.weights, s.row);
        if (error >= best) continue;
        best = error;
        keep_weights(b, s.weights);
    }
    return isfinite(best);
}

static bool search_new(search *s, const normal *n) {
    s->factor = calloc((size_t)(n->inputs * n->inputs), sizeof *s->factor);
    s->weights = calloc((size_t)(n->inputs * n->outputs), sizeof *s->weights);
    s->row = calloc((size_t)n->outputs, sizeof *s->row);
    return s->factor && s->weights && s->row;
}

static void search_free(search *s) {
    free(s->factor);
    free(s->weights);
    free(s->row);
}

static tide_status fit(problem p, const window_set *learned, const window_set *judged, baseline *b,
                       tide_failure *failure) {
    normal train = { 0 }, val = { 0 };
    search scratch = { 0 };
    b->seq_len = p.seq_len;
    b->pred_len = p.pred_len;
    b->weights = calloc((size_t)((p.seq_len + 1) * p.pred_len), sizeof *b->weights);
    bool memory = b->weights && normal_new(&train, p.seq_len, p.pred_len) && normal_new(&val, p.seq_len, p.pred_len) &&
                  search_new(&scratch, &train);
    memory = memory && add_windows(&train, &p, learned) && add_windows(&val, &p, judged);
    tide_status status = TIDE_OK;
    if (!memory)
        status = forecast_fail(failure, TIDE_ENOMEM, NULL, 0, NULL, "out of memory while fitting the linear baseline");
    else if (!choose_strength(&train, &val, scratch, b))
        status = forecast_fail(failure, TIDE_EDATA, NULL, 0, NULL, "the linear baseline found no finite solution");
    free(train.sums);
    free(val.sums);
    search_free(&scratch);
    return status;
}

baseline *baseline_linear(const float *scaled, const float *gapped, column_range which, window_set train,
                          window_set val, int64_t seq_len, int64_t pred_len, tide_failure *failure) {
    if (!train.count || !val.count) {
        forecast_fail(failure, TIDE_EDATA, NULL, 0, NULL,
                      "the linear baseline needs training and validation windows of %" PRId64 " rows",
                      seq_len + pred_len);
        return NULL;
    }
    baseline *b = calloc(1, sizeof *b);
    if (!b) {
        forecast_fail(failure, TIDE_ENOMEM, NULL, 0, NULL, "out of memory");
        return NULL;
    }
    problem p = { .scaled = scaled + which.first, .gapped = gapped ? gapped + which.first : NULL,
                  .columns = which.columns, .fitted = which.count, .seq_len = seq_len, .pred_len = pred_len };
    if (!fit(p, &train, &val, b, failure)) return b;
    baseline_free(b);
    return NULL;
}
