#include "encoder.h"

#include <stdio.h>

#include "instance.h"

void encoder_block_new(tide_graph *g, const model_config *c, int64_t index, encoder_block *b) {
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

tide_val encoder_block_finish(const encoder_block *b, const model_config *c, tide_val tokens, tide_val attended,
                              tide_mode mode) {
    double   p      = c->dropout;
    tide_val u      = tide_layer_norm_apply(&b->norm1, tide_add(tokens, tide_dropout(attended, p, mode)));
    tide_val hidden = tide_linear_apply(&b->conv1, u);
    hidden          = tide_dropout(c->relu ? tide_relu(hidden) : tide_gelu(hidden), p, mode);
    tide_val out    = tide_dropout(tide_linear_apply(&b->conv2, hidden), p, mode);
    return tide_layer_norm_apply(&b->norm2, tide_add(u, out));
}

int64_t encoder_block_parameters(const model_config *c) {
    int64_t d = c->d_model, inner = c->n_heads * c->head_size;
    return 3 * inner * (d + 1) + d * (inner + 1) + c->d_ff * (d + 1) + d * (c->d_ff + 1) + 4 * d;
}

typedef enum side { NO_SIDE, WIDTH, INNER, FEED_FORWARD, ONE } side;

/* The published checkpoints have the feed-forward maps as convolutions of width 1: (out, in, 1). */
static const struct { const char *name; side sides[3]; } weights[] = {
    { "attention.query_projection.weight", { INNER, WIDTH } }, { "attention.query_projection.bias", { INNER } },
    { "attention.key_projection.weight", { INNER, WIDTH } },   { "attention.key_projection.bias", { INNER } },
    { "attention.value_projection.weight", { INNER, WIDTH } }, { "attention.value_projection.bias", { INNER } },
    { "attention.out_projection.weight", { WIDTH, INNER } },   { "attention.out_projection.bias", { WIDTH } },
    { "conv1.weight", { FEED_FORWARD, WIDTH, ONE } },          { "conv1.bias", { FEED_FORWARD } },
    { "conv2.weight", { WIDTH, FEED_FORWARD, ONE } },          { "conv2.bias", { WIDTH } },
    { "norm1.weight", { WIDTH } },                             { "norm1.bias", { WIDTH } },
    { "norm2.weight", { WIDTH } },                             { "norm2.bias", { WIDTH } },
};
enum { WEIGHTS = sizeof weights / sizeof *weights };

bool encoder_weight(const model_config *c, int64_t index, char name[100], tide_shape *shape) {
    const int64_t sizes[] = { [WIDTH] = c->d_model, [INNER] = c->n_heads * c->head_size, [FEED_FORWARD] = c->d_ff,
                              [ONE] = 1 };
    if (index >= c->e_layers * WEIGHTS) return false;
    snprintf(name, 100, "encoder.attn_layers.%d.%s", (int)(index / WEIGHTS), weights[index % WEIGHTS].name);
    *shape = (tide_shape){ 0 };
    for (const side *s = weights[index % WEIGHTS].sides; shape->ndim < 3 && s[shape->ndim]; shape->ndim++)
        shape->dim[shape->ndim] = sizes[s[shape->ndim]];
    return true;
}
