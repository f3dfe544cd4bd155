/* A posterior for people, for programs and as a table of its draws. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "posterior.h"

/* ---- for people ---- */

static const char *limit_words(const char *limit) {
    if (!limit) return "";
    return *limit == 'l'   ? "  CUT BY ITS LOWER BOUND"
           : *limit == 'h' ? "  CUT BY ITS UPPER BOUND"
                           : "  CUT BY BOTH BOUNDS";
}

static void put_head(const eis_fit_posterior *p, text *out) {
    text_add(out, "\nposterior: %" PRId64 " draws", p->draws);
    if (!isnan(p->effective)) text_add(out, ", worth %.0f independent ones", p->effective);
    text_add(out, " (%s); two halves agree within %.2g of an interval's width\n", p->method, p->disagreement);
    text_add(out, "  noise %.3g %% of |Z|", 100 * p->noise);
    if (isfinite(p->noise_dof)) text_add(out, ", known by %.0f degrees of freedom", p->noise_dof);
    text_add(out, "\n");
}

void posterior_text(const eis_fit_posterior *p, text *out) {
    put_head(p, out);
    for (int64_t k = 0; k < p->marginals; k++) {
        const eis_fit_marginal *m = &p->marginal[k];
        text_add(out, "  %-10s%12.6g    95 %%: %.6g to %.6g %s%s\n", m->name, m->of.median, m->of.low, m->of.high,
                 m->unit, limit_words(m->limit));
    }
    for (int64_t i = 0; i < p->notes; i++) text_add(out, "%s.\n", p->note[i]);
}

/* ---- for programs ---- */

static json_t *marginals(const eis_fit_posterior *p) {
    json_t *list = json_array();
    for (int64_t k = 0; k < p->marginals; k++) {
        const eis_fit_marginal *m = &p->marginal[k];
        json_t *one = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s?, s:b}", "name", m->name, "unit", m->unit, "low95",
                                json_finite(m->of.low), "median", json_finite(m->of.median), "high95",
                                json_finite(m->of.high), "bound", m->limit, "bound_assumed", m->assumed);
        list = json_with_item(list, one);
    }
    return list;
}

static json_t *correlation(const eis_fit_posterior *p) {
    json_t *rows = json_array();
    for (int64_t a = 0; a < p->marginals; a++) {
        json_t *row = json_array();
        for (int64_t b = 0; b < p->marginals; b++)
            row = json_with_item(row, json_finite(p->correlation[a * p->marginals + b]));
        rows = json_with_item(rows, row);
    }
    return rows;
}

json_t *posterior_json(const eis_fit_posterior *p) {
    json_t *o =
        json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "method", p->method, "draws", (json_int_t)p->draws, "effective",
                  json_finite(p->effective), "disagreement_of_halves", json_finite(p->disagreement), "noise",
                  json_finite(p->noise), "noise_dof", json_finite(p->noise_dof));
    json_t *notes = json_array();
    for (int64_t i = 0; i < p->notes; i++) notes = json_with_item(notes, json_text(p->note[i]));
    o = json_with(o, "marginals", marginals(p));
    o = json_with(o, "correlation", correlation(p));
    return json_with(o, "notes", notes);
}

/* ---- as cells ---- */

void posterior_cells(const eis_fit_posterior *p, const char *name, text *out) {
    const eis_fit_marginal *m = NULL;
    for (int64_t k = 0; p && k < p->marginals; k++)
        if (!strcmp(p->marginal[k].name, name)) m = &p->marginal[k];
    const double ends[3] = { m ? m->of.low : NAN, m ? m->of.median : NAN, m ? m->of.high : NAN };
    for (int i = 0; i < 3; i++) fitted_cell(out, ends[i]);
    text_add(out, "%s\n", m && m->limit ? m->limit : "");
}

/* ---- the draws ---- */

void posterior_table(const eis_fit_posterior *p, text *out) {
    text_add(out, "weight");
    for (int64_t k = 0; k < p->marginals; k++) text_add(out, ",%s", p->marginal[k].name);
    text_add(out, "\n");
    for (int64_t i = 0; i < p->draws; i++) {
        char cell[32];
        num_format(cell, p->weight[i], false);
        text_add(out, "%s", cell);
        for (int64_t k = 0; k < p->marginals; k++) {
            num_format(cell, p->value[i * p->marginals + k], false);
            text_add(out, ",%s", cell);
        }
        text_add(out, "\n");
    }
}
