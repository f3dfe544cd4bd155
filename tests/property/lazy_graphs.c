/* Random graphs read without a program: made several times with other numbers, so that programs are found again, each
 * value must have the bits of a program compiled for it alone. lazy_graphs [COUNT [FIRST_SEED]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"

enum { ROUNDS = 3 };

typedef struct tally { int64_t allocations, reads, found; } tally;

static void *counted_alloc(void *user, size_t bytes) {
    ((tally *)user)->allocations++;
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static void counted_free(void *user, void *memory, size_t bytes) {
    (void)user, (void)bytes;
    free(memory);
}

/* Reads that draw random numbers draw those of step 1. */
static void first_step(tide_graph *g) { tide_write(tide_rng_step(g), &(int32_t){ 1 }, sizeof(int32_t)); }

static bool same_bits(maker *m, tide_val v, tally *t) {
    size_t bytes = (size_t)tide_shape_count(tide_shape_of(v)) * sizeof(double);
    double *lazy = calloc(1, bytes + 8), *fresh = calloc(1, bytes + 8);
    first_step(m->g);
    int64_t before = t->allocations;
    tide_status status = tide_read_now(v, lazy, bytes);
    t->reads++, t->found += t->allocations == before;  /* whoever compiles allocates */
    first_step(m->g);
    tide_program *p = tide_compile(TIDE_LIST(v), NULL);
    if (!status) status = tide_run(p, NULL, 0);
    if (!status) status = tide_read(v, fresh, bytes);
    bool same = !status && !memcmp(lazy, fresh, bytes);
    if (status) printf("%s: %s\n", tide_status_name(status), tide_error(m->g)->message);
    tide_program_free(p);
    free(lazy);
    free(fresh);
    return same;
}

static bool one_seed(const char *device, uint64_t seed, int ops, tally *t) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){
        .device = device, .threads = 1, .seed = 11, .allocator = { counted_alloc, counted_free, t } });
    maker m;
    maker_build_fixed(&m, g, seed, ops, 0);  /* makes the variables, which stay */
    maker_free(&m);
    first_step(g);
    int64_t mark = tide_graph_mark(g);
    bool good = true;
    for (int round = 0; round < ROUNDS; round++) {
        maker_build_fixed(&m, g, seed, ops, 1 + (uint64_t)round);
        for (int i = 0; i < m.n_values && good; i++) {
            good = same_bits(&m, m.wanted[i], t);
            if (!good) printf("seed %llu on %s, round %d, value %d: other bits than a program of its own\n",
                              (unsigned long long)seed, device, round, i);
        }
        maker_free(&m);
        good &= tide_graph_rewind(g, mark) == TIDE_OK;
    }
    tide_graph_free(g);
    return good;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 100, failed = 0;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    tally t = { 0 };
    for (uint64_t seed = first; seed < first + (uint64_t)count; seed++) {
        failed += !one_seed("cpu", seed, 4 + (int)(seed % 23), &t);
        if (seed % 4 == 0) failed += !one_seed(seed % 8 ? "check" : "ref", seed, 4 + (int)(seed % 23), &t);
    }
    /* The first round compiles; the others find what it made but where a number is one that passes look for, or equals
     * another. */
    if (t.found * 2 < t.reads) failed++, printf("only %lld of %lld reads found a program\n", (long long)t.found,
                                                (long long)t.reads);
    if (failed) printf("%d failures\n", failed);
    return failed != 0;
}
