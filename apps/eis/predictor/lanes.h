/* Eight doubles at a time, and the functions of them that the C library has for one. Arguments go by address: vectors
 * wider than the machine's have no settled way to be passed. */
#ifndef EIS_LEARN_LANES_H
#define EIS_LEARN_LANES_H

#include <stdint.h>
#include <string.h>

enum { LANES = 8 };
typedef double  lanes __attribute__((vector_size(8 * LANES)));
typedef int64_t lanes_bits __attribute__((vector_size(8 * LANES)));

#define LANES_INLINE static inline __attribute__((always_inline))

LANES_INLINE void lanes_load(const double *from, lanes *v) { memcpy(v, from, sizeof *v); }
LANES_INLINE void lanes_store(const lanes *v, double *to) { memcpy(to, v, sizeof *v); }
LANES_INLINE double lanes_total(const lanes *v) {
    return (((*v)[0] + (*v)[4]) + ((*v)[1] + (*v)[5])) + (((*v)[2] + (*v)[6]) + ((*v)[3] + (*v)[7]));
}
/* Where `mask` (from a comparison) holds a, elsewhere b. */
LANES_INLINE void lanes_choose(const lanes_bits *mask, const lanes *a, const lanes *b, lanes *out) {
    *out = (lanes)((*mask & (lanes_bits)*a) | (~*mask & (lanes_bits)*b));
}
LANES_INLINE void lanes_clip(lanes *v, double low, double high) {
    lanes      l = *v * 0 + low, h = *v * 0 + high;
    lanes_bits under = *v < low, over = *v > high;
    lanes_choose(&under, &l, v, v);
    lanes_choose(&over, &h, v, v);
}

/* A whole number below 2^51 added to this stands in the low bits of the sum. */
#define LANES_MAGIC      0x1.8p52
#define LANES_MAGIC_BITS 0x4338000000000000LL

/* The nearest whole number, of |x| < 2^51. */
LANES_INLINE void lanes_round(const lanes *x, lanes *out) {
    lanes moved = *x + LANES_MAGIC;
    *out = moved - LANES_MAGIC;
}

/* ln x of normal x > 0, to some units of the last place: x = 2^e m with m in 0.7..1.42, ln m = 2 atanh((m - 1) / (m +
 * 1)). */
LANES_INLINE void lanes_log(const lanes *x, lanes *out) {
    static const double ln_2_high = 0x1.62e42fefa38p-1, ln_2_low = 0x1.ef35793c7673p-45;
    lanes_bits shifted = (lanes_bits)*x - 0x3fe6a09e667f3bcdLL, e = shifted >> 52;
    lanes m = (lanes)((shifted & 0x000fffffffffffffLL) + 0x3fe6a09e667f3bcdLL),
          n = (lanes)(e + LANES_MAGIC_BITS) - LANES_MAGIC;
    lanes z = (m - 1) / (m + 1), q = z * z, sum = q * 0 + 2.0 / 21;
    for (int k = 19; k >= 3; k -= 2) sum = sum * q + 2.0 / k;
    *out = n * ln_2_high + (n * ln_2_low + (2 * z + z * q * sum));
}

/* e^x to 1e-10, x within +-700. */
LANES_INLINE void lanes_exp(const lanes *x, lanes *out) {
    static const double inverse[] = { 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                                      1.0 / 24,     1.0 / 6,     0.5,        1,         1 };
    lanes scaled = *x * 1.4426950408889634074, n;
    lanes_round(&scaled, &n);
    lanes r = *x - n * 0.69314718055994530942, sum = r * 0 + inverse[0];
    for (int k = 1; k < 10; k++) sum = sum * r + inverse[k];
    lanes_bits e = ((lanes_bits)(n + LANES_MAGIC) - LANES_MAGIC_BITS + 1023) << 52;
    *out = sum * (lanes)e;
}

/* cos and sin of 2 pi u, to 1e-12. */
LANES_INLINE void lanes_turn(const lanes *u, lanes *c, lanes *s) {
    static const double cosine[] = { 1 / 2432902008176640000.0,
                                     -1 / 6402373705728000.0,
                                     1 / 20922789888000.0,
                                     -1 / 87178291200.0,
                                     1 / 479001600.0,
                                     -1 / 3628800.0,
                                     1 / 40320.0,
                                     -1 / 720.0,
                                     1 / 24.0,
                                     -1 / 2.0,
                                     1 };
    static const double sine[] = { 1 / 51090942171709440000.0, -1 / 121645100408832000.0, 1 / 355687428096000.0,
                                   -1 / 1307674368000.0, 1 / 6227020800.0,
                                   -1 / 39916800.0, 1 / 362880.0, -1 / 5040.0, 1 / 120.0, -1 / 6.0, 1 };
    lanes half_turns = *u * 2, n, pairs;
    lanes_round(&half_turns, &n);
    half_turns = n * 0.5;
    lanes_round(&half_turns, &pairs);
    lanes odd = n - 2 * pairs, sign = 1 - 2 * odd * odd, x = (*u - n * 0.5) * 6.283185307179586476925286766559,
          q = x * x;
    lanes cs = q * 0 + cosine[0], sn = q * 0 + sine[0];
    for (int k = 1; k < 11; k++) cs = cs * q + cosine[k], sn = sn * q + sine[k];
    *c = sign * cs, *s = sign * x * sn;
}

#endif
