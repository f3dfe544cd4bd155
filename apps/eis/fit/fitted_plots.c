/* A fit as plots: its line beside the points, those that it is without marked, and what it leaves. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/parameters.h"
#include "fitted.h"

enum { LINE_POINTS = 300 };

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for plots");
}

static tide_status draw_left(const eis_fitted *f, const eis_spectrum *s, const plot_place *to, tide_failure *failure) {
    double *hz = malloc(sizeof *hz * (size_t)(f->points + 1));
    eis_z *left = malloc(sizeof *left * (size_t)(f->points + 1));
    char what[96] = "Residuals of the fit";
    for (int64_t i = 0; hz && left && i < f->points; i++) {
        eis_z z = s->z[f->used[i]], m = f->model[i];
        double size = hypot(z.re, z.im);
        hz[i] = s->freq_hz[f->used[i]];
        left[i] = (eis_z){ (z.re - m.re) / size, (z.im - m.im) / size };
    }
    if (isfinite(f->chi2)) snprintf(what, sizeof what, "Residuals of the fit, reduced chi2 %.3g", f->chi2);
    residuals_shown shown = { what, f->name, hz, left, NULL, f->points, f->noise };
    tide_status status = hz && left ? draw_residuals(&shown, "residuals", to, failure) : out_of_memory(failure);
    free(hz), free(left);
    return status;
}

static tide_status draw_fit(const eis_fitted *f, const eis_spectrum *s, const bool *left_out, const plot_place *to,
                            tide_failure *failure) {
    double hz[LINE_POINTS], value[PARAMETERS_MOST];
    eis_z curve[LINE_POINTS];
    spectrum_shown shown = { s, left_out, "fit", hz, curve, LINE_POINTS };
    for (int64_t k = 0; k < f->parameters; k++) value[k] = f->parameter[k].value;
    line_frequencies(s, LINE_POINTS, hz);
    tide_status status = eis_circuit_impedance(f->circuit, f->parameters, value, LINE_POINTS, hz, curve, failure);
    return status == TIDE_OK ? draw_spectrum(&shown, to, failure) : status;
}

static tide_status draw_one(const eis_fitted *f, const eis_spectrum *s, const plot_place *to, tide_failure *failure) {
    bool *left_out = malloc((size_t)s->count + 1);
    if (!left_out) return out_of_memory(failure);
    memset(left_out, true, (size_t)s->count);
    for (int64_t i = 0; i < f->points; i++) left_out[f->used[i]] = false;
    tide_status status = draw_fit(f, s, left_out, to, failure);
    if (status == TIDE_OK) status = draw_left(f, s, to, failure);
    free(left_out);
    return status;
}

/* ---- of several spectra ---- */

/* The parameters as spectrum i has them: names with a # stand once for each. */
static int64_t parameters_of(const eis_fitted *f, int64_t i, eis_fit_parameter *out) {
    int64_t count = 0;
    for (int64_t k = 0; k < f->parameters;) {
        bool own = strchr(f->parameter[k].name, '#') != NULL;
        out[count++] = f->parameter[k + (own ? i : 0)];
        k += own ? f->spectra : 1;
    }
    return count;
}

static tide_status draw_part(const eis_fitted *f, int64_t i, int64_t from, const eis_spectrum *s, const plot_place *to,
                             tide_failure *failure) {
    eis_fit_parameter own[PARAMETERS_MOST];
    eis_fitted part = *f;
    char prefix[256];
    plot_place place = *to;
    part.name = f->spectrum[i].name, part.points = f->spectrum[i].points;
    part.noise = f->spectrum[i].noise, part.chi2 = f->spectrum[i].chi2;
    part.used = f->used + from, part.model = f->model + from;
    part.parameter = own, part.parameters = parameters_of(f, i, own);
    snprintf(prefix, sizeof prefix, "%.200s%03lld_", to->prefix ? to->prefix : "", (long long)i + 1);
    place.prefix = prefix;
    return draw_one(&part, s, &place, failure);
}

tide_status fitted_plots(const eis_fitted *f, const eis_spectrum *s, const plot_place *to, tide_failure *failure) {
    if (!f->spectra) return draw_one(f, s, to, failure);
    tide_status status = TIDE_OK;
    for (int64_t i = 0, from = 0; status == TIDE_OK && i < f->spectra; from += f->spectrum[i++].points)
        status = draw_part(f, i, from, &s[i], to, failure);
    return status;
}

/* ---- by any program ---- */

static tide_status are_of(const eis_fitted *f, const eis_spectrum *s, tide_failure *failure) {
    const eis_fit_spectrum one = { .points = f->points }, *part = f->spectra ? f->spectrum : &one;
    tide_status status = TIDE_OK;
    for (int64_t k = 0, at = 0; status == TIDE_OK && k < (f->spectra ? f->spectra : 1); k++) {
        status = spectrum_check(&s[k], failure);
        for (int64_t i = 0; status == TIDE_OK && i < part[k].points; i++, at++)
            if (f->used[at] >= s[k].count)
                status = fail(failure, TIDE_EINVAL, "the fit is that of another spectrum: it has a point %lld",
                              (long long)f->used[at] + 1);
    }
    return status;
}

tide_status eis_fitted_plots(const eis_fitted *f, const eis_spectrum *spectrum, const char *folder, const char *prefix,
                             tide_failure *failure) {
    failure_clear(failure);
    if (!f || !f->parts || !spectrum || !folder || !prefix)
        return fail(failure, TIDE_EINVAL, "there is no fit, no spectrum, no folder or no prefix for plots");
    tide_status status = are_of(f, spectrum, failure);
    plot_place to = { .folder = folder, .prefix = prefix };
    return status == TIDE_OK ? fitted_plots(f, spectrum, &to, failure) : status;
}

tide_status eis_fitted_svg(const eis_fitted *f, const eis_spectrum *spectrum, char **svg, tide_failure *failure) {
    failure_clear(failure);
    if (svg) *svg = NULL;
    if (!f || !f->parts || !spectrum || !svg)
        return fail(failure, TIDE_EINVAL, "there is no fit, no spectrum, or no place for its picture");
    tide_status status = are_of(f, spectrum, failure);
    chart_sheet sheet;
    if (status != TIDE_OK) return status;
    chart_sheet_begin(&sheet);
    status = fitted_plots(f, spectrum, &(plot_place){ .sheet = &sheet }, failure);
    return chart_sheet_end(&sheet, status, svg, failure);
}
