#include "ends.h"

#include <math.h>

#include "base/base.h"
#include "expansion.h"

static const double near = 1.1; /* of the least noise: no more is gained */

static bool noise_without(const eis_spectrum *s, const bool *mark, double *noise) {
    expansion e;
    if (!expand(s, mark, &e)) return false;
    *noise = e.noise;
    expansion_free(&e);
    return true;
}

/* Row k from that end. */
static int64_t row(const eis_spectrum *s, bool last, int64_t k) { return last ? s->count - 1 - k : k; }

static bool extend(const eis_spectrum *s, bool last, bool *mark) {
    double noise[ENDS_MOST + 1], least = INFINITY;
    int64_t marked = 0, most = MIN2(ENDS_MOST, s->count / 4), wanted = 0;
    while (marked < most && mark[row(s, last, marked)]) marked++;
    if (!marked) return true;
    for (int64_t k = marked; k <= most; k++) {
        mark[row(s, last, k - 1)] = true;
        if (!noise_without(s, mark, &noise[k])) return false;
        least = fmin(least, noise[k]);
    }
    for (wanted = marked; noise[wanted] > near * least;) wanted++;
    for (int64_t k = wanted; k < most; k++) mark[row(s, last, k)] = false;
    return true;
}

bool ends_extend(const eis_spectrum *s, bool *mark) { return extend(s, false, mark) && extend(s, true, mark); }
