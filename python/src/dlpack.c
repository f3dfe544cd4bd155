/* DLPack: arrays of other libraries without a copy (dmlc.github.io/dlpack/latest/python_spec.html), in declarations of
 * our
 * own: of version 1, and of those before it, which cannot say that memory is read only. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

typedef struct dl_device { int32_t type, id; } dl_device;
typedef struct dl_type { uint8_t code, bits; uint16_t lanes; } dl_type;
typedef struct dl_tensor {
    void     *data;
    dl_device device;
    int32_t   ndim;
    dl_type   type;
    int64_t  *shape, *strides;  /* strides in elements; NULL: row-major */
    uint64_t  byte_offset;
} dl_tensor;
/* Before version 1. */
typedef struct dl_old {
    dl_tensor tensor;
    void     *context;
    void    (*deleter)(struct dl_old *);
} dl_old;
typedef struct dl_managed {
    struct { uint32_t major, minor; } version;
    void     *context;
    void    (*deleter)(struct dl_managed *);
    uint64_t  flags;
    dl_tensor tensor;
} dl_managed;
enum { ON_CPU = 1, READ_ONLY = 1, IS_COPIED = 2 };
enum { CODE_INT = 0, CODE_UINT = 1, CODE_FLOAT = 2, CODE_BFLOAT = 4, CODE_BOOL = 6 };
static const char OLD[] = "dltensor", NEW[] = "dltensor_versioned";

static const dl_type types[TIDE_DTYPES] = {
    [TIDE_F32] = { CODE_FLOAT, 32, 1 },   [TIDE_F64] = { CODE_FLOAT, 64, 1 }, [TIDE_F16] = { CODE_FLOAT, 16, 1 },
    [TIDE_BF16] = { CODE_BFLOAT, 16, 1 }, [TIDE_I32] = { CODE_INT, 32, 1 },   [TIDE_I64] = { CODE_INT, 64, 1 },
    [TIDE_U8] = { CODE_UINT, 8, 1 },      [TIDE_BOOL] = { CODE_BOOL, 8, 1 },
};

/* ---- out ---- */

typedef struct lent {
    union { dl_old old; dl_managed managed; } as;
    array_object *array;
    int64_t       shape[TIDE_MAX_DIMS], strides[TIDE_MAX_DIMS];
} lent;

static void give_back(lent *l) {
    PyGILState_STATE state = PyGILState_Ensure();
    Py_DECREF(l->array);
    PyGILState_Release(state);
    free(l);
}
static void old_deleter(dl_old *m) { give_back(m->context); }
static void managed_deleter(dl_managed *m) { give_back(m->context); }

/* Nobody took what the capsule has: those who do rename it. */
static void old_dropped(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, OLD)) old_deleter(PyCapsule_GetPointer(capsule, OLD));
}
static void managed_dropped(PyObject *capsule) {
    if (PyCapsule_IsValid(capsule, NEW)) managed_deleter(PyCapsule_GetPointer(capsule, NEW));
}

static dl_tensor describe(lent *l) {
    const array_object *a = l->array;
    for (int i = 0; i < a->shape.ndim; i++) {
        l->shape[i] = a->shape.dim[i];
        l->strides[i] = a->strides[i] / (int64_t)tide_dtype_size(a->type);
    }
    return (dl_tensor){ a->data, { ON_CPU, 0 }, a->shape.ndim, types[a->type], l->shape, l->strides, 0 };
}

/* The keywords of __dlpack__: false with an exception where they ask for what there is not. */
static bool wishes(PyObject *const *args, Py_ssize_t count, PyObject *names, bool *versioned, PyObject **copy) {
    static const char *const rows[] = { "stream", "max_version", "dl_device", "copy", NULL };
    PyObject *given[4];
    long      major = 0;
    if (!arguments("__dlpack__", rows, 0, args, count, names, given)) return false;
    if (given[1] && given[1] != Py_None) {
        PyObject *first = PySequence_GetItem(given[1], 0);
        major = first ? PyLong_AsLong(first) : -1;
        Py_XDECREF(first);
        if (PyErr_Occurred()) return false;
    }
    *versioned = major >= 1, *copy = given[3] ? given[3] : Py_None;
    if (given[2] && given[2] != Py_None) {
        PyObject *type = PySequence_GetItem(given[2], 0);
        long device = type ? PyLong_AsLong(type) : -1;
        Py_XDECREF(type);
        if (PyErr_Occurred()) return false;
        if (device != ON_CPU) return PyErr_SetString(PyExc_BufferError, "the array is in the host's memory"), false;
    }
    return true;
}

PyObject *dlpack_export(array_object *a, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    bool      versioned;
    PyObject *copy;
    if (!wishes(args, count, names, &versioned, &copy)) return NULL;
    bool read_only = a->owner != NULL, copied = copy == Py_True || (read_only && !versioned);
    if (copied && copy == Py_False)
        return PyErr_SetString(PyExc_BufferError, "read-only memory needs DLPack 1 (max_version), or a copy"), NULL;
    lent *l = calloc(1, sizeof *l);
    l ? (void)(l->array = copied ? array_new(a->type, a->shape) : (array_object *)Py_NewRef((PyObject *)a)) : (void)0;
    if (!l || !l->array) return free(l), PyErr_NoMemory();
    if (copied) memcpy(l->array->data, a->data, array_bytes(a));
    dl_tensor tensor = describe(l);
    if (versioned)
        l->as.managed = (dl_managed){ { 1, 0 }, l, managed_deleter,
                                      (read_only && !copied ? READ_ONLY : 0) | (copied ? IS_COPIED : 0), tensor };
    else l->as.old = (dl_old){ tensor, l, old_deleter };
    PyObject *capsule = PyCapsule_New(&l->as, versioned ? NEW : OLD, versioned ? managed_dropped : old_dropped);
    if (!capsule) give_back(l);
    return capsule;
}

/* ---- in ---- */

static bool type_of(dl_type type, tide_dtype *out) {
    for (int i = 0; i < TIDE_DTYPES; i++)
        if (!memcmp(&type, &types[i], sizeof type)) return *out = (tide_dtype)i, true;
    return false;
}

static bool row_major(const dl_tensor *t) {
    int64_t stride = 1;
    for (int i = t->ndim - 1; t->strides && i >= 0; i--) {
        if (t->shape[i] == 0) return true;
        if (t->shape[i] != 1 && t->strides[i] != stride) return false;
        stride *= t->shape[i];
    }
    return true;
}

static void copy_rows(const dl_tensor *t, int axis, const char *in, size_t size, char **out) {
    if (axis == t->ndim) {
        memcpy(*out, in, size);
        *out += size;
        return;
    }
    for (int64_t i = 0; i < t->shape[axis]; i++)
        copy_rows(t, axis + 1, in + i * t->strides[axis] * (int64_t)size, size, out);
}

static bool take(const dl_tensor *t, const char *name, elements *out) {
    if (t->device.type != ON_CPU)
        return raise_invalid("%s: it is in a device's memory; bring it to the host first", name), false;
    if (!type_of(t->type, &out->type))
        return raise_invalid("%s: elements of DLPack's code %d, %d bits, are not accepted; f32, f64, f16, bf16, i32, "
                             "i64, u8 and bool are", name, t->type.code, t->type.bits), false;
    if (t->ndim < 0 || t->ndim > TIDE_MAX_DIMS) return raise_invalid("%s: it has %d axes; 8 are the most", name,
            t->ndim), false;
    out->shape.ndim = t->ndim, out->typed = true;
    for (int i = 0; i < t->ndim; i++) out->shape.dim[i] = t->shape[i];
    if (tide_shape_count(out->shape) < 0) return raise_invalid("%s: a negative size, or too many elements", name),
        false;
    const char *data = (const char *)t->data + t->byte_offset;
    if (row_major(t)) return out->data = data, true;
    size_t size = tide_dtype_size(out->type);
    char  *at = out->memory = malloc((size_t)tide_shape_count(out->shape) * size + 1);
    if (!at) return PyErr_NoMemory(), false;
    copy_rows(t, 0, data, size, &at);
    return out->data = out->memory, true;
}

/* With the newest version that both know; a library before version 1 does not know the keyword. */
static PyObject *ask(PyObject *method) {
    PyObject *named = Py_BuildValue("{s(ii)}", "max_version", 1, 0), *none = PyTuple_New(0), *capsule = NULL;
    if (named && none) capsule = PyObject_Call(method, none, named);
    if (!capsule && named && none && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        capsule = PyObject_CallNoArgs(method);
    }
    Py_XDECREF(named);
    Py_XDECREF(none);
    return capsule;
}

/* The capsule keeps its own memory: whoever leaves its name as it is leaves that to it. */
bool dlpack_import(PyObject *o, const char *name, elements *out) {
    PyObject *method = PyObject_GetAttrString(o, "__dlpack__");
    if (!method) return PyErr_ExceptionMatches(PyExc_AttributeError) ? PyErr_Clear(), false : false;
    PyObject *capsule = ask(method);
    Py_DECREF(method);
    if (!capsule) return false;
    out->lender = capsule;
    if (PyCapsule_IsValid(capsule, NEW)) {
        dl_managed *m = PyCapsule_GetPointer(capsule, NEW);
        return m->version.major == 1 ? take(&m->tensor, name, out)
                                     : (raise_invalid("%s: DLPack %u is not known here; 1 is", name,
                                                      m->version.major), false);
    }
    dl_old *m = PyCapsule_GetPointer(capsule, OLD);
    return m && take(&m->tensor, name, out);
}
