#include "exact_tables.h"

#include <math.h>
#include <stdlib.h>

#define TWO_PI 6.283185307179586476925286766559

static double resistance(int64_t membrane) { return eis_grid_value(EIS_RA, membrane / CELL_POINTS, CELL_POINTS); }
static double tau(int64_t membrane) {
    return resistance(membrane) * eis_grid_value(EIS_CA, membrane % CELL_POINTS, CELL_POINTS);
}

/* a is the slower one. Different membranes of this grid never have the same time constant. */
static exact_pair pair_of(int64_t i, int64_t j) {
    int64_t a = tau(i) >= tau(j) ? i : j, b = a == i ? j : i;
    return (exact_pair){ (uint8_t)(a / CELL_POINTS), (uint8_t)(a % CELL_POINTS), (uint8_t)(b / CELL_POINTS),
                         (uint8_t)(b % CELL_POINTS), i != j };
}

static void fill_membranes(double omega, eis_z out[EXACT_MEMBRANES]) {
    for (int64_t i = 0; i < EXACT_MEMBRANES; i++) {
        double r = resistance(i), a = omega * tau(i);
        out[i] = (eis_z){ r / (1 + a * a), -r * a / (1 + a * a) };
    }
}

/* |Zm Rsh / (Zm + Rsh)|^2. */
static double square(eis_z zm, double over_rsh) {
    double re = 1 + zm.re * over_rsh, im = zm.im * over_rsh;
    return (zm.re * zm.re + zm.im * zm.im) / (re * re + im * im);
}

static void fill_point(exact_tables *t, int64_t f, double omega) {
    eis_z   membrane[EXACT_MEMBRANES];
    double *both = t->both + f * EXACT_PAIRS, *slope = t->slope + f * EXACT_PAIRS;
    int64_t part = t->points * EXACT_PAIRS;
    fill_membranes(omega, membrane);
    for (int64_t p = 0; p < EXACT_PAIRS; p++) {
        const exact_pair *pair = &t->pair[p];
        eis_z  a = membrane[pair->ra * CELL_POINTS + pair->ca], b = membrane[pair->rb * CELL_POINTS + pair->cb];
        eis_z  zm = { a.re + b.re, a.im + b.im };
        double w  = 1 / (zm.re * zm.re + zm.im * zm.im);
        both[p]            = w;
        both[part + p]     = -2 * zm.re * w;
        both[2 * part + p] = -2 * zm.im * w;
        slope[p]           = zm.re * w;
        for (int r = 0; r < CELL_POINTS; r++) t->bias[r * EXACT_PAIRS + p] -= log(square(zm, t->over_rsh[r]));
    }
}

static void fill_pairs(exact_tables *t) {
    int64_t p = 0;
    for (int64_t i = 0; i < EXACT_MEMBRANES; i++)
        for (int64_t j = i; j < EXACT_MEMBRANES; j++) t->pair[p++] = pair_of(i, j);
    for (p = 0; p < EXACT_PAIRS; p++) {
        float     *row = t->member + 4 * CELL_POINTS * p;
        exact_pair own = t->pair[p];
        row[own.ra] = row[CELL_POINTS + own.rb] = row[2 * CELL_POINTS + own.ca] = row[3 * CELL_POINTS + own.cb] = 1;
        for (int r = 0; r < CELL_POINTS; r++) t->bias[r * EXACT_PAIRS + p] = own.twice ? log(2) : 0;
    }
}

static int64_t doubles(int64_t points) { return (4 * points + CELL_POINTS) * EXACT_PAIRS; }
static int64_t singles(void) { return (int64_t)4 * CELL_POINTS * EXACT_PAIRS; }

int64_t exact_tables_bytes(const exact_tables *t) { return doubles(t->points) * 8 + singles() * 4; }

exact_tables *exact_tables_new(int64_t points, const double *freq_hz) {
    exact_tables *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->points = points;
    t->both   = malloc((size_t)doubles(points) * sizeof *t->both);
    t->member = calloc((size_t)singles(), sizeof *t->member);
    if (!t->both || !t->member) return exact_tables_free(t), NULL;
    t->slope = t->both + 3 * points * EXACT_PAIRS;
    t->bias  = t->slope + points * EXACT_PAIRS;
    for (int r = 0; r < CELL_POINTS; r++) t->over_rsh[r] = 1 / eis_grid_value(EIS_RSH, r, CELL_POINTS);
    fill_pairs(t);
    for (int64_t f = 0; f < points; f++) fill_point(t, f, TWO_PI * freq_hz[f]);
    return t;
}

void exact_tables_free(exact_tables *t) {
    if (!t) return;
    free(t->both);
    free(t->member);
    free(t);
}
