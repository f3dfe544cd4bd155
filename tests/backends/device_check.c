/* In place of flat_check.c: the same cases on the device that TIDEMILL_DEVICE names, which has memory of its own. They
 * are gathered, as its compiler takes its time. Without such a device the test is skipped. */
#include "flat_gather.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_CASES = 60 };

const bool sums_as_ref = false;

static const tide_backend *backend;
static void      *device;
static flat_case *cases[MOST_CASES];
static int        n_cases;
static int64_t    n_run, n_lacking;

static void done(tide_status status, const tide_failure *why) {
    if (status != TIDE_OK) fail_msg("%s: %s", getenv("TIDEMILL_DEVICE"), why->message);
}

/* Opened once; whether it is there. */
static bool here(void) {
    static bool tried;
    int32_t index;
    tide_failure why = { 0 };
    static tide_allocator system;
    if (tried) return device;
    tried = true, system = mem_system();
    backend = backend_find(getenv("TIDEMILL_DEVICE"), &index, &why);
    if (!backend) fail_msg("%s", why.message);
    if (backend->memory->open(index, &system, &device, &why)) print_message("%s\n", why.message);
    return device;
}

/* No device calls functions of the caller's. Whatever else is lacking is an error. */
static bool lacks(const builder *b) {
    for (int i = 0; i < b->p.n_kernels; i++) {
        const char *why = backend->lacks(device, &b->p, &b->kernels[i]);
        if (why && b->kernels[i].kind == FLAT_CUSTOM) return true;
        if (why) fail_msg("%s is lacking: %s", b->kernels[i].name, why);
    }
    return false;
}

void expect_like_ref(const builder *b, double rtol, double atol, const char *what) {
    if (!here()) return;
    if (lacks(b)) n_lacking++;
    else cases[n_cases++] = case_keep(b, rtol, atol, what);
    if (n_cases == MOST_CASES) expect_rest(NULL);
}

/* The arena after each of two runs of one program. */
static void run_cases(const flat_whole *w, char *one, char *two) {
    tide_failure why = { 0 };
    tide_allocator system = mem_system();
    backend_env env = { .allocator = &system, .threads = 1, .device = device };
    backend_exec *e = NULL;
    int64_t bytes = w->p.arena_bytes;
    void *arena = backend->memory->alloc(device, bytes);
    assert_true(arena && one && two);
    done(backend->prepare(&w->p, arena, &env, &e, &why), &why);
    for (int i = 0; i < 2; i++) {
        done(backend->memory->put(device, arena, 0, w->initial, bytes, &why), &why);
        done(backend->run(e, &why), &why);
        done(backend->memory->get(device, i ? two : one, arena, 0, bytes, &why), &why);
    }
    backend->release(e);
    backend->memory->free(device, arena, bytes);
}

void expect_rest(void **unused) {
    if (!here()) skip();
    if (n_cases) {
        flat_whole w = whole_of(cases, n_cases);
        char *one = malloc((size_t)w.p.arena_bytes), *two = malloc((size_t)w.p.arena_bytes);
        run_cases(&w, one, two);
        if (memcmp(one, two, (size_t)w.p.arena_bytes)) fail_msg("two runs give other bits");
        for (int i = 0; i < n_cases; i++) {
            const flat_case *c = cases[i];
            void *truth = run_on(&tide_backend_ref, &c->b, 1);
            expect_close(&c->b, truth, one + c->at, c->rtol, c->atol, c->what, backend->name);
            free(truth);
        }
        free(one), free(two);
        whole_free(&w);
    }
    n_run += n_cases;
    while (n_cases) case_free(cases[--n_cases]);
    if (!unused) return;
    print_message("%d cases on %s, %d that it lacks\n", (int)n_run, getenv("TIDEMILL_DEVICE"), (int)n_lacking);
    assert_true(n_run > 0);
    backend->memory->close(device);
    device = NULL;
}
