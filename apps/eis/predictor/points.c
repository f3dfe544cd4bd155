#include "points.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

enum { FEWEST_POINTS = 5 };

typedef struct reading {
    double freq_hz;
    eis_z z;
} reading;

static int by_falling_frequency(const void *a, const void *b) {
    double x = ((const reading *)a)->freq_hz, y = ((const reading *)b)->freq_hz;
    return (x < y) - (x > y);
}

tide_status spectrum_take(const eis_spectrum *s, double offset_ohm, spectrum_points *out, tide_failure *failure) {
    reading *all = malloc((size_t)s->count * sizeof *all);
    int64_t count = 0;
    if (!all) return fail(failure, TIDE_ENOMEM, "out of memory for the network's answer");
    for (int64_t i = 0; i < s->count; i++) {
        eis_z z = { s->z[i].re - offset_ohm, s->z[i].im };
        if (hypot(z.re, z.im) > 0) all[count++] = (reading){ s->freq_hz[i], z };
    }
    qsort(all, (size_t)count, sizeof *all, by_falling_frequency);
    out->count = MIN2(count, SAMPLE_MOST);
    for (int64_t i = 0; i < out->count; i++) {
        const reading *r = &all[out->count < 2 ? 0 : i * (count - 1) / (out->count - 1)];
        out->freq_hz[i] = r->freq_hz, out->z[i] = r->z;
    }
    free(all);
    return out->count >= FEWEST_POINTS
               ? TIDE_OK
               : fail(failure, TIDE_EDATA, "the spectrum has %d points that are not 0; at least %d are needed",
                      (int)out->count, FEWEST_POINTS);
}
