/* Structs of the library as types: their fields, calling and making one. */
#include <string.h>

#include "binding.h"

static PyObject *record_new(graph_object *g, record_type *type, const void *bytes) {
    record_object *o = PyObject_GC_New(record_object, type->type);
    if (!o) return NULL;
    o->graph = (graph_object *)Py_NewRef((PyObject *)g);
    memcpy(o->bytes, bytes, type->bytes);
    PyObject_GC_Track(o);
    return (PyObject *)o;
}

PyObject *call_record(call *c, record_type *type, const void *bytes) {
    return call_end(c) ? record_new(c->graph, type, bytes) : NULL;
}

int record_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((record_object *)self)->graph);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

void record_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF((PyObject *)((record_object *)self)->graph);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

PyObject *record_get(PyObject *self, void *closure) {
    const record_field *field = closure;
    graph_object       *g = ((record_object *)self)->graph;
    const char         *at = ((record_object *)self)->bytes + field->offset;
    tide_val            v;
    tide_list           list;
    int64_t             integer;
    double              real;
    switch (field->kind) {
    case FIELD_VALUE:
        memcpy(&v, at, sizeof v);
        return v.graph ? value_new(g, v) : Py_NewRef(Py_None);
    case FIELD_VALUES: memcpy(&list, at, sizeof list); return values_new(g, list);
    case FIELD_INT: memcpy(&integer, at, sizeof integer); return PyLong_FromLongLong(integer);
    case FIELD_REAL: memcpy(&real, at, sizeof real); return PyFloat_FromDouble(real);
    case FIELD_BOOL: return PyBool_FromLong(*at);
    default: return record_new(g, field->record, at);
    }
}

/* "weight=<...>", "bias=<...>", ...: what the struct holds. */
static PyObject *fields_text(PyObject *self) {
    PyObject *list = PyList_New(0);
    for (const PyGetSetDef *f = PyType_GetSlot(Py_TYPE(self), Py_tp_getset); list && f->name; f++) {
        PyObject *value = record_get(self, f->closure);
        PyObject *text = value ? PyUnicode_FromFormat("%s=%R", f->name, value) : NULL;
        if (!text || PyList_Append(list, text) < 0) Py_CLEAR(list);
        Py_XDECREF(value), Py_XDECREF(text);
    }
    PyObject *comma = list ? PyUnicode_FromString(", ") : NULL, *joined = comma ? PyUnicode_Join(comma, list) : NULL;
    Py_XDECREF(comma), Py_XDECREF(list);
    return joined;
}

PyObject *record_repr(PyObject *self) {
    PyObject *name = PyType_GetName(Py_TYPE(self)), *fields = fields_text(self);
    PyObject *text = name && fields ? PyUnicode_FromFormat("%U(%U)", name, fields) : NULL;
    Py_XDECREF(name), Py_XDECREF(fields);
    return text;
}

static record_type *record_of(PyTypeObject *type) {
    for (int i = 0; i < generated_record_count; i++)
        if (generated_records[i].type == type) return &generated_records[i];
    return NULL;
}

/* A tuple and a dictionary, as tp_call has them, for a function of METH_FASTCALL. */
static PyObject *fast(fast_call function, PyObject *self, PyObject *args, PyObject *named) {
    PyObject  *items[MOST_ARGS], *key, *value, *names = NULL, *result = NULL;
    Py_ssize_t count = PyTuple_Size(args), keywords = named ? PyDict_Size(named) : 0, at = 0;
    if (count + keywords > MOST_ARGS) return PyErr_Format(PyExc_TypeError, "%zd arguments are too many",
                                                          count + keywords);
    for (Py_ssize_t i = 0; i < count; i++) items[i] = PyTuple_GetItem(args, i);
    if (keywords && !(names = PyTuple_New(keywords))) return NULL;
    for (Py_ssize_t i = 0; i < keywords && PyDict_Next(named, &at, &key, &value); i++) {
        items[count + i] = value;
        if (PyTuple_SetItem(names, i, Py_NewRef(key)) < 0) goto done;
    }
    result = function(self, items, count, names);
done:
    Py_XDECREF(names);
    return result;
}

PyObject *record_make(PyTypeObject *type, PyObject *args, PyObject *named) {
    return fast(record_of(type)->make, NULL, args, named);
}

PyObject *record_call(PyObject *self, PyObject *args, PyObject *named) {
    return fast(record_of(Py_TYPE(self))->call, self, args, named);
}
