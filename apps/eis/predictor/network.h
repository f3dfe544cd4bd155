/* The network of the spectrum predictor: residual blocks over the spectrum's features, then over those and the known
 * values.
 *
 *     block(x) = x + W2 silu(W1 norm(x) + b1) + b2
 *     e        = block(W_in features + b)              once a spectrum
 *     h        = e + W_known known + b, three blocks   once for each set of known values
 *     logits   = W_head norm(h) + b                    bins for every quantity
 *
 * Its softmax over the bins of a missing parameter is that parameter's probability given the spectrum and the known
 * values; joint probabilities follow by the chain rule, in any order. */
#ifndef EIS_NETWORK_H
#define EIS_NETWORK_H

#include <tidemill/tidemill.h>

#include "features.h"
#include "quantities.h"

typedef struct network_config { eis_recipe recipe; int64_t width; } network_config;
enum { ENCODER_BLOCKS = 1, DECODER_BLOCKS = 3, NETWORK_BLOCKS = ENCODER_BLOCKS + DECODER_BLOCKS };

typedef struct network_block { tide_layer_norm_layer norm; tide_linear up, down; } network_block;

typedef struct network {
    network_config        config;
    bool                  recompute;              /* the blocks' values are made again for the backward pass */
    tide_linear           features, known, head;
    network_block         block[NETWORK_BLOCKS];  /* the encoder's first */
    tide_layer_norm_layer norm;
} network;

/* Makes the parameters. */
network  network_new(tide_graph *g, const network_config *config);
/* features (b, features_width), scaled. Returns (b, width). */
tide_val network_encode(const network *n, tide_val features);
/* encoded (b, width), known (b, m, recipe_known). Returns logits (b, m, quantities, bins). */
tide_val network_decode(const network *n, tide_val encoded, tide_val known);

#endif
