/* Completion without a spectrum, or by a predictor that is told known values alone: each missing parameter has its own
 * distribution over grid values, and these go together as if they were independent. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/posterior/completion.h"
#include "model.h"
#include "eis/circuit/rng.h"

enum { DRAWS = 2000, STREAM = 0x4b4e4f };

static void uniform_answer(const eis_known *known, known_answer *out) {
    *out = (known_answer){ .resnorm = NAN };
    for (int k = 0; k < EIS_COUNT; k++)
        for (int i = 0; !known->is[k] && i < CELL_POINTS; i++) out->p[k][i] = 1.0 / CELL_POINTS;
}

static int pick(const double *p, int64_t points, double share) {
    for (int64_t i = 0; i < points - 1; i++) {
        share -= p[i];
        if (share < 0) return (int)i;
    }
    return (int)points - 1;
}

/* A predictor's are its grid values; the prior is as continuous as its ranges. */
static bool draw_all(const question *q, const known_answer *a, int64_t points, bool prior, completion *out) {
    rng r = { .seed = (uint64_t)q->seed, .stream = STREAM };
    out->draws = calloc(DRAWS, sizeof *out->draws);
    if (!out->draws) return false;
    for (out->draw_count = 0; out->draw_count < DRAWS; out->draw_count++) {
        draw *d = &out->draws[out->draw_count];
        for (int k = 0; k < EIS_COUNT; k++) {
            const eis_parameter *p = &eis_parameters[k];
            d->p[k] = q->known.value[k];
            if (q->known.is[k]) continue;
            double share = rng_unit(&r);
            int    at    = pick(a->p[k], points, share);
            d->p[k]      = prior ? p->low * pow(p->high / p->low, share) : eis_grid_value(k, at, points);
            d->log_density += log(a->p[k][at]);
        }
        d->weight   = 1.0 / DRAWS;
        d->p[EIS_RS] = isnan(q->rs_ohm) ? 0 : q->rs_ohm;
    }
    return true;
}

/* What is known without drawing: marginals, entropy, and the most probable combinations. */
static bool put_products(const question *q, const known_model *sizes, const known_answer *a, completion *out) {
    summary         *s    = &out->summary;
    int64_t          want = q->top_k < 5 ? 5 : q->top_k, points = sizes->network.sizes.points;
    known_candidate *top  = malloc((size_t)want * sizeof *top);
    candidate       *list = realloc(s->top, (size_t)want * sizeof *list);
    if (list) s->top = list;
    if (!top || !list) {
        free(top);
        return false;
    }
    memset(s->marginal, 0, sizeof s->marginal);
    s->entropy_nats = s->max_probability = s->top5_mass = 0;
    for (int k = 0; k < EIS_COUNT; k++)
        for (int64_t i = 0; !q->known.is[k] && i < points; i++) {
            double p = a->p[k][i];
            s->marginal[k][grid_index(k, eis_grid_value(k, i, points))] += p;
            s->entropy_nats -= p > 0 ? p * log(p) : 0;
        }
    int64_t count = known_model_top(sizes, &q->known, a, want, top);
    s->top_count  = count < q->top_k ? count : q->top_k;
    for (int64_t i = 0; i < count; i++) {
        if (i == 0) s->max_probability = top[i].probability;
        if (i < 5) s->top5_mass += top[i].probability;
        if (i >= s->top_count) continue;
        candidate *c = &s->top[i];
        *c = (candidate){ .probability = top[i].probability, .resnorm = NAN };
        for (int k = 0; k < EIS_COUNT; k++) {
            c->p[k]     = q->known.is[k] ? q->known.value[k] : eis_grid_value(k, top[i].index[k], points);
            c->index[k] = top[i].index[k];
        }
    }
    if (s->top_count) memcpy(s->best, s->top[0].p, sizeof s->top[0].p);
    free(top);
    return true;
}

tide_status complete_known(const question *q, struct known_model *model, completion *out, tide_failure *failure) {
    known_answer      a;
    const known_model grid = { .network.sizes.points = CELL_POINTS }, *sizes = model ? model : &grid;
    *out = (completion){ .noise = NAN,
                         .noise_dof = INFINITY,
                         .effective = NAN,
                         .disagreement = NAN,
                         .one.log_odds = NAN,
                         .noise_used = NAN,
                         .rs_ohm = NAN,
                         .grid_chi2 = NAN,
                         .chi2 = NAN,
                         .grid_adequate = true,
                         .circuit_adequate = true };
    tide_status status = TIDE_OK;
    if (model) status = known_model_predict(model, &q->known, &a, failure);
    else uniform_answer(&q->known, &a);
    if (status == TIDE_OK && !draw_all(q, &a, sizes->network.sizes.points, !model, out)) status = TIDE_ENOMEM;
    if (status == TIDE_OK)
        status = completion_finish(q, NULL, model ? DRAWS_ARE_CELLS : DRAWS_ARE_POINTS, 0, out, failure);
    if (status == TIDE_OK && !put_products(q, sizes, &a, out)) status = TIDE_ENOMEM;
    out->resnorm = a.resnorm;
    if (status == TIDE_OK) return TIDE_OK;
    completion_free(out);
    return failure->status != TIDE_OK ? failure->status : fail(failure, status, "out of memory for the answer");
}
