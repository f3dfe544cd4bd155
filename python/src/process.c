/* What belongs to the process: devices, threads, variables that graphs share. */
#include <string.h>

#include "binding.h"

static PyObject *devices(PyObject *module, PyObject *none) {
    PyObject *list = PyList_New(0);
    (void)module, (void)none;
    for (const char *const *name = tide_devices(); list && *name; name++) {
        PyObject *text = PyUnicode_FromString(*name);
        if (!text || PyList_Append(list, text) < 0) Py_CLEAR(list);
        Py_XDECREF(text);
    }
    return list;
}

static PyObject *device_info(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "device", NULL };
    PyObject    *given[1];
    tide_device  d;
    tide_failure failure;
    (void)module;
    if (!arguments("device_info", rows, 0, args, count, names, given)) return NULL;
    const char *name = NULL;
    if (given[0] && given[0] != Py_None && !text_from(given[0], "device", &name)) return NULL;
    if (tide_device_info(name, &d, &failure)) return raise_failure(&failure);
    return Py_BuildValue("{sssssLsO}", "name", d.name, "hardware", d.hardware, "memory_bytes",
                         (long long)d.memory_bytes,
                         "own_memory", d.own_memory ? Py_True : Py_False);
}

static PyObject *products(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "device", NULL };
    PyObject *given[1], *list;
    (void)module;
    if (!arguments("products", rows, 0, args, count, names, given)) return NULL;
    const char *name = "cpu";
    if ((given[0] && !text_from(given[0], "device", &name)) || !(list = PyList_New(0))) return NULL;
    for (const tide_product_library *p = tide_products(name); list && p->name; p++) {
        PyObject *row = Py_BuildValue("{szszszsz}", "name", p->name, "version", p->version, "path", p->path, "lacks",
                                      p->lacks);
        if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *thread_budget(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "threads", NULL };
    PyObject *given[1];
    int64_t   threads;
    (void)module;
    if (!arguments("thread_budget", rows, 0, args, count, names, given)) return NULL;
    int before = tide_thread_budget_get();
    if (given[0] && given[0] != Py_None) {
        if (!integer_from(given[0], "threads", &threads)) return NULL;
        if (threads < 0 || threads > 1024) return raise_invalid("threads: %lld is not within 0 to 1024",
                (long long)threads);
        tide_thread_budget_set((int)threads);
    }
    return PyLong_FromLong(before);
}

/* Both graphs are taken in the order of their addresses, so that two calls cannot wait for each other. */
static PyObject *share(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const char *const rows[] = { "to", "source", NULL };
    PyObject     *given[2], *result = NULL;
    graph_object *first = NULL, *second = NULL;
    tide_list     to, from;
    (void)module;
    if (!arguments("share", rows, 2, args, count, names, given)) return NULL;
    if (!values_from(given[0], "to", &first, &to)) return NULL;
    if (!values_from(given[1], "source", &second, &from)) return PyMem_Free((void *)to.items), NULL;
    if (!first || !second) raise_invalid("share: there are no variables");
    else {
        graph_object *low = first < second ? first : second, *high = first < second ? second : first;
        tide_failure  failure;
        if (graph_enter(low)) {
            if (graph_enter(high)) {
                tide_status status = tide_variables_share(to, from, &failure);
                result = status ? raise_failure(&failure) : Py_NewRef(Py_None);
                (void)tide_error_take(first->graph, NULL), (void)tide_error_take(second->graph, NULL);
                graph_leave(high);
            }
            graph_leave(low);
        }
    }
    PyMem_Free((void *)to.items);
    PyMem_Free((void *)from.items);
    return result;
}

PyMethodDef own_functions[] = {
    { "devices", devices, METH_NOARGS, doc_devices },
    { "device_info", FAST(device_info), doc_device_info },
    { "products", FAST(products), doc_products },
    { "thread_budget", FAST(thread_budget), doc_thread_budget },
    { "share", FAST(share), doc_share },
    { 0 }
};
