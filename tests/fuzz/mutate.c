/* Changes to bytes, the same ones for the same numbers: what a fuzzer does, under any compiler. */
#include "mutate.h"

#include <string.h>
#include <time.h>

/* splitmix64 */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int64_t mutate_below(uint64_t *state, int64_t n) { return n > 0 ? (int64_t)(next_random(state) % (uint64_t)n) : 0; }

static void overwrite(bytes *b, int64_t at, const void *data, int64_t length) {
    for (int64_t i = 0; i < length && at + i < b->length; i++) b->data[at + i] = ((const unsigned char *)data)[i];
}

/* Numbers and words at which readers break. */
static void put_interesting(bytes *b, uint64_t *random) {
    static const char *const words[] = { "\xff\xff\xff\xff\xff\xff\xff\xff",
                                         "\xff\xff\xff\x7f",
                                         "-1",
                                         "999999999999999999999",
                                         "[[[[[[[[",
                                         "\"",
                                         "\r\n",
                                         ",",
                                         "(((((((",
                                         "PK\1\2",
                                         "{}",
                                         "cos\nsystem\n",
                                         "\x80\2",
                                         "h\1",
                                         "}s" };
    static const unsigned char zeros[8] = { 0 };
    int64_t at = mutate_below(random, b->length), which = mutate_below(random, 16);
    if (which == 15) overwrite(b, at, zeros, 8);
    else overwrite(b, at, words[which], (int64_t)strlen(words[which]));
}

static void duplicate_range(bytes *b, uint64_t *random) {
    int64_t from = mutate_below(random, b->length), length = mutate_below(random, b->length - from);
    bytes tail = { 0 };
    bytes_add(&tail, b->data + from, b->length - from);
    b->length = from + length;
    bytes_add(b, tail.data, tail.length);
    bytes_clear(&tail);
}

static void move_range(bytes *b, int64_t to, int64_t from, int64_t length) {
    int64_t room = b->length - (to > from ? to : from);
    memmove(b->data + to, b->data + from, (size_t)(length < room ? length : room));
}

static void mutate_once(bytes *b, uint64_t *random) {
    if (b->length == 0) bytes_byte(b, 'x');
    int64_t at = mutate_below(random, b->length);
    switch (mutate_below(random, 6)) {
    case 0: b->data[at] ^= (unsigned char)(1 << mutate_below(random, 8)); break;
    case 1: b->data[at] = (unsigned char)mutate_below(random, 256); break;
    case 2: b->length = at; break;
    case 3: if (b->length < 4096) duplicate_range(b, random); break;
    case 4: move_range(b, at, mutate_below(random, b->length), 1 + mutate_below(random, 8)); break;
    default: put_interesting(b, random); break;
    }
}

void mutate(bytes *b, uint64_t *random) {
    for (int64_t n = 1 + mutate_below(random, 4); n > 0; n--) mutate_once(b, random);
}

double mutate_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
