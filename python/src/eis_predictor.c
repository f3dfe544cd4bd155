/* A trained predictor of impedance, opened once: as many handles as threads ask it at a time, one set of parameters. */
#include <pthread.h>
#include <stdlib.h>

#include "eis.h"

PyTypeObject *predictor_type;

enum { MOST_IDLE = 64 };
struct predictor_object {
    PyObject_HEAD
    eis_model      *model;             /* that others are clones of; asked by nobody */
    eis_model      *idle[MOST_IDLE];
    int             n_idle;
    pthread_mutex_t lock;              /* of the idle ones */
    PyObject       *path;
};

eis_model *handle_take(predictor_object *p, tide_failure *failure) {
    eis_model *m = NULL;
    pthread_mutex_lock(&p->lock);
    if (p->n_idle) m = p->idle[--p->n_idle];
    pthread_mutex_unlock(&p->lock);
    if (!m) eis_model_clone(p->model, &m, failure);
    return m;
}

void handle_give(predictor_object *p, eis_model *m) {
    pthread_mutex_lock(&p->lock);
    bool room = p->n_idle < MOST_IDLE;
    if (room) p->idle[p->n_idle++] = m;
    pthread_mutex_unlock(&p->lock);
    if (!room) eis_model_free(m);
}

static PyObject *predictor_make(PyTypeObject *type, PyObject *args, PyObject *named) {
    static char *names[] = { "path", "options", NULL };
    PyObject    *path, *options;
    const char  *text;
    eis_model   *model = NULL;
    tide_failure failure;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, named, "OO:Predictor", names, &path, &options)) return NULL;
    if (!text_from(path, "path", &text)) return NULL;
    eis_options *o = eis_options_from(options, EIS_FOR_COMPLETE | EIS_FOR_TRAIN);
    if (!o) return NULL;
    long_call c = long_call_begin();
    tide_status status = eis_model_load(text, o, &model, &failure);
    bool good = long_call_end(&c);
    eis_options_free(o);
    predictor_object *p = good && !status ? PyObject_New(predictor_object, predictor_type) : NULL;
    if (!p) {
        eis_model_free(model);
        return status ? raise_failure(&failure) : NULL;
    }
    p->model = model, p->n_idle = 0, p->path = Py_NewRef(path);
    pthread_mutex_init(&p->lock, NULL);
    return (PyObject *)p;
}

static void predictor_dealloc(PyObject *self) {
    predictor_object *p = (predictor_object *)self;
    PyTypeObject     *type = Py_TYPE(self);
    while (p->n_idle) eis_model_free(p->idle[--p->n_idle]);
    eis_model_free(p->model);
    pthread_mutex_destroy(&p->lock);
    Py_DECREF(p->path);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *predictor_repr(PyObject *self) {
    return PyUnicode_FromFormat("<tidemill.eis.Predictor %R>", ((predictor_object *)self)->path);
}

static PyObject *get_takes_spectrum(PyObject *self, void *none) {
    return (void)none, PyBool_FromLong(eis_model_takes_spectrum(((predictor_object *)self)->model));
}
static PyObject *get_path(PyObject *self, void *none) {
    return (void)none, Py_NewRef(((predictor_object *)self)->path);
}

static PyGetSetDef fields[] = { { "takes_spectrum", get_takes_spectrum, NULL, doc__EisPredictor_takes_spectrum, NULL },
                                { "path", get_path, NULL, doc__EisPredictor_path, NULL },
                                { 0 } };
static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)doc__EisPredictor },
    { Py_tp_new, predictor_make },
    { Py_tp_dealloc, predictor_dealloc },
    { Py_tp_repr, predictor_repr },
    { Py_tp_getset, fields },
    { 0 },
};
PyType_Spec predictor_spec = { "tidemill._EisPredictor", sizeof(predictor_object), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots };
