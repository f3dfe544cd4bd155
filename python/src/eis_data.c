/* Spectra that are read from files, made up, or those of a circuit. */
#include <stdlib.h>

#include "eis.h"

/* ---- files ---- */

/* name, freq, z, sigma or None, line or None, area_cm2 */
static PyObject *spectrum_tuple(const eis_spectrum *s) {
    return Py_BuildValue("(NNNNNd)", text_or_none(s->name), array_of(s->count, s->freq_hz),
                         complex_tuple(s->count, s->z),
                         s->sigma ? complex_tuple(s->count, s->sigma) : Py_NewRef(Py_None),
                         integers_of(s->count, s->line), s->area_cm2);
}

static PyObject *spectra_list(const eis_spectra *all) {
    PyObject *list = PyList_New(all->count);
    for (int64_t i = 0; list && i < all->count; i++) {
        PyObject *one = spectrum_tuple(&all->spectrum[i]);
        if (!one || PyList_SetItem(list, i, one) < 0) Py_CLEAR(list);
    }
    return list ? Py_BuildValue("(NN)", list, text_or_none(all->notes)) : NULL;
}

METHOD(eis_read_file) {
    static const char *const rows[] = { "path", "options", NULL };
    PyObject    *given[2];
    const char  *path;
    eis_spectra  all = { 0 };
    tide_failure failure;
    (void)self;
    if (!arguments("read", rows, 2, args, count, names, given) || !text_from(given[0], "path", &path)) return NULL;
    eis_options *o = eis_options_from(given[1], EIS_FOR_CONVERT);
    if (!o) return NULL;
    long_call   c = long_call_begin();
    tide_status status = eis_spectra_read(path, o, &all, &failure);
    bool        good = long_call_end(&c);
    eis_options_free(o);
    PyObject *told = good && !status ? spectra_list(&all) : NULL;
    eis_spectra_free(&all);
    return good && status ? raise_failure(&failure) : told;
}

/* ---- made up ---- */

METHOD(eis_simulate_points) {
    static const char *const rows[] = { "options", "freq", NULL };
    PyObject    *given[2], *list = NULL;
    elements     freq;
    tide_failure failure;
    (void)self;
    if (!arguments("simulate", rows, 2, args, count, names, given)) return NULL;
    if (!numbers_from(given[1], "freq", &freq)) return NULL;
    eis_options *o = eis_options_from(given[0], EIS_FOR_SIMULATE);
    int64_t      points = freq.shape.dim[0];
    eis_z       *z = o ? malloc((size_t)points * sizeof *z + 1) : NULL;
    if (o && !z) PyErr_NoMemory();
    else if (o && eis_simulate_at(o, points, freq.data, z, &failure)) raise_failure(&failure);
    else if (o) list = complex_list(points, z);
    free(z);
    eis_options_free(o);
    elements_free(&freq);
    return list;
}

/* ---- of a circuit ---- */

METHOD(eis_circuit_points) {
    static const char *const rows[] = { "circuit", "values", "freq", NULL };
    PyObject    *given[3], *told = NULL;
    const char  *circuit;
    elements     values, freq;
    tide_failure failure;
    (void)self;
    if (!arguments("impedance", rows, 3, args, count, names, given) || !text_from(given[0], "circuit", &circuit) ||
        !numbers_from(given[1], "values", &values))
        return NULL;
    if (!numbers_from(given[2], "freq", &freq)) return elements_free(&values), NULL;
    int64_t points = freq.shape.dim[0];
    eis_z  *z = malloc((size_t)points * sizeof *z + 1);
    if (!z) PyErr_NoMemory();
    else if (eis_circuit_impedance(circuit, values.shape.dim[0], values.data, points, freq.data, z, &failure))
        raise_failure(&failure);
    else told = complex_tuple(points, z);
    free(z);
    elements_free(&freq), elements_free(&values);
    return told;
}
