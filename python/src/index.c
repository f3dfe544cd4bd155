/* value[...]: numbers, slices, None, ... and one list or value of row numbers, as numpy has them. */
#include "binding.h"

typedef struct cursor { graph_object *graph; tide_val v; int axis; bool gathered; } cursor;

static int64_t size_at(const cursor *c) { return tide_shape_of(c->v).dim[c->axis]; }

static bool take_row(cursor *c, PyObject *key) {
    int64_t i, size = size_at(c);
    if (!integer_from(key, "index", &i)) return false;
    if (i < -size || i >= size)
        return PyErr_Format(PyExc_IndexError, "%lld is outside axis %d, which has %lld", (long long)i, c->axis,
                            (long long)size),
               false;
    if (i < 0) i += size;
    c->v = tide_squeeze(tide_slice(c->v, c->axis, i, i + 1), c->axis);
    return true;
}

/* start, stop, step as numpy clips them; a slice with a negative step is that of the axis turned round. */
static bool take_slice(cursor *c, PyObject *key) {
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) return false;
    Py_ssize_t size = (Py_ssize_t)size_at(c), count = PySlice_AdjustIndices(size, &start, &stop, step);
    if (start == 0 && step == 1 && count == size) return c->axis++, true;
    if (step < 0) {
        c->v = tide_flip(c->v, c->axis);
        start = size - 1 - start, step = -step;
    }
    if (count == 0) c->v = tide_slice(c->v, c->axis, 0, 0);
    else c->v = tide_slice_step(c->v, c->axis, start, start + (count - 1) * step + 1, step);
    c->axis++;
    return true;
}

static bool take_rows(cursor *c, PyObject *key) {
    tide_val index;
    int      axes = 0;
    if (c->gathered)
        return raise_invalid("[]: one axis can be indexed by row numbers, not several; use gather after gather"), false;
    c->gathered = true;
    if (!is_value(key)) {
        elements e;
        if (!elements_from(key, "index", &e)) return false;
        int64_t size = size_at(c), count = tide_shape_count(e.shape);
        bool good = e.type != TIDE_BOOL && (!count || e.type >= TIDE_I32) && elements_as(&e, "index", count ? TIDE_I64
                : e.type);
        int32_t *rows = good ? PyMem_Malloc((size_t)(count + 1) * sizeof *rows) : NULL;
        for (int64_t i = 0; rows && i < count; i++) {
            int64_t row = ((const int64_t *)e.data)[i];
            if (row < -size || row >= size) {
                PyErr_Format(PyExc_IndexError, "%lld is outside axis %d, which has %lld", (long long)row, c->axis,
                             (long long)size);
                good = false;
                break;
            }
            rows[i] = (int32_t)(row < 0 ? row + size : row);
        }
        if (rows && good) index = tide_constant(c->graph->graph, TIDE_I32, e.shape, rows);
        if (!good && !PyErr_Occurred())
            raise_invalid("[]: row numbers are integers; what a mask keeps has no shape known beforehand: use where");
        PyMem_Free(rows);
        axes = e.shape.ndim;
        elements_free(&e);
        if (!good) return false;
    } else {
        if (((value_object *)key)->graph != c->graph) return raise_invalid("[]: the index belongs to another graph"),
            false;
        index = value_of(key);
        axes = tide_shape_of(index).ndim;
        if (tide_dtype_of(index) == TIDE_I64) index = tide_cast(index, TIDE_I32);
    }
    c->v = tide_gather(c->v, c->axis, index);
    c->axis += axes;
    return true;
}

static bool take(cursor *c, PyObject *key, int left) {
    int ndim = tide_shape_of(c->v).ndim;
    if (key == Py_None) return c->v = tide_expand_dims(c->v, c->axis++), true;
    if (key == Py_Ellipsis) return c->axis = ndim - left, true;
    if (c->axis >= ndim) return PyErr_SetString(PyExc_IndexError, "more indices than axes"), false;
    if (PySlice_Check(key)) return take_slice(c, key);
    if (PyLong_Check(key) && !PyBool_Check(key)) return take_row(c, key);
    if (!is_value(key) && PyIndex_Check(key) && !PyObject_CheckBuffer(key)) return take_row(c, key);
    return take_rows(c, key);
}

static bool consumes(PyObject *key) { return key != Py_None && key != Py_Ellipsis; }

/* How many axes the keys after `i` take, and that there is one ... at most. */
static int axes_after(PyObject *keys, Py_ssize_t i, Py_ssize_t count) {
    int axes = 0;
    for (Py_ssize_t k = i + 1; k < count; k++) {
        PyObject *key = PyTuple_GetItem(keys, k);
        if (key == Py_Ellipsis) return -1;
        axes += consumes(key);
    }
    return axes;
}

PyObject *value_index(PyObject *self, PyObject *key) {
    cursor     c = { ((value_object *)self)->graph, value_of(self), 0, false };
    Py_ssize_t count = PyTuple_Check(key) ? PyTuple_Size(key) : 1;
    if (!graph_enter(c.graph)) return NULL;
    bool good = tide_ok(c.v) || (raise_invalid("[]: the value was given back by rewind"), false);
    for (Py_ssize_t i = 0; good && i < count; i++) {
        PyObject *one = PyTuple_Check(key) ? PyTuple_GetItem(key, i) : key;
        int       left = PyTuple_Check(key) && one == Py_Ellipsis ? axes_after(key, i, count) : 0;
        if (left < 0) good = (PyErr_SetString(PyExc_IndexError, "more than one ..."), false);
        else if (one == Py_Ellipsis && tide_shape_of(c.v).ndim - left < c.axis)
            good = (PyErr_SetString(PyExc_IndexError, "more indices than axes"), false);
        else good = take(&c, one, left) && (tide_ok(c.v) || graph_good(c.graph));
    }
    graph_leave(c.graph);
    return good ? value_new(c.graph, c.v) : NULL;
}
