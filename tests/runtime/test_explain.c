/* tide_program_explain: rows that agree with what is known of a program, times that add up, and nothing changed by
 * looking. */
#include "../nn/nn_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tide_graph *graph_on(const char *device) {
    return tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 2, .seed = 3 });
}

static tide_explanation *explained(tide_program *p, const tide_explain_options *o) {
    if (tide_program_error(p)->status) fail_msg("compile: %s", tide_program_error(p)->message);
    tide_explanation *e = tide_program_explain(p, o);
    if (!e) fail_msg("explain: %s", tide_program_error(p)->message);
    return e;
}

static const tide_kernel_row *kernel_of(const tide_explanation *e, const char *kind) {
    for (int64_t i = 0; i < e->n_kernels; i++)
        if (strcmp(e->kernels[i].kind, kind) == 0) return &e->kernels[i];
    fail_msg("there is no %s kernel", kind);
    return NULL;
}

#define EXPECT(what, got, want)                                                                                        \
    do {                                                                                                               \
        if ((double)(got) != (double)(want)) fail_msg("%s: expected %.17g, got %.17g", what, (double)(want),           \
        (double)(got));                                                                                                \
    } while (0)

static void expect_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("\"%s\" is not in: %s", part, text);
}

/* y = gelu(x w + b): sizes, bytes and operations are those on paper. */
static void test_by_hand(void **state) {
    (void)state;
    tide_graph *g = graph_on("cpu");
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(70, 40)),
             w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(40, 90), 0.1));
    tide_val b = tide_variable(g, "b", tide_fill(g, TIDE_F32, TIDE_SHAPE(90), 1));
    tide_val y = tide_gelu(tide_add(tide_matmul(x, w), b));
    tide_program *p = tide_compile(TIDE_LIST(y), NULL);
    tide_explanation *e = explained(p, NULL);
    const tide_kernel_row *gemm = kernel_of(e, "gemm"), *map = kernel_of(e, "map");
    EXPECT("kernels", e->n_kernels, 2);
    EXPECT("m", gemm->m, 70);
    EXPECT("n", gemm->n, 90);
    EXPECT("k", gemm->k, 40);
    EXPECT("batches", gemm->batches, 1);
    EXPECT("product's flops", gemm->flops, 2.0 * 70 * 90 * 40);
    EXPECT("product's bytes read", gemm->bytes_read, 4 * (70 * 40 + 40 * 90));
    EXPECT("product's bytes written", gemm->bytes_written, 4 * 70 * 90);
    assert_string_equal(gemm->variables, "x, w");
    EXPECT("rows", map->rows * map->cols, 70 * 90);
    EXPECT("map's flops", map->flops, 2 * 70 * 90);
    EXPECT("map's bytes read", map->bytes_read, 4 * (70 * 90 + 90));
    EXPECT("map's bytes written", map->bytes_written, 4 * 70 * 90);
    EXPECT("operations", map->ops, 2);
    EXPECT("results", map->results, 1);
    assert_string_equal(map->members, "add, gelu");
    assert_string_equal(map->variables, "b");
    EXPECT("all flops", e->flops, gemm->flops + map->flops);
    EXPECT("products' flops", tide_program_flops(p), gemm->flops);
    EXPECT("arena", e->memory.arena, tide_program_bytes(p).arena);
    EXPECT("runs", e->runs, 0);
    assert_true(e->fused);
    tide_explanation_free(e);
    tide_graph_free(g);
}

/* ---- a network ---- */

typedef struct network {
    tide_val x, y, loss, update;
    tide_list params;
} network;

static network network_new(tide_graph *g) {
    network n = { tide_input(g, "x", TIDE_F32, TIDE_SHAPE(96, 30)), tide_input(g, "y", TIDE_F32, TIDE_SHAPE(96, 5)) };
    tide_linear a = tide_linear_new(g, "a", 30, 64), b = tide_linear_new(g, "b", 64, 5);
    tide_layer_norm_layer norm = tide_layer_norm_new(g, "norm", 64, 1e-5);
    n.loss =
        tide_mse(tide_linear_apply(&b, tide_layer_norm_apply(&norm, tide_dropout(tide_gelu(tide_linear_apply(&a, n.x)),
                                                                                 0.2, TIDE_TRAIN))),
                 n.y);
    n.params = tide_params(g, "");
    n.update = tide_adamw(n.params, tide_clip_norm(tide_grad(n.loss, n.params), 1),
                          &(tide_adamw_opts){ .lr = tide_scalar(g, 1e-2) });
    return n;
}

static float feed_x[96 * 30], feed_y[96 * 5];

static void fill_feeds(void) {
    for (int i = 0; i < 96 * 30; i++) feed_x[i] = (float)(i * 7919 % 1000) / 500 - 1;
    for (int i = 0; i < 96 * 5; i++) feed_y[i] = (float)(i * 104729 % 1000) / 500 - 1;
}

static void check_sums(const tide_explanation *e) {
    double flops = 0;
    int64_t read = 0, phase = 0;
    for (int64_t i = 0; i < e->n_kernels; i++) {
        const tide_kernel_row *k = &e->kernels[i];
        flops += k->flops, read += k->bytes_read;
        assert_true(k->phase >= phase && k->phase < e->phases && k->chain < e->chains && k->bytes_written > 0 &&
                    k->results <= k->ops + 4);
        phase = k->phase;
    }
    EXPECT("flops", flops, e->flops);
    EXPECT("bytes read", read, e->bytes_read);
    EXPECT("phases", phase + 1, e->phases);
}

static bool together(const tide_buffer_row *a, const tide_buffer_row *b) {
    return a->first_phase <= b->last_phase && b->first_phase <= a->last_phase && a->offset < b->offset + b->bytes &&
           b->offset < a->offset + a->bytes;
}

static void check_memory(const tide_explanation *e) {
    int64_t end = 0, sum = 0;
    for (int64_t i = 0; i < e->n_buffers; i++) {
        const tide_buffer_row *b = &e->buffers[i];
        end = b->offset + b->bytes > end ? b->offset + b->bytes : end, sum += b->bytes;
        for (int64_t j = 0; j < i; j++)
            if (together(b, &e->buffers[j]))
                fail_msg("buffers %d and %d live at the same time at the same place", (int)i, (int)j);
    }
    assert_true(end <= e->memory.arena && e->memory.arena < end + 64 * 2);
    EXPECT("buffers' bytes", sum, e->arena_apart);
}

static void check_apart(const tide_explanation *e) {
    assert_true(e->n_apart > 0);
    for (int64_t i = 0; i < e->n_apart; i++) {
        const tide_apart_row *a = &e->apart[i];
        assert_true(a->from >= 0 && a->to >= 0 && a->from < e->n_kernels && a->to < e->n_kernels && a->from != a->to &&
                    a->bytes > 0 && *a->why && *a->value);
        assert_string_equal(e->kernels[a->from].kind, "map");
        assert_string_equal(e->kernels[a->to].kind, "map");
    }
}

static void test_training_step(void **state) {
    static const char *const devices[] = { "cpu", "ref", "check" };
    (void)state;
    fill_feeds();
    for (int d = 0; d < 3; d++) {
        tide_graph *g = graph_on(devices[d]);
        network n = network_new(g);
        tide_program *p = tide_compile(TIDE_LIST(n.loss, n.update), NULL);
        tide_feed feeds[] = { { n.x, feed_x }, { n.y, feed_y } };
        tide_explanation *e = explained(p, &(tide_explain_options){ feeds, 2, 0.01 });
        EXPECT("kernels", e->n_kernels, tide_program_kernels(p));
        check_sums(e);
        check_memory(e);
        check_apart(e);
        double kernels_s = 0;
        for (int64_t i = 0; i < e->n_kernels; i++) kernels_s += e->kernels[i].seconds;
        if (strcmp(devices[d], "check") == 0)
            EXPECT("runs", e->runs, 0); /* it has no clock */
        else if (e->runs < 5 || e->run_s <= 0 || kernels_s <= 0)
            fail_msg("%s: %d runs, %g s each, kernels %g s", devices[d], e->runs, e->run_s, kernels_s);
        EXPECT("fused", e->fused, strcmp(devices[d], "ref") != 0);
        char *page = tide_explanation_text(e, 1e6, 10);
        assert_non_null(page);
        for (const char *const *word =
                 (const char *const[]){ "phase 1: ", "gemm 96 x 64 x 30", "a.weight", "not fused", "memory:", NULL };
             *word; word++)
            expect_has(page, *word);
        free(page);
        page = tide_explanation_text(e, 1e-9, 1); /* no machine is so slow: it was measured badly */
        assert_non_null(page);
        if (e->runs) expect_has(page, "measure it again");
        free(page);
        tide_explanation_free(e);
        tide_graph_free(g);
    }
}

/* Measured runs are runs: what a snapshot puts back leaves the same bits as if nobody had looked. */
static void test_looking_changes_nothing(void **state) {
    float loss[2];
    (void)state;
    fill_feeds();
    for (int looked = 0; looked < 2; looked++) {
        tide_graph *g = graph_on("cpu");
        network n = network_new(g);
        tide_program *p = tide_compile(TIDE_LIST(n.loss, n.update), NULL);
        tide_feed feeds[] = { { n.x, feed_x }, { n.y, feed_y } };
        tide_snapshot_t *before = tide_snapshot(tide_state(g, ""));
        assert_non_null(before);
        if (looked) tide_explanation_free(explained(p, &(tide_explain_options){ feeds, 2, 0.01 }));
        assert_int_equal(tide_restore(before), TIDE_OK);
        for (int i = 0; i < 5; i++) assert_int_equal(tide_run(p, feeds, 2), TIDE_OK);
        assert_int_equal(tide_read(n.loss, &loss[looked], sizeof(float)), TIDE_OK);
        tide_snapshot_free(before);
        tide_graph_free(g);
    }
    EXPECT("loss after looking", loss[1], loss[0]);
}

/* Why two kernels are not one. */
static void test_reasons(void **state) {
    (void)state;
    tide_graph *g = graph_on("cpu");
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(300, 200)),
             w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(200, 200), 0.1));
    tide_val e = tide_exp(x), mean = tide_mean(e, TIDE_AXES(0)), after = tide_mul(e, mean),
             turned = tide_tanh(tide_transpose(after, 0, 1));
    tide_val product = tide_add(tide_matmul(tide_sin(x), w), tide_sin(x));
    static const struct {
        const char *value, *why;
    } expected[] = { { "sum", "rows" }, { "mul", "order" }, { "sin", "between" } };
    tide_program *p = tide_compile(TIDE_LIST(turned, product), NULL);
    tide_explanation *all = explained(p, NULL);
    for (int i = 0; i < 3; i++) {
        bool found = false;
        for (int64_t k = 0; k < all->n_apart; k++)
            found |= strstr(all->apart[k].value, expected[i].value) == all->apart[k].value &&
                     strstr(all->apart[k].why, expected[i].why);
        char *page = found ? NULL : tide_explanation_text(all, 0, 0);
        if (!found) fail_msg("no %s that is apart because of \"%s\" in:\n%s", expected[i].value, expected[i].why, page);
    }
    tide_program *plain = tide_compile(TIDE_LIST(turned), &(tide_compile_options){ .no_passes = true });
    tide_explanation *op_by_op = explained(plain, NULL);
    assert_false(op_by_op->fused);
    for (int64_t k = 0; k < op_by_op->n_apart; k++) expect_has(op_by_op->apart[k].why, "not fused in this mode");
    tide_explanation_free(all);
    tide_explanation_free(op_by_op);
    tide_graph_free(g);
}

/* A program that could not be made, and a run without its feeds, are not explained; the reason stays with the
 * program. */
static void test_refusals(void **state) {
    (void)state;
    tide_graph *g = graph_on("cpu");
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(8));
    tide_program *large = tide_compile(TIDE_LIST(tide_exp(x)), &(tide_compile_options){ .memory_limit = 1 });
    assert_null(tide_program_explain(large, NULL));
    assert_int_equal(tide_program_error(large)->status, TIDE_ENOMEM);
    assert_null(tide_program_explain(NULL, NULL));
    tide_program *p = tide_compile(TIDE_LIST(tide_exp(x)), NULL);
    assert_null(tide_program_explain(p, &(tide_explain_options){ .measure_s = 1 }));
    expect_has(tide_program_error(p)->message, "not fed");
    tide_explanation_free(NULL);
    tide_graph_free(g);
}

/* ---- memory ---- */

typedef struct counter {
    int64_t calls, live, fail_at;
} counter;

static void *counted_alloc(void *user, size_t bytes) {
    counter *c = user;
    if (++c->calls == c->fail_at) return NULL;
    c->live++;
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static void counted_free(void *user, void *memory, size_t bytes) {
    counter *c = user;
    (void)bytes;
    c->live--;
    free(memory);
}

/* Every allocation of explaining is refused once: no explanation, the reason with the program, nothing kept, and the
 * program runs as before. */
static void test_refused_memory(void **state) {
    counter c = { 0 };
    (void)state;
    fill_feeds();
    tide_graph *g = tide_graph_new_with(
        &(tide_graph_options){ .device = "cpu", .threads = 2, .allocator = { counted_alloc, counted_free, &c } });
    network n = network_new(g);
    tide_program *p = tide_compile(TIDE_LIST(n.loss, n.update), NULL);
    tide_feed feeds[] = { { n.x, feed_x }, { n.y, feed_y } };
    assert_int_equal(tide_run(p, feeds, 2), TIDE_OK);
    int64_t before = c.live, refused = 0;
    for (int64_t granted = 0;; granted++) {
        c.calls = 0, c.fail_at = granted + 1;
        tide_explanation *e = tide_program_explain(p, &(tide_explain_options){ feeds, 2, 1e-9 });
        bool all = c.calls <= granted;
        c.fail_at = 0;
        if (!e && tide_program_error(p)->status != TIDE_ENOMEM)
            fail_msg("allocation %d: %s", (int)granted, tide_program_error(p)->message);
        if (e && !all) fail_msg("allocation %d was refused, and there is an explanation", (int)granted);
        tide_explanation_free(e);
        EXPECT("allocations left behind", c.live, before);
        assert_int_equal(tide_run(p, feeds, 2), TIDE_OK);
        if (all) break;
        refused++;
    }
    assert_true(refused > 3);
    tide_graph_free(g);
    EXPECT("allocations left behind", c.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_training_step),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_reasons), cmocka_unit_test(test_refusals),      cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
