/* The programs of training: the step on the batch asked for or, where that does not fit into memory, on what does, and
 * the validation's. */
#include <inttypes.h>
#include <stdio.h>

#include "base/base.h"
#include "forecast/fit/plan.h"
#include "trainer.h"

/* Each try is a new graph: a failed one stays failed. */
static tide_status open_step(trainer *t, const forecast_options *o, tide_failure *failure) {
    train_step_free(&t->step);
    session_free(&t->session);
    tide_status status = session_open(o, &t->config, &t->data, &t->session, failure);
    return status == TIDE_OK ? session_training(&t->session, o, t->ranks, &t->step, failure) : status;
}

static bool step_fits(trainer *t, const forecast_options *o, int64_t batch, int64_t parts) {
    forecast_options other  = *o;
    tide_failure     ignored = { 0 };
    /* timing can wait */
    other.batch_size = batch, other.accumulate = parts, other.compile_mode = FORECAST_MODE_DEFAULT;
    return open_step(t, &other, &ignored) == TIDE_OK;
}

/* The largest batch below the options' whose step fits, found by bisection: what a step needs grows with it. 0: none.
 * `near` is enough where no limit is in the way but the system refuses: nothing is gained by going to the edge of
 * that. */
static int64_t batch_that_fits(trainer *t, const forecast_options *o, bool near) {
    int64_t fits = 0, too_many = o->batch_size / o->accumulate; /* windows of a part */
    while (too_many - fits > 1 && !(near && fits)) {
        int64_t part = fits + (too_many - fits) / 2;
        if (step_fits(t, o, part * o->accumulate, o->accumulate)) fits = part;
        else too_many = part;
    }
    return fits * o->accumulate;
}

/* The fewest parts in which the whole batch fits, where parts of a batch of `fits` windows do; 0: none. Sums of
 * gradients need memory too, so what fits as a batch may not as a part. */
static int64_t parts_that_fit(trainer *t, const forecast_options *o, int64_t fits) {
    int64_t most = fits / o->accumulate;
    for (int64_t parts = o->accumulate + 1; parts <= o->batch_size; parts++)
        if (o->batch_size % parts == 0 && o->batch_size / parts <= most && step_fits(t, o, o->batch_size, parts))
            return parts;
    return 0;
}

static int64_t step_bytes(tide_memory m) { return m.arena + m.scratch + m.variables; }

static double mib(int64_t bytes) { return (double)bytes / (1 << 20); }

/* Replaces the engine's words by the user's: how much `m` is, how much there is, what would fit: a batch, or parts of
 * this one. */
static tide_status explain_memory(const forecast_options *o, tide_memory m, int64_t fits, int64_t parts,
                                  tide_failure *failure) {
    int64_t     needs = step_bytes(m), limit = session_memory_limit(o);
    const char *whose = *o->memory_limit      ? "allowed by `memory-limit`"
                        : o->memory_limit_mib ? "allowed by `memory-limit-mib`"
                                              : "here";
    char        need[160] = "the model alone does not fit";
    char        remedy[160] = "no batch fits; a smaller `d-model`, `d-ff` or fewer columns would";
    if (needs > limit)
        snprintf(need, sizeof need, "training with `batch-size` %" PRId64 " needs %.1f MiB, of which the model and "
                                                                          "its optimizer take %.1f", o->batch_size,
                 mib(needs), mib(m.variables));
    if (fits && parts)
        snprintf(remedy, sizeof remedy,
                 "`accumulate` %" PRId64 " would fit and trains the same; `batch-size` %" PRId64
                 " would fit too, and `auto-batch` takes it",
                 parts, fits);
    else if (fits)
        snprintf(remedy, sizeof remedy, "`batch-size` %" PRId64 " would fit, and `auto-batch` takes it", fits);
    if (failure && (needs > limit || !fits))
        snprintf(failure->message, sizeof failure->message, "%s; %.1f MiB are %s: %s", need, mib(limit), whose, remedy);
    return TIDE_ENOMEM;
}

/* The step with the batch asked for; if that does not fit, with what does (--auto-batch), or a refusal that names
 * it. */
static tide_status make_step(trainer *t, forecast_options *o, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = open_step(t, o, &why);
    if (status == TIDE_ENOMEM) {
        tide_memory m    = tide_program_bytes(t->step.program);
        int64_t     fits = batch_that_fits(t, o, step_bytes(m) <= session_memory_limit(o));
        if (!o->auto_batch || !fits) explain_memory(o, m, fits, fits ? parts_that_fit(t, o, fits) : 0, &why);
        else {
            t->asked_batch = o->batch_size, o->batch_size = fits;
            why    = (tide_failure){ 0 };
            status = open_step(t, o, &why);
        }
    }
    if (status != TIDE_OK && failure && !failure->status) *failure = why;
    return status;
}

/* What repeats the last season must see one. */
static tide_status season_fits(const model_config *c, tide_failure *failure) {
    if (c->arch != FORECAST_ARCH_SEASONAL_NAIVE || (c->season >= 1 && c->season <= c->seq_len)) return TIDE_OK;
    if (c->season < 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "season",
                       "no season follows from the frequency: `season` N says how many rows one has");
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "seq-len",
                   "a season is %" PRId64 " rows, and `seq-len` %" PRId64 " shows fewer: give at least a season",
                   c->season, c->seq_len);
}

tide_status trainer_compile(trainer *t, forecast_options *o, tide_failure *failure) {
    t->learned    = dataset_windows(&t->data, t->data.split.train, o->seq_len, o->pred_len);
    t->windows    = t->learned.count;
    plan_training(o, t->windows);
    model_config_from(o, &t->data, &t->config);
    int64_t asked = o->batch_size;
    o->batch_size = MIN2(asked, t->windows);
    tide_status status = season_fits(&t->config, failure);
    if (status == TIDE_OK) status = trainer_device(t, o, failure);
    if (status == TIDE_OK)
        status = trainer_solved(t) ? session_open(o, &t->config, &t->data, &t->session, failure)
                                   : make_step(t, o, failure);
    t->batches    = t->windows / o->batch_size;
    if (!t->asked_batch) o->batch_size = asked; /* run.json keeps what was asked for */
    if (status == TIDE_OK)
        status = session_scoring_all(&t->session, trainer_stop_windows(t).count, WINDOW_LOSSES, &t->validate,
                                     failure);
    return status;
}
