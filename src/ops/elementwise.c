/* Lane-wise operations: builders with broadcasting and types, and their derivatives, one row each. */
#include "table.h"

tide_val scalar_unary(tide_val x, scalar_op op) {
    ir_attr attr = { .scalar = op };
    tide_dtype type = op == S_IS_FINITE ? TIDE_BOOL : tide_dtype_of(x);
    return graph_add(x.graph, OP_SCALAR, type, tide_shape_of(x), &x, 1, &attr);
}

static bool broadcast_shape(tide_shape a, tide_shape b, tide_shape *out) {
    *out = a.ndim >= b.ndim ? a : b;
    for (int i = 1; i <= out->ndim; i++) {
        int64_t da = i <= a.ndim ? a.dim[a.ndim - i] : 1, db = i <= b.ndim ? b.dim[b.ndim - i] : 1;
        if (da != db && da != 1 && db != 1) return false;
        out->dim[out->ndim - i] = da == 1 ? db : da;
    }
    return true;
}

static bool comparison(scalar_op op) { return op >= S_EQ && op <= S_GE; }

static tide_val binary_checked(tide_val a, tide_val b, scalar_op op) {
    tide_graph *g = a.graph;
    tide_shape shape;
    if (!broadcast_shape(tide_shape_of(a), tide_shape_of(b), &shape)) {
        char sa[128], sb[128];
        return graph_fail(g, TIDE_ESHAPE, "%s: shapes %s and %s do not broadcast", scalar_names[op],
                          shape_text(sa, tide_shape_of(a)),
                          shape_text(sb, tide_shape_of(b)));
    }
    tide_val in[2] = { tide_broadcast(a, shape), tide_broadcast(b, shape) };
    ir_attr attr = { .scalar = op };
    return graph_add(g, OP_SCALAR, comparison(op) ? TIDE_BOOL : tide_dtype_of(a), shape, in, 2, &attr);
}

tide_val scalar_binary(tide_val a, tide_val b, scalar_op op) {
    tide_graph *g = a.graph ? a.graph : b.graph;
    if (!operands_good(scalar_names[op], (tide_val[]){ a, b }, 2)) return graph_val(g, -1);
    if (tide_dtype_of(a) != tide_dtype_of(b))
        return graph_fail(g, TIDE_ETYPE, "%s: operands are %s and %s; cast one of them", scalar_names[op],
                          tide_dtype_name(tide_dtype_of(a)),
                          tide_dtype_name(tide_dtype_of(b)));
    return binary_checked(a, b, op);
}

tide_val scalar_after(tide_val x, tide_val first) {
    tide_val in[2] = { x, tide_broadcast(first, tide_shape_of(x)) };
    ir_attr attr = { .scalar = S_AFTER };
    return graph_add(x.graph, OP_SCALAR, tide_dtype_of(x), tide_shape_of(x), in, 2, &attr);
}

/* ---- type rules ---- */

enum { ANY = 1, NUMBER = 2, FLOATING = 4, BOOLEAN = 8 };

static bool type_fits(tide_dtype type, int rule) {
    return rule == ANY || (rule == NUMBER && type_number(type)) || (rule == FLOATING && type_floating(type)) ||
           (rule == BOOLEAN && type == TIDE_BOOL);
}

static bool type_checked(tide_val x, scalar_op op, int rule) {
    if (!operand_good(scalar_names[op], x)) return false;
    if (type_fits(tide_dtype_of(x), rule)) return true;
    graph_fail(x.graph, TIDE_ETYPE, "%s: the operand is %s; it takes %s", scalar_names[op],
               tide_dtype_name(tide_dtype_of(x)),
               rule == FLOATING ? "floating types" : rule == NUMBER ? "numbers" : "bool");
    return false;
}

static tide_val unary(tide_val x, scalar_op op, int rule) {
    return type_checked(x, op, rule) ? scalar_unary(x, op) : graph_val(x.graph, -1);
}

static tide_val binary(tide_val a, tide_val b, scalar_op op, int rule) {
    const char *name = scalar_names[op];
    if (!operands_good(name, (tide_val[]){ a, b }, 2) || !weak_meets(name, &a, &b) || !type_checked(a, op, rule))
        return graph_val(a.graph ? a.graph : b.graph, -1);
    return scalar_binary(a, b, op);
}

#define UNARY(name, OP, rule) \
    tide_val tide_##name(tide_val x) { return unary(x, S_##OP, rule); }
UNARY(neg, NEG, NUMBER)
UNARY(abs, ABS, NUMBER)
UNARY(sign, SIGN, NUMBER)
UNARY(square, SQUARE, NUMBER)
UNARY(reciprocal, RECIPROCAL, FLOATING)
UNARY(sqrt, SQRT, FLOATING)
UNARY(rsqrt, RSQRT, FLOATING)
UNARY(exp, EXP, FLOATING)
UNARY(expm1, EXPM1, FLOATING)
UNARY(log, LOG, FLOATING)
UNARY(log1p, LOG1P, FLOATING)
UNARY(sin, SIN, FLOATING)
UNARY(cos, COS, FLOATING)
UNARY(tanh, TANH, FLOATING)
UNARY(erf, ERF, FLOATING)
UNARY(floor, FLOOR, FLOATING)
UNARY(ceil, CEIL, FLOATING)
UNARY(round, ROUND, FLOATING)
UNARY(is_finite, IS_FINITE, FLOATING)
UNARY(not, NOT, BOOLEAN)
UNARY(relu, RELU, FLOATING)
UNARY(gelu, GELU, FLOATING)
UNARY(sigmoid, SIGMOID, FLOATING)

#define BINARY(name, OP, rule) \
    tide_val tide_##name(tide_val a, tide_val b) { return binary(a, b, S_##OP, rule); }
BINARY(add, ADD, NUMBER)
BINARY(sub, SUB, NUMBER)
BINARY(mul, MUL, NUMBER)
BINARY(div, DIV, NUMBER)
BINARY(pow, POW, FLOATING)
BINARY(maximum, MAX, NUMBER)
BINARY(minimum, MIN, NUMBER)
BINARY(eq, EQ, ANY)
BINARY(ne, NE, ANY)
BINARY(lt, LT, NUMBER)
BINARY(le, LE, NUMBER)
BINARY(gt, GT, NUMBER)
BINARY(ge, GE, NUMBER)
BINARY(and, AND, BOOLEAN)
BINARY(or, OR, BOOLEAN)

tide_val tide_where(tide_val condition, tide_val yes, tide_val no) {
    tide_graph *g = condition.graph;
    if (!operands_good("where", (tide_val[]){ condition, yes, no }, 3) || !weak_meets("where", &yes, &no))
        return graph_val(g, -1);
    if (tide_dtype_of(condition) != TIDE_BOOL || tide_dtype_of(yes) != tide_dtype_of(no))
        return graph_fail(g, TIDE_ETYPE, "where: needs bool and two operands of one type, got %s, %s, %s",
                          tide_dtype_name(tide_dtype_of(condition)),
                          tide_dtype_name(tide_dtype_of(yes)), tide_dtype_name(tide_dtype_of(no)));
    tide_shape two, shape;
    if (!broadcast_shape(tide_shape_of(yes), tide_shape_of(no), &two) ||
        !broadcast_shape(two, tide_shape_of(condition), &shape))
        return graph_fail(g, TIDE_ESHAPE, "where: the shapes of condition and operands do not broadcast");
    tide_val in[3] = { tide_broadcast(condition, shape), tide_broadcast(yes, shape), tide_broadcast(no, shape) };
    ir_attr attr = { .scalar = S_WHERE };
    return graph_add(g, OP_SCALAR, tide_dtype_of(yes), shape, in, 3, &attr);
}

tide_val tide_cast(tide_val x, tide_dtype type) {
    if (!operand_good("cast", x)) return graph_val(x.graph, -1);
    if (graph_node(x)->weak && type_floating(type)) return tide_scalar_of(x.graph, type, graph_node(x)->attr.number);
    return tide_dtype_of(x) == type ? x : graph_add(x.graph, OP_CAST, type, tide_shape_of(x), &x, 1, NULL);
}

tide_val tide_stop_gradient(tide_val x) {
    return graph_add(x.graph, OP_STOP, tide_dtype_of(x), tide_shape_of(x), &x, 1, NULL);
}

static tide_val number_like(tide_val x, double value) { return tide_scalar_of(x.graph, tide_dtype_of(x), value); }

/* In x's type; where that has no such number, poison. */
static tide_val number_for(tide_val x, double value, const char *op) {
    if (!val_good(x) || number_fits(tide_dtype_of(x), value)) return number_like(x, value);
    return graph_fail(x.graph, TIDE_ETYPE, "%s: %g is no number of its partner's type, %s", op, value,
                      tide_dtype_name(tide_dtype_of(x)));
}

#define WITH_NUMBER(name) \
    tide_val tide_##name##_scalar(tide_val a, double b) { return tide_##name(a, number_for(a, b, #name)); }
WITH_NUMBER(add)
WITH_NUMBER(sub)
WITH_NUMBER(mul)
WITH_NUMBER(div)
WITH_NUMBER(pow)
WITH_NUMBER(eq)
WITH_NUMBER(ne)
WITH_NUMBER(lt)
WITH_NUMBER(le)
WITH_NUMBER(gt)
WITH_NUMBER(ge)

tide_val tide_clamp(tide_val x, double low, double high) {
    return tide_minimum(tide_maximum(x, number_like(x, low)), number_like(x, high));
}
tide_val tide_silu(tide_val x) { return tide_mul(x, tide_sigmoid(x)); }

/* max(x, 0) + log1p(exp(-|x|)): no overflow on either side. At 0 the slope is 1/2, and that of the second part 0: so
 * the first is the mean of one that has 0 there and one that has 1. */
tide_val tide_softplus(tide_val x) {
    tide_val below = tide_log1p(tide_exp(tide_neg(tide_abs(x)))); /* first: then slopes add up as of a single max */
    tide_val half = number_like(x, 0.5), flat = tide_relu(x), steep = tide_maximum(x, number_like(x, 0));
    return tide_add(tide_add(tide_mul(flat, half), tide_mul(steep, half)), below);
}

/* ---- derivatives: d[i] is the local derivative's product with dy ---- */

#define K(v) number_like(x, v)
static tide_val gelu_second(tide_val x) {  /* d/dx (Phi + x phi) = phi (2 - x^2) */
    tide_val phi = tide_mul(tide_exp(tide_mul(K(-0.5), tide_square(x))), K(0.39894228040143267794));
    return tide_mul(phi, tide_sub(K(2), tide_square(x)));
}

static tide_val unary_derivative(scalar_op op, tide_val x, tide_val y, tide_val dy) {
    switch (op) {
    case S_NEG: return tide_neg(dy);
    case S_ABS: return tide_mul(dy, tide_sign(x));
    case S_SQUARE: return tide_mul(dy, tide_mul(K(2), x));
    case S_RECIPROCAL: return tide_neg(tide_mul(dy, tide_square(y)));
    case S_SQRT: return tide_div(tide_mul(K(0.5), dy), y);
    case S_RSQRT: return tide_mul(dy, tide_mul(K(-0.5), tide_mul(y, tide_square(y))));
    case S_EXP: return tide_mul(dy, y);
    case S_EXPM1: return tide_mul(dy, tide_add(y, K(1)));
    case S_LOG: return tide_div(dy, x);
    case S_LOG1P: return tide_div(dy, tide_add(x, K(1)));
    case S_SIN: return tide_mul(dy, tide_cos(x));
    case S_COS: return tide_neg(tide_mul(dy, tide_sin(x)));
    case S_TANH: return tide_mul(dy, tide_sub(K(1), tide_square(y)));
    case S_ERF: return tide_mul(dy, tide_mul(K(1.12837916709551257390), tide_exp(tide_neg(tide_square(x)))));
    case S_SIGMOID: return tide_mul(dy, tide_mul(y, tide_sub(K(1), y)));
    case S_GELU: return tide_mul(dy, scalar_unary(x, S_GELU_GRAD));
    case S_GELU_GRAD: return tide_mul(dy, gelu_second(x));
    case S_RELU: return tide_where(tide_gt(x, K(0)), dy, full_like(dy, 0));
    default: return graph_val(x.graph, -1);  /* steps: none */
    }
}

/* a^b: b a^(b-1), and a^b log a, which is 0 where a is 0. */
static void pow_derivative(tide_val a, tide_val b, tide_val y, tide_val dy, tide_val *d) {
    tide_val zero = full_like(a, 0), safe = tide_where(tide_gt(a, zero), a, full_like(a, 1));
    d[0] = tide_mul(dy, tide_mul(b, tide_pow(a, tide_sub(b, number_like(b, 1)))));
    d[1] = tide_mul(dy, tide_mul(y, tide_log(safe)));
}

static void choose_derivative(tide_val first, tide_val dy, tide_val *d) {
    d[0] = tide_where(first, dy, full_like(dy, 0));
    d[1] = tide_where(first, full_like(dy, 0), dy);
}

static void binary_derivative(scalar_op op, tide_val a, tide_val b, tide_val y, tide_val dy, tide_val *d) {
    switch (op) {
    case S_ADD: d[0] = dy, d[1] = dy; break;
    case S_SUB: d[0] = dy, d[1] = tide_neg(dy); break;
    case S_MUL: d[0] = tide_mul(dy, b), d[1] = tide_mul(dy, a); break;
    case S_DIV: d[0] = tide_div(dy, b), d[1] = tide_neg(tide_div(tide_mul(dy, y), b)); break;
    case S_POW: pow_derivative(a, b, y, dy, d); break;
    case S_MAX: choose_derivative(tide_ge(a, b), dy, d); break;
    case S_MIN: choose_derivative(tide_le(a, b), dy, d); break;
    case S_AFTER: d[0] = dy; break;
    default: break;
    }
}

void vjp_scalar(tide_val node, tide_val dy, tide_val *dx) {
    const ir_node *n = graph_node(node);
    if (!type_floating(n->type)) return;
    scalar_op op = (scalar_op)n->attr.scalar;
    if (n->n_in == 1) dx[0] = unary_derivative(op, node_input(node, 0), node, dy);
    else if (n->n_in == 2) binary_derivative(op, node_input(node, 0), node_input(node, 1), node, dy, dx);
    else choose_derivative(node_input(node, 0), dy, dx + 1);
}

void vjp_cast(tide_val node, tide_val dy, tide_val *dx) {
    tide_dtype from = tide_dtype_of(node_input(node, 0));
    if (type_floating(from) && type_floating(tide_dtype_of(node))) dx[0] = tide_cast(dy, from);
}
