/* Affine maps and what is an affine map in disguise: embedding rows, one-dimensional convolution. */
#include "layers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "../base/base.h"

/* PyTorch's default (Kaiming uniform with a = sqrt 5): the bound is 1 / sqrt(fan in), for weights and biases. */
tide_val affine_variable(tide_graph *g, const char *name, tide_shape shape, double fan_in) {
    double   bound = fan_in > 0 ? 1.0 / sqrt(fan_in) : 0;
    tide_val v     = tide_variable(g, name, tide_random_uniform(g, shape, -bound, bound));
    tide_mark_param(v);
    return v;
}

tide_val layer_missing(const char *layer, tide_val x) {
    char why[80];
    snprintf(why, sizeof why, "%s: there is no layer", layer);
    return tide_poison(x.graph, TIDE_EINVAL, why);
}

bool one_graph(const char *layer, tide_val a, tide_val b) {
    char why[80];
    if (a.graph == b.graph) return true;
    snprintf(why, sizeof why, "%s: its operands do not belong to one graph", layer);
    tide_poison(a.graph, TIDE_EINVAL, why);
    tide_poison(b.graph, TIDE_EINVAL, why);
    return false;
}

bool axes_fit(const char *layer, tide_val x, int axes) {
    char why[256], shape[128];
    if (!tide_ok(x) || tide_shape_of(x).ndim == axes) return true; /* what is no value is told of by the first
                                                                      operation */
    snprintf(why, sizeof why, "%s: x has the shape %s; it takes %d axes", layer, shape_text(shape, tide_shape_of(x)),
             axes);
    tide_poison(x.graph, TIDE_ESHAPE, why);
    return false;
}

tide_linear tide_linear_new(tide_graph *g, const char *name, int64_t in, int64_t out) {
    tide_linear layer;
    tide_scope_push(g, name);
    layer.weight = affine_variable(g, "weight", TIDE_SHAPE(out, in), (double)in);
    layer.bias   = affine_variable(g, "bias", TIDE_SHAPE(out), (double)in);
    tide_scope_pop(g);
    return layer;
}

tide_val tide_linear_apply(const tide_linear *layer, tide_val x) {
    if (!layer) return layer_missing("linear", x);
    return tide_add(tide_matmul(x, tide_transpose(layer->weight, 0, 1)), layer->bias);
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
    return layer ? tide_gather(layer->weight, 0, index) : layer_missing("embedding", index);
}

tide_conv1d tide_conv1d_new(tide_graph *g, const char *name, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                            int64_t padding) {
    tide_conv1d layer = { .stride = stride, .padding = padding };
    tide_scope_push(g, name);
    layer.weight = affine_variable(g, "weight", TIDE_SHAPE(out, in, kernel), (double)in * (double)kernel);
    layer.bias   = affine_variable(g, "bias", TIDE_SHAPE(out), (double)in * (double)kernel);
    tide_scope_pop(g);
    return layer;
}

/* How often the kernel fits; 0: it does not, or x is no value: the graph says why. */
static int64_t conv1d_steps(const tide_conv1d *layer, tide_val x) {
    enum { FAR = 1 << 30 };
    char    why[256];
    int64_t kernel = tide_shape_of(layer->weight).dim[2], length = tide_shape_of(x).dim[2];
    if (!one_graph("conv1d", layer->weight, x)) return 0;
    if (!tide_ok(layer->weight) || !tide_ok(layer->bias) || !tide_ok(x))
        return tide_poison(x.graph, TIDE_EINVAL, "conv1d: x or one of the layer's variables is no value"), 0;
    if (!axes_fit("conv1d", x, 3)) return 0;
    bool plain = layer->stride > 0 && layer->stride <= FAR && layer->padding >= 0 && layer->padding <= FAR;
    if (plain && length + 2 * layer->padding >= kernel)
        return (length + 2 * layer->padding - kernel) / layer->stride + 1;
    if (plain)
        snprintf(why, sizeof why, "conv1d: a kernel of %" PRId64 " does not fit a length of %" PRId64 " + 2 x %" PRId64,
                 kernel, length, layer->padding);
    else
        snprintf(why, sizeof why, "conv1d: stride %" PRId64 " and padding %" PRId64 "; it takes a stride from 1 and a "
                                                                                    "padding from 0 on",
                 layer->stride, layer->padding);
    tide_poison(x.graph, plain ? TIDE_ESHAPE : TIDE_EINVAL, why);
    return 0;
}

/* One matrix product: the taps of the kernel, side by side, against the flattened weight. */
tide_val tide_conv1d_apply(const tide_conv1d *layer, tide_val x) {
    if (!layer) return layer_missing("conv1d", x);
    tide_graph *g      = x.graph;
    tide_shape  weight = tide_shape_of(layer->weight), input = tide_shape_of(x);
    int64_t     kernel = weight.dim[2], stride = layer->stride, steps = conv1d_steps(layer, x);
    if (!steps) return (tide_val){ g, -1, 0 };
    tide_val    padded = tide_pad(x, 2, layer->padding, layer->padding, 0);
    tide_val    tap    = tide_expand_dims(tide_arange(g, TIDE_I32, kernel), 1);
    tide_val    begin  = tide_mul_scalar(tide_arange(g, TIDE_I32, steps), (double)stride);
    tide_val    taps   = tide_gather(padded, 2, tide_add(tap, begin)); /* (batch, in, kernel, steps) */
    taps               = tide_reshape(taps, TIDE_SHAPE(input.dim[0], input.dim[1] * kernel, steps));
    tide_val flat      = tide_reshape(layer->weight, TIDE_SHAPE(weight.dim[0], weight.dim[1] * kernel));
    return tide_add(tide_matmul(flat, taps), tide_expand_dims(layer->bias, 1));
}
