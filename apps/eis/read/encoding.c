/* Bytes to UTF-8: byte-order marks, UTF-16 told by its zero bytes, Latin-1 where bytes are no UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "lines.h"

enum { PROBE = 4096 };  /* bytes by which UTF-16 without a mark is told */
typedef enum encoding { UTF8, UTF16_LITTLE, UTF16_BIG } encoding;

/* ASCII in UTF-16 has a zero in every second byte. */
static encoding guess_encoding(const unsigned char *b, size_t size) {
    size_t zeros[2] = { 0 }, probed = size < PROBE ? size : PROBE;
    if (size >= 2 && b[0] == 0xff && b[1] == 0xfe) return UTF16_LITTLE;
    if (size >= 2 && b[0] == 0xfe && b[1] == 0xff) return UTF16_BIG;
    for (size_t i = 0; i < probed; i++) zeros[i % 2] += b[i] == 0;
    if (10 * zeros[1] > 4 * probed && 10 * zeros[0] < probed) return UTF16_LITTLE;
    if (10 * zeros[0] > 4 * probed && 10 * zeros[1] < probed) return UTF16_BIG;
    return UTF8;
}

static char *put_code(char *out, uint32_t c) {
    if (c == 0) *out++ = ' ';
    else if (c < 0x80) *out++ = (char)c;
    else if (c < 0x800) *out++ = (char)(0xc0 | c >> 6), *out++ = (char)(0x80 | (c & 0x3f));
    else if (c < 0x10000)
        *out++ = (char)(0xe0 | c >> 12), *out++ = (char)(0x80 | (c >> 6 & 0x3f)), *out++ = (char)(0x80 | (c & 0x3f));
    else
        *out++ = (char)(0xf0 | c >> 18), *out++ = (char)(0x80 | (c >> 12 & 0x3f)),
        *out++ = (char)(0x80 | (c >> 6 & 0x3f)), *out++ = (char)(0x80 | (c & 0x3f));
    return out;
}

static uint32_t unit_at(const unsigned char *b, encoding of) {
    return of == UTF16_LITTLE ? (uint32_t)(b[0] | b[1] << 8) : (uint32_t)(b[0] << 8 | b[1]);
}

/* Half a pair becomes U+FFFD. */
static char *from_utf16(const unsigned char *b, size_t size, encoding of, char *out) {
    for (size_t i = 0; i + 1 < size; i += 2) {
        uint32_t c = unit_at(b + i, of), next = i + 3 < size ? unit_at(b + i + 2, of) : 0;
        bool     high = c >= 0xd800 && c < 0xdc00, pair = high && next >= 0xdc00 && next < 0xe000;
        if (pair) c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00), i += 2;
        else if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
        if (c != 0xfeff) out = put_code(out, c);
    }
    return out;
}

/* Length of the well-formed sequence at b (RFC 3629); 0 if none. */
static size_t sequence(const unsigned char *b, size_t left) {
    size_t n = b[0] < 0x80 ? 1 : b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : (b[0] & 0xf0) == 0xe0 ? 3
             : b[0] >= 0xf0 && b[0] < 0xf5 ? 4 : 0;
    if (n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((b[i] & 0xc0) != 0x80) return 0;
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f)) return 0;
    return (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f) ? 0 : n;
}

/* A stray byte becomes the Latin-1 character that it most likely was. */
static char *from_utf8(const unsigned char *b, size_t size, char *out) {
    for (size_t i = 0, n; i < size; i += n ? n : 1) {
        n = sequence(b + i, size - i);
        if (n <= 1) out = put_code(out, b[i]);
        else memcpy(out, b + i, n), out += n;
    }
    return out;
}

char *utf8_of(const unsigned char *bytes, size_t size, size_t *length) {
    encoding of    = guess_encoding(bytes, size);
    size_t   begin = of == UTF8 && size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    char    *text  = malloc(2 * size + 4), *end; /* UTF-16 grows by half at most, Latin-1 to twice */
    if (!text) return NULL;
    end = of == UTF8 ? from_utf8(bytes + begin, size - begin, text) : from_utf16(bytes, size, of, text);
    *end    = 0;
    *length = (size_t)(end - text);
    return text;
}
