#include "checkpoint.h"

#include <math.h>

#include "base/base.h"

#define WHOLE(field, least, most) { #field, offsetof(progress_state, field), false, least, most }
#define REAL(field, least, most)  { #field, offsetof(progress_state, field), true, least, most }

enum { MOST_EPOCHS = 1000000 }; /* as the option has it */
static const double LONGEST_S = 1e12;

static const run_counter table[] = {
    WHOLE(epoch, 1, MOST_EPOCHS + 1), WHOLE(batch, 0, INT32_MAX),        WHOLE(step, 0, 0),
    REAL(loss_sum, 0, 0),             REAL(norm_sum, 0, 0),              REAL(best, -(double)INFINITY,
        (double)INFINITY),
    WHOLE(best_epoch, 0, MOST_EPOCHS), WHOLE(worse, 0, MOST_EPOCHS),     REAL(epoch_seconds, 0, LONGEST_S),
    REAL(train_seconds, 0, LONGEST_S), WHOLE(metrics_bytes, 0, 0),       WHOLE(finished, 0, 1),
};

static run_counters counters_of(progress_state *at) {
    return (run_counters){ table, sizeof table / sizeof *table, at };
}

tide_status checkpoint_write(const run_folder *r, const session *s, const tide_snapshot_t *best, progress_state *at,
                             tide_failure *failure) {
    return run_state_write(r, tide_state(s->graph, ""), s->params, best, counters_of(at), failure);
}

/* The first counter that another belies; NULL. */
static const char *contradiction(const progress_state *at, bool has_best, int64_t epochs, int64_t batches) {
    if (at->epoch > epochs + 1) return "epoch";
    if (at->batch > batches || (at->epoch > epochs && at->batch)) return "batch";
    if (at->step != (at->epoch - 1) * batches + at->batch) return "step";
    if (at->best_epoch >= at->epoch || has_best != (at->best_epoch > 0)) return "best_epoch";
    return at->worse >= at->epoch ? "worse" : NULL;
}

tide_status checkpoint_read(const run_folder *r, session *s, int64_t epochs, int64_t batches, tide_snapshot_t **best,
                            progress_state *at, bool *found,
                            tide_failure *failure) {
    tide_status status = run_state_read(r, tide_state(s->graph, ""), s->params, best, counters_of(at), found, failure);
    const char *bad    = status == TIDE_OK && *found ? contradiction(at, *best != NULL, epochs, batches) : NULL;
    return bad ? run_state_damaged(r, bad, failure) : status;
}
