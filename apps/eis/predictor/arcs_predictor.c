/* Features, the network, quantiles: a thread has programs of its own, made when it first asks. */
#include "arcs_answer.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/sha256.h"
#include "points.h"
#include "range.h"

#define TWO_PI 6.283185307179586476925286766559

struct arcs_predictor {
    int threads;
    predictor *of[]; /* by thread; NULL: not made yet */
};

/* ---- opening ---- */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the predictor");
}

static tide_status refuse_other(const char *path, const predictor *p, tide_failure *failure) {
    eis_recipe recipe = predictor_model(p)->config.recipe;
    if (recipe == EIS_RECIPE_CELL) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, path, 0, "model",
                   "%s is a predictor of the recipe %s, which answers `eis complete`: fits begin, and `screen` "
                   "answers, by one that was trained with `recipe` cell",
                   path, recipe_kinds[recipe].name);
}

tide_status arcs_predictor_open(const char *path, const predictor_settings *s, int threads, arcs_predictor **out,
                                tide_failure *failure) {
    predictor_settings alone = *s;
    arcs_predictor *p = *out = calloc(1, sizeof *p + (size_t)threads * sizeof *p->of);
    if (!p) return no_memory(failure);
    p->threads = threads, alone.threads = 1;
    tide_status status = predictor_open(path, &alone, &p->of[0], failure);
    if (status == TIDE_OK) status = refuse_other(path, p->of[0], failure);
    if (status == TIDE_OK) return TIDE_OK;
    arcs_predictor_free(p);
    *out = NULL;
    return status;
}

void arcs_predictor_free(arcs_predictor *p) {
    for (int i = 0; p && i < p->threads; i++) predictor_free(p->of[i]);
    free(p);
}

tide_status arcs_predictor_digest(const arcs_predictor *p, char hex[65], tide_failure *failure) {
    void *bytes;
    size_t size;
    sha256 h;
    tide_status status = predictor_write_memory(p->of[0], &bytes, &size, failure);
    if (status != TIDE_OK) return status;
    sha256_begin(&h);
    sha256_add(&h, bytes, size);
    sha256_end(&h, hex);
    free(bytes);
    return TIDE_OK;
}

/* ---- an answer ---- */

fit_guess arcs_guess_of(const double p[ARCS_COUNT], double omega_low) {
    return (fit_guess){ .r_ohm = { p[ARC_R1], p[ARC_R2] },
                        .tau_s = { p[ARC_TAU1], p[ARC_TAU2] },
                        .n = { p[ARC_N1], p[ARC_N2] },
                        .rs_ohm = p[ARC_RS],
                        .electrode_n = p[ARC_NEL],
                        .electrode_q = 1 / (p[ARC_EL] * pow(omega_low, p[ARC_NEL])),
                        .l_henry = p[ARC_L] };
}

void arcs_answer_of(const spectrum_model *m, const arcs_fit *fit, const float *probability, double low_hz,
                    arcs_answer *out) {
    static const double shares[3] = { 0.025, 0.5, 0.975 };
    arcs_view view = arcs_view_of(fit);
    double start[ARCS_GUESSES + 1][ARCS_COUNT], at[3];
    for (int q = 0; q < QUANTITIES_CELL; q++) {
        for (int k = 0; k < 3; k++)
            at[k] = arcs_value(q, spectrum_model_quantile(m, q, probability + q * BINS_LAB, shares[k]), &view);
        out->of[q] = (eis_interval){ at[0], at[1], at[2] };
    }
    arcs_guesses(fit, start);
    for (int k = 0; k < ARCS_COUNT; k++) start[ARCS_GUESSES][k] = out->of[CELL_ARCS + k].median;
    out->noise = fit->noise, out->starts.count = ARCS_GUESSES + 1;
    for (int i = 0; i <= ARCS_GUESSES; i++) out->starts.of[i] = arcs_guess_of(start[i], TWO_PI * low_hz);
}
_Static_assert((int)ARCS_GUESSES < (int)GUESSES_MOST, "more starts than a fit takes");

static tide_status own_of(arcs_predictor *p, int thread, predictor **out, tide_failure *failure) {
    tide_status status = p->of[thread] ? TIDE_OK : predictor_clone(p->of[0], &p->of[thread], failure);
    *out = p->of[thread];
    return status;
}

tide_status arcs_predict(arcs_predictor *p, int thread, const eis_spectrum *s, arcs_answer *out,
                         tide_failure *failure) {
    spectrum_points points;
    float raw[ARCS_WIDTH], probability[QUANTITIES_CELL * BINS_LAB];
    arcs_fit fit;
    predictor *own;
    tide_status status = own_of(p, thread, &own, failure);
    if (status == TIDE_OK) status = spectrum_take(s, 0, &points, failure);
    if (status != TIDE_OK) return status;
    arcs_features(points.count, points.freq_hz, points.z, raw, &fit);
    status = predictor_screen(own, 1, raw, probability, failure);
    if (status != TIDE_OK) return status;
    const spectrum_model *m = predictor_model(own);
    arcs_answer_of(m, &fit, probability, points.freq_hz[points.count - 1], out);
    out->decades = log10(points.freq_hz[0] / points.freq_hz[points.count - 1]);
    training_range_check_cell(m, s->count, out->decades, fit.noise, raw, &out->range);
    return TIDE_OK;
}

tide_status arcs_predict_starts(arcs_predictor *p, int thread, const eis_spectrum *s, fit_guessed *out,
                                tide_failure *failure) {
    arcs_answer a;
    out->count = 0;
    tide_status status = p ? arcs_predict(p, thread, s, &a, failure) : TIDE_OK;
    if (p && status == TIDE_OK) *out = a.starts;
    return status;
}
