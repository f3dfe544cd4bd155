/* Points that are off the smooth part are left out first; then two relaxations are fitted to the others, and what is
 * far off these by the noise, or by what they leave of the others, is left out, until nothing changes. */
#include "robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "completion_parts.h"
#include "eis/check/expansion.h"
#include "eis/check/kept.h"
#include "student.h"

enum { ROUNDS_MOST = 10 };
static const double outliers_most = 0.25; /* of the points: more of them are no outliers */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior");
}

/* How much each point counts beside a model, by the part that counts less. */
static void shares_of(const eis_spectrum *s, const eis_z *model, double scale, double *share) {
    for (int64_t i = 0; i < s->count; i++) {
        double over = 1 / (scale * hypot(model[i].re, model[i].im)), re = over * (s->z[i].re - model[i].re),
               im = over * (s->z[i].im - model[i].im);
        share[i] = fmin(1, student_counts(fmax(re * re, im * im)));
    }
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What a model leaves, by the median, which no outlier moves; `room`: two numbers a point. */
static double left_by(const eis_spectrum *s, const eis_z *model, double *room) {
    for (int64_t i = 0; i < s->count; i++) {
        double over = 1 / hypot(model[i].re, model[i].im);
        room[2 * i] = over * fabs(s->z[i].re - model[i].re), room[2 * i + 1] = over * fabs(s->z[i].im - model[i].im);
    }
    qsort(room, (size_t)(2 * s->count), sizeof *room, rising);
    return room[s->count] / 0.6745;
}

/* ---- which points count ---- */

typedef struct counting {
    const question *q;
    const eis_spectrum *s;
    double noise;
    bool *left_out;
    double *share, *room;
    eis_z *model;
} counting;

static tide_status fit_counted(const counting *c, tide_failure *failure) {
    eis_spectrum counted;
    two_rc fit;
    tide_status status = kept_new(c->s, c->left_out, &counted) ? TIDE_OK : no_memory(failure);
    if (status == TIDE_OK) status = two_rc_fit(&counted, completion_offset(c->q), &fit, failure);
    kept_free(&counted);
    if (status != TIDE_OK) return status;
    const double p[EIS_COUNT] = { 0, fit.r_ohm[0], fit.r_ohm[1], fit.tau_s[0] / fit.r_ohm[0],
                                  fit.tau_s[1] / fit.r_ohm[1] };
    eis_impedance(EIS_CHAIN, p, fit.offset_ohm, c->s->count, c->s->freq_hz, c->model);
    return TIDE_OK;
}

/* False: nothing has changed. */
static bool recount(const counting *c) {
    bool changed = false;
    int64_t out = 0;
    shares_of(c->s, c->model, STUDENT_SCALE * fmax(c->noise, left_by(c->s, c->model, c->room)), c->share);
    for (int64_t i = 0; i < c->s->count; i++) out += c->share[i] < STUDENT_HARDLY;
    for (int64_t i = 0; i < c->s->count; i++) {
        bool is = c->share[i] < STUDENT_HARDLY && (double)out < outliers_most * (double)c->s->count;
        changed = changed || is != c->left_out[i];
        c->left_out[i] = is;
    }
    return changed;
}

static tide_status count_points(counting *c, tide_failure *failure) {
    expansion rest = { 0 };
    completion known = { 0 };
    double robust;
    bool room = expand_robust(c->s, NULL, c->left_out, &rest, &robust), told = !isnan(c->q->noise) || c->s->sigma;
    tide_status status = !room ? no_memory(failure) : told ? completion_noise(c->q, c->s, &known, failure) : TIDE_OK;
    c->noise = told ? known.noise : fmax(rest.noise, COMPLETION_LEAST_NOISE);
    expansion_free(&rest);
    for (int i = 0; status == TIDE_OK && i < ROUNDS_MOST; i++) {
        status = fit_counted(c, failure);
        if (status == TIDE_OK && !recount(c)) break;
    }
    return status;
}

/* ---- the answer ---- */

static tide_status answer(const counting *c, completion *out, tide_failure *failure) {
    eis_spectrum counted;
    question own = *c->q;
    own.all = c->s;
    tide_status status =
        kept_new(c->s, c->left_out, &counted) ? complete_one(&own, &counted, out, failure) : no_memory(failure);
    kept_free(&counted);
    if (status != TIDE_OK) return status;
    const double *best = out->summary.best;
    eis_impedance(c->q->circuit, best, best[EIS_RS], c->s->count, c->s->freq_hz, c->model);
    shares_of(c->s, c->model, STUDENT_SCALE * out->noise_used, c->share);
    return TIDE_OK;
}

tide_status complete_robust(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    size_t n = (size_t)s->count;
    counting c = { q,
                   s,
                   0,
                   calloc(n, sizeof *c.left_out),
                   malloc(n * sizeof *c.share),
                   malloc(2 * n * sizeof *c.room),
                   malloc(n * sizeof *c.model) };
    bool room = c.left_out && c.share && c.room && c.model;
    tide_status status = room ? count_points(&c, failure) : no_memory(failure);
    if (status == TIDE_OK) status = answer(&c, out, failure);
    free(c.left_out), free(c.room), free(c.model);
    if (status == TIDE_OK) out->share = c.share, out->points = s->count;
    else free(c.share);
    return status;
}
