#include "layers.h"

static tide_val filled_param(tide_graph *g, const char *name, int64_t size, double value) {
    tide_val v = tide_variable(g, name, tide_fill(g, TIDE_F32, TIDE_SHAPE(size), value));
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
    return layer ? tide_layer_norm(x, layer->weight, layer->bias, layer->eps) : layer_missing("layer_norm", x);
}
