#include "ceiling.h"

#include <stdlib.h>

#include "eis/circuit/parallel.h"
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

bool spectrum_ceiling(const sampler_settings *s, int64_t spectra, int threads, double *out) {
    double *each = malloc((size_t)spectra * sizeof *each), sum = 0;
    bool    fine = each != NULL;
    PARALLEL(omp parallel for schedule(dynamic) num_threads(threads) reduction(&& : fine) if (fine))
    for (int64_t i = 0; i < spectra; i++) fine = fine && one_ceiling(s, i, &each[i]);
    for (int64_t i = 0; fine && i < spectra; i++) sum += each[i];  /* in order: the same bits for any number of
                                                                      threads */
    free(each);
    *out = sum / (double)spectra;
    return fine;
}
