/* The iTransformer (Liu et al., ICLR 2024): each variate's window is a token, attention runs over variates. */
#ifndef FORECAST_MODEL_H
#define FORECAST_MODEL_H

#include <tidemill/forecast.h>
#include <tidemill/tidemill.h>

typedef struct model_config {
    int64_t seq_len, pred_len, columns, marks;       /* marks: time features a row; 0 for none */
    int64_t d_model, n_heads, head_size, d_ff, e_layers;
    double  dropout;
    bool    relu, use_norm;                          /* relu: in place of GELU */
    bool    masked;                                  /* it learned around gaps: is told where they are */
    int64_t known;                                   /* of the columns, the last, known pred_len rows ahead */
    int64_t statics;                                 /* numbers of each series' attributes; 0: it has none */
    bool    recompute;                               /* training: the blocks' values are made again for the backward
                                                        pass */
    int64_t out_first, out_count;                    /* which columns are forecast; out_count 0: all */
    int64_t season;                                  /* rows of one, of a network that repeats it; else 0 */
    unsigned members;                                /* of an ensemble (ensemble.h): a bit for each network; else 0 */
    int     arch;                                    /* forecast_arch: which network it is (forecaster.h) */
    int     head;                                    /* forecast_head: what it says of each value (head.h) */
    int64_t quantile_count;                          /* of a quantile head; else 0 */
    double  quantile[FORECAST_MAX_QUANTILES];        /* ascending, 0.5 among them */
} model_config;

typedef struct itransformer {
    model_config          config;
    tide_linear           embedding, projector;
    tide_linear           known_embedding;  /* of seq_len + pred_len rows, if config.known */
    tide_val              static_embedding;  /* (d_model, statics), if config.statics: what the attributes add to a
                                                token; 0 at first */
    tide_val              gap_embedding;  /* (d_model, seq_len), if config.masked: what a gap at each row adds to its
                                             token; 0 at first */
    tide_layer_norm_layer norm;
    struct encoder_block *blocks;  /* e_layers */
} itransformer;

/* Makes the parameters, under the published names; conv weights are (out, in). False when out of memory (the graph has
 * failed too). Free with itransformer_free; the graph keeps the parameters. */
bool itransformer_new(tide_graph *g, const model_config *config, itransformer *out);
void itransformer_free(itransformer *m);

/* What a batch of windows holds. */
typedef struct model_windows {
    tide_val past;   /* (b, seq_len, columns), scaled; gaps are filled */
    tide_val gaps;   /* the same shape, 1 where one was, else 0. Graph NULL: none is; else config.masked */
    tide_val marks;  /* (b, seq_len, marks); not looked at when config.marks is 0 */
    tide_val known;  /* (b, pred_len, known), of the rows to come; not looked at when config.known is 0 */
    tide_val statics;  /* (columns, statics): attributes, the same in all windows; not looked at when config.statics is
                          0 */
} model_windows;

/* What a network says of the rows to come. */
typedef struct head_values {
    tide_val point;   /* (b, out columns, pred_len) */
    tide_val widths;  /* (b, out columns, widths * pred_len), above 0, block by block: how the truth is spread around it
                         (head.h). Graph NULL: the head says nothing of that */
} head_values;

/*   attention  NULL, or room for e_layers values, each (b, n_heads, tokens, tokens); marks come behind the series, then
 *              what is known */
head_values itransformer_rows(const itransformer *m, const model_windows *x, tide_mode mode, tide_val *attention);
/* The points as (b, pred_len, out columns). */
tide_val itransformer_apply(const itransformer *m, const model_windows *x, tide_mode mode, tide_val *attention);

/* The sizes that a run's model.safetensors names; its parameters are read with tide_load. */
tide_status bundle_sizes(const char *path, model_config *out, tide_failure *failure);

#endif
