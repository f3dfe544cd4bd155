/* TER, TEC and the time constants of a fitted epithelium: the spectrum determines them where it leaves the five
 * parameters open. Errors by the covariance of the logarithms. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "fitted.h"

enum { QUANTITIES = 4 };
static const char *const names[EIS_COUNT] = { "Rsh", "Ra", "Rb", "Ca", "Cb" };
_Static_assert((int)QUANTITIES == (int)FIT_QUANTITIES, "as many as fitted.h says");
static const double step = 1e-4;
static const double open_share = 1e-3; /* a quantity that moves more than this along an open direction */

/* How many of the quantities there are: TER of two membranes, with a shunt or not, all with capacitances too. */
static int find_all(const equivalent *e, int at[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++)
        if ((at[k] = parameter_find(e, names[k], strlen(names[k]))) < 0 && k != EIS_RSH) return k > EIS_RB;
    return QUANTITIES;
}

static void logarithms(const fit_problem *p, const int at[EIS_COUNT], const double *x, double out[QUANTITIES]) {
    double values[PARAMETERS_MOST], five[EIS_COUNT];
    fit_values(p, x, values);
    for (int k = 0; k < EIS_COUNT; k++) five[k] = at[k] >= 0 ? values[at[k]] : k == EIS_RSH ? INFINITY : 1;
    eis_invariants q = eis_invariants_of(five);
    out[0] = log(q.r0_ohm), out[1] = log(q.cinf_farad), out[2] = log(q.n1_s), out[3] = log(q.d1_s);
}

static void slopes(const fit_problem *p, const int at[EIS_COUNT], const double *x, int v, double out[QUANTITIES]) {
    double moved[VARIABLES_MOST], low[QUANTITIES];
    memcpy(moved, x, (size_t)p->variables * sizeof *x);
    moved[v] = x[v] + step, logarithms(p, at, moved, out);
    moved[v] = x[v] - step, logarithms(p, at, moved, low);
    for (int i = 0; i < QUANTITIES; i++) out[i] = (out[i] - low[i]) / (2 * step);
}

static double error_of(const fit_uncertainty *u, const double *slope) {
    double variance = 0;
    for (int k = 0; k < u->open; k++) {
        double along = 0;
        for (int i = 0; i < u->count; i++) along += slope[i * QUANTITIES] * u->direction[k * u->count + i];
        if (fabs(along) > open_share) return NAN;
    }
    for (int i = 0; i < u->count; i++)
        for (int j = 0; j < u->count; j++)
            variance += slope[i * QUANTITIES] * u->covariance[i * u->count + j] * slope[j * QUANTITIES];
    return sqrt(variance);
}

int fit_quantity_values(const fit_problem *p, const double *x, double out[FIT_QUANTITIES]) {
    int at[EIS_COUNT] = { -1, -1, -1, -1, -1 }, count = find_all(p->e, at);
    if (count) logarithms(p, at, x, out);
    for (int k = 0; k < count; k++) out[k] = exp(out[k]);
    return count;
}

void fit_quantities(const fit_problem *p, const fit_uncertainty *u, const double *x, arena *memory, eis_fitted *out) {
    static const struct {
        const char *name, *unit;
        slot_role role;
    } what[QUANTITIES] = { { "TER", "ohm", ROLE_RESISTANCE },
                           { "TEC", "F", ROLE_CAPACITANCE },
                           { "n1", "s", ROLE_TIME },
                           { "d1", "s", ROLE_TIME } };
    int at[EIS_COUNT] = { -1, -1, -1, -1, -1 };
    int count = find_all(p->e, at);
    double slope[VARIABLES_MOST * QUANTITIES], value[QUANTITIES];
    if (count == 0) return;
    eis_fit_quantity *q = arena_new(memory, eis_fit_quantity, QUANTITIES);
    logarithms(p, at, x, value);
    for (int i = 0; i < u->count; i++) slopes(p, at, x, u->variable[i], slope + i * QUANTITIES);
    for (int k = 0; k < count; k++) {
        double size = exp(value[k]), error = size * error_of(u, slope + k);
        q[k] = (eis_fit_quantity){ what[k].name, what[k].unit, size, error,
                                   fit_per_area(what[k].role, out->area_cm2, size, error) };
    }
    out->quantity = q, out->quantities = count;
}
