/* Programs: compiled values, run with arrays; and snapshots of variables. */
#include <string.h>

#include "binding.h"

PyTypeObject *program_type, *snapshot_type;

typedef struct program_object {
    PyObject_HEAD
    graph_object *graph;
    tide_program *program;
} program_object;

static const char *const precisions[] = { "graph", "f32", "bf16", "f16", "auto", NULL };
static const char *const modes[] = { "graph", "default", "reduce-overhead", "max-autotune", NULL };

static program_object *program_new(graph_object *g, tide_program *p) {
    program_object *o = PyObject_GC_New(program_object, program_type);
    if (!o) return NULL;
    o->graph = (graph_object *)Py_NewRef((PyObject *)g);
    o->program = p;
    PyObject_GC_Track(o);
    return o;
}

/* ---- compile ---- */

typedef struct dumper { long_call *call; PyObject *function; } dumper;

static void dump(void *user, const char *pass, const char *text) {
    dumper *d = user;
    long_call_hold(d->call);
    PyObject *result = PyErr_Occurred() ? NULL : PyObject_CallFunction(d->function, "ss", pass, text);
    if (!result) d->call->stopped = true;
    Py_XDECREF(result);
    long_call_release(d->call);
}

static bool wanted_options(PyObject **given, tide_compile_options *o, PyObject **dumped) {
    int64_t word;
    *o = (tide_compile_options){ 0 };
    if (given[1] && !integer_from(given[1], "memory_limit", &o->memory_limit)) return false;
    if (given[2] && !word_from(given[2], "precision", precisions, &word)) return false;
    if (given[2]) o->precision = (tide_precision)word;
    if (given[4] && !word_from(given[4], "mode", modes, &word)) return false;
    if (given[4]) o->mode = (tide_program_mode)word;
    o->strict = given[3] && PyObject_IsTrue(given[3]) == 1;
    o->no_passes = given[5] && PyObject_IsTrue(given[5]) == 0;
    o->dump_dot = given[7] && PyObject_IsTrue(given[7]) == 1;
    *dumped = given[6] && given[6] != Py_None ? given[6] : NULL;
    return !PyErr_Occurred();
}

/* The lock is held. */
static PyObject *compiled(graph_object *g, tide_list wanted, tide_compile_options *o, PyObject *dumped) {
    long_call c = graph_compute(g);
    dumper    d = { &c, dumped };
    if (dumped) o->dump = dump, o->dump_user = &d;
    tide_program *p = tide_compile(wanted, o);
    bool          good = graph_computed(g, &c);
    if (good && p && tide_program_error(p)->status) raise_failure(tide_program_error(p));
    else if (good && !p) raise_failure(tide_program_error(NULL));
    program_object *made = PyErr_Occurred() ? NULL : program_new(g, p);
    if (!made) tide_program_free(p);
    (void)tide_error_take(g->graph, NULL);
    return (PyObject *)made;
}

PyObject *graph_compile(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "wanted", "memory_limit", "precision", "strict", "mode", "passes", "dump",
                                        "dump_dot", NULL };
    graph_object        *g = (graph_object *)self;
    PyObject            *given[8], *dumped, *made = NULL;
    tide_compile_options options;
    tide_list            wanted;
    if (!arguments("compile", rows, 1, args, count, names, given)) return NULL;
    if (!wanted_options(given, &options, &dumped) || !values_from(given[0], "wanted", &g, &wanted)) return NULL;
    if (wanted.count == 0) raise_invalid("compile: nothing is wanted");
    else if (graph_enter(g)) {
        made = compiled(g, wanted, &options, dumped);
        graph_leave(g);
    }
    PyMem_Free((void *)wanted.items);
    return made;
}

static int program_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((program_object *)self)->graph);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

/* The graph waits for nobody here: a run on another thread holds a reference to its program, not to this one. */
static void program_dealloc(PyObject *self) {
    program_object *p = (program_object *)self;
    PyTypeObject   *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (p->program && graph_enter_quietly(p->graph)) {
        tide_program_free(p->program);
        graph_leave(p->graph);
    }
    Py_XDECREF((PyObject *)p->graph);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

/* ---- run ---- */

typedef struct feeds {
    tide_feed *items;
    elements  *held;
    Py_ssize_t count;
} feeds;

static void feeds_free(feeds *f) {
    for (Py_ssize_t i = 0; i < f->count; i++) elements_free(&f->held[i]);
    PyMem_Free(f->items);
    PyMem_Free(f->held);
}

/* The input that a key means: itself, or by its name. */
static bool input_of(graph_object *g, PyObject *key, tide_val *out) {
    PyObject *found = is_value(key) ? key : PyUnicode_Check(key) ? PyDict_GetItemWithError(g->inputs, key) : NULL;
    if (PyErr_Occurred()) return false;
    if (!found && PyUnicode_Check(key)) {
        PyObject *known = PyDict_Keys(g->inputs);
        if (known) raise_invalid_of("run: there is no input '%U'; there are %R", key, known);
        Py_XDECREF(known);
        return false;
    }
    if (!found) return raise_invalid("run: feeds are by input, or by an input's name"), false;
    if (((value_object *)found)->graph != g) return raise_invalid("run: an input of another graph"), false;
    return *out = value_of(found), true;
}

static bool feed_one(graph_object *g, PyObject *key, PyObject *data, feeds *f) {
    tide_val    input;
    if (!input_of(g, key, &input)) return false;
    const char *name = *tide_name_of(input) ? tide_name_of(input) : "feed";
    elements   *e = &f->held[f->count];
    if (!elements_from(data, name, e)) return false;
    f->count++;
    if (!elements_as(e, name, tide_dtype_of(input))) return false;
    tide_shape shape = tide_shape_of(input);
    if (!tide_shape_equal(shape, e->shape)) return raise_shape(name, shape, e->shape), false;
    f->items[f->count - 1] = (tide_feed){ input, e->data };
    return true;
}

static bool feeds_from(graph_object *g, PyObject *given, feeds *f) {
    PyObject  *key, *data;
    Py_ssize_t at = 0;
    *f = (feeds){ 0 };
    if (!given || given == Py_None) return true;
    if (!PyDict_Check(given)) return raise_invalid("run: feeds are a dictionary of arrays by input, or by name"), false;
    size_t count = (size_t)PyDict_Size(given) + 1;
    f->items = PyMem_Calloc(count, sizeof *f->items);
    f->held = PyMem_Calloc(count, sizeof *f->held);
    bool good = (f->items && f->held) || (PyErr_NoMemory(), false);
    while (good && PyDict_Next(given, &at, &key, &data)) {
        if ((size_t)f->count + 1 >= count) raise_invalid("run: the dictionary of feeds changed meanwhile");
        Py_INCREF(key), Py_INCREF(data);
        good = !PyErr_Occurred() && feed_one(g, key, data, f);
        Py_DECREF(key), Py_DECREF(data);
    }
    if (!good) feeds_free(f);
    return good;
}

/* `times` runs with the same feeds; between two of them Ctrl-C is asked for. */
static PyObject *run(program_object *p, const feeds *f, int64_t times) {
    tide_status status = TIDE_OK;
    long_call   c = graph_compute(p->graph);
    for (int64_t i = 0; i < times && !status; i++)
        if (i == 0 || long_call_go_on(&c)) status = tide_run(p->program, f->items, f->count);
        else break;
    bool good = graph_computed(p->graph, &c);
    if (status) raise_failure(tide_program_error(p->program));
    return good && !status ? Py_NewRef(Py_None) : NULL;
}

static PyObject *program_run(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "feeds", "times", NULL };
    program_object *p = (program_object *)self;
    PyObject       *given[2], *result = NULL;
    feeds           f;
    int64_t         times = 1;
    if (!arguments("run", rows, 0, args, count, names, given)) return NULL;
    if (given[1] && !integer_from(given[1], "times", &times)) return NULL;
    if (times < 0) return raise_invalid("times: %lld is negative", (long long)times);
    if (!feeds_from(p->graph, given[0], &f)) return NULL;
    if (graph_enter(p->graph)) {
        result = run(p, &f, times);
        graph_leave(p->graph);
    }
    feeds_free(&f);
    return result;
}

static PyObject *program_wait(PyObject *self, PyObject *none) {
    program_object *p = (program_object *)self;
    (void)none;
    if (!graph_enter(p->graph)) return NULL;
    long_call   c = graph_compute(p->graph);
    tide_status status = tide_wait(p->program);
    bool        good = graph_computed(p->graph, &c);
    if (good && status) raise_failure(tide_program_error(p->program));
    graph_leave(p->graph);
    return good && !status ? Py_NewRef(Py_None) : NULL;
}

/* Without the lock: that is what it is for. */
static PyObject *program_cancel(PyObject *self, PyObject *none) {
    (void)none;
    tide_program_cancel(((program_object *)self)->program);
    return Py_NewRef(Py_None);
}

static PyObject *program_explain(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "feeds", "measure_s", NULL };
    program_object *p = (program_object *)self;
    PyObject       *given[2], *text = NULL;
    feeds           f;
    double          measure = 0;
    if (!arguments("explain", rows, 0, args, count, names, given)) return NULL;
    if (given[1]) measure = PyFloat_AsDouble(given[1]);
    if (PyErr_Occurred() || !feeds_from(p->graph, given[0], &f)) return NULL;
    if (graph_enter(p->graph)) {
        long_call c = graph_compute(p->graph);
        tide_explanation *e = tide_program_explain(p->program, &(tide_explain_options){ f.items, f.count, measure });
        char *words = tide_explanation_text(e, 0, 0);
        bool  good = graph_computed(p->graph, &c);
        if (good && !e) raise_failure(tide_program_error(p->program));
        else if (good && !words) PyErr_NoMemory();
        else if (good) text = PyUnicode_FromString(words);
        tide_free(words);
        tide_explanation_free(e);
        graph_leave(p->graph);
    }
    feeds_free(&f);
    return text;
}

/* ---- what it is ---- */

static tide_program *of(PyObject *self) { return ((program_object *)self)->program; }

static PyObject *get_kernels(PyObject *self, void *none) { return (void)none,
                                                           PyLong_FromLongLong(tide_program_kernels(of(self))); }
static PyObject *get_flops(PyObject *self, void *none) { return (void)none,
                                                         PyFloat_FromDouble(tide_program_flops(of(self))); }
static PyObject *get_bytes(PyObject *self, void *none) { return (void)none,
                                                         PyLong_FromLongLong(tide_program_bytes(of(self)).total); }
static PyObject *get_precision(PyObject *self, void *none) {
    return (void)none, PyUnicode_FromString(tide_precision_name(tide_program_precision(of(self), NULL)));
}
static PyObject *get_device(PyObject *self, void *none) { return (void)none,
                                                          PyUnicode_FromString(tide_program_device(of(self), NULL)); }
static PyObject *get_note(PyObject *self, void *none) {
    const char *precision, *device;
    (void)none;
    tide_program_precision(of(self), &precision);
    tide_program_device(of(self), &device);
    return PyUnicode_FromFormat("%s%s%s", device, *device && *precision ? " " : "", precision);
}

static PyObject *program_repr(PyObject *self) {
    long long kernels = tide_program_kernels(of(self));
    return PyUnicode_FromFormat("<tidemill.Program of %lld kernels on %s, %s>", kernels,
                                tide_program_device(of(self), NULL),
                                tide_precision_name(tide_program_precision(of(self), NULL)));
}

static PyGetSetDef program_fields[] = {
    { "kernels", get_kernels, NULL, doc_Program_kernels, NULL },
    { "flops", get_flops, NULL, doc_Program_flops, NULL },
    { "bytes", get_bytes, NULL, doc_Program_bytes, NULL },
    { "precision", get_precision, NULL, doc_Program_precision, NULL },
    { "device", get_device, NULL, doc_Program_device, NULL },
    { "note", get_note, NULL, doc_Program_note, NULL },
    { 0 },
};

static PyMethodDef program_methods[] = {
    { "run", FAST(program_run), doc_Program_run },
    { "wait", program_wait, METH_NOARGS, doc_Program_wait },
    { "cancel", program_cancel, METH_NOARGS, doc_Program_cancel },
    { "explain", FAST(program_explain), doc_Program_explain },
    { 0 }
};

static PyType_Slot program_slots[] = {
    { Py_tp_doc, (void *)doc_Program },
    { Py_tp_traverse, program_traverse },
    { Py_tp_dealloc, program_dealloc },
    { Py_tp_repr, program_repr },
    { Py_tp_methods, program_methods },
    { Py_tp_getset, program_fields },
    { 0 },
};
PyType_Spec program_spec = { "tidemill.Program", sizeof(program_object), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                 Py_TPFLAGS_IMMUTABLETYPE,
                             program_slots };

/* ---- snapshots ---- */

typedef struct snapshot_object {
    PyObject_HEAD
    graph_object    *graph;
    tide_snapshot_t *snapshot;
} snapshot_object;

PyObject *graph_snapshot(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "variables", NULL };
    graph_object *g = (graph_object *)self;
    PyObject     *given[1];
    tide_list     list = { 0 };
    if (!arguments("snapshot", rows, 0, args, count, names, given)) return NULL;
    bool named = given[0] && given[0] != Py_None;
    if (named && !values_from(given[0], "variables", &g, &list)) return NULL;
    snapshot_object *s = graph_enter(g) ? PyObject_GC_New(snapshot_object, snapshot_type) : NULL;
    if (s) {
        s->graph = (graph_object *)Py_NewRef((PyObject *)g);
        s->snapshot = tide_snapshot(named ? list : tide_state(g->graph, ""));
        PyObject_GC_Track(s);
        if (!s->snapshot && graph_good(g)) {
            if (tide_error(g->graph)->status) raise_failure(tide_error(g->graph));
            else PyErr_NoMemory();
        }
        graph_leave(g);
    }
    PyMem_Free((void *)list.items);
    if (s && !s->snapshot) Py_CLEAR(s);
    return (PyObject *)s;
}

static int snapshot_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((snapshot_object *)self)->graph);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void snapshot_dealloc(PyObject *self) {
    snapshot_object *s = (snapshot_object *)self;
    PyTypeObject    *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (graph_enter_quietly(s->graph)) {
        tide_snapshot_free(s->snapshot);
        graph_leave(s->graph);
    }
    Py_XDECREF((PyObject *)s->graph);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *snapshot_status(snapshot_object *s, tide_status status) {
    if (status) raise_failure(tide_error(s->graph->graph));
    (void)tide_error_take(s->graph->graph, NULL);
    graph_leave(s->graph);
    return status ? NULL : Py_NewRef(Py_None);
}

static PyObject *snapshot_restore(PyObject *self, PyObject *none) {
    snapshot_object *s = (snapshot_object *)self;
    (void)none;
    return graph_enter(s->graph) ? snapshot_status(s, tide_restore(s->snapshot)) : NULL;
}

static PyObject *snapshot_update(PyObject *self, PyObject *none) {
    snapshot_object *s = (snapshot_object *)self;
    (void)none;
    return graph_enter(s->graph) ? snapshot_status(s, tide_snapshot_update(s->snapshot)) : NULL;
}

static PyMethodDef snapshot_methods[] = {
    { "restore", snapshot_restore, METH_NOARGS, doc_Snapshot_restore },
    { "update", snapshot_update, METH_NOARGS, doc_Snapshot_update },
    { 0 }
};

static PyType_Slot snapshot_slots[] = {
    { Py_tp_doc, (void *)doc_Snapshot },
    { Py_tp_traverse, snapshot_traverse },
    { Py_tp_dealloc, snapshot_dealloc },
    { Py_tp_methods, snapshot_methods },
    { 0 },
};
PyType_Spec snapshot_spec = { "tidemill.Snapshot", sizeof(snapshot_object), 0,
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                                  Py_TPFLAGS_IMMUTABLETYPE,
                              snapshot_slots };
