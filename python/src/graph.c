/* Graph: its lock, its errors, and what of it no table says. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

PyTypeObject *graph_type;

/* ---- the lock ---- */

/* The graph that runs on this thread and has called a user's function. */
static _Thread_local const graph_object *running;

const graph_object *graph_running(const graph_object *g) {
    const graph_object *before = running;
    return running = g, before;
}

static bool refuse(void) {
    return raise_invalid("the graph is running: what its run or compile calls may not use it"), false;
}

bool graph_enter(graph_object *g) {
    unsigned long me = PyThread_get_thread_ident();
    if (running == g) return refuse();
    if (PyThread_acquire_lock(g->lock, NOWAIT_LOCK) != PY_LOCK_ACQUIRED) {
        if (__atomic_load_n(&g->owner, __ATOMIC_RELAXED) == me && g->depth > 0)
            return g->computing ? refuse() : (g->depth++, true);
        PyThreadState *state = PyEval_SaveThread();
        PyThread_acquire_lock(g->lock, WAIT_LOCK);
        PyEval_RestoreThread(state);
    }
    __atomic_store_n(&g->owner, me, __ATOMIC_RELAXED);
    g->depth = 1;
    return true;
}

void graph_leave(graph_object *g) {
    if (--g->depth) return;
    __atomic_store_n(&g->owner, 0, __ATOMIC_RELAXED);
    PyThread_release_lock(g->lock);
}

bool graph_enter_quietly(graph_object *g) {
    PyObject *type, *exception, *trace;
    PyErr_Fetch(&type, &exception, &trace);
    bool entered = graph_enter(g);
    PyErr_Restore(type, exception, trace);
    return entered;
}

long_call graph_compute(graph_object *g) {
    g->computing = true;
    return long_call_begin();
}

bool graph_computed(graph_object *g, long_call *c) {
    bool good = long_call_end(c);
    g->computing = false;
    if (!g->pending) return good;
    PyObject *exception = g->pending;
    g->pending = NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
    return false;
}

bool graph_good(graph_object *g) {
    if (PyErr_Occurred()) return (void)tide_error_take(g->graph, NULL), false;
    tide_failure failure;
    if (!tide_error_take(g->graph, &failure)) return true;
    return raise_failure(&failure), false;
}

/* ---- made and freed ---- */

static bool made_options(PyObject *args, PyObject *named, tide_graph_options *o, PyObject **dtype) {
    static char *names[] = { "device", "threads", "seed", "memory_limit", "cut", "dtype", NULL };
    long long    limit = 0;
    PyObject    *seed = NULL;
    *o = (tide_graph_options){ .device = "cpu" };
    *dtype = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, named, "|z$iOLiO:Graph", names, &o->device, &o->threads, &seed, &limit,
                                     &o->cut,
                                     dtype))
        return false;
    o->seed = seed ? PyLong_AsUnsignedLongLong(seed) : 0, o->memory_limit = limit;
    return !PyErr_Occurred();
}

static PyObject *graph_make(PyTypeObject *type, PyObject *args, PyObject *named) {
    tide_graph_options options;
    PyObject          *dtype;
    tide_dtype         number = TIDE_F32;
    tide_device        device;
    if (!made_options(args, named, &options, &dtype) || (dtype && !dtype_from(dtype, &number))) return NULL;
    graph_object *g = PyObject_GC_New(graph_object, type);
    if (!g) return NULL;
    g->lock = PyThread_allocate_lock();
    g->graph = tide_graph_new_with(&options);
    g->inputs = PyDict_New(), g->kept = PyList_New(0), g->pending = NULL;
    g->owner = 0, g->depth = 0, g->computing = false;
    PyObject_GC_Track(g);
    if (!g->lock || !g->graph || !g->inputs || !g->kept) {
        Py_DECREF(g);
        return PyErr_NoMemory();
    }
    g->own_memory = tide_device_info(options.device, &device, NULL) == TIDE_OK && device.own_memory;
    if (dtype) tide_default_type_set(g->graph, number);
    if (!graph_good(g)) Py_CLEAR(g);
    return (PyObject *)g;
}

static int graph_traverse(PyObject *self, visitproc visit, void *arg) {
    graph_object *g = (graph_object *)self;
    Py_VISIT(g->inputs);
    Py_VISIT(g->kept);
    Py_VISIT(g->pending);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int graph_clear(PyObject *self) {
    graph_object *g = (graph_object *)self;
    Py_CLEAR(g->inputs);
    Py_CLEAR(g->kept);
    Py_CLEAR(g->pending);
    return 0;
}

static void graph_dealloc(PyObject *self) {
    graph_object *g = (graph_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    tide_graph_free(g->graph);  /* before what its operations call */
    graph_clear(self);
    if (g->lock) PyThread_free_lock(g->lock);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *graph_repr(PyObject *self) {
    const tide_graph *g = ((graph_object *)self)->graph;
    return PyUnicode_FromFormat("<tidemill.Graph on %s, %s>", tide_graph_device(g),
                                tide_dtype_name(tide_default_type(g)));
}

/* ---- properties ---- */

static tide_graph *of(PyObject *self) { return ((graph_object *)self)->graph; }

static PyObject *get_device(PyObject *self, void *none) { return (void)none,
                                                          PyUnicode_FromString(tide_graph_device(of(self))); }
static PyObject *get_threads(PyObject *self, void *none) { return (void)none,
                                                           PyLong_FromLong(tide_graph_threads(of(self))); }
static PyObject *get_numerics(PyObject *self, void *none) { return (void)none,
                                                            PyLong_FromLong(tide_numerics(of(self))); }
static PyObject *get_dtype(PyObject *self, void *none) {
    return (void)none, PyUnicode_FromString(tide_dtype_name(tide_default_type(of(self))));
}

/* Of a setter's call: what it set is good, or why not. */
static int set_end(PyObject *self) {
    bool good = graph_good((graph_object *)self);
    graph_leave((graph_object *)self);
    return good ? 0 : -1;
}

static int set_numerics(PyObject *self, PyObject *value, void *none) {
    int64_t version;
    (void)none;
    if (!value) return raise_invalid("numerics cannot be deleted"), -1;
    if (!integer_from(value, "numerics", &version) || !graph_enter((graph_object *)self)) return -1;
    tide_numerics_set(of(self), version == (int)version ? (int)version : -1);
    return set_end(self);
}

static int set_dtype(PyObject *self, PyObject *value, void *none) {
    tide_dtype type;
    (void)none;
    if (!value) return raise_invalid("dtype cannot be deleted"), -1;
    if (!dtype_from(value, &type) || !graph_enter((graph_object *)self)) return -1;
    tide_default_type_set(of(self), type);
    return set_end(self);
}

static PyGetSetDef graph_fields[] = {
    { "device", get_device, NULL, doc_Graph_device, NULL },
    { "threads", get_threads, NULL, doc_Graph_threads, NULL },
    { "dtype", get_dtype, set_dtype, doc_Graph_dtype, NULL },
    { "numerics", get_numerics, set_numerics, doc_Graph_numerics, NULL },
    { 0 },
};

/* ---- methods that are called by name alone ---- */

typedef PyObject *method(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);

/* constant(values, dtype=None): the floats of lists are of the graph's type, their integers I32. */
static bool constant_from(graph_object *g, const char *name, PyObject *o, const tide_dtype *type, tide_val *out) {
    elements e;
    if (!elements_from(o, name, &e)) return false;
    tide_dtype wanted = type ? *type : e.typed || e.type == TIDE_BOOL ? e.type
                      : e.type == TIDE_F64 ? tide_default_type(g->graph) : TIDE_I32;
    bool good = elements_as(&e, name, wanted);
    if (good) *out = tide_constant(g->graph, e.type, e.shape, e.data);
    elements_free(&e);
    return good && (tide_ok(*out) || graph_good(g));
}

static bool number_from(graph_object *g, const char *name, PyObject *o, tide_val *out) {
    double x = PyFloat_AsDouble(o);
    if (PyErr_Occurred()) return PyErr_Clear(), raise_invalid("%s: the number is too large", name), false;
    if (PyLong_Check(o) && (x >= 0x1p53 || x <= -0x1p53))
        return raise_invalid("%s: integers beyond 2^53 are not numbers here; make a constant of dtype i64", name),
            false;
    *out = tide_scalar(g->graph, x);
    return tide_ok(*out) || graph_good(g);
}

/* What has elements but no axes (numpy's scalars) is a number, as Python's own are. */
static PyObject *plain_number(PyObject *o) {
    Py_buffer  view;
    tide_dtype type;
    if (Py_TYPE(o) == array_type || !PyObject_CheckBuffer(o) || PyObject_GetBuffer(o, &view, PyBUF_RECORDS_RO) < 0)
        return PyErr_Clear(), NULL;
    bool known = view.ndim == 0 && dtype_of_format(view.format, (size_t)view.itemsize, &type);
    PyObject *number = known ? element_get(type, view.buf) : NULL;
    PyBuffer_Release(&view);
    return number;
}

bool value_from(graph_object *g, const char *name, PyObject *o, const tide_dtype *type, tide_val *out) {
    if (is_value(o)) return *out = value_of(o), true;
    if (PyBool_Check(o)) return *out = tide_scalar_of(g->graph, TIDE_BOOL, o == Py_True), tide_ok(*out) ||
        graph_good(g);
    if (PyFloat_Check(o) || PyLong_Check(o)) return number_from(g, name, o, out);
    PyObject *number = plain_number(o);
    if (number || PyErr_Occurred()) {
        bool good = number && value_from(g, name, number, type, out);
        return Py_XDECREF(number), good;
    }
    return constant_from(g, name, o, PyList_Check(o) || PyTuple_Check(o) ? type : NULL, out);
}

bool index_from(graph_object *g, const char *name, PyObject *o, tide_val *out) {
    const tide_dtype type = TIDE_I32;
    if (is_value(o)) return *out = value_of(o), true;
    return constant_from(g, name, o, &type, out);
}

static PyObject *graph_constant(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "values", "dtype", NULL };
    graph_object *g = (graph_object *)self;
    PyObject     *given[2];
    tide_dtype    type;
    tide_val      v;
    if (!arguments("constant", rows, 1, args, count, names, given)) return NULL;
    bool typed = given[1] && given[1] != Py_None;
    if ((typed && !dtype_from(given[1], &type)) || !graph_enter(g)) return NULL;
    bool good = constant_from(g, "values", given[0], typed ? &type : NULL, &v);
    graph_leave(g);
    return good ? value_new(g, v) : NULL;
}

static PyObject *graph_scalar(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "value", "dtype", NULL };
    graph_object *g = (graph_object *)self;
    PyObject     *given[2];
    tide_dtype    type;
    tide_val      v;
    if (!arguments("scalar", rows, 1, args, count, names, given)) return NULL;
    bool typed = given[1] && given[1] != Py_None;
    double x = PyFloat_AsDouble(given[0]);
    if (PyErr_Occurred() || (typed && !dtype_from(given[1], &type)) || !graph_enter(g)) return NULL;
    if (typed) v = tide_scalar_of(g->graph, type, x);
    else if (!number_from(g, "value", given[0], &v)) return graph_leave(g), NULL;
    return value_result(g, v);
}

/* variable(name, initial, dtype=None, trainable=True) */
static PyObject *graph_variable(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "name", "initial", "dtype", "trainable", NULL };
    graph_object *g = (graph_object *)self;
    PyObject     *given[4];
    tide_dtype    type;
    tide_val      v;
    if (!arguments("variable", rows, 2, args, count, names, given)) return NULL;
    const char *name;
    bool typed = given[2] && given[2] != Py_None;
    int  trained = given[3] ? PyObject_IsTrue(given[3]) : 1;
    if (!text_from(given[0], "name", &name) || trained < 0 || (typed && !dtype_from(given[2], &type)) ||
        !graph_enter(g)) return NULL;
    bool number = PyFloat_Check(given[1]) || (PyLong_Check(given[1]) && !PyBool_Check(given[1]));
    if (number && !typed) type = tide_default_type(g->graph);
    bool good = is_value(given[1]) ? (v = value_of(given[1]), true)
              : constant_from(g, "initial", given[1], typed || number ? &type : NULL, &v);
    if (!good) return graph_leave(g), NULL;
    v = tide_variable(g->graph, name, v);
    if (tide_ok(v) && trained) tide_mark_param(v);
    return value_result(g, v);
}

/* input(name, dtype, shape) */
static PyObject *graph_input(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const arg rows[] = { { "name", ARG_TEXT, false, 0, NULL }, { "shape", ARG_SHAPE, false, 0, NULL },
                                { "dtype", ARG_DTYPE, true, -1, NULL } };
    graph_object *g = (graph_object *)self;
    call          c;
    if (!call_begin(&c, "input", rows, 3, g, NULL, args, count, names)) return NULL;
    tide_dtype type = (int)c.given[2].type < 0 ? tide_default_type(g->graph) : c.given[2].type;
    tide_val   v = tide_input(g->graph, c.given[0].text, type, c.given[1].shape);
    PyObject  *made = call_value(&c, v);
    if (made && PyDict_SetItemString(g->inputs, tide_name_of(v), made) < 0) Py_CLEAR(made);
    return made;
}

static PyObject *graph_find_variable(PyObject *self, PyObject *name) {
    graph_object *g = (graph_object *)self;
    const char   *text;
    if (!text_from(name, "name", &text) || !graph_enter(g)) return NULL;
    tide_val v = tide_find_variable(g->graph, text);
    graph_leave(g);
    return tide_ok(v) ? value_new(g, v) : Py_NewRef(Py_None);
}

static PyObject *graph_mark(PyObject *self, PyObject *none) {
    graph_object *g = (graph_object *)self;
    (void)none;
    if (!graph_enter(g)) return NULL;
    int64_t mark = tide_graph_mark(g->graph);
    bool    good = graph_good(g);
    graph_leave(g);
    return good ? PyLong_FromLongLong(mark) : NULL;
}

static PyObject *graph_rewind(PyObject *self, PyObject *mark) {
    graph_object *g = (graph_object *)self;
    int64_t       to;
    if (!integer_from(mark, "mark", &to) || !graph_enter(g)) return NULL;
    tide_status status = tide_graph_rewind(g->graph, to);
    if (status) raise_failure(tide_error(g->graph));
    (void)tide_error_take(g->graph, NULL);
    graph_leave(g);
    return status ? NULL : Py_NewRef(Py_None);
}

PyMethodDef graph_own_methods[] = {
    { "constant", FAST(graph_constant), doc_Graph_constant },
    { "scalar", FAST(graph_scalar), doc_Graph_scalar },
    { "variable", FAST(graph_variable), doc_Graph_variable },
    { "input", FAST(graph_input), doc_Graph_input },
    { "find_variable", graph_find_variable, METH_O, doc_Graph_find_variable },
    { "mark", graph_mark, METH_NOARGS, doc_Graph_mark },
    { "rewind", graph_rewind, METH_O, doc_Graph_rewind },
    { "scope", graph_scope, METH_O, doc_Graph_scope },
    { "recompute", graph_recompute, METH_NOARGS, doc_Graph_recompute },
    { "compile", FAST(graph_compile), doc_Graph_compile },
    { "custom", FAST(graph_custom), doc_Graph_custom },
    { "snapshot", FAST(graph_snapshot), doc_Graph_snapshot },
    { "state_dict", FAST(graph_state_dict), doc_Graph_state_dict },
    { "load_state_dict", FAST(graph_load_state_dict), doc_Graph_load_state_dict },
    { "save", FAST(graph_save), doc_Graph_save },
    { "load", FAST(graph_load), doc_Graph_load },
    { 0 }
};

static PyType_Slot graph_slots[] = {
    { Py_tp_doc, (void *)doc_Graph },
    { Py_tp_new, graph_make },
    { Py_tp_traverse, graph_traverse },
    { Py_tp_clear, graph_clear },
    { Py_tp_dealloc, graph_dealloc },
    { Py_tp_repr, graph_repr },
    { Py_tp_getset, graph_fields },
    { Py_tp_methods, NULL },  /* module.c */
    { 0 },
};
PyType_Spec graph_spec = { "tidemill.Graph", sizeof(graph_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, graph_slots };
