/* The same sums from three sets of starts, and what the truth leads to. */
#include "cell_fits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/fit/robust.h"
#include "eis/fit/search.h"
#include "eis/predictor/arcs_answer.h"

#define TWO_PI 6.283185307179586476925286766559

/* As they were drawn. */
static const char exponents[] = "CPE1_1=0.7..1,CPE2_1=0.7..1,CPEel_1=0.7..1";

typedef struct fitting {
    equivalent e;
    fit_data data;
    fit_problem problem;
    double omega_low;
} fitting;

static void take_fit(const fitting *f, const double *x, double p[ARCS_COUNT]) {
    static const struct {
        const char *name;
        int at;
    } of[] = {
        { "R1", ARC_R1 },     { "R2", ARC_R2 }, { "CPE1_0", ARC_TAU1 }, { "CPE1_1", ARC_N1 },   { "CPE2_0", ARC_TAU2 },
        { "CPE2_1", ARC_N2 }, { "Rs", ARC_RS }, { "CPEel_0", ARC_EL },  { "CPEel_1", ARC_NEL }, { "L0", ARC_L },
    };
    double values[PARAMETERS_MOST];
    fit_values(&f->problem, x, values);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        p[of[i].at] = values[parameter_find(&f->e, of[i].name, strlen(of[i].name))];
    p[ARC_TAU1] = pow(p[ARC_TAU1] * p[ARC_R1], 1 / p[ARC_N1]);
    p[ARC_TAU2] = pow(p[ARC_TAU2] * p[ARC_R2], 1 / p[ARC_N2]);
    p[ARC_EL] = 1 / (p[ARC_EL] * pow(f->omega_low, p[ARC_NEL]));
    arcs_order(p);
}

/* The guess as coordinates, in x. */
static tide_status place(const fitting *f, const double p[ARCS_COUNT], double *x, tide_failure *failure) {
    fit_guess g = arcs_guess_of(p, f->omega_low);
    return fit_guess_start(&f->problem, &g, x) ? TIDE_OK : fail(failure, TIDE_EINVAL, "the start is no circuit");
}

typedef tide_status searching(fit_problem *p, const fit_guesses *guesses, fit_stop stop, void *user, fit_minima *out,
                              tide_failure *failure);

static tide_status search(fitting *f, searching *by, const fit_guesses *guesses, double *sum, tide_failure *failure) {
    fit_minima minima;
    tide_status status = by(&f->problem, guesses, NULL, NULL, &minima, failure);
    if (status == TIDE_OK) *sum = minima.of[0].sum;
    memset(f->problem.held, 0, sizeof f->problem.held);
    return status;
}

static tide_status fit_robustly(fitting *f, double *x, tide_failure *failure) {
    robust r = { 0 };
    tide_status status = robust_fit(&f->problem, &f->data, x, &r, failure);
    free(r.share);
    return status;
}

static tide_status fit_all(fitting *f, const sample *s, const fit_guessed *starts, cell_fits *out,
                           tide_failure *failure) {
    fit_guesses guesses;
    double truth[VARIABLES_MOST];
    fit_minimum below;
    tide_status status = place(f, s->arcs, truth, failure);
    fit_guesses_of(&f->problem, starts, &guesses);
    if (status == TIDE_OK && guesses.count < starts->count)
        status = fail(failure, TIDE_EINVAL, "the start is no circuit");
    if (status == TIDE_OK) status = search(f, fit_search_guesses, &guesses, &out->from_start, failure);
    if (status == TIDE_OK) status = search(f, fit_search, NULL, &out->searched, failure);
    if (status == TIDE_OK) status = search(f, fit_search, &guesses, &out->with_start, failure);
    if (status == TIDE_OK) status = fit_minimise(&f->problem, truth, &below, failure);
    if (status != TIDE_OK) return status;
    memset(f->problem.held, 0, sizeof f->problem.held);
    out->best = fmin(fmin(out->from_start, below.sum), fmin(out->searched, out->with_start));
    status = fit_robustly(f, below.x, failure);
    take_fit(f, below.x, out->p);
    out->tried = status == TIDE_OK;
    return status;
}

tide_status cell_fits_of(const sample *s, const fit_guessed *starts, cell_fits *out, tide_failure *failure) {
    fitting f = { .omega_low = TWO_PI * s->freq_hz[s->count - 1] };
    double freq_hz[SAMPLE_MOST];
    eis_z z[SAMPLE_MOST];
    eis_spectrum spectrum = { .count = s->count, .freq_hz = freq_hz, .z = z };
    memcpy(freq_hz, s->freq_hz, sizeof freq_hz);
    memcpy(z, s->z, sizeof z);
    *out = (cell_fits){ .tried = false };
    tide_status status = equivalent_parse("arcs", &f.e, failure);
    if (status == TIDE_OK) status = equivalent_range(&f.e, exponents, failure);
    if (status == TIDE_OK) status = fit_data_new(&spectrum, EIS_WEIGHTS_MODULUS, &f.data, failure);
    if (status == TIDE_OK && !fit_problem_new(&f.e, &f.data, &f.problem))
        status = fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    if (status == TIDE_OK) status = fit_all(&f, s, starts, out, failure);
    fit_problem_free(&f.problem);
    fit_data_free(&f.data);
    return status;
}
