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

/* What the library does for an operator: with two values, and with a number on the right (NULL: as with a value). */
typedef struct operator {
    const char *name;
    tide_val  (*values)(tide_val a, tide_val b), (*number)(tide_val a, double b);
} operator;

/* A number that the library's functions of numbers take as it is. */
static bool is_number(PyObject *o, double *out) {
    if (PyFloat_Check(o)) return *out = PyFloat_AsDouble(o), true;
    if (!PyLong_Check(o) || PyBool_Check(o)) return false;
    *out = PyLong_AsDouble(o);
    if (PyErr_Occurred()) return PyErr_Clear(), false;
    return *out < 0x1p53 && *out > -0x1p53;
}

static bool operand_from(graph_object *g, const operator *op, PyObject *o, PyObject *partner, tide_val *out) {
    if (is_value(o)) return *out = value_of(o), true;
    tide_dtype type = tide_dtype_of(value_of(partner));
    return value_from(g, op->name, o, &type, out);
}

static PyObject *apply(PyObject *a, PyObject *b, const operator *op) {
    double   number;
    tide_val left, right;
    if (!is_operand(a) || !is_operand(b)) return Py_NewRef(Py_NotImplemented);
    graph_object *g = graph_of(a, b);
    if (is_value(a) && is_value(b) && ((value_object *)a)->graph != ((value_object *)b)->graph)
        return raise_invalid("%s: the values belong to different graphs", op->name);
    if (!graph_enter(g)) return NULL;
    if (op->number && is_value(a) && is_number(b, &number)) return value_result(g, op->number(value_of(a), number));
    if (operand_from(g, op, a, b, &left) && operand_from(g, op, b, a, &right))
        return value_result(g, op->values(left, right));
    graph_leave(g);
    return NULL;
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

#define OPERATOR(function, symbol, values, number)                         \
    PyObject *function(PyObject *a, PyObject *b) {                         \
        static const operator op = { symbol, values, number };             \
        return apply(a, b, &op);                                           \
    }
OPERATOR(value_add, "+", tide_add, tide_add_scalar)
OPERATOR(value_subtract, "-", tide_sub, tide_sub_scalar)
OPERATOR(value_multiply, "*", tide_mul, tide_mul_scalar)
OPERATOR(value_divide, "/", divide, NULL)
OPERATOR(value_floor_divide, "//", floor_divide, NULL)
OPERATOR(value_remainder, "%", remainder_of, NULL)
OPERATOR(value_product, "@", product, NULL)
OPERATOR(value_and, "&", tide_and, NULL)
OPERATOR(value_or, "|", tide_or, NULL)
OPERATOR(value_xor, "^", exclusive, NULL)

PyObject *value_power(PyObject *a, PyObject *b, PyObject *modulus) {
    if (modulus != Py_None) return Py_NewRef(Py_NotImplemented);
    static const operator op = { "**", tide_pow, tide_pow_scalar };
    return apply(a, b, &op);
}

PyObject *value_compare(PyObject *a, PyObject *b, int how) {
    static const operator ops[] = {
        [Py_LT] = { "<", tide_lt, tide_lt_scalar },  [Py_LE] = { "<=", tide_le, tide_le_scalar },
        [Py_EQ] = { "==", tide_eq, tide_eq_scalar }, [Py_NE] = { "!=", tide_ne, tide_ne_scalar },
        [Py_GT] = { ">", tide_gt, tide_gt_scalar },  [Py_GE] = { ">=", tide_ge, tide_ge_scalar },
    };
    return apply(a, b, &ops[how]);
}

static PyObject *unary(PyObject *a, tide_val (*op)(tide_val)) {
    graph_object *g = ((value_object *)a)->graph;
    return graph_enter(g) ? value_result(g, op(value_of(a))) : NULL;
}
PyObject *value_negative(PyObject *a) { return unary(a, tide_neg); }
PyObject *value_positive(PyObject *a) { return Py_NewRef(a); }
PyObject *value_absolute(PyObject *a) { return unary(a, tide_abs); }
PyObject *value_invert(PyObject *a) { return unary(a, tide_not); }
