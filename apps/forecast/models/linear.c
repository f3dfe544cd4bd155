/* One affine map from a window to the horizon that all series share, on windows normalised by their own mean and
 * deviation: the linear baseline (score/ridge.c) as a network. Gaps are lines to it, as when it was fitted. With a head
 * of more than points there is no closed form, and it takes steps like the others. */
#include <stdlib.h>
#include <string.h>

#include <tidemill/forecast.h>

#include "forecaster.h"
#include "head.h"

typedef struct linear { model_config config; tide_linear map; } linear;

static tide_val parameter(tide_graph *g, const char *name, tide_shape shape) {
    tide_val v = tide_variable(g, name, tide_fill(g, TIDE_F32, shape, 0));
    tide_mark_param(v);
    return v;
}

static void *build(tide_graph *g, const model_config *c) {
    linear *m = malloc(sizeof *m);
    if (!m) return tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers"), NULL;
    *m = (linear){ *c, { parameter(g, "linear.weight", TIDE_SHAPE(head_outputs(c) * c->pred_len, c->seq_len)),
                         parameter(g, "linear.bias", TIDE_SHAPE(head_outputs(c) * c->pred_len)) } };
    m->config.use_norm = true;
    return m;
}

static head_values rows(const void *self, const model_windows *x, tide_mode mode) {
    const linear *m      = self;
    model_windows filled = { .past = x->past };
    (void)mode;
    normed_series series = series_normed(&m->config, &filled);
    return series_restored(&m->config, &series, tide_linear_apply(&m->map, series.values));
}

static int64_t parameters(const model_config *c) { return (c->seq_len + 1) * head_outputs(c) * c->pred_len; }

static bool weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    static const char *const names[] = { "linear.weight", "linear.bias" };
    if (index >= 2) return false;
    memcpy(name, names[index], strlen(names[index]) + 1);
    int64_t rows_out = head_outputs(c) * c->pred_len;
    *shape = index ? TIDE_SHAPE(rows_out) : TIDE_SHAPE(rows_out, c->seq_len);
    return true;
}

static int64_t activations(const model_config *c) {
    return c->out_count * (2 * c->seq_len + 2 * head_outputs(c) * c->pred_len);
}

static void resize(void *self, int64_t columns) {
    linear *m = self;
    m->config.columns = m->config.out_count = columns;
}

const architecture arch_linear = { "linear", false,      false,  true,        build,
                                   free,     rows, parameters, weight, activations, FORECAST_USE_LINEAR,
                                   .resize = resize };
