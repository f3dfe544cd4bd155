/* Affine maps and what is an affine map in disguise: embedding rows. */
#include "layers.h"

#include <inttypes.h>

#include "../base/base.h"

tide_linear tide_linear_new(tide_graph *g, const char *name, int64_t in, int64_t out) {
    tide_linear layer;
    tide_scope_push(g, name);
    layer.weight = affine_variable(g, "weight", TIDE_SHAPE(out, in), (double)in);
    layer.bias   = affine_variable(g, "bias", TIDE_SHAPE(out), (double)in);
    tide_scope_pop(g);
    return layer;
}

/* Whether weight (out, in) and bias (out) fit each other, and x's last axis them. */
static bool linear_fits(layer_site site, const tide_linear *layer, tide_val x) {
    char       a[128], b[128];
    tide_shape s = tide_shape_of(x), weight = tide_shape_of(layer->weight), bias = tide_shape_of(layer->bias);
    if (weight.ndim != 2 || bias.ndim != 1 || bias.dim[0] != weight.dim[0])
        return layer_fail(site, x, TIDE_ESHAPE, "weight %s and bias %s must be (out, in) and (out)",
                          shape_text(a, weight), shape_text(b, bias)),
               false;
    if (s.ndim > 0 && s.dim[s.ndim - 1] == weight.dim[1]) return true;
    layer_fail(site, x, TIDE_ESHAPE, "x has the shape %s; its last axis must be %" PRId64 ", as the weight %s has it",
               shape_text(a, s), weight.dim[1], shape_text(b, weight));
    return false;
}

tide_val tide_linear_apply(const tide_linear *layer, tide_val x) {
    if (!layer) return layer_missing("linear", x);
    layer_site site = layer_of("linear", layer->weight, x);
    if (!layer_takes(site, (tide_val[]){ layer->weight, layer->bias }, 2, x) ||
        !linear_fits(site, layer, x))
        return (tide_val){ site.graph, -1, 0 };
    bool     row = tide_shape_of(x).ndim == 1;
    tide_val y   = tide_matmul(row ? tide_expand_dims(x, 0) : x, tide_transpose(layer->weight, 0, 1));
    return tide_add(row ? tide_squeeze(y, 0) : y, layer->bias);
}

tide_embedding tide_embedding_new(tide_graph *g, const char *name, int64_t count, int64_t size) {
    tide_embedding layer;
    tide_scope_push(g, name);
    layer.weight = tide_variable(g, "weight", tide_random_normal(g, TIDE_SHAPE(count, size), 0, 1));
    tide_mark_param(layer.weight);
    tide_scope_pop(g);
    return layer;
}

tide_val tide_embedding_apply(const tide_embedding *layer, tide_val index) {
    if (!layer) return layer_missing("embedding", index);
    layer_site site = layer_of("embedding", layer->weight, index);
    if (!layer_operand(site, layer->weight, "its weight") || !layer_operand(site, index, "the index"))
        return (tide_val){ site.graph, -1, 0 };
    if (tide_dtype_of(index) != TIDE_I32)
        return layer_fail(site, index, TIDE_ETYPE, "the index is %s; it must be i32",
                          tide_dtype_name(tide_dtype_of(index)));
    return tide_gather(layer->weight, 0, index);
}
