/* The page: what stands out first, then each part with its figures. No scripts, nothing fetched; one column on a phone,
 * light or dark as the reader's system is, and it prints. Behind its first line it is well-formed XML, so that it can
 * be checked. */
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "draw/chart.h"
#include "draw/html.h"
#include "draw/matrix.h"
#include "drift.h"
#include "explained.h"

enum { MOST_CHARTS = 9, LOOK_BACKS = 3, NAME_CHARACTERS = 40 };

static const char style[] =
    "td.text,th.text{text-align:left}td.long{white-space:normal;min-width:14em;text-align:left}"
    ".bar{display:inline-block;height:.7em;background:#3a86b8;border-radius:2px;margin-right:.5em}"
    ".moved{color:#b00020;font-weight:600}.matrix,.one{max-width:640px}"
    ".matrix figure{overflow-x:auto}"
    "@media(prefers-color-scheme:dark){body{background:#14171b;color:#dcdfe4}h2{border-color:#3a3f47}"
    ".note,th,.card small{color:#a5acb6}.card,td,th{border-color:#333942}figure{background:#fff;border-color:#333942}"
    ".bar{background:#6fb6e2}.moved{color:#ff8a94}a{color:#8fc7f0}}"
    "@media print{body{background:#fff;color:#222}}";

/* ---- cells ---- */

void page_figure(double v, text *out) {
    text_add(out, "<td>");
    if (isfinite(v)) text_add(out, "%.4g", v);
    else text_add(out, "-");
    text_add(out, "</td>");
}

void page_short(const char *name, text *out) {
    text_add(out, "<td class=\"text\" title=\"");
    text_add_escaped(out, name);
    text_add(out, "\">");
    text_add_short(out, name, NAME_CHARACTERS);
    text_add(out, "</td>");
}

/* ---- in short ---- */

static void put_share(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    int64_t                top[3], count = explained_top(in, 3, top);
    text_add(out, "<li>A target's own column carries %.0f %% of its forecast, other inputs %.0f %%. Over all targets: ",
             in->own_share, others_share(in));
    for (int64_t i = 0; i < count && in->input[top[i]].share > 0; i++) {
        text_add(out, "%s", i ? ", " : "");
        text_add_short(out, in->input[top[i]].name, NAME_CHARACTERS);
        text_add(out, " %.0f %%", in->input[top[i]].share);
    }
    bool any = count && in->input[top[0]].share > 0;
    text_add(out, any ? ".</li>\n" : "in these windows no forecast depends on any input.</li>\n");
}

static void put_moved(const explained *x, text *out) {
    const forecast_inputs *in = inputs_of(x);
    int64_t                moved = 0, named = 0, few = drift_few(in);
    char                   words[DRIFT_WORDS];
    if (!in->drift_count) return;
    for (int64_t c = 0; c < in->drift_count; c++) moved += in->drift[c].moved != 0;
    text_add(out, "<li>");
    if (moved) text_add(out, "%" PRId64 " of %" PRId64 " columns %s moved from what was trained on: ", moved,
                        in->drift_count, moved == 1 ? "has" : "have");
    else if (in->drift_count > few) text_add(out, "No column has moved from what was trained on");
    for (int64_t c = 0; c < in->drift_count && named < 5; c++) {
        if (!in->drift[c].moved) continue;
        text_add(out, "%s", named++ ? "; " : "");
        text_add_short(out, in->drift[c].column, NAME_CHARACTERS);
        text_add(out, " (%s)", drift_words(in->drift[c].moved, words));
    }
    text_add(out, "%s", moved > named ? "; ..." : "");
    if (few)
        text_add(out, "%s%" PRId64 " columns hold too few values to compare",
                 in->drift_count > few || moved ? "; " : "", few);
    text_add(out, ".</li>\n");
}

static void put_short(const explained *x, text *out) {
    const forecast_result *r = x->result;
    text_add(out, "<h2>In short</h2>\n<ul>\n<li>On the test rows (%" PRId64 " windows) the mean squared error of the "
                  "scaled forecasts is %.4g; ", r->windows, r->model.mse);
    for (int i = 0, put = 0; i < 3; i++)
        if (r->baselines[i].present)
            text_add(out, "%s%s %.4g", put++ ? ", " : "", ((const char *[]){ "last value", "seasonal naive",
                                                                             "linear" })[i], r->baselines[i].mse);
    text_add(out, "%s.</li>\n", r->beaten ? ": a baseline is at least as good" : "");
    put_share(x, out);
    put_moved(x, out);
    text_add(out, "</ul>\n");
}

/* ---- the model ---- */

static void put_row(const char *name, text *out) { text_add(out, "<tr><td>%s</td><td class=\"long\">", name); }
static void end_row(text *out) { text_add(out, "</td></tr>\n"); }

static void put_names(char *const *names, int64_t count, text *out) {
    enum { MOST = 12 };
    for (int64_t i = 0; i < MIN2(count, MOST); i++) {
        text_add(out, "%s", i ? ", " : "");
        text_add_short(out, names[i], NAME_CHARACTERS);
    }
    if (count > MOST) text_add(out, " and %" PRId64 " more", count - MOST);
}

static void put_network(const explained *x, text *out) {
    const model_config *c = &x->bundle->config;
    put_row("network", out);
    text_add(out, "%s, %" PRId64 " parameters", architecture_of(c->arch)->name, x->result->parameters);
    for (int i = 0; x->parts > 1 && i < x->parts; i++)
        text_add(out, "%s%s %.0f %%", i ? ", " : ": the weighted sum of ", x->part[i]->of->name, 100 * x->weight[i]);
    end_row(out);
    put_row("forecasts", out);
    text_add(out, "%" PRId64 " rows from the %" PRId64 " before them", c->pred_len, c->seq_len);
    if (x->bundle->step.unit) {
        char step[STEP_TEXT];
        step_print(step, x->bundle->step);
        text_add(out, ", a row every ");
        text_add_escaped(out, step);
    }
    end_row(out);
}

static void put_marks(const explained *x, text *out) {
    const model_config *c = &x->bundle->config;
    if (!c->marks) return;
    put_row("time features", out);
    for (int64_t i = 0; i < c->marks; i++)
        text_add(out, "%s%s", i ? ", " : "", inputs_of(x)->input[c->columns + i].name);
    end_row(out);
}

static void put_model(const explained *x, text *out) {
    const bundle       *b = x->bundle;
    const model_config *c = &b->config;
    const frame        *f = &x->data->frame;
    text_add(out, "<h2>Model and data</h2>\n<div class=\"wide\"><table>\n");
    put_network(x, out);
    put_row("columns forecast", out);
    text_add(out, "%" PRId64 ": ", c->out_count), put_names(b->names + c->out_first, c->out_count, out), end_row(out);
    if (c->known) {
        put_row("known ahead", out);
        text_add(out, "%" PRId64 ": ", c->known), put_names(b->names + c->columns - c->known, c->known, out);
        end_row(out);
    }
    int64_t others = c->columns - c->out_count - c->known;
    if (others > 0) put_row("inputs alone", out), text_add(out, "%" PRId64 " other columns", others), end_row(out);
    put_marks(x, out);
    put_row("series", out);
    text_add(out, "%" PRId64 " rows of ", f->rows), text_add_escaped(out, x->options->data);
    if (f->gaps) text_add(out, "; %" PRId64 " values are missing", f->gaps);
    end_row(out);
    text_add(out, "</table></div>\n");
}

/* ---- the forecast ---- */

typedef struct curve { double *x, *past, *ahead, *came, *low, *high; int64_t shown; } curve;

static bool curve_of(const explained *x, int64_t target, curve *c) {
    const model_config *m = &x->bundle->config;
    int64_t             n = MIN2(m->seq_len, LOOK_BACKS * m->pred_len), pred = m->pred_len;
    double             *room = malloc((size_t)(2 * n + 3 * pred + 2 * pred * x->levels.count) * sizeof *room);
    if (!room) return false;
    double *bands = room + 2 * n + 3 * pred;
    *c = (curve){ room, room + n + pred, room + 2 * n + pred, room + 2 * n + 2 * pred, bands,
                  bands + pred * x->levels.count, n };
    for (int64_t i = 0; i < n + pred; i++) c->x[i] = (double)(i - n + 1);
    for (int64_t i = 0; i < n; i++)
        c->past[i] = x->past[(m->seq_len - n + i) * m->columns + m->out_first + target];
    for (int64_t i = 0; i < pred; i++) c->ahead[i] = x->values[i * m->out_count + target];
    for (int64_t i = 0; x->truth && i < pred; i++) c->came[i] = x->truth[i * m->out_count + target];
    for (int64_t l = 0; l < x->levels.count; l++)
        for (int64_t i = 0; i < pred; i++) {
            const double *bounds = x->bands + ((i * m->out_count + target) * x->levels.count + l) * 2;
            c->low[l * pred + i] = bounds[0], c->high[l * pred + i] = bounds[1];
        }
    return true;
}

static void put_curve(const explained *x, int64_t target, text *out) {
    const model_config *m = &x->bundle->config;
    plot_series s[3 + FORECAST_MAX_LEVELS];
    char        names[FORECAST_MAX_LEVELS][24], title[NAME_CUT];
    int64_t     count = 0;
    curve       c;
    if (!curve_of(x, target, &c)) {
        out->failed = true;
        return;
    }
    for (int64_t l = x->levels.count; l-- > 0;) {
        snprintf(names[l], sizeof names[l], "%.4g %%", x->levels.of[l]);
        s[count++] = (plot_series){ .name = names[l], .x = c.x + c.shown, .y = c.low + l * m->pred_len,
                                    .y_upper = c.high + l * m->pred_len, .count = m->pred_len, .style = PLOT_BAND,
                                    .colour = 2 };
    }
    s[count++] = (plot_series){ .name = "past", .x = c.x, .y = c.past, .count = c.shown, .colour = 1 };
    s[count++] = (plot_series){ .name = "forecast", .x = c.x + c.shown, .y = c.ahead, .count = m->pred_len,
                                .colour = 2 };
    if (x->truth)
        s[count++] = (plot_series){ .name = "what came", .x = c.x + c.shown, .y = c.came, .count = m->pred_len,
                                    .style = PLOT_DASHED, .colour = 3 };
    const plot p = { .title = name_cut(x->bundle->names[m->out_first + target], NAME_CHARACTERS, title),
                     .x_label = "rows after the last known one",
                     .x_is_whole = true, .series = s, .series_count = count,
                     .markers = &(plot_marker){ 0, "" }, .marker_count = 1 };
    text_add(out, "<figure>");
    chart_svg(&p, out);
    text_add(out, "</figure>\n");
    free(c.x);
}

/* Names of options stand in backticks. */
static void put_message(const char *s, text *out) {
    bool code = false;
    text_add(out, "<p class=\"note\">");
    while (*s) {
        char   part[400];
        size_t length = strcspn(s, "`");
        snprintf(part, sizeof part, "%.*s", (int)MIN2(length, sizeof part - 1), s);
        text_add_escaped(out, part);
        s += length;
        if (*s) text_add(out, code ? "</code>" : "<code>"), code = !code, s++;
    }
    text_add(out, "%s</p>\n", code ? "</code>" : "");
}

static void put_forecast(const explained *x, text *out) {
    const model_config *m = &x->bundle->config;
    text_add(out, "<h2>The forecast</h2>\n");
    if (*x->no_forecast) put_message(x->no_forecast, out);
    if (!x->values) return;
    text_add(out, "<p>From %s%s", x->truth ? "the last test window, whose last known row is " : "the series' last row",
             *x->last && !x->truth ? ", " : "");
    text_add_escaped(out, x->last);
    if (m->out_count > MOST_CHARTS) text_add(out, "; the first %d of %" PRId64 " columns", MOST_CHARTS, m->out_count);
    text_add(out, ".</p>\n<div class=\"charts\">\n");
    for (int64_t t = 0; t < MIN2(m->out_count, MOST_CHARTS); t++) put_curve(x, t, out);
    text_add(out, "</div>\n");
}

/* ---- the whole ---- */

static void put_files(text *out) {
    text_add(out, "<h2>All figures</h2>\n<p class=\"note\">Beside this page: attributions.csv (each input for each "
                  "explained target), rows.csv (the same by row), flat.csv (errors where an input is flat), "
                  "attention.csv, drift.csv, scores.csv (by column) and steps.csv (by step).</p>\n");
}

static void put_all(const explained *x, text *out) {
    text title = { 0 };
    text_add(&title, "What the forecasts of %s go by", x->options->model);
    html_begin(title.failed ? "" : title.data, style, out);
    put_short(x, out);
    put_model(x, out);
    put_forecast(x, out);
    page_scores(x, out);
    page_inputs(x, out);
    page_attention(x, out);
    page_drift(x, out);
    put_files(out);
    html_end(out);
    out->failed |= title.failed;
    text_free(&title);
}

/* Numbers have the point of the C locale, whatever this thread's is. */
void explained_page(const explained *x, text *out) {
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = c ? uselocale(c) : c;
    put_all(x, out);
    if (c) uselocale(before), freelocale(c);
}
