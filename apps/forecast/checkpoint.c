#include "checkpoint.h"

#include "base/base.h"

static const run_counter table[] = {
    { "epoch", offsetof(progress_state, epoch), false },
    { "batch", offsetof(progress_state, batch), false },
    { "step", offsetof(progress_state, step), false },
    { "loss_sum", offsetof(progress_state, loss_sum), true },
    { "norm_sum", offsetof(progress_state, norm_sum), true },
    { "best", offsetof(progress_state, best), true },
    { "best_epoch", offsetof(progress_state, best_epoch), false },
    { "worse", offsetof(progress_state, worse), false },
    { "epoch_seconds", offsetof(progress_state, epoch_seconds), true },
    { "train_seconds", offsetof(progress_state, train_seconds), true },
    { "metrics_bytes", offsetof(progress_state, metrics_bytes), false },
    { "finished", offsetof(progress_state, finished), false },
};

static run_counters counters_of(progress_state *at) { return (run_counters){ table, sizeof table / sizeof *table, at }; }

tide_status checkpoint_write(const run_folder *r, const session *s, const tide_snapshot_t *best, progress_state *at, tide_failure *failure) {
    return run_state_write(r, tide_state(s->graph, ""), s->params, best, counters_of(at), failure);
}

tide_status checkpoint_read(const run_folder *r, session *s, tide_snapshot_t **best, progress_state *at, bool *found, tide_failure *failure) {
    return run_state_read(r, tide_state(s->graph, ""), s->params, best, counters_of(at), found, failure);
}
