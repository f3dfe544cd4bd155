/* In place of flat_check.c: the same cases on a processor as a GPU, by both languages. Cases are gathered, as every
 * text is compiled; the quick tier takes every TAKEN-th. Every third case has its inputs as constants, every third all
 * its memory in the storage of variables. */
#include "../flat_gather.h"
#include "fibers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CASES = 150 };
#ifndef TAKEN
#define TAKEN 9
#endif

/* What groups may have, with which each language runs; the quick tier takes the first. */
static const struct device_kind { const tide_backend *backend; fibers_limits limits; bool slow; } kinds[] = {
    { &tide_backend_fibers_cuda, { 256, 49152, 0, 160 << 10 }, false },
    { &tide_backend_fibers_metal, { 64, 32768, 0 }, false },
    { &tide_backend_fibers_metal, { 1024, 32768, 0 }, true },
    { &tide_backend_fibers_cuda, { 32, 16384, 0 }, true },
    { &tide_backend_fibers_metal, { 256, 32768, 64 }, true }, /* as if kernels needed too many registers for more */
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

const bool sums_as_ref = false;

static flat_case *cases[MOST_CASES];
static int        n_cases;
static int64_t    n_seen, n_run[N_KINDS];

void expect_like_ref(const builder *b, double rtol, double atol, const char *what) {
    if (!takes_all() && n_seen++ % TAKEN) return;
    cases[n_cases++] = case_keep(b, rtol, atol, what);
    if (n_cases == MOST_CASES) expect_rest(NULL);
}

/* ---- where a case's memory is --------------------------------------------------------------------------------- */

static bool in_storage(int number) { return number % 3 == 1; }

static void place(flat_whole *w, flat_case *const *some, int n, void *storage) {
    int32_t buffer = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < some[i]->b.p.n_buffers; j++) {
            flat_buffer *b = &w->p.buffers[buffer++];
            if (in_storage(i)) b->space = FLAT_VARIABLE, b->block = storage, b->at = b->offset;
            else if (i % 3 == 2 && !some[i]->b.is_output[j])
                b->space = FLAT_CONSTANT, b->host = (char *)w->initial + b->offset;
        }
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

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

static void done(tide_status status, const tide_backend *backend, const tide_failure *why) {
    if (status != TIDE_OK) fail_msg("%s: %s", backend->name, why->message);
}

typedef struct images { char *arena, *storage; } images;

static images run_once(const tide_backend *backend, backend_exec *e, void *device, void *arena, void *storage,
                       const flat_whole *w) {
    tide_failure why = { 0 };
    int64_t bytes = w->p.arena_bytes;
    images of = { malloc((size_t)bytes), malloc((size_t)bytes) };
    assert_true(of.arena && of.storage);
    done(backend->memory->put(device, arena, 0, w->initial, bytes, &why), backend, &why);
    done(backend->memory->put(device, storage, 0, w->initial, bytes, &why), backend, &why);
    done(backend->run(e, &why), backend, &why);
    done(backend->memory->get(device, of.arena, arena, 0, bytes, &why), backend, &why);
    done(backend->memory->get(device, of.storage, storage, 0, bytes, &why), backend, &why);
    return of;
}

/* Two runs, of which the second takes groups and threads the other way round. */
static images run_cases(const tide_backend *backend, flat_whole *w, flat_case *const *some, int n) {
    counter c = { mem_system(), 0 };
    tide_allocator counting = { counted_alloc, counted_free, &c };
    backend_env env = { .allocator = &counting, .threads = 1 };
    backend_exec *e = NULL;
    tide_failure why = { 0 };
    int64_t bytes = w->p.arena_bytes, blocks = fibers_count().blocks;
    done(backend->memory->open(0, &counting, &env.device, &why), backend, &why);
    void *arena = backend->memory->alloc(env.device, bytes), *storage = backend->memory->alloc(env.device, bytes);
    place(w, some, n, storage);
    int64_t said = backend->scratch_bytes(&w->p, &env), before = c.live;
    done(backend->prepare(&w->p, arena, &env, &e, &why), backend, &why);
    const int64_t held = c.live - before;
    if (!fibers_limit.most_threads) assert_int_equal(held, said); /* else the text was made again, see driver.h */
    images one = run_once(backend, e, env.device, arena, storage, w),
           two = run_once(backend, e, env.device, arena, storage, w);
    assert_int_equal(c.live - before, held);
    for (int i = 0; i < n; i++) {
        size_t of = (size_t)some[i]->b.p.arena_bytes;
        if (memcmp(one.arena + some[i]->at, two.arena + some[i]->at, of) ||
            memcmp(one.storage + some[i]->at, two.storage + some[i]->at, of))
            fail_msg("%s on %s: another order of threads gives other bits", some[i]->what, backend->name);
    }
    backend->release(e);
    backend->memory->free(env.device, arena, bytes);
    backend->memory->free(env.device, storage, bytes);
    backend->memory->close(env.device);
    assert_int_equal(fibers_count().blocks, blocks);
    assert_int_equal(c.live, 0);
    free(two.arena), free(two.storage);
    return one;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

/* Between the buffers of a case nothing is written. */
static void expect_gaps(const flat_case *c, const char *got, const char *who) {
    for (int i = 0; i < c->b.p.n_buffers; i++) {
        const flat_buffer *b = &c->b.buffers[i];
        int64_t end = i + 1 < c->b.p.n_buffers ? b[1].offset : c->b.p.arena_bytes;
        for (int64_t at = b->offset + b->bytes; at < end; at++)
            if (got[at] != 0x5A)
                fail_msg("%s on %s: byte %" PRId64 " of buffer %d of %" PRId64 " was written", c->what, who,
                         at - b->offset, i, b->bytes);
    }
}

static void compare(const flat_case *c, const char *got, const char *who) {
    void *truth = run_on(&tide_backend_ref, &c->b, 1);
    expect_close(&c->b, truth, got, c->rtol, c->atol, c->what, who);
    expect_gaps(c, got, who);
    free(truth);
}

/* A device without double lacks what has it, and no device calls functions of the caller's. Whatever else is lacking
 * is an error. */
static bool may_lack(const flat_case *c, bool metal) {
    bool f64 = false;
    for (int i = 0; i < c->b.p.n_buffers; i++) f64 |= c->b.types[i] == TIDE_F64;
    return c->b.kernels[0].kind == FLAT_CUSTOM || (f64 && metal);
}

static bool lacks(const tide_backend *backend, const flat_case *c) {
    const char *why = NULL;
    for (int i = 0; i < c->b.p.n_kernels && !why; i++) why = backend->lacks(NULL, &c->b.p, &c->b.kernels[i]);
    if (why && !may_lack(c, backend == &tide_backend_fibers_metal))
        fail_msg("%s: %s lacks it: %s", c->what, backend->name, why);
    return why;
}

static void run_kind(int kind) {
    const tide_backend *backend = kinds[kind].backend;
    flat_case *some[MOST_CASES];
    int n = 0;
    fibers_limit = kinds[kind].limits;
    for (int i = 0; i < n_cases; i++)
        if (!lacks(backend, cases[i])) some[n++] = cases[i];
    n_run[kind] += n;
    if (!n) return;
    flat_whole w = whole_of(some, n);
    images got = run_cases(backend, &w, some, n);
    for (int i = 0; i < n; i++) {
        const char *image = in_storage(i) ? got.storage : got.arena;
        compare(some[i], image + some[i]->at, backend->name);
    }
    free(got.arena), free(got.storage);
    whole_free(&w);
}

void expect_rest(void **unused) {
    (void)unused;
    if (!fibers_possible()) skip();
    for (int i = 0; i < N_KINDS && n_cases; i++)
        if (takes_all() || !kinds[i].slow) run_kind(i);
    while (n_cases) case_free(cases[--n_cases]);
    if (unused) assert_true(n_run[0] > 0 && n_run[1] > 0);
}
