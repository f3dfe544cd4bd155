/* A radix sort, the last byte first: each pass keeps the order of the one before. A byte that all share needs none. */
#include "ranked.h"

enum { BYTES = 8, VALUES = 256 };

static int byte_of(uint64_t key, int byte) { return (int)(key >> 8 * byte & 0xff); }

static void pass(const ranked *from, ranked *to, int64_t count, int byte, const int64_t *of) {
    int64_t next[VALUES], at = 0;
    for (int v = 0; v < VALUES; v++) next[v] = at, at += of[v];
    for (int64_t i = 0; i < count; i++) to[next[byte_of(from[i].key, byte)]++] = from[i];
}

void ranked_sort(ranked *r, ranked *room, int64_t count) {
    int64_t of[BYTES][VALUES] = { { 0 } };
    ranked *from = r, *to = room;
    for (int64_t i = 0; i < count; i++)
        for (int b = 0; b < BYTES; b++) of[b][byte_of(r[i].key, b)]++;
    for (int b = 0; count && b < BYTES; b++) {
        if (of[b][byte_of(r->key, b)] == count) continue;
        pass(from, to, count, b, of[b]);
        ranked *was = from;
        from = to, to = was;
    }
    if (from != r) memcpy(r, from, (size_t)count * sizeof *r);
}
