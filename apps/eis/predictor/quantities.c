#include "quantities.h"

#include <math.h>

enum { AT_SD = 10, AT_CORRELATION = 14, AT_RS = FIT_FEATURES, AT_RS_SD = FIT_FEATURES + 2 };  /* in a row of features */
enum { INVARIANTS = 4 };

/* Lower triangle L of the covariance in FIT_FEATURES, L L' = cov. */
static void directions(const float *raw, double l[QUICK_COUNT][QUICK_COUNT]) {
    double corr[QUICK_COUNT][QUICK_COUNT];
    for (int i = 0, at = AT_CORRELATION; i < QUICK_COUNT; i++) {
        corr[i][i] = 1;
        for (int j = i + 1; j < QUICK_COUNT; j++) corr[i][j] = corr[j][i] = (double)raw[at++];
    }
    for (int j = 0; j < QUICK_COUNT; j++)
        for (int i = j; i < QUICK_COUNT; i++) {
            double sum = corr[i][j];
            for (int k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
            /* rounding may leave less than nothing on the diagonal */
            l[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / l[j][j];
        }
    for (int i = 0; i < QUICK_COUNT; i++) {
        double sd = exp((double)raw[AT_SD + i]);
        for (int j = 0; j <= i; j++) l[i][j] *= sd;
    }
}

static void view_at(const double x[QUICK_COUNT], double out[INVARIANTS]) {
    eis_invariants v = quick_invariants(x);
    out[0] = log(v.r0_ohm), out[1] = log(v.cinf_farad), out[2] = log(v.n1_s), out[3] = log(v.d1_s);
}

fit_view fit_view_of(const float *raw) {
    double   x[QUICK_COUNT], l[QUICK_COUNT][QUICK_COUNT] = { { 0 } }, up[INVARIANTS], down[INVARIANTS];
    fit_view v = { .sd = { 0 } };
    for (int i = 0; i < QUICK_COUNT; i++) x[i] = (double)raw[i];
    view_at(x, v.centre);
    directions(raw, l);
    for (int j = 0; j < QUICK_COUNT; j++) {
        double above[QUICK_COUNT], below[QUICK_COUNT];
        for (int i = 0; i < QUICK_COUNT; i++) above[i] = x[i] + l[i][j], below[i] = x[i] - l[i][j];
        view_at(above, up);
        view_at(below, down);
        for (int q = 0; q < INVARIANTS; q++) v.sd[q] += 0.25 * (up[q] - down[q]) * (up[q] - down[q]);
    }
    for (int q = 0; q < INVARIANTS; q++) v.sd[q] = sqrt(v.sd[q]) + 1e-9;
    v.centre[INVARIANTS] = 100 * (double)raw[AT_RS];
    v.sd[INVARIANTS]     = exp((double)raw[AT_RS_SD]);
    return v;
}

double student(double z) { return 0.5 + 0.5 * z / sqrt(2 + z * z); }
double student_inverse(double v) {
    double a = 2 * v - 1;
    return a * sqrt(2 / fmax(1 - a * a, 1e-12));
}

/* On the scale of fit_view. */
static double derived(const double p[EIS_WITH_RS], int quantity) {
    eis_invariants v = eis_invariants_of(p);
    switch (quantity) {
    case QUANTITY_TER: return log(v.r0_ohm);
    case QUANTITY_TEC: return log(v.cinf_farad);
    case QUANTITY_N1: return log(v.n1_s);
    case QUANTITY_D1: return log(v.d1_s);
    default: return p[EIS_RS];
    }
}

static double axis_coordinate(eis_recipe recipe, double u) {
    return recipe == EIS_RECIPE_GRID ? (u + 0.5) / CELL_VALUES : u / (CELL_VALUES - 1);
}

void quantities_of(eis_recipe recipe, const double p[EIS_WITH_RS], const fit_view *view, float out[QUANTITIES_MOST]) {
    for (int k = 0; k < EIS_COUNT; k++) out[k] = (float)axis_coordinate(recipe, grid_coordinate(k, p[k]));
    if (recipe == EIS_RECIPE_GRID) return;
    for (int q = QUANTITY_TER; q < QUANTITIES_LAB; q++) {
        int at = q - QUANTITY_TER;
        out[q] = (float)student((derived(p, q) - view->centre[at]) / view->sd[at]);
    }
}

double quantity_value(eis_recipe recipe, int quantity, double coordinate, const fit_view *view) {
    if (quantity < EIS_COUNT) {
        const eis_parameter *p = &eis_parameters[quantity];
        double share = recipe == EIS_RECIPE_GRID ? (coordinate * CELL_VALUES - 0.5) / (CELL_VALUES - 1) : coordinate;
        return p->low * pow(p->high / p->low, share);
    }
    int    at    = quantity - QUANTITY_TER;
    double value = view->centre[at] + view->sd[at] * student_inverse(coordinate);
    return quantity == QUANTITY_RS ? fmin(fmax(value, 0), 100) : exp(value);
}
