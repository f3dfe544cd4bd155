/* In place of flat_check.c: the same maps, run by the cpu backend as machine code. Compiling takes a while, so cases
 * are gathered and become one program. */
#include "flat_gather.h"

#include <stdlib.h>

enum { MOST_CASES = 500 };

static flat_case *cases[MOST_CASES];
static int        n_cases;

void expect_like_ref(const builder *b, double rtol, double atol, const char *what) {
    cases[n_cases++] = case_keep(b, rtol, atol, what);
    if (n_cases == MOST_CASES) expect_rest(NULL);
}

/* Everything compiled that can be, whatever a clock said of it. */
static int compile_all(const builder *b, tuning *t) {
    backend_exec *e = NULL;
    tide_allocator system = mem_system();
    tide_failure why = { 0 };
    t->clock = true;
    backend_env env = { .allocator = &system, .threads = 1, .tuning = t, .autotune = true };
    if (tide_backend_cpu.prepare(&b->p, b->initial, &env, &e, &why))
        fail_msg("prepare: %s", why.message);
    tide_backend_cpu.release(e);
    t->clock = false;
    for (int32_t i = 0; i < t->used.count; i++) t->used.items[i].value = 1;
    return t->used.count;
}

void expect_rest(void **unused) {
    (void)unused;
    if (!n_cases) return;
    flat_whole w = whole_of(cases, n_cases);
    builder all = { .p = w.p, .initial = w.initial };
    tuning t = { 0 };
    if (!compile_all(&all, &t)) {
        print_message("no C compiler: compiled maps not tested\n");
        skip();
    }
    char *one = run_in(&tide_backend_cpu, &all, (backend_env){ .threads = 1, .tuning = &t });
    char *two = run_in(&tide_backend_cpu, &all, (backend_env){ .threads = 2, .tuning = &t });
    if (memcmp(one, two, (size_t)w.p.arena_bytes) != 0) fail_msg("two threads give other bits");
    for (int i = 0; i < n_cases; i++) {
        const flat_case *c = cases[i];
        void *truth = run_on(&tide_backend_ref, &c->b, 1);
        expect_close(&c->b, truth, one + c->at, c->rtol, c->atol, c->what, "compiled maps");
        free(truth);
    }
    free(one), free(two);
    whole_free(&w);
    choices_free(&t.used);
    while (n_cases) case_free(cases[--n_cases]);
}
