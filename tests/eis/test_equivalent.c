/* Equivalent circuits: each element against its formula in long double, grammars there and back, the evaluator's
 * derivatives against differences. */
#include "base/base.h"
#include "eis/equivalent/equivalent.h"

#include "support.h"

#define TWO_PI 6.283185307179586476925286766559
typedef long double complex zlong;

static const element *element_named(const char *symbol) {
    size_t         length;
    const element *e = element_match(symbol, &length);
    if (!e || length != strlen(symbol)) fail_msg("no element %s", symbol);
    return e;
}

static void evaluate_at(const element *e, const double *p, double omega, double complex *z, double complex *d) {
    frequencies f;
    zblock      block, derivative[SLOTS_MOST];
    for (int i = 0; i < BLOCK; i++) f.omega[i] = omega, f.log_omega[i] = log(omega);
    e->evaluate(p, &f, block, d ? derivative : NULL);
    *z = block[BLOCK - 1];
    for (int s = 0; d && s < e->slots; s++) d[s] = derivative[s][BLOCK - 1];
}

/* ---- elements ---- */

/* The specification's values at 10 Hz, to twelve digits. */
static const struct { const char *symbol; double p[SLOTS_MOST], re, im; } golden[] = {
    { "C", { 1e-5 }, 0, -1591.54943092 },
    { "L", { 1e-3 }, 0, 0.0628318530718 },
    { "CPE", { 1e-5, 0.8 }, 1125.74096324, -3464.6744297 },
    { "La", { 1e-3, 0.9 }, 0.00649672259133, 0.0410186921014 },
    { "W", { 50 }, 6.30783130505, -6.30783130505 },
    { "Ws", { 100, 0.5 }, 12.6254054433, -12.6072359601 },
    { "Wo", { 100, 0.5 }, 12.6059142226, -12.6240818009 },
    { "G", { 100, 0.05 }, 44.4586402966, -32.5049844411 },
    { "Gs", { 100, 0.05, 2 }, 44.5216836295, -32.19866817 },
    { "Zarc", { 100, 0.01, 0.85 }, 65.4423150419, -37.0432784048 },
    { "HN", { 100, 0.01, 0.9, 0.7 }, 78.3381713988, -30.6388222693 },
    { "TLMQ", { 100, 1e-3, 0.9 }, 33.1734908763, -30.8868372426 },
};

static void test_golden(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        double complex z;
        evaluate_at(element_named(golden[i].symbol), golden[i].p, TWO_PI * 10, &z, NULL);
        expect_z(golden[i].symbol, (eis_z){ creal(z), cimag(z) }, (eis_z){ golden[i].re, golden[i].im }, 5e-12);
    }
}

/* tanh x / x and the like where long doubles overflow or cancel. */
static zlong coth_over(zlong q) {
    if (cabsl(q) < 1e-6L) return 1 / (q * q) + 1 / 3.L;
    return creall(q) > 5000 ? 1 / q : 1 / (q * ctanhl(q));
}
static zlong cosech_over(zlong q) {
    if (cabsl(q) < 1e-6L) return 1 / (q * q) - 1 / 6.L;
    return creall(q) > 5000 ? 0 : 1 / (q * csinhl(q));
}

/* The formulas as they are printed. */
static zlong formula(const char *symbol, const long double *p, long double omega) {
    zlong s = omega * (zlong)I;
#define IS(name) (strcmp(symbol, name) == 0)
    if (IS("R")) return p[0];
    if (IS("C")) return 1 / (s * p[0]);
    if (IS("L")) return s * p[0];
    if (IS("CPE")) return 1 / (p[0] * cpowl(s, p[1]));
    if (IS("La")) return p[0] * cpowl(s, p[1]);
    if (IS("W")) return p[0] * sqrtl(2) / csqrtl(s);
    if (IS("Ws")) return p[0] / (coth_over(csqrtl(s * p[1])) * s * p[1]);
    if (IS("Wo")) return p[0] * coth_over(csqrtl(s * p[1]));
    if (IS("G")) return p[0] / csqrtl(1 + s * p[1]);
    if (IS("Gs")) return p[0] * p[2] * coth_over(p[2] * csqrtl(1 + s * p[1]));
    if (IS("Zarc")) return p[0] / (1 + cpowl(s * p[1], p[2]));
    if (IS("HN")) return p[0] / cpowl(1 + cpowl(s * p[1], p[2]), p[3]);
    if (IS("K")) return p[0] / (1 + s * p[1]);
    if (IS("TLMQ")) return p[0] * coth_over(csqrtl(p[0] * p[1] * cpowl(s, p[2])));
    if (IS("TLM")) return p[0] * coth_over(csqrtl(p[0] * (1 / p[1] + s * p[2])));
    if (IS("T")) return p[0] * coth_over(csqrtl(p[2] + s * p[3])) + p[1] * cosech_over(csqrtl(p[2] + s * p[3]));
    fail_msg("no formula of %s", symbol);
    return 0;
}

/* Six decades about what is usual of each kind; frequencies over fifteen. */
static double random_value(slot_role role, rng *r) {
    double decades = 6 * rng_unit(r) - 3;
    switch (role) {
    case ROLE_EXPONENT: return 0.3 + 0.7 * rng_unit(r);
    case ROLE_RESISTANCE: case ROLE_WARBURG: return 100 * pow(10, decades);
    case ROLE_TIME: return 1e-2 * pow(10, decades);
    case ROLE_CAPACITANCE: case ROLE_ADMITTANCE: return 1e-6 * pow(10, decades);
    case ROLE_INDUCTANCE: case ROLE_LA: return 1e-6 * pow(10, decades);
    case ROLE_NUMBER: break;
    }
    return pow(10, decades / 2);
}

/* Values within rounding of pow and exp, whose arguments reach 40; differences of step 1e-4 in long double are right
 * to step^2 = 1e-8 of a third derivative, which is larger than the first by the logarithms. */
static void compare(const element *e, const double *p, double omega) {
    double complex z, d[SLOTS_MOST];
    long double    at[SLOTS_MOST], step = 1e-4L;
    for (int s = 0; s < e->slots; s++) at[s] = p[s];
    zlong expected = formula(e->symbol, at, omega);
    evaluate_at(e, p, omega, &z, d);
    if (!(cabsl(z - expected) <= 1e-13L * cabsl(expected)))
        fail_msg("%s at %g/s: %.15g %+.15gj, expected %.15Lg %+.15Lgj", e->symbol, omega, creal(z), cimag(z),
                 creall(expected), cimagl(expected));
    for (int s = 0; s < e->slots; s++) {
        at[s]      = p[s] * expl(step);
        zlong high = formula(e->symbol, at, omega);
        at[s]      = p[s] * expl(-step);
        zlong slope = (high - formula(e->symbol, at, omega)) / (2 * step);
        at[s]       = p[s];
        if (!(cabsl(d[s] - slope) <= 3e-6L * cabsl(slope) + 1e-9L * cabsl(expected)))
            fail_msg("%s at %g/s, derivative by ln %s: %g %+gj, expected %Lg %+Lgj", e->symbol, omega, e->slot[s].name,
                     creal(d[s]), cimag(d[s]), creall(slope), cimagl(slope));
    }
}

static void test_formulas(void **state) {
    (void)state;
    rng r = { .seed = 5 };
    for (int k = 0; k < element_count; k++)
        for (int i = 0; i < 2000; i++) {
            double p[SLOTS_MOST];
            for (int s = 0; s < elements[k].slots; s++) p[s] = random_value(elements[k].slot[s].role, &r);
            compare(&elements[k], p, TWO_PI * pow(10, -6 + 15 * rng_unit(&r)));
        }
}

static void expect_limit(const char *symbol, const double *p, double omega, double complex expected) {
    double complex z;
    evaluate_at(element_named(symbol), p, omega, &z, NULL);
    if (!(cabs(z - expected) <= 1e-7 * cabs(expected)))
        fail_msg("%s at %g/s: %g %+gj, expected %g %+gj", symbol, omega, creal(z), cimag(z), creal(expected),
                 cimag(expected));
}

static void test_limits(void **state) {
    (void)state;
    const double   diffusion[] = { 100, 0.5 };
    double complex high        = 100 / csqrt(CMPLX(0, 1e9 * 0.5));
    expect_limit("Ws", diffusion, 1e-9, 100);
    expect_limit("Wo", diffusion, 1e-9, 100 / 3. + 100 / CMPLX(0, 0.5e-9));
    expect_limit("Ws", diffusion, 1e9, high);
    expect_limit("Wo", diffusion, 1e9, high);
    expect_limit("G", diffusion, 1e-9, 100);
    expect_limit("Ws", (const double[]){ 100, 1e12 }, 1e9, 100 / csqrt(CMPLX(0, 1e21)));
}

/* ---- grammars ---- */

static char *printed(const equivalent *e, circuit_grammar grammar) {
    text out = { 0 };
    equivalent_print(e, grammar, &out);
    assert_false(out.failed);
    return out.data;
}

static equivalent parsed(const char *text) {
    equivalent   e;
    tide_failure why = { 0 };
    if (equivalent_parse(text, &e, &why) != TIDE_OK) fail_msg("%s: %s", text, why.message);
    return e;
}

static void expect_print(const char *text, circuit_grammar grammar, const char *expected) {
    equivalent e   = parsed(text);
    char      *got = printed(&e, grammar);
    if (strcmp(got, expected) != 0) fail_msg("%s: expected %s, got %s", text, expected, got);
    free(got);
}

static const char *const strings[][2] = {
    { "R0 - p(R1, C1)", "R0-p(R1,C1)" },
    { "R_0-p(R1,CPE_1)", "R_0-p(R1,CPE_1)" },
    { "R0-p(p(R1,C1)-R2,C2)", "R0-p(p(R1,C1)-R2,C2)" },
    { "((R0-(R1-C1)))", "R0-R1-C1" },
    { "p(R0,p(R1,C1))", "p(R0,R1,C1)" },
    { "R1-[P2,R3]", "R1-p(CPE2,R3)" },
    { "[R1,[R2,C3]-[R4,C5]]", "p(R1,p(R2,C3)-p(R4,C5))" },
    { "R1|((R2|C1)+(R3|C2))", "p(R1,p(R2,C1)-p(R3,C2))" },
    { "(R1|Q1)+(R2|Q2)+Q3", "p(R1,CPE1)-p(R2,CPE2)-CPE3" },
    { "R(C[RW])", "R1-p(C1,R2-W1)" },
    { "(R[(RC)(RC)])", "p(R1,p(R2,C1)-p(R3,C2))" },
    { "!V=1!R(RQ)", "R1-p(R2,CPE1)" },
    { "R", "R" }, { "Rsh", "Rsh" }, { "RC", "R1-C1" }, { "Ha", "HN" },
    { "R{R=20f:sol}(C{C=25e-6//1e-3:dl}[R{R=100/50/200:ct}W{Y=2.357e-3/inf/150%}])",
      "Rsol{R=20f}-p(Cdl{C=2.5e-05/0/0.001},Rct{R=100/50/200}-W1{A=300.0028770413863/200.00191802759085/inf})" },
    { "epithelial", "Rs-p(Rsh,p(Ra,Ca)-p(Rb,Cb))" },
};

static void test_grammars(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        expect_print(strings[i][0], GRAMMAR_DASH, strings[i][1]);
    expect_print("R0-p(R1,CPE1)", GRAMMAR_CDC, "R(RQ)");
    expect_print("R0-p(R1,CPE1)", GRAMMAR_CDC_FULL, "R{:0}(R{:1}Q{:1})");
    expect_print("p(R0,R1-C1)", GRAMMAR_CDC, "(R[RC])");
    expect_print("R0-p(R1,C1-R2)", GRAMMAR_INFIX, "R0+(R1|(C1+R2))");
}

static void expect_same_tree(const char *text, const equivalent *a, const equivalent *b, bool names) {
    assert_int_equal(a->nodes, b->nodes);
    assert_int_equal(a->parameters, b->parameters);
    for (int i = 0; i < a->nodes; i++)
        if (a->node[i].kind != b->node[i].kind || a->node[i].parent != b->node[i].parent ||
            a->node[i].part != b->node[i].part)
            fail_msg("%s: node %d differs", text, i);
    for (int i = 0; i < a->parts; i++)
        if (a->part[i].kind != b->part[i].kind || (names && strcmp(a->part[i].name, b->part[i].name) != 0))
            fail_msg("%s: element %d differs: %s and %s", text, i, a->part[i].name, b->part[i].name);
    for (int k = 0; names && k < a->parameters; k++) {
        const circuit_parameter *p = &a->parameter[k], *q = &b->parameter[k];
        if (!(p->value == q->value || (isnan(p->value) && isnan(q->value))) || p->fixed != q->fixed ||
            (!isnan(p->value) && (p->low != q->low || p->high != q->high)))
            fail_msg("%s: parameter %d differs", text, k);
    }
}

static void there_and_back(const char *text, const equivalent *e) {
    for (int g = GRAMMAR_DASH; g <= GRAMMAR_CDC_FULL; g++) {
        char      *once = printed(e, (circuit_grammar)g);
        equivalent back = parsed(once);
        expect_same_tree(text, e, &back, g != GRAMMAR_CDC);
        free(once);
    }
}

static void put_random(text *out, rng *r, int depth, int *parts) {
    int children = 2 + (int)(2 * rng_unit(r));
    bool parallel = depth % 2;
    if (depth == 0 || (*parts > 8 && depth < 4) || rng_unit(r) < 0.3) {
        const element *e = &elements[(int)(rng_unit(r) * element_count)];
        text_add(out, "%s%d", e->symbol, ++*parts);
        if (rng_unit(r) < 0.3)
            text_add(out, "{%s=%.17g%s}", e->slot[0].name, rng_unit(r) + 0.01, rng_unit(r) < 0.5 ? "f" : "/0.001/7");
        return;
    }
    text_add(out, parallel ? "p(" : "(");
    for (int i = 0; i < children; i++) {
        text_add(out, "%s", i ? parallel ? "," : "-" : "");
        put_random(out, r, depth - 1, parts);
    }
    text_add(out, ")");
}

static void test_there_and_back(void **state) {
    (void)state;
    rng r = { .seed = 8 };
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        equivalent e = parsed(strings[i][0]);
        there_and_back(strings[i][0], &e);
    }
    for (int i = 0; i < named_circuit_count; i++) {
        equivalent e = parsed(named_circuits[i].name);
        there_and_back(named_circuits[i].name, &e);
    }
    for (int i = 0, done = 0; done < 500; i++) {
        text         out = { 0 };
        int          parts = 0;
        equivalent   e;
        put_random(&out, &r, 3, &parts);
        if (equivalent_parse(out.data, &e, NULL) == TIDE_OK) there_and_back(out.data, &e), done++;
        else if (parts < PARTS_MOST / 2 && i > 5000) fail_msg("%s", out.data);
        text_free(&out);
    }
}

static const struct { const char *text, *part; } refused[] = {
    { "", "column 1" }, { "R0-", "column 4" }, { "R0-p(R1,C1", "column 11" }, { "R0-X1", "column 4" },
    { "R0-p(R1 C1)", "column 9" }, { "R1-R1", "column 4" }, { "R1-p(R1,C1)", "there is a R1 already" },
    { "p", "an element" }, { "p(R1,)", "column 6" }, { "R0-p(R1,C1))", "column 12" }, { "(R)", "two are in parallel" },
    { "[R1,C1", "column 7" }, { "R1|", "column 4" }, { "R1+(C1|R2", "column 10" },
    { "R{R=}", "column 5 of \"R{R=}\": expected a number" },
    { "R{X=1}", "a parameter of R" }, { "R{R=5/6/7}", "between its limits" }, { "R{R=1,R=2}", "each parameter once" },
    { "CPE1{Q=1e-5", "a comma, a colon or }" }, { "R0-R1{R=0}", "not 0" }, { "R{R=1e999}", "a number" },
    { "R(C[RW]", "an element or )" }, { "R{:abcdefghijklmnopqrstuvwxyz}", "label of at most" },
    { "((((((((((((((((((R1))))))))))))))))))", "inside one another" },
    { "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR", "at most 24 elements" },
    { "R1234567890123456789012345678", "shorter name" },
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        equivalent   e;
        tide_failure why = { 0 };
        assert_int_equal(equivalent_parse(refused[i].text, &e, &why), TIDE_EINVAL);
        expect_has(why.message, refused[i].part);
        assert_string_equal(why.column, "circuit");
    }
}

/* ---- parameters ---- */

static void test_parameters(void **state) {
    (void)state;
    equivalent   e   = parsed("C1-C10-p(R1,CPE1)-p(R2,P2)-Wo1");
    tide_failure why = { 0 };
    static const struct { const char *name; int at; } names[] = {
        { "C1", 0 }, { "C10", 1 }, { "R1", 2 }, { "CPE1_0", 3 }, { "CPE1_Q", 3 }, { "Q1_n", 4 }, { "P2n", 7 },
        { "Wo1_1", 8 + 1 }, { "Wo1_tau", 9 }, { "R3", -1 }, { "CPE1", -1 }, { "CPE1_2", -1 }, { "", -1 },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parameter_find(&e, names[i].name, strlen(names[i].name)) != names[i].at) fail_msg("%s", names[i].name);
    assert_int_equal(equivalent_fix(&e, "C1=3.7uF, R2 = 2*R1, P2n=Q1_n", &why), TIDE_OK);
    assert_true(e.parameter[0].fixed && e.parameter[0].value == 3.7e-6);
    assert_true(e.parameter[5].tie == 2 && e.parameter[5].factor == 2 && e.parameter[7].tie == 4);
    assert_int_equal(equivalent_range(&e, "R1=1..1k,Wo1_0=-5..-1m", &why), TIDE_OK);
    assert_true(e.parameter[2].low == 1 && e.parameter[2].high == 1000 && e.parameter[8].low == -5);
    static const char *const wrong[] = { "R9=1", "R1", "R1=x", "R1=R1", "R1=R2", "R2=-1*R1", "C10=1,C10=2" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(equivalent_fix(&e, wrong[i], NULL), TIDE_EINVAL);
    assert_int_equal(equivalent_range(&e, "R1=5..1", NULL), TIDE_EINVAL);
    assert_int_equal(equivalent_range(&e, "R1=-1..1", NULL), TIDE_EINVAL);
    assert_int_equal(equivalent_start(&e, "R1=0", NULL), TIDE_EINVAL);
}

/* ---- the evaluator ---- */

enum { MANY = 37 };

static void random_parameters(const equivalent *e, rng *r, double *p) {
    for (int k = 0; k < e->parameters; k++)
        p[k] = random_value(e->part[e->parameter[k].part].kind->slot[e->parameter[k].slot].role, r);
}

/* Central differences of step 1e-4: their square, and rounding over the step. */
static void expect_derivatives(const char *text, const equivalent *e, const double *p, const double *omega,
                               const double *log_omega) {
    double complex z[MANY], high[MANY], low[MANY], d[PARAMETERS_MOST * MANY];
    double         moved[PARAMETERS_MOST], step = 1e-4;
    equivalent_evaluate(e, p, MANY, omega, log_omega, z, d);
    for (int k = 0; k < e->parameters; k++) {
        memcpy(moved, p, sizeof moved);
        moved[k] = p[k] * exp(step), equivalent_evaluate(e, moved, MANY, omega, log_omega, high, NULL);
        moved[k] = p[k] * exp(-step), equivalent_evaluate(e, moved, MANY, omega, log_omega, low, NULL);
        for (int i = 0; i < MANY; i++) {
            double complex slope = (high[i] - low[i]) / (2 * step);
            if (!(cabs(d[k * MANY + i] - slope) <= 5e-6 * cabs(slope) + 1e-9 * cabs(z[i])))
                fail_msg("%s, parameter %d at %g/s: %g %+gj, by differences %g %+gj", text, k, omega[i],
                         creal(d[k * MANY + i]), cimag(d[k * MANY + i]), creal(slope), cimag(slope));
        }
    }
}

static void test_derivatives(void **state) {
    (void)state;
    double omega[MANY], log_omega[MANY], p[PARAMETERS_MOST];
    rng    r = { .seed = 13 };
    for (int i = 0; i < MANY; i++) omega[i] = TWO_PI * pow(10, -3 + i / 4.), log_omega[i] = log(omega[i]);
    for (int i = 0; i < named_circuit_count; i++)
        for (int k = 0; k < 20; k++) {
            equivalent e = parsed(named_circuits[i].name);
            random_parameters(&e, &r, p);
            expect_derivatives(named_circuits[i].name, &e, p, omega, log_omega);
        }
}

/* The one epithelium by both evaluators, and one branch of it alone. */
static void test_epithelium(void **state) {
    (void)state;
    equivalent     e = parsed("epithelial");
    double         omega[MANY], log_omega[MANY], freq[MANY];
    const double   p[] = { 25, 460, 4820, 1.2e-6, 2210, 4.7e-6 };
    double complex z[MANY];
    eis_z          expected[MANY];
    for (int i = 0; i < MANY; i++)
        freq[i] = pow(10, -1 + i / 6.), omega[i] = TWO_PI * freq[i], log_omega[i] = log(omega[i]);
    equivalent_evaluate(&e, p, MANY, omega, log_omega, z, NULL);
    eis_impedance(EIS_SHUNT, example, 25, MANY, freq, expected);
    for (int i = 0; i < MANY; i++) expect_z("epithelium", (eis_z){ creal(z[i]), cimag(z[i]) }, expected[i], 1e-13);
    for (int i = 0; i < e.nodes; i++)
        if (e.node[i].kind == NODE_ELEMENT && e.node[i].part == 2) {
            equivalent_nodes(&e, p, MANY, omega, log_omega, &e.node[i].parent, 1, z);
            assert_true(cabs(z[9] - 4820 / CMPLX(1, omega[9] * 4820 * 1.2e-6)) < 1e-9);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),     cmocka_unit_test(test_formulas),       cmocka_unit_test(test_limits),
        cmocka_unit_test(test_grammars),   cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_parameters), cmocka_unit_test(test_derivatives),    cmocka_unit_test(test_epithelium),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
