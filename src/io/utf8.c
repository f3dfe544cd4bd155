#include "utf8.h"

#include <string.h>

int utf8_sequence(const unsigned char *p) {
    static const struct { unsigned char first, last, low, high; int length;
    } rows[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (*p < rows[i].first || *p > rows[i].last) continue;
        if (rows[i].length == 1) return 1;
        if (p[1] < rows[i].low || p[1] > rows[i].high) return 0;
        for (int k = 2; k < rows[i].length; k++)
            if ((p[k] & 0xc0) != 0x80) return 0;
        return rows[i].length;
    }
    return 0;
}

int64_t utf8_ascii_run(const char *p, int64_t length) {
    int64_t i = 0;
    for (uint64_t w[4]; i + 32 <= length; i += 32) {
        memcpy(w, p + i, sizeof w);
        if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u) break;
    }
    while (i < length && !(p[i] & 0x80)) i++;
    return i;
}

bool utf8_valid(const char *p, int64_t length) {
    int64_t i = utf8_ascii_run(p, length);
    while (i < length) {
        int n = utf8_sequence((const unsigned char *)p + i);
        if (n == 0 || n > length - i) return false;
        i += n;
    }
    return true;
}
