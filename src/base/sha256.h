/* SHA-256 (FIPS 180-4) of bytes that come in pieces. */
#ifndef TIDE_BASE_SHA256_H
#define TIDE_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sha256 {
    uint32_t      state[8];
    uint64_t      bytes;
    unsigned char block[64];
    bool          fast;  /* with the processor's instructions for it */
} sha256;

void sha256_begin(sha256 *h);
void sha256_add(sha256 *h, const void *bytes, size_t n);
void sha256_end(sha256 *h, char hex[65]);

#endif
