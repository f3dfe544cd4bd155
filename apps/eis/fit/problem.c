/* Least squares in the logarithms of the parameters. Bounds are met by a change of variables (as in MINUIT) that is
 * nearly the identity away from them. */
#include "problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/posterior/least_squares.h"

enum { ROUNDS = 6 };
static const double far_out = 230; /* e^230 = 1e100: no value goes beyond */
static const double inside =
    1e-3; /* how far from a bound a start is kept: there the change of variables stands still */
static const double near_enough = 1e-4; /* of the sum: a step that gains less ends an approach */
static const double settled = 1e-9; /* of the sum: a round that gains less is the last */

_Static_assert((int)VARIABLES_MOST <= (int)LEAST_SQUARES_MOST, "least squares of fewer unknowns than a fit has");

/* ---- variables ---- */

static void set_bounds(fit_problem *p, int v, const circuit_parameter *q) {
    bool negative = q->low < 0;
    p->low[v] = log(negative ? -q->high : q->low);
    p->high[v] = log(negative ? -q->low : q->high);
}

static bool is_free(const circuit_parameter *q) { return !q->fixed && q->tie < 0; }

static void find_variables(fit_problem *p, const bool *shared) {
    for (int s = 0; s < p->spectra; s++)
        for (int k = 0; k < p->e->parameters; k++) {
            int *variable = p->variable + s * PARAMETERS_MOST + k;
            *variable = -1;
            if (!is_free(&p->e->parameter[k])) continue;
            if (s && shared && shared[k]) {
                *variable = p->variable[k];
                continue;
            }
            set_bounds(p, p->variables, &p->e->parameter[k]);
            *variable = p->variables, p->spectrum[p->variables] = s;
            p->of[p->variables++] = k;
        }
}

int64_t fit_joined_variables(const equivalent *e, int64_t spectra, const bool *shared) {
    int64_t count = 0;
    for (int k = 0; k < e->parameters; k++)
        if (is_free(&e->parameter[k])) count += shared[k] ? 1 : spectra;
    return count;
}

/* The room that evaluating needs. */
static bool make_room(fit_problem *p) {
    int64_t most = 1;
    for (int s = 0; s < p->spectra; s++) {
        p->rows += 2 * p->data[s].n, p->size += p->data[s].size;
        most = MAX2(most, p->data[s].n);
    }
    p->model = malloc((size_t)most * (size_t)(1 + p->e->parameters) * sizeof *p->model);
    p->scratch = malloc((size_t)(p->rows + FIT_PRIORS_MOST) * (size_t)(p->variables + 3) * sizeof *p->scratch);
    if (!p->model || !p->scratch) return false;
    p->derivative = p->model + most;
    return true;
}

bool fit_problem_join(const equivalent *e, const fit_data *data, int spectra, const bool *shared, fit_problem *out) {
    *out = (fit_problem){ .e = e, .data = data, .spectra = spectra, .variance = 1 };
    out->variable = malloc((size_t)spectra * PARAMETERS_MOST * sizeof *out->variable);
    if (out->variable) find_variables(out, shared);
    bool done = out->variable && make_room(out);
    if (!done) fit_problem_free(out);
    return done;
}

bool fit_problem_new(const equivalent *e, const fit_data *data, fit_problem *out) {
    return fit_problem_join(e, data, 1, NULL, out);
}

void fit_problem_free(fit_problem *p) {
    free(p->model);
    free(p->scratch);
    free(p->variable);
    *p = (fit_problem){ 0 };
}

static double value_of(const fit_problem *p, const int *variable, int k, const double *x) {
    const circuit_parameter *q = &p->e->parameter[k];
    if (q->fixed) return q->value;
    return (q->low < 0 ? -1 : 1) * exp(fmax(-far_out, fmin(far_out, x[variable[k]])));
}

void fit_values_of(const fit_problem *p, int spectrum, const double *x, double *values) {
    const int *variable = p->variable + spectrum * PARAMETERS_MOST;
    for (int k = 0; k < p->e->parameters; k++) {
        const circuit_parameter *q = &p->e->parameter[k];
        values[k] = q->tie >= 0 ? q->factor * value_of(p, variable, q->tie, x) : value_of(p, variable, k, x);
    }
}

void fit_values(const fit_problem *p, const double *x, double *values) { fit_values_of(p, 0, x, values); }

double fit_coordinate(const fit_problem *p, int v, double value) {
    double x = log(fabs(value)), width = fmin(inside, 0.01 * (p->high[v] - p->low[v]));
    return fmax(p->low[v] + width, fmin(p->high[v] - width, x));
}

/* ---- residuals ---- */

static int64_t data_rows(const fit_problem *p) { return p->rows - p->priors; }

static double scale(const fit_problem *p) { return sqrt((double)data_rows(p) / p->size); }

double fit_pull(const fit_prior *q, const double *x, double *slope) {
    double sum = 0;
    for (int i = 0; i < q->terms; i++) sum += q->power[i] * fmax(-far_out, fmin(far_out, x[q->variable[i]]));
    double size = q->factor * exp(sum), is = q->logarithm ? log(q->factor) + sum : size;
    for (int i = 0; slope && i < q->terms; i++) slope[i] = q->power[i] * (q->logarithm ? 1 : size) / q->deviation;
    return (is - q->value) / q->deviation;
}

static void spectrum_residuals(const fit_problem *p, int spectrum, const double *x, double *residual) {
    const fit_data *d = p->data + spectrum;
    double values[PARAMETERS_MOST], over = scale(p);
    fit_values_of(p, spectrum, x, values);
    equivalent_evaluate(p->e, values, d->n, d->omega, d->log_omega, p->model, NULL);
    for (int64_t i = 0; i < d->n; i++) {
        double complex e = p->model[i] - d->z[i];
        double a = d->weight[i] * over * creal(e), b = d->weight[d->n + i] * over * cimag(e);
        residual[i] = isfinite(a) ? a : 1e100;
        residual[d->n + i] = isfinite(b) ? b : 1e100;
    }
}

static void residuals_at(const fit_problem *p, const double *x, double *residual) {
    double unit = sqrt(p->variance) * scale(p);
    for (int s = 0; s < p->spectra; residual += 2 * p->data[s++].n) spectrum_residuals(p, s, x, residual);
    for (int i = 0; i < p->priors; i++) {
        double pull = unit * fit_pull(&p->prior[i], x, NULL);
        residual[i] = isfinite(pull) ? pull : 1e100;
    }
}

double fit_sum(const fit_problem *p, const double *x) {
    double sum = 0, over = scale(p);
    residuals_at(p, x, p->scratch);
    for (int64_t i = 0; i < p->rows; i++) sum += p->scratch[i] * p->scratch[i];
    return sum / (over * over);
}

static void add_column(const fit_problem *p, const fit_data *d, int k, double *column) {
    const double complex *from = p->derivative + k * d->n;
    double over = scale(p);
    for (int64_t i = 0; i < d->n; i++) {
        double a = d->weight[i] * over * creal(from[i]), b = d->weight[d->n + i] * over * cimag(from[i]);
        column[i] += isfinite(a) ? a : 0;
        column[d->n + i] += isfinite(b) ? b : 0;
    }
}

/* `jacobian` begins at the spectrum's first row. */
static void spectrum_jacobian(const fit_problem *p, int spectrum, const int *column, const double *x,
                              double *jacobian) {
    const fit_data *d = p->data + spectrum;
    const int *variable = p->variable + spectrum * PARAMETERS_MOST;
    double values[PARAMETERS_MOST];
    fit_values_of(p, spectrum, x, values);
    equivalent_evaluate(p->e, values, d->n, d->omega, d->log_omega, p->model, p->derivative);
    for (int k = 0; k < p->e->parameters; k++) {
        int tie = p->e->parameter[k].tie, v = variable[tie >= 0 ? tie : k];
        if (v >= 0 && column[v] >= 0) add_column(p, d, k, jacobian + p->rows * column[v]);
    }
}

static void prior_jacobian(const fit_problem *p, const int *column, const double *x, double *jacobian) {
    double slope[PRIOR_TERMS], unit = sqrt(p->variance) * scale(p);
    for (int i = 0; i < p->priors; i++) {
        fit_pull(&p->prior[i], x, slope);
        for (int t = 0; t < p->prior[i].terms; t++) {
            int at = column[p->prior[i].variable[t]];
            if (at >= 0 && isfinite(slope[t])) jacobian[p->rows * at + i] += unit * slope[t];
        }
    }
}

int fit_jacobian(const fit_problem *p, const double *x, double *jacobian) {
    int column[VARIABLES_MOST], count = 0;
    int64_t row = 0;
    for (int v = 0; v < p->variables; v++) column[v] = p->held[v] ? -1 : count++;
    memset(jacobian, 0, (size_t)(p->rows * count) * sizeof *jacobian);
    for (int s = 0; s < p->spectra; row += 2 * p->data[s++].n) spectrum_jacobian(p, s, column, x, jacobian + row);
    prior_jacobian(p, column, x, jacobian + row);
    return count;
}

/* ---- bounds ---- */

/* The coordinate that belongs to the unbounded u, and its slope. */
static double bounded(double low, double high, double u, double *slope) {
    double root = sqrt(1 + u * u), half = (high - low) / 2;
    *slope = 1;
    if (isfinite(low) && isfinite(high)) {
        *slope = cos(u / half);
        return (low + high) / 2 + half * sin(u / half);
    }
    if (isfinite(high)) return *slope = -u / root, high + 1 - root;
    if (isfinite(low)) return *slope = u / root, low - 1 + root;
    return u;
}

static double unbounded(double low, double high, double x) {
    double half = (high - low) / 2, up = isfinite(high) ? high + 1 - x : x - low + 1;
    if (isfinite(low) && isfinite(high)) return half * asin(fmax(-1, fmin(1, (x - (low + high) / 2) / half)));
    if (isfinite(high) || isfinite(low)) return sqrt(fmax(0, up * up - 1));
    return x;
}

/* ---- descent ---- */

/* Unknowns are counted from the start: MINPACK's first step is then of the size of the residuals. */
typedef struct descent {
    fit_problem *p;
    double x[VARIABLES_MOST], from[VARIABLES_MOST], slope[VARIABLES_MOST];
    int variable[VARIABLES_MOST], unknowns;
} descent;

static void place(descent *s, const double *u) {
    for (int j = 0; j < s->unknowns; j++) {
        int v = s->variable[j];
        s->x[v] = bounded(s->p->low[v], s->p->high[v], s->from[j] + u[j], &s->slope[j]);
    }
}

static void evaluate(void *user, const double *u, double *residual, double *jacobian) {
    descent *s = user;
    int64_t rows = s->p->rows;
    place(s, u);
    if (!jacobian) {
        residuals_at(s->p, s->x, residual);
        return;
    }
    fit_jacobian(s->p, s->x, jacobian);
    for (int j = 0; j < s->unknowns; j++)
        for (int64_t i = 0; i < rows; i++) jacobian[j * rows + i] *= s->slope[j];
}

static tide_status round_of(fit_problem *p, double gain, double *x, double *sum, tide_failure *failure) {
    descent s = { .p = p };
    double u[VARIABLES_MOST] = { 0 };
    memcpy(s.x, x, (size_t)p->variables * sizeof *x);
    for (int v = 0; v < p->variables; v++) {
        if (p->held[v]) continue;
        s.from[s.unknowns] = unbounded(p->low[v], p->high[v], x[v]);
        s.variable[s.unknowns++] = v;
    }
    least_squares problem = { s.unknowns, (int)p->rows, evaluate, &s, gain };
    tide_status status = TIDE_OK;
    if (s.unknowns) status = least_squares_solve(&problem, u, p->scratch, sum, failure);
    if (status != TIDE_OK) return status;
    place(&s, u);
    memcpy(x, s.x, (size_t)p->variables * sizeof *x);
    *sum = fit_sum(p, x);
    return TIDE_OK;
}

tide_status fit_descend(fit_problem *p, double *x, double *sum, tide_failure *failure) {
    double before = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        tide_status status = round_of(p, 0, x, sum, failure);
        if (status != TIDE_OK) return status;
        if (!(*sum < before * (1 - settled))) break;
        before = *sum;
    }
    return TIDE_OK;
}

tide_status fit_approach(fit_problem *p, double *x, double *sum, tide_failure *failure) {
    return round_of(p, near_enough, x, sum, failure);
}

double fit_slope(const fit_problem *p, const double *x, double *jacobian) {
    int64_t rows = p->rows;
    int count = fit_jacobian(p, x, jacobian);
    double most = 0, size = 0;
    residuals_at(p, x, p->scratch);
    for (int64_t i = 0; i < rows; i++) size += p->scratch[i] * p->scratch[i];
    for (int j = 0; j < count; j++) {
        double along = 0, length = 0;
        for (int64_t i = 0; i < rows; i++)
            along += jacobian[j * rows + i] * p->scratch[i], length += jacobian[j * rows + i] * jacobian[j * rows + i];
        if (length > 0 && size > 0) most = fmax(most, fabs(along) / sqrt(length * size));
    }
    return most;
}
