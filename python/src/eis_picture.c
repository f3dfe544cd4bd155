/* The picture of an answer: drawn when it is asked for, from the answer itself. */
#include "eis.h"

PyTypeObject *picture_type;

typedef struct picture_object {
    PyObject_HEAD
    question *asked;
} picture_object;

PyObject *picture_new(question *q) {
    picture_object *p = PyObject_New(picture_object, picture_type);
    if (p) p->asked = q;
    else question_free(q);
    return (PyObject *)p;
}

static void picture_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    question_free(((picture_object *)self)->asked);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* Several threads may draw at once: nothing of the answer changes. */
static PyObject *picture_svg(PyObject *self, PyObject *none) {
    const question *q = ((picture_object *)self)->asked;
    tide_failure    failure;
    char           *svg = NULL;
    (void)none;
    long_call   c = long_call_begin();
    tide_status status = q->kind->draw(q, &svg, &failure);
    bool        good = long_call_end(&c);
    PyObject   *text = good && !status ? PyUnicode_FromString(svg) : NULL;
    tide_free(svg);
    return status && good ? raise_failure(&failure) : text;
}

static PyMethodDef methods[] = { { "svg", picture_svg, METH_NOARGS, doc__EisPicture_svg }, { 0 } };
static PyType_Slot slots[] = {
    { Py_tp_doc, (void *)doc__EisPicture },
    { Py_tp_dealloc, picture_dealloc },
    { Py_tp_methods, methods },
    { 0 },
};
PyType_Spec picture_spec = { "tidemill._EisPicture", sizeof(picture_object), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots };
