/* SHA-256 (FIPS 180-4). */
#include "sha256.h"

#include <string.h>

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
    0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3,
    0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814,
    0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void expand(uint32_t w[64], const unsigned char block[64]) {
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] =
            w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

/* One round; s[at] is the standard's a, and what would move down by one stays where it is. */
static inline void turn(uint32_t s[8], int i, uint32_t added) {
    uint32_t a = s[-i & 7], b = s[(1 - i) & 7], c = s[(2 - i) & 7], e = s[(4 - i) & 7], f = s[(5 - i) & 7],
             g = s[(6 - i) & 7];
    uint32_t t1 = s[(7 - i) & 7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + added;
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    s[(3 - i) & 7] += t1;
    s[(7 - i) & 7] = t1 + t2;
}

static void compress_plain(uint32_t state[8], const unsigned char block[64]) {
    uint32_t w[64], s[8];
    expand(w, block);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i += 8) {
        turn(s, 0, constants[i] + w[i]), turn(s, 1, constants[i + 1] + w[i + 1]);
        turn(s, 2, constants[i + 2] + w[i + 2]), turn(s, 3, constants[i + 3] + w[i + 3]);
        turn(s, 4, constants[i + 4] + w[i + 4]), turn(s, 5, constants[i + 5] + w[i + 5]);
        turn(s, 6, constants[i + 6] + w[i + 6]), turn(s, 7, constants[i + 7] + w[i + 7]);
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

/* ---- the processor's own instructions ---- */

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

static bool has_instructions(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1 && __get_cpuid(1, &a, &b, &c, &d) && c >> 19 & 1;
}

/* Two registers of four hold the state, in the order that the instructions want: ABEF and CDGH. */
__attribute__((target("sha,sse4.1"))) static void compress_fast(uint32_t state[8], const unsigned char block[64]) {
    const __m128i bytes = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1),
            high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b),
            abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0), w[4];
    const __m128i abef0 = abef, cdgh0 = cdgh;
    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), bytes);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        __m128i now = w[i & 3], added =
            _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)(const void *)(constants + 4 * i)));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, added);
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(added, 0x0e));
        __m128i before = w[(i + 3) & 3], seventh = _mm_alignr_epi8(before, w[(i + 2) & 3], 4);
        w[i & 3] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) & 3]), seventh), before);
    }
    abef = _mm_add_epi32(abef, abef0), cdgh = _mm_add_epi32(cdgh, cdgh0);
    low = _mm_shuffle_epi32(abef, 0x1b), high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}
#else
static bool has_instructions(void) { return false; }
static void compress_fast(uint32_t state[8], const unsigned char block[64]) { compress_plain(state, block); }
#endif

void sha256_begin(sha256 *h) {
    *h = (sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                              0x5be0cd19 },
                   .fast = has_instructions() };
}

static void compress(sha256 *h, const unsigned char block[64]) {
    (h->fast ? compress_fast : compress_plain)(h->state, block);
}

void sha256_add(sha256 *h, const void *bytes, size_t n) {
    const unsigned char *data = bytes;
    for (size_t used, part; n > 0; h->bytes += part, data += part, n -= part) {
        used = h->bytes % 64, part = n < 64 - used ? n : 64 - used;
        if (part == 64) {
            compress(h, data);
            continue;
        }
        memcpy(h->block + used, data, part);
        if (used + part == 64) compress(h, h->block);
    }
}

void sha256_end(sha256 *h, char hex[65]) {
    static const char digits[] = "0123456789abcdef";
    static const unsigned char padding[64] = { 0x80 };
    uint64_t bits = h->bytes * 8;
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_add(h, padding, 1 + (119 - h->bytes % 64) % 64);
    sha256_add(h, length, 8);
    for (int i = 0; i < 64; i++) hex[i] = digits[h->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = 0;
}
