#include "md5.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void block(uint32_t state[4], const uint8_t data[64]) {
    static const uint8_t turns[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], word[16];
    memcpy(word, data, sizeof word);
    for (int i = 0; i < 64; i++) {
        const uint32_t f[4]  = { (b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d) };
        const int      at[4] = { i, 5 * i + 1, 3 * i + 5, 7 * i };
        uint32_t x = a + f[i / 16] + (uint32_t)(int64_t)floor(fabs(sin(i + 1)) * 0x1p32) + word[at[i / 16] % 16];
        int      n = turns[i / 16][i % 4];
        a = d;
        d = c;
        c = b;
        b += x << n | x >> (32 - n);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void md5_hex(const char *data, size_t length, char hex[33]) {
    uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
    uint8_t  last[128] = { 0 };
    size_t   whole = length / 64 * 64, rest = length - whole, end = rest < 56 ? 64 : 128;
    uint64_t bits = 8 * (uint64_t)length;
    for (size_t i = 0; i < whole; i += 64) block(state, (const uint8_t *)data + i);
    memcpy(last, data + whole, rest);
    last[rest] = 0x80;
    memcpy(last + end - 8, &bits, sizeof bits);
    for (size_t i = 0; i < end; i += 64) block(state, last + i);
    for (int i = 0; i < 16; i++) snprintf(hex + 2 * i, 3, "%02x", (unsigned)(state[i / 4] >> (8 * (i % 4)) & 255));
}
