/* A device that lacks an operation: programs with it run whole on cpu, and say so. No device of this build lacks one,
 * so the graphs here are given one that does: ref, but for sorting. */
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

static const char *lacks_sort(void *device, const flat_program *p, const flat_kernel *k) {
    (void)device, (void)p;
    return k->kind == FLAT_SORT ? "its queue cannot compare" : NULL;
}

static tide_backend bare;

static tide_graph *graph_on_bare(void) {
    tide_graph *g = tide_graph_new("ref");
    bare = tide_backend_ref;
    bare.name = "bare", bare.lacks = lacks_sort;
    g->runtime->backend = &bare;
    return g;
}

static tide_val input_of(tide_graph *g) { return tide_input(g, "x", TIDE_F32, TIDE_SHAPE(4)); }

static tide_val sorted_of(tide_val x) {
    tide_val values, places;
    tide_sort(x, false, &values, &places);
    return values;
}

static const float numbers[4] = { 3, -1, 2, 5 };

static void test_runs_on_cpu(void **state) {
    const char *note;
    float sorted[4];
    (void)state;
    tide_graph *g = graph_on_bare();
    tide_val x = input_of(g), y = tide_add_scalar(sorted_of(x), 1);
    tide_program *p = tide_compile(TIDE_LIST(y), NULL);
    assert_string_equal(tide_program_device(p, &note), "cpu");
    assert_string_equal(
        note, "the device 'bare' lacks an operation (sort: its queue cannot compare): the program runs on cpu");
    assert_int_equal(tide_run(p, (tide_feed[]){ { x, numbers } }, 1), TIDE_OK);
    assert_int_equal(tide_read(y, sorted, sizeof sorted), TIDE_OK);
    assert_memory_equal(sorted, ((float[]){ 0, 3, 4, 6 }), sizeof sorted);
    assert_string_equal(tide_graph_device(g), "bare");
    tide_graph_free(g);
}

/* Another program of the same graph is not touched by it. */
static void test_others_stay(void **state) {
    const char *note;
    (void)state;
    tide_graph *g = graph_on_bare();
    tide_program *p = tide_compile(TIDE_LIST(tide_add_scalar(input_of(g), 1)), NULL);
    assert_string_equal(tide_program_device(p, &note), "bare");
    assert_string_equal(note, "");
    tide_graph_free(g);
}

static void test_strict(void **state) {
    (void)state;
    tide_graph *g = graph_on_bare();
    tide_program *p = tide_compile(TIDE_LIST(sorted_of(input_of(g))), &(tide_compile_options){ .strict = true });
    assert_int_equal(tide_program_error(p)->status, TIDE_EDEVICE);
    assert_string_equal(tide_program_error(p)->message,
                        "the device 'bare' lacks an operation (sort: its queue cannot compare)");
    assert_int_equal(tide_run(p, NULL, 0), TIDE_EDEVICE);
    tide_graph_free(g);
}

static void test_explained(void **state) {
    (void)state;
    tide_graph *g = graph_on_bare();
    tide_val x = input_of(g), a = sorted_of(x), b = sorted_of(tide_neg(x));
    tide_explanation *e = tide_program_explain(tide_compile(TIDE_LIST(a, b), NULL), NULL);
    assert_string_equal(e->device, "cpu");
    assert_int_equal(e->lacking, 2);
    char *text = tide_explanation_text(e, 0, 0);
    assert_non_null(strstr(text, "sort: its queue cannot compare"));
    assert_non_null(strstr(text, "kernels that it lacks: 2"));
    free(text);
    tide_explanation_free(e);
    tide_graph_free(g);
}

/* First values of variables, and values that are read without a program, come that way too. */
static void test_lazy(void **state) {
    float sorted[4];
    (void)state;
    tide_graph *g = graph_on_bare();
    tide_val fixed = tide_constant(g, TIDE_F32, TIDE_SHAPE(4), numbers), v = tide_variable(g, "v", sorted_of(fixed));
    assert_int_equal(tide_read(v, sorted, sizeof sorted), TIDE_OK);
    assert_memory_equal(sorted, ((float[]){ -1, 2, 3, 5 }), sizeof sorted);
    assert_int_equal(tide_read(sorted_of(tide_neg(fixed)), sorted, sizeof sorted), TIDE_OK);
    assert_memory_equal(sorted, ((float[]){ -5, -3, -2, 1 }), sizeof sorted);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_on_cpu), cmocka_unit_test(test_others_stay), cmocka_unit_test(test_strict),
        cmocka_unit_test(test_explained),   cmocka_unit_test(test_lazy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
