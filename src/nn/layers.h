/* What the layers share. */
#ifndef TIDE_NN_LAYERS_H
#define TIDE_NN_LAYERS_H

#include "../../include/tidemill/nn.h"

/* A trained variable, uniform on +-1/sqrt(fan_in). */
tide_val affine_variable(tide_graph *g, const char *name, tide_shape shape, double fan_in);

/* For _apply without a layer: the poison value, and x's graph says why. */
tide_val layer_missing(const char *layer, tide_val x);

/* Whether two values are of one graph; if not, each of theirs says so. */
bool one_graph(const char *layer, tide_val a, tide_val b);

/* Whether x has so many axes; if not, its graph says so in the layer's name. */
bool axes_fit(const char *layer, tide_val x, int axes);

#endif
