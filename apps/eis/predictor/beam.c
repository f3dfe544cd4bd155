/* Joint candidates by the chain rule: a beam over the missing parameters, each step asking the network about the
 * next one given those before. */
#include "predictor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { CASES_AT_ONCE = 512 };
static const int order[EIS_COUNT] = { EIS_CA, EIS_CB, EIS_RSH, EIS_RA, EIS_RB };
#define LEAST_PROBABILITY 1e-38  /* what single precision leaves of less is nothing */

/* What is asked at a step: the partial assignments of all cases, one after the other. */
typedef struct front {
    int64_t   rows;
    int32_t  *spectrum;
    float   (*known_u)[EIS_COUNT];
    float    *probability;
} front;

static bool front_new(eis_recipe recipe, front *f) {
    int64_t most = CASES_AT_ONCE * BEAM_WIDTH, each = recipe_quantities(recipe) * recipe_bins(recipe);
    *f = (front){ 0, malloc((size_t)most * sizeof *f->spectrum), malloc((size_t)most * sizeof *f->known_u),
                  malloc((size_t)(most * each) * sizeof *f->probability) };
    return f->spectrum && f->known_u && f->probability;
}

static void front_free(front *f) { free(f->spectrum), free(f->known_u), free(f->probability); }

/* The parameter that a case is asked for at a step, or -1; `last` if it is its last. */
static int asked_for(const beam_case *c, int step, bool *last) {
    int found = -1, missing = 0;
    for (int i = 0; i < EIS_COUNT; i++) {
        if (!isnan(c->known_u[order[i]])) continue;
        if (missing++ == step) found = order[i];
    }
    *last = missing == step + 1;
    return found;
}

static void put_questions(eis_recipe recipe, const beam_case *c, front *f) {
    for (int b = 0; b < c->count; b++, f->rows++) {
        f->spectrum[f->rows] = c->spectrum;
        for (int k = 0; k < EIS_COUNT; k++) {
            int bin = c->candidate[b].bin[k];
            f->known_u[f->rows][k] = bin < 0 ? c->known_u[k] : bin_coordinate(recipe, bin);
        }
    }
}

/* Into the best `most` of a list in falling order. */
static void keep(beam_candidate *list, int *count, int most, const beam_candidate *child) {
    if (*count == most && child->log_probability <= list[most - 1].log_probability) return;
    int at = *count < most ? (*count)++ : most - 1;
    for (; at > 0 && list[at - 1].log_probability < child->log_probability; at--) list[at] = list[at - 1];
    list[at] = *child;
}

static void expand(eis_recipe recipe, beam_case *c, int parameter, bool last, const float *probability) {
    beam_candidate list[BEAM_CANDIDATES];
    int     count = 0, bins = (int)recipe_bins(recipe);
    int64_t each  = recipe_quantities(recipe) * bins;
    for (int b = 0; b < c->count; b++)
        for (int i = 0; i < bins; i++) {
            beam_candidate child = c->candidate[b];
            child.bin[parameter] = i;
            child.log_probability += log(fmax((double)probability[b * each + parameter * bins + i], LEAST_PROBABILITY));
            keep(list, &count, last ? BEAM_CANDIDATES : BEAM_WIDTH, &child);
        }
    memcpy(c->candidate, list, (size_t)count * sizeof *list);
    c->count = count;
}

static tide_status step(predictor *p, int64_t count, beam_case *cases, int number, front *f, tide_failure *failure) {
    eis_recipe   recipe = predictor_model(p)->config.recipe;
    int64_t      each   = recipe_quantities(recipe) * recipe_bins(recipe);
    const float *answer = f->probability;
    bool         last;
    f->rows = 0;
    for (int64_t i = 0; i < count; i++)
        if (asked_for(&cases[i], number, &last) >= 0) put_questions(recipe, &cases[i], f);
    tide_status status = f->rows ? predictor_ask(p, f->rows, f->spectrum, (const float (*)[EIS_COUNT])f->known_u,
                                                 f->probability, failure)
                                 : TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        int parameter = asked_for(&cases[i], number, &last);
        if (parameter < 0) continue;
        int rows = cases[i].count;
        expand(recipe, &cases[i], parameter, last, answer);
        answer += rows * each;
    }
    return status;
}

tide_status beam_search(predictor *p, int64_t count, beam_case *cases, tide_failure *failure) {
    front       f;
    tide_status status = front_new(predictor_model(p)->config.recipe, &f)
                             ? TIDE_OK
                             : fail(failure, TIDE_ENOMEM, "out of memory for candidates");
    for (int64_t i = 0; i < count; i++) {
        cases[i].count        = 1;
        cases[i].candidate[0] = (beam_candidate){ { -1, -1, -1, -1, -1 }, 0 };
    }
    for (int64_t first = 0; first < count; first += CASES_AT_ONCE)
        for (int i = 0; status == TIDE_OK && i < EIS_COUNT; i++)
            status = step(p, MIN2(count - first, CASES_AT_ONCE), cases + first, i, &f, failure);
    front_free(&f);
    return status;
}
