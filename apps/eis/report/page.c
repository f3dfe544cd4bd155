/* The page: figures first, then what they rest on. No scripts, nothing fetched; one column on a phone, and it
 * prints. */
#include <math.h>
#include <stdio.h>

#include "draw/html.h"
#include "report.h"

static void put_quantity(double v, const char *unit, text *out) {
    char number[32];
    if (isnan(v)) text_add(out, "-");
    else text_add(out, "%s%s", si_format(number, v, 4), unit);
}

/* ---- what is known of each quantity ---- */

typedef struct row { const char *name, *unit; int quantity; } row;
static const row rows[] = { { "TER", "ohm", EIS_TER }, { "TEC", "F", EIS_TEC },   { "n1", "s", EIS_N1 },
                            { "d1", "s", EIS_D1 },     { "Rsh", "ohm", EIS_RSH }, { "Ra", "ohm", EIS_RA },
                            { "Rb", "ohm", EIS_RB },   { "Ca", "F", EIS_CA },     { "Cb", "F", EIS_CB } };

static bool interval_of(const report *r, const row *q, double of[2]) {
    const eis_answer   *a = r->answer;
    const eis_interval *i = &a->of[q->quantity];
    bool asked = q->quantity < EIS_COUNT ? !a->known.is[q->quantity] : a->circuit == EIS_SHUNT;
    of[0] = i->low, of[1] = i->high;
    return asked && isfinite(of[0]) && isfinite(of[1]);
}

static double truth_of(const report *r, const row *q) {
    if (!r->truth) return NAN;
    if (q->quantity < EIS_COUNT) return r->truth[q->quantity];
    if (r->answer->circuit != EIS_SHUNT) return NAN;
    eis_invariants i = eis_invariants_of(r->truth);
    const double   of[] = { [EIS_TER] = i.r0_ohm, [EIS_TEC] = i.cinf_farad, [EIS_N1] = i.n1_s, [EIS_D1] = i.d1_s };
    return of[q->quantity];
}

static const char *verdict(const report *r, const row *q, const double of[2], double truth) {
    bool open = q->quantity < EIS_COUNT && !r->answer->identifiable[q->quantity];
    bool inside = truth >= of[0] * (1 - 1e-9) && truth <= of[1] * (1 + 1e-9);
    if (isnan(truth)) return open ? "left open by the data" : "";
    if (open) return inside ? "inside; left open by the data" : "outside; left open by the data";
    return inside ? "inside" : "outside";
}

static void put_quantities(const report *r, text *out) {
    text_add(
        out,
        "<h2>What is missing, and how well it is known</h2>\n<div class=\"wide\"><table><tr><th>quantity<th>95 %% "
        "from<th>to%s<th></tr>\n",
        r->truth ? "<th>truth" : "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double of[2], truth = truth_of(r, &rows[i]);
        if (!interval_of(r, &rows[i], of)) continue;
        text_add(out, "<tr><td>%s<td>", rows[i].name);
        put_quantity(of[0], rows[i].unit, out);
        text_add(out, "<td>");
        put_quantity(of[1], rows[i].unit, out);
        if (r->truth) text_add(out, "<td>"), put_quantity(truth, rows[i].unit, out);
        text_add(out, "<td>%s</tr>\n", verdict(r, &rows[i], of, truth));
    }
    text_add(out, "</table></div>\n<p class=\"note\">TER and TEC are resistance and capacitance across the whole "
                  "epithelium; n1 and d1 are "
                  "the two time constants that the spectrum "
                  "also determines: Z = TER (1 + n1 s) / (1 + d1 s + d2 s&sup2;).</p>\n");
}

/* ---- figures ---- */

static void put_card(const char *name, double v, const char *unit, const char *small, text *out) {
    if (isnan(v)) return;
    text_add(out, "<div class=\"card\">%s<b>", name);
    put_quantity(v, unit, out);
    text_add(out, "</b><small>%s</small></div>\n", small);
}

static void put_share(const char *name, double v, const char *small, text *out) {
    if (!isnan(v)) text_add(out, "<div class=\"card\">%s<b>%.1f %%</b><small>%s</small></div>\n", name, 100 * v, small);
}

static void put_cards(const report *r, text *out) {
    text_add(out, "<div class=\"cards\">\n");
    put_card("TER", r->answer->of[EIS_TER].median, "ohm", "transepithelial resistance", out);
    put_card("TEC", r->answer->of[EIS_TEC].median, "F", "transepithelial capacitance", out);
    put_share("most probable cell", r->answer->max_probability,
              "of the grid, all missing values at once", out);
    put_card("reduced chi2", r->answer->reduced_chi2, "", "about 1 when the circuit fits", out);
    put_share("noise", r->answer->noise, "of |Z|, each part", out);
    text_add(out, "</div>\n");
}

/* ---- candidates ---- */

static void put_candidate_header(const report *r, text *out) {
    text_add(out, "<h2>Candidates</h2>\n<div class=\"wide\"><table><tr><th>rank");
    for (int k = 0; k < EIS_COUNT; k++)
        if (!r->answer->known.is[k]) text_add(out, "<th>%s", eis_parameters[k].name);
    text_add(out, "<th>probability<th>resnorm</tr>\n");
}

static void put_candidates(const report *r, text *out) {
    if (!r->answer->candidates) return;
    put_candidate_header(r, out);
    for (int64_t i = 0; i < MIN2(r->answer->candidates, r->candidates); i++) {
        const eis_candidate *c = &r->answer->candidate[i];
        text_add(out, "<tr><td>%d", (int)i + 1);
        for (int k = 0; k < EIS_COUNT; k++) {
            if (r->answer->known.is[k]) continue;
            text_add(out, "<td>");
            put_quantity(c->p[k], k >= EIS_CA ? "F" : "ohm", out);
        }
        text_add(out, "<td>%.4f<td>%.4g</tr>\n", c->probability, c->resnorm);
    }
    text_add(out, "</table></div>\n");
}

/* ---- charts ---- */

static void begin_charts(const char *title, text *out) {
    text_add(out, "<h2>%s</h2>\n<div class=\"charts\">\n", title);
}

static void put_chart(const report *r, void (*draw)(const report *, text *), text *out) {
    size_t begin = out->length;
    text_add(out, "<figure>");
    size_t empty = out->length;
    draw(r, out);
    if (out->failed) return;
    if (out->length == empty) out->data[out->length = begin] = 0;
    else text_add(out, "</figure>\n");
}

static void put_posterior(const report *r, text *out) {
    begin_charts("What the missing values can be", out);
    for (int k = 0; k < EIS_COUNT; k++) {
        if (r->answer->known.is[k]) continue;
        text_add(out, "<figure>");
        chart_marginal(r, k, out);
        text_add(out, "</figure>\n");
    }
    put_chart(r, chart_joint, out);
    text_add(out, "</div>\n");
}

static void put_spectrum(const report *r, text *out) {
    if (!r->spectrum) return;
    begin_charts("The spectrum and the best candidates", out);
    put_chart(r, chart_nyquist, out);
    put_chart(r, chart_bode_size, out);
    put_chart(r, chart_bode_phase, out);
    text_add(out, "</div>\n");
    html_note(r->spectrum_note, out);
}

static void put_training(const report *r, text *out) {
    if (!r->metrics && !r->calibration) return;
    begin_charts("The trained predictor", out);
    put_chart(r, chart_loss, out);
    put_chart(r, chart_accuracy, out);
    put_chart(r, chart_calibration, out);
    text_add(out, "</div>\n");
    html_note(r->training && *r->training->message ? r->training->message : NULL, out);
    html_note(r->calibration ? r->calibration_of : NULL, out);
}

static void put_known(const report *r, text *out) {
    static const char *const methods[] = {
        [EIS_REFINED] = "refined", [EIS_EXACT] = "exact", [EIS_NETWORK] = "network"
    };
    const eis_answer *a = r->answer;
    const char *between = " ";
    char        number[32];
    text_add(out, "<p>Known:");
    for (int k = 0; k < EIS_COUNT; k++) {
        if (!a->known.is[k]) continue;
        text_add(out, "%s%s = %s%s", between, eis_parameters[k].name, si_format(number, a->known.value[k], 4),
                 k >= EIS_CA ? "F" : "ohm");
        between = ", ";
    }
    text_add(out, "%s. Circuit: %s. Method: %s.</p>\n", *between == ',' ? "" : " nothing",
             a->circuit == EIS_SHUNT ? "shunt" : "chain", methods[a->method]);
}

void report_page(const report *r, text *out) {
    html_begin(r->title, "", out);
    html_note(r->intro, out);
    put_known(r, out);
    put_cards(r, out);
    put_quantities(r, out);
    put_posterior(r, out);
    put_candidates(r, out);
    put_spectrum(r, out);
    put_training(r, out);
    html_end(out);
}
