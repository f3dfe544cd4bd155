/* Which products take a bias, which are rounded, and which are one, by the cut of GPUs; none by that of processors. */
#include "backends/gpu/driver.h"
#include "runtime/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 64, WIDE = 48, DEEP = 96 };

static tide_val variable(tide_graph *g, int64_t rows, int64_t cols) {
    static int made;
    char name[16];
    snprintf(name, sizeof name, "v%d", made++);
    tide_shape s = rows ? TIDE_SHAPE(rows, cols) : TIDE_SHAPE(cols);
    return tide_variable(g, name, tide_fill(g, TIDE_F32, s, 0.5));
}

static tide_val product(tide_graph *g) { return tide_matmul(variable(g, ROWS, DEEP), variable(g, DEEP, WIDE)); }
static tide_val again(tide_val x, int64_t cols) {
    return tide_matmul(x, variable(x.graph, tide_shape_of(x).dim[tide_shape_of(x).ndim - 1], cols));
}

/* ---- graphs: what is wanted of each -------------------------------------------------------------------- */

typedef tide_list graph(tide_graph *g, tide_val *room);

static tide_list of_one(tide_val *room, tide_val x) { return room[0] = x, (tide_list){ room, 1 }; }

static tide_list stored(tide_graph *g, tide_val *room) {
    return of_one(room, tide_add(product(g), variable(g, 0, WIDE)));
}
static tide_list bias_first(tide_graph *g, tide_val *room) {
    return of_one(room, tide_add(variable(g, 1, WIDE), product(g)));
}
static tide_list in_registers(tide_graph *g, tide_val *room) {
    return of_one(room, tide_gelu(stored(g, room).items[0]));
}
static tide_list and_stored(tide_graph *g, tide_val *room) {
    return room[1] = tide_gelu(stored(g, room).items[0]), (tide_list){ room, 2 };
}
static tide_list in_a_chain(tide_graph *g, tide_val *room) {
    return of_one(room, again(stored(g, room).items[0], DEEP));
}
static tide_list of_heads(tide_graph *g, tide_val *room) {
    tide_val x = tide_transpose(tide_reshape(stored(g, room).items[0], TIDE_SHAPE(ROWS, 1, WIDE)), 0, 1);
    return of_one(room, again(x, DEEP));
}
static tide_list alone(tide_graph *g, tide_val *room) { return of_one(room, again(product(g), DEEP)); }
static tide_list twice(tide_graph *g, tide_val *room) {
    room[0] = product(g), room[1] = tide_add(room[0], variable(g, 0, WIDE));
    return (tide_list){ room, 2 };
}
static tide_list by_rows(tide_graph *g, tide_val *room) {
    return of_one(room, tide_add(product(g), variable(g, ROWS, 1)));
}
static tide_list made_bias(tide_graph *g, tide_val *room) {
    tide_val x = tide_add(product(g), tide_sum(variable(g, ROWS, WIDE), TIDE_AXES(0)));
    return of_one(room, x);
}
static tide_list of_another(tide_graph *g, tide_val *room) {
    tide_val x = product(g), mean = tide_mean(x, TIDE_AXES(0));
    return of_one(room, tide_add(x, mean));
}
static tide_list two_products(tide_graph *g, tide_val *room) {
    tide_val row = variable(g, 1, DEEP);
    return of_one(room, tide_add(again(row, WIDE), again(row, WIDE)));
}
static tide_list assigned(tide_graph *g, tide_val *room) {
    tide_val to = variable(g, ROWS, WIDE);
    return of_one(room, tide_assign(to, stored(g, room).items[0]));
}
static tide_list summed_too(tide_graph *g, tide_val *room) {  /* a cast and a sum read the product */
    tide_val x = product(g);
    room[0] = again(x, DEEP), room[1] = tide_sum(x, TIDE_AXES(0));
    return (tide_list){ room, 2 };
}

/* Three sums of one left operand, by weights that lie turned or plain, next to each other or each
 * before its bias; all go into products. */
static tide_list of_three(tide_graph *g, tide_val *room, bool turned, bool apart, bool wanted) {
    tide_val x = variable(g, ROWS, DEEP), weight[3], bias[3], sum[3];
    for (int i = 0; i < 3; i++) {
        weight[i] = turned ? variable(g, WIDE, DEEP) : variable(g, DEEP, WIDE);
        if (apart) bias[i] = variable(g, 0, WIDE);
    }
    for (int i = 0; i < 3 && !apart; i++) bias[i] = variable(g, 0, WIDE);
    for (int i = 0; i < 3; i++)
        sum[i] = tide_add(tide_matmul(x, turned ? tide_transpose(weight[i], 0, 1) : weight[i]), bias[i]);
    room[0] = tide_matmul(tide_matmul(sum[0], tide_transpose(sum[1], 0, 1)), sum[2]), room[1] = sum[0];
    return (tide_list){ room, wanted ? 2 : 1 };
}
static tide_list neighbours(tide_graph *g, tide_val *room) { return of_three(g, room, true, false, false); }
static tide_list not_neighbours(tide_graph *g, tide_val *room) { return of_three(g, room, true, true, false); }
static tide_list plain_weights(tide_graph *g, tide_val *room) { return of_three(g, room, false, false, false); }
static tide_list one_is_wanted(tide_graph *g, tide_val *room) { return of_three(g, room, true, false, true); }

typedef struct expected { int maps, products, biased, rounded; } expected;

static const struct { const char *name; graph *of; expected f32, bf16; } cases[] = {
    { "a stored sum", stored, { 0, 1, 1, 0 }, { 2, 1, 1, 0 } },
    { "the bias first", bias_first, { 0, 1, 1, 0 }, { 2, 1, 1, 0 } },
    { "a sum in registers", in_registers, { 1, 1, 0, 0 }, { 3, 1, 0, 0 } },
    { "one that is stored too", and_stored, { 1, 1, 1, 0 }, { 3, 1, 1, 0 } },
    { "a product by a product", in_a_chain, { 0, 2, 1, 0 }, { 3, 2, 1, 1 } },
    { "in another order", of_heads, { 0, 2, 1, 0 }, { 3, 2, 1, 1 } },
    { "without a bias", alone, { 0, 2, 0, 0 }, { 3, 2, 0, 1 } },
    { "a product read twice", twice, { 1, 1, 0, 0 }, { 3, 1, 0, 0 } },
    { "a number for each row", by_rows, { 1, 1, 0, 0 }, { 3, 1, 0, 0 } },
    { "a bias that is computed", made_bias, { 1, 1, 1, 0 }, { 3, 1, 1, 0 } },
    { "a bias of the product's own", of_another, { 3, 1, 0, 0 }, { 5, 1, 0, 0 } },
    { "two products of a row", two_products, { 0, 2, 1, 0 }, { 0, 2, 1, 0 } },
    { "an assigned sum", assigned, { 1, 1, 0, 0 }, { 3, 1, 0, 0 } },
    { "three by neighbours", neighbours, { 0, 3, 1, 0 }, { 2, 3, 1, 2 } },
    { "three that are not", not_neighbours, { 0, 5, 3, 0 }, { 4, 5, 3, 4 } },
    { "three by weights that are not turned", plain_weights, { 0, 5, 3, 0 }, { 4, 5, 3, 4 } },
    { "three of which one is wanted", one_is_wanted, { 0, 4, 2, 0 }, { 4, 4, 2, 2 } },
    { "a cast and another reader", summed_too, { 1, 2, 0, 0 }, { 5, 2, 0, 0 } },
};

static expected count(const flat_program *p) {
    expected e = { 0 };
    for (int32_t i = 0; i < p->n_kernels; i++) {
        const flat_kernel *k = &p->kernels[i];
        e.maps += k->kind == FLAT_MAP;
        if (k->kind != FLAT_GEMM) continue;
        e.products++, e.biased += k->n_operands == 4, e.rounded += k->operands[2].type == TIDE_BF16;
    }
    return e;
}

static expected compiled_for(graph *of, const backend_cut *cut, tide_precision precision) {
    tide_graph *g = tide_graph_new("cpu");
    tide_val room[2];
    tide_failure why = { 0 };
    tide_list wanted = of(g, room);
    arena memory = { .allocator = &g->allocator };
    compiled c = { .memory = &memory };
    compile_request r = runtime_request(g, wanted);
    r.numbers = cut, r.precision = precision, r.precision_note = "";
    if (runtime_lay_out(g, &why) || compile_graph(g, &r, &c, &why)) fail_msg("%s", why.message);
    expected e = count(&c.flat);
    arena_free(&memory);
    tide_graph_free(g);
    return e;
}

static void test_products(void **unused) {
    int wrong = 0;
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int half = 0; half < 2; half++) {
            expected want = half ? cases[i].bf16 : cases[i].f32;
            expected got = compiled_for(cases[i].of, &gpu_cut, half ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32);
            bool same = !memcmp(&want, &got, sizeof got);
            if (!same)
                print_message("%s, %s: %d maps, %d products, %d biased, %d rounded\n", cases[i].name,
                              half ? "bf16" : "f32", got.maps, got.products, got.biased, got.rounded);
            wrong += !same;
            got = compiled_for(cases[i].of, &processor_cut, half ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32);
            assert_int_equal(got.biased + got.rounded, 0);
        }
    if (wrong) fail_msg("%d programs are others", wrong);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products) };
    return cmocka_run_group_tests_name("products as compiled", tests, NULL, NULL);
}
