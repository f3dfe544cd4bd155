/* The scalar operations: what one lane of a fused kernel can do. One table for every backend and emitter. */
#ifndef TIDE_SCALAR_H
#define TIDE_SCALAR_H

/* X(NAME, "name", operands). Meanings are those of <tidemill/ops.h>.
 * GELU_GRAD is d gelu(x) / dx = Phi(x) + x phi(x). MAX and MIN: NaN wins. Integer DIV by zero is 0.
 * Comparisons and IS_FINITE give BOOL; AND, OR, NOT take BOOL; WHERE(c, a, b) takes BOOL c and gives a or b. AFTER(a,
 * b) is a, made when b is there; b is of any type. */
#define SCALAR_OPS(X)                                                                                              \
    X(NEG, "neg", 1) X(ABS, "abs", 1) X(SIGN, "sign", 1) X(SQUARE, "square", 1) X(RECIPROCAL, "reciprocal", 1)    \
    X(SQRT, "sqrt", 1) X(RSQRT, "rsqrt", 1) X(EXP, "exp", 1) X(EXPM1, "expm1", 1) X(LOG, "log", 1)                \
    X(LOG1P, "log1p", 1) X(SIN, "sin", 1) X(COS, "cos", 1) X(TANH, "tanh", 1) X(ERF, "erf", 1)                    \
    X(FLOOR, "floor", 1) X(CEIL, "ceil", 1) X(ROUND, "round", 1) X(SIGMOID, "sigmoid", 1) X(GELU, "gelu", 1)      \
    X(GELU_GRAD, "gelu_grad", 1) X(RELU, "relu", 1) X(IS_FINITE, "is_finite", 1) X(NOT, "not", 1)                 \
    X(ADD, "add", 2) X(SUB, "sub", 2) X(MUL, "mul", 2) X(DIV, "div", 2) X(POW, "pow", 2) X(MAX, "maximum", 2)     \
    X(MIN, "minimum", 2) X(EQ, "eq", 2) X(NE, "ne", 2) X(LT, "lt", 2) X(LE, "le", 2) X(GT, "gt", 2)               \
    X(GE, "ge", 2) X(AND, "and", 2) X(OR, "or", 2) X(AFTER, "after", 2) X(WHERE, "where", 3)

typedef enum scalar_op {
#define X(NAME, text, arity) S_##NAME,
    SCALAR_OPS(X)
#undef X
    SCALAR_COUNT
} scalar_op;

#endif
