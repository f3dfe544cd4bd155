/* Python functions inside a program: tide_custom, with arrays that outlive the call. */
#include <string.h>

#include "binding.h"

typedef struct operand { tide_dtype type; tide_shape shape; } operand;
typedef struct custom {
    graph_object *graph;            /* which keeps this */
    PyObject     *run, *derivative;
    tide_dtype    type;
    tide_shape    shape;
    int64_t       count;
    operand       inputs[];
} custom;

static void custom_drop(PyObject *capsule) { PyMem_Free(PyCapsule_GetPointer(capsule, NULL)); }

static PyObject *arrays_of(const custom *c, const void *const *inputs) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)c->count);
    for (int64_t i = 0; tuple && i < c->count; i++) {
        array_object *a = array_new(c->inputs[i].type, c->inputs[i].shape);
        if (a) memcpy(a->data, inputs[i], array_bytes(a));
        if (!a || PyTuple_SetItem(tuple, (Py_ssize_t)i, (PyObject *)a) < 0) Py_CLEAR(tuple);
    }
    return tuple;
}

static bool result_into(const custom *c, PyObject *result, void *output) {
    elements e;
    if (!elements_from(result, "custom", &e)) return false;
    bool good = elements_as(&e, "custom", c->type);
    if (good && !tide_shape_equal(e.shape, c->shape)) good = raise_shape("custom: the result", c->shape, e.shape);
    if (good) memcpy(output, e.data, (size_t)tide_shape_count(c->shape) * tide_dtype_size(c->type));
    elements_free(&e);
    return good;
}

/* The first exception of a run is kept until it has ended. */
static void keep_exception(graph_object *g) {
    PyObject *type, *exception, *trace;
    PyErr_Fetch(&type, &exception, &trace);
    PyErr_NormalizeException(&type, &exception, &trace);
    if (trace) PyException_SetTraceback(exception, trace);
    Py_XDECREF(type), Py_XDECREF(trace);
    if (g->pending) Py_XDECREF(exception);
    else g->pending = exception;
}

static void custom_run(void *user, const void *const *inputs, void *output) {
    const custom    *c = user;
    PyGILState_STATE state = PyGILState_Ensure();
    const graph_object *before = graph_running(c->graph);
    PyObject *arrays = arrays_of(c, inputs), *result = arrays ? PyObject_CallObject(c->run, arrays) : NULL;
    if (!result || !result_into(c, result, output)) {
        keep_exception(c->graph);
        memset(output, 0, (size_t)tide_shape_count(c->shape) * tide_dtype_size(c->type));
    }
    Py_XDECREF(result);
    Py_XDECREF(arrays);
    graph_running(before);
    PyGILState_Release(state);
}

static bool derivatives_into(const custom *c, PyObject *result, tide_val *dx) {
    if (!PySequence_Check(result) || PySequence_Size(result) != c->count)
        return PyErr_Clear(), raise_invalid("custom: its derivative must return a list of %lld values",
                                            (long long)c->count), false;
    for (int64_t i = 0; i < c->count; i++) {
        PyObject *item = PySequence_GetItem(result, (Py_ssize_t)i);
        bool mine = item && is_value(item) && ((value_object *)item)->graph == c->graph;
        if (mine) dx[i] = value_of(item);
        else if (item && item != Py_None)
            raise_invalid("custom: item %lld of its derivative is no value of this graph", (long long)i);
        Py_XDECREF(item);
        if (PyErr_Occurred()) return false;
    }
    return true;
}

/* Called while the graph is built, by grad(): with the GIL and the lock. */
static void custom_derivative(void *user, tide_list inputs, tide_val output, tide_val dy, tide_val *dx) {
    const custom *c = user;
    for (int64_t i = 0; i < c->count; i++) dx[i] = (tide_val){ output.graph, -1, 0 };
    if (PyErr_Occurred()) return;
    PyObject *in = values_new(c->graph, inputs), *out = value_new(c->graph, output), *d = value_new(c->graph, dy);
    PyObject *result = in && out && d ? PyObject_CallFunctionObjArgs(c->derivative, in, out, d, NULL) : NULL;
    if (result) derivatives_into(c, result, dx);
    Py_XDECREF(result), Py_XDECREF(d), Py_XDECREF(out), Py_XDECREF(in);
}

static custom *custom_new(graph_object *g, PyObject *run, PyObject *derivative, const call *said) {
    tide_list inputs = said->given[0].list;
    custom   *c = PyMem_Calloc(1, sizeof *c + (size_t)inputs.count * sizeof *c->inputs);
    if (!c) return PyErr_NoMemory(), NULL;
    c->graph = g, c->run = run, c->derivative = derivative, c->count = inputs.count;
    c->shape = said->given[1].shape;
    c->type = (int)said->given[2].type < 0 ? tide_default_type(g->graph) : said->given[2].type;
    for (int64_t i = 0; i < inputs.count; i++)
        c->inputs[i] = (operand){ tide_dtype_of(inputs.items[i]), tide_shape_of(inputs.items[i]) };
    PyObject *capsule = PyCapsule_New(c, NULL, custom_drop);
    if (!capsule) return PyMem_Free(c), NULL;
    bool kept = PyList_Append(g->kept, capsule) == 0 && PyList_Append(g->kept, run) == 0 &&
                (!derivative || PyList_Append(g->kept, derivative) == 0);
    Py_DECREF(capsule);
    return kept ? c : NULL;
}

METHOD(graph_custom) {
    static const char *const rows[] = { "run", "inputs", "shape", "dtype", "derivative", "name", NULL };
    static const arg table[] = { { "inputs", ARG_VALUES, false, 0, NULL }, { "shape", ARG_SHAPE, false, 0, NULL },
                                 { "dtype", ARG_DTYPE, true, -1, NULL }, { "name", ARG_TEXT, true, 0, NULL } };
    graph_object *g = (graph_object *)self;
    PyObject     *given[6], *rest[4], *keywords = NULL;
    call          c;
    if (!arguments("custom", rows, 3, args, count, names, given)) return NULL;
    bool differs = given[4] && given[4] != Py_None;
    if (!PyCallable_Check(given[0]) || (differs && !PyCallable_Check(given[4])))
        return raise_invalid("custom: run and derivative are functions");
    Py_ssize_t n = 0;
    rest[n++] = given[1], rest[n++] = given[2];
    if (given[3] && given[3] != Py_None) rest[n++] = given[3];
    if (given[5]) rest[n] = given[5], keywords = Py_BuildValue("(s)", "name");
    bool begun = (!given[5] || keywords) && call_begin(&c, "custom", table, 4, g, NULL, rest, n, keywords);
    Py_XDECREF(keywords);
    if (!begun) return NULL;
    custom *made = custom_new(g, given[0], differs ? given[4] : NULL, &c);
    tide_custom_op op = { c.given[3].text ? c.given[3].text : "custom", custom_run, differs ? custom_derivative
                          : NULL, made };
    tide_val v = { g->graph, -1, 0 };
    if (made) v = tide_custom(g->graph, &op, c.given[0].list, made->type, made->shape);
    return call_value(&c, v);
}
