/* A fit for people, and as rows of a table. */
#include <math.h>

#include "base/base.h"
#include "fitted.h"
#include "posterior.h"

static const char *const states[] = {
    [EIS_PARAMETER_FREE] = "",
    [EIS_PARAMETER_FIXED] = "fixed",
    [EIS_PARAMETER_TIED] = "tied",
    [EIS_PARAMETER_AT_LOW] = "ON ITS LOWER BOUND",
    [EIS_PARAMETER_AT_HIGH] = "ON ITS UPPER BOUND",
    [EIS_PARAMETER_OPEN] = "not determined by the data",
};
const char *fit_weights_name(eis_weights weights) {
    static const char *const names[] = { "modulus", "unit", "proportional", "statistical", "normalised" };
    return names[weights];
}

static void put_value(double value, double error, const char *unit, const char *state, text *out) {
    const char *limit = isfinite(error) ? NULL : fit_out_of_sight(value);
    if (limit) text_add(out, "%12s", limit);
    else text_add(out, "%12.6g", value);
    if (isfinite(error)) text_add(out, " +- %-10.3g %-10s %6.2g %%", error, unit, 100 * fabs(error / value));
    else text_add(out, "    %-10s %-10s", "", unit);
    text_add(out, "%s%s\n", *state ? "  " : "", state);
}

static void put_per_area(const eis_per_area *a, text *out) {
    if (!a->unit) return;
    text_add(out, "  %-10s%12.6g", "", a->value);
    if (isfinite(a->error)) text_add(out, " +- %-10.3g", a->error);
    else text_add(out, "    %-10s", "");
    text_add(out, " %s\n", a->unit);
}

static void put_elements(const eis_fitted *f, text *out) {
    for (int64_t i = 0; i < f->elements; i++)
        text_add(out, "  %-8s Z = %s, %s\n", f->element[i].name, f->element[i].formula, f->element[i].what);
}

static void put_norms(const eis_fitted *f, text *out) {
    text_add(out,
             "\nobjective (%s weights) %.7g, reduced %.4g; AIC %.2f, BIC %.2f; %lld points, %lld free parameters\n",
             fit_weights_name(f->weights), f->objective, f->reduced, f->aic, f->bic, (long long)f->points,
             (long long)f->free_parameters);
    for (int i = 0; i < EIS_RESNORMS; i++)
        text_add(out, "  %-24s %.7g\n", eis_resnorm_name((eis_resnorm_kind)i), f->resnorm[i]);
}

/* First of all whether any of it can be believed. */
static void put_verdict(const eis_fitted *f, text *out) {
    for (int64_t i = 0; i < f->warnings; i++) text_add(out, "%s%s.\n", i ? "" : "\n", f->warning[i]);
    if (f->verdict == EIS_FIT_ADEQUATE)
        text_add(out, "%sadequate: what is left is noise (%.2g %% of |Z|, %s; reduced chi2 %.3g).\n",
                 f->warnings ? "" : "\n", 100 * f->noise, eis_noise_source_name(f->noise_source), f->chi2);
    for (int64_t i = 0; i < f->spectra; i++)
        text_add(out, "%s  #%lld %s: %s, %lld points, reduced chi2 %.3g\n", i ? "" : "\n", (long long)i + 1,
                 f->spectrum[i].name, fit_verdict_name(f->spectrum[i].verdict), (long long)f->spectrum[i].points,
                 f->spectrum[i].chi2);
    text_add(out, "\n");
}

void fitted_text(const eis_fitted *f, text *out) {
    text_add(out, "%s: %s\n", f->name, f->circuit);
    put_verdict(f, out);
    for (int64_t i = 0; i < f->quantities; i++) {
        const eis_fit_quantity *q = &f->quantity[i];
        text_add(out, "  %-10s", q->name);
        put_value(q->value, q->error, q->unit, isfinite(q->error) ? "" : states[EIS_PARAMETER_OPEN], out);
        put_per_area(&q->per_area, out);
    }
    for (int64_t i = 0; i < f->parameters; i++) {
        const eis_fit_parameter *p = &f->parameter[i];
        text_add(out, "  %-10s", p->name);
        put_value(p->value, p->error, p->unit, states[p->state], out);
        put_per_area(&p->per_area, out);
        if (!isnan(p->low95)) text_add(out, "  %-10s%12s    95 %%: %.6g to %.6g\n", "", "", p->low95, p->high95);
    }
    for (int64_t i = 0; i < f->priors; i++)
        text_add(out, "%s  %-10s%12.6g, told %.6g +- %.3g: %+.2f standard deviations\n", i ? "" : "\npriors\n",
                 f->prior[i].name, f->prior[i].fitted, f->prior[i].value, f->prior[i].deviation, f->prior[i].pull);
    if (f->posterior) posterior_text(f->posterior, out);
    for (int64_t i = 0; i < f->candidates; i++)
        text_add(out, "%s  BIC %9.2f  %s\n", i ? "" : "\ncircuits tried, the best first\n", f->candidate[i].bic,
                 f->candidate[i].circuit);
    for (int64_t i = 0; i < f->notes; i++) text_add(out, "%s%s.\n", i ? "" : "\n", f->note[i]);
    put_norms(f, out);
    text_add(out, "\n");
    put_elements(f, out);
}

void fitted_cell(text *out, double v) {
    char number[32] = "";
    if (isfinite(v)) num_format(number, v, false);
    text_add(out, "%s,", number);
}

void fitted_row_header(text *out) {
    text_add(out, "spectrum,circuit,parameter,value,stderr,low95,high95,unit,state,objective,notes,warnings,"
                  "reduced_chi2,per_area,per_area_stderr,per_area_unit,posterior_low95,posterior_median,"
                  "posterior_high95,posterior_bound\n");
}

static void put_quoted(text *out, const char *s, const char *end) {
    text_add(out, "\"");
    for (; *s; s++) text_add(out, *s == '"' ? "\"\"" : "%c", *s);
    text_add(out, "\"%s", end);
}

static void put_row(const eis_fitted *f, const eis_fit_parameter *p, const char *state, text *out) {
    const double numbers[] = { p->value, p->error, p->low95, p->high95 };
    put_quoted(out, f->name, ",");
    put_quoted(out, f->circuit, ",");
    text_add(out, "%s,", p->name);
    for (int i = 0; i < 4; i++) fitted_cell(out, numbers[i]);
    text_add(out, "%s,%s,", p->unit, state);
    fitted_cell(out, f->objective);
    text_add(out, "%lld,%lld,", (long long)f->notes, (long long)f->warnings);
    const double last[] = { f->chi2, p->per_area.value, p->per_area.error };
    for (int i = 0; i < 3; i++) fitted_cell(out, last[i]);
    text_add(out, "%s,", p->per_area.unit ? p->per_area.unit : "");
    posterior_cells(f->posterior, p->name, out);
}

void fitted_rows(const eis_fitted *f, text *out) {
    for (int64_t i = 0; i < f->quantities; i++) {
        const eis_fit_quantity *q = &f->quantity[i];
        eis_fit_parameter row = { .name = q->name, .unit = q->unit, .value = q->value, .error = q->error };
        row.per_area = q->per_area;
        row.low95 = row.high95 = NAN;
        put_row(f, &row, "", out);
    }
    for (int64_t i = 0; i < f->parameters; i++) put_row(f, &f->parameter[i], states[f->parameter[i].state], out);
}

char *eis_fitted_text(const eis_fitted *f) {
    text out = { 0 };
    if (!f || !f->parts) return NULL;
    fitted_text(f, &out);
    if (out.failed) text_free(&out);
    return out.data;
}
