/* Circuit strings and what is said of their parameters: what is taken comes back the same from every notation, and its
 * impedance at usual values is a number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/equivalent/equivalent.h"
#include "eis/fit/prior.h"
#include "target.h"

bytes fuzz_seed(int i) {
    static const char *const texts[] = {
        "R_0-p(p(R1,CPE_1)-HN2,Gs3)", "R1-[P2,R3]", "epithelial-lateral-electrode",
        "R{R=20f:sol}(C{C=25e-6//1e-3:dl}[R{R=100/50/200:ct}W{Y=2.357e-3/inf/150%}])", "!V=1!R(C[RW])",
        "(R1|Q1)+(R2|Q2)+Q3",
    };
    static const char all[] =
        "R0-p(R1,C1)-p(R2-Wo1,C2)\0R0=1,C1=C2\0R1=1..1k,Wo1_tau=2\0R1/R2=4.8+-0.5,R0#2=20+-1k,C2=2u+-10%\0R0,Wo1";
    bytes             b     = { 0 };
    if (i-- == 0) bytes_add(&b, all, sizeof all);
    else if (i < (int)(sizeof texts / sizeof *texts)) bytes_text(&b, texts[i]);
    return b;
}

static bool same(const equivalent *a, const equivalent *b, bool names) {
    bool is = a->nodes == b->nodes && a->parts == b->parts && a->parameters == b->parameters;
    for (int i = 0; is && i < a->nodes; i++)
        is = a->node[i].kind == b->node[i].kind && a->node[i].parent == b->node[i].parent;
    for (int i = 0; is && i < a->parts; i++)
        is = a->part[i].kind == b->part[i].kind && (!names || strcmp(a->part[i].name, b->part[i].name) == 0);
    return is;
}

static void there_and_back(const equivalent *e) {
    for (int g = GRAMMAR_DASH; g <= GRAMMAR_CDC_FULL; g++) {
        text         printed = { 0 };
        equivalent   back;
        tide_failure why = { 0 };
        equivalent_print(e, (circuit_grammar)g, &printed);
        fuzz_require(equivalent_parse(printed.data, &back, &why) == TIDE_OK, printed.data, &why);
        fuzz_require(same(e, &back, g != GRAMMAR_CDC), printed.data, &why);
        text_free(&printed);
    }
}

static void evaluated(const equivalent *e) {
    double         p[PARAMETERS_MOST], omega[3] = { 1e-3, 1, 1e6 }, log_omega[3];
    double complex z[3], d[3 * PARAMETERS_MOST];
    for (int i = 0; i < 3; i++) log_omega[i] = log(omega[i]);
    for (int k = 0; k < e->parameters; k++) p[k] = 0.5;
    equivalent_evaluate(e, p, 3, omega, log_omega, z, d);
    for (int i = 0; i < 3; i++)
        fuzz_require(isfinite(creal(z[i])) && isfinite(cimag(z[i])), "no impedance", &(tide_failure){ 0 });
}

/* A message, and the option that it is about. */
static void told(tide_status status, const tide_failure *why) {
    bool good = status == TIDE_OK || (status == TIDE_EINVAL && *why->message && *why->column);
    fuzz_require(good, "a refusal without a reason", why);
}

/* What several spectra have in common, and what is known of one or of two. */
static void known(const equivalent *e, const char *prior, const char *same) {
    bool         shared[PARAMETERS_MOST] = { false };
    priors       all;
    tide_failure why = { 0 };
    told(equivalent_same(e, same, shared, &why), &why);
    for (int spectra = 1; spectra <= 2; spectra++) {
        fit_names names = { e, spectra, spectra > 1 ? shared : NULL };
        why = (tide_failure){ 0 }, told(fit_priors_read(&names, prior, &all, &why), &why);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    equivalent   e;
    tide_failure why     = { 0 };
    char        *circuit = fuzz_text(&data, &size), *fix = fuzz_text(&data, &size), *range = fuzz_text(&data, &size);
    char        *prior = fuzz_text(&data, &size), *same_in_all = fuzz_text(&data, &size);
    tide_status  status  = equivalent_parse(circuit, &e, &why);
    told(status, &why);
    if (status == TIDE_OK) {
        there_and_back(&e), evaluated(&e);
        known(&e, prior, same_in_all);
        why = (tide_failure){ 0 }, told(equivalent_fix(&e, fix, &why), &why);
        why = (tide_failure){ 0 }, told(equivalent_range(&e, range, &why), &why);
        why = (tide_failure){ 0 }, told(equivalent_start(&e, range, &why), &why);
    }
    free(circuit), free(fix), free(range), free(prior), free(same_in_all);
    return 0;
}
