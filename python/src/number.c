/* Python's operators on values, as numpy defines them. */
#include "number.h"

static graph_object *graph_of(PyObject *a, PyObject *b) {
    return ((value_object *)(is_value(a) ? a : b))->graph;
}

/* What the operators take beside a value. */
static bool is_operand(PyObject *o) {
    if (is_value(o) || PyFloat_Check(o) || PyLong_Check(o) || PyList_Check(o) || PyTuple_Check(o) ||
        PyObject_CheckBuffer(o))
        return true;
    PyObject *dlpack = PyObject_GetAttrString(o, "__dlpack__");
    PyErr_Clear();
    Py_XDECREF(dlpack);
    return dlpack != NULL;
}

typedef struct operands { graph_object *graph; tide_val a, b; } operands;

/* Both, of one graph that is entered. 0: an exception; -1: not for us. */
static int both(PyObject *a, PyObject *b, const char *name, operands *o) {
    if (!is_operand(a) || !is_operand(b)) return -1;
    o->graph = graph_of(a, b);
    if (is_value(a) && is_value(b) && ((value_object *)a)->graph != ((value_object *)b)->graph)
        return raise_invalid("%s: the values belong to different graphs", name), 0;
    if (!graph_enter(o->graph)) return 0;
    tide_dtype type = tide_dtype_of(value_of(is_value(a) ? a : b));
    if (value_from(o->graph, name, a, &type, &o->a) && value_from(o->graph, name, b, &type, &o->b)) return 1;
    graph_leave(o->graph);
    return 0;
}

PyObject *value_binary(PyObject *a, PyObject *b, const char *name, tide_val (*op)(tide_val, tide_val)) {
    operands o;
    int      good = both(a, b, name, &o);
    if (good < 0) return Py_NewRef(Py_NotImplemented);
    return good ? value_result(o.graph, op(o.a, o.b)) : NULL;
}

static bool is_integer(tide_val v) { return tide_dtype_of(v) > TIDE_BF16; }

static tide_val divide(tide_val a, tide_val b) {
    if (!is_integer(a) || !is_integer(b)) return tide_div(a, b);
    return tide_poison(a.graph, TIDE_ETYPE, "/ of integers: cast them to a floating type first, or use // or div");
}

/* Down to the next integer: C's quotient is one too large where there is a rest and the signs differ. */
static tide_val floor_divide(tide_val a, tide_val b) {
    if (!is_integer(a) || !is_integer(b)) return tide_floor(tide_div(a, b));
    tide_val quotient = tide_div(a, b), rest = tide_sub(a, tide_mul(quotient, b));
    tide_val zero = tide_scalar_of(a.graph, tide_dtype_of(rest), 0);
    tide_val lower = tide_and(tide_ne(rest, zero), tide_ne(tide_lt(rest, zero), tide_lt(tide_broadcast(b,
            tide_shape_of(rest)), zero)));
    /* By zero, which gives 0, nothing is to be lowered. */
    lower = tide_and(lower, tide_ne(tide_broadcast(b, tide_shape_of(rest)), zero));
    return tide_where(lower, tide_sub_scalar(quotient, 1), quotient);
}

static tide_val remainder_of(tide_val a, tide_val b) { return tide_sub(a, tide_mul(floor_divide(a, b), b)); }

static tide_val exclusive(tide_val a, tide_val b) {
    if (tide_dtype_of(a) == TIDE_BOOL && tide_dtype_of(b) == TIDE_BOOL) return tide_ne(a, b);
    return tide_poison(a.graph, TIDE_ETYPE, "^: only values of bool are accepted");
}

/* As numpy's: a vector is a row on the left and a column on the right, and what it added is removed. */
static tide_val product(tide_val a, tide_val b) {
    int left = tide_shape_of(a).ndim, right = tide_shape_of(b).ndim;
    if (!left || !right) return tide_poison(a.graph, TIDE_ESHAPE,
                                            "@: a value of shape () has no axis to multiply over");
    if (left == 1) a = tide_expand_dims(a, 0);
    if (right == 1) b = tide_expand_dims(b, -1);
    tide_val out = tide_matmul(a, b);
    if (right == 1) out = tide_squeeze(out, -1);
    if (left == 1) out = tide_squeeze(out, right == 1 ? -1 : -2);
    return out;
}

PyObject *value_add(PyObject *a, PyObject *b) { return value_binary(a, b, "+", tide_add); }
PyObject *value_subtract(PyObject *a, PyObject *b) { return value_binary(a, b, "-", tide_sub); }
PyObject *value_multiply(PyObject *a, PyObject *b) { return value_binary(a, b, "*", tide_mul); }
PyObject *value_divide(PyObject *a, PyObject *b) { return value_binary(a, b, "/", divide); }
PyObject *value_floor_divide(PyObject *a, PyObject *b) { return value_binary(a, b, "//", floor_divide); }
PyObject *value_remainder(PyObject *a, PyObject *b) { return value_binary(a, b, "%", remainder_of); }
PyObject *value_product(PyObject *a, PyObject *b) { return value_binary(a, b, "@", product); }
PyObject *value_and(PyObject *a, PyObject *b) { return value_binary(a, b, "&", tide_and); }
PyObject *value_or(PyObject *a, PyObject *b) { return value_binary(a, b, "|", tide_or); }
PyObject *value_xor(PyObject *a, PyObject *b) { return value_binary(a, b, "^", exclusive); }

PyObject *value_power(PyObject *a, PyObject *b, PyObject *modulus) {
    if (modulus != Py_None) return Py_NewRef(Py_NotImplemented);
    return value_binary(a, b, "**", tide_pow);
}

PyObject *value_compare(PyObject *a, PyObject *b, int how) {
    static const struct { const char *name; tide_val (*op)(tide_val, tide_val); } ops[] = {
        [Py_LT] = { "<", tide_lt }, [Py_LE] = { "<=", tide_le }, [Py_EQ] = { "==", tide_eq },
        [Py_NE] = { "!=", tide_ne }, [Py_GT] = { ">", tide_gt }, [Py_GE] = { ">=", tide_ge },
    };
    return value_binary(a, b, ops[how].name, ops[how].op);
}

static PyObject *unary(PyObject *a, tide_val (*op)(tide_val)) {
    graph_object *g = ((value_object *)a)->graph;
    return graph_enter(g) ? value_result(g, op(value_of(a))) : NULL;
}
PyObject *value_negative(PyObject *a) { return unary(a, tide_neg); }
PyObject *value_positive(PyObject *a) { return Py_NewRef(a); }
PyObject *value_absolute(PyObject *a) { return unary(a, tide_abs); }
PyObject *value_invert(PyObject *a) { return unary(a, tide_not); }
