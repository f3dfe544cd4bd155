/* Heads of more than points by themselves: their losses beside closed forms in double, derivatives beside finite
 * differences, and the lines between errors and scores that their intervals are made with. */
#include "train_support.h"

#include "forecast/models/head.h"
#include "forecast/models/loss.h"
#include "forecast/score/conformal.h"

enum { SERIES = 2, STEPS = 3, CELLS = SERIES * STEPS, MOST_OUTPUTS = 5 };

static uint64_t seed = 88172645463325252;

static double uniform(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static model_config config_of(int head) {
    model_config c = { .pred_len = STEPS, .columns = SERIES, .out_count = SERIES, .head = head };
    static const double five[] = { 0.05, 0.2, 0.5, 0.6, 0.9 };
    if (head == FORECAST_HEAD_QUANTILE) c.quantile_count = 5, memcpy(c.quantile, five, sizeof five);
    return c;
}

/* ---- losses ---- */

/* One window on a graph in F64: what a last map gave, and what instance normalisation took from the series. */
typedef struct laid_out {
    tide_graph    *g;
    tide_val       raw, freedom, truth, observed;
    instance_scale scale;
    double         mean[SERIES], deviation[SERIES], y[CELLS], known[CELLS];
    int            outputs;
} laid_out;

static tide_val wide(tide_graph *g, const char *name, tide_shape shape, const double *values) {
    tide_val v = tide_variable(g, name, tide_constant(g, TIDE_F64, shape, values));
    tide_mark_param(v);
    return v;
}

static laid_out lay_out(const model_config *c) {
    laid_out l = { .g = tide_graph_new("cpu"), .outputs = (int)head_outputs(c) };
    double   raw[CELLS * MOST_OUTPUTS], freedom[STEPS];
    tide_default_type_set(l.g, TIDE_F64);
    for (int i = 0; i < CELLS * l.outputs; i++) raw[i] = 3 * (uniform() - 0.5);
    for (int i = 0; i < STEPS; i++) freedom[i] = 0.1 * (uniform() - 0.6); /* 64 times that around 4 */
    for (int i = 0; i < SERIES; i++) l.mean[i] = 9 * uniform() - 4, l.deviation[i] = 0.2 + 3 * uniform();
    for (int i = 0; i < CELLS; i++) {
        l.y[i]     = l.mean[i / STEPS] + l.deviation[i / STEPS] * 6 * (uniform() - 0.5);
        l.known[i] = i != 1 && i != 4;
    }
    l.raw       = wide(l.g, "raw", TIDE_SHAPE(1, SERIES, l.outputs * STEPS), raw);
    l.freedom   = wide(l.g, "freedom", TIDE_SHAPE(STEPS), freedom);
    l.truth     = tide_constant(l.g, TIDE_F64, TIDE_SHAPE(1, SERIES, STEPS), l.y);
    l.observed  = tide_constant(l.g, TIDE_F64, TIDE_SHAPE(1, SERIES, STEPS), l.known);
    l.scale     = (instance_scale){ tide_constant(l.g, TIDE_F64, TIDE_SHAPE(1, SERIES, 1), l.mean),
                                    tide_constant(l.g, TIDE_F64, TIDE_SHAPE(1, SERIES, 1), l.deviation) };
    return l;
}

static double number(tide_val v) {
    double out;
    if (tide_read(v, &out, sizeof out) != TIDE_OK) fail_msg("%s", tide_error(v.graph)->message);
    return out;
}

static tide_val loss_of(const laid_out *l, const model_config *c) {
    head_values h = head_restored(c, l->raw, &l->scale);
    loss_config by = { .kind = FORECAST_MSE };
    return tide_sum(loss_head(&by, c, &h, l->freedom, l->truth, l->observed), TIDE_ALL);
}

static double softplus(double x) { return log1p(exp(-fabs(x))) + fmax(x, 0); }

/* Quantile by quantile, as it is written in Koenker and Bassett, from quantiles in the units of the scaled series. */
static double pinball_by_hand(const laid_out *l, const model_config *c, const double *raw, int cell) {
    double q[MOST_OUTPUTS], sum = 0, d = l->deviation[cell / STEPS];
    int    at = cell / STEPS * l->outputs * STEPS + cell % STEPS, median = 2;
    q[median] = l->mean[cell / STEPS] + d * raw[at];
    for (int i = median + 1; i < l->outputs; i++) q[i] = q[i - 1] + d * (softplus(raw[at + i * STEPS]) + 1e-4);
    for (int i = median - 1; i >= 0; i--) q[i] = q[i + 1] - d * (softplus(raw[at + (i + 1) * STEPS]) + 1e-4);
    for (int i = 0; i < l->outputs; i++) {
        double e = l->y[cell] - q[i];
        sum += e >= 0 ? c->quantile[i] * e : (c->quantile[i] - 1) * e;
    }
    return 2 * sum / l->outputs;
}

/* The density of Student's, with the C library's lgamma. */
static double student(double error, double scale, double freedom) {
    double z = error / scale;
    return log(scale) + 0.5 * log(freedom * acos(-1)) + lgamma(freedom / 2) - lgamma((freedom + 1) / 2) +
           (freedom + 1) / 2 * log1p(z * z / freedom);
}

static double student_by_hand(const laid_out *l, const double *raw, const double *freedom, int cell) {
    double d = l->deviation[cell / STEPS], above = 2.01;
    int    at = cell / STEPS * l->outputs * STEPS + cell % STEPS;
    double n = above + softplus(64 * freedom[cell % STEPS] + log(expm1(6 - above)));
    return student(l->y[cell] - l->mean[cell / STEPS] - d * raw[at], d * (softplus(raw[at + STEPS]) + 1e-4), n);
}

static void test_values(void **state) {
    (void)state;
    for (int head = FORECAST_HEAD_QUANTILE; head <= FORECAST_HEAD_STUDENT_T; head++)
        for (int turn = 0; turn < 5; turn++) {
            model_config c = config_of(head);
            laid_out     l = lay_out(&c);
            double       raw[CELLS * MOST_OUTPUTS], freedom[STEPS], sum = 0, count = 0;
            size_t       bytes = (size_t)(CELLS * l.outputs) * sizeof *raw;
            assert_true(tide_read(l.raw, raw, bytes) == TIDE_OK);
            assert_true(tide_read(l.freedom, freedom, sizeof freedom) == TIDE_OK);
            for (int i = 0; i < CELLS; i++) {
                if (!l.known[i]) continue;
                sum += head == FORECAST_HEAD_QUANTILE ? pinball_by_hand(&l, &c, raw, i)
                                                      : student_by_hand(&l, raw, freedom, i);
                count++;
            }
            /* the series' own 1e-9, and rounding */
            expect_near("mean loss", number(loss_of(&l, &c)), sum / count, 1e-8);
            tide_graph_free(l.g);
        }
}

static void check_derivatives(tide_val loss, tide_val of, int count) {
    const double step = 1e-5; /* errors of the difference: 1e-10 of the step's square, 1e-11 of rounding */
    double       at[CELLS * MOST_OUTPUTS], slopes[CELLS * MOST_OUTPUTS];
    size_t       bytes = (size_t)count * sizeof *at;
    tide_val     slope;
    tide_list    d = tide_grad(loss, (tide_list){ &of, 1 });
    slope = d.items[0];
    assert_int_equal(tide_read(slope, slopes, bytes), TIDE_OK);
    assert_int_equal(tide_read(of, at, bytes), TIDE_OK);
    for (int i = 0; i < count; i++) {
        double was = at[i], beside[2];
        for (int side = 0; side < 2; side++) {
            at[i] = was + (side ? step : -step);
            assert_int_equal(tide_write(of, at, bytes), TIDE_OK);
            beside[side] = number(loss);
        }
        at[i] = was;
        assert_int_equal(tide_write(of, at, bytes), TIDE_OK);
        expect_near("derivative", slopes[i], (beside[1] - beside[0]) / (2 * step), 1e-6 * (1 + fabs(slopes[i])));
    }
}

static void test_derivatives(void **state) {
    (void)state;
    for (int head = FORECAST_HEAD_QUANTILE; head <= FORECAST_HEAD_STUDENT_T; head++) {
        model_config c    = config_of(head);
        laid_out     l    = lay_out(&c);
        tide_val     loss = loss_of(&l, &c);
        check_derivatives(loss, l.raw, CELLS * l.outputs);
        if (head == FORECAST_HEAD_STUDENT_T) check_derivatives(loss, l.freedom, STEPS);
        tide_graph_free(l.g);
    }
}

/* From tails without a variance to a normal distribution, and truths a thousand scales away. */
static void test_likelihood(void **state) {
    static const double freedoms[] = { 2.01, 2.5, 3, 4.75, 10, 30, 200, 1e4 }, errors[] = { 0, 0.3, -2, 40, -1000 };
    (void)state;
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 5; k++)
            for (double scale = 1e-3; scale < 100; scale *= 11) {
                tide_graph *g = tide_graph_new("cpu");
                double      error = errors[k] * scale, zero = 0;
                tide_default_type_set(g, TIDE_F64);
                tide_shape  one = TIDE_SHAPE(1, 1, 1);
                head_values h = { tide_constant(g, TIDE_F64, one, &zero), tide_constant(g, TIDE_F64, one, &scale) };
                tide_val    n = tide_constant(g, TIDE_F64, TIDE_SHAPE(1), &freedoms[i]);
                double got = number(head_likelihood(&h, n, tide_constant(g, TIDE_F64, one, &error)));
                double expected = student(error, scale, freedoms[i]);
                expect_near("likelihood", got, expected, 2e-9 + 1e-11 * fabs(expected));
                tide_graph_free(g);
            }
}

/* ---- errors and scores ---- */

/* Phi^-1 to ten digits, from tables. */
static void test_scores(void **state) {
    static const struct { double p, z; } normal[] = { { 0.05, -1.6448536270 }, { 0.2, -0.8416212336 }, { 0.5, 0 },
                                                      { 0.6, 0.2533471031 },   { 0.9, 1.2815515655 } };
    (void)state;
    model_config c = config_of(FORECAST_HEAD_QUANTILE);
    spread_shape s = spread_of(&c);
    float        gaps[4];
    for (int turn = 0; turn < 200; turn++) {
        double reach = 0;
        for (int i = 0; i < 4; i++) gaps[i] = (float)exp(20 * (uniform() - 0.5));
        double q[5] = { -(double)gaps[1] - (double)gaps[0], -(double)gaps[1], 0, (double)gaps[2],
                        (double)gaps[2] + (double)gaps[3] };
        for (int i = 0; i < 5; i++) {
            expect_near("score of a quantile", spread_score(&s, gaps, q[i]), normal[i].z, 1e-6);
            reach = fmax(reach, fabs(q[i]));
        }
        for (int i = 0; i < 20; i++) {
            double e = 3 * reach * (uniform() - 0.5), z = spread_score(&s, gaps, e);
            expect_near("there and back", spread_error(&s, gaps, z), e, 1e-9 * reach);
        }
    }
    /* beyond the outermost quantile, and between two */
    for (int i = 0; i < 4; i++) gaps[i] = 2;
    expect_near("half way", spread_score(&s, gaps, 3), (normal[3].z + normal[4].z) / 2, 1e-9);
    expect_near("beyond", spread_score(&s, gaps, 6), normal[4].z + (normal[4].z - normal[3].z), 1e-9);
    assert_true(isnan(spread_score(&s, gaps, NAN)) && isnan(spread_error(&s, gaps, NAN)));
    c = config_of(FORECAST_HEAD_STUDENT_T);
    s = spread_of(&c);
    expect_near("in scales", spread_score(&s, gaps, -5), -2.5, 0);
    c = config_of(FORECAST_HEAD_POINT);
    s = spread_of(&c);
    assert_int_equal(s.widths, 0);
}

/* Whatever the last map gives, gaps are above 0, and bounds of all levels lie in one another: no quantile crosses. */
static void test_never_cross(void **state) {
    enum { WINDOWS = 300, ROUNDS = 50 };
    static double       levels[FORECAST_MAX_LEVELS];
    static const double unit[SERIES] = { 1, 1 };
    (void)state;
    for (int i = 0; i < FORECAST_MAX_LEVELS; i++) levels[i] = 1 + 98.0 * i / (FORECAST_MAX_LEVELS - 1);
    for (int head = FORECAST_HEAD_QUANTILE; head <= FORECAST_HEAD_STUDENT_T; head++) {
        model_config c = config_of(head);
        band_tables  b;
        residuals    r;
        int64_t      wide = head_widths(&c);
        float        zero[CELLS] = { 0 }, truth[CELLS], widths[CELLS * MOST_OUTPUTS], scale[WINDOWS * SERIES];
        for (int i = 0; i < WINDOWS * SERIES; i++) scale[i] = 1;
        assert_true(bands_new(&b, STEPS, SERIES, unit) && residuals_new(&r, &b, WINDOWS, 1, scale));
        b.shape = spread_of(&c), r.shape = &b.shape;
        for (int w = 0; w < WINDOWS; w++) {
            for (int i = 0; i < CELLS; i++) truth[i] = (float)tan(3.1 * (uniform() - 0.5)); /* far tails, too */
            for (int i = 0; i < CELLS * wide; i++) widths[i] = (float)exp(10 * (uniform() - 0.5));
            residuals_add(&r, w, 1, &(seen_windows){ zero, truth, widths });
        }
        assert_true(bands_calibrate(&b, 0, &r));
        for (int turn = 0; turn < ROUNDS; turn++) {
            tide_graph *g = tide_graph_new("cpu");
            float       raw[CELLS * MOST_OUTPUTS], base[SERIES] = { -3e5F, 7 }, wave[SERIES] = { 0.00317F, 40 };
            double      size = exp(8 * uniform() - 3), out[2 * FORECAST_MAX_LEVELS];
            for (int i = 0; i < CELLS * (wide + 1); i++) raw[i] = (float)(size * (uniform() - 0.5));
            tide_shape     each = TIDE_SHAPE(1, SERIES, 1);
            instance_scale s = { tide_constant(g, TIDE_F32, each, base), tide_constant(g, TIDE_F32, each, wave) };
            tide_shape  all = TIDE_SHAPE(1, SERIES, (wide + 1) * STEPS);
            head_values h   = head_restored(&c, tide_constant(g, TIDE_F32, all, raw), &s);
            assert_int_equal(tide_read(h.widths, raw, (size_t)(CELLS * wide) * sizeof *raw), TIDE_OK);
            for (int i = 0; i < CELLS; i++) { /* by steps, as forecaster_widths turns them */
                for (int k = 0; k < wide; k++)
                    widths[(i % STEPS * SERIES + i / STEPS) * wide + k] =
                        raw[i / STEPS * wide * STEPS + k * STEPS + i % STEPS];
            }
            for (int i = 0; i < CELLS * wide; i++) assert_true(widths[i] > 0);
            for (int i = 0; i < CELLS; i++) {
                bands_at(&b, 0, i, 0, &(window_spread){ NULL, widths }, levels, FORECAST_MAX_LEVELS, out);
                for (int k = 0; k < FORECAST_MAX_LEVELS; k++) {
                    bool nested = !k || (out[2 * k] <= out[2 * k - 2] && out[2 * k + 1] >= out[2 * k - 1]);
                    if (!nested || !(out[2 * k] <= out[2 * k + 1])) fail_msg("level %g crosses", levels[k]);
                }
            }
            tide_graph_free(g);
        }
        residuals_free(&r);
        bands_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_derivatives), cmocka_unit_test(test_likelihood),
        cmocka_unit_test(test_scores),     cmocka_unit_test(test_never_cross),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
