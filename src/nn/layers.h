/* What the layers share. */
#ifndef TIDE_NN_LAYERS_H
#define TIDE_NN_LAYERS_H

#include "../../include/tidemill/nn.h"

/* A trained variable, uniform on +-1/sqrt(fan_in). */
tide_val affine_variable(tide_graph *g, const char *name, tide_shape shape, double fan_in);

/* A layer in its messages: linear 'encoder.value', by the name of one of its variables ({0}: none). `graph` is told. */
typedef struct layer_site { const char *kind; tide_val variable; tide_graph *graph; } layer_site;
static inline layer_site layer_of(const char *kind, tide_val variable, tide_val x) {
    return (layer_site){ kind, variable, variable.graph ? variable.graph : x.graph };
}

/* Tells the graphs of the layer and of x why, in the layer's name; the poison value. */
tide_val layer_fail(layer_site layer, tide_val x, tide_status status, const char *format, ...) TIDE_PRINTF(4, 5);

/* For _apply without a layer. */
tide_val layer_missing(const char *kind, tide_val x);

/* Whether x, called `what`, is a value of the layer's graph. */
bool layer_operand(layer_site layer, tide_val x, const char *what);

/* Whether the layer's variables and x are values of one graph, and x has their type. */
bool layer_takes(layer_site layer, const tide_val *variables, int count, tide_val x);
bool layer_type_fits(layer_site layer, tide_val x);

#endif
