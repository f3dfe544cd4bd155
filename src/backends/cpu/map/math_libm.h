/* Vector functions lane by lane, by the C library. exp and erf of floats are in math_f32.h. */
#ifndef TIDE_VECTOR_MATH_H
#define TIDE_VECTOR_MATH_H

#include <math.h>

#define X(name)                                                             \
    static inline vf vf_##name(vf x) {                                      \
        for (int i = 0; i < VF_LANES; i++) x[i] = name##f(x[i]);            \
        return x;                                                           \
    }
X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh)
#undef X
#define X(name)                                                             \
    static inline vd vd_##name(vd x) {                                      \
        for (int i = 0; i < VD_LANES; i++) x[i] = name(x[i]);               \
        return x;                                                           \
    }
X(exp) X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh) X(erf)
#undef X
static inline vf vf_pow(vf x, vf y) {
    for (int i = 0; i < VF_LANES; i++) x[i] = powf(x[i], y[i]);
    return x;
}
static inline vd vd_pow(vd x, vd y) {
    for (int i = 0; i < VD_LANES; i++) x[i] = pow(x[i], y[i]);
    return x;
}

#endif
