/* From a file to a blank. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/check/faults.h"
#include "eis/check/kept.h"
#include "eis/posterior/residuals.h"
#include "fitted.h"

enum { FEWEST = 8, LOWEST = 6 };
static const double least_share = 1.0 / 3; /* of a sweep's points: with fewer it says too little */
static const double noisy = 0.1; /* of |Z|: as of a fault */
static const double no_difference = 2; /* of BIC (Kass and Raftery, 1995) */
static const double an_arc = 0.02, beside_noise = 2; /* of |Z|; and times the noise: what is left is no electrode's */

static const char *const circuits[] = { "Rs",        "Rs-Cblank",        "Rs-CPEblank",
                                        "Rs-Lblank", "Rs-Lblank-Cblank", "Rs-Lblank-CPEblank" };
enum { CIRCUITS = sizeof circuits / sizeof *circuits };

/* All sweeps' sound points, one after the other. */
typedef struct joined {
    eis_spectrum all;
    double square, counts; /* of the noise: its sum over points */
    int64_t cut; /* points that were left out as noise */
    double cut_below_hz;
} joined;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the blank");
}

/* ---- sound points ---- */

static const eis_fault *forbidding(const faults *f) {
    for (int64_t i = 0; i < f->count; i++)
        if (f->of[i].unfit && f->of[i].kind != EIS_FAULT_RESISTOR && f->of[i].kind != EIS_FAULT_BLANK) return &f->of[i];
    return NULL;
}

static tide_status refuse(const eis_spectrum *s, const char *why, tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, NULL, 0, "blank", "`blank` %s: %s", s->name, why);
}

static bool add_points(const eis_spectrum *s, const faults *f, joined *to) {
    int64_t n = to->all.count + s->count;
    double *freq_hz = realloc(to->all.freq_hz, (size_t)n * sizeof *freq_hz);
    if (freq_hz) to->all.freq_hz = freq_hz;
    eis_z *z = realloc(to->all.z, (size_t)n * sizeof *z);
    if (z) to->all.z = z;
    if (!freq_hz || !z) return false;
    for (int64_t i = 0; i < s->count; i++) {
        if (f->left_out[i]) continue;
        freq_hz[to->all.count] = s->freq_hz[i], z[to->all.count++] = s->z[i];
        to->square += f->rest.noise * f->rest.noise, to->counts++;
    }
    return true;
}

/* The lowest frequency that is not left out yet. */
static int64_t lowest(const eis_spectrum *s, const bool *left_out) {
    int64_t at = -1;
    for (int64_t i = 0; i < s->count; i++)
        if (!left_out[i] && (at < 0 || s->freq_hz[i] < s->freq_hz[at])) at = i;
    return at;
}

/* Adds what stays of the sweep; *noise: nothing of it but that it is noise is wrong. */
static tide_status try_points(const eis_spectrum *s, const bool *left_out, joined *to, bool *noise,
                              tide_failure *failure) {
    eis_spectrum part = { 0 };
    faults f = { 0 };
    const eis_fault *why = NULL;
    bool room = kept_new(s, left_out, &part) && faults_of(&part, &f);
    if (room) why = forbidding(&f);
    *noise = why && why->kind == EIS_FAULT_NOISE;
    if (room && !why) room = add_points(&part, &f, to);
    tide_status status = !room ? out_of_memory(failure) : why ? refuse(s, why->sentence, failure) : TIDE_OK;
    faults_free(&f);
    kept_free(&part);
    return status;
}

/* By second differences of the few lowest frequencies, over |Z|: there an expansion is bent by noise. */
static double scatter_below(const eis_spectrum *s, bool *left_out) {
    int64_t at[LOWEST];
    int count = 0;
    double sum = 0;
    for (; count < LOWEST && (at[count] = lowest(s, left_out)) >= 0; count++) left_out[at[count]] = true;
    for (int i = 0; i < count; i++) left_out[at[i]] = false;
    for (int i = 1; i + 1 < count; i++) {
        const eis_z *a = &s->z[at[i - 1]], *b = &s->z[at[i]], *c = &s->z[at[i + 1]];
        double re = a->re - 2 * b->re + c->re, im = a->im - 2 * b->im + c->im;
        sum += (re * re + im * im) / (b->re * b->re + b->im * b->im) / 12;
    }
    return sqrt(sum / (LOWEST - 2));
}

/* The signal of a bath is small, and at low frequencies it may drown: without those, as long as a third is left. */
static tide_status add_sweep(const eis_spectrum *s, joined *to, tide_failure *failure) {
    bool *left_out = calloc((size_t)s->count, sizeof *left_out), noise = true;
    tide_failure first = { 0 }, own = { 0 };
    if (!left_out) return out_of_memory(failure);
    tide_status status = try_points(s, left_out, to, &noise, &first);
    int64_t kept = s->count;
    for (; status == TIDE_EDATA && noise && (double)kept > fmax(FEWEST, least_share * (double)s->count); kept--) {
        int64_t at = lowest(s, left_out);
        left_out[at] = true;
        if (scatter_below(s, left_out) > noisy) continue;
        status = try_points(s, left_out, to, &noise, &own);
        if (status == TIDE_OK) to->cut_below_hz = fmax(to->cut_below_hz, s->freq_hz[lowest(s, left_out)]);
    }
    to->cut += status == TIDE_OK ? s->count - kept : 0;
    free(left_out);
    if (status != TIDE_OK) *failure = first;
    return status;
}

static tide_status join(const eis_spectra *from, joined *to, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < from->count; i++)
        status = add_sweep(&from->spectrum[i], to, failure);
    return status;
}

/* ---- the fit ---- */

static bool all_free(const eis_fitted *f) {
    for (int64_t i = 0; i < f->parameters; i++)
        if (f->parameter[i].state != EIS_PARAMETER_FREE) return false;
    return true;
}

static tide_status fit_as(const char *circuit, const joined *j, equivalent *e, eis_fitted *out, tide_failure *failure) {
    eis_fit_options o;
    fit_beside beside = { .noise = sqrt(j->square / j->counts) };
    eis_fit_options_default(&o);
    tide_status status = equivalent_parse(circuit, e, failure);
    return status == TIDE_OK ? fit_one(e, &o, &j->all, &beside, NULL, NULL, out, failure) : status;
}

/* The simplest of those that are as good as the best, all of whose parameters the blank determines. */
static tide_status choose(const joined *j, eis_fitted *best, equivalent *e, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < CIRCUITS; i++) {
        eis_fitted f;
        equivalent own;
        status = fit_as(circuits[i], j, &own, &f, failure);
        if (status != TIDE_OK) break;
        bool first = !best->parts;
        double gain = first ? INFINITY : best->bic - f.bic;
        if (first || (all_free(&f) && gain > (f.free_parameters > best->free_parameters ? no_difference : 0))) {
            eis_fitted_free(best);
            *best = f, *e = own;
        } else eis_fitted_free(&f);
    }
    if (status != TIDE_OK) eis_fitted_free(best);
    return status;
}

static tide_status is_blank(const joined *j, const eis_fitted *f, tide_failure *failure) {
    double noise = sqrt(j->square / j->counts);
    double left = sqrt(f->resnorm[EIS_PSEUDO_CHI2] / (2 * (double)f->points));
    char why[240];
    if (left < (j->cut ? noisy : an_arc) || left < beside_noise * noise) return TIDE_OK;
    snprintf(why, sizeof why,
             "it is no blank: a resistance and an electrode leave %.2g %% of |Z| where the noise is %.2g %%. It holds "
             "cells, or another arc",
             100 * left, 100 * noise);
    return refuse(&j->all, why, failure);
}

static void put_note(const char *path, const joined *j, const eis_fitted *f, blank *out) {
    size_t used = (size_t)snprintf(out->note, sizeof out->note, "the blank %.300s is", path);
    for (int64_t i = 0; i < f->parameters && used < sizeof out->note; i++)
        used += (size_t)snprintf(out->note + used, sizeof out->note - used, "%s %s %.4g +- %.2g %s", i ? "," : "",
                                 f->parameter[i].name, f->parameter[i].value, f->parameter[i].error,
                                 f->parameter[i].unit);
    if (j->cut && used < sizeof out->note)
        snprintf(out->note + used, sizeof out->note - used,
                 "; %" PRId64 " of its %" PRId64 " points, below %.4g Hz, are noise and left out", j->cut,
                 j->cut + j->all.count, j->cut_below_hz);
}

static void put_values(const eis_fitted *f, const equivalent *e, blank *out) {
    int n = out->count = (int)f->parameters;
    out->circuit = *e;
    for (int i = 0; i < n; i++) {
        out->value[i] = f->parameter[i].value;
        for (int k = 0; k < n; k++)
            out->covariance[i * n + k] = f->correlation[i * n + k] * f->parameter[i].error / f->parameter[i].value *
                                         f->parameter[k].error / f->parameter[k].value;
    }
}

tide_status blank_read(const char *path, const eis_options *options, blank *out, tide_failure *failure) {
    eis_options reading = *options;
    eis_spectra from = { 0 };
    eis_fitted f = { 0 };
    equivalent e;
    joined j = { .all = { .name = path } };
    *out = (blank){ 0 };
    if (!*path) return TIDE_OK;
    reading.sweep[0] = 0; /* that is of the spectra */
    tide_status status = eis_spectra_read(path, &reading, &from, failure);
    if (status == TIDE_OK) status = join(&from, &j, failure);
    if (status == TIDE_OK) status = choose(&j, &f, &e, failure);
    if (status == TIDE_OK) status = is_blank(&j, &f, failure);
    if (status == TIDE_OK) put_values(&f, &e, out), put_note(path, &j, &f, out);
    eis_fitted_free(&f);
    eis_spectra_free(&from);
    free(j.all.freq_hz), free(j.all.z);
    return status;
}
