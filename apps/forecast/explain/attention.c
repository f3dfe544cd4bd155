/* Who looks at whom: the softmax of queries and keys, which a forecast need not have in memory, from a program of its
 * own. */
#include <stdlib.h>

#include "base/base.h"
#include "explaining.h"
#include "forecast/models/ensemble.h"
#include "forecast/saved/attended.h"
#include "train/step.h"

typedef struct looks {
    const forecaster *part;    /* the network */
    tide_program *program;
    tide_val  start;
    tide_val *map;             /* (e_layers): (b, tokens, tokens), means over the heads */
    int64_t   batch, layers, tokens;
} looks;

/* ---- maps ---- */

static tide_status compile_looks(explaining *e, looks *l, tide_failure *failure) {
    session *s = e->session;
    l->start   = tide_input(s->graph, "start.attention", TIDE_I32, TIDE_SHAPE(l->batch));
    model_windows x = session_windows(s, l->start);
    l->part->of->attended(l->part->self, &x, l->map);
    for (int64_t i = 0; i < l->layers; i++) l->map[i] = tide_mean(l->map[i], TIDE_AXES(1));
    l->program = session_compile(s, (tide_list){ l->map, l->layers });
    return train_compiled(s->graph, l->program, failure);
}

/* As many windows at once as keep the maps of all heads near 16 million numbers. */
static int64_t batch_of(const explaining *e, const looks *l) {
    const model_config *c    = &l->part->config;
    int64_t             maps = c->n_heads * (l->part->of->token_rows ? c->out_count : 1);
    return MAX2(1, MIN2(session_batch(c, e->windows), 16000000 / (maps * l->tokens * l->tokens * l->layers)));
}

static tide_status add_maps(explaining *e, const looks *l, int64_t count, forecast_attention *out,
                            tide_failure *failure) {
    int64_t each = l->tokens * l->tokens;
    for (int64_t layer = 0; layer < l->layers; layer++) {
        const float *map = tide_data(l->map[layer]);
        if (!map) return train_unread(e->session->graph, "the attention", failure);
        for (int64_t i = 0; i < count * each; i++) out[layer].weight[i % each] += map[i] / (double)e->windows;
    }
    return TIDE_OK;
}

static tide_status run_looks(explaining *e, const looks *l, pace *p, forecast_attention *out, tide_failure *failure) {
    const window_program w = { .program = l->program, .start = l->start, .batch = l->batch };
    tide_status status = TIDE_OK;
    for (int64_t at = 0; status == TIDE_OK && at < e->windows; at += l->batch) {
        int64_t count = MIN2(l->batch, e->windows - at);
        status = run_windows((window_program *)&w, e->start + at, count, failure);
        if (status == TIDE_OK) status = add_maps(e, l, count, out, failure);
        if (status == TIDE_OK) status = explaining_pace(e, p, count, failure);
    }
    return status;
}

static tide_status look(explaining *e, const forecaster *part, pace *p, tide_failure *failure) {
    forecast_inputs *out = e->out;
    looks l = { .part = part, .layers = part->config.e_layers, .tokens = part->of->tokens(&part->config) };
    if (!l.layers || l.tokens > ATTENDED_TOKENS) return TIDE_OK;
    void *more = realloc(out->attention, (size_t)(out->attention_count + l.layers) * sizeof *out->attention);
    l.map      = calloc((size_t)l.layers, sizeof *l.map);
    if (more) out->attention = more;
    tide_status status = more && l.map ? TIDE_OK : explaining_no_memory(failure);
    int64_t     first  = out->attention_count;
    for (int64_t i = 0; status == TIDE_OK && i < l.layers; i++)
        if (!attended_new(part, e->data->frame.names, e->data->mark_step, i, &out->attention[out->attention_count++]))
            status = explaining_no_memory(failure);
    if (status == TIDE_OK) l.batch = batch_of(e, &l), status = compile_looks(e, &l, failure);
    if (status == TIDE_OK) status = run_looks(e, &l, p, out->attention + first, failure);
    tide_program_free(l.program);
    free(l.map);
    return status;
}

tide_status explain_attention(explaining *e, tide_failure *failure) {
    const forecaster *part[ENSEMBLE_MEMBERS];
    tide_val    weights;
    int         parts  = ensemble_parts(&e->session->model, part, &weights);
    tide_status status = TIDE_OK;
    pace        p      = { .all = 0 };
    for (int i = 0; i < parts; i++) p.all += part[i]->of->attended ? e->windows : 0;
    for (int i = 0; status == TIDE_OK && i < parts; i++)
        if (part[i]->of->attended) status = look(e, part[i], &p, failure);
    if (status == TIDE_OK && !e->out->attention_count)
        attended_none(part, parts, e->out->no_attention, sizeof e->out->no_attention);
    return status;
}
