#include "layers.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/base.h"

/* PyTorch's default (Kaiming uniform with a = sqrt 5): the bound is 1 / sqrt(fan in), for weights and biases. */
tide_val affine_variable(tide_graph *g, const char *name, tide_shape shape, double fan_in) {
    double   bound = fan_in > 0 ? 1.0 / sqrt(fan_in) : 0;
    tide_val v     = tide_variable(g, name, tide_random_uniform(g, shape, -bound, bound));
    tide_mark_param(v);
    return v;
}

/* "linear 'encoder.value': ": the variable's full name tells the scopes that the layer was made in. */
static int site_text(layer_site layer, char *out, size_t size) {
    const char *name = tide_name_of(layer.variable), *dot = strrchr(name, '.');
    int         length = dot ? (int)(dot - name) : (int)strlen(name);
    if (!length) return snprintf(out, size, "%s: ", layer.kind);
    return snprintf(out, size, "%s '%.*s': ", layer.kind, length, name);
}

tide_val layer_fail(layer_site layer, tide_val x, tide_status status, const char *format, ...) {
    char    why[sizeof((tide_failure *)0)->message];
    int     used = site_text(layer, why, sizeof why);
    va_list args;
    va_start(args, format);
    if (used >= 0 && (size_t)used < sizeof why) vsnprintf(why + used, sizeof why - (size_t)used, format, args);
    va_end(args);
    if (layer.graph && layer.graph != x.graph) tide_poison(layer.graph, status, why);
    return x.graph ? tide_poison(x.graph, status, why) : (tide_val){ layer.graph, -1, 0 };
}

tide_val layer_missing(const char *kind, tide_val x) {
    return layer_fail(layer_of(kind, (tide_val){ 0 }, x), x, TIDE_EINVAL, "there is no layer");
}

bool layer_operand(layer_site layer, tide_val x, const char *what) {
    if (!tide_ok(x)) layer_fail(layer, x, TIDE_EINVAL, "%s is no value of a graph", what);
    else if (x.graph != layer.graph) layer_fail(layer, x, TIDE_EINVAL, "%s belongs to another graph", what);
    else return true;
    return false;
}

bool layer_type_fits(layer_site layer, tide_val x) {
    tide_dtype have = tide_dtype_of(x), want = tide_dtype_of(layer.variable);
    if (have == want) return true;
    layer_fail(layer, x, TIDE_ETYPE, "x is %s, the layer %s; tide_cast x, or make the layer in x's type "
                                     "(tide_default_type_set)",
               tide_dtype_name(have), tide_dtype_name(want));
    return false;
}

bool layer_takes(layer_site layer, const tide_val *variables, int count, tide_val x) {
    for (int i = 0; i < count; i++)
        if (!tide_ok(variables[i]) || variables[i].graph != layer.graph)
            return layer_fail(layer, x, TIDE_EINVAL,
                              "one of its variables is no value of its graph; a layer is made by its _new function"),
                   false;
    return layer_operand(layer, x, "x") && layer_type_fits(layer, x);
}
