/* Variables to files and back: safetensors by path or in memory, and as dictionaries of arrays. */
#include <string.h>

#include "binding.h"

/* The variables whose names start with the keyword's text; moments and counters too, unless params is true. */
static const arg rows_of_state[] = { { "prefix", ARG_TEXT, true, 0, NULL }, { "params", ARG_BOOL, true, 0, NULL } };

static tide_list chosen(const graph_object *g, const slot *prefix, const slot *params) {
    const char *text = prefix->text ? prefix->text : "";
    return params->truth ? tide_params(g->graph, text) : tide_state(g->graph, text);
}

/* state_dict(prefix="", params=False) -> {name: Array}: copies. */
PyObject *graph_state_dict(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    graph_object *g = (graph_object *)self;
    call          c;
    if (!call_begin(&c, "state_dict", rows_of_state, 2, g, NULL, args, count, names)) return NULL;
    tide_list list = chosen(g, &c.given[0], &c.given[1]);
    PyObject *values = call_values(&c, list), *out = values ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0, n = values ? PyList_Size(values) : 0; out && i < n; i++) {
        PyObject *v = PyList_GetItem(values, i), *seen = value_array((value_object *)v, false);
        PyObject *copy = seen ? PyObject_CallFunctionObjArgs((PyObject *)array_type, seen, NULL) : NULL;
        if (!copy || PyDict_SetItemString(out, tide_name_of(value_of(v)), copy) < 0) Py_CLEAR(out);
        Py_XDECREF(copy), Py_XDECREF(seen);
    }
    Py_XDECREF(values);
    return out;
}

static bool add_array(tide_archive *a, PyObject *name, PyObject *data) {
    elements    e;
    const char *text;
    if (!text_from(name, "names of arrays", &text) || !elements_from(data, text, &e)) return false;
    tide_status status = tide_archive_add(a, text, e.type, e.shape, e.data);
    if (status == TIDE_ENOMEM) PyErr_NoMemory();
    else if (status) raise_invalid("%s: the array was refused", text);
    elements_free(&e);
    return !status;
}

/* Arrays of floats as the variables they are for: numpy's are often wider. */
static bool fit_types(tide_archive *a, tide_list list) {
    for (int64_t i = 0; i < list.count; i++) {
        const tide_tensor *t = tide_archive_find(a, tide_name_of(list.items[i]));
        tide_dtype         type = tide_dtype_of(list.items[i]);
        if (!t || t->type == type) continue;
        elements e = { .type = t->type, .shape = t->shape, .data = t->data };
        if (!elements_as(&e, t->name, type)) return false;
        tide_tensor *own = &a->tensors[t - a->tensors];
        tide_free(own->data);
        own->data = e.memory, own->type = type;
    }
    return true;
}

PyObject *graph_load_state_dict(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "state", "prefix", "params", NULL };
    graph_object *g = (graph_object *)self;
    PyObject     *given[3], *key, *data;
    tide_archive  a = { 0 };
    call          c;
    if (!arguments("load_state_dict", rows, 1, args, count, names, given)) return NULL;
    if (!PyDict_Check(given[0])) return raise_invalid("state: a dictionary of arrays by name is needed");
    bool good = true;
    for (Py_ssize_t at = 0; good && PyDict_Next(given[0], &at, &key, &data);) {
        Py_INCREF(key), Py_INCREF(data);
        good = add_array(&a, key, data);
        Py_DECREF(key), Py_DECREF(data);
    }
    PyObject *rest[] = { given[1] ? given[1] : PyUnicode_FromString(""), given[2] ? given[2] : Py_False };
    if (good && rest[0] && call_begin(&c, "load_state_dict", rows_of_state, 2, g, NULL, rest, 2, NULL)) {
        tide_failure failure;
        tide_list    list = chosen(g, &c.given[0], &c.given[1]);
        if (fit_types(&a, list) && tide_load_archive(list, &a, &failure)) raise_failure(&failure);
        good = call_end(&c);
    } else good = false;
    if (!given[1]) Py_XDECREF(rest[0]);
    tide_archive_free(&a);
    return good ? Py_NewRef(Py_None) : NULL;
}

static const arg rows_of_path[] = { { "path", ARG_TEXT, false, 0, NULL },
                                    { "prefix", ARG_TEXT, true, 0, NULL },
                                    { "params", ARG_BOOL, true, 0, NULL } };

/* Text of a str or an os.PathLike. */
static PyObject *path_text(PyObject *o) {
    PyObject *path = PyOS_FSPath(o), *text = path;
    if (path && PyBytes_Check(path)) {
        text = PyUnicode_DecodeFSDefault(PyBytes_AsString(path));
        Py_DECREF(path);
    }
    return text;
}

typedef tide_status transfer(tide_list variables, const char *path, tide_failure *failure);

static PyObject *with_file(PyObject *self, const char *name, transfer *move, PyObject *const *args, Py_ssize_t count,
                           PyObject *names) {
    static const char *const rows[] = { "path", "prefix", "params", NULL };
    graph_object *g = (graph_object *)self;
    PyObject     *given[3], *path, *empty = NULL;
    call          c;
    bool          good = false;
    if (!arguments(name, rows, 1, args, count, names, given) || !(path = path_text(given[0]))) return NULL;
    PyObject *rest[] = { path, given[1] ? given[1] : (empty = PyUnicode_FromString("")), given[2] ? given[2]
                         : Py_False };
    if (rest[1] && call_begin(&c, name, rows_of_path, 3, g, NULL, rest, 3, NULL)) {
        tide_failure failure;
        tide_list    list = chosen(g, &c.given[1], &c.given[2]);
        long_call    l = long_call_begin();
        tide_status  status = move(list, c.given[0].text, &failure);
        long_call_hold(&l);
        if (status) raise_failure(&failure);
        good = call_end(&c);
    }
    Py_XDECREF(empty);
    Py_DECREF(path);
    return good ? Py_NewRef(Py_None) : NULL;
}

PyObject *graph_save(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    return with_file(self, "save", tide_save, args, count, names);
}

PyObject *graph_load(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    return with_file(self, "load", tide_load, args, count, names);
}
