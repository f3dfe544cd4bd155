/* A fit of several spectra of which some parameters are the same: each is judged by itself, beside the one fit. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "judging.h"

typedef struct together {
    int count;
    judging *each;
    eis_spectrum *points; /* the fitted ones */
    double *noise;
} together;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
}

static const char *name_of(const eis_spectrum *s) { return s->name ? s->name : "the spectrum"; }

static tide_status refuse(tide_failure *failure, const char *why) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "same", "`same` %s", why);
}

static tide_status check(const equivalent *e, const eis_fit_options *o, int64_t count, tide_failure *failure) {
    if (!*o->same) return refuse(failure, "names the parameters that several spectra have in common: it is empty");
    if (count < 2) return refuse(failure, "is of several spectra, and this is one");
    if (count > INT_MAX) return refuse(failure, "is of fewer spectra");
    if (!e) return refuse(failure, "is of one `circuit`, not of auto");
    return o->robust ? refuse(failure, "is of least squares, not of `robust`") : TIDE_OK;
}

static tide_status begin(together *t, const eis_fit_options *o, const eis_spectrum *s, tide_failure *failure) {
    t->each = calloc((size_t)t->count, sizeof *t->each);
    t->points = calloc((size_t)t->count, sizeof *t->points);
    t->noise = calloc((size_t)t->count, sizeof *t->noise);
    if (!t->each || !t->points || !t->noise) return out_of_memory(failure);
    for (int i = 0; i < t->count; i++) {
        tide_failure why = { 0 };
        t->each[i] = (judging){ .s = &s[i], .keeps = o->keep_points };
        tide_status status = judging_begin(&t->each[i], &why);
        if (status != TIDE_OK)
            return fail_at(failure, status, NULL, 0, why.column, "%s: %s", name_of(&s[i]), why.message);
        t->points[i] = *judging_points(&t->each[i]);
        t->noise[i] = judging_noise(&t->each[i]);
    }
    return TIDE_OK;
}

static void end(together *t) {
    for (int i = 0; t->each && i < t->count; i++) judging_free(&t->each[i]);
    free(t->each), free(t->points), free(t->noise);
}

/* ---- one after the other ---- */

/* What a spectrum's own fit would have of this one, with its share of the parameters. */
static eis_fitted part_of(const eis_fitted *f, const eis_spectrum *points, int64_t from) {
    eis_fitted part = *f;
    part.points = points->count, part.model = f->model + from, part.warnings = 0;
    part.free_parameters = f->free_parameters * points->count / f->points;
    return part;
}

/* Where the spectra's answers go: into f, once all are there. */
typedef struct answers {
    eis_fitted *f;
    eis_fit_spectrum *of;
    int64_t *used, from; /* points that are told */
    const char **warning;
} answers;

static void append(answers *a, const eis_fitted *part, const char *name) {
    memcpy(a->used + a->from, part->used, (size_t)part->points * sizeof *a->used);
    for (int64_t i = 0; i < part->warnings; i++)
        a->warning[a->f->warnings++] = arena_printf(&a->f->parts->memory, "%s: %s", name, part->warning[i]);
    a->from += part->points;
}

static tide_status judge(answers *a, judging *j, eis_fit_spectrum *told, tide_failure *failure) {
    eis_fitted part = part_of(a->f, judging_points(j), a->from);
    j->f = &part;
    tide_status status = judging_conclude(j, failure);
    if (status != TIDE_OK) return status;
    if (setjmp(a->f->parts->out_of_memory)) return out_of_memory(failure);
    *told = (eis_fit_spectrum){ arena_printf(&a->f->parts->memory, "%s", name_of(j->s)), part.points, part.verdict,
                                part.noise_source, part.noise, part.noise_dof, part.chi2 };
    append(a, &part, told->name);
    return TIDE_OK;
}

/* The worst verdict, chi2 and noise of all points. */
static void sum_up(const eis_fit_spectrum *told, int count, eis_fitted *f) {
    static const int rank[] = { [EIS_FIT_ADEQUATE] = 1, [EIS_FIT_NOISY] = 2, [EIS_FIT_SYSTEMATIC] = 3 };
    double square = 0, chi2 = 0, points = 0;
    f->verdict = told->verdict, f->noise_source = told->noise_source, f->noise_dof = 0;
    for (int i = 0; i < count; i++) {
        double n = (double)told[i].points;
        if (rank[told[i].verdict] > rank[f->verdict]) f->verdict = told[i].verdict;
        square += n * told[i].noise * told[i].noise, f->noise_dof += told[i].noise_dof;
        chi2 += n * told[i].chi2, points += n;
    }
    f->noise = sqrt(square / points), f->chi2 = chi2 / points;
}

static bool make_answers(eis_fitted *f, int count, answers *out) {
    arena *memory = &f->parts->memory;
    if (setjmp(f->parts->out_of_memory)) return false;
    *out = (answers){ .f = f, .of = arena_new(memory, eis_fit_spectrum, count) };
    out->used = arena_new(memory, int64_t, f->points);
    out->warning = arena_new(memory, const char *, count * WARNINGS_MOST);
    return true;
}

static tide_status conclude(together *t, eis_fitted *f, tide_failure *failure) {
    answers a = { .f = f };
    tide_status status = TIDE_OK;
    if (!make_answers(f, t->count, &a)) return out_of_memory(failure);
    for (int i = 0; status == TIDE_OK && i < t->count; i++) status = judge(&a, &t->each[i], &a.of[i], failure);
    if (status != TIDE_OK) return status;
    f->spectrum = a.of, f->spectra = t->count, f->used = a.used, f->warning = a.warning;
    sum_up(a.of, t->count, f);
    return TIDE_OK;
}

tide_status fit_measured_joint(const equivalent *e, const eis_fit_options *o, const blank *b, int64_t count,
                               const eis_spectrum *s, eis_listener listener, void *user, eis_fitted *out,
                               tide_failure *failure) {
    listening l = { listener, user };
    together t = { 0 };
    *out = (eis_fitted){ 0 };
    tide_status status = check(e, o, count, failure);
    if (status != TIDE_OK) return status;
    t.count = (int)count;
    status = begin(&t, o, s, failure);
    if (status == TIDE_OK) status = fit_joint(e, o, b, t.count, t.points, t.noise, &l, out, failure);
    if (status == TIDE_OK) status = conclude(&t, out, failure);
    end(&t);
    if (status != TIDE_OK) eis_fitted_free(out);
    return status;
}
