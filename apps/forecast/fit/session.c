/* The model on a graph with its series, and its programs. A batch is never made on the host: a program is fed the first
 * rows of its windows and gathers them, and what comes after them, from the series. */
#include "session.h"

#include <stdio.h>

#include "base/base.h"
#include "plan.h"

void model_config_from(const forecast_options *o, const dataset *d, model_config *out) {
    const architecture *of = architecture_of(o->arch);
    *out = (model_config){ .seq_len = o->seq_len, .pred_len = o->pred_len, .columns = d->frame.columns,
                           .marks = of->takes_marks ? d->mark_count : 0, .d_model = o->d_model, .n_heads = o->n_heads,
                           .head_size = o->d_model / o->n_heads, .d_ff = o->d_ff,
                           .e_layers = o->e_layers, .dropout = plan_dropout(o), .relu = o->activation == FORECAST_RELU,
                           .use_norm = o->use_norm, .arch = o->arch, .known = d->known,
                           .masked = d->frame.gaps > 0 || d->blind, .recompute = o->recompute,
                           .out_first = d->out_first, .out_count = d->out_count };
}

tide_status session_failure(const session *s, tide_failure *failure) {
    const tide_failure *why = tide_error(s->graph);
    if (failure && !failure->status) *failure = *why;
    return why->status;
}

int64_t session_memory_limit(const forecast_options *o) {
    int64_t bytes;
    if (*o->memory_limit && train_memory_limit(o->memory_limit, o->device, &bytes, NULL) == TIDE_OK) return bytes;
    return o->memory_limit_mib ? o->memory_limit_mib << 20 : train_device_memory(o->device);
}

/* The graph's programs multiply in what the device has of what was asked for. */
static tide_status choose_precision(const forecast_options *o, session *s, tide_failure *failure) {
    static const tide_precision wanted[] = { [FORECAST_F32] = TIDE_PRECISION_F32, [FORECAST_BF16] = TIDE_PRECISION_BF16,
                                             [FORECAST_F16] = TIDE_PRECISION_F16,
                                             [FORECAST_AUTO] = TIDE_PRECISION_AUTO };
    s->precision = tide_precision_here(s->graph, wanted[o->precision], &s->precision_note);
    tide_autocast(s->graph, s->precision);
    if (!o->strict || !*s->precision_note) return TIDE_OK;
    return fail_at(failure, TIDE_EDEVICE, NULL, 0, "precision", "`precision` %s: %s; f32 is what the device has",
                   tide_precision_name(wanted[o->precision]), s->precision_note);
}

static tide_status open_graph(const forecast_options *o, tide_graph **out, tide_failure *failure) {
    static const tide_program_mode modes[] = { [FORECAST_MODE_DEFAULT] = TIDE_MODE_DEFAULT,
                                               [FORECAST_MODE_REDUCE_OVERHEAD] = TIDE_MODE_REDUCE_OVERHEAD,
                                               [FORECAST_MODE_MAX_AUTOTUNE] = TIDE_MODE_MAX_AUTOTUNE };
    bool resuming = o->resume && *o->out && !o->overwrite; /* its choices are its own */
    return train_graph_new(&(train_graph){ .device = o->device, .threads = (int)o->threads, .cut = (int)o->cut,
                                           .seed = (uint64_t)o->seed, .memory_limit = session_memory_limit(o),
                                           .mode = modes[o->compile_mode],
                                           .choices_of = resuming ? o->out : NULL }, out, failure);
}

tide_status session_begin(const forecast_options *o, const model_config *config, session *s, tide_failure *failure) {
    tide_status status = open_graph(o, &s->graph, failure);
    if (status == TIDE_OK) status = choose_precision(o, s, failure);
    if (status != TIDE_OK) return status;
    s->op_by_op = !o->compile, s->strict = o->strict;
    s->loss = (loss_config){ (forecast_loss)o->loss_function, o->directional_weight, o->direction_surrogate };
    forecaster_new(s->graph, config, &s->model);
    s->params = tide_params(s->graph, "");
    return session_failure(s, failure);
}

tide_status session_data(session *s, const dataset *d, tide_failure *failure) {
    int64_t marks = s->model.config.marks;
    tide_status status = TIDE_OK;
    if (d->frame.gaps) status = gapped_new(s->graph, d->scaled, d->frame.rows, d->frame.columns, &s->gaps, failure);
    else s->series = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, d->frame.columns), d->scaled);
    if (status != TIDE_OK) return status;
    if (d->blind) s->blind = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(1, 1, d->frame.columns), d->blind);
    if (marks) s->marks = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, marks), d->marks);
    return session_failure(s, failure);
}

tide_status session_open(const forecast_options *o, const model_config *config, const dataset *d, session *s,
                         tide_failure *failure) {
    tide_status status = session_begin(o, config, s, failure);
    return status == TIDE_OK ? session_data(s, d, failure) : status;
}

void session_free(session *s) {
    forecaster_free(&s->model);
    tide_graph_free(s->graph);
    *s = (session){ 0 };
}

/* What follows the input of each window, and what of it is known. */
static tide_val truth_of(const session *s, tide_val start, tide_val *observed) {
    const model_config *c = &s->model.config;
    bool     gaps  = s->gaps.since.graph != NULL;
    tide_val first = tide_add_scalar(start, (double)c->seq_len);
    tide_val after = gaps ? gapped_truth(&s->gaps, first, c->pred_len, observed)
                          : tide_windows(s->series, first, c->pred_len);
    int64_t  stop = c->out_first + c->out_count;
    if (gaps) *observed = tide_transpose(tide_slice(*observed, 2, c->out_first, stop), 1, 2);
    return tide_transpose(tide_slice(after, 2, c->out_first, stop), 1, 2);
}

/* Of the rows after each window what is known ahead; gaps in it are filled. */
static tide_val known_of(const session *s, tide_val start) {
    const model_config *c = &s->model.config;
    tide_val first = tide_add_scalar(start, (double)c->seq_len), gaps;
    tide_val rows  = s->gaps.since.graph ? gapped_windows(&s->gaps, first, c->pred_len, &gaps)
                                         : tide_windows(s->series, first, c->pred_len);
    return tide_slice(rows, 2, c->columns - c->known, c->columns);
}

/* Columns without history are gaps all along. */
static void hide(const session *s, model_windows *x) {
    tide_val blind = tide_broadcast(s->blind, tide_shape_of(x->past));
    x->past = tide_where(tide_gt_scalar(blind, 0), tide_scalar(s->graph, 0), x->past);
    x->gaps = x->gaps.graph ? tide_maximum(x->gaps, blind) : blind;
}

/* Of the windows that begin at `start` the model's forecast, and the loss of each; *known, where the series has gaps:
 * the truths that it is the mean over. */
typedef struct window_values { tide_val prediction, loss, known; } window_values;

static window_values forecast_windows(session *s, tide_val start, tide_mode mode) {
    const model_config *c = &s->model.config;
    model_windows x        = { .past = s->series };
    tide_val      observed = { 0 };
    window_values out      = { 0 };
    x.past = s->gaps.since.graph ? gapped_windows(&s->gaps, start, c->seq_len, &x.gaps)
                                 : tide_windows(s->series, start, c->seq_len);
    if (c->known) x.known = known_of(s, start);
    if (s->blind.graph) hide(s, &x);
    if (!c->masked) x.gaps = (tide_val){ 0 };
    if (c->marks) x.marks = tide_windows(s->marks, start, c->seq_len);
    tide_val truth = truth_of(s, start, &observed);
    out.prediction = forecaster_rows(&s->model, &x, mode);
    out.loss       = loss_windows(&s->loss, out.prediction, truth, observed);
    if (observed.graph) out.known = tide_sum(observed, TIDE_AXES(1, 2));
    return out;
}

static void note_device(session *s, const tide_program *p) {
    const char *note = "";
    if (p) tide_program_device(p, &note);
    if (*note) snprintf(s->device_note, sizeof s->device_note, "%s", note);
}

tide_program *session_compile(session *s, tide_list wanted) {
    tide_program *p = tide_compile(wanted, &(tide_compile_options){ .no_passes = s->op_by_op, .strict = s->strict });
    note_device(s, p);
    return p;
}

/* The loss of the windows of one run, divided by the windows of a whole batch: every window's derivatives are what they
 * are in a step on all of them at once. With gaps a window counts as much as of its truth is known. */
static train_loss loss_share(session *s, int64_t batch) {
    window_values w = forecast_windows(s, s->start, TIDE_TRAIN);
    if (w.known.graph)
        return (train_loss){ .numerator = tide_sum(tide_mul(w.loss, w.known), TIDE_ALL),
                             .denominator = tide_maximum(tide_sum(w.known, TIDE_ALL), tide_scalar(s->graph, 1)) };
    tide_val sum = tide_sum(w.loss, TIDE_ALL);
    return (train_loss){ .numerator = tide_mul_scalar(sum, 1.0 / (double)batch) };
}

static train_rule rule_of(const session *s, const forecast_options *o) {
    return (train_rule){ .optimizer = (train_optimizer)o->optimizer, .rate = o->learning_rate,
                         .weight_decay = o->weight_decay, .grad_clip = o->grad_clip,
                         .scaled = s->precision == TIDE_PRECISION_F16, .parts = o->accumulate,
                         .compile = { .no_passes = s->op_by_op, .strict = s->strict } };
}

tide_status session_training(session *s, const forecast_options *o, train_step *out, tide_failure *failure) {
    train_rule  rule   = rule_of(s, o);
    tide_status status = train_parts_check(o->batch_size, o->accumulate, failure);
    if (status != TIDE_OK) return status;
    train_step_begin(out, s->graph, s->params, o->batch_size, &rule);
    s->start = tide_input(s->graph, "start", TIDE_I32, TIDE_SHAPE(out->samples));
    status   = train_step_end(out, loss_share(s, o->batch_size), failure);
    note_device(s, out->program);
    return status;
}

tide_status session_scoring(session *s, int64_t batch, bool predictions, window_program *out, tide_failure *failure) {
    *out       = (window_program){ .batch = batch };
    out->start = tide_input(s->graph, predictions ? "start.score" : "start.validate", TIDE_I32, TIDE_SHAPE(batch));
    window_values w = forecast_windows(s, out->start, TIDE_EVAL);
    out->loss = w.loss, out->known = w.known;
    out->prediction = tide_transpose(w.prediction, 1, 2);
    out->program    = session_compile(s, predictions        ? TIDE_LIST(out->prediction)
                                         : w.known.graph ? TIDE_LIST(out->loss, out->known)
                                                            : TIDE_LIST(out->loss));
    return train_compiled(s->graph, out->program, failure);
}

int64_t session_batch(const model_config *c, int64_t windows) {
    int64_t batch = 16000000 / MAX2(architecture_of(c->arch)->activations(c), 1);
    return MAX2(1, MIN2(MIN2(batch, 128), windows));
}

tide_status session_scoring_all(session *s, int64_t windows, bool predictions, window_program *out,
                                tide_failure *failure) {
    for (int64_t batch = session_batch(&s->model.config, windows);; batch /= 2) {
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
