/* Numbers without a type of their own: what tide_scalar makes takes the type of the value it meets, as a number written
 * in the text of a program does in NumPy. A mark on the node says so; whatever is computed from it is an ordinary value
 * again. */
#include <math.h>

#include "ir.h"

static bool floating(tide_dtype type) { return type <= TIDE_BF16; }

tide_dtype tide_default_type(const tide_graph *g) { return g ? g->default_type : TIDE_F32; }

void tide_default_type_set(tide_graph *g, tide_dtype type) {
    if (!g || !type_good(g, "default_type", type)) return;
    if (floating(type)) g->default_type = type;
    else graph_fail(g, TIDE_ETYPE, "default_type: %s is not a floating type", tide_dtype_name(type));
}

tide_val tide_scalar(tide_graph *g, double value) {
    tide_val v = tide_scalar_of(g, tide_default_type(g), value);
    if (val_good(v)) graph_node(v)->weak = true;
    return v;
}

bool number_fits(tide_dtype type, double value) {
    if (floating(type)) return true;
    if (value != floor(value)) return false;
    switch (type) {
    case TIDE_I32: return value >= INT32_MIN && value <= INT32_MAX;
    case TIDE_I64: return value >= -0x1p63 && value < 0x1p63;
    case TIDE_U8: return value >= 0 && value <= 255;
    default: return value == 0 || value == 1;
    }
}

static bool take_type(const char *op, tide_val *number, tide_dtype type) {
    double value = graph_node(*number)->attr.number;
    if (!number_fits(type, value))
        return graph_fail(number->graph, TIDE_ETYPE, "%s: %g is no number of its partner's type, %s", op, value,
                          tide_dtype_name(type)),
               false;
    *number = tide_scalar_of(number->graph, type, value);
    return val_good(*number);
}

bool weak_meets(const char *op, tide_val *a, tide_val *b) {
    tide_dtype type_a = tide_dtype_of(*a), type_b = tide_dtype_of(*b);
    if (type_a == type_b) return true;
    if (graph_node(*b)->weak) return take_type(op, b, type_a);
    return !graph_node(*a)->weak || take_type(op, a, type_b);
}
