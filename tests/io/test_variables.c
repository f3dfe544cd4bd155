/* Variables saved from one graph and loaded into another. */
#include "check.h"

static const float weight[6] = { 1, 2, 3, 4, 5, 6 }, bias[3] = { -1, 0, 1 };
static const int64_t steps = (int64_t)1 << 40;

static tide_val variable(tide_graph *g, const char *name, tide_dtype type, tide_shape shape) {
    return tide_variable(g, name, tide_fill(g, type, shape, 7));
}

static void saved(const char *path) {
    tide_graph *g = tide_graph_new("ref");
    tide_failure f = { 0 };
    tide_val w = variable(g, "layer.weight", TIDE_F32, TIDE_SHAPE(2, 3)),
             b = variable(g, "layer.bias", TIDE_F32, TIDE_SHAPE(3));
    tide_val s = variable(g, "steps", TIDE_I64, TIDE_SCALAR);
    assert_int_equal(tide_write(w, weight, sizeof weight), TIDE_OK);
    assert_int_equal(tide_write(b, bias, sizeof bias), TIDE_OK);
    assert_int_equal(tide_write(s, &steps, sizeof steps), TIDE_OK);
    check_ok("save", tide_save(tide_state(g, ""), path, &f), &f);
    tide_graph_free(g);
}

static void check_value(tide_val v, const void *wanted, size_t length) {
    unsigned char got[64];
    assert_int_equal(tide_read(v, got, length), TIDE_OK);
    assert_memory_equal(got, wanted, length);
}

static void test_round_trip(void **state) {
    (void)state;
    const char *path = temporary("v.safetensors");
    tide_failure f = { 0 };
    saved(path);
    tide_graph *g = tide_graph_new("ref");
    tide_val s = variable(g, "steps", TIDE_I64, TIDE_SCALAR);
    tide_val w = variable(g, "layer.weight", TIDE_F32, TIDE_SHAPE(2, 3, 1));  /* as a 1x1 convolution has it */
    check_ok("load", tide_load(TIDE_LIST(s, w), path, &f), &f);
    check_value(w, weight, sizeof weight);
    check_value(s, &steps, sizeof steps);
    tide_graph_free(g);

    tide_archive a;
    check_ok("as an archive", tide_safetensors_read(path, &a, &f), &f);
    assert_int_equal(a.count, 3);
    check_same(tide_archive_find(&a, "layer.bias"),
               &(tide_tensor){ (char *)(uintptr_t) "layer.bias", TIDE_F32, TIDE_SHAPE(3), (void *)(uintptr_t)bias });
    tide_archive_free(&a);
}

/* A variable that does not fit is named and none is changed. */
static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *name;
        tide_dtype type;
        tide_shape shape;
        tide_status status;
        const char *part;
    } cases[] = {
        { "absent", TIDE_F32, { 1, { 3 } }, TIDE_EDATA, "variable 'absent' is not in this file" },
        { "layer.bias",
          TIDE_F64,
          { 1, { 3 } },
          TIDE_ETYPE,
          "variable 'layer.bias' is f32 in this file; f64 is needed" },
        { "layer.bias",
          TIDE_F32,
          { 1, { 4 } },
          TIDE_ESHAPE,
          "variable 'layer.bias' has shape (3) in this file; (4) "
          "is needed" },
        { "layer.weight", TIDE_F32, { 2, { 3, 2 } }, TIDE_ESHAPE, "has shape (2, 3) in this file; (3, 2) is needed" },
    };
    static const int64_t seven = 7;
    const char *path = temporary("v.safetensors");
    saved(path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_graph *g = tide_graph_new("ref");
        tide_failure f = { 0 };
        tide_val s = variable(g, "steps", TIDE_I64, TIDE_SCALAR),
                 v = variable(g, cases[i].name, cases[i].type, cases[i].shape);
        check_failure(cases[i].name, tide_load(TIDE_LIST(s, v), path, &f), &f, cases[i].status, cases[i].part);
        assert_string_equal(f.file, path);
        check_value(s, &seven, sizeof seven);
        tide_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests_name("variables in files", tests, NULL, remove_files);
}
