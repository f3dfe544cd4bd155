#include "ceiling.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "eis/posterior/exact.h"

static bool one_ceiling(const sampler_settings *s, int64_t number, double *out) {
    sample          one;
    exact_posterior p;
    double          marginal[CELL_POINTS], sum = 0;
    sample_draw(s, SPLIT_VALIDATE, (uint64_t)number, &one);
    if (!exact_posterior_new(&one, mask_draw(s->seed, SPLIT_VALIDATE, (uint64_t)number, 0), &p)) return false;
    for (int k = 0; k < p.missing_count; k++) {
        double most = 0;
        exact_marginal(&p, k, marginal);
        for (int i = 0; i < CELL_POINTS; i++) most = marginal[i] > most ? marginal[i] : most;
        sum += most;
    }
    *out = sum / p.missing_count;
    exact_posterior_free(&p);
    return true;
}

typedef struct ceilings { const sampler_settings *settings; double *each; atomic_bool failed; } ceilings;

static void add_ceiling(void *of, int64_t i, int thread) {
    ceilings *c = of;
    (void)thread;
    if (!c->failed && !one_ceiling(c->settings, i, &c->each[i])) c->failed = true;
}

bool spectrum_ceiling(const sampler_settings *s, int64_t spectra, int threads, double *out) {
    ceilings c = { .settings = s, .each = malloc((size_t)spectra * sizeof *c.each) };
    double   sum = 0;
    if (!c.each) return false;
    parallel_for(threads, spectra, 1, add_ceiling, &c);
    /* in order: the same bits for any number of threads */
    for (int64_t i = 0; !c.failed && i < spectra; i++) sum += c.each[i];
    free(c.each);
    *out = sum / (double)spectra;
    return !c.failed;
}
