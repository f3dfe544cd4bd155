/* What the tests of the impedance application share. */
#ifndef EIS_TEST_SUPPORT_H
#define EIS_TEST_SUPPORT_H

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
#include <unistd.h>

#include "eis/posterior/completion.h"
#include "eis/circuit/rng.h"

/* The example of the specification: off the grid, a the faster membrane. */
static const double example[EIS_COUNT] = { 460, 4820, 2210, 1.2e-6, 4.7e-6 };

static inline void expect_near(const char *what, double got, double expected, double relative) {
    double allowed = relative * fabs(expected);
    if (!(fabs(got - expected) <= allowed))
        fail_msg("%s: expected %.15g, got %.15g, %.3g apart, %.3g allowed", what, expected, got, fabs(got - expected),
                 allowed);
}

static inline void expect_z(const char *what, eis_z got, eis_z expected, double relative) {
    double apart = hypot(got.re - expected.re, got.im - expected.im),
           allowed = relative * hypot(expected.re, expected.im);
    if (!(apart <= allowed))
        fail_msg("%s: expected %.15g %+.15gj, got %.15g %+.15gj, %.3g apart, %.3g allowed", what, expected.re,
                 expected.im, got.re, got.im, apart, allowed);
}

static inline void expect_has(const char *text, const char *part) {
    if (!text || !strstr(text, part)) fail_msg("expected \"%s\" in \"%s\"", part, text ? text : "(null)");
}

/* Uniform in the logarithm within the ranges. */
static inline void random_circuit(rng *r, double p[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++)
        p[k] = eis_parameters[k].low * pow(eis_parameters[k].high / eis_parameters[k].low, rng_unit(r));
}

enum { POINTS = 61 };
typedef struct sample { double freq_hz[POINTS]; eis_z z[POINTS]; } sample;

/* 0.1 Hz to 100 kHz, ten a decade, with that noise over |Z| in each part. */
static inline eis_spectrum make_spectrum(sample *s, eis_circuit circuit, const double *p, double rs, double noise,
                                         rng *r) {
    for (int i = 0; i < POINTS; i++) s->freq_hz[i] = pow(10, -1 + i / 10.0);
    eis_impedance(circuit, p, rs, POINTS, s->freq_hz, s->z);
    for (int i = 0; i < POINTS; i++) {
        double sd = noise > 0 ? noise * hypot(s->z[i].re, s->z[i].im) : 0;
        if (sd > 0) s->z[i].re += sd * rng_normal(r), s->z[i].im += sd * rng_normal(r);
    }
    return (eis_spectrum){ POINTS, s->freq_hz, s->z };
}

#endif
