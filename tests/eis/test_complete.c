/* The continuous posterior. "slow": all hundred draws of the trap, and coverage over random circuits. */
#include "support.h"

#include "eis/posterior/two_rc.h"

static bool slow;

static void complete(const question *q, const eis_spectrum *s, completion *c) {
    tide_failure failure = { 0 };
    if (complete_one(q, s, c, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static bool holds(const completion *c, int k, double v) {
    return v >= c->summary.of[k].low && v <= c->summary.of[k].high;
}

static question resistances_known(eis_method method) {
    question q = { .method = method, .range = grid_ranges, .noise = NAN, .top_k = 5, .seed = 1 };
    for (int k = EIS_RSH; k <= EIS_RB; k++) q.known.is[k] = true, q.known.value[k] = example[k];
    return q;
}

/* A plain grid posterior answers 50 uF with probability 1 here. */
static void test_trap(void **state) {
    int draws = slow ? 100 : 12, inside = 0, adequate = 0;
    (void)state;
    for (int i = 0; i < draws; i++) {
        rng        r = { .seed = 17, .stream = (uint32_t)i };
        sample     s;
        completion c;
        question   refined = resistances_known(EIS_REFINED), exact = resistances_known(EIS_EXACT);
        eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 0, 0.01, &r);
        complete(&refined, &spectrum, &c);
        inside += holds(&c, EIS_CA, example[EIS_CA]) && holds(&c, EIS_CB, example[EIS_CB]);
        completion_free(&c);
        complete(&exact, &spectrum, &c);
        adequate += c.grid_adequate;
        if (c.summary.max_probability > 0.99)
            fail_msg("exact: probability %.4f though no cell fits", c.summary.max_probability);
        for (int k = EIS_CA; k <= EIS_CB; k++)
            for (int j = 0; j < CELL_POINTS; j++) assert_true(c.summary.marginal[k][j] <= 0.99);
        completion_free(&c);
    }
    if (slow) printf("trap: both capacitances inside in %d of %d\n", inside, draws);
    if (inside < (slow ? 90 : 10)) fail_msg("both capacitances were inside in %d of %d draws", inside, draws);
    assert_int_equal(adequate, 0);
}

static void test_noise_from_data(void **state) {
    static const double noises[] = { 0.001, 0.01, 0.05 };
    (void)state;
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < 30; i++) {
            rng    r = { .seed = 2, .stream = (uint32_t)i };
            sample s;
            two_rc fit;
            double p[EIS_COUNT];
            tide_failure failure = { 0 };
            random_circuit(&r, p);
            eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, p, 0, noises[n], &r);
            assert_int_equal(two_rc_fit(&spectrum, 0, &fit, &failure), TIDE_OK);
            expect_near("noise", two_rc_noise(&fit, POINTS), noises[n], 0.3); /* 118 degrees of freedom: SD 6.5 % */
        }
}

/* That share of the points has ten times the noise. */
static void spoil(eis_z *z, double share, double noise, rng *r) {
    double sd = 10 * noise * hypot(z->re, z->im);
    if (rng_unit(r) < share) z->re += sd * rng_normal(r), z->im += sd * rng_normal(r);
}

/* Without a mistake the intervals hold the truth in 95 of 100, each quantity's; 16 draws of 9 quantities see less than
 * 85 % by chance rarely. Circuits as the prior has them, two fifths of the parameters known, noise not. */
static void cover(bool robust, double outliers, int draws) {
    int inside = 0, asked = 0, refused = 0, of[SUM_COUNT][2] = { { 0 } }, wrong = 0;
    for (int i = 0; i < draws; i++) {
        rng r = { .seed = 23, .stream = (uint32_t)i };
        sample s;
        completion c;
        double p[EIS_COUNT];
        question q = { .method = EIS_REFINED,
                       .range = grid_ranges,
                       .noise = NAN,
                       .top_k = 5,
                       .seed = i,
                       .canonical = true,
                       .robust = robust,
                       .rs_ohm = i % 2 ? NAN : 0 };
        random_circuit(&r, p);
        double rs = i % 2 ? 100 * rng_unit(&r) : 0;
        for (int k = 0; k < EIS_COUNT; k++) {
            q.known.is[k] = rng_unit(&r) < 0.4;
            q.known.value[k] = p[k];
            q.canonical = q.canonical && (k == EIS_RSH || !q.known.is[k]);
        }
        eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, p, rs, 0.01, &r);
        for (int j = 0; j < POINTS && outliers > 0; j++) spoil(&s.z[j], outliers, 0.01, &r);
        tide_failure failure = { 0 };
        if (complete_one(&q, &spectrum, &c, &failure) != TIDE_OK) { /* refused, which is no wrong answer */
            printf("circuit %d: %s\n", i, failure.message);
            if (++refused > draws / 200) fail_msg("%d of %d have no answer", refused, i + 1);
            continue;
        }
        if (q.canonical && p[EIS_RA] * p[EIS_CA] < p[EIS_RB] * p[EIS_CB]) eis_swap(p, p);
        eis_invariants v = eis_invariants_of(p);
        const double truth[SUM_COUNT] = { p[0], p[1], p[2], p[3], p[4], rs, v.r0_ohm, v.cinf_farad, v.n1_s, v.d1_s };
        for (int k = 0; k < SUM_COUNT; k++) {
            if ((k < EIS_COUNT && q.known.is[k]) || isnan(c.summary.of[k].low)) continue;
            of[k][0]++, of[k][1] += holds(&c, k, truth[k]);
        }
        completion_free(&c);
    }
    for (int k = 0; k < SUM_COUNT; k++) {
        asked += of[k][0], inside += of[k][1];
        double share = 100.0 * of[k][1] / of[k][0];
        if (slow)
            printf("%scoverage of %-3s: %.1f %% of %d\n", robust ? "robust " : "", quantities[k].name, share, of[k][0]);
        wrong += slow && fabs(share - 95) > 2;
    }
    if (wrong) fail_msg("the intervals of %d quantities hold more or less than 95 %% by 2 points", wrong);
    if (inside < 0.85 * asked) fail_msg("95 %% intervals held %d of %d", inside, asked);
}

static void test_coverage(void **state) {
    (void)state;
    cover(false, 0, slow ? 2000 : 16);
    cover(true, 0.03, slow ? 2000 : 8);
}

static const double generic[EIS_COUNT] = { 1500, 2600, 760, 5.2e-6, 1.4e-6 };

static question of_generic(bool robust, int seed) {
    return (question){ .method = EIS_REFINED, .range = usual_ranges, .noise = NAN, .top_k = 5, .seed = seed,
                       .canonical = true, .robust = robust, .rs_ohm = NAN };
}

static double log_width(const completion *c, int k) { return log(c->summary.of[k].high / c->summary.of[k].low); }

/* Three parts that are twenty deviations off: they are named, no others are, and the answer is as it was without. */
static void test_outliers(void **state) {
    static const int off[] = { 3, 21, 40 };
    (void)state;
    for (int i = 0; i < 4; i++) {
        rng r = { .seed = 41, .stream = (uint32_t)i };
        sample s;
        completion clean, c;
        question q = of_generic(true, i);
        eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, generic, 27, 0.01, &r);
        complete(&q, &spectrum, &clean);
        for (int k = 0; k < 3; k++) {
            eis_z *z = &s.z[off[k]];
            double by = 0.2 * hypot(z->re, z->im);
            if (k == 1) z->im += by;
            else z->re += by;
        }
        complete(&q, &spectrum, &c);
        assert_int_equal(c.points, POINTS);
        for (int at = 0; at < POINTS; at++) {
            bool is = at == off[0] || at == off[1] || at == off[2];
            if (is != (c.share[at] < 0.2)) fail_msg("draw %d: point %d counts %.2f", i, at, c.share[at]);
        }
        if (c.verdict != EIS_FIT_ADEQUATE) fail_msg("draw %d: reduced chi2 %.3g", i, c.chi2);
        for (int k = SUM_TER; k <= SUM_TEC; k++) {
            double moved = log(c.summary.of[k].median / clean.summary.of[k].median), width = log_width(&clean, k);
            if (fabs(moved) > 0.3 * width)
                fail_msg("draw %d: %s moved by %.2g of its width", i, quantities[k].name, moved / width);
        }
        completion_free(&clean), completion_free(&c);
    }
}

/* Of normal noise Student's likelihood with these freedoms loses a few percent. */
static void test_robust_width(void **state) {
    int draws = slow ? 100 : 8;
    double sum[SUM_COUNT] = { 0 };
    (void)state;
    for (int i = 0; i < draws; i++) {
        rng r = { .seed = 43, .stream = (uint32_t)i };
        sample s;
        completion c[2];
        eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, generic, 27, 0.01, &r);
        for (int robust = 0; robust < 2; robust++) {
            question q = of_generic(robust, i);
            complete(&q, &spectrum, &c[robust]);
        }
        for (int k = SUM_TER; k <= SUM_D1; k++) sum[k] += log_width(&c[1], k) / log_width(&c[0], k) / draws;
        completion_free(&c[0]), completion_free(&c[1]);
    }
    for (int k = SUM_TER; k <= SUM_D1; k++) {
        if (slow) printf("robust: %s is %.3f times as wide\n", quantities[k].name, sum[k]);
        if (sum[k] > 1.2 || sum[k] < 0.9) fail_msg("%s is %.3f times as wide", quantities[k].name, sum[k]);
    }
}

/* Residuals that follow each other (each the share `memory` of the last) are told from noise, and counted for less. */
static int64_t systematic_of(double memory, int draws, double *correlation) {
    enum { COUNT = 40 };
    int64_t systematic = 0;
    *correlation       = 0;
    for (int n = 0; n < draws; n++) {
        rng       r = { .seed = 31, .stream = (uint32_t)n };
        double    freq_hz[COUNT], last[2] = { 0 };
        eis_z     z[COUNT], model[COUNT];
        residuals left;
        for (int at = 0; at < COUNT; at++) {
            int row = at * 7 % COUNT;  /* the file's order is not that of the frequencies */
            for (int k = 0; k < 2; k++)
                last[k] = at ? memory * last[k] + sqrt(1 - memory * memory) * rng_normal(&r) : rng_normal(&r);
            freq_hz[row] = pow(10, at / 8.0);
            model[row]   = (eis_z){ 1000, -500 };
            z[row]       = (eis_z){ 1000 + 10 * last[0], -500 + 10 * last[1] };
        }
        assert_true(residuals_of(&(eis_spectrum){ COUNT, freq_hz, z }, model, &left));
        systematic += left.systematic;
        *correlation += left.correlation / draws;
    }
    return systematic;
}

static void test_residuals(void **state) {
    double correlation;
    (void)state;
    int64_t found = systematic_of(0, 4000, &correlation);
    if (found > 15) fail_msg("noise was called systematic in %d of 4000; 4 are expected", (int)found);
    found = systematic_of(0.8, 200, &correlation);
    if (found < 180) fail_msg("correlated residuals were found in %d of 200", (int)found);
    /* (1 + 0.8) / (1 - 0.8) = 9 in long series; in these the sums end by chance */
    if (correlation < 6 || correlation > 13) fail_msg("%.2g residuals count as one, not about 9", correlation);
}

/* All known: they are the answer. A free solution resistance is found. */
static void test_edges(void **state) {
    rng        r = { .seed = 4 };
    sample     s;
    completion c;
    question q = { .method = EIS_REFINED, .range = grid_ranges, .noise = 0.01, .top_k = 5 };
    (void)state;
    for (int k = 0; k < EIS_COUNT; k++) q.known.is[k] = true, q.known.value[k] = example[k];
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 30, 0.01, &r);
    q.rs_ohm = 30;
    complete(&q, &spectrum, &c);
    assert_int_equal(c.summary.top_count, 1);
    assert_true(c.circuit_adequate);
    completion_free(&c);
    q.rs_ohm = NAN;
    q.known.is[EIS_RSH] = false;
    complete(&q, &spectrum, &c);
    assert_true(holds(&c, EIS_RS, 30) && c.summary.of[EIS_RS].high - c.summary.of[EIS_RS].low < 1);
    completion_free(&c);
    q = (question){
        .method = EIS_EXACT, .range = grid_ranges, .noise = 0.01, .top_k = 3, .circuit = EIS_CHAIN, .canonical = true
    };
    spectrum = make_spectrum(&s, EIS_CHAIN, example, 0, 0.01, &r);
    complete(&q, &spectrum, &c);
    assert_true(isnan(c.summary.of[SUM_TER].median) && !c.fibre.present);
    completion_free(&c);
}

/* The same seed gives the same bits. */
static void test_repeats(void **state) {
    rng        r = { .seed = 6 };
    sample     s;
    completion a, b;
    question q = {
        .method = EIS_REFINED, .range = grid_ranges, .noise = NAN, .top_k = 5, .canonical = true, .seed = 9
    };
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 0, 0.01, &r);
    (void)state;
    complete(&q, &spectrum, &a);
    complete(&q, &spectrum, &b);
    assert_memory_equal(a.draws, b.draws, (size_t)a.draw_count * sizeof *a.draws);
    completion_free(&a);
    completion_free(&b);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_trap),      cmocka_unit_test(test_noise_from_data),
                                        cmocka_unit_test(test_coverage),  cmocka_unit_test(test_edges),
                                        cmocka_unit_test(test_outliers),  cmocka_unit_test(test_robust_width),
                                        cmocka_unit_test(test_residuals), cmocka_unit_test(test_repeats) };
    slow = argc > 1 && !strcmp(argv[1], "slow");
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
