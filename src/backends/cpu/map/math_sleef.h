/* Vector functions by SLEEF, within 1 ulp. exp and erf of floats are in math_f32.h. */
#ifndef TIDE_VECTOR_MATH_H
#define TIDE_VECTOR_MATH_H

#include <sleef.h>

#define X(name) static inline vf vf_##name(vf x) { return SLEEF_F(name)(x); }
X(expm1) X(log) X(sin) X(cos) X(tanh)
#undef X
/* SLEEF's own overflows above about 1e38; from 2^25 on, x + 1 is x. */
static inline vf vf_log1p(vf x) { return vf_if_greater(x, 0x1p25f, vf_log(x), SLEEF_F(log1p)(x)); }
#define X(name) static inline vd vd_##name(vd x) { return SLEEF_D(name)(x); }
X(exp) X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh) X(erf)
#undef X
static inline vf vf_pow(vf x, vf y) { return SLEEF_F(pow)(x, y); }
static inline vd vd_pow(vd x, vd y) { return SLEEF_D(pow)(x, y); }

#endif
