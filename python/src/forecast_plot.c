/* Pictures of forecasts, as the library draws them. */
#include <stdio.h>

#include "forecast.h"

/* In the order of the tuple's items. */
enum { TITLE, NAME, TIME, PAST, FORECAST, TRUTH, LEVELS, BANDS, LAST_VALUE, SEASONAL, LINEAR, MODEL, ITEMS };

typedef struct picture {
    forecast_plot plot;
    elements      held[ITEMS];
    bool          holds[ITEMS];
} picture;

static void picture_free(picture *p) {
    for (int i = 0; i < ITEMS; i++)
        if (p->holds[i]) elements_free(&p->held[i]);
}

/* NULL with *good: None is given. */
static const void *array_of(picture *p, PyObject *tuple, int item, tide_dtype type, bool *good) {
    static const char *const names[ITEMS] = { "title", "name", "time", "past", "forecast", "truth", "levels", "bands",
                                              "last_value", "seasonal_naive", "linear", "model" };
    PyObject *o = PyTuple_GetItem(tuple, item);
    if (!*good || o == Py_None) return NULL;
    p->holds[item] = *good = elements_from(o, names[item], &p->held[item]);
    *good = *good && elements_as(&p->held[item], names[item], type);
    return *good ? p->held[item].data : NULL;
}

static int64_t count_of(const picture *p, int item) {
    return p->holds[item] ? tide_shape_count(p->held[item].shape) : 0;
}

static bool fits(const picture *p, int item, int64_t count) {
    if (!p->holds[item] || count_of(p, item) == count) return true;
    return raise_invalid("a picture's arrays do not belong together: %lld numbers, not %lld",
                         (long long)count_of(p, item), (long long)count), false;
}

static bool read_arrays(picture *p, PyObject *tuple) {
    forecast_plot *f = &p->plot;
    bool           good = true;
    f->time_s   = array_of(p, tuple, TIME, TIDE_I64, &good);
    f->past     = array_of(p, tuple, PAST, TIDE_F64, &good);
    f->forecast = array_of(p, tuple, FORECAST, TIDE_F64, &good);
    f->truth    = array_of(p, tuple, TRUTH, TIDE_F64, &good);
    f->levels   = array_of(p, tuple, LEVELS, TIDE_F64, &good);
    f->bands    = array_of(p, tuple, BANDS, TIDE_F64, &good);
    for (int i = 0; i < 3; i++) f->baselines[i] = array_of(p, tuple, LAST_VALUE + i, TIDE_F64, &good);
    if (!good) return false;
    f->past_rows = count_of(p, PAST), f->rows = count_of(p, FORECAST), f->level_count = count_of(p, LEVELS);
    for (int i = 0; i < 3; i++) good = good && fits(p, LAST_VALUE + i, f->rows);
    return good && fits(p, TIME, f->past_rows + f->rows) && fits(p, TRUTH, f->rows) &&
           fits(p, BANDS, f->rows * f->level_count * 2);
}

static bool read_picture(picture *p, PyObject *tuple) {
    if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) != ITEMS)
        return raise_invalid("plots: tuples of %d are needed", ITEMS), false;
    PyObject *title = PyTuple_GetItem(tuple, TITLE), *name = PyTuple_GetItem(tuple, NAME);
    PyObject *model = PyTuple_GetItem(tuple, MODEL);
    if (title != Py_None && !text_from(title, "title", &p->plot.title)) return false;
    if (name != Py_None && !text_from(name, "name", &p->plot.name)) return false;
    if (model != Py_None && Py_TYPE(model) != model_type) return raise_invalid("model: a model is needed"), false;
    p->plot.model = model == Py_None ? NULL : model_of(model);
    return read_arrays(p, tuple);
}

static PyObject *draw(const picture *pictures, Py_ssize_t count) {
    char          *svg;
    tide_failure   failure;
    forecast_plot *plots = PyMem_Malloc((size_t)(count + 1) * sizeof *plots);
    if (!plots) return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count; i++) plots[i] = pictures[i].plot;
    tide_status status = forecast_plot_svg(plots, count, &svg, &failure);
    PyMem_Free(plots);
    if (status) return raise_failure(&failure);
    PyObject *text = PyUnicode_FromString(svg);
    tide_free(svg);
    return text;
}

PyObject *forecast_plots(PyObject *module, PyObject *list) {
    (void)module;
    if (!PyList_Check(list)) return raise_invalid("plots: a list is needed");
    Py_ssize_t count = PyList_Size(list);
    picture   *pictures = PyMem_Calloc((size_t)count + 1, sizeof *pictures);
    bool       good = pictures || (PyErr_NoMemory(), false);
    for (Py_ssize_t i = 0; good && i < count; i++) good = read_picture(&pictures[i], PyList_GetItem(list, i));
    PyObject *text = good ? draw(pictures, count) : NULL;
    for (Py_ssize_t i = 0; pictures && i < count; i++) picture_free(&pictures[i]);
    PyMem_Free(pictures);
    return text;
}
