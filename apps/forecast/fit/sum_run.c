#include "sum_run.h"

#include <inttypes.h>

#include "base/base.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the intervals of sums");
}

bool sum_run_asked(const forecast_options *o) { return *o->sum || o->sum_horizon; }

static tide_status read_sums(const forecast_options *o, const dataset *d, hierarchy *out, tide_failure *failure) {
    return hierarchy_read(o->sum, d->frame.names + d->out_first, d->out_count, out, failure);
}

tide_status sum_run_check(const forecast_options *o, const dataset *d, tide_failure *failure) {
    hierarchy   h      = { 0 };
    tide_status status = read_sums(o, d, &h, failure);
    hierarchy_free(&h);
    return status;
}

tide_status sum_run_open(sum_run *r, const forecast_options *o, const dataset *d, const levels *l, int64_t pred_len,
                         int64_t first, int64_t count, int64_t windows, tide_failure *failure) {
    if (!sum_run_asked(o)) return TIDE_OK;
    tide_status status = read_sums(o, d, &r->h, failure);
    if (status != TIDE_OK) return status;
    sum_plan plan = { .h = &r->h, .columns = d->out_count, .first = first, .count = count,
                      .over_rows = o->sum_horizon };
    return sum_scores_new(&r->scores, &plan, pred_len, l->of, l->count, windows) ? TIDE_OK : no_memory(failure);
}

tide_status sum_run_paths(sum_run *r, const band_tables *b, const listener *l, tide_failure *failure) {
    path_maker_free(&r->maker);
    if (!r->scores.cells) return TIDE_OK;
    if (b->windows) return path_maker_new(&r->maker, b) ? TIDE_OK : no_memory(failure);
    if (l)
        listener_note(l, FORECAST_STAGE_WARNING,
                      "intervals of sums are not measured: no windows of validation are kept, of whose errors they "
                      "are made (there are too few, or two of them would take over 4 MB)");
    return TIDE_OK;
}

void sum_run_see(sum_run *r, int64_t at, int64_t count, const seen_windows *seen, const float *scale) {
    sum_scores *s = &r->scores;
    if (!r->maker.rank) return;
    int64_t columns = s->plan.columns, each = s->pred_len * columns, wide = each * r->maker.bands->shape.widths;
    for (int64_t i = 0; i < count; i++) {
        if (!sum_scores_wanted(s, at + i)) continue;
        for (int64_t k = 0; k < each; k++)
            s->forecast[k] = (double)seen->prediction[i * each + k], s->truth[k] = (double)seen->truth[i * each + k];
        window_spread spread = { scale + (at + i) * columns, wide ? seen->widths + i * wide : NULL };
        sum_scores_take(s, &r->maker, &spread);
    }
}

void sum_run_free(sum_run *r) {
    path_maker_free(&r->maker);
    sum_scores_free(&r->scores);
    hierarchy_free(&r->h);
}
