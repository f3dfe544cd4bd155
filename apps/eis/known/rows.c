#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "data.h"

tide_status known_pool_parse(const char *text, int64_t *best, tide_failure *f) {
    char  *end;
    *best = 0;
    if (!strcmp(text, "uniform")) return TIDE_OK;
    double value = strncmp(text, "best:", 5) ? 0 : num_parse(text + 5, &end);
    if (value < 1 || value > 1e6 || value != floor(value) || *end)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "pool",
                       "`pool` is uniform, or best:K with K from 1 to 1000000; not '%s'", text);
    *best = (int64_t)value;
    return TIDE_OK;
}

/* Rows stay sorted; one that is not lower than the last is never put in, so earlier rows win among equals. */
static void keep_lowest(const truth_rows *t, int64_t best, uint32_t *kept, double *value) {
    int64_t used = 0;
    for (int64_t row = 0; row < t->count; row++) {
        double v = truth_resnorm(t, row);
        if (used == best && !(v < value[best - 1])) continue;
        int64_t at = used < best ? used++ : best - 1;
        for (; at > 0 && v < value[at - 1]; at--) value[at] = value[at - 1], kept[at] = kept[at - 1];
        value[at] = v, kept[at] = (uint32_t)row;
    }
}

uint32_t *known_best_rows(const known_data *d, int64_t best) {
    uint32_t *kept  = malloc((size_t)(d->truths * best) * sizeof *kept + 1);
    double   *value = malloc((size_t)best * sizeof *value + 1);
    for (int64_t i = 0; kept && value && i < d->truths; i++) keep_lowest(&d->truth[i], best, kept + i * best, value);
    if (!value) free(kept), kept = NULL;
    free(value);
    return kept;
}

bool known_pool_new(const known_data *d, const bool *held, bool want, int64_t best, uint32_t *kept, known_pool *p) {
    *p = (known_pool){ .data = d, .best = best, .kept = kept, .truth = malloc((size_t)d->truths * sizeof *p->truth + 1),
                       .first = malloc((size_t)(d->truths + 1) * sizeof *p->first) };
    if (!p->truth || !p->first) return known_pool_free(p), false;
    for (int64_t i = 0; i < d->truths; i++) {
        if (held && held[i] != want) continue;
        p->truth[p->truths]   = (int32_t)i;
        p->first[p->truths++] = p->count;
        p->count += best ? MIN2(best, d->truth[i].count) : d->truth[i].count;
    }
    p->first[p->truths] = p->count;
    return true;
}

void known_pool_free(known_pool *p) {
    free(p->truth);
    free(p->first);
    *p = (known_pool){ 0 };
}

known_row known_pool_row(const known_pool *p, int64_t number) {
    int64_t low = 0, high = p->truths;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (p->first[middle] <= number) low = middle;
        else high = middle;
    }
    const truth_rows *t   = &p->data->truth[p->truth[low]];
    int64_t           row = number - p->first[low];
    if (p->best) row = p->kept[p->truth[low] * p->best + row];
    known_row out = { .resnorm = truth_resnorm(t, row) };
    for (int k = 0; k < EIS_COUNT; k++) out.index[k] = t->index[k][row];
    return out;
}
