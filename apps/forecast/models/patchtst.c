/* PatchTST (Nie et al., ICLR 2023): each series by itself, its window in overlapping patches, which are the tokens of
 * an encoder. Names of the parameters as in Time-Series-Library. Other than published: the encoder's last norm is a
 * layer norm, where they keep running means of batches, and attention's weights have no dropout. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "encoder.h"
#include "instance.h"
#include "forecaster.h"
#include "head.h"

enum { PATCH = 16, STRIDE = 8 }; /* as published */

typedef struct patchtst {
    model_config  config;
    tide_val      embedding, gap_embedding;  /* (d_model, patch), no bias; the latter if config.masked, 0 at first */
    tide_val      static_embedding;  /* (d_model, statics), if config.statics; 0 at first */
    encoder_block *blocks;
    tide_layer_norm_layer norm;
    tide_linear   head;
} patchtst;

/* Short windows are one patch. */
static int64_t patch_of(const model_config *c) { return c->seq_len < PATCH ? c->seq_len : PATCH; }
static int64_t patches_of(const model_config *c) { return (c->seq_len - patch_of(c)) / STRIDE + 2; }

static void release(void *self) {
    patchtst *m = self;
    free(m->blocks);
    free(m);
}

/* It begins at 0: what it is told of changes nothing before it is learned. */
static tide_val added_embedding(tide_graph *g, const char *name, tide_shape shape) {
    tide_val v = tide_variable(g, name, tide_fill(g, TIDE_F32, shape, 0));
    tide_mark_param(v);
    return v;
}

static void *build(tide_graph *g, const model_config *c) {
    patchtst *m = calloc(1, sizeof *m);
    if (m) m->blocks = calloc((size_t)c->e_layers + 1, sizeof *m->blocks);
    if (!m || !m->blocks) {
        tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers");
        free(m);
        return NULL;
    }
    tide_shape embedding = TIDE_SHAPE(c->d_model, patch_of(c));
    double     range     = 1 / sqrt((double)patch_of(c));
    m->config    = *c;
    m->embedding = tide_variable(g, "patch_embedding.value_embedding.weight",
                                 tide_random_uniform(g, embedding, -range, range));
    tide_mark_param(m->embedding);
    if (c->masked) m->gap_embedding = added_embedding(g, "patch_embedding.gap_embedding.weight", embedding);
    if (c->statics)
        m->static_embedding = added_embedding(g, "patch_embedding.static_embedding.weight",
                                              TIDE_SHAPE(c->d_model, c->statics));
    for (int64_t i = 0; i < c->e_layers; i++) encoder_block_new(g, c, i, &m->blocks[i]);
    m->norm = tide_layer_norm_new(g, "encoder.norm", c->d_model, NORM_EPS);
    m->head = tide_linear_new(g, "head.linear", c->d_model * patches_of(c), head_outputs(c) * c->pred_len);
    return m;
}

/* ---- patches ---- */

/* (b, series, seq_len) -> (b, series, patches, patch): the last value goes on behind the window for one stride. */
static tide_val cut(const model_config *c, tide_val series) {
    int64_t  patches = patches_of(c), patch = patch_of(c);
    int32_t *rows    = malloc((size_t)(patches * patch) * sizeof *rows);
    if (!rows) return tide_poison(series.graph, TIDE_ENOMEM, "out of memory for the model's layers"), (tide_val){ 0 };
    for (int64_t i = 0; i < patches * patch; i++) {
        int64_t row = i / patch * STRIDE + i % patch;
        rows[i] = (int32_t)(row < c->seq_len ? row : c->seq_len - 1);
    }
    tide_val index = tide_constant(series.graph, TIDE_I32, TIDE_SHAPE(patches, patch), rows);
    free(rows);
    return tide_gather(series, 2, index);
}

/* Sines and cosines (Vaswani et al. 2017): (patches, d_model). */
static tide_val positions(const model_config *c, tide_graph *g) {
    int64_t patches = patches_of(c), d = c->d_model;
    float  *values  = malloc((size_t)(patches * d) * sizeof *values);
    if (!values) return tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers"), (tide_val){ 0 };
    for (int64_t i = 0; i < patches * d; i++) {
        double angle = (double)(i / d) * exp(-log(1e4) * (double)(i % d / 2 * 2) / (double)d);
        values[i] = (float)(i % d % 2 ? cos(angle) : sin(angle));
    }
    tide_val out = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, 1, patches, d), values);
    free(values);
    return out;
}

/* The attributes of each series in all its patches: (series, 1, d_model). */
static tide_val embed_statics(const patchtst *m, const model_windows *x) {
    const model_config *c = &m->config;
    tide_val own  = tide_slice(x->statics, 0, c->out_first, c->out_first + c->out_count);
    tide_val said = tide_matmul(own, tide_transpose(m->static_embedding, 0, 1));
    return tide_reshape(said, TIDE_SHAPE(c->out_count, 1, c->d_model));
}

static tide_val embed(const patchtst *m, const model_windows *x, tide_val series, tide_val gaps, tide_mode mode) {
    const model_config *c = &m->config;
    tide_val tokens = tide_matmul(cut(c, series), tide_transpose(m->embedding, 0, 1));
    if (gaps.graph) tokens = tide_add(tokens, tide_matmul(cut(c, gaps), tide_transpose(m->gap_embedding, 0, 1)));
    if (c->statics) tokens = tide_add(tokens, embed_statics(m, x));
    return tide_dropout(tide_add(tokens, positions(c, series.graph)), c->dropout, mode);
}

/* ---- the model ---- */

/* Attention is over the patches of one series: samples and series are one axis there alone, so that dropout draws by
 * samples. */
static tide_val encode(const patchtst *m, tide_val tokens, tide_mode mode, tide_val *attention) {
    const model_config *c     = &m->config;
    tide_shape          shape = tide_shape_of(tokens);
    tide_shape          flat  = TIDE_SHAPE(shape.dim[0] * shape.dim[1], shape.dim[2], c->d_model);
    for (int64_t i = 0; i < c->e_layers; i++) {
        tide_val x        = tide_reshape(tokens, flat);
        tide_val attended = tide_self_attention_apply(&m->blocks[i].attention, x, 0, mode,
                                                      attention ? &attention[i] : NULL);
        tokens = encoder_block_finish(&m->blocks[i], c, tokens, tide_reshape(attended, shape), mode);
    }
    return tide_layer_norm_apply(&m->norm, tokens);
}

static head_values forecast(const patchtst *m, const model_windows *x, tide_mode mode, tide_val *attention) {
    const model_config *c = &m->config;
    normed_series series = series_normed(c, x);
    tide_val h = encode(m, embed(m, x, series.values, series.gaps, mode), mode, attention);
    h = tide_transpose(h, 2, 3); /* (b, series, d_model, patches) */
    tide_shape s = tide_shape_of(h);
    tide_val out = tide_linear_apply(&m->head, tide_reshape(h, TIDE_SHAPE(s.dim[0], s.dim[1], s.dim[2] * s.dim[3])));
    return series_restored(c, &series, out);
}

static head_values rows(const void *self, const model_windows *x, tide_mode mode) {
    return forecast(self, x, mode, NULL);
}

/* Attention ran over samples and series as one axis: a series' heads are maps of its sample. */
static head_values attended(const void *self, const model_windows *x, tide_val *attention) {
    const model_config *c   = &((const patchtst *)self)->config;
    head_values         out = forecast(self, x, TIDE_EVAL, attention);
    int64_t             b = tide_shape_of(x->past).dim[0], patches = patches_of(c);
    for (int64_t i = 0; i < c->e_layers; i++)
        attention[i] = tide_reshape(attention[i], TIDE_SHAPE(b, c->out_count * c->n_heads, patches, patches));
    return out;
}

static void token_rows(const model_config *c, int64_t token, int64_t *first, int64_t *stop) {
    *first = token * STRIDE;
    *stop  = *first + patch_of(c) < c->seq_len ? *first + patch_of(c) : c->seq_len;
}

static int64_t parameters(const model_config *c) {
    int64_t embedding = c->d_model * patch_of(c) * (c->masked ? 2 : 1);
    embedding += c->d_model * c->statics;
    return embedding + c->e_layers * encoder_block_parameters(c) + 2 * c->d_model +
           (c->d_model * patches_of(c) + 1) * head_outputs(c) * c->pred_len;
}

static bool weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    const int64_t rows_out = head_outputs(c) * c->pred_len;
    const struct { const char *name; bool here; tide_shape shape; } outer[] = {
        { "patch_embedding.value_embedding.weight", true, TIDE_SHAPE(c->d_model, patch_of(c)) },
        { "encoder.norm.weight", true, TIDE_SHAPE(c->d_model) },
        { "encoder.norm.bias", true, TIDE_SHAPE(c->d_model) },
        { "head.linear.weight", true, TIDE_SHAPE(rows_out, c->d_model * patches_of(c)) },
        { "head.linear.bias", true, TIDE_SHAPE(rows_out) },
        { "patch_embedding.gap_embedding.weight", c->masked, TIDE_SHAPE(c->d_model, patch_of(c)) },
        { "patch_embedding.static_embedding.weight", c->statics > 0, TIDE_SHAPE(c->d_model, c->statics) },
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
    int64_t patches = patches_of(c), block = 6 * c->d_model + 2 * c->d_ff;
    return c->out_count *
           (c->seq_len + patches * (patch_of(c) + block + c->n_heads * patches) + head_outputs(c) * c->pred_len);
}

static void resize(void *self, int64_t columns) {
    patchtst *m = self;
    m->config.columns = m->config.out_count = columns;
}

const architecture arch_patchtst = { "patchtst", false,      false,  false,      build,
                                    release,    rows,  parameters, weight,     activations, .resize = resize,
                                    .attended = attended, .tokens = patches_of, .token_rows = token_rows,
                                    .takes_statics = true };
