#include "bounds.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

/* What `score` adds up to is so many times the width `term`. */
static double times_of(const spread_shape *shape, int64_t term, double score) {
    float widths[FORECAST_MAX_QUANTILES] = { 0 };
    if (!shape->widths) return score;
    widths[term] = 1;
    return spread_error(shape, widths, score);
}

static tide_status fill(const exported *e, const export_bounds *b, tide_failure *failure) {
    const model_config *c     = &e->bundle.config;
    const band_tables  *bands = &e->bundle.bands;
    int64_t             cells = c->pred_len * c->out_count;
    for (int64_t i = 0; i < b->levels * 2 * cells; i++) {
        int64_t level = i / (2 * cells), side = i / cells % 2, cell = i % cells, column = cell % c->out_count;
        double  p     = 0.5 + (side ? 1 : -1) * e->levels.of[level] / 200;
        double  score = bands_quantile(bands, 0, column, cell / c->out_count, p);
        if (isnan(score))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "level",
                           "'%.80s' had no truth in validation, so there is no interval of it: leave `level` out",
                           e->bundle.names[c->out_first + column]);
        for (int64_t term = 0; term < b->terms; term++)
            b->times[((level * 2 + side) * b->terms + term) * cells + cell] = times_of(&bands->shape, term, score);
    }
    return TIDE_OK;
}

tide_status export_bounds_of(const exported *e, export_bounds *out, tide_failure *failure) {
    const model_config *c     = &e->bundle.config;
    const band_tables  *bands = &e->bundle.bands;
    int64_t             terms = MAX2(bands->shape.widths, 1);
    *out = (export_bounds){ .levels = e->levels.count, .terms = terms };
    if (!out->levels) return TIDE_OK;
    if (!bands->quantile[0])
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "level",
                       "the model keeps no prediction intervals: it was trained by an earlier version, or its training "
                       "did not end; leave `level` out");
    out->times = malloc((size_t)(out->levels * 2 * terms * c->pred_len * c->out_count) * sizeof *out->times);
    return out->times ? fill(e, out, failure) : fail(failure, TIDE_ENOMEM, "out of memory for the intervals");
}

void export_bounds_free(export_bounds *b) {
    free(b->times);
    *b = (export_bounds){ 0 };
}

const double *export_bound(const exported *e, const export_bounds *b, int64_t level, int side, int64_t term) {
    const model_config *c = &e->bundle.config;
    return b->times + ((level * 2 + side) * b->terms + term) * c->pred_len * c->out_count;
}
