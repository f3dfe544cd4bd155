/* Two sweeps in one table; frequencies that belong to other rows. */
#include "order.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

enum { GRID_ROWS = 1000, GRID_REACH = 3 };
static const double rougher = 3; /* times, in the order of frequencies: it is the wrong order */
static const double rough = 0.05; /* of |Z| a step: less is as smooth as it gets */
static const double same_frequency = 1e-3; /* instruments round */
static const double off_grid = 0.25; /* of a step */

/* ---- roughness ---- */

typedef struct place {
    double freq_hz;
    eis_z z;
} place;

static int by_frequency(const void *a, const void *b) {
    double x = ((const place *)a)->freq_hz, y = ((const place *)b)->freq_hz;
    return (x > y) - (x < y);
}

/* Mean step over the size. */
static double roughness(const place *p, int64_t count) {
    double sum = 0;
    for (int64_t i = 1; i < count; i++) {
        double size = fmax(hypot(p[i].z.re, p[i].z.im), hypot(p[i - 1].z.re, p[i - 1].z.im));
        sum += hypot(p[i].z.re - p[i - 1].z.re, p[i].z.im - p[i - 1].z.im) / size;
    }
    return sum / (double)(count - 1);
}

/* Of the rows in their order and in that of frequencies. */
typedef struct rough_by {
    double row, frequency;
} rough_by;

static bool roughness_of(const eis_spectrum *s, rough_by *out) {
    place *p = malloc(sizeof *p * (size_t)s->count);
    if (!p) return false;
    for (int64_t i = 0; i < s->count; i++) p[i] = (place){ s->freq_hz[i], s->z[i] };
    out->row = roughness(p, s->count);
    qsort(p, (size_t)s->count, sizeof *p, by_frequency);
    out->frequency = roughness(p, s->count);
    free(p);
    return true;
}

/* ---- sweeps ---- */

/* Rows that fall or rise throughout. A run ends before the first row that goes the other way. */
static int64_t run_end(const eis_spectrum *s, int64_t from) {
    int64_t i = from + 1;
    bool down = i < s->count && s->freq_hz[i] < s->freq_hz[from];
    while (i < s->count && (s->freq_hz[i] < s->freq_hz[i - 1]) == down) i++;
    return i;
}

/* Share of the second run's decades that the first covers too. */
static double overlap(const eis_spectrum *s, int64_t a, int64_t a_end, int64_t b, int64_t b_end) {
    double a_low = log(fmin(s->freq_hz[a], s->freq_hz[a_end - 1])),
           a_high = log(fmax(s->freq_hz[a], s->freq_hz[a_end - 1]));
    double b_low = log(fmin(s->freq_hz[b], s->freq_hz[b_end - 1])),
           b_high = log(fmax(s->freq_hz[b], s->freq_hz[b_end - 1]));
    return (fmin(a_high, b_high) - fmax(a_low, b_low)) / (b_high - b_low);
}

/* Whether most of the run's frequencies are among those of the first. */
static bool same_frequencies(const eis_spectrum *s, int64_t first_end, int64_t from, int64_t end) {
    int64_t same = 0;
    for (int64_t i = from; i < end; i++)
        for (int64_t k = 0; k < first_end; k++)
            if (fabs(s->freq_hz[i] / s->freq_hz[k] - 1) < same_frequency) {
                same++;
                break;
            }
    return 2 * same >= end - from;
}

/* Runs that go over the same range again are sweeps if they have the same frequencies, or if their impedances do not go
 * together; else they are one sweep in several passes. */
int order_sweeps(const eis_spectrum *s, int64_t first[ORDER_SWEEPS], bool *room) {
    rough_by rough;
    int sweeps = 0;
    bool same = true;
    int64_t end_of_first = run_end(s, 0);
    *room = true;
    for (int64_t from = 0, end; from < s->count; from = end) {
        end = run_end(s, from);
        if (end - from < ORDER_LEAST || sweeps == ORDER_SWEEPS) return 1;
        if (from && !(overlap(s, 0, end_of_first, from, end) >= 0.5)) return 1;
        same = same && same_frequencies(s, end_of_first, from, end);
        first[sweeps++] = from;
    }
    if (sweeps < 2 || same) return sweeps;
    *room = roughness_of(s, &rough);
    return *room && rough.frequency > rough.row ? sweeps : 1;
}

/* ---- scrambled frequencies ---- */

static bool on_grid(const eis_spectrum *s, int64_t i, int64_t origin, double step) {
    return fabs(log(s->freq_hz[i] / s->freq_hz[origin]) - step * (double)(i - origin)) < off_grid * fabs(step);
}

/* The even grid through two near rows that most rows are on: at least half of them. */
static void find_grid(const eis_spectrum *s, order_scramble *out) {
    int64_t best = s->count / 2, n = s->count, origin = -1;
    double step = 0;
    for (int64_t i = 0; i < n && n <= GRID_ROWS; i++)
        for (int64_t j = i + 1; j < MIN2(n, i + 1 + GRID_REACH); j++) {
            double by = log(s->freq_hz[j] / s->freq_hz[i]) / (double)(j - i);
            int64_t on = 0;
            for (int64_t k = 0; k < n; k++) on += on_grid(s, k, i, by);
            if (on > best && by != 0) best = on, origin = i, step = by;
        }
    if (origin < 0) return;
    for (int64_t k = 0; k < n; k++) out->off[k] = !on_grid(s, k, origin, step);
    out->first_hz = s->freq_hz[origin] * exp(-step * (double)origin);
    out->last_hz = out->first_hz * exp(step * (double)(n - 1));
}

bool order_scrambled(const eis_spectrum *s, order_scramble *out) {
    rough_by is;
    *out = (order_scramble){ .off = out->off };
    if (!roughness_of(s, &is)) return false;
    out->is = run_end(s, 0) < s->count && is.frequency > rough && is.frequency > rougher * is.row;
    for (int64_t i = 0; i < s->count; i++) out->off[i] = false;
    if (out->is) find_grid(s, out);
    return true;
}
