/* Reads without a program, and giving values back: what core.h promises of memory, of programs that are found again and
 * of what is no longer there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those above */
#include <cmocka.h>
#include <tidemill/tidemill.h>

typedef struct counter { int64_t calls, live_bytes, live_blocks, fail_at; } counter;

static void *counted_alloc(void *user, size_t bytes) {
    counter *c = user;
    if (++c->calls == c->fail_at) return NULL;
    c->live_bytes += (int64_t)bytes, c->live_blocks++;
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static void counted_free(void *user, void *memory, size_t bytes) {
    counter *c = user;
    c->live_bytes -= (int64_t)bytes, c->live_blocks--;
    free(memory);
}

static tide_graph *counted_graph(counter *c) {
    return tide_graph_new_with(&(tide_graph_options){
        .threads = 1, .seed = 7, .allocator = { counted_alloc, counted_free, c } });
}

enum { N = 8 };

static tide_val eight(tide_graph *g) {
    static const float from[N] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    return tide_variable(g, "v", tide_constant(g, TIDE_F32, TIDE_SHAPE(N), from));
}

static void read_sum(tide_graph *g, tide_val v, int i) {
    float got[N];
    assert_int_equal(tide_read(tide_add_scalar(v, i), got, sizeof got), TIDE_OK);
    for (int k = 0; k < N; k++) assert_true(got[k] == (float)(k + i));
    assert_int_equal(tide_error(g)->status, TIDE_OK);
}

/* Many reads of v + i: with a rewind each, memory stays to the byte; without, the nodes stay. */
static void test_growth(void **state) {
    (void)state;
    enum { READS = 20000 };
    for (int rewinds = 0; rewinds < 2; rewinds++) {
        counter c = { 0 };
        tide_graph *g = counted_graph(&c);
        tide_val v = eight(g);
        for (int i = 0; i < 3; i++) read_sum(g, v, i);
        int64_t before = c.live_bytes, calls = c.calls;
        for (int i = 0; i < READS; i++) {
            int64_t mark = tide_graph_mark(g);
            read_sum(g, v, 2 + i % 1000);
            if (rewinds) assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);
        }
        if (rewinds) assert_true(c.live_bytes - before < 1 << 17);  /* a chunk of nodes, the table of marks */
        else assert_true((c.live_bytes - before) / READS < 1228);   /* 1.2 KiB */
        if (rewinds) assert_true(c.calls - calls < READS / 50);     /* nothing is compiled, hardly a chunk is taken */
        tide_graph_free(g);
        assert_int_equal(c.live_blocks, 0);
    }
}

/* Programs that are not found again take the place of each other. */
static void test_kept_programs_are_few(void **state) {
    (void)state;
    counter c = { 0 };
    tide_graph *g = counted_graph(&c);
    float one;
    int64_t after_100 = 0;
    for (int i = 1; i <= 300; i++) {
        assert_int_equal(tide_read(tide_sum(tide_fill(g, TIDE_F32, TIDE_SHAPE(i), 2), TIDE_ALL), &one, 4), TIDE_OK);
        assert_true(one == (float)(2 * i));
        if (i == 100) after_100 = c.live_bytes;
    }
    assert_true(c.live_bytes - after_100 < 200 * 3000);
    tide_graph_free(g);
    assert_int_equal(c.live_blocks, 0);
}

/* The same shape, and something else than the number differs: each must be computed, not found. */
static void test_what_differs_is_told_apart(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val v = eight(g), w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(N), 10));
    tide_val all[] = {
        tide_mul_scalar(v, 3), tide_mul_scalar(v, 1), tide_mul_scalar(v, 0), tide_mul_scalar(w, 3),
        tide_add_scalar(v, 3),
        tide_flip(v, 0), tide_flip(w, 0), tide_sub(v, w), tide_sub(w, v), tide_sub(v, v),
        tide_mul(v, tide_constant(g, TIDE_F32, TIDE_SHAPE(N), (float[N]){ 1, 2, 3 })),
        tide_mul(v, tide_constant(g, TIDE_F32, TIDE_SHAPE(N), (float[N]){ 4, 5, 6 })),
        tide_mul(v, tide_sub(tide_scalar(g, 3), tide_scalar(g, 2))),  /* 1, folded */
        tide_mul(v, tide_sub(tide_scalar(g, 5), tide_scalar(g, 2))),
        tide_mul(tide_add_scalar(v, 2), tide_scalar(g, 2)), tide_mul(tide_add_scalar(v, 2), tide_scalar(g, 4)),
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        float lazy[N], fresh[N];
        assert_int_equal(tide_read(all[i], lazy, sizeof lazy), TIDE_OK);
        tide_program *p = tide_compile(TIDE_LIST(all[i]), NULL);
        assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
        assert_int_equal(tide_read(all[i], fresh, sizeof fresh), TIDE_OK);
        assert_memory_equal(lazy, fresh, sizeof lazy);
    }
    tide_graph_free(g);
}

static void test_read_now(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val v = tide_variable(g, "v", tide_scalar(g, 2)), y = tide_square(v);
    tide_program *p = tide_compile(TIDE_LIST(y), NULL);
    float value;
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    assert_int_equal(tide_write(v, &(float){ 5 }, 4), TIDE_OK);
    assert_int_equal(tide_read(y, &value, 4), TIDE_OK);
    assert_true(value == 4);
    assert_int_equal(tide_read_now(y, &value, 4), TIDE_OK);
    assert_true(value == 25);
    assert_int_equal(tide_read(y, &value, 4), TIDE_OK);  /* what the program holds is as it was */
    assert_true(value == 4);
    tide_graph_free(g);
}

/* ---- rewinding ---- */

static void test_values_given_back(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val v = eight(g), before = tide_square(v);
    int64_t mark = tide_graph_mark(g);
    tide_val gone = tide_add_scalar(v, 1);
    float got[N];
    assert_int_equal(tide_read(gone, got, sizeof got), TIDE_OK);
    assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);
    tide_val other = tide_mul_scalar(v, 2);  /* takes the places of those that are gone */
    assert_false(tide_ok(gone));
    assert_true(tide_ok(before) && tide_ok(other));
    assert_int_equal(tide_read(gone, got, sizeof got), TIDE_EINVAL);
    assert_non_null(strstr(tide_error(g)->message, "given back by tide_graph_rewind"));
    assert_int_equal(tide_read(other, got, sizeof got), TIDE_OK);  /* that a read failed does not last */
    assert_true(got[3] == 6);
    assert_false(tide_ok(tide_add(other, gone)));
    assert_non_null(strstr(tide_error(g)->message, "operand 1"));
    assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);  /* and forgets what went wrong since */
    assert_int_equal(tide_error(g)->status, TIDE_OK);
    assert_int_equal(tide_read(before, got, sizeof got), TIDE_OK);
    tide_graph_free(g);
}

static void test_variables_stay(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    int64_t mark = tide_graph_mark(g);
    tide_val early = tide_scalar(g, 3), w = tide_variable(g, "w", early), late = tide_square(w);
    float value;
    assert_int_equal(tide_read(late, &value, 4), TIDE_OK);
    assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);
    assert_true(tide_ok(w) && tide_ok(early));
    assert_false(tide_ok(late));
    assert_string_equal(tide_name_of(w), "w");
    assert_int_equal(tide_read(tide_square(w), &value, 4), TIDE_OK);
    assert_true(value == 9);
    /* Random numbers: their step is a variable, and the same site is drawn again at another step. */
    double u[3];
    for (int i = 0; i < 3; i++) {
        mark = tide_graph_mark(g);
        assert_int_equal(tide_read(tide_cast(tide_random_uniform(g, TIDE_SCALAR, 0, 1), TIDE_F64), &u[i], 8), TIDE_OK);
        assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);
    }
    assert_true(u[0] != u[1] && u[1] != u[2]);
    tide_graph_free(g);
}

static void test_programs_hold(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val v = eight(g), sum = tide_sum(tide_softmax(v, 0), TIDE_ALL);
    int64_t mark = tide_graph_mark(g);
    float one;
    tide_program *fine = tide_compile(TIDE_LIST(sum), NULL),  /* defines the softmax with nodes made since the mark */
                 *holds = tide_compile(TIDE_LIST(tide_neg(sum)), NULL);
    assert_int_equal(tide_run(fine, NULL, 0), TIDE_OK);
    assert_int_equal(tide_graph_rewind(g, mark), TIDE_EINVAL);
    assert_non_null(strstr(tide_error(g)->message, "tide_program_free"));
    assert_int_equal(tide_run(holds, NULL, 0), TIDE_OK);  /* nothing has changed */
    tide_program_free(holds);
    assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);
    assert_int_equal(tide_run(fine, NULL, 0), TIDE_OK);
    assert_int_equal(tide_read(sum, &one, 4), TIDE_OK);
    assert_true(one > 0.9999f && one < 1.0001f);
    for (int i = 0; i < 50; i++) tide_neg(v);              /* where the definition was */
    assert_int_equal(tide_read_now(sum, &one, 4), TIDE_OK);
    assert_true(one > 0.9999f && one < 1.0001f);
    tide_graph_free(g);
}

static void test_marks(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val a = tide_scalar(g, 1);
    int64_t first = tide_graph_mark(g), again = tide_graph_mark(g);
    tide_val b = tide_neg(a);
    int64_t second = tide_graph_mark(g);
    tide_val c = tide_neg(b);
    assert_true(first > 0 && again == first && second > first);
    assert_int_equal(tide_graph_rewind(g, second), TIDE_OK);
    assert_true(tide_ok(b) && !tide_ok(c));
    assert_int_equal(tide_graph_rewind(g, first), TIDE_OK);
    assert_true(tide_ok(a) && !tide_ok(b));
    assert_int_equal(tide_graph_rewind(g, second), TIDE_EINVAL);
    assert_int_equal(tide_graph_rewind(g, first), TIDE_OK);
    tide_scope_push(g, "outer");  /* scopes are what the caller has open, before and after */
    tide_scope_push(g, "inner");
    assert_int_equal(tide_graph_rewind(g, first), TIDE_OK);
    assert_string_equal(tide_name_of(tide_input(g, "x", TIDE_F32, TIDE_SCALAR)), "outer.inner.x");
    tide_scope_pop(g);
    tide_scope_pop(g);
    tide_graph_free(g);
}

/* A constant too large to be told to a run is part of the program, and goes with its memory. */
static void test_large_constants(void **state) {
    (void)state;
    enum { LARGE = 1 << 19 };
    float *x = malloc(LARGE * sizeof *x), sum;
    tide_graph *g = tide_graph_new("cpu");
    assert_non_null(x);
    for (int round = 1; round < 4; round++) {
        for (int i = 0; i < LARGE; i++) x[i] = (float)round;
        int64_t mark = tide_graph_mark(g);
        tide_val c = tide_constant(g, TIDE_F32, TIDE_SHAPE(LARGE), x);
        assert_int_equal(tide_read(tide_mean(c, TIDE_ALL), &sum, 4), TIDE_OK);
        assert_true(sum == (float)round);
        assert_int_equal(tide_graph_rewind(g, mark), TIDE_OK);
    }
    tide_graph_free(g);
    free(x);
}

/* ---- memory that is not there ---- */

/* True once everything succeeded. */
static bool survives(counter *c) {
    tide_graph *g = counted_graph(c);
    if (!g) return false;
    tide_val v = eight(g);
    float got[N];
    tide_status status = tide_error(g)->status;
    for (int i = 0; i < 3 && !status; i++) {
        int64_t mark = tide_graph_mark(g);
        tide_val y = tide_softmax(tide_mul_scalar(tide_random_uniform(g, TIDE_SHAPE(N), 0, 1), 2 + i), 0);
        status = tide_read(tide_add(tide_add_scalar(v, i), y), got, sizeof got);
        if (!status) status = tide_graph_rewind(g, mark);
    }
    bool failed = c->calls >= c->fail_at;
    if (failed && status) assert_int_equal(status, TIDE_ENOMEM);
    if (failed && status) assert_int_equal(tide_error(g)->status, TIDE_ENOMEM);
    if (!failed) assert_int_equal(status, TIDE_OK);
    tide_graph_free(g);
    return !failed;
}

static void test_each_allocation_fails(void **state) {
    (void)state;
    bool done = false;
    for (int64_t at = 1; !done; at++) {
        counter c = { .fail_at = at };
        done = survives(&c);
        assert_int_equal(c.live_blocks, 0);
        assert_int_equal(c.live_bytes, 0);
        assert_true(at < 100000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),         cmocka_unit_test(test_kept_programs_are_few),
        cmocka_unit_test(test_what_differs_is_told_apart), cmocka_unit_test(test_read_now),
        cmocka_unit_test(test_values_given_back), cmocka_unit_test(test_variables_stay),
        cmocka_unit_test(test_programs_hold),  cmocka_unit_test(test_marks),
        cmocka_unit_test(test_large_constants), cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
