/* What the layers share. */
#ifndef TIDE_NN_LAYERS_H
#define TIDE_NN_LAYERS_H

#include "../../include/tidemill/nn.h"

/* A trained variable, uniform on +-1/sqrt(fan_in). */
tide_val affine_variable(tide_graph *g, const char *name, tide_shape shape, int64_t fan_in);

#endif
