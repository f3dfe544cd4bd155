#include "network.h"

#include <math.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5;

/* The second map of a block begins at half the usual size: a deep stack begins near the identity. */
static tide_linear half_linear(tide_graph *g, const char *name, int64_t in, int64_t out) {
    double      bound = 0.5 / sqrt((double)in);
    tide_linear layer;
    tide_scope_push(g, name);
    layer.weight = tide_variable(g, "weight", tide_random_uniform(g, TIDE_SHAPE(out, in), -bound, bound));
    layer.bias   = tide_variable(g, "bias", tide_random_uniform(g, TIDE_SHAPE(out), -2 * bound, 2 * bound));
    tide_scope_pop(g);
    tide_mark_param(layer.weight);
    tide_mark_param(layer.bias);
    return layer;
}

static network_block block_new(tide_graph *g, const char *name, int64_t width) {
    tide_scope_push(g, name);
    network_block b = { .norm = tide_layer_norm_new(g, "norm", width, NORM_EPS),
                        .up = tide_linear_new(g, "up", width, width),
                        .down = half_linear(g, "down", width, width) };
    tide_scope_pop(g);
    return b;
}

static tide_val block_apply(const network_block *b, tide_val x, bool again) {
    if (again) tide_recompute_begin(x.graph);
    tide_val inner = tide_silu(tide_linear_apply(&b->up, tide_layer_norm_apply(&b->norm, x)));
    tide_val out = tide_add(x, tide_linear_apply(&b->down, inner));
    if (again) tide_recompute_end(x.graph);
    return out;
}

network network_new(tide_graph *g, const network_config *c) {
    network n = { .config = *c };
    n.features = tide_linear_new(g, "features", features_width(c->recipe), c->width);
    n.known    = tide_linear_new(g, "known", recipe_known(c->recipe), c->width);
    for (int i = 0; i < NETWORK_BLOCKS; i++) {
        char name[32];
        snprintf(name, sizeof name, i < ENCODER_BLOCKS ? "encoder.%d" : "decoder.%d",
                 i < ENCODER_BLOCKS ? i : i - ENCODER_BLOCKS);
        n.block[i] = block_new(g, name, c->width);
    }
    n.norm = tide_layer_norm_new(g, "norm", c->width, NORM_EPS);
    n.head = tide_linear_new(g, "head", c->width, recipe_quantities(c->recipe) * recipe_bins(c->recipe));
    return n;
}

tide_val network_encode(const network *n, tide_val features) {
    tide_val h = tide_linear_apply(&n->features, features);
    for (int i = 0; i < ENCODER_BLOCKS; i++) h = block_apply(&n->block[i], h, n->recompute);
    return h;
}

tide_val network_decode(const network *n, tide_val encoded, tide_val known) {
    tide_shape shape = tide_shape_of(known);
    tide_val   h     = tide_add(tide_expand_dims(encoded, 1), tide_linear_apply(&n->known, known));
    for (int i = ENCODER_BLOCKS; i < NETWORK_BLOCKS; i++) h = block_apply(&n->block[i], h, n->recompute);
    tide_val logits = tide_linear_apply(&n->head, tide_layer_norm_apply(&n->norm, h));
    return tide_reshape(logits, TIDE_SHAPE(shape.dim[0], shape.dim[1], recipe_quantities(n->config.recipe),
                                           recipe_bins(n->config.recipe)));
}
