#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "fit_parts.h"

enum { MOST_EPOCHS = 1000000 }; /* as the options have it */
static const double LONGEST_S = 1e12;

#define AT(field) #field, offsetof(fit_progress, field)
static const run_counter table[] = {
    { AT(epoch), false, 1, MOST_EPOCHS + 1, NULL, false },
    { AT(batch), false, 0, INT32_MAX, "epoch_steps", false },
    { AT(step), false, 0, 0, NULL, false },
    { AT(planned), false, 0, 0, NULL, true },
    { AT(best_epoch), false, 0, MOST_EPOCHS, NULL, false },
    { AT(worse), false, 0, MOST_EPOCHS, NULL, true },
    { AT(metrics_bytes), false, 0, 0, NULL, false },
    { AT(finished), false, 0, 1, NULL, false },
    { AT(best), true, -(double)INFINITY, (double)INFINITY, NULL, false },
    { AT(seconds), true, 0, LONGEST_S, NULL, true },
    { AT(train_seconds), true, 0, LONGEST_S, "step_seconds", true },
    { AT(epoch_seconds), true, 0, LONGEST_S, NULL, true },
    { AT(loss_sum), true, 0, 0, NULL, false },
    { AT(metric_sum), true, 0, 0, "hits_sum", true },
    { AT(norm_sum), true, 0, 0, NULL, false },
    { AT(train_loss), true, 0, 0, NULL, true },
    { AT(train_metric), true, 0, 0, "train_acc", true },
    { AT(val_loss), true, 0, 0, NULL, true },
    { AT(val_metric), true, 0, 0, "val_acc", true },
};

static run_counters counters_of(fit *f) {
    return (run_counters){ table, sizeof table / sizeof *table, &f->at };
}

/* What a run on any other device has too: the log of steps is no part of it. */
/* What is over with a step: the sums of its parts, what ranks exchange, the figures of the last steps. Without them a
 * run goes on with another number of parts. */
static bool passing(const char *name) {
    static const char *const beginnings[] = { "accumulate.", "ranks.", "step.log" };
    for (int i = 0; i < 3; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0) return true;
    return false;
}

tide_status checkpoint_variables(const fit *f, tide_list *out, tide_failure *failure) {
    const train_step *s = f->model.step;
    *out = tide_state(s->graph, "");
    tide_val *kept = malloc(sizeof *kept * (size_t)out->count);
    int64_t   count = 0;
    for (int64_t i = 0; kept && i < out->count; i++)
        if (!passing(tide_name_of(out->items[i]))) kept[count++] = out->items[i];
    *out = kept ? tide_list_new(s->graph, kept, count) : (tide_list){ 0 };
    free(kept);
    return out->items ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for a checkpoint");
}

tide_status checkpoint_write(fit *f, tide_failure *failure) {
    tide_list now;
    f->at.seconds      = fit_elapsed(f);
    tide_status status = checkpoint_variables(f, &now, failure);
    if (status == TIDE_OK)
        status = run_state_write(f->folder, now, f->model.step->params, f->best, counters_of(f), failure);
    if (status == TIDE_OK && f->best_unsaved) status = f->model.save(f->model.user, f->best, failure);
    if (status == TIDE_OK) f->best_unsaved = false;
    return status;
}

/* The first counter that another or the plan belies; NULL. Where the time was over an epoch may have ended early. */
static const char *contradiction(const fit *f) {
    const fit_progress *at      = &f->at;
    int64_t             batches = f->plan.batches, most = f->plan.epochs ? f->plan.epochs : MOST_EPOCHS;
    int64_t             steps   = (at->epoch - 1) * batches + at->batch;
    bool                exact   = f->plan.max_minutes <= 0 && !f->plan.by_clock;
    if (!f->plan.by_clock && at->epoch > most + 1) return "epoch";
    if (at->batch > batches || (exact && at->epoch > most && at->batch)) return "batch";
    if (exact ? at->step != steps : at->step > steps) return "step";
    if (at->planned > most * batches && !f->plan.by_clock) return "planned";
    if (at->best_epoch >= at->epoch || (f->best != NULL) != (at->best_epoch > 0)) return "best_epoch";
    return at->worse >= at->epoch ? "worse" : NULL;
}

tide_status checkpoint_read(fit *f, tide_failure *failure) {
    bool        found  = false;
    tide_list   now;
    tide_status status = checkpoint_variables(f, &now, failure);
    if (status == TIDE_OK)
        status = run_state_read(f->folder, now, f->model.step->params, &f->best, counters_of(f), &found, failure);
    const char *bad    = status == TIDE_OK && found ? contradiction(f) : NULL;
    if (bad) return run_state_damaged(f->folder, bad, failure);
    /* to nothing when killed before the first checkpoint */
    return status == TIDE_OK ? run_metrics_cut(f->folder, f->at.metrics_bytes, failure) : status;
}
