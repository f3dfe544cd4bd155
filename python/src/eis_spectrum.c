/* Spectra of Python's: complex arrays of any library, or lists of complex numbers. */
#include <stdlib.h>
#include <string.h>

#include "eis.h"

static void *points_room(Py_ssize_t count) {
    void *memory = malloc(count > 0 ? (size_t)count * sizeof(eis_z) : 1);
    return memory ? memory : PyErr_NoMemory();
}

static bool refuse_real(const char *name) {
    raise_invalid("%s: complex numbers are needed, re + 1j * im; these have no imaginary part", name);
    return false;
}

/* numpy's formats, and those of Python's own arrays from 3.14 on; 0: no complex numbers. */
static size_t complex_size(const char *format) {
    static const struct { const char *format; size_t size; } all[] = { { "Zd", 16 }, { "Zf", 8 }, { "D", 16 },
                                                                       { "F", 8 } };
    for (int i = 0; format && i < 4; i++)
        if (!strcmp(format, all[i].format)) return all[i].size;
    return 0;
}

static bool one_axis(const char *name, int axes) {
    if (axes == 1) return true;
    raise_invalid("%s: an array of one axis is needed, a point each; this one has %d", name, axes);
    return false;
}

/* *taken: it was a buffer of complex numbers, or one that is refused. */
static bool of_buffer(PyObject *o, const char *name, bool *taken, eis_z **out, int64_t *count) {
    Py_buffer v;
    *taken = false;
    if (!PyObject_CheckBuffer(o)) return true;
    if (PyObject_GetBuffer(o, &v, PyBUF_RECORDS_RO) < 0) return PyErr_Clear(), true;
    size_t size = complex_size(v.format);
    bool   good = one_axis(name, v.ndim) && (size || refuse_real(name));
    *taken = true;
    if (good && (*out = points_room(v.shape[0]))) {
        *count = v.shape[0];
        good = PyBuffer_ToContiguous(*out, &v, v.len, 'C') == 0;
        /* From the end: no number is written over before it is read. */
        for (int64_t i = *count - 1; size == 8 && i >= 0; i--) {
            float parts[2];
            memcpy(parts, (char *)*out + (size_t)i * size, sizeof parts);
            (*out)[i] = (eis_z){ (double)parts[0], (double)parts[1] };
        }
    } else good = false;
    PyBuffer_Release(&v);
    return good;
}

static bool number_from(PyObject *o, const char *name, eis_z *out) {
    if (PyComplex_CheckExact(o)) return *out = (eis_z){ PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o) }, true;
    PyObject *z = PyUnicode_Check(o) ? NULL : PyObject_CallFunctionObjArgs((PyObject *)&PyComplex_Type, o, NULL);
    if (z) *out = (eis_z){ PyComplex_RealAsDouble(z), PyComplex_ImagAsDouble(z) };
    else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Clear(), raise_invalid("%s: a list of complex numbers, or an array of them, is needed", name);
    Py_XDECREF(z);
    return z != NULL;
}

static bool of_items(PyObject *o, const char *name, eis_z **out, int64_t *count) {
    PyObject *list = PyUnicode_Check(o) ? NULL : PySequence_List(o);
    bool      real = list && PyList_Size(list) > 0;
    if (!list) return PyErr_Clear(),
                      raise_invalid("%s: a list of complex numbers, or an array of them, is needed", name), false;
    *count = PyList_Size(list), *out = points_room(PyList_Size(list));
    bool good = *out != NULL;
    for (int64_t i = 0; good && i < *count; i++) {
        PyObject *item = PyList_GetItem(list, i);
        real = real && (PyFloat_Check(item) || PyLong_Check(item));
        good = number_from(item, name, &(*out)[i]);
    }
    Py_DECREF(list);
    return good && (!real || refuse_real(name));
}

static bool complex_from(PyObject *o, const char *name, eis_z **out, int64_t *count) {
    bool taken;
    return of_buffer(o, name, &taken, out, count) && (taken || of_items(o, name, out, count));
}

static bool same_count(const char *name, int64_t count, int64_t points) {
    if (count == points) return true;
    raise_invalid("%s: there are %lld for %lld frequencies", name, (long long)count, (long long)points);
    return false;
}

/* Real ones are for both parts. */
static bool sigma_from(PyObject *o, const char *name, int64_t points, eis_z **out) {
    elements e;
    int64_t  count;
    if (!elements_from(o, name, &e)) {
        if (!PyErr_ExceptionMatches(errors.invalid)) return false;
        PyErr_Clear();
        return complex_from(o, name, out, &count) && same_count(name, count, points);
    }
    bool good = elements_as(&e, name, TIDE_F64) && one_axis(name, e.shape.ndim) &&
                same_count(name, e.shape.dim[0], points) && (*out = points_room(points));
    for (int64_t i = 0; good && i < points; i++) {
        double both = ((const double *)e.data)[i];
        (*out)[i] = (eis_z){ both, both };
    }
    elements_free(&e);
    return good;
}

/* "z of well A1": what is wrong is wrong with this one of many. */
enum { LABEL = 160 };
static const char *label(char out[LABEL], const char *what, const eis_spectrum *s) {
    PyOS_snprintf(out, LABEL, "%s of %s", what, s->name);
    return out;
}

bool numbers_from(PyObject *o, const char *name, elements *out) {
    if (!elements_from(o, name, out)) return false;
    if (elements_as(out, name, TIDE_F64) && one_axis(name, out->shape.ndim)) return true;
    elements_free(out);
    return false;
}

static bool freq_from(PyObject *o, spectrum_held *out) {
    char name[LABEL];
    if (!numbers_from(o, label(name, "freq", &out->spectrum), &out->freq)) return false;
    out->spectrum.count = out->freq.shape.dim[0], out->spectrum.freq_hz = (double *)out->freq.data;
    return true;
}

/* Where in its file each point stood. */
static bool line_from(PyObject *o, const char *name, spectrum_held *out) {
    if (!elements_from(o, name, &out->line)) return false;
    if (!elements_as(&out->line, name, TIDE_I64) || !one_axis(name, out->line.shape.ndim) ||
        !same_count(name, out->line.shape.dim[0], out->spectrum.count))
        return false;
    out->spectrum.line = out->line.data;
    return true;
}

bool spectrum_held_from(PyObject *tuple, bool flip, spectrum_held *out) {
    PyObject *freq, *z, *sigma, *name, *line;
    char      called[LABEL];
    int64_t   count = 0;
    eis_spectrum *s = &out->spectrum;
    if (!PyArg_ParseTuple(tuple, "OOOOdO", &freq, &z, &sigma, &name, &s->area_cm2, &line)) return false;
    if (!text_from(name, "name", &s->name)) return false;
    out->name = Py_NewRef(name);
    if (!freq_from(freq, out) || !complex_from(z, label(called, "z", s), &out->z, &count) ||
        !same_count(called, count, s->count))
        return false;
    s->z = out->z;
    for (int64_t i = 0; flip && i < count; i++) s->z[i].im = -s->z[i].im;
    if (sigma != Py_None && !sigma_from(sigma, label(called, "sigma", s), s->count, &out->sigma)) return false;
    s->sigma = out->sigma;
    return line == Py_None || line_from(line, label(called, "line", s), out);
}

void spectrum_held_free(spectrum_held *s) {
    elements_free(&s->freq), elements_free(&s->line);
    free(s->z), free(s->sigma);
    Py_CLEAR(s->name);
}

PyObject *complex_list(int64_t count, const eis_z *z) {
    PyObject *list = PyList_New(count);
    for (int64_t i = 0; list && i < count; i++) {
        PyObject *one = PyComplex_FromDoubles(z[i].re, z[i].im);
        if (!one || PyList_SetItem(list, i, one) < 0) Py_CLEAR(list);
    }
    return list;
}
