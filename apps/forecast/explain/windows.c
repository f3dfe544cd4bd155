/* Which windows are looked at, and the pace of the work on them. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "explaining.h"

enum { MOST_WINDOWS = 32, LEAST_WINDOWS = 4, MOST_ROWS = 2048 };
static const double TOLD_EVERY_S = 0.1;

tide_status explaining_no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the explanation");
}

/* Where inputs are many, each window is forecast once without each of them. */
static int64_t usual_windows(const explaining *e) {
    const model_config *c = explained_config(e);
    return MAX2(LEAST_WINDOWS, MIN2(MOST_WINDOWS, MOST_ROWS / (c->columns + c->marks)));
}

tide_status explaining_windows(explaining *e, window_set of, int64_t wanted, tide_failure *failure) {
    int64_t count = MIN2(wanted ? wanted : usual_windows(e), of.count);
    e->start = malloc((size_t)count * sizeof *e->start + 1);
    if (!e->start) return explaining_no_memory(failure);
    for (int64_t i = 0; i < count; i++)
        e->start[i] = (int32_t)window_start(&of, of.count - 1 - (count - 1 - i) * of.count / count);
    e->windows = e->out->windows = count;
    return TIDE_OK;
}

tide_status explaining_pace(const explaining *e, pace *p, int64_t more, tide_failure *failure) {
    double now = os_seconds();
    p->done += more;
    if (now - p->told < TOLD_EVERY_S && p->done < p->all) return TIDE_OK;
    p->told = now;
    forecast_event event = { .stage = FORECAST_STAGE_LOOK, .batch = p->done, .batches = p->all };
    if (!listener_tell(e->listener, event)) return TIDE_OK;
    return fail(failure, TIDE_ECANCELLED, "stopped while explaining");
}

void explaining_free(explaining *e) {
    free(e->start);
    free(e->target);
    e->start = NULL, e->target = NULL;
}
