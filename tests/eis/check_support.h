/* Spectra for tests of what speaks against data. */
#ifndef EIS_CHECK_SUPPORT_H
#define EIS_CHECK_SUPPORT_H

#include <tidemill/eis.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/complex_of.h"
#include "eis/circuit/rng.h"

#define TWO_PI 6.283185307179586476925286766559
enum { POINTS_MOST = 128, SWEEPS_MOST = 4 };

/* One sweep of a file, in its order. */
typedef struct sweep {
    double freq_hz[POINTS_MOST];
    eis_z z[POINTS_MOST];
    eis_spectrum s;
} sweep;

static inline FILE *shared_open(const char *name) {
    const char *root = getenv("TIDEMILL_SHARED");
    char path[512];
    snprintf(path, sizeof path, "%s/data/eis/%s", root ? root : "../shared", name);
    FILE *file = fopen(path, "rb");
    if (!file) printf("skipped: there is no %s\n", path);
    return file;
}

/* A made file of tests/eis/reported; tests run in the source's root. */
static inline FILE *reported_open(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "tests/eis/reported/%s", name);
    return fopen(path, "rb");
}

static inline void sweep_add(sweep *to, double freq_hz, double re, double im) {
    int64_t n = to->s.count++;
    to->freq_hz[n] = freq_hz, to->z[n] = (eis_z){ re, im };
}

/* The sweeps of a table whose rows begin with numbers: columns `at` are f, Re, Im (0-based), `sign` times Im. A row of
 * words after numbers begins another sweep. Returns how many there are. */
static inline int sweeps_read(FILE *file, const int at[3], double sign, sweep *to) {
    char line[1024];
    int sweeps = 0;
    bool within = false;
    while (fgets(line, sizeof line, file)) {
        double cell[10];
        int cells = 0;
        char *p = line, *end;
        for (; cells < 10; cells++, p = end) {
            while (*p == ',' || *p == '\t' || *p == ' ') p++;
            cell[cells] = strtod(p, &end);
            if (end == p) break;
        }
        bool row = cells > at[0] && cells > at[1] && cells > at[2] && strchr(" \t0123456789", line[0]);
        if (row && !within) memset(&to[sweeps++], 0, sizeof *to);
        if (row) sweep_add(&to[sweeps - 1], cell[at[0]], cell[at[1]], sign * cell[at[2]]);
        within = row;
    }
    for (int k = 0; k < sweeps; k++) to[k].s.freq_hz = to[k].freq_hz, to[k].s.z = to[k].z;
    fclose(file);
    return sweeps;
}

static inline double between(rng *r, double low, double high) { return low * pow(high / low, rng_unit(r)); }

static inline double complex arc(double complex s, const double of[3]) { return of[0] / (1 + cpow(s * of[1], of[2])); }

/* Kinds: two relaxations; two arcs with CPE; an arc and an electrode CPE; a relaxation, an arc and an inductance. */
static inline double make_spectrum(rng *r, int kind, sweep *to) {
    int n = 29 + (int)(38 * rng_unit(r));
    double high = between(r, 1e4, 1e6), low = between(r, 0.1, 10), noise = between(r, 0.001, 0.03);
    double rs = between(r, 5, 200), l = between(r, 1e-7, 1e-5), q = between(r, 1e-5, 1e-3),
           exponent = 0.7 + 0.25 * rng_unit(r);
    double one[3] = { between(r, 20, 5e3), between(r, 1e-4, 0.1),
                      kind == 0 || kind == 3 ? 1 : 0.75 + 0.25 * rng_unit(r) };
    double two[3] = { between(r, 20, 5e3), between(r, 1e-4, 0.1), kind == 0 ? 1 : 0.75 + 0.25 * rng_unit(r) };
    memset(to, 0, sizeof *to);
    for (int i = 0; i < n; i++) {
        double f = high * pow(low / high, i / (n - 1.0));
        double complex s = CMPLX(0, TWO_PI * f), z = rs + arc(s, one);
        z += kind == 2 ? 1 / (q * cpow(s, exponent)) : arc(s, two);
        if (kind == 3) z += s * l;
        double sd = noise * cabs(z), re = creal(z) + sd * rng_normal(r), im = cimag(z) + sd * rng_normal(r);
        sweep_add(to, f, re, im);
    }
    to->s.freq_hz = to->freq_hz, to->s.z = to->z;
    return noise;
}

#endif
