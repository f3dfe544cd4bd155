/* What a backend leaves when it counts a program's bytes: prepare takes it, or it is forgotten, and what it says is
 * lacking is not asked again. The graphs here are given a backend that leaves such: ref, with a plan of its own. */
#include "runtime/runtime.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/tidemill.h>

struct backend_plan { const flat_program *of; };

static struct { int left, taken, forgotten, asked; bool leaves; } did;

static int64_t scratch_and_plan(const flat_program *p, const backend_env *env) {
    assert_non_null(env->plan);
    assert_null(*env->plan);
    if (did.leaves) {
        *env->plan = malloc(sizeof **env->plan);
        (*env->plan)->of = p;
        did.left++;
    }
    return tide_backend_ref.scratch_bytes(p, env);
}

static tide_status prepare_planned(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,
                                   tide_failure *why) {
    assert_int_equal(*env->plan != NULL, did.leaves);
    if (*env->plan) {
        assert_ptr_equal((*env->plan)->of, p);
        free(*env->plan);
        *env->plan = NULL;
        did.taken++;
    }
    return tide_backend_ref.prepare(p, arena, env, out, why);
}

static void forget(backend_plan *plan) {
    free(plan);
    did.forgotten++;
}

static const char *lacks_sort(void *device, const flat_program *p, const flat_kernel *k) {
    (void)device, (void)p;
    did.asked++;
    return k->kind == FLAT_SORT ? "its queue cannot compare" : NULL;
}

static tide_backend planner;

static tide_graph *graph_on_planner(bool leaves) {
    tide_graph *g = tide_graph_new("ref");
    memset(&did, 0, sizeof did);
    did.leaves = leaves;
    planner = tide_backend_ref;
    planner.name = "planner", planner.lacks = lacks_sort, planner.scratch_bytes = scratch_and_plan;
    planner.prepare = prepare_planned, planner.forget = forget;
    g->runtime->backend = &planner;
    return g;
}

static tide_val some(tide_graph *g) { return tide_exp(tide_fill(g, TIDE_F32, TIDE_SHAPE(100), 0.5)); }

static void test_taken(void **state) {
    (void)state;
    tide_graph *g = graph_on_planner(true);
    assert_int_equal(tide_run(tide_compile(TIDE_LIST(some(g)), NULL), NULL, 0), TIDE_OK);
    assert_true(did.left == 1 && did.taken == 1 && did.forgotten == 0 && did.asked == 0);
    tide_graph_free(g);
}

static void test_forgotten(void **state) {
    (void)state;
    tide_graph *g = graph_on_planner(true);
    tide_program *p = tide_compile(TIDE_LIST(some(g)), &(tide_compile_options){ .memory_limit = 8 });
    assert_int_equal(tide_program_error(p)->status, TIDE_ENOMEM);
    assert_true(did.left == 1 && did.taken == 0 && did.forgotten == 1 && did.asked == 0);
    tide_graph_free(g);
}

/* No plan: each kernel is asked for, and the program that cpu gets has none either. */
static void test_none_left(void **state) {
    (void)state;
    tide_val order;
    tide_graph *g = graph_on_planner(false);
    tide_sort(some(g), false, NULL, &order);
    tide_program *p = tide_compile(TIDE_LIST(order), NULL);
    assert_string_equal(tide_program_device(p, NULL), "cpu");
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    assert_true(did.left == 0 && did.taken == 0 && did.forgotten == 0 && did.asked > 0);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_taken), cmocka_unit_test(test_forgotten),
                                        cmocka_unit_test(test_none_left) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
