/* What must be known beside a fit's numbers. */
#include <math.h>

#include "base/base.h"
#include "eis/posterior/student.h"
#include "telling.h"

static const double near_best = 1.5; /* of the sum: a second minimum that is told */

void telling_note(telling *t, const char *text) {
    if (t->f->notes < NOTES_MOST) t->note[t->f->notes++] = text;
}

static void note_bounds(telling *t) {
    for (int64_t k = 0; k < t->f->parameters; k++) {
        const eis_fit_parameter *p = &t->f->parameter[k];
        if (p->state != EIS_PARAMETER_AT_LOW && p->state != EIS_PARAMETER_AT_HIGH) continue;
        telling_note(
            t,
            arena_printf(t->memory,
                         "%s lies on its %s bound, %.6g %s: the fit would go on; the other errors hold with it there",
                         p->name, p->state == EIS_PARAMETER_AT_LOW ? "lower" : "upper", p->value, p->unit));
    }
}

void telling_direction(const telling *t, const fit_uncertainty *u, const double *v, text *out) {
    int best = 0, told = 0;
    for (int i = 1; i < u->count; i++) best = fabs(v[i]) > fabs(v[best]) ? i : best;
    for (int i = 0; i < u->count; i++)
        if (fabs(v[i]) > 0.1)
            text_add(out, "%s%+.2f ln %s", told++ ? ", " : "", v[i] * (v[best] < 0 ? -1 : 1),
                     t->f->parameter[t->row[u->variable[i]]].name);
}

const char *fit_out_of_sight(double value) {
    return fabs(value) > 1e15 ? "infinity" : fabs(value) < 1e-20 ? "0" : NULL;
}

/* The largest components of a direction in which nothing changes. */
static void note_open(telling *t, int k) {
    const fit_uncertainty *u = t->u;
    text line = { 0 };
    const double *v = u->direction + k * u->count;
    int best = 0;
    for (int i = 1; i < u->count; i++) best = fabs(v[i]) > fabs(v[best]) ? i : best;
    const eis_fit_parameter *largest = &t->f->parameter[t->row[u->variable[best]]];
    bool alone = fabs(v[best]) > 0.99;
    const char *limit = fit_out_of_sight(largest->value);
    if (alone && limit)
        text_add(&line, "the best fit has %s at %s: the data set no %s end to it", largest->name, limit,
                 *limit == '0' ? "lower" : "upper");
    else if (alone)
        text_add(&line, "the data say nothing of %s but that it is about %.3g %s or beyond: the fit runs out there",
                 largest->name, largest->value, largest->unit);
    else text_add(&line, "the data say nothing of one combination: along ");
    if (!alone) telling_direction(t, u, v, &line);
    if (!alone) text_add(&line, " the fit stays the same; `fix` one of these, or give a `prior`");
    if (!line.failed) telling_note(t, arena_printf(t->memory, "%s", line.data));
    text_free(&line);
}

static void note_minima(telling *t) {
    const eis_fitted *f = t->f;
    if (f->minima < 2 || !(f->minimum[1].objective < near_best * f->objective)) return;
    text line = { 0 };
    text_add(&line, "another minimum is near, %.3g times the objective:", f->minimum[1].objective / f->objective);
    for (int64_t k = 0; k < f->parameters; k++)
        text_add(&line, "%s %s %.4g", k ? "," : "", f->parameter[k].name, f->minimum[1].value[k]);
    if (!line.failed) telling_note(t, arena_printf(t->memory, "%s", line.data));
    text_free(&line);
}

/* Robust: the points that hardly count. */
static void note_outliers(telling *t) {
    text line = { 0 };
    bool any = t->f->share && student_outliers(t->f->share, t->f->points, &line);
    if (any && !line.failed) telling_note(t, arena_printf(t->memory, "%s", line.data));
    text_free(&line);
}

bool tell_notes(telling *t) {
    note_outliers(t);
    note_bounds(t);
    for (int k = 0; k < t->u->open; k++) note_open(t, k);
    for (int v = 0; t->u->open == 0 && v < t->p->variables; v++)
        if (t->wandering[v]) {
            const fit_minimum *m = &t->minima->of[0];
            telling_note(t, arena_printf(t->memory, "the data do not determine %s: %.3g and %.3g fit equally well",
                                         t->f->parameter[t->row[v]].name, exp(m->low[v]), exp(m->high[v])));
        }
    note_minima(t);
    return true;
}
