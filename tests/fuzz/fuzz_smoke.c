/* Every reader against changed copies of its seeds, the same ones each time: what a fuzzer does, for a moment and under
 * any compiler. The readers' promises are checked in parser_try, which ends the program where one is broken.
 *   fuzz_smoke [seconds per reader]        default 2
 *   fuzz_smoke --seeds FOLDER              writes FOLDER/NAME-N, to start a fuzzer from */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parsers.h"

/* splitmix64 */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int64_t below(uint64_t *state, int64_t n) { return n > 0 ? (int64_t)(next_random(state) % (uint64_t)n) : 0; }

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
    int64_t at = below(random, b->length), which = below(random, 16);
    if (which == 15) overwrite(b, at, zeros, 8);
    else overwrite(b, at, words[which], (int64_t)strlen(words[which]));
}

static void duplicate_range(bytes *b, uint64_t *random) {
    int64_t from = below(random, b->length), length = below(random, b->length - from);
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

static void change(bytes *b, uint64_t *random) {
    if (b->length == 0) bytes_byte(b, 'x');
    int64_t at = below(random, b->length);
    switch (below(random, 6)) {
    case 0: b->data[at] ^= (unsigned char)(1 << below(random, 8)); break;
    case 1: b->data[at] = (unsigned char)below(random, 256); break;
    case 2: b->length = at; break;
    case 3: if (b->length < 4096) duplicate_range(b, random); break;
    case 4: move_range(b, at, below(random, b->length), 1 + below(random, 8)); break;
    default: put_interesting(b, random); break;
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bytes changed_seed(const parser *p, int count, uint64_t *random) {
    bytes b = p->seed((int)below(random, count));
    for (int64_t n = 1 + below(random, 4); n > 0; n--) change(&b, random);
    return b;
}

static void smoke(const parser *p, double limit) {
    uint64_t random = 1;
    int count = 0;
    for (bytes seed; (seed = p->seed(count)).data; count++) bytes_clear(&seed);
    for (double start = seconds(); seconds() - start < limit;) {
        bytes b = changed_seed(p, count, &random);
        parser_try(p, b);
        bytes_clear(&b);
    }
}

static void write_seeds(const char *folder) {
    char path[1024];
    for (int n = 0; n < parser_count; n++)
        for (int i = 0;; i++) {
            bytes seed = parsers[n].seed(i);
            if (!seed.data) break;
            snprintf(path, sizeof path, "%s/%s-%d", folder, parsers[n].name, i);
            file_write(path, seed);
            bytes_clear(&seed);
        }
}

int main(int argc, char **argv) {
    double limit = argc == 2 ? atof(argv[1]) : 2;
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) write_seeds(argv[2]);
    else
        for (int n = 0; n < parser_count; n++) smoke(&parsers[n], limit);
    files_remove();
    return 0;
}
