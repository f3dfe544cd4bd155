/* The public struct on what it is made of. */
#include "relaxations.h"

#include <math.h>
#include <stdlib.h>

#include "eis/circuit/parameters.h"
#include "lambda.h"
#include "peaks.h"

struct eis_relaxations_parts {
    char *name;
    text notes;
    inverse of;
    double *x, *scratch;
    double *freq_hz, *tau, *gamma;
    eis_z *residual;
    eis_drt_peak *peak;
};

enum { FINER = 4 }; /* points of the curve, a step between its functions */
/* A negative arc: with it at most this share of the misfit is left, which is no small one. */
static const double signed_share = 1 / 3.0, misfit = 0.01;

static bool room_for(const eis_spectrum *s, struct eis_relaxations_parts *p) {
    size_t points = (size_t)s->count, taus = ((size_t)p->of.basis.count - 1) * FINER + 1;
    p->x = malloc(sizeof *p->x * (size_t)p->of.unknowns);
    p->scratch = malloc(sizeof *p->scratch * inverse_scratch(&p->of));
    p->freq_hz = malloc(sizeof *p->freq_hz * points), p->residual = malloc(sizeof *p->residual * points);
    p->tau = malloc(sizeof *p->tau * taus), p->gamma = malloc(sizeof *p->gamma * taus);
    return p->x && p->scratch && p->freq_hz && p->residual && p->tau && p->gamma;
}

static void put_residuals(const eis_spectrum *s, struct eis_relaxations_parts *p, eis_relaxations *out) {
    double square = 0;
    for (int64_t i = 0; i < s->count; i++) {
        eis_z left = { inverse_residual(&p->of, p->x, i), inverse_residual(&p->of, p->x, i + s->count) };
        p->freq_hz[i] = s->freq_hz[i], p->residual[i] = left;
        square += left.re * left.re + left.im * left.im;
    }
    out->points = s->count, out->freq_hz = p->freq_hz, out->residual = p->residual;
    out->rms = sqrt(square / (double)p->of.rows);
}

/* From the columns' scale to ohm, henry, farad; x is that of the functions then. */
static void put_values(struct eis_relaxations_parts *p, eis_relaxations *out) {
    const inverse *v = &p->of;
    int m = v->basis.count;
    for (int k = 0; k < v->unknowns; k++) p->x[k] *= v->ohm / v->length[k];
    out->r_inf_ohm = p->x[m], out->l_henry = p->x[m + 1];
    out->c_farad = v->capacitance && p->x[m + 2] > 0 ? 1 / p->x[m + 2] : INFINITY;
    out->area_ohm = rbf_area(&v->basis, p->x, -INFINITY, INFINITY);
}

static void put_curve(struct eis_relaxations_parts *p, eis_relaxations *out) {
    const rbf *r = &p->of.basis;
    out->taus = (r->count - 1) * FINER + 1, out->tau_s = p->tau, out->gamma_ohm = p->gamma;
    for (int64_t i = 0; i < out->taus; i++) {
        double t = r->first + r->step * (double)i / FINER;
        p->tau[i] = exp(t), p->gamma[i] = rbf_gamma(r, p->x, t);
    }
}

static int64_t lowest(const eis_spectrum *s) {
    int64_t at = 0;
    for (int64_t i = 1; i < s->count; i++)
        if (s->freq_hz[i] < s->freq_hz[at]) at = i;
    return at;
}

static double highest_hz(const eis_spectrum *s) {
    double most = 0;
    for (int64_t i = 0; i < s->count; i++) most = fmax(most, s->freq_hz[i]);
    return most;
}

static void put_notes(struct eis_relaxations_parts *p, eis_relaxations *out) {
    int64_t worst = 0;
    double most = 0;
    for (int64_t i = 0; i < out->points; i++) {
        double size = hypot(out->residual[i].re, out->residual[i].im);
        if (size > most) most = size, worst = i;
    }
    text_add(&p->notes, "%s", "");
    if (p->of.capacitance)
        text_add(&p->notes, "the spectrum is still capacitive at its lowest frequency: a capacitance in series was "
                            "allowed, and slower relaxations cannot be told from it\n");
    if (out->negative_arc)
        text_add(
            &p->notes,
            "relaxations of positive resistance leave %.3g %% where negative ones would leave %.3g %%: an inductive "
            "loop, Re Z < 0 or another negative arc is left in the residuals, most of it at %g Hz\n",
            100 * out->rms, 100 * out->rms_signed, out->freq_hz[worst]);
    if (!out->peaks) text_add(&p->notes, "no relaxation is seen\n");
}

static bool fill(const eis_spectrum *s, lambda_wish wish, int64_t order, eis_relaxations *out) {
    struct eis_relaxations_parts *p = out->parts;
    p->name = strdup(s->name ? s->name : "the spectrum");
    if (!p->name || !inverse_new(&p->of, s, (int)order) || !room_for(s, p)) return false;
    trial chosen = lambda_choose(&p->of, wish, p->scratch);
    int64_t low = lowest(s);
    if (!inverse_solve(&p->of, chosen.lambda, p->scratch, p->x)) return false;
    out->name = p->name, out->lambda_by = wish.by, out->lambda = chosen.lambda, out->penalty_order = order;
    put_residuals(s, p, out);
    out->rms_signed = sqrt(chosen.square / (double)p->of.rows);
    out->negative_arc = out->rms > misfit && out->rms_signed < signed_share * out->rms;
    put_values(p, out);
    out->low_ohm = s->z[low].re - out->r_inf_ohm;
    put_curve(p, out);
    if (!peaks_of(&p->of.basis, p->x, s->freq_hz[low], highest_hz(s), &p->peak, &out->peaks)) return false;
    out->peak = p->peak;
    put_notes(p, out);
    out->notes = p->notes.data;
    return !p->notes.failed;
}

tide_status eis_drt_spectrum(const eis_spectrum *s, const eis_options *options, eis_relaxations *out,
                             tide_failure *failure) {
    failure_clear(failure);
    if (!s || !out) return fail(failure, TIDE_EINVAL, "there is no spectrum to analyse, or nowhere to tell it");
    *out = (eis_relaxations){ 0 };
    lambda_wish wish;
    int64_t order = options ? options->penalty_order : 1;
    tide_status status = lambda_parse(options ? options->lambda : "", &wish, failure);
    if (status == TIDE_OK) status = spectrum_check(s, failure);
    if (status != TIDE_OK) return status;
    if (order != 1 && order != 2)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "penalty-order", "`penalty-order` is %lld; 1 or 2 is taken",
                       (long long)order);
    out->parts = calloc(1, sizeof *out->parts);
    if (out->parts && fill(s, wish, order, out)) return TIDE_OK;
    eis_relaxations_free(out);
    return fail(failure, TIDE_ENOMEM, "out of memory for a distribution of relaxation times");
}

void eis_relaxations_free(eis_relaxations *r) {
    if (!r) return;
    struct eis_relaxations_parts *p = r->parts;
    if (p) {
        inverse_free(&p->of);
        text_free(&p->notes);
        free(p->name), free(p->x), free(p->scratch), free(p->freq_hz), free(p->residual);
        free(p->tau), free(p->gamma), free(p->peak);
    }
    free(p);
    *r = (eis_relaxations){ 0 };
}
