/* Vector functions by SLEEF, within 1 ulp. */
#ifndef TIDE_VECTOR_MATH_H
#define TIDE_VECTOR_MATH_H

#include <sleef.h>

#define VECTOR_MATH(X) X(exp) X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh) X(erf)
#define X(name)                                                             \
    static inline vf vf_##name(vf x) { return SLEEF_F(name)(x); }           \
    static inline vd vd_##name(vd x) { return SLEEF_D(name)(x); }
VECTOR_MATH(X)
#undef X
static inline vf vf_pow(vf x, vf y) { return SLEEF_F(pow)(x, y); }
static inline vd vd_pow(vd x, vd y) { return SLEEF_D(pow)(x, y); }

#endif
