#include "kept.h"

#include <stdlib.h>

bool kept_new(const eis_spectrum *s, const bool *left_out, eis_spectrum *out) {
    size_t n = (size_t)s->count;
    eis_z *sigma = s->sigma ? malloc(n * sizeof *sigma) : NULL;
    *out = *s;
    out->freq_hz = malloc(n * sizeof *out->freq_hz), out->z = malloc(n * sizeof *out->z);
    out->sigma = sigma, out->count = 0;
    if (!out->freq_hz || !out->z || (s->sigma && !sigma)) return false;
    for (int64_t i = 0; i < s->count; i++) {
        if (left_out[i]) continue;
        out->freq_hz[out->count] = s->freq_hz[i], out->z[out->count] = s->z[i];
        if (sigma) sigma[out->count] = s->sigma[i];
        out->count++;
    }
    return true;
}

void kept_free(eis_spectrum *s) {
    free(s->freq_hz), free(s->z), free((eis_z *)s->sigma);
    *s = (eis_spectrum){ 0 };
}
