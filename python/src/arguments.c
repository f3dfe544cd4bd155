/* Python's arguments as the library takes them, by rows that tools/python_binding.py writes. */
#include <limits.h>
#include <string.h>

#include "binding.h"

/* ---- single ones ---- */

bool integer_from(PyObject *o, const char *name, int64_t *out) {
    PyObject *whole = PyNumber_Index(o);
    if (!whole)
        return PyErr_Clear(), raise_invalid("%s: an integer is needed", name), false;
    *out = PyLong_AsLongLong(whole);
    Py_DECREF(whole);
    if (PyErr_Occurred()) return PyErr_Clear(), raise_invalid("%s: an integer of over 64 bits", name), false;
    return true;
}

static bool real_from(PyObject *o, const char *name, double *out) {
    if (is_value(o)) return raise_invalid("%s: a number is needed, not a value of a graph", name), false;
    *out = PyFloat_AsDouble(o);
    if (!PyErr_Occurred()) return true;
    if (PyErr_ExceptionMatches(PyExc_TypeError)) PyErr_Clear(), raise_invalid("%s: a number is needed", name);
    return false;
}

static bool truth_from(PyObject *o, const char *name, bool *out) {
    if (is_value(o) || PyUnicode_Check(o) || o == Py_None) return raise_invalid("%s: True or False is needed", name),
        false;
    int truth = PyObject_IsTrue(o);
    return *out = truth > 0, truth >= 0;
}

bool text_from(PyObject *o, const char *name, const char **out) {
    Py_ssize_t length;
    if (!PyUnicode_Check(o)) return raise_invalid("%s: text is needed", name), false;
    *out = PyUnicode_AsUTF8AndSize(o, &length);
    if (*out && (size_t)length != strlen(*out)) return raise_invalid("%s: it holds a zero byte", name), false;
    return *out != NULL;
}

bool word_from(PyObject *o, const char *name, const char *const *words, int64_t *out) {
    const char *text, *comma = "";
    char        list[256] = "";
    if (!text_from(o, name, &text)) return false;
    for (*out = 0; words[*out]; ++*out) {
        if (!strcmp(words[*out], text)) return true;
        size_t used = strlen(list);
        PyOS_snprintf(list + used, sizeof list - used, "%s%s", comma, words[*out]);
        comma = ", ";
    }
    return raise_invalid("%s: '%.100s' is none of %s", name, text, list), false;
}

/* One integer or a sequence of them, at most `most`; -1: an exception is set. */
static Py_ssize_t integers_from(PyObject *o, const char *name, int64_t *out, Py_ssize_t most) {
    if (PyLong_Check(o)) return integer_from(o, name, out) ? 1 : -1;
    Py_ssize_t count = PySequence_Check(o) && !PyUnicode_Check(o) && !is_value(o) ? PySequence_Size(o) : -2;
    if (count < 0) {
        PyErr_Clear();
        if (PyIndex_Check(o)) return integer_from(o, name, out) ? 1 : -1;
        return raise_invalid("%s: an integer or a sequence of integers is needed", name), -1;
    }
    if (count > most) return raise_invalid("%s: %zd integers; %zd are the most", name, count, most), -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(o, i);
        bool good = item && integer_from(item, name, &out[i]);
        Py_XDECREF(item);
        if (!good) return -1;
    }
    return count;
}

bool shape_from(PyObject *o, const char *name, tide_shape *out) {
    *out = (tide_shape){ 0 };
    Py_ssize_t count = integers_from(o, name, out->dim, TIDE_MAX_DIMS);
    return out->ndim = (int32_t)count, count >= 0;
}

static bool small(int64_t x, const char *name) {
    if (x >= INT_MIN && x <= INT_MAX) return true;
    return raise_invalid("%s: %lld is out of range", name, (long long)x), false;
}

bool axes_from(PyObject *o, const char *name, tide_axes *out) {
    int64_t axes[TIDE_MAX_DIMS];
    *out = (tide_axes){ 0 };
    if (o == Py_None) return true;
    Py_ssize_t count = integers_from(o, name, axes, TIDE_MAX_DIMS);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!small(axes[i], name)) return false;
        out->axis[i] = (int32_t)axes[i];
    }
    if (count == 0) return raise_invalid("%s: no axis; None means all of them", name), false;
    return out->count = (int32_t)count, count > 0;
}

/* ---- values ---- */

static bool same_graph(graph_object **graph, PyObject *o, const char *name) {
    graph_object *g = ((value_object *)o)->graph;
    if (!*graph) *graph = g;
    return *graph == g || (raise_invalid("%s: a value of another graph", name), false);
}

/* The graph of what is given, of which one Value or Graph must have it. */
static bool find_graph(graph_object **graph, const arg *row, PyObject *o) {
    if (row->kind == ARG_GRAPH) {
        if (Py_TYPE(o) != graph_type) return raise_invalid("%s: a Graph is needed", row->name), false;
        *graph = (graph_object *)o;
        return true;
    }
    if (is_value(o)) return same_graph(graph, o, row->name);
    for (Py_ssize_t i = 0, count = row->kind == ARG_VALUES && PySequence_Check(o) ? PySequence_Size(o)
         : 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(o, i);
        bool good = item && (!is_value(item) || same_graph(graph, item, row->name));
        Py_XDECREF(item);
        if (!good) return false;
    }
    return !PyErr_Occurred();
}

static void *scratch(call *c, size_t bytes) {
    if (c->n_scratch == MOST_SCRATCH) return raise_invalid("%s: too many lists", c->name);
    void *memory = PyMem_Malloc(bytes ? bytes : 1);
    if (!memory) return PyErr_NoMemory();
    return c->scratch[c->n_scratch++] = memory;
}

bool values_from(PyObject *o, const char *name, graph_object **graph, tide_list *out) {
    Py_ssize_t count = is_value(o) ? 1 : PySequence_Check(o) && !PyUnicode_Check(o) ? PySequence_Size(o) : -1;
    if (count < 0) return PyErr_Clear(), raise_invalid("%s: a list of values is needed", name), false;
    tide_val *items = PyMem_Malloc((size_t)(count ? count : 1) * sizeof *items);
    if (!items) return PyErr_NoMemory(), false;
    bool good = true;
    for (Py_ssize_t i = 0; good && i < count; i++) {
        PyObject *item = is_value(o) ? Py_NewRef(o) : PySequence_GetItem(o, i);
        if (item && !is_value(item)) good = (raise_invalid("%s: item %zd is no value of a graph", name, i), false);
        else good = item && (!graph || same_graph(graph, item, name));
        if (good) items[i] = value_of(item);
        Py_XDECREF(item);
    }
    if (!good) return PyMem_Free(items), false;
    *out = (tide_list){ items, count };
    return true;
}

/* ---- rows ---- */

/* The row that has the name. -1: none. */
static int named_row(const arg *rows, int n_rows, PyObject *name) {
    for (int i = 0; i < n_rows; i++)
        if (PyUnicode_CompareWithASCIIString(name, rows[i].name) == 0) return i;
    return -1;
}

static bool place(const char *call, const arg *rows, int n_rows, PyObject *first, PyObject *const *args,
                  Py_ssize_t count, PyObject *names, PyObject **out) {
    int at = first != NULL;
    memset(out, 0, (size_t)n_rows * sizeof *out);
    if (first) out[0] = first;
    if (at + count > n_rows)
        return PyErr_Format(PyExc_TypeError, "%s: %zd arguments; %d are the most", call, count, n_rows - at), false;
    for (Py_ssize_t i = 0; i < count; i++) out[at + i] = args[i];
    for (Py_ssize_t i = 0, n = names ? PyTuple_Size(names) : 0; i < n; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        int       row = named_row(rows, n_rows, name);
        if (row < 0) return PyErr_Format(PyExc_TypeError, "%s: there is no argument '%U'", call, name), false;
        if (out[row]) return PyErr_Format(PyExc_TypeError, "%s: '%U' is given twice", call, name), false;
        out[row] = args[count + i];
    }
    for (int i = 0; i < n_rows; i++)
        if (!out[i] && !rows[i].optional)
            return PyErr_Format(PyExc_TypeError, "%s: the argument '%s' is missing", call, rows[i].name), false;
    return true;
}

bool arguments(const char *name, const char *const *rows, int required, PyObject *const *args, Py_ssize_t count,
               PyObject *names, PyObject **out) {
    arg       table[MOST_ARGS];
    PyObject *placed[MOST_ARGS];
    int       n = 0;
    for (; rows[n]; n++) table[n] = (arg){ .name = rows[n], .optional = n >= required };
    if (!place(name, table, n, NULL, args, count, names, placed)) return false;
    memcpy(out, placed, (size_t)n * sizeof *out);
    return true;
}

static void fall_back(const arg *row, slot *s) {
    *s = (slot){ 0 };
    switch (row->kind) {
    case ARG_INT:
    case ARG_SMALL:
    case ARG_INT_NOT_0:
    case ARG_WORD: s->integer = (int64_t)row->fallback; break;
    case ARG_END: s->integer = TIDE_END; break;
    case ARG_REAL:
    case ARG_REAL_NOT_0: s->real = row->fallback; break;
    case ARG_BOOL: s->truth = row->fallback != 0; break;
    case ARG_DTYPE: s->type = (tide_dtype)row->fallback; break;
    default: break;
    }
}

static bool texts_from(PyObject *o, const arg *row, slot *s) {
    if ((!PyList_Check(o) && !PyTuple_Check(o)) || PySequence_Size(o) != 4)
        return raise_invalid("%s: a list of four names is needed", row->name), false;
    for (int i = 0; i < 4; i++) {
        PyObject *item = PySequence_GetItem(o, i);
        bool good = item && text_from(item, row->name, &s->texts[i]);
        Py_XDECREF(item);  /* the list holds it */
        if (!good) return false;
    }
    return true;
}

static bool order_from(call *c, PyObject *o, const arg *row, slot *s) {
    int64_t    axes[TIDE_MAX_DIMS];
    int        ndim = tide_shape_of(c->given[0].value).ndim;
    Py_ssize_t count = integers_from(o, row->name, axes, TIDE_MAX_DIMS);
    if (count < 0) return false;
    if (count != ndim) return raise_invalid("%s: %zd axes are named; the value has %d", row->name, count, ndim), false;
    for (int i = 0; i < ndim; i++) {
        if (!small(axes[i], row->name)) return false;
        s->order[i] = (int)axes[i];
    }
    return true;
}

static bool sizes_from(call *c, PyObject *o, const arg *row, slot *s) {
    Py_ssize_t most = PySequence_Check(o) ? PySequence_Size(o) : 1;
    if (most < 0) return false;
    s->sizes.items = scratch(c, (size_t)(most + 1) * sizeof *s->sizes.items);
    s->sizes.count = s->sizes.items ? integers_from(o, row->name, s->sizes.items, most + 1) : -1;
    return s->sizes.count >= 0;
}

/* The type that a list's numbers take beside the values that came before, which a condition has no say in. NULL: there
 * is none, or it is no list. */
static const tide_dtype *partner(const call *c, const arg *rows, int row, PyObject *o, tide_dtype *type) {
    if (!PyList_Check(o) && !PyTuple_Check(o)) return NULL;
    for (int i = 0; i < row; i++) {
        if (rows[i].kind != ARG_VALUE || !tide_ok(c->given[i].value)) continue;
        *type = tide_dtype_of(c->given[i].value);
        if (*type != TIDE_BOOL) return type;
    }
    return NULL;
}

static bool not_zero(const arg *row, double x) {
    if (x != 0) return true;
    raise_invalid("%s: 0 stands for the default, %g, in the library: leave it out, or give another number", row->name,
                  row->fallback);
    return false;
}

static bool convert(call *c, const arg *rows, int i, PyObject *o) {
    const arg *row = &rows[i];
    slot      *s = &c->given[i];
    tide_dtype type;
    switch (row->kind) {
    case ARG_GRAPH: return true;
    case ARG_VALUE_OR_NONE:
    case ARG_INDEX_OR_NONE:
        if (o == Py_None) return *s = (slot){ 0 }, true;
        if (row->kind == ARG_INDEX_OR_NONE) return index_from(c->graph, row->name, o, &s->value);
        return value_from(c->graph, row->name, o, partner(c, rows, i, o, &type), &s->value);
    case ARG_VALUE: return value_from(c->graph, row->name, o, partner(c, rows, i, o, &type), &s->value);
    case ARG_INDEX: return index_from(c->graph, row->name, o, &s->value);
    case ARG_VALUES:
        if (!values_from(o, row->name, &c->graph, &s->list)) return false;
        if (c->n_scratch == MOST_SCRATCH) return PyMem_Free((void *)s->list.items), false;
        c->scratch[c->n_scratch++] = (void *)s->list.items;
        return true;
    case ARG_END: return o == Py_None ? (fall_back(row, s), true) : integer_from(o, row->name, &s->integer);
    case ARG_INT: return integer_from(o, row->name, &s->integer);
    case ARG_SMALL: return integer_from(o, row->name, &s->integer) && small(s->integer, row->name);
    case ARG_REAL_NOT_0: return real_from(o, row->name, &s->real) && not_zero(row, s->real);
    case ARG_INT_NOT_0: return integer_from(o, row->name, &s->integer) && not_zero(row, (double)s->integer);
    case ARG_REAL: return real_from(o, row->name, &s->real);
    case ARG_BOOL: return truth_from(o, row->name, &s->truth);
    case ARG_TEXT_OR_NONE: return o == Py_None ? (s->text = NULL, true) : text_from(o, row->name, &s->text);
    case ARG_TEXT: return text_from(o, row->name, &s->text);
    case ARG_TEXTS: return texts_from(o, row, s);
    case ARG_DTYPE: return dtype_from(o, &s->type);
    case ARG_SHAPE: return shape_from(o, row->name, &s->shape);
    case ARG_AXES: return axes_from(o, row->name, &s->axes);
    case ARG_ORDER: return order_from(c, o, row, s);
    case ARG_SIZES: return sizes_from(c, o, row, s);
    case ARG_WORD: return word_from(o, row->name, row->words, &s->integer);
    }
    return false;
}

static void drop_scratch(call *c) {
    while (c->n_scratch) PyMem_Free(c->scratch[--c->n_scratch]);
}

bool call_begin(call *c, const char *name, const arg *rows, int n_rows, graph_object *graph, PyObject *first,
                PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[MOST_ARGS];
    c->name = name, c->graph = graph, c->n_scratch = 0;
    if (!place(name, rows, n_rows, first, args, count, names, given)) return false;
    for (int i = 0; i < n_rows; i++)
        if (given[i] && !find_graph(&c->graph, &rows[i], given[i])) return false;
    if (!c->graph)
        return raise_invalid("%s: no argument is a value of a graph; graph.constant() makes one", name), false;
    if (!graph_enter(c->graph)) return false;
    for (int i = 0; i < n_rows; i++) {
        if (!given[i]) fall_back(&rows[i], &c->given[i]);
        else if (given[i] == Py_None || rows[i].kind == ARG_AXES) c->given[i] = (slot){ 0 };
        if (!given[i] || convert(c, rows, i, given[i])) continue;
        drop_scratch(c);
        graph_leave(c->graph);
        return false;
    }
    return true;
}

bool call_end(call *c) {
    bool good = graph_good(c->graph);
    drop_scratch(c);
    graph_leave(c->graph);
    return good;
}

PyObject *call_value(call *c, tide_val v) {
    if (!tide_ok(v)) return call_end(c) ? value_new(c->graph, v) : NULL;
    drop_scratch(c);
    graph_leave(c->graph);
    return value_new(c->graph, v);
}

PyObject *call_values(call *c, tide_list list) { return call_end(c) ? values_new(c->graph, list) : NULL; }

PyObject *call_none(call *c) { return call_end(c) ? Py_NewRef(Py_None) : NULL; }

PyObject *call_tuple(call *c, const tide_val *values, int count) {
    PyObject *tuple = call_end(c) ? PyTuple_New(count) : NULL;
    for (int i = 0; tuple && i < count; i++) {
        PyObject *item = value_new(c->graph, values[i]);
        if (!item || PyTuple_SetItem(tuple, i, item) < 0) Py_CLEAR(tuple);
    }
    return tuple;
}
