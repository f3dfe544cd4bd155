/* Gradient accumulation: the parts of a batch draw the whole batch's masks, to the bit, and a step made of parts is a
 * step on the whole within rounding, also where the parts weigh differently and where a loss scaler skips steps. */
#include "../nn/nn_support.h"

enum { ROWS = 24, IN = 5, HIDDEN = 7, STEPS = 5, SPOILED = 2 };

typedef struct model {
    tide_graph *g;
    int64_t rows;                 /* of a part */
    tide_val x, y, w, masked, loss, norm;
    tide_list params;
    tide_accumulator sums;
    tide_grad_scaler scaler;
    tide_program *part, *step;    /* part NULL: the step is on the whole */
    bool known;                   /* the whole's denominator is */
} model;

static tide_val forward(model *m, const tide_linear *a, const tide_linear *b) {
    m->masked = tide_dropout(m->x, 0.3, TIDE_TRAIN);
    tide_val hidden = tide_dropout(tide_gelu(tide_linear_apply(a, m->masked)), 0.5, TIDE_TRAIN);
    tide_val noise = tide_random_normal(m->g, TIDE_SHAPE(m->rows, 1), 0, 0.1);
    return tide_add(tide_linear_apply(b, hidden), noise);
}

static tide_val update_of(model *m, tide_list grads, bool scaled) {
    if (scaled) grads = tide_grad_scaler_unscale(&m->scaler, grads);
    m->norm = tide_global_norm(grads);
    tide_adamw_opts adam = { .lr = tide_scalar(m->g, 0.02), .weight_decay = 0.1 };
    tide_val update = tide_adamw(m->params, tide_clip_norm(grads, 1.0), &adam);
    return scaled ? tide_grad_scaler_step(&m->scaler, update) : update;
}

static void compile_whole(model *m, tide_val numerator, tide_val denominator, bool scaled) {
    m->loss = tide_div(numerator, denominator);
    tide_list grads = tide_grad(scaled ? tide_grad_scaler_scale(&m->scaler, m->loss) : m->loss, m->params);
    tide_val update = update_of(m, grads, scaled);
    m->step = tide_compile(TIDE_LIST(m->loss, m->norm, m->masked, update), NULL);
}

static void compile_parts(model *m, tide_val numerator, tide_val denominator, bool scaled) {
    if (m->known) numerator = tide_mul_scalar(numerator, 1.0 / ROWS), denominator = (tide_val){ 0 };
    tide_list grads = tide_grad(scaled ? tide_grad_scaler_scale(&m->scaler, numerator) : numerator, m->params);
    m->part = tide_compile(TIDE_LIST(m->masked, tide_accumulator_add(&m->sums, grads, numerator, denominator)), NULL);
    tide_val update = tide_accumulator_step(&m->sums, update_of(m, tide_accumulator_take(&m->sums), scaled));
    m->loss = m->sums.loss;
    m->step = tide_compile(TIDE_LIST(m->loss, m->norm, update), NULL);
}

/* parts 0: the whole batch in one program. The loss is a mean, weighted by w unless its denominator is known. */
static model model_new(int parts, bool scaled, bool known) {
    model m = { .known = known, .rows = ROWS / (parts ? parts : 1) };
    m.g = tide_graph_new_with(&(tide_graph_options){ .device = test_device(), .seed = 7 });
    tide_linear a = tide_linear_new(m.g, "a", IN, HIDDEN), b = tide_linear_new(m.g, "b", HIDDEN, 1);
    m.x = tide_input(m.g, "x", TIDE_F32, TIDE_SHAPE(m.rows, IN)),
    m.y = tide_input(m.g, "y", TIDE_F32, TIDE_SHAPE(m.rows, 1));
    m.w = tide_input(m.g, "w", TIDE_F32, TIDE_SHAPE(m.rows, 1));
    m.params = tide_params(m.g, "");
    if (parts) m.sums = tide_accumulator_new(m.g, m.params, m.rows);
    tide_sample_offset(m.g, m.sums.offset);
    tide_val out = forward(&m, &a, &b);
    tide_sample_offset(m.g, (tide_val){ 0 });
    tide_val weight = known ? tide_fill(m.g, TIDE_F32, TIDE_SHAPE(m.rows, 1), 1) : m.w;
    tide_val numerator = tide_sum(tide_mul(weight, tide_square(tide_sub(out, m.y))), TIDE_ALL),
             denominator = tide_sum(weight, TIDE_ALL);
    if (scaled)
        m.scaler = tide_grad_scaler_new(m.g, "scaler", &(tide_grad_scaler_opts){ .initial = 256, .interval = 3 });
    if (parts) compile_parts(&m, numerator, denominator, scaled);
    else compile_whole(&m, numerator, denominator, scaled);
    expect_fine(m.g);
    return m;
}

typedef struct batch { float x[ROWS * IN], y[ROWS], w[ROWS]; } batch;

static batch batch_of(int step, bool spoiled) {
    batch d;
    for (int i = 0; i < ROWS * IN; i++) d.x[i] = (float)((i * 37 + step * 101) % 53) / 26 - 1;
    for (int i = 0; i < ROWS; i++) d.y[i] = (float)((i * 17 + step) % 11) / 5, d.w[i] = (float)((i * i + step) % 4);
    if (spoiled) d.y[ROWS - 3] = INFINITY;
    return d;
}

/* The masked inputs of all rows go to `masked`. */
static void run_step(model *m, const batch *d, float masked[ROWS * IN]) {
    for (int64_t at = 0; at < ROWS; at += m->rows) {
        tide_program *p = m->part ? m->part : m->step;
        tide_feed feeds[] = { { m->x, d->x + at * IN }, { m->y, d->y + at }, { m->w, d->w + at } };
        if (tide_run(p, feeds, 3)) fail_msg("%s", tide_program_error(p)->message);
        assert_int_equal(tide_read(m->masked, masked + at * IN, (size_t)(m->rows * IN) * sizeof *masked), TIDE_OK);
    }
    if (m->part && tide_run(m->step, NULL, 0)) fail_msg("%s", tide_program_error(m->step)->message);
}

static int count_of(tide_val v) {
    int32_t n = -1;
    assert_int_equal(tide_read(v, &n, sizeof n), TIDE_OK);
    return n;
}

static double number_of(tide_val v) {
    float x = NAN;
    assert_int_equal(tide_read(v, &x, sizeof x), TIDE_OK);
    return (double)x;
}

static void expect_same_params(const model *m, const model *whole, double tolerance) {
    for (int64_t i = 0; i < m->params.count; i++) {
        float a[64], b[64];
        int64_t n = tide_shape_count(tide_shape_of(m->params.items[i]));
        assert_int_equal(tide_read(m->params.items[i], a, (size_t)n * 4), TIDE_OK);
        assert_int_equal(tide_read(whole->params.items[i], b, (size_t)n * 4), TIDE_OK);
        for (int64_t j = 0; j < n; j++)
            expect_near(tide_name_of(m->params.items[i]), (double)a[j], (double)b[j], tolerance);
    }
}

static void train_both(int parts, bool scaled, bool spoils, bool known) {
    model whole = model_new(0, scaled, known), m = model_new(parts, scaled, known);
    for (int s = 0; s < STEPS; s++) {
        float a[ROWS * IN], b[ROWS * IN];
        batch d = batch_of(s, spoils && s == SPOILED);
        run_step(&whole, &d, a);
        run_step(&m, &d, b);
        assert_memory_equal(a, b, sizeof a);  /* the masks, to the bit */
        if (spoils && s == SPOILED) continue;
        expect_near("loss", number_of(m.loss), number_of(whole.loss), 2e-6);
        expect_near("norm", number_of(m.norm), number_of(whole.norm), 2e-5);
        assert_int_equal(count_of(tide_rng_step(m.g)), s + 1);
        assert_int_equal(count_of(m.sums.part), 0);
    }
    /* Adam divides by the root of a second moment: relative rounding errors of the first steps come out times the
     * learning rate. */
    expect_same_params(&m, &whole, 2e-5);
    if (scaled) assert_int_equal(count_of(m.scaler.skipped), spoils);
    if (scaled) expect_near("scale", number_of(m.scaler.scale), number_of(whole.scaler.scale), 0);
    tide_graph_free(m.g);
    tide_graph_free(whole.g);
}

static void test_parts(void **unused) {
    (void)unused;
    static const int parts[] = { 1, 2, 3, 8, ROWS };
    for (int known = 0; known < 2; known++)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) train_both(parts[i], false, false, known);
}

static void test_scaled(void **unused) {
    (void)unused;
    for (int known = 0; known < 2; known++) {
        train_both(4, true, false, known);
        train_both(4, true, true, known);
    }
}

/* A step that was not finished leaves nothing behind once its count of parts is 0 again. */
static void test_fresh_start(void **unused) {
    (void)unused;
    float masked[ROWS * IN];
    model m = model_new(3, false, false), whole = model_new(0, false, false);
    batch d = batch_of(0, false), other = batch_of(9, true);
    tide_feed feeds[] = { { m.x, other.x }, { m.y, other.y + ROWS - 8 }, { m.w, other.w } };
    if (tide_run(m.part, feeds, 3)) fail_msg("%s", tide_program_error(m.part)->message);
    assert_int_equal(count_of(m.sums.part), 1);
    assert_int_equal(tide_write(m.sums.part, &(int32_t){ 0 }, sizeof(int32_t)), TIDE_OK);
    run_step(&m, &d, masked);
    run_step(&whole, &d, masked);
    expect_near("loss", number_of(m.loss), number_of(whole.loss), 2e-6);
    expect_same_params(&m, &whole, 2e-5);
    tide_graph_free(m.g);
    tide_graph_free(whole.g);
}

/* An offset of k is k samples further on, whoever asks; it is checked. */
static void test_offset(void **unused) {
    (void)unused;
    enum { N = 40, K = 13, PER = 6 };
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = test_device(), .seed = 3 });
    float all[N * PER], part[(N - K) * PER];
    tide_graph *h = tide_graph_new_with(&(tide_graph_options){ .device = test_device(), .seed = 3 });
    tide_val from = tide_input(h, "from", TIDE_I32, TIDE_SCALAR);
    tide_val whole = tide_random_uniform(g, TIDE_SHAPE(N, 2, PER / 2), 0, 1);
    tide_sample_offset(h, from);
    tide_val rest = tide_random_uniform(h, TIDE_SHAPE(N - K, 2, PER / 2), 0, 1);
    tide_program *p = tide_compile(TIDE_LIST(whole), NULL), *q = tide_compile(TIDE_LIST(rest), NULL);
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    assert_int_equal(tide_run(q, (tide_feed[]){ { from, &(int32_t){ K } } }, 1), TIDE_OK);
    assert_int_equal(tide_read(whole, all, sizeof all), TIDE_OK);
    assert_int_equal(tide_read(rest, part, sizeof part), TIDE_OK);
    assert_memory_equal(all + K * PER, part, sizeof part);
    tide_sample_offset(h, tide_scalar(h, 1));
    assert_int_equal(tide_error(h)->status, TIDE_ETYPE);
    tide_graph_free(g);
    tide_graph_free(h);
}

/* A part needs the memory of a part, and the update next to none of its own. */
/* The list of parameters is the caller's for the call alone. */
static void test_own_list(void **unused) {
    (void)unused;
    tide_graph *g = tide_graph_new(test_device());
    float       one = 1;
    tide_val    w = tide_variable(g, "w", tide_scalar(g, 2)), lent[1] = { w };
    tide_accumulator a = tide_accumulator_new(g, (tide_list){ lent, 1 }, 1);
    lent[0] = (tide_val){ 0 };
    tide_list     grads = tide_grad(tide_square(w), (tide_list){ &w, 1 });
    tide_program *part = tide_compile(TIDE_LIST(tide_accumulator_add(&a, grads, tide_square(w), tide_scalar(g, 2))),
                                      NULL);
    tide_list     means = tide_accumulator_take(&a);
    assert_int_equal(tide_run(part, NULL, 0), TIDE_OK);
    assert_int_equal(means.count, 1);
    assert_int_equal(tide_read(means.items[0], &one, sizeof one), TIDE_OK);
    assert_true(one == 2);
    tide_graph_free(g);
}

static void test_memory(void **unused) {
    (void)unused;
    model whole = model_new(0, false, false), m = model_new(8, false, true);
    int64_t all = tide_program_bytes(whole.step).arena, part = tide_program_bytes(m.part).arena;
    if (part >= all) fail_msg("the arena of a part is %lld bytes, of the whole %lld", (long long)part, (long long)all);
    tide_graph_free(whole.g);
    tide_graph_free(m.g);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_parts), cmocka_unit_test(test_scaled),
                                        cmocka_unit_test(test_fresh_start),
                                        cmocka_unit_test(test_offset), cmocka_unit_test(test_memory),
                                        cmocka_unit_test(test_own_list) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
