/* Random words of one spectrum: word w is word w % 4 of
 * philox4x32(counter = { w / 4, number low, number high, site + split }, key = seed). */
#ifndef EIS_STREAM_H
#define EIS_STREAM_H

#include <math.h>

#include "base/philox.h"
#include "recipe.h"

enum { SITE_SAMPLE = 0x53504500 };
#define TWO_PI 6.283185307179586476925286766559

typedef struct stream {
    philox4x32_ctr_t counter, words;
    philox4x32_key_t key;
    unsigned used;
} stream;

static inline philox4x32_key_t key_of(uint64_t seed) {
    return (philox4x32_key_t){ { (uint32_t)seed, (uint32_t)(seed >> 32) } };
}

static inline stream stream_of(const sampler_settings *s, sample_split split, uint64_t number) {
    philox4x32_ctr_t counter = { { 0, (uint32_t)number, (uint32_t)(number >> 32),
                                   (uint32_t)SITE_SAMPLE + (uint32_t)split } };
    return (stream){ .counter = counter, .key = key_of(s->seed), .used = 4 };
}

static inline uint32_t next_word(stream *r) {
    if (r->used == 4) {
        r->words = philox4x32(r->counter, r->key);
        r->counter.v[0]++;
        r->used = 0;
    }
    return r->words.v[r->used++];
}

/* In (0, 1). */
static inline double unit(stream *r) { return ((double)next_word(r) + 0.5) * 0x1p-32; }

static inline double uniform(stream *r, double low, double high) { return low + (high - low) * unit(r); }

static inline double log_uniform(stream *r, double low, double high) { return low * pow(high / low, unit(r)); }

static inline int below(stream *r, int count) { return (int)((uint64_t)next_word(r) * (uint64_t)count >> 32); }

/* From top to bottom, in half of the spectra even in the logarithm, else drawn; out->count is there. */
void sample_frequencies(stream *r, double top, double bottom, sample *out);
/* Both parts of a point, its noise, and perhaps that of an outlier, added. */
void sample_measure(stream *r, eis_z z, bool outliers, int64_t i, sample *out);
/* The recipe `cell`, after the noise was drawn. */
void sample_draw_cell(stream *r, sample *out);

#endif
