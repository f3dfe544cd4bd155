/* Python's operators on values. */
#ifndef TIDEMILL_PYTHON_NUMBER_H
#define TIDEMILL_PYTHON_NUMBER_H

#include "binding.h"

PyObject *value_add(PyObject *a, PyObject *b);
PyObject *value_subtract(PyObject *a, PyObject *b);
PyObject *value_multiply(PyObject *a, PyObject *b);
PyObject *value_divide(PyObject *a, PyObject *b);
PyObject *value_floor_divide(PyObject *a, PyObject *b);
PyObject *value_remainder(PyObject *a, PyObject *b);
PyObject *value_power(PyObject *a, PyObject *b, PyObject *modulus);
PyObject *value_product(PyObject *a, PyObject *b);
PyObject *value_and(PyObject *a, PyObject *b);
PyObject *value_or(PyObject *a, PyObject *b);
PyObject *value_xor(PyObject *a, PyObject *b);
PyObject *value_negative(PyObject *a);
PyObject *value_positive(PyObject *a);
PyObject *value_absolute(PyObject *a);
PyObject *value_invert(PyObject *a);
PyObject *value_compare(PyObject *a, PyObject *b, int how);

#define VALUE_OPERATORS                                                                                              \
    { Py_nb_add, value_add }, { Py_nb_subtract, value_subtract }, { Py_nb_multiply, value_multiply },                \
        { Py_nb_true_divide, value_divide }, { Py_nb_floor_divide, value_floor_divide },                             \
        { Py_nb_remainder, value_remainder }, { Py_nb_power, value_power }, { Py_nb_matrix_multiply, value_product }, \
        { Py_nb_and, value_and }, { Py_nb_or, value_or }, { Py_nb_xor, value_xor },                                  \
        { Py_nb_negative, value_negative }, { Py_nb_positive, value_positive }, { Py_nb_absolute, value_absolute },  \
        { Py_nb_invert, value_invert }, { Py_tp_richcompare, value_compare }

#endif
