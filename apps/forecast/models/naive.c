/* What repeats: the last value, and the last season. Networks without a parameter, so that they are kept, asked and put
 * together with others as every model is. */
#include <stdlib.h>

#include <tidemill/forecast.h>

#include "forecaster.h"

enum { MOST_SEASONS = 16 }; /* that a gap looks back over */

static void *build(tide_graph *g, const model_config *c) {
    model_config *m = malloc(sizeof *m);
    if (!m) return tide_poison(g, TIDE_ENOMEM, "out of memory for the model's layers"), NULL;
    *m          = *c;
    m->use_norm = false;
    return m;
}

/* (b, out columns, n) over and over, to pred_len rows. */
static tide_val repeated(const model_config *c, tide_val cycle, int64_t n) {
    int64_t  b = tide_shape_of(cycle).dim[0], times = (c->pred_len + n - 1) / n;
    tide_val all = tide_broadcast(tide_reshape(cycle, TIDE_SHAPE(b, c->out_count, 1, n)),
                                  TIDE_SHAPE(b, c->out_count, times, n));
    return tide_slice(tide_reshape(all, TIDE_SHAPE(b, c->out_count, times * n)), 2, 0, c->pred_len);
}

/* A gap behind the last value is filled with it. */
static head_values last_value(const void *self, const model_windows *x, tide_mode mode) {
    const model_config *c = self;
    (void)mode;
    tide_val last = tide_slice(series_normed(c, x).values, 2, c->seq_len - 1, c->seq_len);
    return (head_values){ .point = repeated(c, last, 1) };
}

/* A gap takes the value a season before. */
static head_values season(const void *self, const model_windows *x, tide_mode mode) {
    const model_config *c = self;
    (void)mode;
    normed_series s       = series_normed(c, x);
    int64_t       seasons = s.gaps.graph ? c->seq_len / c->season : 1;
    if (seasons > MOST_SEASONS) seasons = MOST_SEASONS;
    int64_t  from  = c->seq_len - seasons * c->season;
    tide_val cycle = tide_slice(s.values, 2, from, from + c->season);
    while (--seasons > 0) {
        from += c->season;
        tide_val gap = tide_gt_scalar(tide_slice(s.gaps, 2, from, from + c->season), 0);
        cycle        = tide_where(gap, cycle, tide_slice(s.values, 2, from, from + c->season));
    }
    return (head_values){ .point = repeated(c, cycle, c->season) };
}

static int64_t parameters(const model_config *c) {
    (void)c;
    return 0;
}

static bool weight(const model_config *c, int64_t index, char name[WEIGHT_NAME], tide_shape *shape) {
    (void)c, (void)index, (void)name, (void)shape;
    return false;
}

static int64_t activations(const model_config *c) { return c->out_count * (c->seq_len + c->pred_len); }

const architecture arch_seasonal_naive = { "seasonal-naive", false,      false,  true,        build,
                                           free,   season,     parameters, weight, activations, FORECAST_USE_SEASONAL };
const architecture arch_last_value = { "last-value", false,      false,  true,        build,
                                       free, last_value, parameters, weight, activations, FORECAST_USE_LAST_VALUE };
