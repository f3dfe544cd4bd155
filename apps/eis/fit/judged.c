/* A fit of what an instrument measured: what is wrong with the data is said first, then whether the circuit can have
 * made them, by a noise that is told without it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/check/kept.h"
#include "eis/check/noise.h"
#include "eis/posterior/chi2.h"
#include "judging.h"
#include "posterior.h"

static const double least_noise = 1e-4; /* of |Z|: better than any instrument */

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
}

/* ---- what is wrong with the data ---- */

/* A resistance and a blank have no epithelium, but a circuit. */
static bool forbids(const eis_fault *f) {
    return f->unfit && f->kind != EIS_FAULT_RESISTOR && f->kind != EIS_FAULT_BLANK;
}

static tide_status refuse_unfit(const judging *j, tide_failure *failure) {
    for (int64_t i = 0; i < j->found.count; i++)
        if (forbids(&j->found.of[i]))
            return fail_at(failure, TIDE_EDATA, NULL, 0, eis_fault_name(j->found.of[i].kind), "%s",
                           j->found.of[i].sentence);
    return TIDE_OK;
}

static void warn(judging *j, const char *sentence, const char *end) {
    j->warning[j->f->warnings++] = arena_printf(&j->f->parts->memory, "%s%s", sentence, end);
}

static void warn_of_data(judging *j) {
    for (int64_t i = 0; i < j->found.count; i++) {
        const eis_fault *f = &j->found.of[i];
        bool gone = !j->keeps && fault_leaves_out(f->kind);
        warn(j, f->sentence, !gone ? "" : f->points == 1 ? ": the fit is without it" : ": the fit is without them");
    }
}

/* ---- whether the circuit made them ---- */

static void put_used(judging *j) {
    int64_t *used = arena_new(&j->f->parts->memory, int64_t, j->f->points), count = 0;
    for (int64_t i = 0; i < j->s->count; i++)
        if (j->keeps || !j->found.left_out[i]) used[count++] = i;
    j->f->used = used;
}

/* The fit at the points that are not left out, whether it is without the others or not. */
static void model_of(const judging *j, eis_z *out) {
    for (int64_t i = 0, at = 0; i < j->f->points; i++)
        if (!j->found.left_out[j->f->used[i]]) out[at++] = j->f->model[i];
}

static double chi2_of(const judging *j, const eis_z *model, double nu) {
    double sum = 0;
    for (int64_t i = 0; i < j->kept.count; i++) {
        const eis_z *sigma = j->kept.sigma ? &j->kept.sigma[i] : NULL;
        double even = j->f->noise * hypot(model[i].re, model[i].im);
        double re = (j->kept.z[i].re - model[i].re) / (sigma ? sigma->re : even),
               im = (j->kept.z[i].im - model[i].im) / (sigma ? sigma->im : even);
        sum += re * re + im * im;
    }
    return sum / nu;
}

/* Where the spectrum does not come with it. */
double judging_noise(const judging *j) { return fmax(j->found.rest.noise, least_noise); }

static void put_noise(judging *j) {
    noise_estimate stated;
    eis_fitted *f = j->f;
    f->noise_source = EIS_NOISE_KRAMERS_KRONIG;
    f->noise = judging_noise(j), f->noise_dof = j->found.rest.dof;
    if (!j->kept.sigma || noise_of(&j->kept, &stated, NULL) != TIDE_OK) return;
    f->noise_source = stated.source, f->noise = stated.noise, f->noise_dof = stated.dof;
}

static bool judge(judging *j) {
    eis_fitted *f = j->f;
    double nu = (double)(2 * j->kept.count - f->free_parameters);
    eis_z *model = arena_new(&f->parts->memory, eis_z, j->kept.count);
    f->verdict = EIS_FIT_OPEN, f->chi2 = NAN;
    put_noise(j);
    model_of(j, model);
    if (!residuals_of(&j->kept, model, &j->left)) return false;
    if (!(nu >= 1) || !(f->noise > 0)) return true;
    f->chi2 = chi2_of(j, model, nu);
    bool noise = chi2_fits(f->noise_source, f->noise_dof, f->chi2, nu);
    f->verdict = j->left.systematic ? EIS_FIT_SYSTEMATIC : noise ? EIS_FIT_ADEQUATE : EIS_FIT_NOISY;
    return true;
}

/* Where residuals are divided by anything but their deviations, it may be these weights that leave so much. */
static void warn_of_circuit(judging *j) {
    const eis_fitted *f = j->f;
    text line = { 0 };
    bool systematic = f->verdict == EIS_FIT_SYSTEMATIC;
    bool fair = f->weights == EIS_WEIGHTS_MODULUS || f->weights == EIS_WEIGHTS_STATISTICAL;
    if (!systematic && f->verdict != EIS_FIT_NOISY) return;
    text_add(&line,
             "this circuit%s cannot have made the spectrum: it leaves %.2g %% of |Z| where the noise is %.2g %% "
             "(%s), reduced chi2 %.3g",
             fair ? "" : ", or it with these weights,", 100 * j->left.size, 100 * f->noise,
             eis_noise_source_name(f->noise_source), f->chi2);
    if (systematic)
        text_add(&line, ", with %lld changes of sign where noise has about %lld", (long long)j->left.changes,
                 (long long)j->left.pairs / 2);
    if (!line.failed) warn(j, line.data, "");
    text_free(&line);
}

/* A resistance or a blank has a circuit, and no epithelium. */
static void drop_quantities(judging *j) {
    for (int64_t i = 0; i < j->found.count; i++)
        if (j->found.of[i].unfit) j->f->quantities = 0;
}

tide_status judging_conclude(judging *j, tide_failure *failure) {
    if (setjmp(j->f->parts->out_of_memory)) return out_of_memory(failure);
    j->f->warning = j->warning = arena_new(&j->f->parts->memory, const char *, WARNINGS_MOST);
    put_used(j);
    warn_of_data(j);
    drop_quantities(j);
    if (!judge(j)) return out_of_memory(failure);
    warn_of_circuit(j);
    return TIDE_OK;
}

/* ---- the posterior ---- */

/* By the noise that the circuit was judged by, larger where it does not fit. */
static double widening_of(const judging *j) {
    if (j->f->verdict == EIS_FIT_ADEQUATE || isnan(j->f->chi2)) return 1;
    return sqrt(fmax(1, j->f->chi2 * j->left.correlation));
}

/* That there is none is a warning: the fit stands. */
static tide_status refuse_posterior(judging *j, const tide_failure *why, tide_failure *failure) {
    if (setjmp(j->f->parts->out_of_memory)) return out_of_memory(failure);
    warn(j, why->message, "");
    return TIDE_OK;
}

static tide_status add_posterior(judging *j, const equivalent *e, const eis_fit_options *o, const eis_spectrum *points,
                                 listening *l, tide_failure *failure) {
    equivalent chosen;
    eis_fit_options of_chosen = *o;
    tide_failure why = { 0 };
    const stopper stop = { fit_stopped, l };
    snprintf(of_chosen.circuit, sizeof of_chosen.circuit, "%s", j->f->circuit);
    tide_status status = e ? TIDE_OK : fit_circuit(&of_chosen, NULL, &chosen, &why);
    const posterior_question q = { e ? e : &chosen, o, points, widening_of(j), &stop, j->f };
    if (status == TIDE_OK) status = fit_posterior(&q, j->f, &why);
    if (status == TIDE_EDATA) return refuse_posterior(j, &why, failure);
    if (status != TIDE_OK) *failure = why;
    return status;
}

/* ---- all ---- */

tide_status judging_begin(judging *j, tide_failure *failure) {
    if (!faults_of(j->s, &j->found)) return out_of_memory(failure);
    tide_status status = refuse_unfit(j, failure);
    if (status == TIDE_OK && !kept_new(j->s, j->found.left_out, &j->kept)) return out_of_memory(failure);
    return status;
}

const eis_spectrum *judging_points(const judging *j) { return j->keeps ? j->s : &j->kept; }

void judging_free(judging *j) {
    faults_free(&j->found);
    kept_free(&j->kept);
}

static tide_status fit_judged(judging *j, const equivalent *e, const eis_fit_options *o, const blank *b,
                              eis_listener listener, void *user, tide_failure *failure) {
    const eis_spectrum *points = judging_points(j);
    fit_beside beside = { judging_noise(j), b, j->guessed };
    tide_status status = e ? fit_one(e, o, points, &beside, listener, user, j->f, failure)
                           : fit_auto(o, points, &beside, listener, user, j->f, failure);
    if (status == TIDE_OK) status = judging_conclude(j, failure);
    listening l = { listener, user };
    return status == TIDE_OK && o->posterior ? add_posterior(j, e, o, points, &l, failure) : status;
}

tide_status fit_measured(const equivalent *e, const eis_fit_options *o, const blank *b, const eis_spectrum *s,
                         const fit_guessed *guessed, eis_listener listener, void *user, eis_fitted *out,
                         tide_failure *failure) {
    judging j = { .s = s, .keeps = o->keep_points || o->robust, .guessed = guessed, .f = out };
    *out = (eis_fitted){ 0 };
    if (*o->same)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "same", "`same` is of several spectra, and this is one");
    tide_status status = judging_begin(&j, failure);
    if (status == TIDE_OK) status = fit_judged(&j, e, o, b, listener, user, failure);
    judging_free(&j);
    if (status != TIDE_OK) eis_fitted_free(out);
    return status;
}
