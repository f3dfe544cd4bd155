/* Failures of the library as exceptions: one class for each kind that a program would treat in a way of its own. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"

error_types errors;

/* A class of `name` under Error and, where it is given, under one of Python's own. */
static PyObject *make_class(PyObject *module, const char *name, const char *doc, PyObject *base, PyObject *other) {
    PyObject *bases = other ? PyTuple_Pack(2, base, other) : PyTuple_Pack(1, base);
    PyObject *made = bases ? PyErr_NewExceptionWithDoc(name, doc, bases, NULL) : NULL;
    Py_XDECREF(bases);
    if (made && PyModule_AddObjectRef(module, strrchr(name, '.') + 1, made) < 0) Py_CLEAR(made);
    return made;
}

bool errors_add(PyObject *module) {
    errors.error = make_class(module, "tidemill.Error",
                              "What the library reports; status says which kind: \"io\", \"cancelled\", ...",
                              PyExc_Exception, NULL);
    if (!errors.error) return false;
    errors.invalid = make_class(module, "tidemill.InvalidError",
                                "An argument, shape or element type is not what is accepted; the message says what is.",
                                errors.error, PyExc_ValueError);
    errors.data = make_class(module, "tidemill.DataError",
                             "Content from outside is malformed: row (1-based; 0: none), column and file say where.",
                             errors.error, PyExc_ValueError);
    errors.device = make_class(module, "tidemill.DeviceError", "There is no such device or feature here.", errors.error,
                               NULL);
    return errors.invalid && errors.data && errors.device;
}

/* As Python spells it: `seq-len` in backticks, an option, is seq_len, and functions go without the library's prefix. */
void respell(char *text) {
    static const char *const prefixes[] = { "tide_graph_", "tide_", NULL };
    bool  inside = false, begins = true;
    char *to = text;
    for (const char *c = text; *c; c++) {
        for (int i = 0; begins && prefixes[i]; i++)
            if (!strncmp(c, prefixes[i], strlen(prefixes[i]))) c += strlen(prefixes[i]), begins = false;
        if (*c == '`') inside = !inside;
        begins = !(*c == '_' || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'));
        *to++ = (char)(inside && *c == '-' && c[1] >= 'a' && c[1] <= 'z' ? '_' : *c);
    }
    *to = 0;
}

static PyObject *class_of(tide_status status) {
    switch (status) {
    case TIDE_ESHAPE:
    case TIDE_ETYPE:
    case TIDE_EINVAL: return errors.invalid;
    case TIDE_EDATA: return errors.data;
    case TIDE_EDEVICE: return errors.device;
    default: return errors.error;
    }
}

static bool set_text(PyObject *exception, const char *name, const char *text) {
    PyObject *value = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    bool set = value && PyObject_SetAttrString(exception, name, value) == 0;
    Py_XDECREF(value);
    return set;
}

static bool set_place(PyObject *exception, const tide_failure *failure) {
    PyObject *row = PyLong_FromLongLong(failure->row);
    bool set = row && PyObject_SetAttrString(exception, "row", row) == 0;
    Py_XDECREF(row);
    return set && set_text(exception, "column", failure->column) && set_text(exception, "file", failure->file);
}

void *raise_failure(const tide_failure *failure) {
    char text[sizeof failure->message + sizeof failure->file + 2];
    if (PyErr_Occurred()) return NULL;
    const char *message = *failure->message ? failure->message : tide_status_name(failure->status);
    bool        named = !*failure->file || strstr(message, failure->file);
    snprintf(text, sizeof text, "%s%s%s", named ? "" : failure->file, named ? "" : ": ", message);
    respell(text);
    PyObject *type = failure->status == TIDE_ENOMEM ? PyExc_MemoryError : class_of(failure->status);
    PyObject *words = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    PyObject *exception = words ? PyObject_CallFunctionObjArgs(type, words, NULL) : NULL;
    Py_XDECREF(words);
    bool told = exception && (failure->status == TIDE_ENOMEM ||
                              (set_text(exception, "status", tide_status_name(failure->status)) &&
                               set_place(exception, failure)));
    if (told) PyErr_SetObject(type, exception);
    Py_XDECREF(exception);
    return NULL;
}

void *raise_invalid(const char *format, ...) {
    tide_failure failure = { .status = TIDE_EINVAL };
    va_list args;
    va_start(args, format);
    vsnprintf(failure.message, sizeof failure.message, format, args);
    va_end(args);
    return raise_failure(&failure);
}

void *raise_invalid_of(const char *format, ...) {
    va_list args;
    va_start(args, format);
    PyObject *text = PyUnicode_FromFormatV(format, args);
    va_end(args);
    const char *words = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    if (words) raise_invalid("%s", words);
    Py_XDECREF(text);
    return NULL;
}

void *raise_shape(const char *what, tide_shape should, tide_shape is) {
    PyObject *a = shape_object(should), *b = shape_object(is);
    if (a && b) raise_invalid_of("%s has the shape %R; what is given has %R", what, a, b);
    Py_XDECREF(a), Py_XDECREF(b);
    return NULL;
}
