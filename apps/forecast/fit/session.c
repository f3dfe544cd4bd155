#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "plan.h"
#include "train/run.h"

void model_config_from(const forecast_options *o, const dataset *d, model_config *out) {
    *out = (model_config){ .seq_len = o->seq_len, .pred_len = o->pred_len, .columns = d->frame.columns, .marks = d->mark_count,
                           .d_model = o->d_model, .n_heads = o->n_heads, .head_size = o->d_model / o->n_heads,
                           .d_ff = o->d_ff,
                           .e_layers = o->e_layers, .dropout = plan_dropout(o), .relu = o->activation == FORECAST_RELU,
                           .use_norm = o->use_norm, .recompute = o->recompute, .out_first = d->out_first,
                           .out_count = d->out_count };
}

tide_status session_failure(const session *s, tide_failure *failure) {
    const tide_failure *why = tide_error(s->graph);
    if (failure && !failure->status) *failure = *why;
    return why->status;
}

static bool known_device(const char *device) {
    for (const char *const *d = tide_devices(); *d; d++)
        if (!strcmp(*d, device)) return true;
    return false;
}

int64_t session_memory_limit(const forecast_options *o) {
    int64_t bytes;
    if (*o->memory_limit && memory_limit_parse(o->memory_limit, &bytes, NULL) == TIDE_OK) return bytes;
    return o->memory_limit_mib ? o->memory_limit_mib << 20 : os_memory_bytes();
}

/* The graph's programs multiply in what the device has of what was asked for. */
static tide_status choose_precision(const forecast_options *o, session *s, tide_failure *failure) {
    static const tide_precision wanted[] = { [FORECAST_F32] = TIDE_PRECISION_F32, [FORECAST_BF16] = TIDE_PRECISION_BF16,
                                             [FORECAST_F16] = TIDE_PRECISION_F16,
                                             [FORECAST_AUTO] = TIDE_PRECISION_AUTO };
    s->precision = tide_precision_here(s->graph, wanted[o->precision], &s->precision_note);
    tide_autocast(s->graph, s->precision);
    if (!o->strict || !*s->precision_note) return TIDE_OK;
    return fail_at(failure, TIDE_EDEVICE, NULL, 0, "precision", "--precision %s: %s; f32 is what the device has",
                   tide_precision_name(wanted[o->precision]), s->precision_note);
}

/* Choices of a run that is to go on are its own. */
static tide_status choose_mode(const forecast_options *o, session *s, tide_failure *failure) {
    static const tide_program_mode modes[] = { [FORECAST_MODE_DEFAULT] = TIDE_MODE_DEFAULT,
                                               [FORECAST_MODE_REDUCE_OVERHEAD] = TIDE_MODE_REDUCE_OVERHEAD,
                                               [FORECAST_MODE_MAX_AUTOTUNE] = TIDE_MODE_MAX_AUTOTUNE };
    tide_compile_mode(s->graph, modes[o->compile_mode]);
    return o->resume && *o->out && !o->overwrite ? run_choices_take(o->out, s->graph, failure) : TIDE_OK;
}

tide_status session_open(const forecast_options *o, const model_config *config, const dataset *d, session *s,
                         tide_failure *failure) {
    if (!known_device(o->device))
        return fail_at(failure, TIDE_EDEVICE, NULL, 0, "device", "there is no device '%s' here; cpu, ref and check are",
                       o->device);
    tide_graph_options options = { .device = o->device, .threads = (int)o->threads, .seed = (uint64_t)o->seed,
                                   .memory_limit = session_memory_limit(o) };
    s->graph = tide_graph_new_with(&options);
    if (!s->graph) return fail(failure, TIDE_ENOMEM, "out of memory for the graph");
    tide_status status = choose_precision(o, s, failure);
    if (status == TIDE_OK) status = choose_mode(o, s, failure);
    if (status != TIDE_OK) return status;
    s->op_by_op = !o->compile, s->strict = o->strict;
    s->loss = (loss_config){ (forecast_loss)o->loss_function, o->directional_weight, o->direction_surrogate };
    forecast_model_new(s->graph, config, &s->model);
    s->params = tide_params(s->graph, "");
    s->series = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, d->frame.columns), d->scaled);
    if (config->marks) s->marks = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, config->marks), d->marks);
    return session_failure(s, failure);
}

void session_free(session *s) {
    forecast_model_free(&s->model);
    tide_graph_free(s->graph);
    *s = (session){ 0 };
}

/* The windows that begin at `start`, the model's forecast of each, and the truth: (b, out columns, pred_len). */
static tide_val forecast_windows(session *s, tide_val start, tide_mode mode, tide_val *truth) {
    const model_config *c = &s->model.config;
    tide_val x     = tide_windows(s->series, start, c->seq_len);
    tide_val marks = c->marks ? tide_windows(s->marks, start, c->seq_len) : x;
    tide_val after = tide_windows(s->series, tide_add_scalar(start, (double)c->seq_len), c->pred_len);
    *truth         = tide_transpose(tide_slice(after, 2, c->out_first, c->out_first + c->out_count), 1, 2);
    return forecast_model_rows(&s->model, x, marks, mode, NULL);
}

static tide_val optimizer(const forecast_options *o, tide_list params, tide_list gradients, tide_val lr) {
    tide_adamw_opts adam = { .lr = lr, .weight_decay = o->weight_decay };
    switch ((forecast_optimizer)o->optimizer) {
    case FORECAST_ADAMW: return tide_adamw(params, gradients, &adam);
    case FORECAST_SGD:
        return tide_sgd(params, gradients, &(tide_sgd_opts){ .lr = lr, .weight_decay = o->weight_decay });
    case FORECAST_RMSPROP:
        return tide_rmsprop(params, gradients, &(tide_rmsprop_opts){ .lr = lr, .weight_decay = o->weight_decay });
    case FORECAST_LION:
        return tide_lion(params, gradients, &(tide_lion_opts){ .lr = lr, .weight_decay = o->weight_decay });
    case FORECAST_ADAM: break;
    }
    return tide_adam(params, gradients, &adam);
}

tide_program *session_compile(session *s, tide_list wanted) {
    const char   *note;
    tide_program *p = tide_compile(wanted, &(tide_compile_options){ .no_passes = s->op_by_op, .strict = s->strict });
    tide_program_device(p, &note);
    if (*note) snprintf(s->device_note, sizeof s->device_note, "%s", note);
    return p;
}

static tide_status program_status(const tide_program *p, tide_failure *failure) {
    if (!p) return fail(failure, TIDE_ENOMEM, "out of memory for a program");
    const tide_failure *why = tide_program_error(p);
    if (why->status && failure && !failure->status) *failure = *why;
    return why->status;
}

static tide_status compiled(const session *s, window_program *p, tide_failure *failure) {
    tide_status status = session_failure(s, failure);
    if (status == TIDE_OK) status = program_status(p->program, failure);
    return status == TIDE_OK && p->parts > 1 ? program_status(p->finish, failure) : status;
}

/* The derivatives of the loss, with a loss scaler those of the scaled one. */
static tide_list gradients_of(session *s, tide_val loss) {
    bool scaled = s->precision == TIDE_PRECISION_F16;
    if (scaled) s->scaler = tide_grad_scaler_new(s->graph, "scaler", NULL);
    return tide_grad(scaled ? tide_grad_scaler_scale(&s->scaler, loss) : loss, s->params);
}

static tide_val update_with(session *s, const forecast_options *o, tide_list gradients, tide_val *norm) {
    bool scaled = s->scaler.scale.graph != NULL;
    if (scaled) gradients = tide_grad_scaler_unscale(&s->scaler, gradients);
    *norm = tide_global_norm(gradients);
    if (scaled) *norm = tide_where(s->scaler.finite, *norm, tide_scalar(s->graph, 0));
    if (o->grad_clip > 0) gradients = tide_clip_norm(gradients, o->grad_clip);
    s->lr           = tide_variable(s->graph, "lr", tide_scalar(s->graph, o->learning_rate));
    tide_val update = optimizer(o, s->params, gradients, s->lr);
    return scaled ? tide_grad_scaler_step(&s->scaler, update) : update;
}

/* Names the parts nearest to those asked for, one at most as many and one at least. */
static tide_status parts_refused(const forecast_options *o, tide_failure *failure) {
    int64_t fewer = MIN2(o->accumulate, o->batch_size), more = o->accumulate;
    while (o->batch_size % fewer) fewer--;
    while (more < o->batch_size && o->batch_size % more) more++;
    char or_more[40] = "";
    if (more <= o->batch_size) snprintf(or_more, sizeof or_more, " or --accumulate %" PRId64, more);
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "accumulate",
                   "a batch of %" PRId64 " windows is not %" PRId64 " equal parts: --accumulate %" PRId64 "%s would do", o->batch_size,
                   o->accumulate, fewer, or_more);
}

/* The loss of the windows of one run, divided by the windows of a whole batch: every window's derivatives are what they
 * are in a step on all of them at once. */
static tide_val loss_share(session *s, const window_program *p) {
    tide_val truth;
    tide_sample_offset(s->graph, s->sums.offset);
    tide_val prediction = forecast_windows(s, p->start, TIDE_TRAIN, &truth);
    tide_sample_offset(s->graph, (tide_val){ 0 });
    return tide_mul_scalar(tide_sum(loss_windows(&s->loss, prediction, truth), TIDE_ALL),
                           1.0 / (double)(p->batch * p->parts));
}

static tide_status compile_step(session *s, window_program *p, tide_failure *failure) {
    double began    = os_seconds();
    tide_list whole = TIDE_LIST(p->loss, p->norm, p->update);
    if (p->parts > 1) p->program = session_compile(s, TIDE_LIST(p->part)), p->finish = session_compile(s, whole);
    else p->program = session_compile(s, whole);
    p->compile_s = os_seconds() - began;
    return compiled(s, p, failure);
}

tide_status session_training(session *s, const forecast_options *o, window_program *out, tide_failure *failure) {
    int64_t parts = MAX2(o->accumulate, 1);
    if (o->batch_size % parts) return parts_refused(o, failure);
    *out       = (window_program){ .batch = o->batch_size / parts, .parts = parts };
    out->start = tide_input(s->graph, "start", TIDE_I32, TIDE_SHAPE(out->batch));
    if (parts > 1) s->sums = tide_accumulator_new(s->graph, s->params, out->batch);
    out->loss           = loss_share(s, out);
    tide_list gradients = gradients_of(s, out->loss);
    if (parts > 1) {
        out->part = tide_accumulator_add(&s->sums, gradients, out->loss, (tide_val){ 0 });
        gradients = tide_accumulator_take(&s->sums), out->loss = s->sums.loss;
    }
    out->update = update_with(s, o, gradients, &out->norm);
    if (parts > 1) out->update = tide_accumulator_step(&s->sums, out->update);
    return compile_step(s, out, failure);
}

tide_status session_scoring(session *s, int64_t batch, bool predictions, window_program *out, tide_failure *failure) {
    *out       = (window_program){ .batch = batch };
    out->start = tide_input(s->graph, predictions ? "start.score" : "start.validate", TIDE_I32, TIDE_SHAPE(batch));
    tide_val truth, prediction = forecast_windows(s, out->start, TIDE_EVAL, &truth);
    out->loss       = loss_windows(&s->loss, prediction, truth);
    out->prediction = tide_transpose(prediction, 1, 2);
    out->program    = session_compile(s, predictions ? TIDE_LIST(out->prediction) : TIDE_LIST(out->loss));
    return compiled(s, out, failure);
}

static int64_t scoring_batch(const model_config *c, int64_t windows) {
    int64_t tokens = c->columns + c->marks;
    int64_t each   = tokens * (c->seq_len + 6 * c->d_model + 2 * c->d_ff + c->pred_len) + c->n_heads * tokens * tokens;
    int64_t batch  = 16000000 / MAX2(each, 1);
    return MAX2(1, MIN2(MIN2(batch, 128), windows));
}

tide_status session_scoring_all(session *s, int64_t windows, bool predictions, window_program *out,
                                tide_failure *failure) {
    for (int64_t batch = scoring_batch(&s->model.config, windows);; batch /= 2) {
        tide_failure why    = { 0 };
        tide_status  status = session_scoring(s, batch, predictions, out, &why);
        if (status == TIDE_ENOMEM && batch > 1 && tide_error(s->graph)->status == TIDE_OK) {
            tide_program_free(out->program);
            continue;
        }
        if (failure && !failure->status) *failure = why;
        return status;
    }
}
