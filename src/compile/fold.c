/* Lane-wise operations on plain numbers, in double: what simplify.c puts in their place, and what tells lazy reads
 * which numbers a program need not be made for. */
#include <math.h>

#include "compile.h"

static bool fold_unary(int op, double x, double *y) {
    switch (op) {
    case S_NEG: *y = -x; return true;
    case S_SQUARE: *y = x * x; return true;
    case S_RECIPROCAL: *y = 1 / x; return true;
    case S_SQRT: *y = sqrt(x); return true;
    case S_EXP: *y = exp(x); return true;
    case S_LOG: *y = log(x); return true;
    default: return false;
    }
}

static bool fold_binary(int op, double a, double b, double *y) {
    switch (op) {
    case S_ADD: *y = a + b; return true;
    case S_SUB: *y = a - b; return true;
    case S_MUL: *y = a * b; return true;
    case S_DIV: *y = a / b; return true;
    case S_POW: *y = pow(a, b); return true;
    default: return false;
    }
}

double fold_number(tide_dtype type, double number) { return type == TIDE_F32 ? (double)(float)number : number; }

bool fold_scalar(const ir_node *n, const double *x, double *y) {
    if (n->type != TIDE_F32 && n->type != TIDE_F64) return false;
    bool done = n->n_in == 1 ? fold_unary(n->attr.scalar, x[0], y)
                             : n->n_in == 2 && fold_binary(n->attr.scalar, x[0], x[1], y);
    if (done) *y = fold_number((tide_dtype)n->type, *y);
    return done;
}

bool fold_cast(tide_dtype from, tide_dtype to) {
    return (from == TIDE_F32 || from == TIDE_F64) && (to == TIDE_F32 || to == TIDE_F64);
}
