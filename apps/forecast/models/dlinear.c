/* DLinear (Zeng et al., AAAI 2023): the moving average of a window and what is left beside it, each mapped to the
 * horizon by one affine map that all series share. Parameters have their published names. Beyond the published program
 * a window may be normalised first (use_norm). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forecaster.h"
#include "head.h"

enum { WIDTH = 25 }; /* of the moving average, as published */

typedef struct dlinear {
    model_config config;
    tide_linear  seasonal, trend;
} dlinear;

static tide_val parameter(tide_graph *g, const char *map, const char *of, tide_val initial) {
    char name[40];
    snprintf(name, sizeof name, "%s.%s", map, of);
    tide_val v = tide_variable(g, name, initial);
    tide_mark_param(v);
    return v;
}

/* Every weight begins at 1 / seq_len, as published: both maps begin with the mean of the window. */
static tide_linear map_new(tide_graph *g, const char *name, const model_config *c) {
    double  range = 1 / sqrt((double)c->seq_len);
    int64_t rows  = head_outputs(c) * c->pred_len;
    return (tide_linear){
        parameter(g, name, "weight",
                  tide_fill(g, TIDE_F32, TIDE_SHAPE(rows, c->seq_len), 1 / (double)c->seq_len)),
        parameter(g, name, "bias", tide_random_uniform(g, TIDE_SHAPE(rows), -range, range)),
    };
}

static void *build(tide_graph *g, const model_config *c) {
    dlinear *m = malloc(sizeof *m);
    if (!m) return tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers"), NULL;
    *m = (dlinear){ *c, map_new(g, "Linear_Seasonal", c), map_new(g, "Linear_Trend", c) };
    return m;
}

/* (seq_len, seq_len): column t averages WIDTH rows around t; beyond the ends the first and the last row go on. */
static tide_val average(tide_graph *g, int64_t rows) {
    float   *weights = calloc((size_t)(rows * rows) + 1, sizeof *weights);
    tide_val out     = { 0 };
    for (int64_t t = 0; weights && t < rows; t++)
        for (int64_t k = t - WIDTH / 2; k <= t + WIDTH / 2; k++)
            weights[(k < 0 ? 0 : k >= rows ? rows - 1 : k) * rows + t] += 1.0F / WIDTH;
    if (weights) out = tide_constant(g, TIDE_F32, TIDE_SHAPE(rows, rows), weights);
    else tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers");
    free(weights);
    return out;
}

static head_values rows(const void *self, const model_windows *x, tide_mode mode) {
    const dlinear      *m = self;
    const model_config *c = &m->config;
    (void)mode;
    normed_series series   = series_normed(c, x);
    tide_val      trend    = tide_matmul(series.values, average(series.values.graph, c->seq_len));
    tide_val      seasonal = tide_linear_apply(&m->seasonal, tide_sub(series.values, trend));
    return series_restored(c, &series, tide_add(seasonal, tide_linear_apply(&m->trend, trend)));
}

static int64_t parameters(const model_config *c) { return 2 * (c->seq_len + 1) * head_outputs(c) * c->pred_len; }

static bool weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    static const char *const names[] = { "Linear_Seasonal.weight", "Linear_Seasonal.bias", "Linear_Trend.weight",
                                         "Linear_Trend.bias" };
    if (index >= 4) return false;
    memcpy(name, names[index], strlen(names[index]) + 1);
    int64_t rows_out = head_outputs(c) * c->pred_len;
    *shape = index % 2 ? TIDE_SHAPE(rows_out) : TIDE_SHAPE(rows_out, c->seq_len);
    return true;
}

static int64_t activations(const model_config *c) {
    return c->out_count * (4 * c->seq_len + 2 * head_outputs(c) * c->pred_len);
}

static void resize(void *self, int64_t columns) {
    dlinear *m = self;
    m->config.columns = m->config.out_count = columns;
}

const architecture arch_dlinear = { "dlinear", false, false,      false,  build,
                                    free,      rows,  parameters, weight, activations, .resize = resize };
