/* Structs of the library as dictionaries of Python's. */
#include <string.h>

#include "eis.h"

const char *const verdict_words[] = { "open", "adequate", "systematic", "beyond", "noisy" };

PyObject *text_or_none(const char *text) {
    return text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace") : Py_NewRef(Py_None);
}

PyObject *owned_text(char *text) {
    PyObject *out = text ? text_or_none(text) : PyErr_NoMemory();
    tide_free(text);
    return out;
}

PyObject *texts(int64_t count, const char *const *text) {
    PyObject *t = PyTuple_New(count);
    for (int64_t i = 0; t && i < count; i++) {
        PyObject *one = text_or_none(text[i]);
        if (!one || PyTuple_SetItem(t, i, one) < 0) Py_CLEAR(t);
    }
    return t;
}

/* None where there is nothing. */
static PyObject *copy_of(tide_dtype type, tide_shape shape, const void *v) {
    if (!v) return Py_NewRef(Py_None);
    array_object *out = array_new(type, shape);
    if (out) memcpy(out->data, v, array_bytes(out));
    return (PyObject *)out;
}

PyObject *array_of(int64_t count, const double *v) {
    return copy_of(TIDE_F64, (tide_shape){ .ndim = 1, .dim = { count } }, v);
}

PyObject *integers_of(int64_t count, const int64_t *v) {
    return copy_of(TIDE_I64, (tide_shape){ .ndim = 1, .dim = { count } }, v);
}

PyObject *matrix_of(int64_t rows, int64_t columns, const double *v) {
    return copy_of(TIDE_F64, (tide_shape){ .ndim = 2, .dim = { rows, columns } }, v);
}

PyObject *complex_tuple(int64_t count, const eis_z *z) {
    PyObject *t = PyTuple_New(count);
    for (int64_t i = 0; t && i < count; i++) {
        PyObject *one = PyComplex_FromDoubles(z[i].re, z[i].im);
        if (!one || PyTuple_SetItem(t, i, one) < 0) Py_CLEAR(t);
    }
    return t;
}

bool put(PyObject *d, const char *key, PyObject *value) {
    bool good = value && PyDict_SetItemString(d, key, value) == 0;
    Py_XDECREF(value);
    return good;
}

static const char *word_of(const field *f, const void *at) {
    int value;
    memcpy(&value, at, sizeof value);
    return f->words ? f->words[value] : eis_noise_source_name((eis_noise_source)value);
}

static PyObject *field_object(const field *f, const void *record) {
    const void *at = (const char *)record + f->at;
    switch (f->kind) {
    case FIELD_DOUBLE: return PyFloat_FromDouble(*(const double *)at);
    case FIELD_INT64: return PyLong_FromLongLong(*(const int64_t *)at);
    case FIELD_TRUTH: return PyBool_FromLong(*(const bool *)at);
    case FIELD_TEXT: return text_or_none(*(const char *const *)at);
    default: return text_or_none(word_of(f, at));
    }
}

bool put_fields(PyObject *d, const field *rows, const void *record) {
    bool good = true;
    for (; good && rows->name; rows++) good = put(d, rows->name, field_object(rows, record));
    return good;
}

PyObject *records(const field *rows, int64_t count, size_t size, const void *array) {
    PyObject *t = PyTuple_New(count);
    for (int64_t i = 0; t && i < count; i++) {
        PyObject *one = PyDict_New();
        bool      good = one && put_fields(one, rows, (const char *)array + (size_t)i * size);
        if (!good) Py_CLEAR(one);
        if (!one || PyTuple_SetItem(t, i, one) < 0) Py_CLEAR(t);
    }
    return t;
}
