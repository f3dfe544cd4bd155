/* ln |Z(w)| = constant + 2 / pi (integral of the phase over ln w, from the highest w down to it) - pi / 6 (the phase's
 * slope in ln w), with the phase smoothed. */
#include "zhit.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "svd.h"

#define PI 3.141592653589793238462643383280
enum { WINDOW = 5, POWERS = 3 };
static const double half_width = 0.6; /* of ln w: a quarter of a decade */
static const double anchor_low_hz = 1, anchor_high_hz = 1000; /* there neither drift nor leads show most */

typedef struct place {
    double ln_w, ln_size, phase, smooth, slope, from_phase;
    int64_t point;
} place;

static int by_frequency(const void *a, const void *b) {
    double x = ((const place *)a)->ln_w, y = ((const place *)b)->ln_w;
    return (x < y) - (x > y); /* falling */
}

static int64_t take_places(const eis_spectrum *s, const bool *left_out, place *p) {
    int64_t n = 0;
    for (int64_t i = 0; i < s->count; i++)
        if (!(left_out && left_out[i]))
            p[n++] = (place){ .ln_w = log(2 * PI * s->freq_hz[i]),
                              .ln_size = log(hypot(s->z[i].re, s->z[i].im)),
                              .phase = atan2(s->z[i].im, s->z[i].re),
                              .point = i };
    qsort(p, (size_t)n, sizeof *p, by_frequency);
    return n;
}

/* A parabola through the points within half_width, at least the nearest WINDOW of them, by least squares. */
static bool smooth_at(place *p, int64_t n, int64_t i, double *memory) {
    int64_t width = MIN2(n, WINDOW), from = MAX2(MIN2(i - width / 2, n - width), 0), to = from + width;
    double x[POWERS], *a = memory, *b = memory + POWERS * n;
    svd d;
    while (from > 0 && p[from - 1].ln_w - p[i].ln_w < half_width) from--;
    while (to < n && p[i].ln_w - p[to].ln_w < half_width) to++;
    int64_t rows = to - from;
    for (int64_t k = 0; k < rows; k++) {
        double u = p[from + k].ln_w - p[i].ln_w;
        a[k] = 1, a[rows + k] = u, a[2 * rows + k] = u * u;
        b[k] = p[from + k].phase;
    }
    if (!svd_new(&d, rows, POWERS, a, 1, b)) return false;
    svd_solve(&d, svd_rank(&d, 1e-9), x);
    svd_free(&d);
    p[i].smooth = x[0], p[i].slope = x[1];
    return true;
}

/* Up to the constant, by trapezoids. */
static void integrate(place *p, int64_t n) {
    double area = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i) area += 0.5 * (p[i].smooth + p[i - 1].smooth) * (p[i].ln_w - p[i - 1].ln_w);
        p[i].from_phase = 2 / PI * area - PI / 6 * p[i].slope;
    }
}

static double constant_of(const place *p, int64_t n) {
    double within = 0, all = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        double off = p[i].ln_size - p[i].from_phase;
        bool is = p[i].ln_w >= log(2 * PI * anchor_low_hz) && p[i].ln_w <= log(2 * PI * anchor_high_hz);
        all += off / (double)n;
        if (is) within += off, count++;
    }
    return 3 * count >= n || count > WINDOW ? within / (double)count : all;
}

bool zhit_of(const eis_spectrum *s, const bool *left_out, double *deviation, double *rms) {
    place *p = malloc(sizeof *p * (size_t)s->count);
    double *memory = malloc(sizeof *memory * (size_t)((POWERS + 1) * s->count));
    bool room = p && memory;
    for (int64_t i = 0; i < s->count; i++) deviation[i] = NAN;
    *rms = NAN;
    int64_t n = room ? take_places(s, left_out, p) : 0;
    for (int64_t i = 0; room && i < n; i++) room = smooth_at(p, n, i, memory);
    if (room && n) {
        double square = 0;
        integrate(p, n);
        double constant = constant_of(p, n);
        for (int64_t i = 0; i < n; i++) {
            double off = deviation[p[i].point] = p[i].ln_size - p[i].from_phase - constant;
            square += off * off;
        }
        *rms = sqrt(square / (double)n);
    }
    free(p), free(memory);
    return room;
}
