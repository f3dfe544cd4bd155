/* The module tidemill._tidemill: its types, its functions, and what they share. */
#include <string.h>

#include "eis.h"

/* A type of a spec whose methods are `own` and `generated` ones. */
static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec, PyMethodDef *own, const PyMethodDef *generated) {
    size_t n = 0, more = 0;
    if (own) {
        while (own[n].ml_name) n++;
        while (generated[more].ml_name) more++;
        /* As long as the type, which is as long as the process. */
        PyMethodDef *all = PyMem_Calloc(n + more + 1, sizeof *all);
        if (!all) return (PyTypeObject *)PyErr_NoMemory();
        memcpy(all, own, n * sizeof *all);
        memcpy(all + n, generated, more * sizeof *all);
        for (PyType_Slot *slot = spec->slots; slot->slot; slot++)
            if (slot->slot == Py_tp_methods) slot->pfunc = all;
    }
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (!type || PyModule_AddType(module, (PyTypeObject *)type) < 0) return NULL;
    return (PyTypeObject *)type;
}

static bool add_types(PyObject *module) {
    graph_type = add_type(module, &graph_spec, graph_own_methods, generated_graph_methods);
    value_type = graph_type ? add_type(module, &value_spec, value_own_methods, generated_value_methods) : NULL;
    /* numpy leaves operators with its arrays to us. */
    if (value_type && PyObject_SetAttrString((PyObject *)value_type, "__array_ufunc__", Py_None) < 0) value_type = NULL;
    program_type = value_type ? add_type(module, &program_spec, NULL, NULL) : NULL;
    block_type = program_type ? add_type(module, &block_spec, NULL, NULL) : NULL;
    snapshot_type = block_type ? add_type(module, &snapshot_spec, NULL, NULL) : NULL;
    array_type = snapshot_type ? add_type(module, &array_spec, NULL, NULL) : NULL;
    predictor_type = array_type ? add_type(module, &predictor_spec, NULL, NULL) : NULL;
    picture_type = predictor_type ? add_type(module, &picture_spec, NULL, NULL) : NULL;
    frame_type = picture_type ? add_type(module, &frame_spec, NULL, NULL) : NULL;
    model_type = frame_type ? add_type(module, &model_spec, NULL, NULL) : NULL;
    bool good = model_type != NULL;
    for (int i = 0; good && i < generated_record_count; i++) {
        record_type *r = &generated_records[i];
        r->type = add_type(module, r->spec, NULL, NULL);
        good = r->type != NULL;
    }
    return good;
}

/* Types and exceptions are the process's: a second interpreter would share them. */
static int fill_module(PyObject *module) {
    if (graph_type) return PyErr_SetString(PyExc_ImportError,
                                           "tidemill can be loaded by one interpreter of a process"), -1;
    bool good = errors_add(module) && add_types(module) &&
                PyModule_AddStringConstant(module, "__version__", tide_version()) == 0 &&
                PyModule_AddFunctions(module, own_functions) == 0 &&
                PyModule_AddFunctions(module, eis_functions) == 0 &&
                PyModule_AddFunctions(module, frame_functions) == 0 &&
                PyModule_AddFunctions(module, forecast_functions) == 0 &&
                PyModule_AddFunctions(module, generated_functions) == 0;
    return good ? 0 : -1;
}

static PyModuleDef_Slot slots[] = { { Py_mod_exec, fill_module }, { 0 } };
static PyModuleDef definition = { PyModuleDef_HEAD_INIT, .m_name = "tidemill._tidemill",
                                  .m_doc = "The engine, in C: see tidemill.", .m_slots = slots };

PyMODINIT_FUNC PyInit__tidemill(void) { return PyModuleDef_Init(&definition); }
