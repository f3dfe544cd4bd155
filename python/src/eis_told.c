/* Checks, fits and distributions of relaxation times as Python's objects. */
#include <stddef.h>

#include "eis.h"

/* ---- checks ---- */

static PyObject *faults_of(const eis_checked *c) {
    static const field rows[] = { TRUTH_AT(eis_fault, unfit),
                                  DOUBLE_AT(eis_fault, size), TEXT_AT(eis_fault, sentence), { 0 } };
    PyObject *all = records(rows, c->faults, sizeof *c->fault, c->fault);
    for (int64_t i = 0; all && i < c->faults; i++) {
        const eis_fault *f = &c->fault[i];
        PyObject        *one = PyTuple_GetItem(all, i);
        if (!put(one, "kind", text_or_none(eis_fault_name(f->kind))) ||
            !put(one, "points", integers_of(f->points, f->points ? f->point : &f->points)))
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *truths(int64_t count, const bool *v) {
    array_object *out = array_new(TIDE_BOOL, (tide_shape){ .ndim = 1, .dim = { count } });
    for (int64_t i = 0; out && i < count; i++) ((bool *)out->data)[i] = v[i];
    return (PyObject *)out;
}

bool tell_checked(PyObject *d, const eis_checked *c) {
    static const char *const verdicts[] = { "sound", "flawed", "unfit" };
    static const field rows[] = { TEXT_AT(eis_checked, name),          WORD_AT(eis_checked, verdict, verdicts),
                                  WORD_AT(eis_checked, noise_source, NULL), DOUBLE_AT(eis_checked, noise),
                                  DOUBLE_AT(eis_checked, noise_robust), DOUBLE_AT(eis_checked, noise_dof),
                                  INT64_AT(eis_checked, terms),        DOUBLE_AT(eis_checked, mu),
                                  DOUBLE_AT(eis_checked, pseudo_chi2), DOUBLE_AT(eis_checked, extension),
                                  TRUTH_AT(eis_checked, admittance),   TRUTH_AT(eis_checked, plateau),
                                  DOUBLE_AT(eis_checked, zhit_rms),    { 0 } };
    int64_t points = c->terms ? c->points : 0, scanned = c->terms ? c->most_terms + 1 : 0;
    return put_fields(d, rows, c) && put(d, "faults", faults_of(c)) &&
           put(d, "pseudo_chi2_of", array_of(scanned, c->pseudo_chi2_of)) &&
           put(d, "freq", array_of(c->points, c->freq_hz)) && put(d, "residual", complex_tuple(points, c->residual)) &&
           put(d, "left_out", truths(points, c->left_out)) && put(d, "zhit", array_of(points, c->zhit)) &&
           put(d, "json", owned_text(eis_checked_json(c))) && put(d, "text", owned_text(eis_checked_text(c)));
}

/* ---- fits ---- */

static PyObject *parameters_of(const eis_fitted *f) {
    static const char *const states[] = { "free", "fixed", "tied", "at_low", "at_high", "open" };
    typedef eis_fit_parameter P;
    static const field rows[] = { TEXT_AT(P, name), TEXT_AT(P, symbol), TEXT_AT(P, unit), DOUBLE_AT(P, value),
                                  DOUBLE_AT(P, error), DOUBLE_AT(P, low95), DOUBLE_AT(P, high95), DOUBLE_AT(P, low),
                                  DOUBLE_AT(P, high), WORD_AT(P, state, states),
                                  { "per_area", FIELD_DOUBLE, offsetof(P, per_area.value), NULL },
                                  { "per_area_error", FIELD_DOUBLE, offsetof(P, per_area.error), NULL },
                                  { "per_area_unit", FIELD_TEXT, offsetof(P, per_area.unit), NULL }, { 0 } };
    return records(rows, f->parameters, sizeof *f->parameter, f->parameter);
}

static PyObject *quantities_of(const eis_fitted *f) {
    typedef eis_fit_quantity Q;
    static const field rows[] = { TEXT_AT(Q, name), TEXT_AT(Q, unit), DOUBLE_AT(Q, value), DOUBLE_AT(Q, error),
                                  { "per_area", FIELD_DOUBLE, offsetof(Q, per_area.value), NULL },
                                  { "per_area_error", FIELD_DOUBLE, offsetof(Q, per_area.error), NULL },
                                  { "per_area_unit", FIELD_TEXT, offsetof(Q, per_area.unit), NULL }, { 0 } };
    return records(rows, f->quantities, sizeof *f->quantity, f->quantity);
}

static PyObject *minima_of(const eis_fitted *f) {
    static const field rows[] = { DOUBLE_AT(eis_fit_minimum, objective), INT64_AT(eis_fit_minimum, starts), { 0 } };
    PyObject *all = records(rows, f->minima, sizeof *f->minimum, f->minimum);
    for (int64_t i = 0; all && i < f->minima; i++)
        if (!put(PyTuple_GetItem(all, i), "values", array_of(f->parameters, f->minimum[i].value))) Py_CLEAR(all);
    return all;
}

static PyObject *parts_of(const eis_fitted *f) {
    typedef eis_fit_spectrum S;
    static const field rows[] = { TEXT_AT(S, name), INT64_AT(S, points), WORD_AT(S, verdict, verdict_words),
                                  WORD_AT(S, noise_source, NULL), DOUBLE_AT(S, noise), DOUBLE_AT(S, noise_dof),
                                  DOUBLE_AT(S, chi2), { 0 } };
    return records(rows, f->spectra, sizeof *f->spectrum, f->spectrum);
}

static PyObject *priors_of(const eis_fitted *f) {
    typedef eis_fit_prior P;
    static const field rows[] = { TEXT_AT(P, name), DOUBLE_AT(P, value), DOUBLE_AT(P, deviation),
                                  DOUBLE_AT(P, fitted), DOUBLE_AT(P, pull), { 0 } };
    return records(rows, f->priors, sizeof *f->prior, f->prior);
}

static PyObject *ranking_of(const eis_fitted *f) {
    typedef eis_fit_candidate C;
    static const field rows[] = { TEXT_AT(C, circuit), DOUBLE_AT(C, bic), DOUBLE_AT(C, objective),
                                  INT64_AT(C, free_parameters), { 0 } };
    return records(rows, f->candidates, sizeof *f->candidate, f->candidate);
}

static PyObject *norms_of(const eis_fitted *f) {
    PyObject *d = PyDict_New();
    for (int i = 0; d && i < EIS_RESNORMS; i++)
        if (!put(d, eis_resnorm_name((eis_resnorm_kind)i), PyFloat_FromDouble(f->resnorm[i]))) Py_CLEAR(d);
    return d;
}

static PyObject *marginals_of(const eis_fit_posterior *p) {
    typedef eis_fit_marginal M;
    static const field rows[] = { TEXT_AT(M, name), TEXT_AT(M, unit),
                                  { "low", FIELD_DOUBLE, offsetof(M, of.low), NULL },
                                  { "median", FIELD_DOUBLE, offsetof(M, of.median), NULL },
                                  { "high", FIELD_DOUBLE, offsetof(M, of.high), NULL }, TEXT_AT(M, limit),
                                  TRUTH_AT(M, assumed), { 0 } };
    return records(rows, p->marginals, sizeof *p->marginal, p->marginal);
}

/* None where it was not asked for. */
static PyObject *posterior_of(const eis_fit_posterior *p) {
    typedef eis_fit_posterior P;
    static const field rows[] = { TEXT_AT(P, method), DOUBLE_AT(P, effective), DOUBLE_AT(P, disagreement),
                                  DOUBLE_AT(P, noise), DOUBLE_AT(P, noise_dof), { 0 } };
    if (!p) return Py_NewRef(Py_None);
    PyObject *d = PyDict_New();
    if (d && !(put_fields(d, rows, p) && put(d, "marginals", marginals_of(p)) &&
               put(d, "correlation", matrix_of(p->marginals, p->marginals, p->correlation)) &&
               put(d, "draws", matrix_of(p->draws, p->marginals, p->value)) &&
               put(d, "weights", array_of(p->draws, p->weight)) && put(d, "notes", texts(p->notes, p->note))))
        Py_CLEAR(d);
    return d;
}

static bool put_lists(PyObject *d, const eis_fitted *f) {
    return put(d, "parameters", parameters_of(f)) && put(d, "quantities", quantities_of(f)) &&
           put(d, "minima", minima_of(f)) && put(d, "spectra", parts_of(f)) && put(d, "priors", priors_of(f)) &&
           put(d, "ranking", ranking_of(f)) && put(d, "norms", norms_of(f)) &&
           put(d, "posterior", posterior_of(f->posterior)) && put(d, "warnings", texts(f->warnings, f->warning)) &&
           put(d, "notes", texts(f->notes, f->note));
}

bool tell_fitted(PyObject *d, const eis_fitted *f) {
    static const char *const weights[] = { "modulus", "unit", "proportional", "statistical", "normalised" };
    typedef eis_fitted F;
    static const field rows[] = { TEXT_AT(F, name), TEXT_AT(F, circuit), WORD_AT(F, weights, weights),
                                  DOUBLE_AT(F, area_cm2), INT64_AT(F, free_parameters), DOUBLE_AT(F, objective),
                                  DOUBLE_AT(F, reduced), DOUBLE_AT(F, aic), DOUBLE_AT(F, bic), INT64_AT(F, starts),
                                  WORD_AT(F, verdict, verdict_words), WORD_AT(F, noise_source, NULL),
                                  DOUBLE_AT(F, noise), DOUBLE_AT(F, noise_dof), DOUBLE_AT(F, chi2), { 0 } };
    return put_fields(d, rows, f) && put_lists(d, f) &&
           put(d, "correlation", matrix_of(f->parameters, f->parameters, f->correlation)) &&
           put(d, "used", integers_of(f->points, f->used)) && put(d, "model", complex_tuple(f->points, f->model)) &&
           put(d, "share", array_of(f->points, f->share)) && put(d, "json", owned_text(eis_fitted_json(f))) &&
           put(d, "text", owned_text(eis_fitted_text(f)));
}

/* ---- relaxations ---- */

static PyObject *peaks_of(const eis_relaxations *r) {
    typedef eis_drt_peak P;
    static const field rows[] = { DOUBLE_AT(P, tau_s), DOUBLE_AT(P, frequency_hz), DOUBLE_AT(P, gamma_ohm),
                                  DOUBLE_AT(P, r_ohm), DOUBLE_AT(P, c_farad), TRUTH_AT(P, beyond), { 0 } };
    return records(rows, r->peaks, sizeof *r->peak, r->peak);
}

bool tell_relaxations(PyObject *d, const eis_relaxations *r) {
    static const char *const ways[] = { "gcv", "l-curve", "given" };
    typedef eis_relaxations R;
    static const field rows[] = { TEXT_AT(R, name), WORD_AT(R, lambda_by, ways),
                                  { "lambda_", FIELD_DOUBLE, offsetof(R, lambda), NULL }, INT64_AT(R, penalty_order),
                                  DOUBLE_AT(R, r_inf_ohm), DOUBLE_AT(R, l_henry), DOUBLE_AT(R, c_farad),
                                  DOUBLE_AT(R, area_ohm), DOUBLE_AT(R, low_ohm), DOUBLE_AT(R, rms),
                                  DOUBLE_AT(R, rms_signed), TRUTH_AT(R, negative_arc), TEXT_AT(R, notes), { 0 } };
    return put_fields(d, rows, r) && put(d, "peaks", peaks_of(r)) && put(d, "tau", array_of(r->taus, r->tau_s)) &&
           put(d, "gamma", array_of(r->taus, r->gamma_ohm)) && put(d, "freq", array_of(r->points, r->freq_hz)) &&
           put(d, "residual", complex_tuple(r->points, r->residual)) &&
           put(d, "json", owned_text(eis_relaxations_json(r))) &&
           put(d, "text", owned_text(eis_relaxations_text(r)));
}
