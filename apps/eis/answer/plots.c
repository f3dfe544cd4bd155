/* What the field expects: Nyquist, Bode, residuals beside the noise; and what is left open (posterior_plots.c). */
#include <math.h>
#include <stdlib.h>

#include "answer.h"
#include "eis/check/faults.h"

enum { MODEL_POINTS = 300 };

typedef struct model {
    double hz[MODEL_POINTS];
    eis_z z[MODEL_POINTS];
} model;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for plots");
}

static tide_status draw_left(const answer *a, const bool *left_out, const plot_place *to, tide_failure *failure) {
    const eis_spectrum *s = a->spectrum;
    const double *best = a->completion->summary.best;
    eis_z *left = malloc(sizeof *left * (size_t)(s->count + 1));
    char what[96];
    if (!left) return out_of_memory(failure);
    eis_impedance(a->question->circuit, best, best[EIS_RS], s->count, s->freq_hz, left);
    for (int64_t i = 0; i < s->count; i++) {
        double size = hypot(s->z[i].re, s->z[i].im);
        left[i] = (eis_z){ (s->z[i].re - left[i].re) / size, (s->z[i].im - left[i].im) / size };
    }
    snprintf(what, sizeof what, "Residuals of the best candidate, reduced chi2 %.3g", a->completion->chi2);
    residuals_shown shown = { what, a->path, s->freq_hz, left, left_out, s->count, a->completion->noise };
    tide_status status = draw_residuals(&shown, "residuals", to, failure);
    free(left);
    return status;
}

static tide_status draw_model(const answer *a, const bool *left_out, const plot_place *to, tide_failure *failure) {
    const double *best = a->completion->summary.best;
    eis_spectrum named = *a->spectrum;
    model *m = malloc(sizeof *m);
    if (!m) return out_of_memory(failure);
    named.name = a->path;
    line_frequencies(a->spectrum, MODEL_POINTS, m->hz);
    eis_impedance(a->question->circuit, best, best[EIS_RS], MODEL_POINTS, m->hz, m->z);
    spectrum_shown shown = { &named, left_out, "best candidate", m->hz, m->z, MODEL_POINTS };
    tide_status status = draw_spectrum(&shown, to, failure);
    free(m);
    return status;
}

/* The answer is without the points that are faults (complete_measured), and does not keep which they are. */
static tide_status draw_all(const answer *a, const plot_place *to, tide_failure *failure) {
    faults found = { 0 };
    if (!faults_of(a->spectrum, &found)) return out_of_memory(failure);
    tide_status status = draw_model(a, found.left_out, to, failure);
    if (status == TIDE_OK) status = draw_left(a, found.left_out, to, failure);
    faults_free(&found);
    return status;
}

tide_status answer_plots(const answer *a, const char *folder, const char *prefix, tide_failure *failure) {
    plot_place to = { .folder = folder, .prefix = prefix, .watch = a->watch };
    tide_status status = a->spectrum ? draw_all(a, &to, failure) : TIDE_OK;
    return status == TIDE_OK ? posterior_plots(a, &to, failure) : status;
}

tide_status eis_answer_plots(const eis_answer *a, const char *folder, const char *prefix, tide_failure *failure) {
    failure_clear(failure);
    if (!a || !a->parts || !folder || !prefix)
        return fail(failure, TIDE_EINVAL, "there is no answer, no folder or no prefix for plots");
    return answer_plots(answer_of(a), folder, prefix, failure);
}

tide_status eis_answer_svg(const eis_answer *a, char **svg, tide_failure *failure) {
    failure_clear(failure);
    if (svg) *svg = NULL;
    if (!a || !a->parts || !svg) return fail(failure, TIDE_EINVAL, "there is no answer, or no place for its picture");
    const answer *of = answer_of(a);
    chart_sheet   sheet;
    chart_sheet_begin(&sheet);
    plot_place  to     = { .sheet = &sheet };
    tide_status status = of->spectrum ? draw_all(of, &to, failure) : TIDE_OK;
    if (status == TIDE_OK) status = marginal_plots(of, &to, failure);
    return chart_sheet_end(&sheet, status, svg, failure);
}
