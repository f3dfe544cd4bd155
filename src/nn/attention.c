#include "layers.h"

#include <math.h>

tide_val tide_attention(tide_val q, tide_val k, tide_val v, double dropout, tide_mode mode, tide_val *probabilities) {
    tide_shape shape  = tide_shape_of(q);
    double     size   = shape.ndim > 0 ? (double)shape.dim[shape.ndim - 1] : 1;
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

tide_val tide_self_attention_queries(const tide_self_attention *layer, tide_val queries, tide_val x, double dropout,
                                     tide_mode mode, tide_val *probabilities) {
    if (!layer) return layer_missing("self_attention", tide_ok(queries) ? queries : x);
    bool fit = one_graph("self_attention", queries, x) && axes_fit("self_attention", queries, 3) &&
               axes_fit("self_attention", x, 3);
    if (!fit) return (tide_val){ x.graph, -1, 0 };
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
