/* Tables on their way in: an Arrow stream, or arrays by name, as a frame of the library. */
#include "binding.h"

PyTypeObject *frame_type;

static PyObject *frame_result(tide_status status, tide_frame *f, const tide_failure *failure) {
    if (status) return raise_failure(failure);
    return frame_new(f);
}

PyObject *frame_new(tide_frame *f) {
    frame_object *o = PyObject_New(frame_object, frame_type);
    if (o) o->frame = f;
    else tide_frame_free(f);
    return (PyObject *)o;
}

static void frame_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    tide_frame_free(((frame_object *)self)->frame);
    PyObject_Free(self);
    Py_DECREF(type);
}

const tide_frame *frame_from(PyObject *o, const char *name) {
    if (Py_TYPE(o) != frame_type) return raise_invalid("%s: a frame is needed", name);
    return ((frame_object *)o)->frame;
}

/* The words of a list, which holds them: free with PyMem_Free. NULL: an exception is set. */
static const char **words_of(PyObject *list, const char *name, Py_ssize_t *count) {
    if (!PyList_Check(list)) return raise_invalid("%s: a list of names is needed", name);
    *count = PyList_Size(list);
    const char **words = PyMem_Malloc((size_t)(*count + 1) * sizeof *words);
    if (!words) return (const char **)PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < *count; i++)
        if (!text_from(PyList_GetItem(list, i), name, &words[i])) return PyMem_Free((void *)words), NULL;
    return words;
}

/* ---- Arrow ---- */

static struct ArrowArrayStream *stream_of(PyObject *capsule) {
    return PyCapsule_GetPointer(capsule, "arrow_array_stream");
}

static PyObject *field_list(const struct ArrowSchema *schema) {
    PyObject *list = PyList_New(0);
    for (int64_t i = 0; list && i < schema->n_children; i++) {
        const struct ArrowSchema *s = schema->children[i];
        PyObject *row = Py_BuildValue("(ss)", s->name ? s->name : "", s->dictionary ? "dictionary" : s->format);
        if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *arrow_fields(PyObject *module, PyObject *capsule) {
    (void)module;
    struct ArrowArrayStream *stream = stream_of(capsule);
    struct ArrowSchema       schema = { 0 };
    if (!stream) return NULL;
    if (!stream->release || stream->get_schema(stream, &schema) || !schema.release)
        return raise_invalid("the Arrow stream has no schema, or was read before");
    PyObject *list = field_list(&schema);
    schema.release(&schema);
    return list;
}

static PyObject *frame_from_arrow(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "stream", "time", "columns", NULL };
    PyObject          *given[3];
    tide_arrow_options options = { 0 };
    tide_frame        *f = NULL;
    tide_failure       failure;
    Py_ssize_t         columns = 0;
    (void)module;
    if (!arguments("_frame_from_arrow", rows, 3, args, count, names, given)) return NULL;
    struct ArrowArrayStream *stream = stream_of(given[0]);
    if (!stream || (given[1] != Py_None && !text_from(given[1], "time", &options.time))) return NULL;
    const char **chosen = given[2] == Py_None ? NULL : words_of(given[2], "columns", &columns);
    if (!chosen && given[2] != Py_None) return NULL;
    options.columns = chosen, options.count = columns;
    long_call   c = long_call_begin();
    tide_status status = tide_frame_from_arrow_stream(stream, &options, &f, &failure);
    bool        fine = long_call_end(&c);
    PyMem_Free((void *)chosen);
    if (fine) return frame_result(status, f, &failure);
    tide_frame_free(f);
    return NULL;
}

/* ---- arrays ---- */

static bool vector_from(PyObject *o, const char *name, tide_dtype type, elements *e) {
    if (!elements_from(o, name, e)) return false;
    bool good = e->shape.ndim == 1 || (raise_invalid("%s: an array of one axis is needed", name), false);
    good = good && elements_as(e, name, type);
    if (!good) elements_free(e);
    return good;
}

/* The frame is made by the first column. */
static bool same_rows(tide_frame **f, const char *name, const elements *e) {
    tide_failure failure;
    if (!*f && tide_frame_new(e->shape.dim[0], f, &failure)) return raise_failure(&failure), false;
    if (tide_frame_rows(*f) == e->shape.dim[0]) return true;
    return raise_invalid("'%s' has %lld values; the columns before it have %lld", name, (long long)e->shape.dim[0],
                         (long long)tide_frame_rows(*f)), false;
}

static bool add_column(tide_frame **f, PyObject *key, PyObject *data) {
    const char  *name;
    elements     e;
    tide_failure failure;
    if (!text_from(key, "a column's name", &name) || !vector_from(data, name, TIDE_F64, &e)) return false;
    bool good = same_rows(f, name, &e);
    if (good && tide_frame_add(*f, name, e.data, 1, &failure)) good = raise_failure(&failure);
    elements_free(&e);
    return good;
}

static bool add_time(tide_frame **f, PyObject *key, PyObject *data) {
    const char  *name;
    elements     e;
    tide_failure failure;
    if (!text_from(key, "the time's name", &name) || !vector_from(data, name, TIDE_I64, &e)) return false;
    bool good = same_rows(f, name, &e);
    if (good && tide_frame_set_time(*f, name, e.data, &failure)) good = raise_failure(&failure);
    elements_free(&e);
    return good;
}

static PyObject *frame_from_columns(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "columns", "time_name", "time", NULL };
    PyObject   *given[3], *key, *data;
    tide_frame *f = NULL;
    (void)module;
    if (!arguments("_frame_from_columns", rows, 3, args, count, names, given)) return NULL;
    if (!PyDict_Check(given[0])) return raise_invalid("columns: a dictionary of arrays by name is needed");
    bool good = given[2] == Py_None || add_time(&f, given[1], given[2]);
    for (Py_ssize_t at = 0; good && PyDict_Next(given[0], &at, &key, &data);) {
        Py_INCREF(key), Py_INCREF(data);
        good = add_column(&f, key, data);
        Py_DECREF(key), Py_DECREF(data);
    }
    if (good && !f) good = raise_invalid("the dictionary has no columns");
    if (good) return frame_new(f);
    tide_frame_free(f);
    return NULL;
}

/* ---- what it is ---- */

static PyObject *frame_pivot(PyObject *self, PyObject *ids) {
    Py_ssize_t   count;
    tide_frame  *from = ((frame_object *)self)->frame, *f = NULL;
    tide_failure failure;
    const char **words = words_of(ids, "ids", &count);
    if (!words) return NULL;
    if (count != tide_frame_rows(from))
        return PyMem_Free((void *)words), raise_invalid("ids: %zd for %lld rows", count,
                                                        (long long)tide_frame_rows(from));
    long_call   c = long_call_begin();
    tide_status status = tide_frame_pivot(from, words, &f, &failure);
    bool        fine = long_call_end(&c);
    PyMem_Free((void *)words);
    if (fine) return frame_result(status, f, &failure);
    tide_frame_free(f);
    return NULL;
}

static PyObject *get_rows(PyObject *self, void *none) {
    return (void)none, PyLong_FromLongLong(tide_frame_rows(((frame_object *)self)->frame));
}

static PyObject *get_names(PyObject *self, void *none) {
    const tide_frame *f = ((frame_object *)self)->frame;
    PyObject         *list = PyList_New(0);
    (void)none;
    for (int64_t i = 0; list && i < tide_frame_columns(f); i++) {
        PyObject *name = PyUnicode_FromString(tide_frame_name(f, i));
        if (!name || PyList_Append(list, name) < 0) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *get_time_name(PyObject *self, void *none) {
    return (void)none, Py_BuildValue("z", tide_frame_time_name(((frame_object *)self)->frame));
}

static PyObject *get_time(PyObject *self, void *none) {
    const tide_frame *f = ((frame_object *)self)->frame;
    const int64_t    *time = tide_frame_time(f);
    (void)none;
    if (!time) return Py_NewRef(Py_None);
    return (PyObject *)array_borrow(TIDE_I64, TIDE_SHAPE(tide_frame_rows(f)), time, self);
}

static PyObject *frame_values(PyObject *self, PyObject *key) {
    const tide_frame *f = ((frame_object *)self)->frame;
    const char       *name;
    int64_t           stride, column;
    if (!text_from(key, "name", &name)) return NULL;
    if ((column = tide_frame_find(f, name)) < 0) return raise_invalid("the frame has no column '%s'", name);
    const double *values = tide_frame_values(f, column, &stride);
    array_object *a = array_new(TIDE_F64, TIDE_SHAPE(tide_frame_rows(f)));
    for (int64_t i = 0; a && i < tide_frame_rows(f); i++) ((double *)a->data)[i] = values[i * stride];
    return (PyObject *)a;
}

static PyMethodDef frame_methods[] = { { "values", frame_values, METH_O, doc__Frame_values },
                                        { "pivot", frame_pivot, METH_O, doc__Frame_pivot }, { 0 } };
static PyGetSetDef frame_fields[] = { { "rows", get_rows, NULL, doc__Frame_rows, NULL },
                                      { "names", get_names, NULL, doc__Frame_names, NULL },
                                      { "time_name", get_time_name, NULL, doc__Frame_time_name, NULL },
                                      { "time", get_time, NULL, doc__Frame_time, NULL },
                                      { 0 } };
static PyType_Slot frame_slots[] = { { Py_tp_doc, (void *)doc__Frame },
                                     { Py_tp_dealloc, frame_dealloc },
                                     { Py_tp_methods, frame_methods },
                                     { Py_tp_getset, frame_fields },
                                     { 0 } };
PyType_Spec frame_spec = { "tidemill._Frame", sizeof(frame_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                           frame_slots };

PyMethodDef frame_functions[] = { { "_arrow_fields", arrow_fields, METH_O, doc__arrow_fields },
                                  { "_frame_from_arrow", FAST(frame_from_arrow), doc__frame_from_arrow },
                                  { "_frame_from_columns", FAST(frame_from_columns), doc__frame_from_columns },
                                  { 0 } };
