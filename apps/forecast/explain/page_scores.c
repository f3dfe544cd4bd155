/* How good the forecasts are: errors beside the baselines', by step and by column, and intervals. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "draw/html.h"
#include "draw/matrix.h"
#include "explained.h"

enum { MOST_COLUMNS = 24 };

static const char *const names[] = { "this model", "last value", "seasonal naive", "linear" };

static const forecast_score *score_of(const forecast_result *r, int which) {
    return which ? &r->baselines[which - 1] : &r->model;
}

static void put_total(const forecast_result *r, text *out) {
    text_add(out, "<div class=\"wide\"><table><tr><th>scaled by the training rows' mean and deviation</th><th>mse</th>"
                  "<th>mae</th></tr>\n");
    for (int k = 0; k < 4; k++) {
        if (!score_of(r, k)->present) continue;
        text_add(out, "<tr><td>%s</td>", names[k]);
        page_figure(score_of(r, k)->mse, out), page_figure(score_of(r, k)->mae, out);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</table></div>\n");
    html_note(*r->season_note ? r->season_note : NULL, out);
}

static void put_steps(const explained *x, text *out) {
    plot_series s[4];
    int64_t     count = 0;
    for (int k = 0; k < 4; k++)
        if (x->steps[k].step_mae)
            s[count++] = (plot_series){ .name = names[k], .y = x->steps[k].step_mae, .count = x->steps[k].steps,
                                        .colour = k + 1 };
    const plot p = { .title = "Error by step of the forecast", .x_label = "step", .y_label = "scaled mae",
                     .x_is_whole = true, .y_not_negative = true, .series = s, .series_count = count };
    if (!count) return;
    text_add(out, "<div class=\"one\"><figure>");
    chart_svg(&p, out);
    text_add(out, "</figure></div>\n");
}

static void put_column(const forecast_result *r, const forecast_column_score *s, text *out) {
    text_add(out, "<tr>");
    page_short(s->name, out);
    for (int k = 0; k < 4; k++)
        if (score_of(r, k)->present) page_figure(s->original_mae[k], out);
    page_figure(s->mae, out);
    text_add(out, "</tr>\n");
}

/* Of many columns those that are forecast worst. */
static void put_columns(const forecast_result *r, text *out) {
    int64_t count = r->by_column_count, top[MOST_COLUMNS];
    double *mae   = malloc((size_t)count * sizeof *mae + 1);
    out->failed |= !mae;
    for (int64_t i = 0; mae && i < count; i++) mae[i] = isnan(r->by_column[i].mae) ? -1 : r->by_column[i].mae;
    int64_t shown = mae ? explained_largest(mae, sizeof *mae, count, MOST_COLUMNS, top) : 0;
    text_add(out, "<div class=\"wide\"><table><tr><th>mae in the column's own units</th>");
    for (int k = 0; k < 4; k++)
        if (score_of(r, k)->present) text_add(out, "<th>%s</th>", names[k]);
    text_add(out, "<th>this model, scaled</th></tr>\n");
    for (int64_t i = 0; i < shown; i++) put_column(r, &r->by_column[count > MOST_COLUMNS ? top[i] : i], out);
    text_add(out, "</table></div>\n");
    if (count > shown)
        text_add(out, "<p class=\"note\">The %" PRId64 " of %" PRId64 " columns with the largest scaled errors; "
                      "all are in scores.csv.</p>\n", shown, count);
    free(mae);
}

static void put_intervals(const explained *x, text *out) {
    const forecast_intervals *s = &x->result->intervals[0];
    text_add(out, "<h2>Prediction intervals</h2>\n");
    if (!s->present) {
        html_note("The run keeps no prediction intervals.", out);
        return;
    }
    text_add(out, "<div class=\"wide\"><table><tr><th>level</th><th>truths within</th><th>95 %% range of that</th>"
                  "<th>mean width, scaled</th><th class=\"text\">worst column</th></tr>\n");
    for (int64_t i = 0; i < s->level_count; i++) {
        const forecast_interval *l = &s->level[i];
        text_add(out, "<tr><td>%.4g %%</td><td>%.1f %%</td><td>", l->level, l->coverage);
        if (isfinite(l->coverage_low)) text_add(out, "%.1f to %.1f", l->coverage_low, l->coverage_high);
        text_add(out, "</td>");
        page_figure(l->width, out);
        text_add(out, "<td class=\"text\">");
        text_add_short(out, x->result->by_column[l->worst_column].name, 40);
        text_add(out, " (%.1f %%)</td></tr>\n", l->by_column[l->worst_column]);
    }
    text_add(out, "</table></div>\n");
}

void page_scores(const explained *x, text *out) {
    text_add(out, "<h2>Errors on the test rows</h2>\n");
    put_total(x->result, out);
    put_steps(x, out);
    put_columns(x->result, out);
    put_intervals(x, out);
}
