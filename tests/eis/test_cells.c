/* The exact posterior of the grid, against a slow one written down as the formula says. */
#include "eis/posterior/cells_device.h"
#include "support.h"

static cell_problem problem_of(const eis_spectrum *s, eis_circuit circuit, double rs, bool canonical) {
    return (cell_problem){
        .circuit = circuit, .canonical = canonical, .rs_ohm = rs, .count = s->count, .freq_hz = s->freq_hz, .z = s->z
    };
}

/* ln of the likelihood up to the same constant as the kernels', one circuit at a time. */
static double log_likelihood(const eis_spectrum *s, eis_circuit circuit, const double *p, double rs, double noise) {
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) {
        eis_z  m;
        eis_impedance(circuit, p, rs, 1, &s->freq_hz[i], &m);
        double size = m.re * m.re + m.im * m.im, re = s->z[i].re - m.re, im = s->z[i].im - m.im;
        sum += -(re * re + im * im) / (2 * noise * noise * size) +
               log((s->z[i].re * s->z[i].re + s->z[i].im * s->z[i].im) / size);
    }
    return sum;
}

static void check_cells(eis_circuit circuit, double rs, const eis_known *known, bool canonical,
                        int64_t cells_expected) {
    rng    r = { .seed = 5 };
    sample s;
    cells  c;
    double noise = 0.05, weights = 0;
    eis_spectrum spectrum = make_spectrum(&s, circuit, example, rs, noise, &r);
    cell_problem problem  = problem_of(&spectrum, circuit, rs, canonical);
    problem.known = *known;
    assert_true(cells_new(&problem, &c));
    for (int64_t i = 0; i < c.count; i++) {
        weights += c.weight[i] > 0;
        if (i % 97 || !(c.weight[i] > 0)) continue;
        double p[EIS_COUNT], got = -0.5 / (noise * noise) * (double)c.misfit[i] + (double)c.log_ratio[i];
        cells_parameters(&c, i, p);
        double expected = log_likelihood(&spectrum, circuit, p, rs, noise);
        if (fabs(got - expected) > 1e-4 + 3e-7 * fabs(expected))  /* kept in single */
            fail_msg("ln L: expected %.9g, got %.9g", expected, got);
        for (int k = 0; k < EIS_COUNT; k++)
            if (known->is[k]) assert_true(p[k] == known->value[k]);
        if (canonical) assert_true(p[EIS_RA] * p[EIS_CA] >= p[EIS_RB] * p[EIS_CB] * (1 - 1e-8));
    }
    assert_int_equal((int64_t)weights, cells_expected);
    cells_weigh(&c, noise);
    double sum = 0;
    for (int64_t i = 0; i < c.count; i++) sum += (double)c.probability[i];
    expect_near("probabilities", sum, 1, 1e-5);
    cells_free(&c);
}

static void test_every_cell(void **state) {
    eis_known none = { 0 }, shunt = { { true }, { 460 } }, ra = { { false, true }, { 0, 4820 } };
    eis_known both = { { false, true, true, true, true }, { 0, 4820, 2210, 1.2e-6, 4.7e-6 } };
    (void)state;
    check_cells(EIS_SHUNT, 0, &none, true, 125280);
    check_cells(EIS_SHUNT, 0, &none, false, 248832);
    check_cells(EIS_SHUNT, 20, &none, true, 125280);
    check_cells(EIS_CHAIN, 5, &none, true, 125280);
    check_cells(EIS_SHUNT, 0, &shunt, true, 10440);
    check_cells(EIS_SHUNT, 0, &ra, false, 20736);
    check_cells(EIS_SHUNT, 0, &both, false, 12);
}

/* The same on a device, spectra of several kinds after one another. */
static void test_on_device(void **state) {
    const eis_known known[] = { { { true }, { 460 } }, { { false, true }, { 0, 4820 } },
                                { { false, true, true, true, true }, { 0, 4820, 2210, 1.2e-6, 4.7e-6 } } };
    const char   *named = getenv("TIDEMILL_DEVICE");
    cells_device *d     = cells_device_new(named ? named : "cpu", 2, 0);
    (void)state;
    assert_non_null(d);
    for (int n = 0; n < 6; n++) {
        rng    r = { .seed = 6, .stream = (uint32_t)n };
        sample s;
        cells  here, there;
        tide_failure failure  = { 0 };
        eis_circuit  circuit  = n % 2 ? EIS_CHAIN : EIS_SHUNT;
        double       rs       = n < 3 ? 15 : 0;
        eis_spectrum spectrum = make_spectrum(&s, circuit, example, rs, n % 3 ? 0.05 : 0.001, &r);
        cell_problem problem  = problem_of(&spectrum, circuit, rs, n % 4 == 0);
        problem.known = known[n % 3];
        if (n == 5) problem.count -= 7;
        assert_true(cells_new(&problem, &here));
        if (cells_new_on(d, &problem, &there, &failure) != TIDE_OK) fail_msg("%s", failure.message);
        assert_int_equal(there.count, here.count);
        assert_int_equal(there.best, here.best);
        assert_memory_equal(there.weight, here.weight, (size_t)here.count * sizeof *here.weight);
        for (int64_t i = 0; i < here.count; i++) {
            double a = (double)here.misfit[i], b = (double)there.misfit[i];
            if (fabs(a - b) > 3e-7 * a) fail_msg("misfit: expected %.9g, got %.9g", a, b);
            a = (double)here.log_ratio[i], b = (double)there.log_ratio[i];
            if (fabs(a - b) > 1e-6 + 3e-7 * fabs(a)) fail_msg("log ratio: expected %.9g, got %.9g", a, b);
        }
        cells_free(&here);
        cells_free(&there);
    }
    cells_device_free(d);
}

/* A truth on the grid and no noise: its cell, and nothing else. */
static void test_on_grid(void **state) {
    (void)state;
    for (int n = 0; n < 20; n++) {
        rng    r = { .seed = 3, .stream = (uint32_t)n };
        sample s;
        cells  c;
        double p[EIS_COUNT], got[EIS_COUNT];
        for (int k = 0; k < EIS_COUNT; k++) p[k] = eis_grid_value(k, (int64_t)(12 * rng_unit(&r)), 12);
        eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, p, 0, 0, &r);
        cell_problem problem  = problem_of(&spectrum, EIS_SHUNT, 0, true);
        assert_true(cells_new(&problem, &c));
        if (!(c.misfit[c.best] < 1e-9f)) fail_msg("the truth's cell leaves %g", (double)c.misfit[c.best]);
        cells_parameters(&c, c.best, got);
        if (p[EIS_RA] * p[EIS_CA] < p[EIS_RB] * p[EIS_CB] * (1 - 1e-9)) eis_swap(p, p);
        expect_near("Rsh + Ra", got[0] + got[1] + got[2], p[0] + p[1] + p[2], 1e-9);
        cells_free(&c);
    }
}

/* Knowing a grid value is conditioning on it. */
static void test_slices(void **state) {
    rng    r = { .seed = 8 };
    sample s;
    cells  all, slice;
    double mass = 0;
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 0, 0.2, &r);
    cell_problem problem  = problem_of(&spectrum, EIS_SHUNT, 0, true);
    (void)state;
    assert_true(cells_new(&problem, &all));
    problem.known = (eis_known){ { true }, { eis_grid_value(EIS_RSH, 6, 12) } };
    assert_true(cells_new(&problem, &slice));
    cells_weigh(&all, 0.2);
    cells_weigh(&slice, 0.2);
    for (int64_t i = 0; i < all.count; i++) mass += i / CELL_LANES % all.nr == 6 ? (double)all.probability[i] : 0;
    assert_true(mass > 1e-6);
    for (int64_t i = 0, at = 0; i < all.count; i++) {
        if (i / CELL_LANES % all.nr != 6) continue;
        double expected = (double)all.probability[i] / mass, got = (double)slice.probability[at++];
        if (fabs(got - expected) > 1e-5 * expected + 1e-12)
            fail_msg("a slice has %.9g where %.9g was expected", got, expected);
    }
    cells_free(&all);
    cells_free(&slice);
}

/* The next cell from `at` on that weighs something. */
static int64_t weighing(const cells *c, int64_t at) {
    while (at < c->count && !(c->probability[at] > 0)) at++;
    return at;
}

static void expect_same(const cells *all, const cells *likely) {
    assert_memory_equal(&likely->misfit[likely->best], &all->misfit[all->best], sizeof *all->misfit);
    int64_t i = weighing(all, 0), k = weighing(likely, 0);
    for (;; i = weighing(all, i + 1), k = weighing(likely, k + 1)) {
        int a[EIS_COUNT], b[EIS_COUNT];
        assert_int_equal(i == all->count, k == likely->count);
        if (i == all->count) return;
        cells_index(all, i, a), cells_index(likely, k, b);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_equal(&likely->probability[k], &all->probability[i], sizeof *all->probability);
    }
}

/* Whatever weighs something is there, with its bits, and most of the others are not: anything may be known, by circuits
 * on the grid and beyond it, and noise may be as large as data may have. */
static void test_likely(void **state) {
    rng     r = { .seed = 9 };
    int64_t all_rows = 0, likely_rows = 0;
    (void)state;
    for (int n = 0; n < 40; n++) {
        sample s;
        cells  all, likely;
        eis_circuit circuit = n % 3 ? EIS_SHUNT : EIS_CHAIN;
        double p[EIS_COUNT], rs = n % 2 ? 50 * rng_unit(&r) : 0, noise = 1e-4 * pow(3000, rng_unit(&r)),
               widened = 1 + 3 * rng_unit(&r);
        for (int k = 0; k < EIS_COUNT; k++) p[k] = eis_grid_value(k, 0, 12) * pow(500, rng_unit(&r));
        for (int k = 0; n % 6 == 5 && k < EIS_COUNT; k++) p[k] = eis_grid_value(k, (int64_t)(12 * rng_unit(&r)), 12);
        if (n % 6 == 5) noise = 1e-6;
        eis_spectrum spectrum = make_spectrum(&s, circuit, p, rs, noise, &r);
        cell_problem problem  = problem_of(&spectrum, circuit, rs, n % 5 > 1);
        problem.count = n % 7 ? POINTS : 5 + n % 4 * 4;
        for (int k = 0; n > 3 && k < EIS_COUNT; k++)
            if (rng_unit(&r) < 0.4) problem.known.is[k] = true, problem.known.value[k] = p[k];
        assert_true(cells_new(&problem, &all) && cells_likely_new(&problem, noise, widened, &likely));
        noise = fmax(noise, sqrt(widened * (double)all.misfit[all.best] / (2 * (double)problem.count)));
        if (n % 4 == 0) noise *= 0.3;
        cells_weigh(&all, noise), cells_weigh(&likely, noise);
        expect_same(&all, &likely);
        all_rows += all.count, likely_rows += likely.count;
        cells_free(&all), cells_free(&likely);
    }
    assert_true(2 * likely_rows < all_rows);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_cell), cmocka_unit_test(test_on_device),
                                        cmocka_unit_test(test_on_grid), cmocka_unit_test(test_slices),
                                        cmocka_unit_test(test_likely) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
