/* A fit as plots: its line beside the points, those that it is without marked, and what it leaves. */
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/parameters.h"
#include "fitted.h"

enum { LINE_POINTS = 300 };
static const double two_pi = 6.283185307179586476925286766559;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for plots");
}

typedef struct line {
    double hz[LINE_POINTS], omega[LINE_POINTS], log_omega[LINE_POINTS];
    double complex z[LINE_POINTS];
    eis_z curve[LINE_POINTS];
} line;

static tide_status line_of(const eis_fitted *f, const eis_spectrum *s, line *out, tide_failure *failure) {
    double value[PARAMETERS_MOST];
    equivalent e;
    tide_status status = equivalent_parse(f->circuit, &e, failure);
    if (status != TIDE_OK) return status;
    for (int64_t k = 0; k < f->parameters; k++) value[k] = f->parameter[k].value;
    line_frequencies(s, LINE_POINTS, out->hz);
    for (int i = 0; i < LINE_POINTS; i++)
        out->omega[i] = two_pi * out->hz[i], out->log_omega[i] = log(out->omega[i]);
    equivalent_evaluate(&e, value, LINE_POINTS, out->omega, out->log_omega, out->z, NULL);
    for (int i = 0; i < LINE_POINTS; i++) out->curve[i] = (eis_z){ creal(out->z[i]), cimag(out->z[i]) };
    return TIDE_OK;
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

tide_status fitted_plots(const eis_fitted *f, const eis_spectrum *s, const plot_place *to, tide_failure *failure) {
    line *fit = malloc(sizeof *fit);
    bool *left_out = malloc((size_t)s->count + 1);
    tide_status status = fit && left_out ? line_of(f, s, fit, failure) : out_of_memory(failure);
    if (status == TIDE_OK) {
        memset(left_out, true, (size_t)s->count);
        for (int64_t i = 0; i < f->points; i++) left_out[f->used[i]] = false;
        spectrum_shown shown = { s, left_out, "fit", fit->hz, fit->curve, LINE_POINTS };
        status = draw_spectrum(&shown, to, failure);
    }
    if (status == TIDE_OK) status = draw_left(f, s, to, failure);
    free(fit), free(left_out);
    return status;
}

tide_status eis_fitted_plots(const eis_fitted *f, const eis_spectrum *spectrum, const char *folder, const char *prefix,
                             tide_failure *failure) {
    failure_clear(failure);
    if (!f || !f->parts || !spectrum || !folder || !prefix)
        return fail(failure, TIDE_EINVAL, "there is no fit, no spectrum, no folder or no prefix for plots");
    tide_status status = spectrum_check(spectrum, failure);
    for (int64_t i = 0; status == TIDE_OK && i < f->points; i++)
        if (f->used[i] >= spectrum->count)
            status = fail(failure, TIDE_EINVAL, "the fit is that of another spectrum: it has a point %lld",
                          (long long)f->used[i] + 1);
    plot_place to = { folder, prefix, NULL };
    return status == TIDE_OK ? fitted_plots(f, spectrum, &to, failure) : status;
}
