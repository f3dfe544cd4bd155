/* The model on a graph with its series, and its programs. A batch is never made on the host: a program is fed the first
 * rows of its windows and gathers them, and what comes after them, from the series. */
#include "session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/score/score.h"
#include "forecast/models/ensemble.h"
#include "forecast/options/quantiles.h"
#include "plan.h"

void model_config_from(const forecast_options *o, const dataset *d, model_config *out) {
    const architecture *of = architecture_of(o->arch);
    *out = (model_config){ .seq_len = o->seq_len, .pred_len = o->pred_len, .columns = d->frame.columns,
                           .marks = of->takes_marks ? d->mark_count : 0, .d_model = o->d_model, .n_heads = o->n_heads,
                           .head_size = o->d_model / o->n_heads, .d_ff = o->d_ff,
                           .e_layers = o->e_layers, .dropout = plan_dropout(o), .relu = o->activation == FORECAST_RELU,
                           .use_norm = o->use_norm, .arch = o->arch, .head = o->head, .known = d->known,
                           .statics = d->statics.inputs,
                           .masked = d->frame.gaps > 0 || d->blind, .recompute = o->recompute,
                           .out_first = d->out_first, .out_count = d->out_count };
    if (o->arch == FORECAST_ARCH_SEASONAL_NAIVE || o->arch == FORECAST_ARCH_AUTO)
        out->season = o->season ? o->season : season_default(d->frame.step);
    quantiles q;
    if (o->head != FORECAST_HEAD_QUANTILE || quantiles_parse(o->quantiles, &q, NULL) != TIDE_OK) return;
    out->quantile_count = q.count;
    memcpy(out->quantile, q.of, sizeof out->quantile);
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

/* What nobody had issued is 0: its windows do not count. */
static tide_status issued_data(session *s, const dataset *d, tide_failure *failure) {
    int64_t each = s->model.config.pred_len * d->issued_columns, first = d->frame.columns;
    float  *scaled = malloc((size_t)(d->frame.rows * each) * sizeof *scaled + 1);
    if (!scaled) return fail(failure, TIDE_ENOMEM, "out of memory for what was known at each row");
    first -= d->issued_columns + d->holiday_columns;
    for (int64_t i = 0; i < d->frame.rows * each; i++) {
        int64_t column = first + i % d->issued_columns;
        scaled[i] = (float)((d->issued[i] - d->scaler.mean[column]) / d->scaler.std[column]);
        if (isnan(scaled[i])) scaled[i] = 0;
    }
    s->issued   = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, each), scaled);
    s->informed = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, 1), d->informed);
    s->holiday_columns = d->holiday_columns;
    free(scaled);
    return TIDE_OK;
}

tide_status session_data(session *s, const dataset *d, tide_failure *failure) {
    int64_t marks = s->model.config.marks;
    tide_status status = TIDE_OK;
    if (d->frame.gaps) status = gapped_new(s->graph, d->scaled, d->frame.rows, d->frame.columns, &s->gaps, failure);
    else s->series = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, d->frame.columns), d->scaled);
    if (status != TIDE_OK) return status;
    if (d->issued && (status = issued_data(s, d, failure)) != TIDE_OK) return status;
    if (d->blind) s->blind = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(1, 1, d->frame.columns), d->blind);
    if (s->model.config.statics)
        s->statics = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->statics.columns, d->statics.inputs),
                                   d->statics.values);
    if (marks) s->marks = tide_constant(s->graph, TIDE_F32, TIDE_SHAPE(d->frame.rows, marks), d->marks);
    return session_failure(s, failure);
}

static tide_status issued_fits(const forecast_options *o, const dataset *d, tide_failure *failure) {
    double bytes = (double)(d->frame.rows * o->pred_len * d->issued_columns) * sizeof(float), mib = 1 << 20;
    double limit = (double)session_memory_limit(o);
    if (!d->issued || bytes <= limit) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "issued", /* no smaller batch would help */
                   "what was known at each of %" PRId64 " rows takes %.2g MiB, and `memory-limit` allows %.2g: a "
                   "shorter `pred-len`, or fewer inputs (`ignore`), take less", d->frame.rows, bytes / mib,
                   limit / mib);
}

tide_status session_open(const forecast_options *o, const model_config *config, const dataset *d, session *s,
                         tide_failure *failure) {
    tide_status status = issued_fits(o, d, failure);
    if (status == TIDE_OK) status = session_begin(o, config, s, failure);
    return status == TIDE_OK ? session_data(s, d, failure) : status;
}

void session_free(session *s) {
    forecaster_free(&s->model);
    sampled_free(&s->sampled);
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

/* What was known at the last row of each window, in its place before the holidays: `known` has what came true. */
static tide_val with_issued(const session *s, tide_val start, tide_val known) {
    const model_config *c = &s->model.config;
    if (!s->issued.graph) return known;
    tide_val last = tide_add_scalar(start, (double)(c->seq_len - 1));
    int64_t  columns = tide_shape_of(s->issued).dim[1] / c->pred_len, stop = c->known - s->holiday_columns;
    tide_val then = tide_reshape(tide_windows(s->issued, last, 1), TIDE_SHAPE(-1, c->pred_len, columns));
    if (stop > columns) then = tide_concat(s->graph, TIDE_LIST(tide_slice(known, 2, 0, stop - columns), then), 2);
    if (s->holiday_columns) then = tide_concat(s->graph, TIDE_LIST(then, tide_slice(known, 2, stop, c->known)), 2);
    return then;
}

/* Of the rows after each window what is known ahead; gaps in it are filled. */
static tide_val known_of(const session *s, tide_val start) {
    const model_config *c = &s->model.config;
    tide_val first = tide_add_scalar(start, (double)c->seq_len), gaps;
    tide_val rows  = s->gaps.since.graph ? gapped_windows(&s->gaps, first, c->pred_len, &gaps)
                                         : tide_windows(s->series, first, c->pred_len);
    return with_issued(s, start, tide_slice(rows, 2, c->columns - c->known, c->columns));
}

/* Windows at whose last row something had not been issued count as if nothing were known of their truth. */
static tide_val where_informed(const session *s, tide_val start, tide_val truth, tide_val observed) {
    tide_val last = tide_add_scalar(start, (double)(s->model.config.seq_len - 1));
    tide_val all  = tide_broadcast(tide_windows(s->informed, last, 1), tide_shape_of(truth));
    return observed.graph ? tide_mul(observed, all) : all;
}

/* Columns without history are gaps all along. */
static void hide(const session *s, model_windows *x) {
    tide_val blind = tide_broadcast(s->blind, tide_shape_of(x->past));
    x->past = tide_where(tide_gt_scalar(blind, 0), tide_scalar(s->graph, 0), x->past);
    x->gaps = x->gaps.graph ? tide_maximum(x->gaps, blind) : blind;
}

/* Of the windows that begin at `start` the model's forecast, and the loss of each; *known, where the series has gaps:
 * the truths that it is the mean over. */
typedef struct window_values { head_values forecast; tide_val loss, known; } window_values;

model_windows session_windows(const session *s, tide_val start) {
    const model_config *c = &s->model.config;
    model_windows       x = { .past = s->series };
    x.past = s->gaps.since.graph ? gapped_windows(&s->gaps, start, c->seq_len, &x.gaps)
                                 : tide_windows(s->series, start, c->seq_len);
    if (c->known) x.known = known_of(s, start);
    if (s->blind.graph) hide(s, &x);
    if (!c->masked) x.gaps = (tide_val){ 0 };
    if (c->marks) x.marks = tide_windows(s->marks, start, c->seq_len);
    x.statics = s->statics;
    return x;
}

static void sample_columns(const session *s, model_windows *x, tide_val *truth, tide_val *observed) {
    x->past   = sampled_of(&s->sampled, x->past, 2);
    x->gaps   = sampled_of(&s->sampled, x->gaps, 2);
    x->statics = sampled_of(&s->sampled, x->statics, 0);
    *truth    = sampled_of(&s->sampled, *truth, 1);
    *observed = sampled_of(&s->sampled, *observed, 1);
}

static window_values forecast_windows(session *s, tide_val start, tide_mode mode) {
    model_windows x        = session_windows(s, start);
    tide_val      observed = { 0 };
    window_values out      = { 0 };
    tide_val truth = truth_of(s, start, &observed);
    if (s->informed.graph) observed = where_informed(s, start, truth, observed);
    bool some = mode == TIDE_TRAIN && s->sampled.count;
    if (some) sample_columns(s, &x, &truth, &observed);
    if (some) forecaster_resize(&s->model, s->sampled.count);
    out.forecast = forecaster_rows(&s->model, &x, mode);
    if (some) forecaster_resize(&s->model, s->sampled.columns);
    out.loss = loss_head(&s->loss, &s->model.config, &out.forecast, s->model.freedom, truth, observed);
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

static train_rule rule_of(const session *s, const forecast_options *o, ranks *r) {
    return (train_rule){ .optimizer = (train_optimizer)o->optimizer, .rate = o->learning_rate,
                         .weight_decay = o->weight_decay, .grad_clip = o->grad_clip,
                         .scaled = s->precision == TIDE_PRECISION_F16, .parts = o->accumulate, .ranks = r,
                         .compile = { .no_passes = s->op_by_op, .strict = s->strict } };
}

tide_status session_training(session *s, const forecast_options *o, ranks *r, train_step *out, tide_failure *failure) {
    train_rule  rule   = rule_of(s, o, r);
    tide_status status = train_parts_check(o->batch_size, o->accumulate, r, failure);
    if (status != TIDE_OK) return status;
    if (o->sample_columns)
        status = sampled_new(s->graph, &s->model.config, s->blind.graph != NULL, o->sample_columns, &s->sampled,
                             failure);
    if (status != TIDE_OK) return status;
    train_step_begin(out, s->graph, s->params, o->batch_size, &rule);
    s->start = tide_input(s->graph, "start", TIDE_I32, TIDE_SHAPE(out->samples));
    status   = train_step_end(out, loss_share(s, o->batch_size), failure);
    note_device(s, out->program);
    return status;
}

static tide_status members_program(session *s, int64_t batch, window_program *out, tide_failure *failure) {
    *out            = (window_program){ .batch = batch };
    out->start      = tide_input(s->graph, "start.members", TIDE_I32, TIDE_SHAPE(batch));
    model_windows x = session_windows(s, out->start);
    out->prediction = ensemble_forecasts(&s->model, &x);
    out->program    = session_compile(s, TIDE_LIST(out->prediction));
    return train_compiled(s->graph, out->program, failure);
}

tide_status session_scoring(session *s, int64_t batch, window_wanted wanted, window_program *out,
                            tide_failure *failure) {
    bool predictions = wanted == WINDOW_FORECASTS;
    if (wanted == WINDOW_MEMBERS) return members_program(s, batch, out, failure);
    *out       = (window_program){ .batch = batch };
    out->start = tide_input(s->graph, predictions ? "start.score" : "start.validate", TIDE_I32, TIDE_SHAPE(batch));
    window_values w = forecast_windows(s, out->start, TIDE_EVAL);
    out->loss = w.loss, out->known = w.known;
    out->prediction = forecaster_points(&w.forecast);
    out->widths     = forecaster_widths(&s->model.config, &w.forecast);
    out->shape      = spread_of(&s->model.config);
    if (!predictions) out->program = session_compile(s, w.known.graph ? TIDE_LIST(out->loss, out->known)
                                                                      : TIDE_LIST(out->loss));
    else out->program = session_compile(s, out->widths.graph ? TIDE_LIST(out->prediction, out->widths)
                                                             : TIDE_LIST(out->prediction));
    return train_compiled(s->graph, out->program, failure);
}

int64_t session_batch(const model_config *c, int64_t windows) {
    int64_t batch = 16000000 / MAX2(architecture_of(c->arch)->activations(c), 1);
    return MAX2(1, MIN2(MIN2(batch, 128), windows));
}

tide_status session_scoring_all(session *s, int64_t windows, window_wanted wanted, window_program *out,
                                tide_failure *failure) {
    for (int64_t batch = session_batch(&s->model.config, windows);; batch /= 2) {
        tide_failure why    = { 0 };
        tide_status  status = session_scoring(s, batch, wanted, out, &why);
        if (status == TIDE_ENOMEM && batch > 1 && tide_error(s->graph)->status == TIDE_OK) {
            tide_program_free(out->program);
            continue;
        }
        if (failure && !failure->status) *failure = why;
        return status;
    }
}
