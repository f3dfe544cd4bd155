/* A block of the encoders: attention over tokens, then two affine maps; layer norms behind each (post-norm), as the
 * published iTransformer and PatchTST have it. */
#ifndef FORECAST_ENCODER_H
#define FORECAST_ENCODER_H

#include "model.h"

typedef struct encoder_block {
    tide_self_attention   attention;
    tide_linear           conv1, conv2;
    tide_layer_norm_layer norm1, norm2;
} encoder_block;

/* The parameters of block `index`, under the published names; conv weights are (out, in). */
void encoder_block_new(tide_graph *g, const model_config *c, int64_t index, encoder_block *b);
/* What comes after attention: tokens (..., d_model) and `attended`, of the same shape. The second residual starts from
 * the first norm's output. */
tide_val encoder_block_finish(const encoder_block *b, const model_config *c, tide_val tokens, tide_val attended,
                              tide_mode mode);

int64_t encoder_block_parameters(const model_config *c);
/* Parameter `index` of all blocks: its name, and the shape that it is stored in; false behind the last. */
bool encoder_weight(const model_config *c, int64_t index, char name[100], tide_shape *shape);

#endif
