/* The training loop, read from top to bottom: what a step does, how an epoch is closed and judged, what stops it, and
 * what a run begins and ends with.
 *
 * Everything that decides the bits of a run is a function of its options and of fit_progress, which a checkpoint holds
 * together with the variables: clocks decide only how often there is one and, where a time limit was given, how long
 * the schedule is. So a run that is killed anywhere goes on to the bits it would have had. */
#include "fit_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"

static const double SAVE_EVERY_S = 10;
static const double READ_EVERY_S = 0.2; /* of steps that are queued: what a progress line and a stop wait */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

static tide_status unread(const fit *f, tide_failure *failure) {
    return train_unread(f->model.step->graph, "the training run", failure);
}

/* ---- where it is ---- */

double fit_elapsed(const fit *f) { return f->before + os_seconds() - f->plan.began; }

double fit_clock(const fit *f) { return fit_ranks(f) ? f->clock : fit_elapsed(f); }

static int64_t epochs_planned(const fit *f) {
    return f->plan.epochs ? ceil_div(f->at.planned, f->plan.batches) : 0;
}

static double share_at(const fit *f, int64_t step) {
    double by_steps = f->at.planned ? (double)step / (double)f->at.planned : 0;
    return f->plan.by_clock && f->plan.max_minutes > 0 ? fmax(by_steps, fit_clock(f) / (60 * f->plan.max_minutes))
                                                       : by_steps;
}

fit_place fit_place_at(const fit *f, int64_t step) {
    return (fit_place){ .epoch = f->at.epoch, .epochs = epochs_planned(f), .batch = f->at.batch,
                        .batches = f->plan.batches, .step = step, .steps = f->at.planned, .share = share_at(f, step) };
}

fit_place fit_place_now(const fit *f) { return fit_place_at(f, f->at.step); }

/* One step is always taken. */
static bool out_of_time(const fit *f) {
    return f->plan.max_minutes > 0 && f->at.step > 0 && fit_clock(f) > 60 * f->plan.max_minutes;
}

static bool schedule_over(const fit *f) { return f->at.step >= f->at.planned || out_of_time(f); }

/* ---- telling ---- */

static double resident_mib(fit *f) {
    double now = os_seconds();
    if (f->rss_mib == 0 || now - f->rss_at >= 1) f->rss_at = now, f->rss_mib = (double)os_rss_bytes() / (1 << 20);
    return f->rss_mib;
}

static double seconds_left(const fit *f, double steps_per_s) {
    double share = share_at(f, f->at.step);
    if (f->plan.by_clock) return fit_elapsed(f) * (1 - share) / fmax(share, 1e-6);
    return (double)(f->at.planned - f->at.step) / steps_per_s;
}

/* True: stop. Ranks stop together, when all have heard that one wishes to. */
static bool stops(fit *f, bool wish) {
    if (!fit_ranks(f)) return wish;
    f->wish |= wish;
    bool stop = f->stop;
    if (stop) f->wish = f->stop = false, f->parted = true;
    return stop;
}

static bool tell(fit *f, fit_event e) {
    double seconds = os_seconds() - f->loop_began, steps = (double)e.at.batch;
    e.steps_per_s  = seconds > 0 ? (double)f->account.steps / seconds : (double)NAN;
    e.seconds      = fit_elapsed(f);
    e.seconds_left = seconds_left(f, e.steps_per_s);
    e.mean_loss    = e.row ? e.row[FIT_TRAIN_LOSS] : f->at.loss_sum / steps;
    e.mean_metric  = e.row ? e.row[FIT_TRAIN_METRIC] : f->at.metric_sum / steps;
    if (f->listener) e.rss_mib = resident_mib(f);
    bool stop = f->listener && f->listener(f->user, &e);
    return stops(f, atomic_exchange(&f->cancelled, false) || stop);
}

static tide_status stopped(const fit *f, tide_failure *failure) {
    if (!f->folder || !f->plan.resume) return fail(failure, TIDE_ECANCELLED, "stopped at step %" PRId64, f->at.step);
    return fail(failure, TIDE_ECANCELLED, "stopped at step %" PRId64 "; %s `out` %s resumes there", f->at.step,
                f->plan.resume, f->folder->path);
}

/* ---- saving ---- */

tide_status fit_save(fit *f, tide_failure *failure) {
    if (!f->folder) return TIDE_OK;
    double      began  = os_seconds();
    tide_status status = checkpoint_write(f, failure);
    f->last_save    = os_seconds();
    f->save_seconds = f->last_save - began;
    return status;
}

/* Saving takes at most a tenth of the time: epochs of a few steps share a checkpoint. The first and the last always
 * have one. */
static bool save_due(const fit *f, double least_s) {
    return os_seconds() - f->last_save >= fmax(least_s, 10 * f->save_seconds);
}

/* ---- one step ---- */

static void count_seconds(fit *f, double seconds) {
    f->at.epoch_seconds += seconds, f->at.train_seconds += seconds, f->account.step_seconds += seconds;
    f->unread_seconds += seconds;
}

static void count_step(fit *f, double rate, double seconds) {
    f->at.batch++, f->at.step++, f->account.steps++;
    f->unread_rate[f->unread++] = rate;
    count_seconds(f, seconds);
}

/* How many steps may be queued before the next look: ranks take it together, so they go by rank 0's clock. */
static void set_window(fit *f, double each, int steps) {
    if (fit_ranks(f)) each = (f->clock - f->looked_at) / steps;
    f->looked_at = f->clock;
    f->window    = (int)fmin(fmax(READ_EVERY_S / fmax(each, 1e-9), 1), TRAIN_LOG);
}

/* Adds up the figures of the steps that nobody has looked at yet, and tells each. */
static tide_status hear_steps(fit *f, const train_result *r, tide_failure *failure) {
    fit_progress *at   = &f->at;
    int           n    = f->unread;
    double        each = f->unread_seconds / n;
    bool          stop = false;
    f->unread = 0, f->unread_seconds = 0;
    for (int i = 0; i < n; i++) {
        fit_place done = fit_place_at(f, at->step - n + 1 + i);
        done.batch     = at->batch - n + 1 + i;
        at->loss_sum += r[i].loss, at->metric_sum += r[i].metric, at->norm_sum += r[i].norm;
        stop |= tell(f, (fit_event){ .at = done, .loss = r[i].loss, .metric = r[i].metric, .grad_norm = r[i].norm,
                                     .lr = f->unread_rate[i], .step_s = each });
    }
    set_window(f, each, n);
    tide_status status = stop || save_due(f, SAVE_EVERY_S) ? fit_save(f, failure) : TIDE_OK;
    return stop && status == TIDE_OK ? stopped(f, failure) : status;
}

/* Waits for what is queued: of ranks, for that of all of them. */
static tide_status read_steps(fit *f, tide_failure *failure) {
    train_result r[TRAIN_LOG];
    double       began  = os_seconds();
    tide_status  status = train_step_read(f->model.step, f->unread, r, failure);
    status              = fit_meet(f, status, failure);
    count_seconds(f, os_seconds() - began);
    if (status == TIDE_OK) return hear_steps(f, r, failure);
    f->unread = 0, f->unread_seconds = 0;
    return status;
}

/* Somebody asked to stop: of ranks, all have heard it. */
static bool wishes_to_look(const fit *f) { return fit_ranks(f) ? f->stop : atomic_load(&f->cancelled); }

static tide_status take_step(fit *f, tide_failure *failure) {
    train_feed   feeds[TRAIN_FEEDS];
    train_result r;
    train_step  *step  = f->model.step;
    int          count = 0;
    fit_place    at    = fit_place_now(f);
    bool         queue = train_step_queues(step);
    tide_status  status = f->model.batch(f->model.user, &at, feeds, &count, failure);
    fit_begin_word(f);
    if (status != TIDE_OK) return fit_meet(f, status, failure);
    double rate = f->model.rate(f->model.user, &at), began = os_seconds();
    if (train_step_rate(step, rate) != TIDE_OK) return unread(f, failure);
    status = queue ? train_step_queue(step, feeds, count, failure) : train_step_run(step, feeds, count, &r, failure);
    if (status != TIDE_OK) return status;
    fit_take_word(f);
    count_step(f, rate, os_seconds() - began);
    if (!queue) return hear_steps(f, &r, failure);
    return f->unread >= f->window || wishes_to_look(f) ? read_steps(f, failure) : TIDE_OK;
}

/* ---- closing an epoch ---- */

static tide_status keep_best(fit *f, tide_failure *failure) {
    bool fine = f->best ? tide_snapshot_update(f->best) == TIDE_OK
                        : (f->best = tide_snapshot(f->model.step->params)) != NULL;
    f->best_unsaved = true;
    return fine ? TIDE_OK : unread(f, failure);
}

/* A loss that is not a number hardly ever becomes one again: nothing is waited for where nothing is kept, else a third
 * of the patience, whatever that is. */
static bool hopeless(const fit *f, double val_loss) {
    return f->model.validate && !isfinite(val_loss) && (!f->best || f->at.worse >= MAX2(1, f->plan.patience / 3));
}

static bool patience_over(const fit *f, int64_t epochs_done) {
    return f->plan.patience > 0 && f->at.worse >= f->plan.patience && epochs_done >= f->plan.min_epochs;
}

/* A loss that is not a number is never better. */
static tide_status judge(fit *f, double val_loss, bool *better, tide_failure *failure) {
    fit_progress *at = &f->at;
    *better   = isfinite(val_loss) && (f->plan.equal_is_better ? val_loss <= at->best : val_loss < at->best);
    at->worse = *better ? 0 : at->worse + 1;
    if (*better) at->best = val_loss, at->best_epoch = at->epoch;
    f->diverged  = hopeless(f, val_loss);
    at->finished = schedule_over(f) || patience_over(f, at->epoch) || f->diverged;
    return *better ? keep_best(f, failure) : TIDE_OK;
}

static void begin_row(fit *f, double row[FIT_VALUES]) {
    const fit_progress *at = &f->at;
    fit_place last = fit_place_at(f, at->step - 1);
    double    n    = (double)at->batch;
    for (int i = 0; i < FIT_VALUES; i++) row[i] = (double)NAN;
    row[FIT_EPOCH] = (double)at->epoch, row[FIT_STEP] = (double)at->step;
    row[FIT_LR]         = f->model.rate(f->model.user, &last);
    row[FIT_TRAIN_LOSS] = at->loss_sum / n, row[FIT_TRAIN_METRIC] = at->metric_sum / n;
    row[FIT_GRAD_NORM]  = at->norm_sum / n;
    row[FIT_SECONDS] = at->epoch_seconds, row[FIT_ELAPSED] = fit_elapsed(f);
    row[FIT_RSS]     = (double)os_rss_bytes() / (1 << 20);
}

static void next_epoch(fit *f, const double row[FIT_VALUES]) {
    fit_progress *at = &f->at;
    at->train_loss = row[FIT_TRAIN_LOSS], at->train_metric = row[FIT_TRAIN_METRIC];
    at->val_loss = row[FIT_VAL_LOSS], at->val_metric = row[FIT_VAL_METRIC];
    at->epoch++;
    at->batch    = 0;
    at->loss_sum = at->metric_sum = at->norm_sum = at->epoch_seconds = 0;
}

/* A validation that was stopped is made again from the checkpoint, in which the epoch's steps are all taken. */
static tide_status stop_here(fit *f, tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = fit_save(f, &why);
    if (failure) *failure = why;
    return status == TIDE_OK ? stopped(f, failure) : status;
}

/* The row of metrics.csv comes before the checkpoint that counts it. */
static tide_status close_epoch(fit *f, tide_failure *failure) {
    double    row[FIT_VALUES];
    bool      better = false;
    fit_place at     = fit_place_now(f);
    begin_row(f, row);
    tide_status status = fit_validate(f, &at, row, failure);
    if (status == TIDE_ECANCELLED) return stop_here(f, failure);
    if (status == TIDE_OK) status = fit_compare(f, failure);
    if (status == TIDE_OK) status = judge(f, row[FIT_VAL_LOSS], &better, failure);
    if (status == TIDE_OK) status = fit_log(f, row, failure);
    if (status != TIDE_OK) return status;
    next_epoch(f, row);
    bool saved = f->at.finished || save_due(f, 0);
    if (saved) status = fit_save(f, failure);
    if (status != TIDE_OK) return status;
    bool stop = tell(f, (fit_event){ .at = at, .row = row, .loss = row[FIT_TRAIN_LOSS],
                                     .metric = row[FIT_TRAIN_METRIC], .grad_norm = row[FIT_GRAD_NORM],
                                     .lr = row[FIT_LR], .best = better });
    if (!stop) return TIDE_OK;
    if (!saved) status = fit_save(f, failure);
    return status == TIDE_OK ? stopped(f, failure) : status;
}

/* ---- one epoch ---- */

static tide_status enter_epoch(fit *f, tide_failure *failure) {
    fit_place at = fit_place_now(f);
    if (f->entered == f->at.epoch || !f->model.enter) return TIDE_OK;
    f->entered = f->at.epoch;
    return f->model.enter(f->model.user, &at, failure);
}

static bool epoch_over(const fit *f) { return f->at.batch >= f->plan.batches || schedule_over(f); }

/* To the epoch's end, or to the step `until`. A run that goes on when its time is over has no step to take. */
static tide_status run_epoch(fit *f, int64_t until, tide_failure *failure) {
    tide_status status = enter_epoch(f, failure);
    while (status == TIDE_OK && !epoch_over(f) && f->at.step < until) status = take_step(f, failure);
    if (status == TIDE_OK && f->unread) status = read_steps(f, failure);
    if (status != TIDE_OK || !epoch_over(f)) return status;
    if (f->at.batch) return close_epoch(f, failure);
    f->at.finished = 1;
    return fit_save(f, failure);
}

/* ---- a run ---- */

/* The model's file may be older than the checkpoint, which is the commit. */
static tide_status start(fit *f, tide_failure *failure) {
    tide_status status = TIDE_OK;
    if (f->folder && f->best) status = f->model.save(f->model.user, f->best, failure);
    if (status == TIDE_OK && !f->at.finished) status = enter_epoch(f, failure);
    if (status == TIDE_OK && !f->at.planned) status = fit_lay_out(f, failure);
    f->best_unsaved = false;
    f->started      = status == TIDE_OK;
    f->last_save = f->loop_began = os_seconds();
    return status;
}

static tide_status finish(fit *f, tide_failure *failure) {
    if (!f->model.validate) return TIDE_OK;
    if (!f->best)
        return fail(failure, TIDE_EINVAL,
                    "the training diverged: its validation loss was never a number; lower `learning-rate` or set "
                    "`grad-clip` 1");
    return tide_restore(f->best) == TIDE_OK ? TIDE_OK : unread(f, failure);
}

static tide_status run(fit *f, int64_t steps, tide_failure *failure) {
    tide_status status = f->started ? TIDE_OK : start(f, failure);
    int64_t     until  = steps > 0 ? f->at.step + steps : INT64_MAX;
    while (status == TIDE_OK && !f->at.finished && f->at.step < until) status = run_epoch(f, until, failure);
    return status == TIDE_OK && f->at.finished ? finish(f, failure) : status;
}

/* What one rank alone failed in, the others hear at their next meeting, or at this one. A stop that all agreed on is no
 * failure, but the checkpoint that it ends with can be one. */
static tide_status end_together(fit *f, tide_status mine, tide_failure *failure) {
    bool         stopped = mine == TIDE_ECANCELLED && f->parted;
    tide_failure why     = { 0 };
    f->parted            = false;
    if (!stopped) return fit_meet(f, mine, failure);
    tide_status status = fit_meet(f, TIDE_OK, &why);
    if (status == TIDE_OK) return TIDE_ECANCELLED;
    if (failure) *failure = why;
    return status;
}

tide_status fit_run(fit *f, int64_t steps, tide_failure *failure) {
    return end_together(f, run(f, steps, failure), failure);
}

tide_status fit_end(fit *f, tide_failure *failure) {
    if (f->at.finished) return TIDE_OK;
    if (f->at.step == 0) return fail(failure, TIDE_EINVAL, "nothing was learned yet: training took no step");
    tide_status status = f->at.batch ? close_epoch(f, failure) : TIDE_OK;
    if (status == TIDE_OK) f->at.finished = 1;
    if (status == TIDE_OK) status = fit_save(f, failure);
    if (status == TIDE_OK) status = finish(f, failure);
    return end_together(f, status, failure);
}

/* ---- the handle ---- */

/* What is known beforehand; the rest is laid out when steps can be timed. */
static void plan_steps(fit *f) {
    if (f->plan.by_clock || f->plan.max_minutes <= 0)
        f->at.planned = f->plan.epochs ? f->plan.epochs * f->plan.batches : INT32_MAX;
}

tide_status fit_new(const fit_model *model, const fit_plan *plan, run_folder *folder, fit_listener listener, void *user,
                    fit **out, tide_failure *failure) {
    fit *f = *out = calloc(1, sizeof *f);
    if (!f) return no_memory(failure);
    f->model = *model, f->plan = *plan, f->folder = folder, f->listener = listener, f->user = user;
    f->at = (fit_progress){ .epoch = 1, .best = (double)INFINITY };
    atomic_init(&f->cancelled, false);
    if (!(plan->began > 0)) f->plan.began = os_seconds();
    f->last_save = f->loop_began = os_seconds();
    model->step->word  = &f->word;
    tide_status status = folder && folder->resuming ? checkpoint_read(f, failure) : TIDE_OK;
    status             = ranks_meet(fit_ranks(f), status, NULL, failure); /* rank 0 alone knows yet where the run is */
    if (status == TIDE_OK) status = fit_share(f, failure);
    plan_steps(f);
    f->account.resumed_from = f->at.step;
    f->before               = f->at.seconds;
    /* by the clock there may be more of it now than when the run ended */
    if (plan->by_clock) f->at.finished = f->at.finished && (schedule_over(f) || patience_over(f, f->at.epoch - 1));
    if (status == TIDE_OK) return TIDE_OK;
    fit_free(f);
    *out = NULL;
    return status;
}

void fit_free(fit *f) {
    if (!f) return;
    tide_snapshot_free(f->best);
    free(f);
}

void fit_cancel(fit *f) { atomic_store(&f->cancelled, true); }

const fit_progress    *fit_at(const fit *f) { return &f->at; }
const tide_snapshot_t *fit_best(const fit *f) { return f->best; }
bool                   fit_diverged(const fit *f) { return f->diverged; }

fit_account fit_account_of(const fit *f) {
    fit_account a = f->account;
    a.elapsed     = fit_elapsed(f);
    a.seconds     = a.elapsed - f->before;
    return a;
}
