/* Affine maps and what is an affine map in disguise: embedding rows, one-dimensional convolution. */
#include "layers.h"

#include <math.h>

/* PyTorch's default (Kaiming uniform with a = sqrt 5): the bound is 1 / sqrt(fan in), for weights and biases. */
tide_val affine_variable(tide_graph *g, const char *name, tide_shape shape, int64_t fan_in) {
    double   bound = fan_in > 0 ? 1.0 / sqrt((double)fan_in) : 0;
    tide_val v     = tide_variable(g, name, tide_random_uniform(g, shape, -bound, bound));
    tide_mark_param(v);
    return v;
}

tide_linear tide_linear_new(tide_graph *g, const char *name, int64_t in, int64_t out) {
    tide_linear layer;
    tide_scope_push(g, name);
    layer.weight = affine_variable(g, "weight", TIDE_SHAPE(out, in), in);
    layer.bias   = affine_variable(g, "bias", TIDE_SHAPE(out), in);
    tide_scope_pop(g);
    return layer;
}

tide_val tide_linear_apply(const tide_linear *layer, tide_val x) {
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

tide_val tide_embedding_apply(const tide_embedding *layer, tide_val index) { return tide_gather(layer->weight, 0, index); }

tide_conv1d tide_conv1d_new(tide_graph *g, const char *name, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                            int64_t padding) {
    tide_conv1d layer = { .stride = stride, .padding = padding };
    tide_scope_push(g, name);
    layer.weight = affine_variable(g, "weight", TIDE_SHAPE(out, in, kernel), in * kernel);
    layer.bias   = affine_variable(g, "bias", TIDE_SHAPE(out), in * kernel);
    tide_scope_pop(g);
    return layer;
}

/* One matrix product: the taps of the kernel, side by side, against the flattened weight. Sizes that do not fit make
 * `steps` negative, which the reshape below reports. */
tide_val tide_conv1d_apply(const tide_conv1d *layer, tide_val x) {
    tide_graph *g      = x.graph;
    tide_shape  weight = tide_shape_of(layer->weight), input = tide_shape_of(x);
    int64_t     kernel = weight.dim[2], stride = layer->stride, slack = input.dim[2] + 2 * layer->padding - kernel;
    int64_t     steps  = stride > 0 && slack >= 0 ? slack / stride + 1 : -1;
    tide_val    padded = tide_pad(x, 2, layer->padding, layer->padding, 0);
    tide_val    tap    = tide_expand_dims(tide_arange(g, TIDE_I32, kernel), 1);
    tide_val    begin  = tide_mul_scalar(tide_arange(g, TIDE_I32, steps), (double)stride);
    tide_val    taps   = tide_gather(padded, 2, tide_add(tap, begin)); /* (batch, in, kernel, steps) */
    taps               = tide_reshape(taps, TIDE_SHAPE(input.dim[0], input.dim[1] * kernel, steps));
    tide_val flat      = tide_reshape(layer->weight, TIDE_SHAPE(weight.dim[0], weight.dim[1] * kernel));
    return tide_add(tide_matmul(flat, taps), tide_expand_dims(layer->bias, 1));
}
