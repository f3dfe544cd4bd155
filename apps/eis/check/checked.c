/* The public struct on what it is made of. */
#include "checked.h"

#include <math.h>
#include <stdlib.h>

#include "eis/circuit/parameters.h"
#include "faults.h"
#include "linkk.h"
#include "noise.h"
#include "zhit.h"

struct eis_checked_parts {
    char *name;
    faults faults;
    linkk kk;
    double *freq_hz, *zhit;
};

enum { SCAN_POINTS = 1000 }; /* more are thinned evenly: 49 fits of each are no better for it */

/* The linear test is of the points that count. */
static bool scan_rest(const eis_spectrum *s, struct eis_checked_parts *p) {
    eis_spectrum rest = *s;
    rest.freq_hz = malloc(sizeof *rest.freq_hz * (size_t)s->count), rest.count = 0;
    rest.z = malloc(sizeof *rest.z * (size_t)s->count);
    bool room = rest.freq_hz && rest.z;
    for (int64_t i = 0; room && i < s->count; i += ceil_div(s->count, SCAN_POINTS))
        if (!p->faults.left_out[i]) rest.freq_hz[rest.count] = s->freq_hz[i], rest.z[rest.count++] = s->z[i];
    room = room && linkk_scan(&rest, &p->kk);
    free(rest.freq_hz), free(rest.z);
    return room;
}

static bool make_parts(const eis_spectrum *s, struct eis_checked_parts *p, double *zhit_rms) {
    size_t n = (size_t)s->count;
    p->name = strdup(s->name ? s->name : "the spectrum");
    p->freq_hz = malloc(n * sizeof *p->freq_hz);
    p->zhit = malloc(n * sizeof *p->zhit);
    if (!p->name || !p->freq_hz || !p->zhit || !faults_of(s, &p->faults)) return false;
    memcpy(p->freq_hz, s->freq_hz, n * sizeof *p->freq_hz);
    return !p->faults.rest.points || (scan_rest(s, p) && zhit_of(s, p->faults.left_out, p->zhit, zhit_rms));
}

static eis_check_verdict verdict_of(const faults *f) {
    if (faults_unfit(f)) return EIS_CHECK_UNFIT;
    return f->count ? EIS_CHECK_FLAWED : EIS_CHECK_SOUND;
}

static void put_test(const struct eis_checked_parts *p, eis_checked *out) {
    const expansion *rest = &p->faults.rest;
    const linkk *k = &p->kk;
    out->noise = rest->noise, out->noise_robust = p->faults.robust, out->noise_dof = rest->dof;
    out->terms = k->of.terms, out->extension = k->of.extension, out->admittance = k->of.admittance;
    out->plateau = k->reached, out->pseudo_chi2 = k->fit.square;
    out->mu = fmin(fmax(k->fit.mu, 0), 1);
    out->residual = rest->residual, out->left_out = p->faults.left_out, out->zhit = p->zhit;
    out->pseudo_chi2_of = k->square, out->most_terms = LINKK_MOST;
}

static void put_stated(const eis_spectrum *s, eis_checked *out) {
    noise_estimate stated;
    if (!s->sigma || noise_of(s, &stated, NULL) != TIDE_OK) return;
    out->noise_source = stated.source, out->noise = stated.noise, out->noise_dof = stated.dof;
}

tide_status eis_check_spectrum(const eis_spectrum *s, eis_checked *out, tide_failure *failure) {
    failure_clear(failure);
    if (!s || !out) return fail(failure, TIDE_EINVAL, "there is no spectrum to check, or nowhere to tell it");
    *out = (eis_checked){ 0 };
    tide_status status = spectrum_check(s, failure);
    if (status != TIDE_OK) return status;
    struct eis_checked_parts *p = out->parts = calloc(1, sizeof *p);
    *out = (eis_checked){ .noise_source = EIS_NOISE_KRAMERS_KRONIG,
                          .noise = NAN,
                          .noise_robust = NAN,
                          .mu = NAN,
                          .extension = NAN,
                          .pseudo_chi2 = NAN,
                          .zhit_rms = NAN,
                          .parts = p };
    if (!p || !make_parts(s, p, &out->zhit_rms)) {
        eis_checked_free(out);
        return fail(failure, TIDE_ENOMEM, "out of memory for the check of a spectrum");
    }
    out->name = p->name, out->points = s->count, out->freq_hz = p->freq_hz;
    out->verdict = verdict_of(&p->faults);
    out->fault = p->faults.of, out->faults = p->faults.count;
    if (p->faults.rest.points) put_test(p, out);
    put_stated(s, out);
    return TIDE_OK;
}

void eis_checked_free(eis_checked *c) {
    if (!c) return;
    if (c->parts) {
        free(c->parts->name), free(c->parts->freq_hz), free(c->parts->zhit);
        faults_free(&c->parts->faults);
        linkk_free(&c->parts->kk);
    }
    free(c->parts);
    *c = (eis_checked){ 0 };
}

const char *check_verdict_name(eis_check_verdict verdict) {
    static const char *const names[] = { "sound", "flawed", "unfit" };
    return names[verdict];
}
