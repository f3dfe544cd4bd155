/* 16-bit floats: storage only, arithmetic is done in float. Conversions round to nearest even and keep NaN. */
#ifndef TIDE_HALF_H
#define TIDE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t float_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float bits_float(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline float bf16_to_float(uint16_t h) { return bits_float((uint32_t)h << 16); }

static inline uint16_t float_to_bf16(float x) {
    uint32_t u = float_bits(x);
    uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    return (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? (u >> 16 | 0x40) : rounded);
}

/* The multiplication moves the exponent from half's bias to float's, and makes subnormals normal. */
static inline float f16_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = (uint32_t)(h & 0x7fff) << 13;
    uint32_t inf = 0x7f800000 | rest;
    uint32_t finite = float_bits(bits_float(rest) * 0x1p112f);
    return bits_float(sign | ((h & 0x7fff) >= 0x7c00 ? inf : finite));
}

static inline uint16_t float_to_f16(float x) {
    uint32_t u = float_bits(x), sign = u >> 16 & 0x8000, rest = u & 0x7fffffff;
    if (rest > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (rest >= 0x477ff000) return (uint16_t)(sign | 0x7c00);  /* 65520 and above round to infinity */
    if (rest < 0x38800000) {                                   /* subnormal: let the float adder round */
        uint32_t shifted = float_bits(bits_float(rest) + 0.5f) - 0x3f000000;
        return (uint16_t)(sign | shifted);
    }
    uint32_t rebased = rest - 0x38000000;
    return (uint16_t)(sign | (rebased + 0xfff + (rebased >> 13 & 1)) >> 13);
}

#endif
