/* What priors said, and what follows from them alone. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "telling.h"

static const double apart = 3; /* standard deviations: the data disagree */
static const double bears = 0.05; /* of a unit vector: the least by which a prior's logarithm moves along it */

static void put_prior(const telling *t, int i, eis_fit_prior *out) {
    const fit_prior *q = &t->p->prior[i];
    char name[FIT_PRIOR_NAME];
    fit_prior_name(&t->names, &t->priors->of[i], name);
    double pull = fit_pull(q, t->minima->of[0].x, NULL);
    *out = (eis_fit_prior){ arena_printf(t->memory, "%s", name), q->value, q->deviation,
                            q->value + pull * q->deviation, pull };
}

/* Each by itself, whatever its covariance with the others. */
static void put_blank(const telling *t, eis_fit_prior *out) {
    int at[BLANK_MOST], n = t->blank->count;
    char name[PARAMETER_NAME];
    blank_parameters(t->blank, t->p->e, at);
    for (int i = 0; i < n; i++) {
        double value = t->blank->value[i], fitted = exp(t->minima->of[0].x[t->p->variable[at[i]]]);
        double deviation = value * sqrt(t->blank->covariance[i * n + i]);
        parameter_name(t->p->e, at[i], name);
        out[i] = (eis_fit_prior){ arena_printf(t->memory, "%s", name), value, deviation, fitted,
                                  log(fitted / value) * value / deviation };
    }
}

static void put_priors(telling *t) {
    eis_fit_prior *out = arena_new(t->memory, eis_fit_prior, t->p->priors);
    for (int i = 0; i < t->priors->count; i++) put_prior(t, i, &out[i]);
    if (t->blank && t->blank->count) {
        put_blank(t, out + t->priors->count);
        telling_note(t, arena_printf(t->memory, "%s", t->blank->note));
    }
    t->f->prior = out, t->f->priors = t->p->priors;
}

static void note_pulls(telling *t) {
    for (int64_t i = 0; i < t->f->priors; i++) {
        const eis_fit_prior *q = &t->f->prior[i];
        if (fabs(q->pull) > apart)
            telling_note(t, arena_printf(t->memory,
                                         "what is told of %s, %.5g +- %.3g, and the data disagree: the fit has %.5g, "
                                         "%.1f standard deviations away",
                                         q->name, q->value, q->deviation, q->fitted, fabs(q->pull)));
    }
}

static bool bears_on(const telling *t, const fit_uncertainty *u, const double *v, int prior) {
    const fit_prior *q = &t->p->prior[prior];
    double moved = 0;
    for (int i = 0; i < u->count; i++)
        for (int k = 0; k < q->terms; k++)
            if (q->variable[k] == u->variable[i]) moved += q->power[k] * v[i];
    return fabs(moved) > bears;
}

/* A direction that the data alone leave open, and the priors that hold the fit in it. */
static void note_pinned(telling *t, const fit_uncertainty *alone, const double *v) {
    text line = { 0 };
    int told = 0;
    text_add(&line, "the data alone say nothing of one combination, along ");
    telling_direction(t, alone, v, &line);
    text_add(&line, ": there the values and errors are those of the prior");
    for (int i = 0; i < t->p->priors; i++)
        if (bears_on(t, alone, v, i)) text_add(&line, "%s of %s", told++ ? " and" : "", t->f->prior[i].name);
    if (told && !line.failed) telling_note(t, arena_printf(t->memory, "%s", line.data));
    text_free(&line);
}

bool tell_priors(telling *t) {
    fit_problem alone = *t->p;
    if (!t->p->priors) return true;
    fit_uncertainty *u = malloc(sizeof *u);
    alone.rows -= alone.priors, alone.priors = 0;
    bool done = u && fit_uncertainty_of(&alone, t->minima->of[0].x, 1, u);
    if (done) {
        put_priors(t);
        note_pulls(t);
        for (int k = 0; k < u->open && t->u->open < u->open; k++) note_pinned(t, u, u->direction + k * u->count);
    }
    free(u);
    return done;
}
