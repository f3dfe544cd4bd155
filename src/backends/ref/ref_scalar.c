/* Single numbers: loads, stores, casts and the scalar operations. */
#include <float.h>
#include <math.h>

#include "half.h"
#include "ref.h"

ref_value ref_load(int type, const void *base, int64_t e) {
    switch (type) {
    case TIDE_F32:  return (ref_value){ .f = ((const float *)base)[e] };
    case TIDE_F64:  return (ref_value){ .f = ((const double *)base)[e] };
    case TIDE_F16:  return (ref_value){ .f = f16_to_float(((const uint16_t *)base)[e]) };
    case TIDE_BF16: return (ref_value){ .f = bf16_to_float(((const uint16_t *)base)[e]) };
    case TIDE_I32:  return (ref_value){ .i = ((const int32_t *)base)[e] };
    case TIDE_I64:  return (ref_value){ .i = ((const int64_t *)base)[e] };
    default:        return (ref_value){ .i = ((const uint8_t *)base)[e] };
    }
}

void ref_store(int type, void *base, int64_t e, ref_value v) {
    switch (type) {
    case TIDE_F32:  ((float *)base)[e] = (float)v.f; break;
    case TIDE_F64:  ((double *)base)[e] = v.f; break;
    case TIDE_F16:  ((uint16_t *)base)[e] = float_to_f16((float)v.f); break;
    case TIDE_BF16: ((uint16_t *)base)[e] = float_to_bf16((float)v.f); break;
    case TIDE_I32:  ((int32_t *)base)[e] = (int32_t)v.i; break;
    case TIDE_I64:  ((int64_t *)base)[e] = v.i; break;
    default:        ((uint8_t *)base)[e] = (uint8_t)v.i; break;
    }
}

/* Brings a result to the range of its type: floats round, integers wrap. */
static ref_value narrow(int type, ref_value v) {
    switch (type) {
    case TIDE_F32:  v.f = (float)v.f; break;
    case TIDE_I32:  v.i = (int32_t)(uint32_t)(uint64_t)v.i; break;
    case TIDE_U8:   v.i = (uint8_t)v.i; break;
    case TIDE_BOOL: v.i = v.i != 0; break;
    default: break;
    }
    return v;
}

/* Floats to integers truncate and saturate; NaN gives 0: the same on every machine. */
static int64_t truncate_to(int type, double x) {
    double low  = type == TIDE_I32 ? INT32_MIN : type == TIDE_I64 ? -0x1p63 : 0;
    double high = type == TIDE_I32 ? 0x1p31 : type == TIDE_I64 ? 0x1p63 : 0x1p8;
    if (isnan(x)) return 0;
    if (x <= low) return type == TIDE_I64 ? INT64_MIN : (int64_t)low;
    if (x >= high) return type == TIDE_I64 ? INT64_MAX : (int64_t)high - 1;
    return (int64_t)x;
}

ref_value ref_cast(int to, int from, ref_value v) {
    if (ref_is_float(from)) {
        if (ref_is_float(to)) return narrow(to, v);
        return (ref_value){ .i = to == TIDE_BOOL ? v.f != 0 : truncate_to(to, v.f) };
    }
    if (to == TIDE_F32) return (ref_value){ .f = (float)v.i };
    if (to == TIDE_F64) return (ref_value){ .f = (double)v.i };
    return narrow(to, v);
}

static double sign_of(double x) { return isnan(x) ? x : (double)((x > 0) - (x < 0)); }
static double maximum(double a, double b) { return a > b || isnan(a) ? a : b; }
static double minimum(double a, double b) { return a < b || isnan(a) ? a : b; }

static double gelu(double x) { return 0.5 * x * (1 + erf(x * 0.70710678118654752440)); }

static double gelu_grad(double x) {
    double cumulative = 0.5 * (1 + erf(x * 0.70710678118654752440));
    return cumulative + x * 0.39894228040143267794 * exp(-0.5 * x * x);
}

static double float_op(scalar_op op, double x, double y) {
    switch (op) {
    case S_NEG:        return -x;
    case S_ABS:        return fabs(x);
    case S_SIGN:       return sign_of(x);
    case S_SQUARE:     return x * x;
    case S_RECIPROCAL: return 1 / x;
    case S_SQRT:       return sqrt(x);
    case S_RSQRT:      return 1 / sqrt(x);
    case S_EXP:        return exp(x);
    case S_EXPM1:      return expm1(x);
    case S_LOG:        return log(x);
    case S_LOG1P:      return log1p(x);
    case S_SIN:        return sin(x);
    case S_COS:        return cos(x);
    case S_TANH:       return tanh(x);
    case S_ERF:        return erf(x);
    case S_FLOOR:      return floor(x);
    case S_CEIL:       return ceil(x);
    case S_ROUND:      return nearbyint(x);
    case S_SIGMOID:    return 1 / (1 + exp(-x));
    case S_GELU:       return gelu(x);
    case S_GELU_GRAD:  return gelu_grad(x);
    case S_RELU:       return x < 0 ? 0 : x;
    case S_ADD:        return x + y;
    case S_SUB:        return x - y;
    case S_MUL:        return x * y;
    case S_DIV:        return x / y;
    case S_POW:        return pow(x, y);
    case S_MAX:        return maximum(x, y);
    case S_MIN:        return minimum(x, y);
    case S_AFTER:      return x;
    default:           return NAN;
    }
}

/* Unsigned arithmetic wraps; narrow() then keeps the low bits. */
static int64_t int_op(scalar_op op, int64_t x, int64_t y) {
    switch (op) {
    case S_NEG:    return (int64_t)-(uint64_t)x;
    case S_ABS:    return x < 0 ? (int64_t)-(uint64_t)x : x;
    case S_SIGN:   return (x > 0) - (x < 0);
    case S_SQUARE: return (int64_t)((uint64_t)x * (uint64_t)x);
    case S_RELU:   return x < 0 ? 0 : x;
    case S_NOT:    return !x;
    case S_ADD:    return (int64_t)((uint64_t)x + (uint64_t)y);
    case S_SUB:    return (int64_t)((uint64_t)x - (uint64_t)y);
    case S_MUL:    return (int64_t)((uint64_t)x * (uint64_t)y);
    case S_DIV:    return y == 0 ? 0 : y == -1 ? (int64_t)-(uint64_t)x : x / y;
    case S_MAX:    return x > y ? x : y;
    case S_MIN:    return x < y ? x : y;
    case S_AND:    return x && y;
    case S_OR:     return x || y;
    default:       return x;  /* floor, ceil, round, after */
    }
}

static bool compare(scalar_op op, int type, ref_value a, ref_value b) {
    bool real = ref_is_float(type);
    bool less = real ? a.f < b.f : a.i < b.i, equal = real ? a.f == b.f : a.i == b.i;
    bool more = real ? a.f > b.f : a.i > b.i;
    switch (op) {
    case S_EQ: return equal;
    case S_NE: return !equal;
    case S_LT: return less;
    case S_LE: return less || equal;
    case S_GT: return more;
    case S_GE: return more || equal;
    default:   return !real || isfinite(a.f);  /* is_finite */
    }
}

ref_value ref_scalar(scalar_op op, int type, int src_type, const ref_value *src) {
    if (op == S_WHERE) return src[0].i ? src[1] : src[2];
    if (op == S_IS_FINITE || (op >= S_EQ && op <= S_GE))
        return (ref_value){ .i = compare(op, src_type, src[0], src[1]) };
    if (ref_is_float(type)) return narrow(type, (ref_value){ .f = float_op(op, src[0].f, src[1].f) });
    return narrow(type, (ref_value){ .i = int_op(op, src[0].i, src[1].i) });
}
