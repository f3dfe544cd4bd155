/* The step of every model: derivatives, loss scaler, norm, clip, optimizer, update, whole or in parts.
 *
 * The order is the one that keeps meaning: the scaler's factor leaves the gradients before anything measures them, the
 * norm that is told is the one before clipping, and what the optimizer sees is clipped. In parts the sums are taken of
 * scaled gradients and everything after that is done once, on them, so a step in parts differs from a whole one by the
 * rounding of those sums alone. */
#include "step.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/base.h"
#include "step_exchange.h"
#include "step_ranks.h"

enum { FIGURES = 2, MOST_FIGURES = FIGURES + EXCHANGE_PARTS };  /* of a step, in the log, beside its metrics */

static tide_val optimizer(const train_rule *r, tide_list params, tide_list gradients, tide_val lr) {
    tide_adamw_opts adam = {
        .lr = lr, .beta2 = r->beta2, .weight_decay = r->weight_decay, .no_bias_correction = r->no_bias_correction
    };
    switch (r->optimizer) {
    case TRAIN_ADAMW: return tide_adamw(params, gradients, &adam);
    case TRAIN_SGD:
        return tide_sgd(params, gradients, &(tide_sgd_opts){ .lr = lr, .weight_decay = r->weight_decay });
    case TRAIN_RMSPROP:
        return tide_rmsprop(params, gradients, &(tide_rmsprop_opts){ .lr = lr, .weight_decay = r->weight_decay });
    case TRAIN_LION:
        return tide_lion(params, gradients, &(tide_lion_opts){ .lr = lr, .weight_decay = r->weight_decay });
    case TRAIN_ADAM: break;
    }
    return tide_adam(params, gradients, &adam);
}

/* Of the loss, with a loss scaler of the scaled one. */
static tide_list gradients_of(const train_rule *r, tide_list params, tide_val loss, tide_grad_scaler *scaler) {
    *scaler = (tide_grad_scaler){ 0 };
    if (r->scaled) *scaler = tide_grad_scaler_new(loss.graph, "scaler", NULL);
    return tide_grad(r->scaled ? tide_grad_scaler_scale(scaler, loss) : loss, params);
}

/* From gradients, of the scaled loss if there is a scaler, to the update. */
static tide_val update_with(const train_rule *r, tide_list params, tide_list gradients, tide_val lr, tide_val *norm,
                            tide_grad_scaler *scaler) {
    if (r->scaled) gradients = tide_grad_scaler_unscale(scaler, gradients);
    *norm = tide_global_norm(gradients);
    if (r->scaled) *norm = tide_where(scaler->finite, *norm, tide_scalar(lr.graph, 0));
    if (r->grad_clip > 0) gradients = tide_clip_norm(gradients, r->grad_clip);
    tide_val update = optimizer(r, params, gradients, lr);
    return r->scaled ? tide_grad_scaler_step(scaler, update) : update;
}

tide_val train_update(const train_rule *rule, tide_list params, tide_val loss, tide_val lr, tide_val *norm,
                      tide_grad_scaler *scaler) {
    tide_list gradients = gradients_of(rule, params, loss, scaler);
    return update_with(rule, params, gradients, lr, norm, scaler);
}

void train_step_begin(train_step *s, tide_graph *g, tide_list params, int64_t batch, const train_rule *rule) {
    *s = (train_step){ .graph = g, .params = params, .rule = *rule, .parts = train_parts(rule->parts, rule->ranks) };
    s->samples = batch / s->parts, s->here = s->parts / ranks_count(rule->ranks);
    s->first   = ranks_rank(rule->ranks) * s->here;
    if (s->parts == 1) return;
    s->sums = tide_accumulator_new(g, params, s->samples);
    if (rule->ranks) s->base = tide_input(g, "accumulate.base", TIDE_I32, TIDE_SCALAR);
    tide_sample_offset(g, rule->ranks ? s->base : s->sums.offset);
}

/* ---- steps that are queued ---- */

bool train_device_apart(const tide_graph *g) {
    tide_device d;
    return tide_device_info(tide_graph_device(g), &d, NULL) == TIDE_OK && d.own_memory;
}

/* A metric of a part is read after each part, and sums of ranks leave the device, unless it exchanges them itself: such
 * steps are not queued. */
static bool queueing(const train_step *s) {
    bool here = s->exchange || (!s->rule.ranks && (s->parts == 1 || !s->metric.graph));
    return here && train_device_apart(s->graph);
}

static int64_t metrics_logged(const train_step *s) { return s->exchange && s->metric.graph ? s->parts : 1; }

/* The step's rate, as a value: a variable that is written before the step, or set by it. */
static void make_rate(train_step *s) {
    s->rate_now = (float)s->rule.rate;
    s->lr       = tide_variable(s->graph, "lr", tide_scalar(s->graph, s->rule.rate));
    if (queueing(s)) s->rate = tide_input(s->graph, "lr.now", TIDE_F32, TIDE_SCALAR);
}

/* The log moves up by one, and this step's figures are its last row. */
static void make_log(train_step *s) {
    tide_graph *g = s->graph;
    if (!s->rate.graph) return;
    int64_t  metrics = metrics_logged(s), width = FIGURES + metrics;
    tide_val metric  = s->metric.graph ? s->metric : tide_scalar(g, 0);
    tide_val all     = tide_concat(g, TIDE_LIST(tide_stack(g, TIDE_LIST(s->loss, s->norm), 0),
                                                tide_reshape(metric, TIDE_SHAPE(metrics))), 0);
    tide_val row     = tide_reshape(all, TIDE_SHAPE(1, width));
    s->log          = tide_variable(g, "step.log", tide_fill(g, TIDE_F32, TIDE_SHAPE(TRAIN_LOG, width), 0));
    tide_val moved  = tide_concat(g, TIDE_LIST(tide_slice(s->log, 0, 1, TIDE_END), row), 0);
    s->logged       = tide_group(g, TIDE_LIST(tide_assign(s->log, moved), tide_assign(s->lr, s->rate)));
    s->update       = tide_group(g, TIDE_LIST(s->update, s->logged));
}

bool train_step_queues(const train_step *s) { return s->log.graph != NULL; }

int train_step_own_feeds(const train_step *s, tide_feed *out) {
    if (s->rate.graph) *out = (tide_feed){ s->rate, &s->rate_now };
    return s->rate.graph != NULL;
}

/* What a run is for: everything, or all that comes after the parts; a part adds its sums and tells its metric. */
static tide_program *compile_step(const train_step *s, bool metric) {
    return metric ? tide_compile(TIDE_LIST(s->loss, s->metric, s->norm, s->update), &s->rule.compile)
                  : tide_compile(TIDE_LIST(s->loss, s->norm, s->update), &s->rule.compile);
}

static tide_program *compile_part(const train_step *s, bool metric) {
    return metric ? tide_compile(TIDE_LIST(s->part, s->metric), &s->rule.compile)
                  : tide_compile(TIDE_LIST(s->part), &s->rule.compile);
}

static tide_status compile(train_step *s, tide_failure *failure) {
    bool   parts = s->parts > 1, metric = s->metric.graph && !s->exchange;
    double began = os_seconds();
    s->program   = parts ? compile_part(s, metric) : compile_step(s, metric);
    if (parts) s->finish = compile_step(s, false);
    s->compile_s       = os_seconds() - began;
    tide_status status = train_compiled(s->graph, s->program, failure);
    return status == TIDE_OK && parts ? train_compiled(s->graph, s->finish, failure) : status;
}

static tide_list add_parts(train_step *s, tide_list gradients, train_loss l) {
    s->part = tide_accumulator_add(&s->sums, gradients, l.numerator, l.denominator);
    if (s->exchange) s->part = step_exchange_part(s, s->part), step_exchange_total(s);
    return tide_accumulator_take(&s->sums);
}

tide_status train_step_end(train_step *s, train_loss l, tide_failure *failure) {
    bool parts = s->parts > 1;
    tide_status status = step_exchange_open(s, failure);
    if (status != TIDE_OK) return status;
    if (parts) tide_sample_offset(s->graph, (tide_val){ 0 });
    s->metric = l.metric;
    s->loss   = l.denominator.graph && !parts ? tide_div(l.numerator, l.denominator) : l.numerator;
    tide_list gradients = gradients_of(&s->rule, s->params, s->loss, &s->scaler);
    if (parts) {
        status    = step_ranks_check(s, failure);
        gradients = add_parts(s, gradients, l);
        s->loss   = s->sums.loss;
    }
    make_rate(s);
    tide_val rate = s->rate.graph ? s->rate : s->lr;
    s->update = update_with(&s->rule, s->params, gradients, rate, &s->norm, &s->scaler);
    if (parts) s->update = tide_accumulator_step(&s->sums, s->update);
    make_log(s);
    return status == TIDE_OK ? compile(s, failure) : status;
}

void train_step_free(train_step *s) { step_exchange_close(s); }

int64_t train_parts(int64_t asked, const ranks *r) { return MAX2(MAX2(asked, 1), ranks_count(r)); }

static bool parts_fit(int64_t batch, int64_t parts, const ranks *r) {
    return parts >= 1 && parts <= batch && batch % parts == 0 && parts % ranks_count(r) == 0;
}

tide_status train_parts_check(int64_t batch, int64_t parts, const ranks *r, tide_failure *failure) {
    int64_t asked = train_parts(parts, r), fewer = MIN2(asked, batch), more = asked;
    if (parts_fit(batch, asked, r)) return TIDE_OK;
    while (fewer > 0 && !parts_fit(batch, fewer, r)) fewer--;
    while (more <= batch && !parts_fit(batch, more, r)) more++;
    char would[160] = "", shares[64] = "";
    if (fewer) snprintf(would, sizeof would, "`accumulate` %" PRId64, fewer);
    if (more <= batch)
        snprintf(would + strlen(would), sizeof would - strlen(would), "%s`accumulate` %" PRId64, fewer ? " or " : "",
                 more);
    if (!*would) snprintf(would, sizeof would, "another number of ranks, or a `batch-size` that it divides,");
    if (r) snprintf(shares, sizeof shares, ", or these no equal shares of %d ranks", ranks_count(r));
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "accumulate",
                   "a batch of %" PRId64 " is not %" PRId64 " equal parts%s: %s would do", batch, asked, shares, would);
}

/* ---- running ---- */

tide_status train_step_rate(train_step *s, double rate) {
    s->rate_now = (float)rate;
    return s->rate.graph ? TIDE_OK : tide_write(s->lr, &s->rate_now, sizeof s->rate_now);
}

static tide_status read_scalar(tide_val v, double *out) {
    float       value  = 0;
    tide_status status = v.graph ? tide_read(v, &value, sizeof value) : TIDE_OK;
    *out = v.graph ? (double)value : (double)NAN;
    return status;
}

static tide_status run_part(const train_step *s, const train_feed *feeds, int count, int64_t part) {
    tide_feed now[TRAIN_FEEDS + 2];
    int32_t   base = (int32_t)(part * s->samples);
    for (int i = 0; i < count; i++) {
        tide_val input = feeds[i].input;
        size_t   bytes = (size_t)tide_shape_count(tide_shape_of(input)) * tide_dtype_size(tide_dtype_of(input));
        now[i] = (tide_feed){ input, (const char *)feeds[i].data + (feeds[i].whole ? 0 : (size_t)part * bytes) };
    }
    if (s->base.graph) now[count++] = (tide_feed){ s->base, &base };
    return tide_run(s->program, now, count + train_step_own_feeds(s, now + count));
}

/* The parts that run here; of their metrics the sum, if it is asked for. */
static tide_status run_parts(const train_step *s, const train_feed *feeds, int count, double *metric) {
    tide_status status = TIDE_OK;
    for (int64_t part = s->first; status == TIDE_OK && part < s->first + s->here; part++) {
        double share = 0;
        status       = run_part(s, feeds, count, part);
        if (status == TIDE_OK && metric && s->metric.graph) status = read_scalar(s->metric, &share);
        if (status == TIDE_OK && s->rule.ranks) status = step_ranks_keep(s, part, share);
        if (metric) *metric += share;
    }
    return status;
}

/* A run's reason is the program's, a read's the graph's. */
static tide_status step_failed(const train_step *s, const tide_program *last, tide_status status,
                               tide_failure *failure) {
    if (failure && !failure->status) *failure = *tide_program_error(last);
    if (tide_error(s->graph)->status) fail(failure, status, "%s", tide_error(s->graph)->message);
    return fail(failure, status, "the training step failed");
}

/* The devices wait for each other, the hosts for nothing but a word of how it went. */
static tide_status run_exchanged(const train_step *s, const train_feed *feeds, int count, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t part = 0; status == TIDE_OK && part < s->here; part++) {
        status = run_part(s, feeds, count, s->first + part);
        if (status != TIDE_OK) step_failed(s, s->program, status, failure);
        status = step_exchange_rows(s, part, status, failure);
    }
    return status;
}

static tide_status run_on_host(const train_step *s, const train_feed *feeds, int count, double *metric,
                               tide_failure *failure) {
    tide_status status = run_parts(s, feeds, count, metric);
    if (status != TIDE_OK) step_failed(s, s->program, status, failure);
    return s->rule.ranks ? step_ranks_exchange(s, status, metric, failure) : status;
}

/* All runs of a step. */
static tide_status run_all(const train_step *s, const train_feed *feeds, int count, double *metric,
                           tide_failure *failure) {
    tide_feed     own;
    tide_program *last   = s->program;
    tide_status   status = s->exchange ? run_exchanged(s, feeds, count, failure)
                                       : run_on_host(s, feeds, count, metric, failure);
    if (status == TIDE_OK && s->finish) status = tide_run(last = s->finish, &own, train_step_own_feeds(s, &own));
    step_exchange_failed(s, status);
    return status == TIDE_OK ? status : step_failed(s, last, status, failure);
}

tide_status train_step_run(const train_step *s, const train_feed *feeds, int count, train_result *out,
                           tide_failure *failure) {
    *out = (train_result){ 0 };
    tide_status status = run_all(s, feeds, count, &out->metric, failure);
    if (status != TIDE_OK) return status;
    if (s->exchange) return train_step_read(s, 1, out, failure);
    if (!s->metric.graph) out->metric = (double)NAN;
    status = read_scalar(s->loss, &out->loss);
    if (status == TIDE_OK) status = read_scalar(s->norm, &out->norm);
    return status == TIDE_OK ? status : step_failed(s, s->finish ? s->finish : s->program, status, failure);
}

tide_status train_step_queue(const train_step *s, const train_feed *feeds, int count, tide_failure *failure) {
    return run_all(s, feeds, count, NULL, failure);
}

static double sum_of(const float *metrics, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)metrics[i];
    return sum;
}

tide_status train_step_read(const train_step *s, int64_t n, train_result *out, tide_failure *failure) {
    float       rows[TRAIN_LOG * MOST_FIGURES];
    int64_t     metrics = metrics_logged(s), width = FIGURES + metrics;
    tide_status status = tide_read_now(s->log, rows, sizeof rows);
    step_exchange_failed(s, status);
    if (status != TIDE_OK) return step_failed(s, s->finish ? s->finish : s->program, status, failure);
    for (int64_t i = 0; i < n; i++) {
        const float *row = rows + width * (TRAIN_LOG - n + i);
        out[i] = (train_result){ (double)row[0], (double)row[1],
                                 s->metric.graph ? sum_of(row + FIGURES, metrics) : (double)NAN };
    }
    return TIDE_OK;
}

tide_status train_step_scale(const train_step *s, double *scale, int64_t *skipped, tide_failure *failure) {
    int32_t count = 0;
    *scale = 0, *skipped = 0;
    if (!s->scaler.scale.graph) return TIDE_OK;
    tide_status status = read_scalar(s->scaler.scale, scale);
    if (status == TIDE_OK) status = tide_read(s->scaler.skipped, &count, sizeof count);
    *skipped = count;
    return status == TIDE_OK ? status : train_unread(s->graph, "the loss scale", failure);
}
