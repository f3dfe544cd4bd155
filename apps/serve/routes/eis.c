/* The routes of impedance: what each takes, and how a spectrum is answered. */
#include "eis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/json.h"
#include "serve/fields/numbers.h"

#define S eis_in
enum { MOST_SPECTRA = 1024, DIGITS = 10 };

const option_door eis_complete_door = { eis_table, EIS_FOR_COMPLETE, "Machine" };
const option_door eis_check_door    = { eis_table, EIS_FOR_CHECK, "Machine" };
const option_door eis_drt_door      = { eis_table, EIS_FOR_DRT, "Machine" };
const option_door eis_fit_door      = { eis_fit_table, 0, NULL };
const option_door eis_fit_reading   = { eis_table, EIS_FOR_FIT, "Machine" };

#define ROWS_OF_SPECTRA                                                                                                \
    { "spectrum", FIELD_RECORD, offsetof(S, spectrum), .help = "the spectrum", .of = &spectrum_record },               \
    { "spectra", FIELD_RECORDS, offsetof(S, spectra), .of = &spectrum_record, .most = MOST_SPECTRA,                    \
      .help = "several, each answered for itself: the answer is a list, `answers`" }
#define ROW_OPTIONS(which)                                                                                             \
    { "options", FIELD_OPTIONS, offsetof(S, options), .help = "as the command has them", .door = &which }

static const field complete_rows[] = {
    ROWS_OF_SPECTRA,
    { "known", FIELD_VALUES, offsetof(S, known),
      .help = "known values of Rsh, Ra, Rb, Ca, Cb: {\"Rsh\": 460, \"Ca\": \"3.7uF\"}, or \"Rsh=460,Ca=3.7uF\"" },
    { "model", FIELD_TEXT, offsetof(S, model), .help = "a trained predictor, by its id: method network" },
    { "curve", FIELD_BOOL, offsetof(S, curve), .help = "add the impedance of the best circuit, `curve`" },
    { "draws", FIELD_BOOL, offsetof(S, draws), .help = "add the draws of the posterior, `draws`" },
    ROW_OPTIONS(eis_complete_door),
};
static const field check_rows[] = { ROWS_OF_SPECTRA, ROW_OPTIONS(eis_check_door) };
static const field drt_rows[]   = { ROWS_OF_SPECTRA, ROW_OPTIONS(eis_drt_door) };
static const field fit_rows[]   = { ROWS_OF_SPECTRA, ROW_OPTIONS(eis_fit_door) };
#define RECORD(name, help, rows) { name, help, rows, sizeof rows / sizeof *rows, sizeof(S) }
const record eis_complete_record = RECORD("EisComplete", "What is asked of a spectrum, or of known values.",
                                          complete_rows);
const record eis_check_record    = RECORD("EisCheck", "Spectra to be checked.", check_rows);
const record eis_drt_record      = RECORD("EisDrt", "Spectra whose relaxation times are sought.", drt_rows);
const record eis_fit_record      = RECORD("EisFit", "Spectra, and the circuit to fit.", fit_rows);

/* ---- complete ---- */

/* The object of `json` goes on: what follows is added before its last brace. */
static void add_open(text *out, const char *json) {
    const char *last = strrchr(json, '}');
    text_add(out, "%.*s", (int)(last - json), json);
}

static void add_curve(text *out, const eis_answer *a, const eis_spectrum *s) {
    eis_z *z = malloc((size_t)s->count * sizeof *z);
    if (!z) {
        out->failed = true;
        return;
    }
    eis_impedance(a->circuit, a->best, a->best[EIS_RS], s->count, s->freq_hz, z);
    eis_spectrum curve = { .count = s->count, .freq_hz = s->freq_hz, .z = z };
    text_add(out, ",\"curve\":{");
    eis_spectrum_print(&curve, DIGITS, out);
    text_add(out, "}");
    free(z);
}

static void add_draws(text *out, const eis_answer *a) {
    const int64_t stride = (int64_t)(sizeof *a->sample / sizeof(double));
    text_add(out, ",\"draws\":{");
    for (int k = 0; k < EIS_WITH_RS; k++) {
        text_add(out, "\"%s\":", k == EIS_RS ? "Rs" : eis_parameters[k].name);
        numbers_print(out, a->samples ? &a->sample->p[k] : NULL, a->samples, stride, DIGITS);
        text_add(out, ",");
    }
    text_add(out, "\"weight\":");
    numbers_print(out, a->samples ? &a->sample->weight : NULL, a->samples, stride, DIGITS);
    text_add(out, "}");
}

static tide_status solve(eis_task *t, int thread, const eis_spectrum *s, eis_answer *a, tide_failure *failure) {
    if (!t->model) return eis_solve(&t->options, s, NULL, eis_task_stop, t, a, failure);
    eis_model *m = model_eis(t->model, thread, failure);
    if (!m) return failure->status;
    return eis_model_solve(m, &t->options, 1, s, NULL, eis_task_stop, t, a, failure);
}

static tide_status complete(eis_task *t, int thread, const eis_spectrum *s, text *out, tide_failure *failure) {
    eis_answer  a      = { 0 };
    tide_status status = solve(t, thread, s, &a, failure);
    char       *json   = status == TIDE_OK ? eis_answer_json(&a) : NULL;
    if (json) {
        add_open(out, json);
        if (t->in.curve && s) add_curve(out, &a, s);
        if (t->in.draws) add_draws(out, &a);
        text_add(out, "}");
    } else if (status == TIDE_OK) status = fail(failure, TIDE_ENOMEM, "out of memory for the answer");
    tide_free(json);
    eis_answer_free(&a);
    return status;
}
const eis_kind eis_complete_kind = { &eis_complete_record, &eis_complete_door, &eis_complete_door, false, true,
                                     complete };

/* ---- check, drt, fit ---- */

static tide_status put(char *json, text *out, tide_failure *failure) {
    if (!json) return fail(failure, TIDE_ENOMEM, "out of memory for the answer");
    text_add(out, "%s", json);
    tide_free(json);
    return TIDE_OK;
}

static tide_status check(eis_task *t, int thread, const eis_spectrum *s, text *out, tide_failure *failure) {
    eis_checked c = { 0 };
    (void)t, (void)thread;
    tide_status status = eis_check_spectrum(s, &c, failure);
    if (status == TIDE_OK) status = put(eis_checked_json(&c), out, failure);
    eis_checked_free(&c);
    return status;
}
const eis_kind eis_check_kind = { &eis_check_record, &eis_check_door, &eis_check_door, true, false, check };

static tide_status drt(eis_task *t, int thread, const eis_spectrum *s, text *out, tide_failure *failure) {
    eis_relaxations r = { 0 };
    (void)thread;
    tide_status status = eis_drt_spectrum(s, &t->options, &r, failure);
    if (status == TIDE_OK) status = put(eis_relaxations_json(&r), out, failure);
    eis_relaxations_free(&r);
    return status;
}
const eis_kind eis_drt_kind = { &eis_drt_record, &eis_drt_door, &eis_drt_door, true, false, drt };

static tide_status fit(eis_task *t, int thread, const eis_spectrum *s, text *out, tide_failure *failure) {
    eis_fitted f = { 0 };
    (void)thread;
    if (*t->fit.same)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "same", "`same` is for a job: several spectra in one fit");
    tide_status status = eis_fit_solve(&t->fit, s, eis_task_stop, t, &f, failure);
    if (status == TIDE_OK) status = put(eis_fitted_json(&f), out, failure);
    eis_fitted_free(&f);
    return status;
}
const eis_kind eis_fit_kind = { &eis_fit_record, &eis_fit_door, &eis_fit_reading, true, false, fit };

void route_eis_complete(void *user, http_request *r) { eis_task_begin(&eis_complete_kind, user, r); }
void route_eis_check(void *user, http_request *r) { eis_task_begin(&eis_check_kind, user, r); }
void route_eis_drt(void *user, http_request *r) { eis_task_begin(&eis_drt_kind, user, r); }
void route_eis_fit(void *user, http_request *r) { eis_task_begin(&eis_fit_kind, user, r); }
