/* Arrays in the host's memory, on their way out of the library and into it. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

PyTypeObject *array_type;

/* ---- out ---- */

static array_object *array_empty(tide_dtype type, tide_shape shape) {
    array_object *a = PyObject_New(array_object, array_type);
    if (!a) return NULL;
    a->type = type, a->shape = shape, a->data = NULL, a->owner = NULL;
    Py_ssize_t stride = (Py_ssize_t)tide_dtype_size(type);
    for (int i = shape.ndim - 1; i >= 0; i--) {
        a->sizes[i] = (Py_ssize_t)shape.dim[i], a->strides[i] = stride;
        stride *= shape.dim[i] > 0 ? (Py_ssize_t)shape.dim[i] : 1;
    }
    return a;
}

size_t array_bytes(const array_object *a) { return (size_t)tide_shape_count(a->shape) * tide_dtype_size(a->type); }

array_object *array_new(tide_dtype type, tide_shape shape) {
    array_object *a = array_empty(type, shape);
    if (!a) return NULL;
    size_t bytes = (array_bytes(a) + 63) / 64 * 64;
    a->data = aligned_alloc(64, bytes ? bytes : 64);
    if (a->data) return a;
    Py_DECREF(a);
    return (array_object *)PyErr_NoMemory();
}

array_object *array_borrow(tide_dtype type, tide_shape shape, const void *data, PyObject *owner) {
    array_object *a = array_empty(type, shape);
    if (a) a->data = (void *)data, a->owner = Py_NewRef(owner);
    return a;
}

static void array_dealloc(PyObject *self) {
    array_object *a = (array_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (!a->owner) free(a->data);
    Py_XDECREF(a->owner);
    PyObject_Free(self);
    Py_DECREF(type);
}

static int array_getbuffer(PyObject *self, Py_buffer *view, int flags) {
    array_object *a = (array_object *)self;
    const char   *format = dtype_format(a->type);
    view->obj = NULL;
    if (!format) return PyErr_SetString(PyExc_BufferError, "bf16 has no buffer format: cast to f32, or use DLPack"), -1;
    if ((flags & PyBUF_WRITABLE) && a->owner)
        return PyErr_SetString(PyExc_BufferError, "a variable's memory is read only here: use its write()"), -1;
    *view = (Py_buffer){ .buf = a->data, .obj = Py_NewRef(self), .len = (Py_ssize_t)array_bytes(a),
                         .itemsize = (Py_ssize_t)tide_dtype_size(a->type), .readonly = a->owner != NULL,
                         .ndim = a->shape.ndim, .format = flags & PyBUF_FORMAT ? (char *)format : NULL,
                         .shape = flags & PyBUF_ND ? a->sizes : NULL,
                         .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? a->strides : NULL };
    return 0;
}

static PyObject *shape_tuple(const tide_shape *shape) {
    PyObject *t = PyTuple_New(shape->ndim);
    for (int i = 0; t && i < shape->ndim; i++) {
        PyObject *size = PyLong_FromLongLong(shape->dim[i]);
        if (!size || PyTuple_SetItem(t, i, size) < 0) Py_CLEAR(t);
    }
    return t;
}

PyObject *shape_object(tide_shape shape) { return shape_tuple(&shape); }

static PyObject *array_shape(PyObject *self, void *nothing) {
    return (void)nothing, shape_tuple(&((array_object *)self)->shape);
}
static PyObject *array_dtype(PyObject *self, void *nothing) {
    return (void)nothing, PyUnicode_FromString(tide_dtype_name(((array_object *)self)->type));
}
static PyObject *array_ndim(PyObject *self, void *nothing) {
    return (void)nothing, PyLong_FromLong(((array_object *)self)->shape.ndim);
}
static PyObject *array_size(PyObject *self, void *nothing) {
    return (void)nothing, PyLong_FromLongLong(tide_shape_count(((array_object *)self)->shape));
}
static PyObject *array_nbytes(PyObject *self, void *nothing) {
    return (void)nothing, PyLong_FromSize_t(array_bytes((array_object *)self));
}

/* Nested lists of the axes from `axis` on; at axis ndim a number. */
static PyObject *nested(const array_object *a, int axis, const char *at) {
    if (axis == a->shape.ndim) return element_get(a->type, at);
    PyObject *list = PyList_New(a->sizes[axis]);
    for (Py_ssize_t i = 0; list && i < a->sizes[axis]; i++) {
        PyObject *item = nested(a, axis + 1, at + i * a->strides[axis]);
        if (!item || PyList_SetItem(list, i, item) < 0) Py_CLEAR(list);
    }
    return list;
}

static PyObject *array_tolist(PyObject *self, PyObject *nothing) {
    return (void)nothing, nested((array_object *)self, 0, ((array_object *)self)->data);
}

static PyObject *array_item(PyObject *self, PyObject *nothing) {
    array_object *a = (array_object *)self;
    (void)nothing;
    if (tide_shape_count(a->shape) == 1) return element_get(a->type, a->data);
    return raise_invalid("item: there are %lld elements, not one", (long long)tide_shape_count(a->shape));
}

static Py_ssize_t array_length(PyObject *self) {
    array_object *a = (array_object *)self;
    if (a->shape.ndim) return a->sizes[0];
    return PyErr_SetString(PyExc_TypeError, "an array of shape () has no length"), -1;
}

/* Along the first axis: a number of a vector, else an array that shares the memory. */
static PyObject *array_part(PyObject *self, Py_ssize_t i) {
    array_object *a = (array_object *)self;
    if (!a->shape.ndim) return raise_invalid("an array of shape () has no parts");
    if (i < 0 || i >= a->sizes[0])
        return PyErr_Format(PyExc_IndexError, "%zd is outside an axis of %zd", i, a->sizes[0]), NULL;
    const char *at = (const char *)a->data + i * a->strides[0];
    if (a->shape.ndim == 1) return element_get(a->type, at);
    tide_shape rest = { .ndim = a->shape.ndim - 1 };
    memcpy(rest.dim, a->shape.dim + 1, sizeof rest.dim - sizeof rest.dim[0]);
    return (PyObject *)array_borrow(a->type, rest, at, self);
}

static PyObject *array_repr(PyObject *self) {
    array_object *a = (array_object *)self;
    const int64_t most = 1000;
    PyObject *shape = shape_tuple(&a->shape);
    PyObject *list = shape && tide_shape_count(a->shape) <= most ? nested(a, 0, a->data) : NULL;
    PyObject *text = NULL;
    if (list) text = PyUnicode_FromFormat("Array(%R, '%s')", list, tide_dtype_name(a->type));
    else if (shape && !PyErr_Occurred())
        text = PyUnicode_FromFormat("<tidemill.Array %s %R>", tide_dtype_name(a->type), shape);
    Py_XDECREF(list);
    Py_XDECREF(shape);
    return text;
}

/* Array(values, dtype=None): a copy. */
static PyObject *array_make(PyTypeObject *type, PyObject *args, PyObject *named) {
    static char *names[] = { "values", "dtype", "shape", NULL };
    PyObject    *values, *dtype = Py_None, *shape = Py_None;
    elements     e;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, named, "O|OO:Array", names, &values, &dtype, &shape)) return NULL;
    tide_dtype wanted = TIDE_F32;
    if (dtype != Py_None && !dtype_from(dtype, &wanted)) return NULL;
    array_object *a = NULL;
    if (shape != Py_None) {  /* of the bytes, as pickle keeps them */
        tide_shape s;
        Py_buffer  bytes;
        if (!shape_from(shape, "shape", &s) || PyObject_GetBuffer(values, &bytes, PyBUF_SIMPLE) < 0) return NULL;
        int64_t count = tide_shape_count(s);
        if (count < 0 || (size_t)bytes.len != (size_t)count * tide_dtype_size(wanted))
            raise_invalid("Array: %zd bytes are no %lld elements of %s", bytes.len, (long long)count,
                          tide_dtype_name(wanted));
        else if ((a = array_new(wanted, s)))
            memcpy(a->data, bytes.buf, (size_t)bytes.len);
        PyBuffer_Release(&bytes);
        return (PyObject *)a;
    }
    if (!elements_from(values, "values", &e)) return NULL;
    if ((dtype == Py_None || elements_as(&e, "values", wanted)) && (a = array_new(e.type, e.shape)))
        memcpy(a->data, e.data, array_bytes(a));
    elements_free(&e);
    return (PyObject *)a;
}

static PyObject *array_reduce(PyObject *self, PyObject *nothing) {
    array_object *a = (array_object *)self;
    (void)nothing;
    PyObject *bytes = PyBytes_FromStringAndSize(a->data, (Py_ssize_t)array_bytes(a));
    PyObject *shape = bytes ? shape_tuple(&a->shape) : NULL;
    PyObject *made = shape ? Py_BuildValue("O(NsN)", array_type, bytes, tide_dtype_name(a->type), shape) : NULL;
    if (!shape) Py_XDECREF(bytes);
    return made;
}

static PyObject *array_dlpack(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    return dlpack_export((array_object *)self, args, count, names);
}

static PyObject *array_dlpack_device(PyObject *self, PyObject *nothing) {
    return (void)self, (void)nothing, Py_BuildValue("(ii)", 1, 0);
}

static PyMethodDef array_methods[] = {
    { "tolist", array_tolist, METH_NOARGS, doc_Array_tolist },
    { "item", array_item, METH_NOARGS, doc_Array_item },
    { "__reduce__", array_reduce, METH_NOARGS, doc_Array_reduce },
    { "__dlpack__", FAST(array_dlpack), doc_Array_dlpack },
    { "__dlpack_device__", array_dlpack_device, METH_NOARGS, doc_Array_dlpack_device },
    { 0 }
};

static PyGetSetDef array_fields[] = { { "shape", array_shape, NULL, doc_Array_shape, NULL },
                                      { "dtype", array_dtype, NULL, doc_Array_dtype, NULL },
                                      { "ndim", array_ndim, NULL, doc_Array_ndim, NULL },
                                      { "size", array_size, NULL, doc_Array_size, NULL },
                                      { "nbytes", array_nbytes, NULL, doc_Array_nbytes, NULL },
                                      { 0 } };

static PyType_Slot array_slots[] = {
    { Py_tp_doc, (void *)doc_Array },
    { Py_tp_new, array_make },
    { Py_tp_dealloc, array_dealloc },
    { Py_tp_repr, array_repr },
    { Py_tp_methods, array_methods },
    { Py_tp_getset, array_fields },
    { Py_sq_length, array_length },
    { Py_sq_item, array_part },
    { Py_bf_getbuffer, array_getbuffer },
    { 0 },
};
PyType_Spec array_spec = { "tidemill.Array", sizeof(array_object), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           array_slots };

/* ---- in ---- */

void elements_free(elements *e) {
    if (e->view.obj) PyBuffer_Release(&e->view);
    Py_CLEAR(e->lender);
    free(e->memory);
    e->memory = NULL;
}

static bool room(elements *e, size_t bytes, void **memory) {
    (void)e;
    *memory = malloc(bytes ? bytes : 1);
    return *memory || (PyErr_NoMemory(), false);
}

static bool of_buffer(PyObject *o, const char *name, elements *e) {
    if (PyObject_GetBuffer(o, &e->view, PyBUF_RECORDS_RO) < 0) return false;
    const Py_buffer *v = &e->view;
    if (!dtype_of_format(v->format, (size_t)v->itemsize, &e->type))
        return raise_invalid("%s: its elements have the format '%s'; f32, f64, f16, i32, i64, u8 and bool are accepted",
                             name, v->format ? v->format : "B"), false;
    if (v->ndim > TIDE_MAX_DIMS) return raise_invalid("%s: it has %d axes; 8 are the most", name, v->ndim), false;
    e->shape.ndim = v->ndim, e->typed = true;
    for (int i = 0; i < v->ndim; i++) e->shape.dim[i] = v->shape[i];
    if (PyBuffer_IsContiguous(v, 'C')) return e->data = v->buf, true;
    if (!room(e, (size_t)v->len, &e->memory)) return false;
    e->data = e->memory;
    return PyBuffer_ToContiguous(e->memory, v, v->len, 'C') == 0;
}

/* Sizes of nested lists, from the first of each, and the widest kind of number in them: BOOL, I64, F64. */
static bool measure(PyObject *o, const char *name, int depth, elements *e) {
    if (PyFloat_Check(o)) return e->type = TIDE_F64, e->shape.ndim = depth, true;
    if (PyLong_Check(o)) {
        bool truth = PyBool_Check(o);
        if (!truth && e->type == TIDE_BOOL) e->type = TIDE_I64;
        return e->shape.ndim = depth, true;
    }
    if (!PyList_Check(o) && !PyTuple_Check(o)) return raise_invalid("%s: no array, number or list of numbers", name),
        false;
    if (depth == TIDE_MAX_DIMS) return raise_invalid("%s: lists within more than 8 lists", name), false;
    Py_ssize_t count = PySequence_Size(o);
    if (e->shape.dim[depth] == -1) e->shape.dim[depth] = count;
    if (e->shape.dim[depth] != count)
        return raise_invalid("%s: lists of %zd and of %lld items stand side by side", name, count,
                             (long long)e->shape.dim[depth]), false;
    if (!count) e->shape.ndim = depth + 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(o, i);
        int32_t   before = e->shape.ndim;
        bool      good = item && measure(item, name, depth + 1, e);
        Py_XDECREF(item);
        if (good && i && e->shape.ndim != before)
            good = (raise_invalid("%s: numbers and lists stand side by side", name), false);
        if (!good) return false;
    }
    return true;
}

static bool fill(PyObject *o, const char *name, elements *e, char **at) {
    if (PyList_Check(o) || PyTuple_Check(o)) {
        bool good = true;
        for (Py_ssize_t i = 0, count = PySequence_Size(o); good && i < count; i++) {
            PyObject *item = PySequence_GetItem(o, i);
            good = item && fill(item, name, e, at);
            Py_XDECREF(item);
        }
        return good;
    }
    if (e->type == TIDE_F64) *(double *)*at = PyFloat_AsDouble(o);
    else if (e->type == TIDE_BOOL) **at = o == Py_True;
    else *(int64_t *)*at = PyLong_AsLongLong(o);
    *at += tide_dtype_size(e->type);
    if (!PyErr_Occurred()) return true;
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) PyErr_Clear(), raise_invalid("%s: an integer of over 64 bits",
            name);
    return false;
}

static bool of_numbers(PyObject *o, const char *name, elements *e) {
    for (int i = 0; i < TIDE_MAX_DIMS; i++) e->shape.dim[i] = -1;
    e->type = TIDE_BOOL;
    if (!measure(o, name, 0, e)) return false;
    for (int i = 0; i < TIDE_MAX_DIMS; i++) e->shape.dim[i] = i < e->shape.ndim ? e->shape.dim[i] : 0;
    int64_t count = tide_shape_count(e->shape);
    if (!count) e->type = TIDE_F64;
    if (!room(e, (size_t)count * tide_dtype_size(e->type), &e->memory)) return false;
    char *at = e->memory;
    e->data = e->memory;
    return fill(o, name, e, &at);
}

bool elements_from(PyObject *o, const char *name, elements *e) {
    *e = (elements){ 0 };
    bool good = false;
    if (PyFloat_CheckExact(o) || PyLong_Check(o) || PyList_Check(o) || PyTuple_Check(o)) good = of_numbers(o, name, e);
    else if (is_value(o) || Py_TYPE(o) == array_type) {
        PyObject *array = is_value(o) ? value_array((value_object *)o, false) : Py_NewRef(o);
        if (array) {
            array_object *a = (array_object *)array;
            *e = (elements){ .type = a->type, .shape = a->shape, .data = a->data, .typed = true, .lender = array };
        }
        good = array != NULL;
    } else if (PyObject_CheckBuffer(o)) good = of_buffer(o, name, e);
    else if (!(good = dlpack_import(o, name, e)) && !PyErr_Occurred())
        raise_invalid("%s: no array (of the buffer protocol or DLPack), number or list of numbers", name);
    if (!good) elements_free(e);
    return good;
}

bool elements_as(elements *e, const char *name, tide_dtype type) {
    void   *memory;
    int64_t count = tide_shape_count(e->shape);
    if (e->type == type) return true;
    if (!room(e, (size_t)count * tide_dtype_size(type), &memory)) return false;
    if (!count || elements_convert(e->type, e->data, type, memory, count)) {
        tide_shape shape = e->shape;
        bool       typed = e->typed;
        elements_free(e);
        *e = (elements){ .type = type, .shape = shape, .data = memory, .typed = typed, .memory = memory };
        return true;
    }
    free(memory);
    raise_invalid("%s: %s cannot become %s without changing what it says", name,
                  tide_dtype_name(e->type), tide_dtype_name(type));
    return false;
}
