/* TER, TEC and the time constants of a fitted epithelium: the spectrum determines them where it leaves the five
 * parameters open. Errors by the covariance of the logarithms. */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "telling.h"

enum { QUANTITIES = 4 };
static const char *const names[EIS_COUNT] = { "Rsh", "Ra", "Rb", "Ca", "Cb" };
_Static_assert((int)QUANTITIES == (int)FIT_QUANTITIES, "as many as fitted.h says");
static const double step = 1e-4;
static const double open_share = 1e-3; /* a quantity that moves more than this along an open direction */
static const double apart = 3, apart_least = 0.02; /* standard errors, and of a logarithm: another value */

/* How many of the quantities there are: TER of two membranes, with a shunt or not, all with capacitances too. */
static int find_all(const equivalent *e, int at[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++)
        if ((at[k] = parameter_find(e, names[k], strlen(names[k]))) < 0 && k != EIS_RSH) return k > EIS_RB;
    return QUANTITIES;
}

static void logarithms(const fit_problem *p, int spectrum, const int at[EIS_COUNT], const double *x,
                       double out[QUANTITIES]) {
    double values[PARAMETERS_MOST], five[EIS_COUNT];
    fit_values_of(p, spectrum, x, values);
    for (int k = 0; k < EIS_COUNT; k++) five[k] = at[k] >= 0 ? values[at[k]] : k == EIS_RSH ? INFINITY : 1;
    eis_invariants q = eis_invariants_of(five);
    out[0] = log(q.r0_ohm), out[1] = log(q.cinf_farad), out[2] = log(q.n1_s), out[3] = log(q.d1_s);
}

static void slopes(const fit_problem *p, int spectrum, const int at[EIS_COUNT], const double *x, int v,
                   double out[QUANTITIES]) {
    double moved[VARIABLES_MOST], low[QUANTITIES];
    memcpy(moved, x, (size_t)p->variables * sizeof *x);
    moved[v] = x[v] + step, logarithms(p, spectrum, at, moved, out);
    moved[v] = x[v] - step, logarithms(p, spectrum, at, moved, low);
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
    if (count) logarithms(p, 0, at, x, out);
    for (int k = 0; k < count; k++) out[k] = exp(out[k]);
    return count;
}

static const struct {
    const char *name, *unit;
    slot_role role;
    unsigned made_of; /* bits of the five parameters */
} what[QUANTITIES] = { { "TER", "ohm", ROLE_RESISTANCE, 1u << EIS_RSH | 1u << EIS_RA | 1u << EIS_RB },
                       { "TEC", "F", ROLE_CAPACITANCE, 1u << EIS_CA | 1u << EIS_CB },
                       { "n1", "s", ROLE_TIME, 0x1e },
                       { "d1", "s", ROLE_TIME, 0x1f } };

/* Of all spectra alike: it is made of shared parameters. */
static bool is_shared(const fit_names *n, const int at[EIS_COUNT], int quantity) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (what[quantity].made_of >> k & 1 && at[k] >= 0 && !(n->shared && n->shared[at[k]])) return false;
    return true;
}

typedef struct measuring {
    const telling *t;
    const fit_names *names;
    const fit_problem *p;
    const fit_uncertainty *u;
    const double *x;
    int at[EIS_COUNT], count;
    arena *memory;
    eis_fitted *out;
    eis_fit_quantity *put;
} measuring;

static void add_quantity(measuring *m, const char *name, const char *unit, slot_role role, double size, double error) {
    m->put[m->out->quantities++] =
        (eis_fit_quantity){ name, unit, size, error, fit_per_area(role, m->out->area_cm2, size, error) };
}

/* What another minimum that is as good has otherwise is not determined. */
static void compare_minima(const measuring *m, int spectrum, const double *value, double *error) {
    double other[QUANTITIES];
    for (int i = 1; i < m->t->as_good; i++) {
        logarithms(m->p, spectrum, m->at, m->t->minima->of[i].x, other);
        for (int k = 0; k < m->count; k++)
            if (fabs(other[k] - value[k]) > fmax(apart * error[k], apart_least)) error[k] = NAN;
    }
}

static void add_spectrum(measuring *m, int spectrum, double *slope) {
    double value[QUANTITIES], error[QUANTITIES];
    logarithms(m->p, spectrum, m->at, m->x, value);
    for (int i = 0; i < m->u->count; i++)
        slopes(m->p, spectrum, m->at, m->x, m->u->variable[i], slope + i * QUANTITIES);
    for (int k = 0; k < m->count; k++) error[k] = fit_out_of_sight(exp(value[k])) ? NAN : error_of(m->u, slope + k);
    compare_minima(m, spectrum, value, error);
    for (int k = 0; k < m->count; k++) {
        bool numbered = m->p->spectra > 1 && !is_shared(m->names, m->at, k);
        double size = exp(value[k]);
        if (spectrum && !numbered) continue;
        add_quantity(m, numbered ? arena_printf(m->memory, "%s#%d", what[k].name, spectrum + 1) : what[k].name,
                     what[k].unit, what[k].role, size, size * error[k]);
    }
}

/* Where only the shunt differs, the difference of its conductances is seen, and neither of them. */
static void add_shunt(measuring *m, int spectrum, double *slope) {
    const int *variable = m->p->variable + m->at[EIS_RSH];
    int from = variable[0], to = variable[spectrum * PARAMETERS_MOST];
    if (from < 0 || to < 0) return;
    double before = exp(-m->x[from]), after = exp(-m->x[to]), size = fmax(fabs(after - before), 1e-300);
    for (int i = 0; i < m->u->count; i++) {
        int v = m->u->variable[i];
        slope[i * QUANTITIES] = ((v == from) * before - (v == to) * after) / size;
    }
    add_quantity(m, arena_printf(m->memory, "1/Rsh#%d-1/Rsh#1", spectrum + 1), "S", ROLE_NUMBER, after - before,
                 size * error_of(m->u, slope));
}

static bool only_shunt(const measuring *m) {
    bool shared = m->p->spectra > 1 && m->at[EIS_RSH] >= 0 && !m->names->shared[m->at[EIS_RSH]];
    for (int k = EIS_RA; shared && k < EIS_COUNT; k++) shared = m->at[k] >= 0 && m->names->shared[m->at[k]];
    return shared;
}

void fit_quantities(telling *t) {
    const fit_problem *p = t->p;
    measuring m = {
        t, &t->names, p, t->u, t->minima->of[0].x, { -1, -1, -1, -1, -1 }, 0, t->memory, t->f, NULL
    };
    double slope[VARIABLES_MOST * QUANTITIES];
    m.count = find_all(p->e, m.at);
    if (m.count == 0) return;
    t->f->quantity = m.put = arena_new(t->memory, eis_fit_quantity, (QUANTITIES + 1) * p->spectra);
    for (int s = 0; s < p->spectra; s++) add_spectrum(&m, s, slope);
    for (int s = 1; s < p->spectra && only_shunt(&m); s++) add_shunt(&m, s, slope);
}

/* ---- the fibre ---- */

bool fit_has_quantities(const equivalent *e) {
    int at[EIS_COUNT];
    return find_all(e, at) > 0;
}

/* The variables of the five parameters of a spectrum. False: one of them is fixed, or lies on a bound. */
static bool free_five(const fit_problem *p, const int at[EIS_COUNT], int spectrum, int out[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (at[k] < 0 || (out[k] = p->variable[spectrum * PARAMETERS_MOST + at[k]]) < 0 || p->held[out[k]])
            return false;
    return true;
}

void fit_open_fibre(const fit_problem *p, fit_uncertainty *u) {
    int at[EIS_COUNT] = { -1, -1, -1, -1, -1 }, five[EIS_COUNT];
    if (find_all(p->e, at) < QUANTITIES || p->priors) return;
    for (int s = 0; s < p->spectra; s++) {
        bool open = false, free = free_five(p, at, s, five);
        for (int k = 0; free && k < EIS_COUNT; k++) open = open || isnan(u->error[five[k]]);
        for (int k = 0; open && k < EIS_COUNT; k++) u->error[five[k]] = NAN;
    }
}
