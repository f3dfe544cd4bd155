/* The iTransformer (Liu et al., ICLR 2024): each variate's window is a token, attention runs over variates. */
#ifndef FORECAST_MODEL_H
#define FORECAST_MODEL_H

#include <tidemill/tidemill.h>

#define NORM_EPS 1e-5 /* of the layer norms and of the instance norm */

typedef struct model_config {
    int64_t seq_len, pred_len, columns, marks;       /* marks: time features a row; 0 for none */
    int64_t d_model, n_heads, head_size, d_ff, e_layers;
    double  dropout;
    bool    relu, use_norm;                          /* relu: in place of GELU */
    bool    recompute;                               /* training: the blocks' values are made again for the backward
                                                        pass */
    int64_t out_first, out_count;                    /* which columns are forecast; out_count 0: all */
} model_config;

typedef struct model_block {
    tide_self_attention   attention;
    tide_linear           conv1, conv2;
    tide_layer_norm_layer norm1, norm2;
} model_block;

typedef struct itransformer {
    model_config          config;
    tide_linear           embedding, projector;
    tide_layer_norm_layer norm;
    model_block          *blocks;  /* e_layers */
} itransformer;

/* Makes the parameters, under the published names; conv weights are (out, in). False when out of memory (the graph has
 * failed too). Free with itransformer_free; the graph keeps the parameters. */
bool itransformer_new(tide_graph *g, const model_config *config, itransformer *out);
void itransformer_free(itransformer *m);

/* x (b, seq_len, columns) scaled values; marks (b, seq_len, marks), not looked at when config.marks is 0.
 * Returns (b, out columns, pred_len).
 *   attention  NULL, or room for e_layers values, each (b, n_heads, tokens, tokens); marks are the last tokens */
tide_val itransformer_rows(const itransformer *m, tide_val x, tide_val marks, tide_mode mode, tide_val *attention);
/* The same as (b, pred_len, out columns). */
tide_val itransformer_apply(const itransformer *m, tide_val x, tide_val marks, tide_mode mode, tide_val *attention);

int64_t model_parameters(const model_config *config);

/* The sizes that a run's model.safetensors names; its parameters are read with tide_load. */
tide_status bundle_sizes(const char *path, model_config *out, tide_failure *failure);

#endif
