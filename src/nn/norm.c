#include "layers.h"

#include <inttypes.h>

#include "../base/base.h"

static tide_val filled_param(tide_graph *g, const char *name, int64_t size, double value) {
    tide_val v = tide_variable(g, name, tide_fill(g, tide_default_type(g), TIDE_SHAPE(size), value));
    tide_mark_param(v);
    return v;
}

tide_layer_norm_layer tide_layer_norm_new(tide_graph *g, const char *name, int64_t size, double eps) {
    tide_layer_norm_layer layer = { .eps = eps };
    tide_scope_push(g, name);
    layer.weight = filled_param(g, "weight", size, 1);
    layer.bias   = filled_param(g, "bias", size, 0);
    tide_scope_pop(g);
    return layer;
}

tide_val tide_layer_norm_apply(const tide_layer_norm_layer *layer, tide_val x) {
    char a[128], b[128];
    if (!layer) return layer_missing("layer_norm", x);
    layer_site site = layer_of("layer_norm", layer->weight, x);
    if (!layer_takes(site, (tide_val[]){ layer->weight, layer->bias }, 2, x))
        return (tide_val){ site.graph, -1, 0 };
    tide_shape s = tide_shape_of(x), weight = tide_shape_of(layer->weight);
    if (!s.ndim || weight.ndim != 1 || s.dim[s.ndim - 1] != weight.dim[0])
        return layer_fail(site, x, TIDE_ESHAPE, "x has the shape %s; its last axis must be that of the weight %s",
                          shape_text(a, s), shape_text(b, weight));
    return tide_layer_norm(x, layer->weight, layer->bias, layer->eps);
}
