/* The baselines that repeat, in original units, what an origin knows, gaps passed over. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/gaps.h"
#include "rolling.h"

tide_status rolling_no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the backtest");
}

static double *repeated(const dataset *d, int64_t season) {
    const frame *f      = &d->frame;
    size_t       bytes  = (size_t)(f->rows * f->columns) * sizeof(double);
    double      *values = malloc(bytes + 1);
    if (!values) return NULL;
    memcpy(values, f->values, bytes);
    gaps_repeat(values, f->rows, f->columns, season, d->scaler.mean);
    return values;
}

/* Every origin must have a whole season of rows behind it. */
static bool season_known(rolling *r) {
    int64_t before = r->origin[0] + 1;
    if (r->season < 1)
        snprintf(r->season_note, sizeof r->season_note,
                 "no season follows from the frequency: `season` N adds seasonal naive");
    else if (r->season > before)
        snprintf(r->season_note, sizeof r->season_note,
                 "no seasonal naive: a season is %" PRId64 " rows, and up to the first origin there are only %" PRId64,
                 r->season, before);
    return !*r->season_note;
}

tide_status rolling_naive(rolling *r, tide_failure *failure) {
    r->season = r->options->season ? r->options->season : season_default(r->data.frame.step);
    r->last   = repeated(&r->data, 1);
    if (!r->last) return rolling_no_memory(failure);
    if (season_known(r) && !(r->seasonal = repeated(&r->data, r->season))) return rolling_no_memory(failure);
    return TIDE_OK;
}
