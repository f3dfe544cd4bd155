/* A layer of attention: queries, keys and values from one input, several heads. */
#include "layers.h"

#include <inttypes.h>

#include "../base/base.h"

/* The three weights are made before the three biases: neighbours in storage, so that their products can be one. */
tide_self_attention tide_self_attention_new(tide_graph *g, const char *const names[4], int64_t size, int64_t heads,
                                            int64_t head_size) {
    tide_self_attention layer = { .heads = heads, .head_size = head_size };
    tide_linear *const  part[3] = { &layer.query, &layer.key, &layer.value };
    int64_t             wide;
    bool                sizes = heads > 0 && head_size > 0 && !__builtin_mul_overflow(heads, head_size, &wide);
    if (!names || !sizes) {
        tide_poison(g, TIDE_EINVAL,
                    names ? "self_attention: heads and head_size must be at least 1"
                          : "self_attention: there are no names");
        return layer;
    }
    for (int i = 0; i < 6; i++) {
        tide_scope_push(g, names[i % 3]);
        if (i < 3) part[i]->weight = affine_variable(g, "weight", TIDE_SHAPE(wide, size), (double)size);
        else part[i - 3]->bias = affine_variable(g, "bias", TIDE_SHAPE(wide), (double)size);
        tide_scope_pop(g);
    }
    layer.out = tide_linear_new(g, names[3], wide, size);
    return layer;
}

/* (b, t, heads d) -> (b, heads, t, d). */
static tide_val split_heads(const tide_self_attention *layer, tide_val x) {
    tide_shape s = tide_shape_of(x);
    return tide_transpose(tide_reshape(x, TIDE_SHAPE(s.dim[0], s.dim[1], layer->heads, layer->head_size)), 1, 2);
}

/* Whether queries (b, u, size) and x (b, t, size) can go through the four maps. */
static bool rows_fit(const tide_self_attention *layer, tide_val queries, tide_val x) {
    layer_site     site = layer_of("self_attention", layer->query.weight, x.graph ? x : queries);
    const tide_val variables[] = { layer->query.weight, layer->key.weight, layer->value.weight, layer->out.weight };
    char           a[128], b[128];
    if (!layer_takes(site, variables, 4, queries) || !layer_operand(site, x, "x") || !layer_type_fits(site, x))
        return false;
    tide_shape q = tide_shape_of(queries), s = tide_shape_of(x), map = tide_shape_of(layer->query.weight);
    if (map.ndim != 2 || layer->heads < 1 || layer->head_size < 1 || map.dim[0] / layer->heads != layer->head_size)
        return layer_fail(site, x, TIDE_ESHAPE, "its query map %s does not make %" PRId64 " heads of %" PRId64,
                          shape_text(a, map), layer->heads, layer->head_size),
               false;
    if (q.ndim == 3 && s.ndim == 3 && q.dim[0] == s.dim[0] && q.dim[2] == map.dim[1] && s.dim[2] == map.dim[1])
        return true;
    layer_fail(site, x, TIDE_ESHAPE, "queries and x have the shapes %s and %s; they must be (b, u, %" PRId64 ") and "
                                     "(b, t, %" PRId64 ")",
               shape_text(a, q), shape_text(b, s), map.dim[1], map.dim[1]);
    return false;
}

tide_val tide_self_attention_queries(const tide_self_attention *layer, tide_val queries, tide_val x, double dropout,
                                     tide_mode mode, tide_val *probabilities) {
    if (!layer) return layer_missing("self_attention", tide_ok(queries) ? queries : x);
    if (!rows_fit(layer, queries, x)) return (tide_val){ x.graph, -1, 0 };
    tide_shape s = tide_shape_of(queries);
    tide_val   q = split_heads(layer, tide_linear_apply(&layer->query, queries));
    tide_val   k = split_heads(layer, tide_linear_apply(&layer->key, x));
    tide_val   v = split_heads(layer, tide_linear_apply(&layer->value, x));
    tide_val   heads = tide_transpose(tide_attention(q, k, v, dropout, mode, probabilities), 1, 2);
    return tide_linear_apply(&layer->out,
                             tide_reshape(heads, TIDE_SHAPE(s.dim[0], s.dim[1], layer->heads * layer->head_size)));
}

tide_val tide_self_attention_apply(const tide_self_attention *layer, tide_val x, double dropout, tide_mode mode,
                                   tide_val *probabilities) {
    return tide_self_attention_queries(layer, x, x, dropout, mode, probabilities);
}
