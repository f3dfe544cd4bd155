/* Each spectrum with its fit, small. Of very many spectra and points a page shows some, and says so. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "draw/chart.h"
#include "eis/fit/fitted.h"
#include "eis/plots/spectrum_plots.h"
#include "page.h"

enum { PANELS_MOST = 200, OPEN_MOST = 12, POINTS_MOST = 400, LINE_POINTS = 160 };

/* ---- what is shown ---- */

/* A spectrum's points, at most POINTS_MOST of them, evenly. */
typedef struct shown_points {
    int64_t count, of;
    double hz[POINTS_MOST];
    eis_z z[POINTS_MOST], residual[POINTS_MOST];
    bool left_out[POINTS_MOST];
} shown_points;

static void fill_points(const batch_row *r, shown_points *out) {
    const eis_spectrum *s = r->spectrum;
    int64_t step = ceil_div(s->count, POINTS_MOST), used = 0;
    out->count = 0, out->of = s->count;
    for (int64_t i = 0; i < s->count; i += step) {
        int64_t n = out->count++;
        while (used < r->points && r->used[used] < i) used++;
        bool fitted = used < r->points && r->used[used] == i;
        out->hz[n] = s->freq_hz[i], out->z[n] = s->z[i];
        out->left_out[n] = r->points && !fitted;
        out->residual[n] = fitted ? r->residual[used] : (eis_z){ NAN, NAN };
    }
}

static void put_plot(spectrum_plot *p, bool good, text *out) {
    text_add(out, "<figure>");
    if (good) chart_svg(&p->plot, out);
    text_add(out, "</figure>\n");
    out->failed = out->failed || !good;
    spectrum_plot_free(p);
}

static void put_nyquist(const batch_row *r, shown_points *points, text *out) {
    double hz[LINE_POINTS], value[PARAMETERS_MOST];
    eis_z line[LINE_POINTS];
    eis_spectrum s = { .count = points->count, .freq_hz = points->hz, .z = points->z };
    spectrum_shown shown = { &s, points->left_out, "fit", hz, line, 0 };
    int64_t parameters = MIN2(r->parameters, PARAMETERS_MOST);
    spectrum_plot p;
    line_frequencies(r->spectrum, LINE_POINTS, hz);
    for (int64_t k = 0; k < parameters; k++) value[k] = r->parameter[k].value;
    if (r->points && eis_circuit_impedance(r->circuit, parameters, value, LINE_POINTS, hz, line, NULL) == TIDE_OK)
        shown.lines = LINE_POINTS;
    put_plot(&p, nyquist_plot(&shown, &p), out);
}

static void put_residuals(const batch_row *r, const shown_points *points, text *out) {
    residuals_shown shown = {
        "Residuals of the fit", NULL, points->hz, points->residual, NULL, points->count, r->noise
    };
    spectrum_plot p;
    if (r->points) put_plot(&p, residual_plot(&shown, &p), out);
}

/* ---- panels ---- */

static void put_panel(const batch_row *r, bool open, shown_points *points, text *out) {
    fill_points(r, points);
    text_add(out, "<details id=\"s%lld\"%s><summary>%lld. ", (long long)r->order + 1, open ? " open=\"open\"" : "",
             (long long)r->order + 1);
    page_name(r, out);
    text_add(out, "</summary>\n");
    if (*r->reason) text_add(out, "<p class=\"bad\">"), text_add_escaped(out, r->reason), text_add(out, "</p>\n");
    if (*r->note) text_add(out, "<p class=\"note\">"), text_add_escaped(out, r->note), text_add(out, "</p>\n");
    if (points->count < points->of)
        text_add(out, "<p class=\"note\">%lld of its %lld points are shown.</p>\n", (long long)points->count,
                 (long long)points->of);
    text_add(out, "<div class=\"charts\">\n");
    put_nyquist(r, points, out);
    put_residuals(r, points, out);
    text_add(out, "</div></details>\n");
}

bool *page_choose(const batch_rows *rows) {
    bool *chosen = calloc((size_t)rows->count + 1, 1);
    int64_t count = 0;
    for (int doubtful = 1; chosen && doubtful >= 0; doubtful--)
        for (int64_t i = 0; i < rows->count && count < PANELS_MOST; i++) {
            const batch_row *r = &rows->row[i];
            bool look = *r->reason || page_is_doubtful(r);
            if (r->spectrum && look == doubtful) chosen[i] = true, count++;
        }
    return chosen;
}

void page_panels(const batch_rows *rows, const bool *chosen, text *out) {
    shown_points *points = malloc(sizeof *points);
    int64_t spectra = 0, count = 0;
    out->failed = out->failed || !points;
    for (int64_t i = 0; points && i < rows->count; i++) spectra += rows->row[i].spectrum != NULL, count += chosen[i];
    if (count) text_add(out, "<h2>Spectra and fits</h2>\n");
    if (count < spectra)
        text_add(out,
                 "<p class=\"note\">%lld of %lld spectra, first those that are to be looked at; <code>tidemill eis "
                 "fit</code> draws any.</p>\n",
                 (long long)count, (long long)spectra);
    for (int64_t i = 0; count && i < rows->count; i++)
        if (chosen[i]) put_panel(&rows->row[i], count <= OPEN_MOST, points, out);
    free(points);
}
