/* Prediction intervals as a table for people: what was promised, what came. */
#include "forecast_intervals.h"

#include <inttypes.h>
#include <math.h>

static void put_level(FILE *out, const char *name, const forecast_intervals *s, const forecast_interval *l,
                      bool first) {
    char range[48] = "";
    if (!isnan(l->coverage_low)) snprintf(range, sizeof range, "%.1f to %.1f", l->coverage_low, l->coverage_high);
    fprintf(out, "  %-16s %5.4g %9.1f  %-14s %9.4f %9.4f", first ? name : "", l->level, l->coverage, range, l->width,
            l->winkler);
    if (first) fprintf(out, " %9.4f", s->crps);
    putc('\n', out);
}

static void put_forecaster(FILE *out, const char *name, const forecast_intervals *s) {
    for (int64_t i = 0; i < s->level_count; i++) put_level(out, name, s, &s->level[i], i == 0);
}

/* Of the highest level: where along the horizon, and in which column, it holds least. */
static void put_parts(FILE *out, const forecast_result *r, const forecast_intervals *s) {
    const forecast_interval *l = &s->level[s->level_count - 1];
    int64_t last = r->pred_len - 1, middle = last / 2;
    fprintf(out, "within %.4g %%: step 1 %.1f, step %" PRId64 " %.1f, step %" PRId64 " %.1f", l->level, l->by_step[0],
            middle + 1, l->by_step[middle], last + 1, l->by_step[last]);
    if (r->by_column_count > 1)
        fprintf(out, "; least in column %s, %.1f", r->by_column[l->worst_column].name, l->by_column[l->worst_column]);
    putc('\n', out);
}

void put_sums(FILE *out, const forecast_result *r) {
    enum { MOST = 20 };
    const forecast_sums *s = &r->sums;
    if (!s->count) return;
    fprintf(out, "sums over %s, %" PRId64 " windows\n                 level %%    within        width  sum\n",
            s->over_horizon ? "the horizon" : "series", s->windows);
    for (int64_t i = 0; i < s->count && i < MOST; i++)
        for (int64_t l = 0; l < s->level_count; l++) {
            fprintf(out, "  %-16s %5.4g %9.1f %12.6g%s%s\n", l ? "" : "this model", s->level[l], s->of[i].coverage[l],
                    s->of[i].width[l], l ? "" : "  ", l ? "" : s->of[i].name);
        }
    if (s->count > MOST) fprintf(out, "and %" PRId64 " sums more: --json, sums\n", s->count - MOST);
}

void put_intervals(FILE *out, const forecast_result *r) {
    const forecast_intervals *model = &r->intervals[0], *naive = &r->intervals[r->intervals[2].present ? 2 : 1];
    if (!model->present && !naive->present) return;
    fputs("intervals        level %    within  95 % range          width   winkler      crps\n", out);
    if (model->present) put_forecaster(out, "this model", model);
    if (naive->present) put_forecaster(out, naive == &r->intervals[2] ? "seasonal naive" : "last value", naive);
    put_parts(out, r, model->present ? model : naive);
    put_sums(out, r);
}
