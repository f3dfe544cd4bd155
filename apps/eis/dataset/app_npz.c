/* Reads the web application's export, and finds the ground truth that its residual norms were computed against: a
 * fit over the circuits in it. */
#include "app_npz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "eis/posterior/least_squares.h"
#include "eis/circuit/rng.h"

enum { CHECKS = 100, SOLVED = 100, GUESSES = 2000, STARTS = 16, ROUNDS = 6, FREQUENCIES_MOST = 1000 };
#define AGREES 1e-4 /* numbers of the file are single precision; another circuit is off by much more */
#define SMALLEST 1e-6 /* ohm, added before logarithms */
#define MATCHED 1e-9 /* sum of squared log ratios of SOLVED numbers in single precision */

static const int order[EIS_COUNT] = { EIS_RSH, EIS_RA, EIS_CA, EIS_RB, EIS_CB };

typedef struct app_data {
    const char   *path;
    tide_archive  archive;
    const tide_tensor *parameters, *resnorms, *frequencies;
    int64_t       rows, points;
    double       *freq_hz;
    eis_z        *data, *model;  /* of the ground truth, of a row */
} app_data;

static double value(const tide_tensor *t, int64_t i) {
    return t->type == TIDE_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

static void row_parameters(const app_data *a, int64_t row, double p[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++) p[order[k]] = value(a->parameters, EIS_COUNT * row + k);
}

static double row_resnorm(const app_data *a, int64_t row) { return value(a->resnorms, row); }

/* ---- reading ---- */

static tide_status find_array(const app_data *a, const char *name, int axes, const tide_tensor **out, tide_failure *f) {
    const tide_tensor *t = *out = tide_archive_find(&a->archive, name);
    if (t && (t->type == TIDE_F32 || t->type == TIDE_F64) && t->shape.ndim == axes && t->shape.dim[0] > 0)
        return TIDE_OK;
    return fail_at(f, TIDE_EDATA, a->path, 0, name,
                   "%s has no array '%s' of %d %s of floating-point numbers; needed are parameters (rows, 5), "
                   "resnorms (rows) "
                   "and frequencies (points)",
                   a->path, name, axes, axes == 1 ? "axis" : "axes");
}

static tide_status check_row(const app_data *a, int64_t row, tide_failure *f) {
    double p[EIS_COUNT];
    bool   fine = row_resnorm(a, row) >= 0 && row_resnorm(a, row) <= 1e300;
    row_parameters(a, row, p);
    for (int k = 0; k < EIS_COUNT; k++) fine = fine && p[k] > 0 && p[k] <= 1e300;
    /* Capacitances are below a millifarad and resistances are not: another order shows. */
    fine = fine && p[EIS_CA] < 1e-2 && p[EIS_CB] < 1e-2;
    if (fine) return TIDE_OK;
    return fail_at(f, TIDE_EDATA, a->path, row, "parameters",
                   "%s, row %lld (the first is 0): parameters must be Rsh, Ra, Ca, Rb, Cb in ohm and farad, positive, "
                   "the residual norm a number",
                   a->path, (long long)row);
}

static tide_status take_frequencies(app_data *a, tide_failure *f) {
    a->freq_hz = malloc((size_t)a->points * sizeof *a->freq_hz);
    a->data    = malloc((size_t)a->points * sizeof *a->data);
    a->model   = malloc((size_t)a->points * sizeof *a->model);
    if (!a->freq_hz || !a->data || !a->model) return fail(f, TIDE_ENOMEM, "out of memory for %s", a->path);
    for (int64_t i = 0; i < a->points; i++) {
        a->freq_hz[i] = value(a->frequencies, i);
        if (!(a->freq_hz[i] > 0) || !isfinite(a->freq_hz[i]))
            return fail_at(f, TIDE_EDATA, a->path, i, "frequencies", "%s: frequency %lld is not a positive number",
                           a->path, (long long)i);
    }
    return TIDE_OK;
}

static tide_status open_data(const char *path, app_data *a, tide_failure *f) {
    static const char *const wanted[] = { "parameters", "resnorms", "frequencies", NULL };
    *a = (app_data){ .path = path };
    tide_status status = tide_npz_read_some(path, wanted, &a->archive, f);
    if (status == TIDE_OK) status = find_array(a, "parameters", 2, &a->parameters, f);
    if (status == TIDE_OK) status = find_array(a, "resnorms", 1, &a->resnorms, f);
    if (status == TIDE_OK) status = find_array(a, "frequencies", 1, &a->frequencies, f);
    if (status != TIDE_OK) return status;
    a->rows   = a->resnorms->shape.dim[0];
    a->points = a->frequencies->shape.dim[0];
    if (a->parameters->shape.dim[0] != a->rows || a->parameters->shape.dim[1] != EIS_COUNT ||
        a->points > FREQUENCIES_MOST)
        return fail_at(f, TIDE_EDATA, path, 0, "parameters",
                       "%s: parameters must be (%lld, 5), one row for each residual norm, and frequencies at most %d",
                       path,
                       (long long)a->rows, FREQUENCIES_MOST);
    for (int64_t i = 0; i < a->rows && status == TIDE_OK; i++) status = check_row(a, i, f);
    return status == TIDE_OK ? take_frequencies(a, f) : status;
}

static void close_data(app_data *a) {
    tide_archive_free(&a->archive);
    free(a->freq_hz);
    free(a->data);
    free(a->model);
}

/* ---- the ground truth ---- */

static void row_impedance(const app_data *a, int64_t row, eis_z *z) {
    double p[EIS_COUNT];
    row_parameters(a, row, p);
    eis_impedance(EIS_SHUNT, p, 0, a->points, a->freq_hz, z);
}

/* Residual norms are distances from the ground truth's spectrum: enough of them say where it is. */
typedef struct search {
    const app_data *a;
    int64_t row[SOLVED];
    int     count;
    eis_z  *model;      /* [count][points], of those rows */
} search;

static void misfit(void *user, const double *x, double *residual, double *jacobian) {
    const search   *s = user;
    const app_data *a = s->a;
    double p[EIS_COUNT], moved[EIS_COUNT], at[SOLVED];
    if (!jacobian) {
        for (int k = 0; k < EIS_COUNT; k++) p[k] = exp(x[k]);
        eis_impedance(EIS_SHUNT, p, 0, a->points, a->freq_hz, a->data);
        for (int i = 0; i < s->count; i++) {
            double ours = eis_resnorm(EIS_MEAN_ABS, a->points, a->freq_hz, a->data, s->model + i * a->points, 0);
            residual[i] = log((ours + SMALLEST) / (row_resnorm(a, s->row[i]) + SMALLEST));
        }
        return;
    }
    for (int k = 0; k < EIS_COUNT; k++) {
        const double step = 1e-6;
        memcpy(moved, x, sizeof moved);
        moved[k] = x[k] + step;
        misfit(user, moved, jacobian + k * s->count, NULL);
        moved[k] = x[k] - step;
        misfit(user, moved, at, NULL);
        for (int i = 0; i < s->count; i++)
            jacobian[k * s->count + i] = (jacobian[k * s->count + i] - at[i]) / (2 * step);
    }
}

/* Along the fibre the misfit is flat and a search may end early: it begins anew where it ended. */
static tide_status descend(const search *s, double *x, double *sum, tide_failure *f) {
    least_squares problem = { EIS_COUNT, s->count, misfit, (void *)s };
    double        scratch[SOLVED * (EIS_COUNT + 2)], before = INFINITY;
    tide_status   status = TIDE_OK;
    *sum = 1e300;
    for (int i = 0; i < ROUNDS && status == TIDE_OK && *sum > MATCHED && *sum < 0.9 * before; i++) {
        before = *sum;
        status = least_squares_solve(&problem, x, scratch, sum, f);
    }
    return status;
}

typedef struct guess { double x[EIS_COUNT], sum; } guess;

static void insert_guess(guess *list, const guess *g) {
    int at = STARTS - 1;
    if (!(g->sum < list[at].sum)) return;
    for (; at > 0 && list[at - 1].sum > g->sum; at--) list[at] = list[at - 1];
    list[at] = *g;
}

/* The most promising of many circuits of the ranges. */
static void guess_starts(const search *s, guess *list) {
    rng    r = { .seed = 1 };
    double residual[SOLVED];
    for (int i = 0; i < STARTS; i++) list[i].sum = INFINITY;
    for (int i = 0; i < GUESSES; i++) {
        guess g = { .sum = 0 };
        for (int k = 0; k < EIS_COUNT; k++)
            g.x[k] = log(eis_parameters[k].low) + rng_unit(&r) * log(eis_parameters[k].high / eis_parameters[k].low);
        misfit((void *)s, g.x, residual, NULL);
        for (int j = 0; j < s->count; j++) g.sum += residual[j] * residual[j];
        insert_guess(list, &g);
    }
}

static tide_status find_truth(const app_data *a, double p[EIS_COUNT], tide_failure *f) {
    search s     = { .a = a, .count = (int)MIN2(a->rows, SOLVED) };
    guess  start[STARTS], best = { .sum = INFINITY };
    tide_status status = TIDE_OK;
    if (s.count < 2 * EIS_COUNT)
        return fail_at(f, TIDE_EDATA, a->path, 0, "resnorms",
                       "%s: no row is the ground truth (residual norm 0), and %d rows are too few to find it from",
                       a->path, s.count);
    s.model = malloc((size_t)(s.count * a->points) * sizeof *s.model);
    if (!s.model) return fail(f, TIDE_ENOMEM, "out of memory for %s", a->path);
    for (int i = 0; i < s.count; i++) {
        s.row[i] = a->rows * i / s.count;
        row_impedance(a, s.row[i], s.model + i * a->points);
    }
    guess_starts(&s, start);
    for (int i = 0; i < STARTS && status == TIDE_OK && best.sum > MATCHED; i++) {
        status = descend(&s, start[i].x, &start[i].sum, f);
        if (start[i].sum < best.sum) best = start[i];
    }
    for (int k = 0; k < EIS_COUNT; k++) p[k] = exp(best.x[k]);
    free(s.model);
    return status;
}

static tide_status check_truth(const app_data *a, tide_failure *f) {
    for (int64_t i = 0, count = MIN2(a->rows, CHECKS); i < count; i++) {
        int64_t row = a->rows * i / count;
        row_impedance(a, row, a->model);
        double ours = eis_resnorm(EIS_MEAN_ABS, a->points, a->freq_hz, a->data, a->model, 0),
               theirs = row_resnorm(a, row);
        if (fabs(ours - theirs) <= AGREES * (ours + 1e-2)) continue;
        return fail_at(f, TIDE_EDATA, a->path, row, "resnorms",
                       "%s, row %lld: its residual norm is %g; the shunt circuit at the file's %lld frequencies has a "
                       "mean |e| of %g. "
                       "The file is of another circuit, another norm or another order of parameters, and cannot be "
                       "taken over",
                       a->path, (long long)row, theirs, (long long)a->points, ours);
    }
    return TIDE_OK;
}

static int64_t lowest_row(const app_data *a) {
    int64_t best = 0;
    for (int64_t i = 1; i < a->rows; i++)
        if (row_resnorm(a, i) < row_resnorm(a, best)) best = i;
    return best;
}

static tide_status take_truth(const app_data *a, ground_truth *g, tide_failure *f) {
    int64_t     row    = lowest_row(a);
    bool        in_it  = row_resnorm(a, row) == 0;
    tide_status status = TIDE_OK;
    *g = (ground_truth){ .id = "found" };
    if (in_it) {
        snprintf(g->id, sizeof g->id, "row_%lld", (long long)row);
        row_parameters(a, row, g->p);
    } else {
        status = find_truth(a, g->p, f);
    }
    if (status != TIDE_OK) return status;
    eis_impedance(EIS_SHUNT, g->p, 0, a->points, a->freq_hz, a->data);
    return check_truth(a, f);
}

bool is_app_npz(const char *path) {
    size_t length = strlen(path);
    return length > 4 && !strcmp(path + length - 4, ".npz");
}

tide_status app_npz_truth(const char *path, ground_truth *out, tide_failure *f) {
    app_data    a;
    tide_status status = open_data(path, &a, f);
    if (status == TIDE_OK) status = take_truth(&a, out, f);
    close_data(&a);
    return status;
}
