/* An answer of impedance as Python's objects. */
#include <stddef.h>
#include <string.h>

#include "eis.h"

/* Word `index` of an option's choices. */
static PyObject *word_of(const char *option, int index) {
    const char *word = eis_option_find(option)->choices;
    for (; index > 0 && word; index--) word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL;
    return word ? PyUnicode_FromStringAndSize(word, (Py_ssize_t)strcspn(word, "|")) : PyUnicode_FromString("");
}

static PyObject *numbers(int64_t count, const double *v) {
    PyObject *t = PyTuple_New(count);
    for (int64_t i = 0; t && i < count; i++) {
        PyObject *one = PyFloat_FromDouble(v[i]);
        if (!one || PyTuple_SetItem(t, i, one) < 0) Py_CLEAR(t);
    }
    return t;
}

/* `width` doubles, `offset` bytes into each sample. */
static PyObject *of_samples(const eis_answer *a, size_t offset, int width) {
    tide_shape    shape = { .ndim = width > 1 ? 2 : 1, .dim = { a->samples, width } };
    array_object *out = array_new(TIDE_F64, shape);
    for (int64_t i = 0; out && i < a->samples; i++)
        memcpy((double *)out->data + i * width, (const char *)&a->sample[i] + offset, (size_t)width * sizeof(double));
    return (PyObject *)out;
}

static PyObject *candidates(const eis_answer *a) {
    PyObject *t = PyTuple_New(a->candidates);
    for (int64_t i = 0; t && i < a->candidates; i++) {
        const eis_candidate *c = &a->candidate[i];
        PyObject *one = Py_BuildValue("(Ndd(iiiii))", numbers(EIS_WITH_RS, c->p), c->probability, c->resnorm,
                                      c->index[0], c->index[1], c->index[2], c->index[3], c->index[4]);
        if (!one || PyTuple_SetItem(t, i, one) < 0) Py_CLEAR(t);
    }
    return t;
}

static PyObject *quantities(const eis_answer *a) {
    PyObject *t = PyTuple_New(EIS_QUANTITIES);
    for (int i = 0; t && i < EIS_QUANTITIES; i++) {
        bool      parameter = i < EIS_COUNT;
        PyObject *known = parameter && a->known.is[i] ? PyFloat_FromDouble(a->known.value[i]) : Py_NewRef(Py_None);
        PyObject *one = Py_BuildValue("(dddNOz)", a->of[i].low, a->of[i].median, a->of[i].high, known,
                                      parameter && !a->identifiable[i] ? Py_False : Py_True,
                                      i < EIS_WITH_RS ? a->limit[i] : NULL);
        if (!one || PyTuple_SetItem(t, i, one) < 0) Py_CLEAR(t);
    }
    return t;
}

static PyObject *real(double v) { return PyFloat_FromDouble(v); }

static bool put_question(PyObject *d, const eis_answer *a) {
    return put(d, "name", text_or_none(a->name)) && put(d, "circuit", word_of("circuit", (int)a->circuit)) &&
           put(d, "method", word_of("method", (int)a->method)) && put(d, "rs_free", PyBool_FromLong(a->rs_free)) &&
           put(d, "canonical", PyBool_FromLong(a->canonical)) && put(d, "area_cm2", real(a->area_cm2));
}

static bool put_distribution(PyObject *d, const eis_answer *a) {
    return put(d, "quantities", quantities(a)) &&
           put(d, "marginals", matrix_of(EIS_COUNT, EIS_CELLS, a->marginal[0])) &&
           put(d, "candidates", candidates(a)) &&
           put(d, "draws", of_samples(a, offsetof(eis_sample, p), EIS_WITH_RS)) &&
           put(d, "weights", of_samples(a, offsetof(eis_sample, weight), 1)) &&
           put(d, "log_density", of_samples(a, offsetof(eis_sample, log_density), 1)) &&
           put(d, "entropy_nats", real(a->entropy_nats)) && put(d, "max_probability", real(a->max_probability)) &&
           put(d, "top5_mass", real(a->top5_mass)) && put(d, "best", numbers(EIS_WITH_RS, a->best));
}

static bool put_quality(PyObject *d, const eis_answer *a) {
    return put(d, "rs_ohm", real(a->rs_ohm)) && put(d, "noise", real(a->noise)) &&
           put(d, "noise_source", text_or_none(eis_noise_source_name(a->noise_source))) &&
           put(d, "effective_samples", real(a->effective_samples)) && put(d, "disagreement", real(a->disagreement)) &&
           put(d, "one_relaxation_log_odds", real(a->one_relaxation_log_odds)) &&
           put(d, "reduced_chi2", real(a->reduced_chi2)) && put(d, "resnorm", real(a->resnorm)) &&
           put(d, "verdict", text_or_none(verdict_words[a->verdict])) && put(d, "share", array_of(a->points, a->share));
}

static bool put_words(PyObject *d, const eis_answer *a) {
    return put(d, "notes", texts(a->notes, a->note)) && put(d, "warnings", texts(a->warnings, a->warning)) &&
           put(d, "json", owned_text(eis_answer_json(a))) && put(d, "text", owned_text(eis_answer_text(a)));
}

bool tell_completed(PyObject *d, const eis_answer *a) {
    return put_question(d, a) && put_distribution(d, a) && put_quality(d, a) && put_words(d, a);
}
