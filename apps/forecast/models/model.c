#include "model.h"

#include <stdio.h>
#include <stdlib.h>

static void block_new(tide_graph *g, const model_config *c, int64_t index, model_block *b) {
    static const char *const names[4] = { "attention.query_projection", "attention.key_projection",
                                          "attention.value_projection", "attention.out_projection" };
    char scope[48];
    snprintf(scope, sizeof scope, "encoder.attn_layers.%d", (int)index);
    tide_scope_push(g, scope);
    b->attention = tide_self_attention_new(g, names, c->d_model, c->n_heads, c->head_size);
    b->conv1     = tide_linear_new(g, "conv1", c->d_model, c->d_ff);
    b->conv2     = tide_linear_new(g, "conv2", c->d_ff, c->d_model);
    b->norm1     = tide_layer_norm_new(g, "norm1", c->d_model, NORM_EPS);
    b->norm2     = tide_layer_norm_new(g, "norm2", c->d_model, NORM_EPS);
    tide_scope_pop(g);
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
    for (int64_t i = 0; i < config->e_layers; i++) block_new(g, config, i, &out->blocks[i]);
    out->norm      = tide_layer_norm_new(g, "encoder.norm", config->d_model, NORM_EPS);
    out->projector = tide_linear_new(g, "projector", config->d_model, config->pred_len);
    return true;
}

void itransformer_free(itransformer *m) {
    free(m->blocks);
    m->blocks = NULL;
}

/* Post-norm; the second residual starts from the first norm's output. `rows` are the tokens that go on. */
static tide_val block_apply(const itransformer *m, const model_block *b, tide_val rows, tide_val tokens,
                            tide_mode mode,
                            tide_val *attention) {
    double   p        = m->config.dropout;
    tide_val attended = tide_self_attention_queries(&b->attention, rows, tokens, p, mode, attention);
    tide_val u        = tide_layer_norm_apply(&b->norm1, tide_add(rows, tide_dropout(attended, p, mode)));
    tide_val hidden   = tide_linear_apply(&b->conv1, u);
    hidden            = tide_dropout(m->config.relu ? tide_relu(hidden) : tide_gelu(hidden), p, mode);
    tide_val out      = tide_dropout(tide_linear_apply(&b->conv2, hidden), p, mode);
    return tide_layer_norm_apply(&b->norm2, tide_add(u, out));
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

tide_val itransformer_rows(const itransformer *m, tide_val x, tide_val marks, tide_mode mode, tide_val *attention) {
    const model_config *c = &m->config;
    tide_val series = tide_transpose(x, 1, 2), mean = series, deviation = series; /* (b, columns, seq_len) */
    if (c->use_norm) {
        mean             = tide_mean(series, TIDE_AXES_KEEP(2));
        tide_val centred = tide_sub(series, mean);
        deviation        = tide_sqrt(tide_add_scalar(tide_mean(tide_square(centred), TIDE_AXES_KEEP(2)), NORM_EPS));
        series           = tide_div(centred, deviation);
    }
    tide_val tokens = c->marks > 0 ? tide_concat(x.graph, TIDE_LIST(series, tide_transpose(marks, 1, 2)), 1) : series;
    tide_val h      = tide_dropout(tide_linear_apply(&m->embedding, tokens), c->dropout, mode);
    h               = tide_layer_norm_apply(&m->norm, encode(m, h, mode, attention));
    tide_val out    = tide_linear_apply(&m->projector, h); /* (b, out columns, pred_len) */
    if (!c->use_norm) return out;
    int64_t first = c->out_first, stop = first + c->out_count;
    return tide_add(tide_mul(out, tide_slice(deviation, 1, first, stop)), tide_slice(mean, 1, first, stop));
}

tide_val itransformer_apply(const itransformer *m, tide_val x, tide_val marks, tide_mode mode,
                              tide_val *attention) {
    return tide_transpose(itransformer_rows(m, x, marks, mode, attention), 1, 2);
}

int64_t model_parameters(const model_config *c) {
    int64_t d = c->d_model, inner = c->n_heads * c->head_size;
    int64_t block = 3 * inner * (d + 1) + d * (inner + 1) + c->d_ff * (d + 1) + d * (c->d_ff + 1) + 4 * d;
    return (c->seq_len + 1) * d + c->e_layers * block + 2 * d + (d + 1) * c->pred_len;
}
