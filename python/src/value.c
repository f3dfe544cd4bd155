/* Value: what it is, what it holds, what it reads as. */
#include <string.h>

#include "number.h"

PyTypeObject *value_type;

PyObject *value_new(graph_object *g, tide_val v) {
    value_object *o = PyObject_GC_New(value_object, value_type);
    if (!o) return NULL;
    o->graph = (graph_object *)Py_NewRef((PyObject *)g);
    o->value = v;
    PyObject_GC_Track(o);
    return (PyObject *)o;
}

PyObject *values_new(graph_object *g, tide_list list) {
    PyObject *made = PyList_New((Py_ssize_t)list.count);
    for (int64_t i = 0; made && i < list.count; i++) {
        PyObject *item = value_new(g, list.items[i]);
        if (!item || PyList_SetItem(made, (Py_ssize_t)i, item) < 0) Py_CLEAR(made);
    }
    return made;
}

PyObject *value_result(graph_object *g, tide_val v) {
    bool good = tide_ok(v) || graph_good(g);
    graph_leave(g);
    return good ? value_new(g, v) : NULL;
}

static int value_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((value_object *)self)->graph);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void value_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF((PyObject *)((value_object *)self)->graph);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* ---- reading ---- */

static bool is_variable(const value_object *v) {
    const char *name = tide_name_of(v->value);
    return *name && tide_find_variable(v->graph->graph, name).node == v->value.node;
}

/* Without the GIL: a value that no program computed is computed now. */
static PyObject *copied(value_object *v, bool now) {
    graph_object *g = v->graph;
    array_object *a = array_new(tide_dtype_of(v->value), tide_shape_of(v->value));
    if (!a) return NULL;
    long_call   c = graph_compute(g);
    tide_status status = (now ? tide_read_now : tide_read)(v->value, a->data, array_bytes(a));
    if (graph_computed(g, &c) && !status) return (PyObject *)a;
    if (status) raise_failure(tide_error(g->graph));
    Py_DECREF(a);
    return NULL;
}

static PyObject *shared(value_object *v) {
    long_call   c = graph_compute(v->graph);
    const void *data = tide_data(v->value);
    if (!graph_computed(v->graph, &c)) return NULL;
    if (!data) return raise_failure(tide_error(v->graph->graph));
    return (PyObject *)array_borrow(tide_dtype_of(v->value), tide_shape_of(v->value), data, (PyObject *)v);
}

PyObject *value_array(value_object *v, bool now) {
    if (!graph_enter(v->graph)) return NULL;
    bool      in_place = !v->graph->own_memory && !now && is_variable(v);
    PyObject *a = tide_ok(v->value) ? in_place ? shared(v) : copied(v, now)
                : raise_invalid("the value was given back by rewind");
    (void)tide_error_take(v->graph->graph, NULL);
    graph_leave(v->graph);
    return a;
}

static int value_getbuffer(PyObject *self, Py_buffer *view, int flags) {
    view->obj = NULL;
    PyObject *a = value_array((value_object *)self, false);
    if (!a) return -1;
    int status = PyObject_GetBuffer(a, view, flags);
    Py_DECREF(a);
    return status;
}

static PyObject *value_read(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "now", NULL };
    PyObject *given[1];
    if (!arguments("read", rows, 0, args, count, names, given)) return NULL;
    int now = given[0] ? PyObject_IsTrue(given[0]) : 0;
    return now < 0 ? NULL : value_array((value_object *)self, now != 0);
}

/* A method of the array that the value reads as. */
static PyObject *through_array(PyObject *self, const char *name) {
    PyObject *a = value_array((value_object *)self, false);
    PyObject *method = a ? PyObject_GetAttrString(a, name) : NULL;
    PyObject *result = method ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(a);
    return result;
}

static PyObject *value_item(PyObject *self, PyObject *none) { return (void)none, through_array(self, "item"); }
static PyObject *value_tolist(PyObject *self, PyObject *none) { return (void)none, through_array(self, "tolist"); }

static PyObject *value_dlpack(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *a = value_array((value_object *)self, false);
    PyObject *capsule = a ? dlpack_export((array_object *)a, args, count, names) : NULL;
    Py_XDECREF(a);
    return capsule;
}

static PyObject *value_dlpack_device(PyObject *self, PyObject *none) {
    return (void)self, (void)none, Py_BuildValue("(ii)", 1, 0);
}

static PyObject *one_number(PyObject *self, PyObject *(*as)(PyObject *)) {
    PyObject *item = through_array(self, "item"), *number = item ? as(item) : NULL;
    Py_XDECREF(item);
    return number;
}
static PyObject *value_float(PyObject *self) { return one_number(self, PyNumber_Float); }
static PyObject *value_int(PyObject *self) { return one_number(self, PyNumber_Long); }
static int value_bool(PyObject *self) {
    PyObject *item = through_array(self, "item");
    int       truth = item ? PyObject_IsTrue(item) : -1;
    Py_XDECREF(item);
    return truth;
}

/* ---- writing ---- */

static PyObject *value_write(PyObject *self, PyObject *values) {
    value_object *v = (value_object *)self;
    elements      e;
    PyObject     *result = NULL;
    if (!elements_from(values, "values", &e)) return NULL;
    tide_shape shape = tide_shape_of(v->value);
    if (!elements_as(&e, "values", tide_dtype_of(v->value))) return elements_free(&e), NULL;
    if (!tide_shape_equal(shape, e.shape)) {
        raise_shape("the variable", shape, e.shape);
    } else if (graph_enter(v->graph)) {
        size_t bytes = (size_t)tide_shape_count(shape) * tide_dtype_size(e.type);
        tide_status status = tide_write(v->value, e.data, bytes);
        result = status ? raise_failure(tide_error(v->graph->graph)) : Py_NewRef(Py_None);
        (void)tide_error_take(v->graph->graph, NULL);
        graph_leave(v->graph);
    }
    elements_free(&e);
    return result;
}

/* ---- properties ---- */

static PyObject *get_shape(PyObject *self, void *none) { return (void)none,
                                                         shape_object(tide_shape_of(value_of(self))); }
static PyObject *get_dtype(PyObject *self, void *none) {
    return (void)none, PyUnicode_FromString(tide_dtype_name(tide_dtype_of(value_of(self))));
}
static PyObject *get_ndim(PyObject *self, void *none) { return (void)none,
                                                        PyLong_FromLong(tide_shape_of(value_of(self)).ndim); }
static PyObject *get_size(PyObject *self, void *none) {
    return (void)none, PyLong_FromLongLong(tide_shape_count(tide_shape_of(value_of(self))));
}
static PyObject *get_name(PyObject *self, void *none) { return (void)none,
                                                        PyUnicode_FromString(tide_name_of(value_of(self))); }
static PyObject *get_graph(PyObject *self, void *none) { return (void)none,
                                                         Py_NewRef((PyObject *)((value_object *)self)->graph); }
static PyObject *get_turned(PyObject *self, void *none) {
    value_object *v = (value_object *)self;
    int           order[TIDE_MAX_DIMS], ndim = tide_shape_of(v->value).ndim;
    (void)none;
    if (!graph_enter(v->graph)) return NULL;
    for (int i = 0; i < ndim; i++) order[i] = ndim - 1 - i;
    return value_result(v->graph, tide_permute(v->value, order));
}

static PyGetSetDef value_fields[] = {
    { "shape", get_shape, NULL, doc_Value_shape, NULL },
    { "dtype", get_dtype, NULL, doc_Value_dtype, NULL },
    { "ndim", get_ndim, NULL, doc_Value_ndim, NULL },
    { "size", get_size, NULL, doc_Value_size, NULL },
    { "name", get_name, NULL, doc_Value_name, NULL },
    { "graph", get_graph, NULL, doc_Value_graph, NULL },
    { "T", get_turned, NULL, doc_Value_T, NULL },
    { 0 },
};

static PyObject *value_repr(PyObject *self) {
    tide_val  v = value_of(self);
    if (!tide_ok(v)) return PyUnicode_FromString("<tidemill.Value given back>");
    PyObject *shape = shape_object(tide_shape_of(v)), *text = NULL;
    if (shape) text = PyUnicode_FromFormat(*tide_name_of(v) ? "<tidemill.Value %s %R '%s'>" : "<tidemill.Value %s %R>",
                                           tide_dtype_name(tide_dtype_of(v)), shape, tide_name_of(v));
    Py_XDECREF(shape);
    return text;
}

static Py_ssize_t value_length(PyObject *self) {
    tide_shape shape = tide_shape_of(value_of(self));
    if (shape.ndim) return (Py_ssize_t)shape.dim[0];
    return PyErr_SetString(PyExc_TypeError, "a value of shape () has no length"), -1;
}

static PyObject *value_iter(PyObject *self) {
    value_object *v = (value_object *)self;
    if (value_length(self) < 0 || !graph_enter(v->graph)) return NULL;
    tide_list parts = tide_unstack(v->value, 0);
    bool      good = graph_good(v->graph);
    graph_leave(v->graph);
    PyObject *list = good ? values_new(v->graph, parts) : NULL, *iterator = list ? PyObject_GetIter(list) : NULL;
    Py_XDECREF(list);
    return iterator;
}

/* By identity: == makes a value. */
static Py_hash_t value_hash(PyObject *self) {
    size_t    address = (size_t)self >> 4;
    Py_hash_t hash = (Py_hash_t)address;
    return hash == -1 ? -2 : hash;
}

static PyObject *value_reduce(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    PyErr_SetString(PyExc_TypeError, "a Value belongs to its graph and cannot be pickled; pickle value.read(), or "
                                     "graph.state_dict()");
    return NULL;
}

PyMethodDef value_own_methods[] = {
    { "read", FAST(value_read), doc_Value_read },
    { "item", value_item, METH_NOARGS, doc_Value_item },
    { "tolist", value_tolist, METH_NOARGS, doc_Value_tolist },
    { "write", value_write, METH_O, doc_Value_write },
    { "__dlpack__", FAST(value_dlpack), doc_Value_dlpack },
    { "__dlpack_device__", value_dlpack_device, METH_NOARGS, doc_Value_dlpack_device },
    { "__reduce__", value_reduce, METH_NOARGS, doc_Value_reduce },
    { 0 }
};

PyType_Slot value_slots[] = {
    { Py_tp_doc, (void *)doc_Value },
    { Py_tp_traverse, value_traverse },
    { Py_tp_dealloc, value_dealloc },
    { Py_tp_repr, value_repr },
    { Py_tp_hash, value_hash },
    { Py_tp_iter, value_iter },
    { Py_tp_getset, value_fields },
    { Py_tp_methods, NULL },  /* module.c */
    { Py_bf_getbuffer, value_getbuffer },
    { Py_mp_length, value_length },
    { Py_mp_subscript, value_index },
    { Py_nb_float, value_float },
    { Py_nb_int, value_int },
    { Py_nb_bool, value_bool },
    VALUE_OPERATORS,
    { 0 },
};
PyType_Spec value_spec = { "tidemill.Value", sizeof(value_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           value_slots };
