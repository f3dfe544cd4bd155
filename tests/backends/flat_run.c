/* Running a flat program by hand on any backend. */
#include "backends/ref/ref.h"
#include "flat_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take_all;
static int64_t cases;

void take_arguments(int argc, char **argv) { take_all = argc == 2 && strcmp(argv[1], "slow") == 0; }

bool takes_all(void) { return take_all; }

bool taken(void) { return take_all || cases++ % 7 == 0; }

typedef struct counter { tide_allocator system; int64_t live; } counter;
static void *counted_alloc(void *user, size_t bytes) {
    counter *c = user;
    c->live += (int64_t)bytes;
    return c->system.alloc(c->system.user, bytes);
}
static void counted_free(void *user, void *memory, size_t bytes) {
    counter *c = user;
    c->live -= (int64_t)bytes;
    c->system.free(c->system.user, memory, bytes);
}

void *run_in(const tide_backend *backend, const builder *b, backend_env env) {
    counter c = { mem_system(), 0 };
    tide_allocator counting = { counted_alloc, counted_free, &c };
    env.allocator = &counting;
    tide_failure why = { 0 };
    size_t bytes = (size_t)round_up(MAX2(b->p.arena_bytes, 1), 64);
    void *arena = aligned_alloc(64, bytes);
    assert_non_null(arena);
    memcpy(arena, b->initial, (size_t)b->p.arena_bytes);
    backend_exec *e = NULL;
    int64_t expected = backend->scratch_bytes(&b->p, &env);
    if (backend->prepare(&b->p, arena, &env, &e, &why) != TIDE_OK)
        fail_msg("%s: prepare: %s", backend->name, why.message);
    if (c.live != expected)
        fail_msg("%s: %" PRId64 " bytes allocated, %" PRId64 " said", backend->name, c.live, expected);
    for (int i = 0; i < (backend == &tide_backend_ref ? 1 : 2); i++) {  /* a second run finds what a first left
                                                                           behind */
        memcpy(arena, b->initial, (size_t)b->p.arena_bytes);
        if (backend->run(e, &why) != TIDE_OK) fail_msg("%s: run: %s", backend->name, why.message);
        if (c.live != expected) fail_msg("%s: a run allocates", backend->name);
    }
    backend->release(e);
    assert_int_equal(c.live, 0);
    return arena;
}

void *run_on(const tide_backend *backend, const builder *b, int threads) {
    return run_in(backend, b, (backend_env){ .threads = threads });
}

static double number_at(const void *data, tide_dtype type, int64_t i) {
    switch (type) {
    case TIDE_F32: return (double)((const float *)data)[i];
    case TIDE_F64: return ((const double *)data)[i];
    case TIDE_I32: return ((const int32_t *)data)[i];
    case TIDE_I64: return (double)((const int64_t *)data)[i];
    case TIDE_F16:
    case TIDE_BF16: return ((const uint16_t *)data)[i];
    default:       return ((const uint8_t *)data)[i];
    }
}

static double halves_apart(tide_dtype type, const void *x, const void *y, int64_t at, int64_t i) {
    return fabs(ref_load((int)type, (const char *)x + at, i).f - ref_load((int)type, (const char *)y + at, i).f);
}

void expect_close(const builder *b, const void *expected, const void *got, double rtol, double atol, const char *what,
                  const char *who) {
    for (int i = 0; i < b->p.n_buffers; i++) {
        int64_t n = b->is_scratch[i] ? 0 : b->buffers[i].bytes / (int64_t)tide_dtype_size(b->types[i]);
        bool half = b->types[i] == TIDE_F16 || b->types[i] == TIDE_BF16;
        for (int64_t j = 0; j < n && b->is_output[i]; j++) {
            double x = number_at((const char *)expected + b->buffers[i].offset, b->types[i], j);
            double y = number_at((const char *)got + b->buffers[i].offset, b->types[i], j);
            double far = fabs(x - y);
            if (x == y || (isnan(x) && isnan(y)) || far <= atol + rtol * fabs(x)) continue;
            if (half && (far <= 1 || halves_apart(b->types[i], expected, got, b->buffers[i].offset, j) <= atol))
                continue;  /* the last bit, or of sums near zero */
            fail_msg("%s on %s: buffer %d element %" PRId64 ": expected %.9g, got %.9g, apart %.3g", what, who, i, j, x,
                     y, far);
        }
        if (!b->is_output[i])
            assert_memory_equal((const char *)expected + b->buffers[i].offset, (const char *)got + b->buffers[i].offset,
                                (size_t)b->buffers[i].bytes);
    }
}

