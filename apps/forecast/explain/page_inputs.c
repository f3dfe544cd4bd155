/* What carries the forecasts: the inputs by weight, for each target, and by row. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "draw/html.h"
#include "draw/matrix.h"
#include "explained.h"

enum { MOST_INPUTS = 24, MOST_ACROSS = 12, MOST_LINES = 5, BAR_EM = 12 };

/* ---- over all targets ---- */

static void put_input(const forecast_input *input, double largest, text *out) {
    static const char *const kinds[] = { [FORECAST_INPUT_SERIES] = "past", [FORECAST_INPUT_KNOWN] = "known ahead",
                                         [FORECAST_INPUT_CALENDAR] = "time feature" };
    text_add(out, "<tr>");
    page_short(input->name, out);
    text_add(out, "<td class=\"text\">%s</td><td class=\"text\"><span class=\"bar\" style=\"width:%.2fem\"></span>"
                  "%.1f %%</td><td>", kinds[input->kind], largest > 0 ? BAR_EM * input->share / largest : 0,
             input->share);
    if (isfinite(input->loss_rise)) text_add(out, "%+.1f %%", tenths(input->loss_rise));
    else text_add(out, "-");
    text_add(out, "</td></tr>\n");
}

static void put_inputs(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    int64_t top[MOST_INPUTS], shown = explained_top(in, MOST_INPUTS, top);
    double  rest = 100;
    text_add(out, "<div class=\"wide\"><table><tr><th>input</th><th class=\"text\">of it</th><th class=\"text\">carries"
                  "</th><th>error without it</th></tr>\n");
    for (int64_t i = 0; i < shown; i++) {
        put_input(&in->input[top[i]], in->input[top[0]].share, out);
        rest -= in->input[top[i]].share;
    }
    if (in->count > shown)
        text_add(out, "<tr><td class=\"text\">%" PRId64 " others</td><td></td><td class=\"text\">%.1f %%</td><td></td>"
                      "</tr>\n", in->count - shown, fmax(rest, 0));
    text_add(out, "</table></div>\n");
}

/* ---- by target ---- */

/* Few inputs stand in their own order, so that a target's own stands out on the diagonal. */
static int64_t across(const forecast_inputs *in, int64_t top[MOST_ACROSS]) {
    if (in->count > MOST_ACROSS) return explained_top(in, MOST_ACROSS, top);
    for (int64_t i = 0; i < in->count; i++) top[i] = i;
    return in->count;
}

static void put_targets(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    int64_t top[MOST_ACROSS], shown = across(in, top);
    text_add(out, "<h2>For each target</h2>\n<div class=\"wide\"><table><tr><th>target</th>");
    for (int64_t i = 0; i < shown; i++) {
        text_add(out, "<th title=\"");
        text_add_escaped(out, in->input[top[i]].name);
        text_add(out, "\">");
        text_add_short(out, in->input[top[i]].name, 16);
        text_add(out, "</th>");
    }
    text_add(out, "<th>flat</th><th>forecast</th></tr>\n");
    for (int64_t k = 0; k < in->explained_count; k++) {
        const forecast_explained *e = &in->explained[k];
        text_add(out, "<tr>");
        page_short(e->name, out);
        for (int64_t i = 0; i < shown; i++)
            text_add(out, "<td style=\"background:rgba(70,150,200,%.2f)\">%.1f %%</td>",
                     0.7 * e->of[top[i]].share / 100, e->of[top[i]].share);
        page_figure(e->flat, out), page_figure(e->forecast, out);
        text_add(out, "</tr>\n");
    }
    text_add(out, "</table></div>\n");
    if (in->targets > in->explained_count)
        text_add(out, "<p class=\"note\">%" PRId64 " of %" PRId64 " targets were explained; the option "
                      "<code>targets</code> names others.</p>\n", in->explained_count, in->targets);
}

/* ---- by row ---- */

/* Percent of what all inputs carry, the mean over the targets. */
static void row_shares(const forecast_inputs *in, int64_t input, double *out) {
    int64_t rows = in->seq_len + in->pred_len;
    for (int64_t r = 0; r < rows; r++) out[r] = 0;
    for (int64_t k = 0; k < in->explained_count; k++) {
        const forecast_explained *e   = &in->explained[k];
        double                    all = 0;
        for (int64_t i = 0; i < in->count; i++) all += e->of[i].strength;
        for (int64_t r = 0; all > 0 && r < rows; r++)
            out[r] += 100 * e->by_row[input * rows + r] / all / (double)in->explained_count;
    }
}

static void put_rows(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    int64_t     top[MOST_LINES], lines = explained_top(in, MOST_LINES, top), rows = in->seq_len + in->pred_len;
    double     *room = malloc((size_t)(rows * (lines + 1)) * sizeof *room + 1);
    plot_series s[MOST_LINES];
    char        name[MOST_LINES][NAME_CUT];
    out->failed |= !room;
    if (!room) return;
    for (int64_t r = 0; r < rows; r++) room[r] = (double)(r - in->seq_len + 1);
    for (int64_t i = 0; i < lines; i++) {
        bool ahead = in->input[top[i]].kind == FORECAST_INPUT_KNOWN;
        row_shares(in, top[i], room + (i + 1) * rows);
        s[i] = (plot_series){ .name = name_cut(in->input[top[i]].name, 20, name[i]), .x = room,
                              .y = room + (i + 1) * rows, .count = ahead ? rows : in->seq_len, .colour = (int)i + 1 };
    }
    const plot p = { .title = "Where in the look-back", .x_label = "row (0: the last known one)",
                     .y_label = "carries, %", .x_is_whole = true, .y_not_negative = true, .series = s,
                     .series_count = lines, .markers = &(plot_marker){ 0, "" }, .marker_count = 1 };
    text_add(out, "<div class=\"one\"><figure>");
    chart_svg(&p, out);
    text_add(out, "</figure></div>\n");
    free(room);
}

static double worst_gap(const forecast_inputs *in) {
    double most = 0;
    for (int64_t k = 0; k < in->explained_count; k++) most = fmax(most, in->explained[k].gap);
    return most;
}

void page_inputs(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    text_add(out, "<h2>What carries the forecasts</h2>\n");
    put_inputs(x, out);
    text_add(out, "<p class=\"note\">Carries: integrated gradients (Sundararajan, Taly and Yan, 2017) of the mean over "
                  "the forecast's rows, from windows in which every column is flat at its own mean and every time "
                  "feature in the middle of its range; their absolute values, by target in percent of all inputs, and "
                  "the mean of that. %" PRId64 " windows, %" PRId64 " points of the way each; with their signs they "
                  "add up to the forecast less the flat one, but for %.2g %% of it at most. Error without it: how the "
                  "mean squared error of these windows changes where this input alone is flat.</p>\n",
             in->windows, in->steps, 100 * worst_gap(in));
    put_targets(x, out);
    put_rows(x, out);
}
