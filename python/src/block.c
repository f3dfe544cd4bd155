/* Blocks of `with`: scopes, regions that are computed again, samples that are numbered from elsewhere. */
#include "binding.h"

PyTypeObject *block_type;

typedef struct block_object {
    PyObject_HEAD
    graph_object *graph;
    PyObject     *name;       /* of a scope; NULL: it is a region */
} block_object;

static PyObject *block_new(PyObject *graph, PyObject *name) {
    block_object *b = PyObject_GC_New(block_object, block_type);
    if (!b) return NULL;
    b->graph = (graph_object *)Py_NewRef(graph);
    b->name = Py_XNewRef(name);
    PyObject_GC_Track(b);
    return (PyObject *)b;
}

PyObject *graph_scope(PyObject *self, PyObject *name) {
    if (!PyUnicode_Check(name)) return raise_invalid("name: text is needed");
    return block_new(self, name);
}

PyObject *graph_recompute(PyObject *self, PyObject *none) { return (void)none, block_new(self, NULL); }

static PyObject *left(graph_object *g, PyObject *result) {
    bool good = graph_good(g);
    graph_leave(g);
    return good ? Py_NewRef(result) : NULL;
}

static PyObject *block_enter(PyObject *self, PyObject *none) {
    block_object *b = (block_object *)self;
    const char   *name = b->name ? PyUnicode_AsUTF8AndSize(b->name, NULL) : "";
    (void)none;
    if (!name || !graph_enter(b->graph)) return NULL;
    if (b->name) tide_scope_push(b->graph->graph, name);
    else tide_recompute_begin(b->graph->graph);
    return left(b->graph, (PyObject *)b->graph);
}

static PyObject *block_exit(PyObject *self, PyObject *arguments) {
    block_object *b = (block_object *)self;
    (void)arguments;
    if (!graph_enter(b->graph)) return NULL;
    if (b->name) tide_scope_pop(b->graph->graph);
    else tide_recompute_end(b->graph->graph);
    return left(b->graph, Py_None);
}

static int block_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((block_object *)self)->graph);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void block_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF((PyObject *)((block_object *)self)->graph);
    Py_XDECREF(((block_object *)self)->name);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef block_methods[] = {
    { "__enter__", block_enter, METH_NOARGS, doc_Block_enter },
    { "__exit__", block_exit, METH_VARARGS, doc_Block_exit },
    { 0 }
};

static PyType_Slot block_slots[] = {
    { Py_tp_doc, (void *)doc_Block },
    { Py_tp_traverse, block_traverse },
    { Py_tp_dealloc, block_dealloc },
    { Py_tp_methods, block_methods },
    { 0 },
};
PyType_Spec block_spec = { "tidemill.Block", sizeof(block_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                               Py_TPFLAGS_IMMUTABLETYPE,
                           block_slots };
