/* Memory: every failed allocation is reported and leaks nothing; the checking backend sees what it is to see. */
#include <math.h>
#include <stdlib.h>

#include "backends/ref/ref.h"
#include "flat_check.h"

/* A program with one of everything that prepares differently. */
static void build_all_sorts(builder *b) {
    static const int64_t dim[] = { 20, 11 };
    int64_t full[TIDE_MAX_DIMS], row[TIDE_MAX_DIMS], turned[TIDE_MAX_DIMS] = { 1, 20 };
    dense(full, 2, dim, 0, 2);
    dense(row, 2, dim, 0, 1);
    build_begin(b);
    flat_kernel *k = add_map(b, 2, 1, dim, 8, true);
    int x = map_load(b, k, add_buffer(b, TIDE_F32, 220, false), FLAT_FULL, turned);
    int r = map_op(b, k, FLAT_ROW_SUM, TIDE_F32, FLAT_ROW, x, -1, -1);
    int y = map_op(b, k, S_SUB, TIDE_F32, FLAT_FULL, x, r, -1);
    map_store(b, k, y, add_buffer(b, TIDE_F32, 220, true), turned);
    map_store(b, k, r, add_buffer(b, TIDE_F32, 20, true), row);
    k = add_kernel(b, FLAT_GEMM, "product", 2);
    k->gemm = (flat_gemm){ .m = 100, .n = 64, .k = 48, .batches = 1, .rows_per_task = 64, .alpha = 1 };
    add_operand(b, k, add_buffer(b, TIDE_F32, 4800, false), (int64_t[TIDE_MAX_DIMS]){ 48, 1 });
    add_operand(b, k, add_buffer(b, TIDE_F32, 48 * 64, false), (int64_t[TIDE_MAX_DIMS]){ 64, 1 });
    add_operand(b, k, add_buffer(b, TIDE_F32, 6400, true), (int64_t[TIDE_MAX_DIMS]){ 64, 1 });
    for (int half = TIDE_F16; half <= TIDE_BF16; half++) {  /* one by a library where it can, one by way of F32 */
        k = add_kernel(b, FLAT_GEMM, "product of 16-bit numbers", 2);
        k->gemm = (flat_gemm){ .m = 100, .n = 32, .k = 48, .batches = 1, .rows_per_task = 64, .alpha = 1 };
        add_operand(b, k, add_buffer(b, (tide_dtype)half, 4800, false), (int64_t[TIDE_MAX_DIMS]){ 48, 1 });
        add_operand(b, k, add_buffer(b, (tide_dtype)half, 48 * 32, false), (int64_t[TIDE_MAX_DIMS]){ 1, 48 });
        add_operand(b, k, add_buffer(b, TIDE_F32, 3200, true), (int64_t[TIDE_MAX_DIMS]){ 32, 1 });
    }
    k = add_kernel(b, FLAT_CUMSUM, "cumsum", 1);
    k->index = (flat_index){ .outer = 1, .n = 20, .inner = 11, .per_task = 1 };
    add_operand(b, k, 1, NULL);
    add_operand(b, k, add_buffer(b, TIDE_F32, 220, true), NULL);
    finish(b);
}

/* Fails the allocation number `fail_at`. */
typedef struct failing { tide_allocator system; int64_t live, calls, fail_at; } failing;

static void *failing_alloc(void *user, size_t bytes) {
    failing *f = user;
    if (f->calls++ == f->fail_at) return NULL;
    f->live += (int64_t)bytes;
    return f->system.alloc(f->system.user, bytes);
}

static void failing_free(void *user, void *memory, size_t bytes) {
    failing *f = user;
    f->live -= (int64_t)bytes;
    f->system.free(f->system.user, memory, bytes);
}

static void test_failed_allocations(void **unused) {
    static const tide_backend *const backends[] = { &tide_backend_ref, &tide_backend_check, &tide_backend_cpu };
    (void)unused;
    builder b;
    build_all_sorts(&b);
    for (int i = 0; i < 3; i++) {
        tide_status status = TIDE_ENOMEM;
        int64_t fail_at = 0;
        for (; status != TIDE_OK; fail_at++) {
            failing f = { mem_system(), 0, 0, fail_at };
            tide_allocator allocator = { failing_alloc, failing_free, &f };
            tide_failure why = { 0 };
            backend_exec *e = NULL;
            status = backends[i]->prepare(&b.p, b.initial, &(backend_env){ &allocator, 2 }, &e, &why);
            assert_int_equal(why.status, status);
            if (status == TIDE_OK) backends[i]->release(e);
            else assert_int_equal(status, TIDE_ENOMEM);
            assert_int_equal(f.live, 0);
        }
        assert_true(fail_at > 1);
    }
    build_free(&b);
}

static void test_one_of_everything(void **unused) {
    (void)unused;
    builder b;
    build_all_sorts(&b);
    for (int i = 0; i < b.p.n_buffers; i++)
        for (int64_t j = 0; j < b.buffers[i].bytes / (int64_t)tide_dtype_size(b.types[i]); j++)
            ref_store(b.types[i], initial_of(&b, i), j, (ref_value){ .f = (double)(random_bits() % 16) });
    expect_like_ref(&b, 0, 0, "one of everything");  /* small integers: exact */
    build_free(&b);
}

static void overrun(void *user, const void *const *inputs, void *output) {
    (void)inputs;
    memset(output, 0, 400 + *(size_t *)user);
}

static tide_status run_custom_writing(size_t too_many, tide_failure *why) {
    builder b;
    build_begin(&b);
    flat_kernel *k = add_kernel(&b, FLAT_CUSTOM, "careless", 1);
    k->custom.run = overrun;
    k->custom.user = &too_many;
    add_operand(&b, k, add_buffer(&b, TIDE_F32, 100, true), NULL);
    finish(&b);
    tide_allocator system = mem_system();
    backend_exec  *e = NULL;
    assert_int_equal(tide_backend_check.prepare(&b.p, b.initial, &(backend_env){ &system, 1 }, &e, NULL), TIDE_OK);
    tide_status status = tide_backend_check.run(e, why);
    tide_backend_check.release(e);
    build_free(&b);
    return status;
}

static void test_guards(void **unused) {
    (void)unused;
    tide_failure why = { 0 };
    assert_int_equal(run_custom_writing(0, &why), TIDE_OK);
    assert_int_equal(run_custom_writing(1, &why), TIDE_EDEVICE);
    assert_non_null(strstr(why.message, "careless"));
}

/* x -> y -> z, one kernel each; who lives when is up to the test. */
static void build_copies(builder *b) {
    static const int64_t dim[] = { 50 };
    build_begin(b);
    int at[3];
    for (int i = 0; i < 3; i++) at[i] = add_buffer(b, TIDE_F32, 50, i > 0);
    for (int i = 0; i < 2; i++) {
        flat_kernel *k = add_map(b, 1, 1, dim, 50, false);
        map_store(b, k, map_load(b, k, at[i], FLAT_FULL, (int64_t[TIDE_MAX_DIMS]){ 1 }), at[i + 1],
                  (int64_t[TIDE_MAX_DIMS]){ 1 });
    }
    finish(b);
    for (int i = 0; i < 50; i++) ((float *)b->initial)[i] = (float)i;
    b->buffers[1].first_phase = 0, b->buffers[1].last_phase = 1;
    b->buffers[2].first_phase = 1;
}

static bool holds_numbers(const builder *b, const char *arena, int buffer) {
    const float *p = (const float *)(arena + b->buffers[buffer].offset);
    for (int i = 0; i < 50; i++)
        if (p[i] != (float)i) return false;
    return true;
}

static void test_lifetimes(void **unused) {
    (void)unused;
    builder b;
    build_copies(&b);
    char *arena = run_on(&tide_backend_check, &b, 1);
    assert_true(holds_numbers(&b, arena, 2));
    assert_true(isnan(*(float *)(arena + b.buffers[1].offset)));  /* dead */
    free(arena);
    b.buffers[1].last_phase = 0;  /* a mistake: it is read in phase 1 */
    arena = run_on(&tide_backend_check, &b, 1);
    assert_false(holds_numbers(&b, arena, 2));
    free(arena);
    b.buffers[1].last_phase = 1;
    b.buffers[1].offset = b.buffers[2].offset;  /* in place */
    arena = run_on(&tide_backend_check, &b, 1);
    assert_true(holds_numbers(&b, arena, 2));
    free(arena);
    build_free(&b);
}

static void test_forced_instruction_set(void **unused) {
    (void)unused;
    builder b;
    build_copies(&b);
    tide_allocator system = mem_system();
    backend_exec  *e = NULL;
    tide_failure   why = { 0 };
    setenv("TIDEMILL_ISA", "mmx", 1);
    assert_int_equal(tide_backend_cpu.prepare(&b.p, b.initial, &(backend_env){ &system, 1 }, &e, &why), TIDE_EDEVICE);
    assert_non_null(strstr(why.message, "mmx"));
    unsetenv("TIDEMILL_ISA");
    build_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_allocations), cmocka_unit_test(test_one_of_everything),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_lifetimes), cmocka_unit_test(test_forced_instruction_set),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
