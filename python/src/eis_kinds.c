/* The kinds of questions about spectra, and what each is asked with. */
#include <stdlib.h>
#include <string.h>

#include "eis.h"

/* ---- complete ---- */

static tide_status complete_one(const asked *a, eis_model *m, question *q, eis_listener listener, void *user) {
    const eis_spectrum *s = q->spectra ? q->spectrum : NULL;
    eis_answer         *out = &q->answer.completed;
    tide_failure       *f = &q->failure;
    tide_status         status = m ? eis_model_solve(m, a->options, 1, s, NULL, listener, user, out, f)
                                   : eis_solve(a->options, s, NULL, listener, user, out, f);
    /* A model's failure says in `row` which question it was, unless it is a point's. */
    if (m && status != TIDE_EDATA) f->row = 0;
    return status;
}

static bool complete_tell(PyObject *d, const question *q) { return tell_completed(d, &q->answer.completed); }
static tide_status complete_draw(const question *q, char **svg, tide_failure *failure) {
    return eis_answer_svg(&q->answer.completed, svg, failure);
}
static void complete_free(question *q) { eis_answer_free(&q->answer.completed); }

/* ---- check ---- */

static tide_status check_one(const asked *a, eis_model *m, question *q, eis_listener listener, void *user) {
    (void)a, (void)m, (void)listener, (void)user;
    return eis_check_spectrum(q->spectrum, &q->answer.checked, &q->failure);
}

static bool check_tell(PyObject *d, const question *q) { return tell_checked(d, &q->answer.checked); }
static tide_status check_draw(const question *q, char **svg, tide_failure *failure) {
    return eis_checked_svg(&q->answer.checked, svg, failure);
}
static void check_free(question *q) { eis_checked_free(&q->answer.checked); }

/* ---- fit ---- */

static tide_status fit_one(const asked *a, eis_model *m, question *q, eis_listener listener, void *user) {
    eis_fitted   *out = &q->answer.fitted;
    tide_failure *f = &q->failure;
    (void)m;
    return q->spectra > 1 ? eis_fit_solve_joint(a->fit, q->spectra, q->spectrum, listener, user, out, f)
                          : eis_fit_solve(a->fit, q->spectrum, listener, user, out, f);
}

static bool fit_tell(PyObject *d, const question *q) { return tell_fitted(d, &q->answer.fitted); }
static tide_status fit_draw(const question *q, char **svg, tide_failure *failure) {
    return eis_fitted_svg(&q->answer.fitted, q->spectrum, svg, failure);
}
static void fit_free(question *q) { eis_fitted_free(&q->answer.fitted); }

/* ---- drt ---- */

static tide_status drt_one(const asked *a, eis_model *m, question *q, eis_listener listener, void *user) {
    (void)m, (void)listener, (void)user;
    return eis_drt_spectrum(q->spectrum, a->options, &q->answer.relaxations, &q->failure);
}

static bool drt_tell(PyObject *d, const question *q) { return tell_relaxations(d, &q->answer.relaxations); }
static tide_status drt_draw(const question *q, char **svg, tide_failure *failure) {
    return eis_relaxations_svg(&q->answer.relaxations, svg, failure);
}
static void drt_free(question *q) { eis_relaxations_free(&q->answer.relaxations); }

const eis_kind eis_kinds[] = {
    { "complete", EIS_FOR_COMPLETE, complete_one, complete_tell, complete_draw, complete_free },
    { "check", EIS_FOR_CHECK, check_one, check_tell, check_draw, check_free },
    { "fit", EIS_FOR_FIT, fit_one, fit_tell, fit_draw, fit_free },
    { "drt", EIS_FOR_DRT, drt_one, drt_tell, drt_draw, drt_free },
    { 0 },
};

/* ---- questions ---- */

question *question_new(const eis_kind *kind, PyObject *spectra, bool flip) {
    if (!PyList_Check(spectra)) return raise_invalid("spectra: a list of lists is needed");
    Py_ssize_t count = PyList_Size(spectra);
    question  *q = calloc(1, sizeof *q);
    bool       good = q != NULL;
    if (q) {
        q->kind = kind, q->spectra = count;
        q->held = calloc((size_t)count + 1, sizeof *q->held);
        q->spectrum = calloc((size_t)count + 1, sizeof *q->spectrum);
        good = q->held && q->spectrum;
    }
    if (!good) PyErr_NoMemory();
    for (Py_ssize_t i = 0; good && i < count; i++) {
        good = spectrum_held_from(PyList_GetItem(spectra, i), flip, &q->held[i]);
        q->spectrum[i] = q->held[i].spectrum;
    }
    if (good) return q;
    question_free(q);
    return NULL;
}

void question_free(question *q) {
    if (!q) return;
    q->kind->free(q);
    for (int64_t i = 0; q->held && i < q->spectra; i++) spectrum_held_free(&q->held[i]);
    free(q->held), free(q->spectrum), free(q);
}

/* ---- options ---- */

static eis_fit_options *fit_options_new(PyObject *dictionary) {
    eis_fit_options *o = malloc(sizeof *o);
    if (!o) return (void *)PyErr_NoMemory();
    eis_fit_options_default(o);
    if (options_put(eis_fit_table(), o, dictionary, 0)) return o;
    free(o);
    return NULL;
}

bool asked_from(PyObject *dictionary, const eis_kind *kind, asked *out) {
    bool fit = kind->command == EIS_FOR_FIT;
    if (!PyDict_Check(dictionary)) return raise_invalid("options: a dictionary is needed"), false;
    if (fit) out->fit = fit_options_new(dictionary);
    else out->options = eis_options_from(dictionary, kind->command);
    return fit ? out->fit != NULL : out->options != NULL;
}

void asked_free(asked *a) {
    eis_options_free(a->options);
    free(a->fit);
}
