#include "flat_check.h"

#include <stdio.h>
#include <stdlib.h>

const bool sums_as_ref = true;

void expect_like_ref(const builder *b, double rtol, double atol, const char *what) {
    static const char *const isas[] = { "avx512", "avx2", "baseline" };
    void *truth = run_on(&tide_backend_ref, b, 1), *checked = run_on(&tide_backend_check, b, 1);
    expect_close(b, truth, checked, 0, 0, what, "check");
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        char who[64];
        setenv("TIDEMILL_ISA", isas[i], 1);
        backend_exec *e = NULL;
        tide_allocator system = mem_system();
        tide_failure why = { 0 };
        if (tide_backend_cpu.prepare(&b->p, b->initial, &(backend_env){ &system, 1 }, &e, &why) == TIDE_EDEVICE)
            continue;
        if (why.status != TIDE_OK) fail_msg("%s: prepare: %s", what, why.message);
        tide_backend_cpu.release(e);
        void *one = run_on(&tide_backend_cpu, b, 1), *two = run_on(&tide_backend_cpu, b, 2);
        snprintf(who, sizeof who, "cpu %s", isas[i]);
        expect_close(b, truth, one, rtol, atol, what, who);
        if (memcmp(one, two, (size_t)b->p.arena_bytes) != 0)
            fail_msg("%s on %s: two threads give other bits", what, who);
        free(one);
        free(two);
    }
    unsetenv("TIDEMILL_ISA");
    free(truth);
    free(checked);
}

void expect_rest(void **unused) { (void)unused; }
