/* Products that are one by neighbouring weights, whose variables a program changes as well: the numbers of ref in
 * every step, whoever else reads or writes the weights. */
#include "fibers.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tidemill/tidemill.h>

enum { ROWS = 96, IN = 64, OUT = 48, STEPS = 3, MOST = 12, NUMBERS = 1 << 15 };

typedef struct layer { tide_val x, weight[3], bias[3], out[3]; } layer;

static tide_val variable(tide_graph *g, const char *name, int number, tide_shape s) {
    static float data[NUMBERS];
    char full[16];
    snprintf(full, sizeof full, "%s%d", name, number);
    for (int i = 0; i < (int)tide_shape_count(s); i++) data[i] = (float)((i * 37 + number * 11) % 23) / 23 - 0.4f;
    return tide_variable(g, full, tide_constant(g, TIDE_F32, s, data));
}

static layer layer_new(tide_graph *g) {
    layer l = { .x = variable(g, "x", 0, TIDE_SHAPE(ROWS, IN)) };
    for (int i = 0; i < 3; i++) l.weight[i] = variable(g, "w", i, TIDE_SHAPE(OUT, IN));
    for (int i = 0; i < 3; i++) l.bias[i] = variable(g, "b", i, TIDE_SHAPE(OUT));
    for (int i = 0; i < 3; i++)
        l.out[i] = tide_add(tide_matmul(l.x, tide_transpose(l.weight[i], 0, 1)), l.bias[i]);
    return l;
}

/* Fills `wanted`, values before effects, and returns how many there are. */
typedef int scenario(tide_graph *g, const layer *l, tide_val *wanted);

static tide_val together(const layer *l) {
    return tide_matmul(tide_softmax(tide_matmul(l->out[0], tide_transpose(l->out[1], 0, 1)), -1), l->out[2]);
}

static int only_read(tide_graph *g, const layer *l, tide_val *wanted) {
    return (void)g, wanted[0] = together(l), wanted[1] = tide_gelu(wanted[0]), 2;
}
/* What the updates need is there before the products are. */
static int updated_at_once(tide_graph *g, const layer *l, tide_val *wanted) {
    wanted[0] = together(l), wanted[1] = tide_assign(l->weight[1], tide_mul_scalar(l->weight[1], 0.5));
    wanted[2] = tide_assign(l->bias[0], tide_add_scalar(l->bias[0], 1));
    return (void)g, 3;
}
static int turned_round(tide_graph *g, const layer *l, tide_val *wanted) {
    wanted[0] = together(l);
    for (int i = 0; i < 3; i++) wanted[1 + i] = tide_assign(l->weight[i], tide_neg(l->weight[(i + 1) % 3]));
    return (void)g, 4;
}
/* A state by the products, and the biases that they read changed in the same step. */
static int kept(tide_graph *g, const layer *l, tide_val *wanted) {
    tide_val state = variable(g, "s", 7, TIDE_SHAPE(ROWS, OUT));
    wanted[0] = tide_assign(state, tide_add(state, tide_mul(l->out[0], tide_tanh(l->out[1]))));
    wanted[1] = tide_assign(l->bias[1], tide_mul_scalar(l->bias[1], -2));
    wanted[2] = tide_assign(l->bias[0], tide_sum(l->out[0], TIDE_AXES(0)));
    return 3;
}
static int trained(tide_graph *g, const layer *l, tide_val *wanted) {
    tide_val loss = tide_mean(tide_square(together(l)), TIDE_ALL), all[6];
    for (int i = 0; i < 3; i++) all[i] = l->weight[i], all[3 + i] = l->bias[i];
    tide_list params = { all, 6 };
    wanted[0] = loss;
    wanted[1] = tide_sgd(params, tide_grad(loss, params), &(tide_sgd_opts){ .lr = tide_scalar(g, 0.1) });
    return 2;
}

/* Two samples, two heads; what the attention is added to has a derivative of its own, or has not. */
static int heads(tide_graph *g, const layer *l, tide_val *wanted, bool added) {
    enum { HEADS = 2, SAMPLES = 2 };
    tide_val of[3], all[7] = { l->x };
    for (int i = 0; i < 3; i++) {
        tide_val split = tide_reshape(l->out[i], TIDE_SHAPE(SAMPLES, ROWS / SAMPLES, HEADS, OUT / HEADS));
        of[i] = tide_transpose(split, 1, 2);
        all[1 + i] = l->weight[i], all[4 + i] = l->bias[i];
    }
    tide_val seen = tide_transpose(tide_attention(of[0], of[1], of[2], 0, TIDE_TRAIN, NULL), 1, 2);
    tide_val flat = tide_reshape(seen, TIDE_SHAPE(ROWS, OUT)), loss = tide_mean(tide_square(flat), TIDE_ALL);
    if (added) loss = tide_add(loss, tide_mean(tide_sin(l->x), TIDE_ALL));
    tide_list params = { all, 7 };
    wanted[0] = loss;
    wanted[1] = tide_sgd(params, tide_grad(loss, params), &(tide_sgd_opts){ .lr = tide_scalar(g, 20) });
    return 2;
}
static int by_heads(tide_graph *g, const layer *l, tide_val *wanted) { return heads(g, l, wanted, false); }
static int by_heads_added(tide_graph *g, const layer *l, tide_val *wanted) { return heads(g, l, wanted, true); }

static const struct row { const char *name; scenario *of; int values, products; double allowed; } scenarios[] = {
    { "only read", only_read, 2, 3, 1e-5 }, { "updated at once", updated_at_once, 1, 3, 1e-5 },
    { "turned round", turned_round, 1, 3, 1e-5 }, { "kept", kept, 0, 1, 1e-5 },
    { "trained", trained, 1, 10, 1e-4 },
    { "by heads", by_heads, 1, 3, 1e-4 }, { "by heads, added", by_heads_added, 1, 3, 1e-4 },
};

typedef struct results { float x[NUMBERS]; int64_t count, products; } results;

static void take(results *r, tide_val v) {
    int64_t n = tide_shape_count(tide_shape_of(v));
    assert_true(r->count + n <= NUMBERS);
    assert_int_equal(tide_read(v, r->x + r->count, (size_t)n * sizeof *r->x), TIDE_OK);
    r->count += n;
}

static int64_t count_products(tide_program *p) {
    tide_explanation *e = tide_program_explain(p, NULL);
    int64_t products = 0;
    for (int64_t i = 0; i < e->n_kernels; i++) products += strcmp(e->kernels[i].kind, "gemm") == 0;
    tide_explanation_free(e);
    return products;
}

static void run_on(const char *device, const struct row *row, tide_precision precision, results *r) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1, .seed = 9 });
    layer l = layer_new(g);
    tide_val wanted[MOST];
    int count = row->of(g, &l, wanted);
    tide_program *p = tide_compile((tide_list){ wanted, count }, &(tide_compile_options){ .precision = precision });
    r->count = 0;
    for (int i = 0; i < STEPS; i++)
        if (tide_run(p, NULL, 0)) fail_msg("%s: %s", device, tide_program_error(p)->message);
    for (int i = 0; i < row->values; i++) take(r, wanted[i]);
    for (int i = 0; i < 3; i++) take(r, l.weight[i]), take(r, l.bias[i]);
    take(r, l.x);
    r->products = count_products(p);
    tide_graph_free(g);
}

static void test_scenarios(void **unused) {
    static results want, got;
    (void)unused;
    for (size_t s = 0; s < sizeof scenarios / sizeof *scenarios; s++)
        for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_BF16; p++) {
            double far = 0, allowed = p == TIDE_PRECISION_F32 ? scenarios[s].allowed : 3e-2;
            run_on("ref", &scenarios[s], (tide_precision)p, &want);
            run_on(s % 2 ? "fibers-cuda" : "fibers-metal", &scenarios[s], (tide_precision)p, &got);
            assert_int_equal(want.count, got.count);
            if (got.products != scenarios[s].products)
                fail_msg("%s in %s: %d products", scenarios[s].name, tide_precision_name((tide_precision)p),
                         (int)got.products);
            for (int64_t i = 0; i < got.count; i++)
                far = fmax(far, (double)fabsf(got.x[i] - want.x[i]) / fmax(1, (double)fabsf(want.x[i])));
            if (!(far <= allowed))
                fail_msg("%s in %s: %g apart, %g allowed", scenarios[s].name, tide_precision_name((tide_precision)p),
                         far, allowed);
        }
    assert_int_equal(fibers_count().lacking, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_scenarios) };
    return fibers_possible() ? cmocka_run_group_tests_name("joined products", tests, NULL, NULL) : 77;
}
