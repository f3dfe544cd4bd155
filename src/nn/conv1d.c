#include "layers.h"

#include <inttypes.h>

#include "../base/base.h"

tide_conv1d tide_conv1d_new(tide_graph *g, const char *name, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                            int64_t padding) {
    tide_conv1d layer = { .stride = stride, .padding = padding };
    tide_scope_push(g, name);
    layer.weight = affine_variable(g, "weight", TIDE_SHAPE(out, in, kernel), (double)in * (double)kernel);
    layer.bias   = affine_variable(g, "bias", TIDE_SHAPE(out), (double)in * (double)kernel);
    tide_scope_pop(g);
    return layer;
}

/* Whether weight (out, in, kernel), bias (out) and x (batch, in, length) fit each other. */
static bool conv1d_fits(layer_site site, const tide_conv1d *layer, tide_val x) {
    char       a[128], b[128];
    tide_shape s = tide_shape_of(x), weight = tide_shape_of(layer->weight), bias = tide_shape_of(layer->bias);
    if (weight.ndim != 3 || weight.dim[2] < 1 || bias.ndim != 1 || bias.dim[0] != weight.dim[0])
        return layer_fail(site, x, TIDE_ESHAPE, "weight %s and bias %s must be (out, in, kernel) and (out)",
                          shape_text(a, weight), shape_text(b, bias)),
               false;
    if (s.ndim == 3 && s.dim[1] == weight.dim[1]) return true;
    layer_fail(site, x, TIDE_ESHAPE, "x has the shape %s; it must be (batch, %" PRId64 ", length), as the weight %s "
                                     "has it",
               shape_text(a, s), weight.dim[1], shape_text(b, weight));
    return false;
}

/* How often the kernel fits; 0: it does not, and the graph says why. */
static int64_t conv1d_steps(layer_site site, const tide_conv1d *layer, tide_val x) {
    enum { FAR = 1 << 30 };
    int64_t kernel = tide_shape_of(layer->weight).dim[2], length = tide_shape_of(x).dim[2];
    if (layer->stride < 1 || layer->stride > FAR || layer->padding < 0 || layer->padding > FAR)
        return layer_fail(site, x, TIDE_EINVAL, "stride %" PRId64 " and padding %" PRId64 "; it takes a stride from 1 "
                                                "and a padding from 0 on",
                          layer->stride, layer->padding),
               0;
    if (length + 2 * layer->padding >= kernel) return (length + 2 * layer->padding - kernel) / layer->stride + 1;
    layer_fail(site, x, TIDE_ESHAPE, "a kernel of %" PRId64 " does not fit a length of %" PRId64 " + 2 x %" PRId64,
               kernel, length, layer->padding);
    return 0;
}

/* One product a tap, of its matrix (out, in) and the part of x that it meets, added up. Gathered side by side the taps
 * would be one product, but of single elements copied, and their derivative scattered one by one: 2.4 times as slow. */
static tide_val convolved(const tide_conv1d *layer, tide_val x, int64_t steps) {
    int64_t  kernel = tide_shape_of(layer->weight).dim[2], last = (steps - 1) * layer->stride;
    tide_val padded = tide_pad(x, 2, layer->padding, layer->padding, 0), sum = { 0 };
    for (int64_t k = 0; k < kernel; k++) {
        tide_val tap  = tide_squeeze(tide_slice(layer->weight, 2, k, k + 1), 2);
        tide_val part = tide_matmul(tap, tide_slice_step(padded, 2, k, k + last + 1, layer->stride));
        sum = k ? tide_add(sum, part) : part;
    }
    return sum;
}

tide_val tide_conv1d_apply(const tide_conv1d *layer, tide_val x) {
    if (!layer) return layer_missing("conv1d", x);
    layer_site site = layer_of("conv1d", layer->weight, x);
    if (!layer_takes(site, (tide_val[]){ layer->weight, layer->bias }, 2, x) ||
        !conv1d_fits(site, layer, x))
        return (tide_val){ site.graph, -1, 0 };
    int64_t steps = conv1d_steps(site, layer, x);
    if (!steps) return (tide_val){ site.graph, -1, 0 };
    return tide_add(convolved(layer, x, steps), tide_expand_dims(layer->bias, 1));
}
