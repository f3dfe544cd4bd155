/* The circuit in the coordinates of shape.h, and the sampler that stands on them, beside plain draws of the prior.
 * "slow": beside these for each kind of question. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/rng.h"
#include "eis/posterior/shape_known.h"
#include "eis/posterior/shape_sampler.h"
#include "eis/posterior/shape_tree.h"

static bool slow;

static double between(rng *r, double low, double high) { return low + (high - low) * rng_unit(r); }

static void near(const char *what, double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * fmax(fabs(want), 1e-300)))
        fail_msg("%s: got %.15g, want %.15g to %g", what, got, want, tolerance);
}

/* a the slower membrane */
static void draw_circuit(rng *r, double p[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++) p[k] = k < EIS_CA ? exp(between(r, 2, 10)) : exp(between(r, -16, -10));
    if (p[EIS_RA] * p[EIS_CA] < p[EIS_RB] * p[EIS_CB]) eis_swap(p, p);
}

/* In coordinates, and g. */
static void coordinates(const double p[EIS_COUNT], double x[EIS_COUNT]) {
    double bare[EIS_COUNT];
    eis_invariants q = eis_invariants_of(p);
    assert_true(eis_fibre(&q, 0, bare));
    const double r[] = { bare[EIS_RA], bare[EIS_RB] }, tau[] = { r[0] * bare[EIS_CA], r[1] * bare[EIS_CB] };
    shape_coordinates(r, tau, &x[0], &x[1], &x[2]);
    x[4] = log(q.g);
}

static void test_there_and_back(void **state) {
    rng r = { .seed = 3 };
    (void)state;
    for (int i = 0; i < 2000; i++) {
        double p[EIS_COUNT], back[EIS_COUNT], x[EIS_COUNT];
        draw_circuit(&r, p);
        double apart = p[EIS_RA] * p[EIS_CA] / (p[EIS_RB] * p[EIS_CB]) - 1;
        coordinates(p, x);
        shape s = shape_of(x[0], x[1], x + 2);
        near("over", s.over, s.t1 - 1, 1e-12 * fmax(1, 1 / s.over));
        near("under", s.under, 1 - s.t2, 1e-12 * fmax(1, 1 / s.under));
        shape_circuit(&s, exp(x[4]), back);
        for (int k = 0; k < EIS_COUNT; k++) near("a parameter", back[k], p[k], 1e-9 * fmax(1, 1 / apart));
    }
}

/* Whatever g, the same spectrum, however close the time constants. */
static void test_one_spectrum(void **state) {
    rng r = { .seed = 4 };
    (void)state;
    for (int i = 0; i < 500; i++) {
        double u[2] = { between(&r, -15, 10), between(&r, -15, 10) }, p[EIS_COUNT];
        shape s = shape_of(between(&r, 0, 12), between(&r, -12, 0), u);
        double f = exp(between(&r, -3, 12)), x = 6.283185307179586 * f * s.tau0_s, n = s.t1 * s.t2;
        double down_re = 1 - n * x * x, down_im = (s.t1 + s.t2) * x,
               over = s.r0_ohm / (down_re * down_re + down_im * down_im);
        eis_z want = { (down_re + n * x * down_im) * over, (n * x * down_re - down_im) * over }, z;
        shape_circuit(&s, exp(between(&r, -8, 8)), p);
        eis_impedance(EIS_SHUNT, p, 0, 1, &f, &z);
        assert_true(hypot(z.re - want.re, z.im - want.im) < 1e-11 * hypot(want.re, want.im));
        for (int k = 0; k < EIS_COUNT; k++) assert_true(p[k] > 0);
    }
}

/* |d coordinates / d ln p| by differences: its inverse is the prior's density. */
static void test_prior(void **state) {
    rng r = { .seed = 5 };
    (void)state;
    for (int i = 0; i < 200; i++) {
        double p[EIS_COUNT], m[EIS_COUNT][EIS_COUNT], x[EIS_COUNT], log_det = 0;
        draw_circuit(&r, p);
        if (p[EIS_RA] * p[EIS_CA] < 1.5 * p[EIS_RB] * p[EIS_CB]) continue;
        for (int k = 0; k < EIS_COUNT; k++) {
            double up[EIS_COUNT], down[EIS_COUNT], high[EIS_COUNT], low[EIS_COUNT], step = 1e-5;
            memcpy(up, p, sizeof up), memcpy(down, p, sizeof down);
            up[k] *= exp(step), down[k] *= exp(-step);
            coordinates(up, high), coordinates(down, low);
            for (int j = 0; j < EIS_COUNT; j++) m[j][k] = (high[j] - low[j]) / (2 * step);
        }
        for (int a = 0; a < EIS_COUNT; a++) {
            int pivot = a;
            for (int b = a; b < EIS_COUNT; b++) pivot = fabs(m[b][a]) > fabs(m[pivot][a]) ? b : pivot;
            for (int j = 0; j < EIS_COUNT; j++) {
                double other = m[a][j];
                m[a][j] = m[pivot][j], m[pivot][j] = other;
            }
            log_det += log(fabs(m[a][a]));
            for (int b = a + 1; b < EIS_COUNT; b++)
                for (int j = EIS_COUNT - 1; j >= a; j--) m[b][j] -= m[b][a] / m[a][a] * m[a][j];
        }
        coordinates(p, x);
        shape s = shape_of(x[0], x[1], x + 2);
        near("the prior's density", exp(-log_det), exp(shape_log_prior(&s)), 1e-4);
    }
}

static const ranges wide = { { 10, 10, 10, 1e-7, 1e-7, 0 }, { 1e4, 1e4, 1e4, 5e-5, 5e-5, 100 } };

static bool inside(const double p[EIS_COUNT], int known) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (k != known && !(p[k] >= wide.low[k] * (1 - 1e-9) && p[k] <= wide.high[k] * (1 + 1e-9))) return false;
    return true;
}

/* Pieces against a fine walk along the fibre. */
static void test_fibre(void **state) {
    rng r = { .seed = 6 };
    int some = 0;
    (void)state;
    for (int i = 0; i < 300; i++) {
        double p[EIS_COUNT], x[EIS_COUNT], own[EIS_COUNT], length = 0, step = 1e-3;
        draw_circuit(&r, p);
        coordinates(p, x);
        shape s = shape_of(x[0], x[1], x + 2);
        fibre_rule rule = { .range = wide, .known = -1 };
        fibre f;
        for (double ln_g = -15; ln_g < 15; ln_g += step) {
            shape_circuit(&s, exp(ln_g), own);
            length += inside(own, -1) ? step : 0;
        }
        fibre_within(&s, &rule, &f);
        if (fabs(f.mass - length) > 0.02) fail_msg("circuit %d: the fibre's length is %g, not %g", i, length, f.mass);
        some += f.mass > 0;
        for (int k = 0; k < EIS_COUNT && inside(p, k); k++) { /* the circuit itself is among those with its value */
            bool found = false;
            double at;
            rule = (fibre_rule){ .range = wide, .known = k, .value = p[k], .both = true };
            fibre_points(&s, &rule, &f);
            for (int j = 0; j < f.count; j++) {
                shape_circuit(&s, exp(at = fibre_at(&f.piece[j], 0.5)), own);
                if (f.piece[j].swapped) eis_swap(own, own);
                near("a known value", own[k], p[k], 1e-5);
                found = found || (!f.piece[j].swapped && fabs(at - x[4]) < 1e-4);
            }
            if (!found) fail_msg("circuit %d: it is not among the %d with its own parameter %d", i, f.count, k);
        }
    }
    assert_true(some > 50);
}

/* ---- the sampler ---- */

enum { POINTS = 9, DRAWS = 4000, PLAIN = 1000000 };

typedef struct made {
    double freq_hz[POINTS];
    eis_z z[POINTS];
    eis_spectrum s;
} made;

static void make(made *m, const double p[EIS_COUNT], double rs, double noise) {
    rng r = { .seed = 17 };
    for (int i = 0; i < POINTS; i++) m->freq_hz[i] = pow(10, 5 - 6.0 * i / (POINTS - 1));
    eis_impedance(EIS_SHUNT, p, rs, POINTS, m->freq_hz, m->z);
    for (int i = 0; i < POINTS; i++) {
        double size = noise * hypot(m->z[i].re, m->z[i].im);
        m->z[i].re += size * rng_normal(&r), m->z[i].im += size * rng_normal(&r);
    }
    m->s = (eis_spectrum){ .count = POINTS, .freq_hz = m->freq_hz, .z = m->z };
}

enum { TER, TEC, N1, SHUNT, QUANTITIES };

static double quantity(const double *p, int k) {
    eis_invariants q = eis_invariants_of(p);
    return k == TER ? q.r0_ohm : k == TEC ? q.cinf_farad : k == N1 ? q.n1_s : p[EIS_RSH];
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void interval(const draw *d, int64_t count, int k, double out[2]) {
    double(*v)[2] = malloc((size_t)count * sizeof *v), sum = 0;
    for (int64_t i = 0; i < count; i++) v[i][0] = quantity(d[i].p, k), v[i][1] = d[i].weight;
    qsort(v, (size_t)count, sizeof *v, by_value);
    out[0] = out[1] = NAN;
    for (int64_t i = 0; i < count; i++) {
        sum += v[i][1];
        if (isnan(out[0]) && sum >= 0.025) out[0] = v[i][0];
        if (isnan(out[1]) && sum >= 0.975) out[1] = v[i][0];
    }
    free(v);
}

/* The mass of our intervals, and the evidence, by draws of the prior weighed by their likelihood. */
static void against_prior(const density *d, double interval_of[QUANTITIES][2], double *log_evidence,
                          double mass[QUANTITIES], double *effective) {
    rng r = { .seed = 99 };
    double *weight = malloc(PLAIN * sizeof *weight), most = -INFINITY, sum = 0, squares = 0;
    double(*of)[QUANTITIES] = malloc(PLAIN * sizeof *of);
    for (int64_t i = 0; i < PLAIN; i++) {
        double x[FREE_MOST], p[EIS_WITH_RS];
        for (int k = 0; k < d->free_count; k++) x[k] = between(&r, d->low[k], d->high[k]);
        density_parameters(d, x, p);
        if (d->canonical && p[EIS_RA] * p[EIS_CA] < p[EIS_RB] * p[EIS_CB]) {
            eis_swap(p, p);
            density_coordinates(d, p, x);
        }
        weight[i] = density_at(d, x, NULL);
        most = fmax(most, weight[i]);
        for (int k = 0; k < QUANTITIES; k++) of[i][k] = quantity(p, k);
    }
    memset(mass, 0, QUANTITIES * sizeof *mass);
    for (int64_t i = 0; i < PLAIN; i++) {
        double w = exp(weight[i] - most);
        sum += w, squares += w * w;
        for (int k = 0; k < QUANTITIES; k++)
            if (of[i][k] >= interval_of[k][0] && of[i][k] <= interval_of[k][1]) mass[k] += w;
    }
    for (int k = 0; k < QUANTITIES; k++) mass[k] /= sum;
    *log_evidence = most + log(sum / PLAIN);
    *effective = sum * sum / squares;
    free(weight), free(of);
}

typedef struct trial {
    const char *name;
    double p[EIS_COUNT], noise;
    int known;
} trial;

/* Noise so large that draws of the prior reach the posterior. */
static const trial trials[] = {
    { "generic", { 1500, 2600, 760, 5.2e-6, 1.4e-6 }, 0.2, -1 },
    { "equal time constants", { 1200, 2000, 1000, 1e-6, 2e-6 }, 0.2, -1 },
    { "one relaxation", { 9000, 990, 12, 1e-6, 4e-5 }, 0.2, -1 },
    { "a known shunt", { 1500, 2600, 760, 5.2e-6, 1.4e-6 }, 0.15, EIS_RSH },
    { "a known slow resistance", { 1500, 2600, 760, 5.2e-6, 1.4e-6 }, 0.15, EIS_RA },
    { "a known fast resistance", { 1500, 2600, 760, 5.2e-6, 1.4e-6 }, 0.15, EIS_RB },
    { "a known fast capacitance", { 460, 4820, 2210, 1.2e-6, 4.7e-6 }, 0.15, EIS_CA },
};

static void try_one(const trial *t) {
    static draw out[DRAWS];
    shape_account account;
    made m;
    density d;
    rng r = { .seed = 8 };
    eis_z near_z[POINTS];
    double interval_of[QUANTITIES][2], mass[QUANTITIES], evidence, effective;
    eis_known known = { .is = { false } };
    make(&m, t->p, 27, t->noise);
    eis_impedance(EIS_SHUNT, t->p, 27, POINTS, m.freq_hz, near_z);
    if (t->known >= 0) known.is[t->known] = true, known.value[t->known] = t->p[t->known];
    assert_true(density_new(EIS_SHUNT, &known, NAN, &wide, t->known <= EIS_RSH, t->noise, &m.s, &d));
    assert_true(shapes_apply(&d));
    assert_int_equal(sample_shapes(&d, &m.s, near_z, DRAWS, &r, NULL, out, &account), TIDE_OK);
    for (int k = 0; k < QUANTITIES; k++) interval(out, DRAWS, k, interval_of[k]);
    against_prior(&d, interval_of, &evidence, mass, &effective);
    if (account.effective < DRAWS / 50.0) fail_msg("%s: worth %.0f draws of %d", t->name, account.effective, DRAWS);
    if (effective < 60) fail_msg("%s: the reference is worth only %.0f draws", t->name, effective);
    double error = 3 / sqrt(effective); /* of the reference */
    if (fabs(account.log_evidence - evidence) > 0.1 + error)
        fail_msg("%s: evidence %.3f, by the prior %.3f", t->name, account.log_evidence, evidence);
    for (int k = 0; k < QUANTITIES; k++) {
        if (t->known == EIS_RSH && k == SHUNT) continue;
        if (fabs(mass[k] - 0.95) > 0.01 + 0.22 * error)
            fail_msg("%s: the interval of quantity %d holds %.3f", t->name, k, mass[k]);
    }
    density_free(&d);
}

static void test_sampler(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        if (slow || i == 2 || i == 5) try_one(&trials[i]);
}

/* Where the posterior is thin in some directions and a thousand times as long in others: the evidence is the same for
 * every seed. */
static void test_thin(void **state) {
    static const trial thin[] = {
        { "generic", { 1500, 2600, 760, 5.2e-6, 1.4e-6 }, 1e-4, -1 },
        { "equal time constants", { 1200, 2000, 1000, 1e-6, 2e-6 }, 0.005, -1 },
        { "one relaxation", { 9000, 990, 12, 1e-6, 4e-5 }, 0.001, -1 },
        { "a known fast resistance", { 460, 4820, 2210, 1.2e-6, 4.7e-6 }, 0.01, EIS_RA },
    };
    static draw out[DRAWS];
    (void)state;
    for (size_t i = 0; i < sizeof thin / sizeof *thin; i++) {
        const trial *t = &thin[i];
        double low = INFINITY, high = -INFINITY;
        made m;
        density d;
        eis_z near_z[POINTS];
        eis_known known = { .is = { false } };
        make(&m, t->p, 27, t->noise);
        eis_impedance(EIS_SHUNT, t->p, 27, POINTS, m.freq_hz, near_z);
        if (t->known >= 0) known.is[t->known] = true, known.value[t->known] = t->p[t->known];
        assert_true(density_new(EIS_SHUNT, &known, NAN, &wide, t->known <= EIS_RSH, t->noise, &m.s, &d));
        for (uint64_t seed = 0; seed < 4; seed++) {
            rng r = { .seed = seed };
            shape_account account;
            assert_int_equal(sample_shapes(&d, &m.s, near_z, DRAWS, &r, NULL, out, &account), TIDE_OK);
            low = fmin(low, account.log_evidence), high = fmax(high, account.log_evidence);
            if (account.effective < DRAWS / 20.0) fail_msg("%s: worth %.0f draws", t->name, account.effective);
        }
        if (high - low > 0.25) fail_msg("%s: evidence from %.3f to %.3f by seed", t->name, low, high);
        density_free(&d);
    }
}

int main(int argc, char **argv) {
    slow = argc > 1 && !strcmp(argv[1], "slow");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_one_spectrum), cmocka_unit_test(test_prior),
        cmocka_unit_test(test_fibre),          cmocka_unit_test(test_sampler),      cmocka_unit_test(test_thin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
