/* Whom the network of a handle looks at in one window: a program of its own, made when it is first asked for, since a
 * forecast need not have the softmax of queries and keys in memory. */
#include <stdlib.h>

#include "attended.h"
#include "base/base.h"
#include "forecast/models/ensemble.h"
#include "handle_parts.h"
#include "train/step.h"

/* Layers of all networks that have attention, those of an ensemble one after the other. */
struct attention_program {
    sized_program     of;
    int64_t           count;
    const forecaster **part;   /* (count): whose layer it is */
    int64_t           *layer;  /* (count), from 0 */
    tide_val          *map;    /* (count): (1, tokens, tokens), means over the heads */
};

void attention_program_free(attention_program *a) {
    if (!a) return;
    free(a->part);
    free(a->layer);
    free(a->map);
    free(a);
}

static bool has_maps(const forecaster *part) {
    return part->of->attended && part->of->tokens(&part->config) <= ATTENDED_TOKENS;
}

static attention_program *program_new(const forecaster *const *part, int parts) {
    attention_program *a = calloc(1, sizeof *a);
    int64_t            count = 0;
    for (int i = 0; i < parts; i++) count += has_maps(part[i]) ? part[i]->config.e_layers : 0;
    if (!a) return NULL;
    a->part  = calloc((size_t)count + 1, sizeof *a->part);
    a->layer = calloc((size_t)count + 1, sizeof *a->layer);
    a->map   = calloc((size_t)count + 1, sizeof *a->map);
    if (!a->part || !a->layer || !a->map) return attention_program_free(a), NULL;
    for (int i = 0; i < parts; i++)
        for (int64_t l = 0; has_maps(part[i]) && l < part[i]->config.e_layers; l++)
            a->part[a->count] = part[i], a->layer[a->count++] = l;
    return a;
}

static tide_status compile_maps(forecast_model *m, attention_program *a, tide_failure *failure) {
    double        began = os_seconds();
    model_windows x     = handle_inputs(m, 1, &a->of);
    for (int64_t i = 0; i < a->count; i += a->part[i]->config.e_layers)
        a->part[i]->of->attended(a->part[i]->self, &x, a->map + i);
    for (int64_t i = 0; i < a->count; i++) a->map[i] = tide_mean(a->map[i], TIDE_AXES(1));
    a->of.program = session_compile(&m->session, (tide_list){ a->map, a->count });
    m->compile_s += os_seconds() - began;
    return handle_compiled(m, a->of.program, failure);
}

/* m->attention; its count is 0 where there is nothing to look at. */
static tide_status attention_program_make(forecast_model *m, tide_failure *failure) {
    const forecaster *part[ENSEMBLE_MEMBERS];
    tide_val          weights;
    int               parts = ensemble_parts(&m->session.model, part, &weights);
    attention_program *a    = program_new(part, parts);
    if (!a) return fail(failure, TIDE_ENOMEM, "out of memory for the attention");
    tide_status status = a->count ? compile_maps(m, a, failure) : TIDE_OK;
    if (status == TIDE_OK) {
        m->attention = a;
        return TIDE_OK;
    }
    tide_program_free(a->of.program);
    attention_program_free(a);
    return status;
}

static tide_status no_maps(const forecast_model *m, tide_failure *failure) {
    const forecaster *part[ENSEMBLE_MEMBERS];
    tide_val          weights;
    char              note[160];
    attended_none(part, ensemble_parts(&m->session.model, part, &weights), note, sizeof note);
    return fail(failure, TIDE_EINVAL, "%s", note);
}

static tide_status read_map(const forecast_model *m, int64_t i, forecast_attention *out, tide_failure *failure) {
    const attention_program *a = m->attention;
    const bundle            *b = &m->of->bundle;
    if (!attended_new(a->part[i], b->names, b->mark_step, a->layer[i], out))
        return fail(failure, TIDE_ENOMEM, "out of memory for the attention");
    const float *map = tide_data(a->map[i]);
    if (!map) return train_unread(m->session.graph, "the attention", failure);
    for (int64_t k = 0; k < out->tokens * out->tokens; k++) out->weight[k] = map[k];
    return TIDE_OK;
}

static tide_status look(forecast_model *m, given_windows x, tide_failure *failure) {
    tide_status status = handle_take_windows(m, 0, 1, x, failure);
    if (status == TIDE_OK)
        status = handle_run(m, &m->attention->of, 1, (handle_windows){ m->scaled, m->marks, m->known }, failure);
    return status == TIDE_OK ? status : fail(failure, status, "the attention could not be computed");
}

tide_status forecast_model_attention(forecast_model *m, const double *past, const int64_t *time_s, const double *known,
                                     forecast_attention **maps, int64_t *count, tide_failure *failure) {
    failure_clear(failure);
    if (!maps || !count) return fail(failure, TIDE_EINVAL, "there is no place for the attention");
    *maps = NULL, *count = 0;
    tide_status status = handle_check(m, 1, past, time_s, known, maps, failure);
    if (status == TIDE_OK && !m->attention) status = attention_program_make(m, failure);
    if (status == TIDE_OK && !m->attention->count) status = no_maps(m, failure);
    if (status == TIDE_OK) status = look(m, (given_windows){ past, time_s, known }, failure);
    if (status != TIDE_OK) return status;
    *maps = calloc((size_t)m->attention->count, sizeof **maps);
    if (!*maps) return fail(failure, TIDE_ENOMEM, "out of memory for the attention");
    while (status == TIDE_OK && *count < m->attention->count) {
        status = read_map(m, *count, &(*maps)[*count], failure);
        (*count)++; /* what there is of it is freed with the others */
    }
    if (status == TIDE_OK) return TIDE_OK;
    forecast_attention_free(*maps, *count);
    *maps = NULL, *count = 0;
    return status;
}

void forecast_attention_free(forecast_attention *maps, int64_t count) {
    for (int64_t i = 0; maps && i < count; i++) attended_free(&maps[i]);
    free(maps);
}
