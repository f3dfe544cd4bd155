#include "thin.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

typedef struct point {
    double freq_hz;
    eis_z z;
} point;

static int by_frequency(const void *a, const void *b) {
    double x = ((const point *)a)->freq_hz, y = ((const point *)b)->freq_hz;
    return (x < y) - (x > y);
}

/* The line's middle, and the squares that it leaves of both parts over |Z|^2. */
static double join(const point *p, int64_t count, double *freq_hz, eis_z *z) {
    double x = 0, xx = 0, xr = 0, xi = 0, left = 0;
    *z = (eis_z){ 0, 0 };
    for (int64_t i = 0; i < count; i++) x += log(p[i].freq_hz) / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double at = log(p[i].freq_hz) - x;
        z->re += p[i].z.re / (double)count, z->im += p[i].z.im / (double)count;
        xx += at * at, xr += at * p[i].z.re, xi += at * p[i].z.im;
    }
    *freq_hz = exp(x);
    double size = z->re * z->re + z->im * z->im, slope_re = xx > 0 ? xr / xx : 0, slope_im = xx > 0 ? xi / xx : 0;
    for (int64_t i = 0; i < count; i++) {
        double at = log(p[i].freq_hz) - x, re = p[i].z.re - z->re - slope_re * at,
               im = p[i].z.im - z->im - slope_im * at;
        left += (re * re + im * im) / size;
    }
    return left;
}

bool thin(const eis_spectrum *s, thinned *out) {
    point *p = malloc((size_t)s->count * sizeof *p);
    double left = 0;
    *out = (thinned){ .spectrum = { THIN_TO, malloc(THIN_TO * sizeof(double)), malloc(THIN_TO * sizeof(eis_z)) } };
    eis_spectrum *to = &out->spectrum;
    to->name = s->name, to->area_cm2 = s->area_cm2;
    bool room = p && to->freq_hz && to->z;
    for (int64_t i = 0; room && i < s->count; i++) p[i] = (point){ s->freq_hz[i], s->z[i] };
    if (room) qsort(p, (size_t)s->count, sizeof *p, by_frequency);
    for (int64_t k = 0; room && k < THIN_TO; k++) {
        int64_t from = s->count * k / THIN_TO, end = s->count * (k + 1) / THIN_TO;
        left += join(p + from, end - from, &to->freq_hz[k], &to->z[k]);
    }
    out->joined = (double)s->count / THIN_TO;
    out->dof = 2 * ((double)s->count - 2 * THIN_TO);
    out->noise = sqrt(left / out->dof / out->joined);
    free(p);
    if (!room) thinned_free(out);
    return room;
}

void thinned_free(thinned *t) {
    free(t->spectrum.freq_hz), free(t->spectrum.z);
    *t = (thinned){ 0 };
}
