/* Attention as kernels of their own against its definition on ref: results, derivatives, masks, NaN, 16-bit operands,
 * and what else the program has. */
#include "kept.h"

#include "../nn/attention_support.h"

#include <stdio.h>

static const char *const devices[] = { "kept-ref", "kept" };
enum { DEVICES = 2 };

/* ---- programs --------------------------------------------------------------------------------------------- */

static tide_explanation *explained(tide_program *p) {
    tide_explanation *e = tide_program_explain(p, NULL);
    if (!e) fail_msg("%s", tide_program_error(p)->message);
    return e;
}

static int count_kind(const tide_explanation *e, const char *kind) {
    int count = 0;
    for (int64_t i = 0; i < e->n_kernels; i++) count += !strcmp(e->kernels[i].kind, kind);
    return count;
}

static void expect_kernels(tide_program *p, int forward, int backward) {
    tide_explanation *e = explained(p);
    assert_int_equal(count_kind(e, "attention"), forward);
    assert_int_equal(count_kind(e, "attention_grad"), backward);
    tide_explanation_free(e);
}

/* ---- results ---------------------------------------------------------------------------------------------- */

static const char *describe(const problem *p, const char *device, char *out, size_t size) {
    int used = snprintf(out, size, "%s, (", device);
    for (int i = 0; i < p->batch_ndim; i++) used += snprintf(out + used, size - (size_t)used, "%d ", (int)p->batch[i]);
    snprintf(out + used, size - (size_t)used, "| %dx%dx%dx%d), p %g%s, offset %d", (int)p->m, (int)p->n, (int)p->d,
             (int)p->e, p->p, p->turned ? ", turned" : "", (int)p->offset);
    return out;
}

static double largest(const float *x, int64_t count) {
    double size = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(x[i])) size = fmax(size, fabs((double)x[i]));
    return size;
}

/* Relative to the largest: small sums of large numbers are no better. */
static void expect_values(const char *where, const char *what, tide_val x, tide_val y, double allowed) {
    int64_t count = tide_shape_count(tide_shape_of(x));
    const float *got = tide_data(x), *want = tide_data(y);
    if (count && (!got || !want)) fail_msg("%s: %s: %s", where, what, tide_error(x.graph)->message);
    double size = MAX2(largest(want, count), 0.1);
    char text[256];
    for (int64_t i = 0; i < count; i++) {
        if (fabs((double)got[i] - (double)want[i]) <= allowed * size || (isnan(got[i]) && isnan(want[i]))) continue;
        snprintf(text, sizeof text, "%s: %s, element %d", where, what, (int)i);
        expect_near(text, (double)got[i], (double)want[i], allowed * size);
    }
}

static const char *const results[] = { "o", "dq", "dk", "dv" };

/* Runs twice: masks are new each time. */
static void compare(const problem *p, const char *device, tide_precision precision, double allowed) {
    attended kept = attend(device, p, false), plain = attend("ref", p, true);
    char where[160];
    describe(p, device, where, sizeof where);
    tide_program *q = attend_run(&kept, precision), *r = attend_run(&plain, TIDE_PRECISION_F32);
    bool empty = !p->m || !p->n || !p->d || !p->e || !tide_shape_count(problem_shape(p, 1, 1));
    expect_kernels(q, !empty, !empty);
    for (int run = 0; run < 2; run++) {
        for (int i = 0; i < 4; i++)
            expect_values(where, results[i], attended_result(&kept, i), attended_result(&plain, i), allowed);
        assert_int_equal(tide_run(q, NULL, 0), TIDE_OK);
        assert_int_equal(tide_run(r, NULL, 0), TIDE_OK);
    }
    tide_graph_free(kept.g), tide_graph_free(plain.g);
}

static uint32_t any(uint32_t *state, uint32_t below) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

static problem some_problem(uint32_t *state) {
    problem p = { .batch_ndim = (int)any(state, 4), .m = 1 + any(state, 20), .n = 1 + any(state, 20),
                  .d = 1 + any(state, 12), .e = 1 + any(state, 12), .turned = any(state, 2) };
    for (int i = 0; i < p.batch_ndim; i++) p.batch[i] = 1 + any(state, 3);
    if (any(state, 4) == 0) p.m = p.n = 1;
    if (any(state, 2)) p.p = 0.05 + 0.1 * any(state, 7), p.offset = any(state, 2) ? 3 : 0;
    return p;
}

static void test_results(void **unused) {
    (void)unused;
    uint32_t state = 1;
    for (int i = 0; i < 60; i++) {
        problem p = some_problem(&state);
        for (int d = 0; d < DEVICES; d++) compare(&p, devices[d], TIDE_PRECISION_F32, 3e-6 * sqrt((double)(p.n + 20)));
    }
}

/* Nothing of some axis: what is left is a number, or nothing. */
static void test_empty(void **unused) {
    (void)unused;
    for (int axis = 0; axis < 5; axis++) {
        problem p = { 1, { axis == 4 ? 0 : 2 }, axis == 0 ? 0 : 3, axis == 1 ? 0 : 4, axis == 2 ? 0 : 5,
                      axis == 3 ? 0 : 2, 0.2, false, 0 };
        for (int d = 0; d < DEVICES; d++) compare(&p, devices[d], TIDE_PRECISION_F32, 1e-5);
    }
}

/* Scores are 0 and v is a unit matrix, as the derivative of o is: o and dv are the masked shares themselves, and an
 * element is 0 where it was dropped. */
static void test_masks(void **unused) {
    (void)unused;
    static float unit[2 * 3 * 12 * 12];
    for (int i = 0; i < 2 * 3 * 12 * 12; i++) unit[i] = i % 144 % 13 == 0;
    for (int d = 0; d < DEVICES; d++)
        for (int offset = 0; offset < 2; offset++) {
            problem p = { 2, { 2, 3 }, 12, 12, 4, 12, 0.37, false, 5 * offset };
            attended a[2] = { attend(devices[d], &p, false), attend("ref", &p, true) };
            for (int i = 0; i < 2; i++) {
                float zero[2 * 3 * 12 * 4] = { 0 };
                assert_int_equal(tide_write(a[i].in[0], zero, sizeof zero), TIDE_OK);
                assert_int_equal(tide_write(a[i].in[2], unit, sizeof unit), TIDE_OK);
                assert_int_equal(tide_write(a[i].w, unit, sizeof unit), TIDE_OK);
                attend_run(&a[i], TIDE_PRECISION_F32);
            }
            for (int r = 0; r < 4; r += 3) {
                const float *x = tide_data(attended_result(&a[0], r)), *y = tide_data(attended_result(&a[1], r));
                int dropped = 0;
                for (int i = 0; i < 2 * 3 * 144; i++) {
                    dropped += x[i] == 0;
                    if ((x[i] == 0) != (y[i] == 0)) fail_msg("%s: element %d of the mask", devices[d], i);
                }
                assert_in_range(dropped, 240, 400);
            }
            tide_graph_free(a[0].g), tide_graph_free(a[1].g);
        }
}

/* One number that is none, in each operand in turn: it spoils what it spoils in plain ops. */
static void test_not_numbers(void **unused) {
    (void)unused;
    const float bad[] = { NAN, INFINITY, -INFINITY };
    for (int at = 0; at < 4; at++)
        for (int kind = 0; kind < 3; kind++)
            for (int drops = 0; drops < 2; drops++) {
                problem p = { 1, { 2 }, 5, 6, 4, 4, drops ? 0.4 : 0, false, 0 };
                attended a[2] = { attend("kept", &p, false), attend("ref", &p, true) };
                for (int i = 0; i < 2; i++) {
                    tide_val to = at == 3 ? a[i].w : a[i].in[at];
                    float x[2 * 6 * 4];
                    size_t bytes = (size_t)tide_shape_count(tide_shape_of(to)) * sizeof *x;
                    assert_int_equal(tide_read(to, x, bytes), TIDE_OK);
                    x[9] = bad[kind];
                    assert_int_equal(tide_write(to, x, bytes), TIDE_OK);
                    attend_run(&a[i], TIDE_PRECISION_F32);
                }
                for (int r = 0; r < 4; r++) {
                    const float *x = tide_data(attended_result(&a[0], r)), *y = tide_data(attended_result(&a[1], r));
                    for (int64_t i = 0; i < tide_shape_count(tide_shape_of(attended_result(&a[0], r))); i++)
                        if (isfinite(x[i]) != isfinite(y[i]))
                            fail_msg("%g in operand %d, p %g: %s, element %d is %g, in plain ops %g",
                                     (double)bad[kind], at, p.p, results[r], (int)i, (double)x[i], (double)y[i]);
                }
                tide_graph_free(a[0].g), tide_graph_free(a[1].g);
            }
}

static void test_second_derivatives(void **unused) {
    (void)unused;
    for (int drops = 0; drops < 2; drops++) {
        problem p = { 2, { 2, 2 }, 5, 6, 4, 3, drops ? 0.3 : 0, true, 0 };
        attended a[2] = { attend("kept", &p, false), attend("ref", &p, true) };
        tide_list second[2];
        for (int i = 0; i < 2; i++) {
            tide_val sum = tide_add(tide_sum(tide_square(a[i].grads.items[0]), TIDE_ALL),
                                    tide_sum(tide_mul(a[i].grads.items[1], a[i].in[1]), TIDE_ALL));
            second[i] = tide_grad(sum, (tide_list){ a[i].in, 3 });
            expect_fine(a[i].g);
            assert_int_equal(tide_run(tide_compile(second[i], NULL), NULL, 0), TIDE_OK);
        }
        for (int r = 0; r < 3; r++)
            expect_values("second derivative", results[r + 1], second[0].items[r], second[1].items[r], 1e-5);
        tide_graph_free(a[0].g), tide_graph_free(a[1].g);
    }
}

static void test_lazy_reads(void **unused) {
    (void)unused;
    problem p = { 2, { 2, 2 }, 5, 6, 4, 3, 0, true, 0 };
    attended a[2] = { attend("kept", &p, false), attend("ref", &p, true) };
    for (int r = 0; r < 4; r++)
        expect_values("lazy", results[r], attended_result(&a[0], r), attended_result(&a[1], r), 1e-5);
    tide_graph_free(a[0].g), tide_graph_free(a[1].g);
}

/* Two layers of it in regions that are made again, and all three from one value. */
static tide_val in_regions(tide_graph *g, bool plain, tide_val *x) {
    float numbers[3 * 5 * 4];
    for (int i = 0; i < 60; i++) numbers[i] = made_up(i, 9);
    tide_val share, out = *x = tide_variable(g, "x", tide_constant(g, TIDE_F32, TIDE_SHAPE(3, 5, 4), numbers));
    for (int i = 0; i < 2; i++) {
        tide_recompute_begin(g);
        tide_val h = tide_sin(out);
        out = tide_add(out, tide_attention(h, h, h, 0.2, TIDE_TRAIN, plain ? &share : NULL));
        tide_recompute_end(g);
    }
    return tide_grad(tide_sum(tide_square(out), TIDE_ALL), TIDE_LIST(*x)).items[0];
}

static void test_regions(void **unused) {
    (void)unused;
    for (int d = 0; d < DEVICES; d++) {
        tide_graph *g[2] = { tide_graph_new(devices[d]), tide_graph_new("ref") };
        tide_val x[2], dx[2];
        for (int i = 0; i < 2; i++) {
            dx[i] = in_regions(g[i], i, &x[i]);
            tide_program *p = tide_compile(TIDE_LIST(dx[i]), NULL);
            assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
            if (!i) expect_kernels(p, 3, 2);  /* what reads a variable alone is not made again */
        }
        expect_values(devices[d], "derivative through regions", dx[0], dx[1], 1e-5);
        tide_graph_free(g[0]), tide_graph_free(g[1]);
    }
}

/* ---- 16-bit operands ---------------------------------------------------------------------------------------- */

static void test_halves(void **unused) {
    (void)unused;
    problem p = { 2, { 2, 2 }, 40, 48, 32, 32, 0.1, true, 0 };
    for (int d = 0; d < DEVICES; d++) {
        compare(&p, devices[d], TIDE_PRECISION_BF16, 4 * 0x1p-8);
        compare(&p, devices[d], TIDE_PRECISION_F16, 4 * 0x1p-11);
    }
}

static const tide_kernel_row *row_of(const tide_explanation *e, const char *kind) {
    for (int64_t i = 0; i < e->n_kernels; i++)
        if (!strcmp(e->kernels[i].kind, kind)) return &e->kernels[i];
    fail_msg("there is no %s", kind);
    return NULL;
}

/* Of q, k and v two bytes a number if they gain by it, of o, L and the counter four; of the derivative of o two. Then a
 * mask's bits, of 64 queries and 128 keys at a time, are left for the derivative where they are many. */
static void test_bytes_and_work(void **unused) {
    (void)unused;
    static const int64_t queries[] = { 40, 31, 208 }, keys[] = { 48, 48, 224 };
    static const char *const told[] = { "attention_grad 40 x 48 x 64, 3 times, dropout",
                                        "attention 31 x 48 x 64, 3 times, dropout",
                                        "attention_grad 208 x 224 x 64, 3 times, dropout" };
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 3; i++) {
            const bool small = i == 1, many = i == 2;
            problem p = { 1, { 3 }, queries[i], keys[i], 64, 32, 0.1, false, 0 };
            int64_t q = 3 * p.m * p.d, k = 3 * p.n * p.d, v = 3 * p.n * p.e, o = 3 * p.m * p.e, log = 3 * p.m;
            int64_t size = half && !small ? 2 : 4, bits = many ? 3 * 256 * 256 / 8 : 0;
            attended a = attend("kept", &p, false);
            tide_explanation *e = explained(attend_run(&a, half ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32));
            const tide_kernel_row *forward = row_of(e, "attention"), *back = row_of(e, "attention_grad");
            assert_int_equal(forward->bytes_read, size * (q + k + v) + 4);
            assert_int_equal(forward->bytes_written, 4 * (o + log) + bits);
            assert_int_equal(back->bytes_read, size * (q + k + v + o) + 4 * (o + log) + 4 + bits);
            assert_int_equal(back->bytes_written, 4 * (q + k + v));
            assert_true(forward->flops == 2.0 * (double)(3 * p.m * p.n * (p.d + p.e)));
            assert_true(back->flops == 2.0 * (double)(3 * p.m * p.n * (3 * p.d + 2 * p.e)));
            assert_int_equal(forward->m, p.m);
            assert_int_equal(back->batches, 3);
            char *text = tide_explanation_text(e, 0, 0);
            assert_non_null(strstr(text, told[i]));
            free(text);
            tide_explanation_free(e);
            tide_graph_free(a.g);
        }
}

/* ---- the program around it ------------------------------------------------------------------------------------ */

enum { ROWS = 4, TOKENS = 40, SIZE = 64 };

/* The derivatives of a layer's variables. */
static tide_list layer_of_heads(tide_graph *g, int64_t heads, int64_t head_size, bool plain) {
    static float numbers[ROWS * TOKENS * SIZE];
    for (int i = 0; i < ROWS * TOKENS * SIZE; i++) numbers[i] = made_up(i, 12);
    tide_val share, x = tide_constant(g, TIDE_F32, TIDE_SHAPE(ROWS, TOKENS, SIZE), numbers);
    tide_self_attention layer =
        tide_self_attention_new(g, (const char *const[]){ "q", "k", "v", "out" }, SIZE, heads, head_size);
    tide_val y = tide_self_attention_apply(&layer, x, 0.1, TIDE_TRAIN, plain ? &share : NULL);
    tide_list grads = tide_grad(tide_sum(tide_square(y), TIDE_ALL), tide_params(g, ""));
    expect_fine(g);
    return grads;
}

static tide_program *layer_program(tide_graph *g, int64_t heads, int64_t head_size, tide_precision precision) {
    return tide_compile(layer_of_heads(g, heads, head_size, false),
                        &(tide_compile_options){ .precision = precision });
}

static void test_layer(void **unused) {
    (void)unused;
    for (int half = 0; half < 2; half++) {
        tide_graph *g[2] = { tide_graph_new("kept"), tide_graph_new("ref") };
        tide_list grads[2];
        for (int i = 0; i < 2; i++) {
            grads[i] = layer_of_heads(g[i], 2, 32, i);
            tide_compile_options o = { .precision = half && !i ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32 };
            tide_program *p = tide_compile(grads[i], &o);
            assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
        }
        for (int64_t i = 0; i < grads[0].count; i++)
            expect_values(half ? "layer in bf16" : "layer", "derivative", grads[0].items[i], grads[1].items[i],
                          half ? 4 * 0x1p-8 : 2e-5);
        tide_graph_free(g[0]), tide_graph_free(g[1]);
    }
}

/* Heads are read and written where the affine maps have them: nothing is copied around attention, and in 16 bits
 * nothing is cast after it. */
static void test_no_copies(void **unused) {
    (void)unused;
    for (int half = 0; half < 2; half++) {
        tide_graph *g = tide_graph_new("kept");
        tide_explanation *e = explained(layer_program(g, 2, 32, half ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32));
        assert_int_equal(count_kind(e, "attention"), 1);
        assert_int_equal(count_kind(e, "attention_grad"), 1);
        int64_t all = ROWS * TOKENS * SIZE, log = ROWS * TOKENS * 2;
        assert_int_equal(row_of(e, "attention")->bytes_written, (half ? 2 : 4) * all + 4 * log);
        assert_int_equal(row_of(e, "attention_grad")->bytes_read, (half ? 2 : 4) * 5 * all + 4 * log + 4);
        assert_int_equal(row_of(e, "attention_grad")->bytes_written, (half ? 2 : 4) * 3 * all);
        for (int64_t i = 0; i < e->n_kernels; i++)
            if (!strcmp(e->kernels[i].members, "copy") && e->kernels[i].bytes_read == e->kernels[i].bytes_written)
                fail_msg("kernel %d of %d is a copy", (int)i, (int)e->n_kernels);
        tide_explanation_free(e);
        tide_graph_free(g);
    }
}

static void test_refused(void **unused) {
    (void)unused;
    tide_graph *g[2] = { tide_graph_new("kept"), tide_graph_new("check") };
    int64_t kernels[2];
    for (int i = 0; i < 2; i++) {
        tide_program *p = layer_program(g[i], 3, KEPT_NOT, TIDE_PRECISION_F32);
        kernels[i] = tide_program_kernels(p);
        expect_kernels(p, 0, 0);
    }
    assert_int_equal(kernels[0], kernels[1]);
    tide_graph_free(g[0]), tide_graph_free(g[1]);
}

/* Only the derivative of k, or of v: the kernel has a place for the others. */
static void test_single_derivatives(void **unused) {
    (void)unused;
    problem p = { 2, { 2, 2 }, 5, 6, 4, 3, 0.2, true, 0 };
    for (int i = 0; i < 3; i++) {
        attended kept = attend("kept", &p, false), plain = attend("ref", &p, true);
        assert_int_equal(tide_run(tide_compile(TIDE_LIST(kept.grads.items[i]), NULL), NULL, 0), TIDE_OK);
        assert_int_equal(tide_run(tide_compile(TIDE_LIST(plain.grads.items[i]), NULL), NULL, 0), TIDE_OK);
        expect_values("alone", results[i + 1], kept.grads.items[i], plain.grads.items[i], 1e-5);
        tide_graph_free(kept.g), tide_graph_free(plain.g);
    }
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

typedef struct counter { int64_t calls, fail_at, live; } counter;

static void *counted(void *user, size_t bytes) {
    counter *c = user;
    void *memory = ++c->calls == c->fail_at ? NULL : malloc(bytes + !bytes);
    c->live += memory != NULL;
    return memory;
}

static void uncounted(void *user, void *memory, size_t bytes) {
    (void)bytes;
    ((counter *)user)->live -= memory != NULL;
    free(memory);
}

/* Builds, differentiates twice, compiles and runs. */
static bool survives(counter *c, const char *device) {
    tide_graph *g = tide_graph_new_with(
        &(tide_graph_options){ .device = device, .threads = 1, .allocator = { counted, uncounted, c } });
    if (!g) return false;
    const tide_val wrt[] = { tide_variable(g, "x", tide_fill(g, TIDE_F32, TIDE_SHAPE(2, 3, 4), 0.5)) };
    tide_val x = tide_sin(wrt[0]), y = tide_attention(x, x, x, 0.1, TIDE_TRAIN, NULL);
    tide_list first = tide_grad(tide_sum(tide_square(y), TIDE_ALL), (tide_list){ wrt, 1 });
    tide_val loss = first.count ? tide_sum(tide_square(first.items[0]), TIDE_ALL) : y;
    tide_list second = tide_grad(loss, (tide_list){ wrt, 1 });
    tide_program *p = tide_compile(second, NULL);
    tide_status status = tide_run(p, NULL, 0);
    bool failed = c->calls >= c->fail_at;
    if (!failed) assert_int_equal(status, TIDE_OK);
    else if (status && tide_error(g)->status) assert_int_equal(tide_error(g)->status, TIDE_ENOMEM);
    tide_graph_free(g);
    return !failed;
}

static void test_each_allocation_fails(void **unused) {
    (void)unused;
    const char *const where[] = { "kept", "kept-ref", "cpu" };
    for (int d = 0; d < 3; d++) {
        bool done = false;
        for (int64_t at = 1; !done; at++) {
            counter c = { .fail_at = at };
            done = survives(&c, where[d]);
            assert_int_equal(c.live, 0);
            assert_true(at < 100000);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),            cmocka_unit_test(test_empty),
        cmocka_unit_test(test_masks),              cmocka_unit_test(test_not_numbers),
        cmocka_unit_test(test_second_derivatives), cmocka_unit_test(test_lazy_reads),
        cmocka_unit_test(test_regions),            cmocka_unit_test(test_halves),
        cmocka_unit_test(test_bytes_and_work),     cmocka_unit_test(test_no_copies),
        cmocka_unit_test(test_refused),            cmocka_unit_test(test_single_derivatives),
        cmocka_unit_test(test_layer),              cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
