/* Instance norm over each window, a token for each series and mark, encoder blocks, and the way back: section 3 of the
 * paper, with the details of its published program. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#include "encoder.h"
#include "instance.h"
#include "forecaster.h"
#include "head.h"

#define LEAST_KNOWN_DEVIATION 0.3 /* of the training rows': bench/results/known-ahead.md */

/* It begins at 0: what it is told of changes nothing before it is learned. */
static tide_val added_embedding_new(tide_graph *g, const char *name, const model_config *c, int64_t inputs) {
    tide_val v = tide_variable(g, name, tide_fill(g, TIDE_F32, TIDE_SHAPE(c->d_model, inputs), 0));
    tide_mark_param(v);
    return v;
}

bool itransformer_new(tide_graph *g, const model_config *config, itransformer *out) {
    *out = (itransformer){ .config = *config };
    if (out->config.out_count == 0) out->config.out_count = config->columns;
    out->blocks = calloc((size_t)config->e_layers + 1, sizeof *out->blocks);
    if (!out->blocks) {
        tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers");
        return false;
    }
    out->embedding = tide_linear_new(g, "enc_embedding.value_embedding", config->seq_len, config->d_model);
    if (config->known)
        out->known_embedding =
            tide_linear_new(g, "enc_embedding.known_embedding", config->seq_len + config->pred_len, config->d_model);
    if (config->masked)
        out->gap_embedding = added_embedding_new(g, "enc_embedding.gap_embedding.weight", config, config->seq_len);
    if (config->statics)
        out->static_embedding = added_embedding_new(g, "enc_embedding.static_embedding.weight", config,
                                                    config->statics);
    for (int64_t i = 0; i < config->e_layers; i++) encoder_block_new(g, config, i, &out->blocks[i]);
    out->norm      = tide_layer_norm_new(g, "encoder.norm", config->d_model, NORM_EPS);
    out->projector = tide_linear_new(g, "projector", config->d_model, head_outputs(config) * config->pred_len);
    return true;
}

void itransformer_free(itransformer *m) {
    free(m->blocks);
    m->blocks = NULL;
}

/* `rows` are the tokens that go on. */
static tide_val block_apply(const itransformer *m, const encoder_block *b, tide_val rows, tide_val tokens,
                            tide_mode mode, tide_val *attention) {
    const model_config *c = &m->config;
    tide_val attended = tide_self_attention_queries(&b->attention, rows, tokens, c->dropout, mode, attention);
    return encoder_block_finish(b, c, rows, attended, mode);
}

/* Only the columns that are forecast need a query in the last block, and nothing after it: its keys and values still
 * come from all tokens, so the result is the same. The backward pass begins with the last block, so its values are
 * kept. */
static tide_val encode(const itransformer *m, tide_val tokens, tide_mode mode, tide_val *attention) {
    const model_config *c = &m->config;
    for (int64_t i = 0; i < c->e_layers; i++) {
        bool     last = i + 1 == c->e_layers && !attention;
        tide_val rows = last ? tide_slice(tokens, 1, c->out_first, c->out_first + c->out_count) : tokens;
        bool     again = c->recompute && mode == TIDE_TRAIN && i + 1 < c->e_layers;
        if (again) tide_recompute_begin(tokens.graph);
        tokens = block_apply(m, &m->blocks[i], rows, tokens, mode, attention ? &attention[i] : NULL);
        if (again) tide_recompute_end(rows.graph);
    }
    bool sliced = c->e_layers > 0 && !attention;
    return sliced ? tokens : tide_slice(tokens, 1, c->out_first, c->out_first + c->out_count);
}

/* The tokens of what is known: its past and its future as one series, beside what is usual in its past. A switch that
 * was off all the while must not become infinite when it goes on. */
static tide_val embed_known(const itransformer *m, const model_windows *x) {
    const model_config *c = &m->config;
    tide_val past = tide_slice(x->past, 2, c->columns - c->known, c->columns), centred;
    tide_val all  = tide_transpose(tide_concat(past.graph, TIDE_LIST(past, x->known), 1), 1, 2);
    if (!c->use_norm) return tide_linear_apply(&m->known_embedding, all);
    instance_scale s = instance_scale_of(tide_transpose(past, 1, 2), (tide_val){ 0 }, &centred);
    tide_val width = tide_maximum(s.deviation, tide_scalar(past.graph, LEAST_KNOWN_DEVIATION));
    return tide_linear_apply(&m->known_embedding, tide_div(tide_sub(all, s.mean), width));
}

/* What attributes add to the tokens, (tokens, d_model): nothing to those of marks, which stand before what is known. */
static tide_val embed_statics(const itransformer *m, const model_windows *x) {
    const model_config *c = &m->config;
    int64_t  series = c->columns - c->known;
    tide_val said   = tide_matmul(x->statics, tide_transpose(m->static_embedding, 0, 1));
    if (!c->marks) return said;
    tide_val first = tide_pad(tide_slice(said, 0, 0, series), 0, 0, c->marks, 0);
    return c->known ? tide_concat(said.graph, TIDE_LIST(first, tide_slice(said, 0, series, c->columns)), 0) : first;
}

/* The tokens of the series, and behind them those of the marks and of what is known. */
static tide_val embed(const itransformer *m, tide_val series, tide_val gaps, const model_windows *x) {
    const model_config *c = &m->config;
    tide_graph         *g = series.graph;
    tide_val inputs = c->marks > 0 ? tide_concat(g, TIDE_LIST(series, tide_transpose(x->marks, 1, 2)), 1) : series;
    tide_val tokens = tide_linear_apply(&m->embedding, inputs);
    if (gaps.graph) {
        tide_val said = tide_matmul(gaps, tide_transpose(m->gap_embedding, 0, 1));
        tokens = tide_add(tokens, c->marks > 0 ? tide_pad(said, 1, 0, c->marks, 0) : said);
    }
    if (c->known) tokens = tide_concat(g, TIDE_LIST(tokens, embed_known(m, x)), 1);
    return c->statics ? tide_add(tokens, embed_statics(m, x)) : tokens;
}

/* (b, seq_len, columns) turned, without the columns that are known ahead. */
static tide_val of_series(const model_config *c, tide_val x) {
    return tide_transpose(c->known ? tide_slice(x, 2, 0, c->columns - c->known) : x, 1, 2);
}

head_values itransformer_rows(const itransformer *m, const model_windows *x, tide_mode mode, tide_val *attention) {
    const model_config *c = &m->config;
    tide_val series = of_series(c, x->past), gaps = x->gaps; /* (b, series, seq_len) */
    if (gaps.graph) gaps = of_series(c, gaps);
    instance_scale scale = { series, series };
    if (c->use_norm) {
        tide_val centred;
        scale  = instance_scale_of(series, gaps, &centred);
        series = tide_div(centred, scale.deviation);
    }
    tide_val h   = tide_dropout(embed(m, series, gaps, x), c->dropout, mode);
    h            = tide_layer_norm_apply(&m->norm, encode(m, h, mode, attention));
    tide_val out = tide_linear_apply(&m->projector, h); /* (b, out columns, outputs * pred_len) */
    if (!c->use_norm) return head_restored(c, out, NULL);
    int64_t first = c->out_first, stop = first + c->out_count;
    scale = (instance_scale){ tide_slice(scale.mean, 1, first, stop), tide_slice(scale.deviation, 1, first, stop) };
    return head_restored(c, out, &scale);
}

tide_val itransformer_apply(const itransformer *m, const model_windows *x, tide_mode mode, tide_val *attention) {
    return tide_transpose(itransformer_rows(m, x, mode, attention).point, 1, 2);
}

/* ---- the contract ---- */

static void *build(tide_graph *g, const model_config *c) {
    itransformer *m = malloc(sizeof *m);
    if (m && itransformer_new(g, c, m)) return m;
    if (!m) tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers");
    free(m);
    return NULL;
}

static void release(void *self) {
    itransformer_free(self);
    free(self);
}

static head_values rows(const void *self, const model_windows *x, tide_mode mode) {
    return itransformer_rows(self, x, mode, NULL);
}

static head_values attended(const void *self, const model_windows *x, tide_val *attention) {
    return itransformer_rows(self, x, TIDE_EVAL, attention);
}

static int64_t tokens(const model_config *c) { return c->columns + c->marks; }

static int64_t parameters(const model_config *c) {
    int64_t d = c->d_model, embedding = (c->seq_len + 1) * d + (c->masked ? c->seq_len * d : 0);
    if (c->known) embedding += (c->seq_len + c->pred_len + 1) * d;
    embedding += c->statics * d;
    return embedding + c->e_layers * encoder_block_parameters(c) + 2 * d + (d + 1) * head_outputs(c) * c->pred_len;
}

static bool weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    int64_t rows_out = head_outputs(c) * c->pred_len;
    const struct { const char *name; bool here; tide_shape shape; } outer[] = {
        { "enc_embedding.value_embedding.weight", true, TIDE_SHAPE(c->d_model, c->seq_len) },
        { "enc_embedding.value_embedding.bias", true, TIDE_SHAPE(c->d_model) },
        { "encoder.norm.weight", true, TIDE_SHAPE(c->d_model) },
        { "encoder.norm.bias", true, TIDE_SHAPE(c->d_model) },
        { "projector.weight", true, TIDE_SHAPE(rows_out, c->d_model) },
        { "projector.bias", true, TIDE_SHAPE(rows_out) },
        { "enc_embedding.gap_embedding.weight", c->masked, TIDE_SHAPE(c->d_model, c->seq_len) },
        { "enc_embedding.known_embedding.weight", c->known > 0, TIDE_SHAPE(c->d_model, c->seq_len + c->pred_len) },
        { "enc_embedding.known_embedding.bias", c->known > 0, TIDE_SHAPE(c->d_model) },
        { "enc_embedding.static_embedding.weight", c->statics > 0, TIDE_SHAPE(c->d_model, c->statics) },
    };
    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++) {
        if (!outer[i].here || index-- > 0) continue;
        snprintf(name, WEIGHT_NAME, "%s", outer[i].name);
        *shape = outer[i].shape;
        return true;
    }
    return encoder_weight(c, index, name, shape);
}

static int64_t activations(const model_config *c) {
    const int64_t n = tokens(c);
    return n * (c->seq_len + 6 * c->d_model + 2 * c->d_ff + head_outputs(c) * c->pred_len) + c->n_heads * n * n;
}

static void resize(void *self, int64_t columns) {
    itransformer *m = self;
    m->config.columns = m->config.out_count = columns;
}

const architecture arch_itransformer = { "itransformer", true, true, false, build, release, rows, parameters,
                                         weight, activations, .resize = resize, .attended = attended,
                                         .tokens = tokens, .takes_statics = true };
