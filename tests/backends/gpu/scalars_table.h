/* The scalar functions of the GPU texts (src/kernelgen/gpu/scalars.txt) as a C++ compiler makes them, for C to call. */
#ifndef GPU_SCALARS_TABLE_H
#define GPU_SCALARS_TABLE_H

#include <stdint.h>

#define INTEGER_FUNCTIONS(X, p, T)                                                                              \
    X(T, p##_neg, (T)) X(T, p##_abs, (T)) X(T, p##_sign, (T)) X(T, p##_square, (T)) X(T, p##_relu, (T))         \
    X(T, p##_add, (T, T)) X(T, p##_sub, (T, T)) X(T, p##_mul, (T, T)) X(T, p##_div, (T, T))                     \
    X(T, p##_max, (T, T)) X(T, p##_min, (T, T))

/* X(result, name, (operands)) */
#define SCALAR_FUNCTIONS(X)                                                                                     \
    X(float, f_abs, (float)) X(float, f_sign, (float)) X(float, f_relu, (float)) X(int, f_is_finite, (float))   \
    X(float, f_exp, (float)) X(float, f_erf, (float)) X(float, f_sigmoid, (float)) X(float, f_gelu, (float))    \
    X(float, f_gelu_grad, (float)) X(float, f_expm1, (float)) X(float, f_log, (float))                          \
    X(float, f_log1p, (float)) X(float, f_sin, (float)) X(float, f_cos, (float)) X(float, f_tanh, (float))      \
    X(float, f_pow, (float, float)) X(float, f_max, (float, float)) X(float, f_min, (float, float))             \
    X(float, f_from_f, (float)) X(float, f_from_i, (int)) X(float, f_from_l, (int64_t))                         \
    X(int, i_from_f, (float)) X(int, i_from_i, (int)) X(int, i_from_l, (int64_t))                               \
    X(int64_t, l_from_f, (float)) X(int64_t, l_from_i, (int)) X(int64_t, l_from_l, (int64_t))                   \
    X(int, u8_from_f, (float)) X(int, u8_from_i, (int)) X(int, u8_from_l, (int64_t))                            \
    X(int, b_from_f, (float)) X(int, b_from_i, (int)) X(int, b_from_l, (int64_t))                               \
    X(float, f_from_f16, (uint16_t)) X(uint16_t, f_to_f16, (float))                                             \
    X(float, f_from_bf16, (uint16_t)) X(uint16_t, f_to_bf16, (float))                                           \
    INTEGER_FUNCTIONS(X, i, int) INTEGER_FUNCTIONS(X, l, int64_t) INTEGER_FUNCTIONS(X, u8, int)                 \
    X(uint32_t, philox_word, (uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t))                      \
    X(uint32_t, philox_half, (uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t))                      \
    X(float, philox_unit, (uint32_t))

/* NULL where the language has no double. */
#define DOUBLE_FUNCTIONS(X)                                                                                     \
    X(double, d_abs, (double)) X(double, d_sign, (double)) X(double, d_relu, (double))                          \
    X(int, d_is_finite, (double)) X(double, d_exp, (double)) X(double, d_expm1, (double))                       \
    X(double, d_log, (double)) X(double, d_log1p, (double)) X(double, d_sin, (double))                          \
    X(double, d_cos, (double)) X(double, d_tanh, (double)) X(double, d_erf, (double))                           \
    X(double, d_sigmoid, (double)) X(double, d_gelu, (double)) X(double, d_gelu_grad, (double))                 \
    X(double, d_pow, (double, double)) X(double, d_max, (double, double)) X(double, d_min, (double, double))    \
    X(double, d_from_d, (double)) X(double, d_from_f, (float)) X(double, d_from_i, (int))                       \
    X(double, d_from_l, (int64_t)) X(float, f_from_d, (double)) X(int, i_from_d, (double))                      \
    X(int64_t, l_from_d, (double)) X(int, u8_from_d, (double)) X(int, b_from_d, (double))                       \
    X(double, inf_d, (void)) X(double, nan_d, (void))

/* What is a macro in the text, called. */
#define MACRO_FUNCTIONS(X)                                                                                      \
    X(float, inf_f, (void)) X(float, nan_f, (void))                                                             \
    X(float, two_sum, (const float *x, int n))                                                                  \
    X(float, two_sum_halves, (const float *x, int n)) /* the two halves of x, joined */                         \
    X(void, philox_four_into, (uint32_t *out, uint32_t seed_low, uint32_t seed_high, uint32_t step,             \
                               uint32_t site, uint32_t sample, uint32_t block))

typedef struct gpu_scalars {
    const char *language;
#define X(result, name, operands) result (*name) operands;
    SCALAR_FUNCTIONS(X) DOUBLE_FUNCTIONS(X) MACRO_FUNCTIONS(X)
#undef X
} gpu_scalars;

#ifdef __cplusplus
extern "C"
#else
extern
#endif
const gpu_scalars cuda_scalars, metal_scalars;

#endif
