/* The MLX guide's network on a graph: 10 -> H -> H/2 -> 128, five heads over the grid values, one for the residual
 * norm. */
#ifndef EIS_KNOWN_NETWORK_H
#define EIS_KNOWN_NETWORK_H

#include <tidemill/nn.h>

#include "samples.h"

enum { ENCODER_LAYERS = 3, HEAD_LAYERS = 2 };
/* After the encoder's maps: the first of all six heads as one, the second of the five as a batch, the last. */
enum { MAP_HEADS = ENCODER_LAYERS, MAP_LOGITS, MAP_RESNORM, KNOWN_MAPS };

typedef struct known_sizes {
    int64_t width[ENCODER_LAYERS];  /* H, H/2, 128 */
    int64_t head, resnorm_head;     /* 64, 64 */
    int64_t points;                 /* 12 */
    bool    norm;                   /* layer norms after the first two maps, as its PyTorch version has */
} known_sizes;
known_sizes known_sizes_of(int64_t hidden, int64_t points);

typedef struct known_network {
    known_sizes sizes;
    tide_linear encoder[ENCODER_LAYERS], head[EIS_COUNT][HEAD_LAYERS], resnorm[HEAD_LAYERS];
    tide_layer_norm_layer norm[ENCODER_LAYERS - 1];
    struct known_map { tide_val right, bias; } map[KNOWN_MAPS];  /* y = x right + bias, of the parameters above */
    tide_list   params;
    bool        fixed;
} known_network;

/* Variables named as in the MLX guide's .npz: encoder.layers.0.weight ... resnorm_head.layers.2.bias. */
void known_network_new(tide_graph *g, known_sizes sizes, known_network *out);
/* x (b, KNOWN_FEATURES): logits (b, EIS_COUNT, points), and the scaled residual norm (b). */
tide_val known_network_apply(const known_network *n, tide_val x, tide_mode mode, tide_val *resnorm);
/* From now on the maps are variables of their own, parameters too, laid out for products of few rows: for a network
 * that is not trained any more. Their first values follow from the parameters as they are then. Once: later calls do
 * nothing. */
void     known_network_fix(known_network *n);
int64_t  known_network_count(const known_network *n);  /* numbers in the parameters */

#endif
