/* Attention over the last two axes, and a layer of its own: queries, keys and values from one input, several heads. */
#include "layers.h"

#include <inttypes.h>
#include <math.h>

#include "../base/base.h"

static bool attention_fits(tide_val q, tide_val k, tide_val v) {
    layer_site site = { "attention", { 0 }, q.graph ? q.graph : k.graph ? k.graph : v.graph };
    tide_shape sq = tide_shape_of(q), sk = tide_shape_of(k), sv = tide_shape_of(v);
    char       a[128], b[128], c[128];
    if (!layer_operand(site, q, "q") || !layer_operand(site, k, "k") || !layer_operand(site, v, "v")) return false;
    if (tide_dtype_of(q) != tide_dtype_of(k) || tide_dtype_of(q) != tide_dtype_of(v))
        return layer_fail(site, q, TIDE_ETYPE, "q, k and v are %s, %s and %s; they must be of one floating type",
                          tide_dtype_name(tide_dtype_of(q)), tide_dtype_name(tide_dtype_of(k)),
                          tide_dtype_name(tide_dtype_of(v))),
               false;
    if (sq.ndim >= 2 && sk.ndim >= 2 && sv.ndim >= 2 && sq.dim[sq.ndim - 1] == sk.dim[sk.ndim - 1] &&
        sk.dim[sk.ndim - 2] == sv.dim[sv.ndim - 2])
        return true;
    layer_fail(site, q, TIDE_ESHAPE, "q, k and v have the shapes %s, %s and %s; they must be (..., t, d), (..., s, d) "
                                     "and (..., s, e)",
               shape_text(a, sq), shape_text(b, sk), shape_text(c, sv));
    return false;
}

tide_val tide_attention(tide_val q, tide_val k, tide_val v, double dropout, tide_mode mode, tide_val *probabilities) {
    if (probabilities) *probabilities = (tide_val){ q.graph, -1, 0 };
    if (!attention_fits(q, k, v)) return (tide_val){ q.graph, -1, 0 };
    tide_shape shape  = tide_shape_of(q);
    double     size   = (double)shape.dim[shape.ndim - 1];
    tide_val   scores = tide_mul_scalar(tide_matmul(q, tide_transpose(k, -2, -1)), 1.0 / sqrt(size));
    tide_val   share  = tide_softmax(scores, -1);
    if (probabilities) *probabilities = share;
    return tide_matmul(tide_dropout(share, dropout, mode), v);
}

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
