/* The programs of the six cases, as compile leaves them: whoever changes one does so knowingly, and prints it before
 * and after (tide_compile_options.dump shows all of it). Two cuts: for few cores and for sixteen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/subject.h"
#include "runtime/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct expected { const char *name; int cut, kernels, phases; uint64_t hash; } expected;

static const expected programs[] = {
    { "etth1", 4, 194, 7, 0xa4b47da5d7e570dc },
    { "etth1", 16, 194, 7, 0x11acd5f6d271c371 },
    { "m1", 4, 197, 7, 0xf74c38ee99fefa36 },
    { "m1", 16, 197, 7, 0x9a89be06e3e329cd },
    { "ecl", 4, 270, 7, 0x3d8a7111983241e1 },
    { "ecl", 16, 270, 7, 0x6052e84ee8a5f663 },
    { "traffic", 4, 348, 7, 0xf8822babc91b3fbb },
    { "traffic", 16, 348, 7, 0xb969943a2fed5535 },
    { "eis512", 4, 144, 10, 0x82ba78d081864453 },
    { "eis512", 16, 144, 10, 0x15611814c14f96bb },
    { "eis8192", 4, 144, 9, 0x0744287b2530d53a },
    { "eis8192", 16, 144, 9, 0x952b4e29367def02 },
};

/* Of what a step of the case compiles to in so many tasks. */
static text program_of(const expected *e) {
    subject s;
    tide_failure f = { 0 };
    text out = { 0 };
    if (subject_open(bench_spec_named(e->name), NULL, 1, &s, &f)) fail_msg("%s: %s", e->name, f.message);
    tide_val update = subject_update(&s, TIDE_PRECISION_F32);
    arena memory = { .allocator = &s.graph->allocator };
    compiled c = { .memory = &memory };
    compile_request request = runtime_request(s.graph, TIDE_LIST(s.loss, update));
    request.cut.tasks = e->cut, request.precision_note = "";
    tide_status status = runtime_lay_out(s.graph, &f);
    if (status || compile_graph(s.graph, &request, &c, &f)) fail_msg("%s: %s", e->name, f.message);
    flat_print(&out, &c.flat);
    arena_free(&memory);
    subject_close(&s);
    return out;
}

static void test_programs(void **unused) {
    int wrong = 0;
    (void)unused;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const expected *e = &programs[i];
        text now = program_of(e);
        int kernels = 0, phases = 0;
        sscanf(now.data, "%d kernels in %d phases", &kernels, &phases);
        uint64_t hash = text_hash(now.data);
        bool same = kernels == e->kernels && phases == e->phases && hash == e->hash;
        if (!same)
            print_message("    { \"%s\", %d, %d, %d, 0x%016llx },\n", e->name, e->cut, kernels, phases,
                          (unsigned long long)hash);
        wrong += !same;
        text_free(&now);
    }
    if (wrong) fail_msg("%d programs have changed: the rows above are theirs now", wrong);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_programs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
