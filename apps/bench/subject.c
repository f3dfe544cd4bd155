/* What is timed: the forecaster or the impedance network on made-up data, to train on or to answer. */
#include "subject.h"

#include <stdlib.h>

#include "base/base.h"
#include "train/step.h"

/* ---- made-up data ---- */

typedef enum filling { NORMAL, CLASSES, HALF } filling;  /* about standard normal; 0..11; 0 or 1 */
enum { CLASS_COUNT = 12 };

static uint32_t next(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

/* Uniform with variance 1: no model tells it from a normal one. */
static float uniform(uint32_t *state) { return ((float)(next(state) >> 8) / 8388608.0f - 1) * 1.7320508f; }

static void fill(void *data, int64_t count, filling what) {
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++)
        if (what == CLASSES) ((int32_t *)data)[i] = (int32_t)((next(&state) >> 16) % CLASS_COUNT);
        else ((float *)data)[i] = what == HALF ? (float)(next(&state) >> 31) : uniform(&state);
}

/* The next data of the step. */
static tide_val add_data(subject *s, const char *name, tide_shape shape, filling what) {
    int64_t  count = tide_shape_count(shape), i = s->count;
    s->data[i] = tide_variable(s->graph, name, tide_fill(s->graph, what == CLASSES ? TIDE_I32 : TIDE_F32, shape, 0));
    s->host[i] = malloc((size_t)count * sizeof(float));
    if (!s->host[i]) return tide_poison(s->graph, TIDE_ENOMEM, "out of memory for made-up data");
    fill(s->host[i], count, what);
    s->count++, s->bytes += count * (int64_t)sizeof(float);
    return s->data[i];
}

tide_status subject_copy(const subject *s, tide_failure *failure) {
    for (int64_t i = 0; i < s->count; i++) {
        size_t bytes = (size_t)tide_shape_count(tide_shape_of(s->data[i])) * sizeof(float);
        tide_status status = tide_write(s->data[i], s->host[i], bytes);
        if (status) return fail(failure, status, "%s", tide_error(s->graph)->message);
    }
    return TIDE_OK;
}

/* ---- the forecaster ---- */

static bool forecasts(const bench_spec *spec) { return spec->kind == BENCH_FORECAST || spec->kind == BENCH_PREDICT; }

static tide_val forecast(const subject *s, const tide_val *data, tide_mode mode) {
    model_windows window = { .past = data[0] };
    if (s->spec->marks) window.marks = data[1];
    return itransformer_apply(&s->forecaster, &window, mode, NULL);
}

static void open_forecast(subject *s) {
    const bench_spec  *p      = s->spec;
    const model_config config = { .seq_len = p->seq_len,
                                  .pred_len = p->pred_len,
                                  .columns = p->columns,
                                  .marks = p->marks,
                                  .d_model = p->d_model,
                                  .n_heads = p->n_heads,
                                  .head_size = p->d_model / p->n_heads,
                                  .d_ff = p->d_ff,
                                  .e_layers = p->e_layers,
                                  .dropout = p->dropout,
                                  .relu = p->relu,
                                  .use_norm = !p->plain,
                                  .out_first = p->out_first,
                                  .out_count = p->out_count };
    if (!itransformer_new(s->graph, &config, &s->forecaster)) return;
    add_data(s, "x", TIDE_SHAPE(p->batch, p->seq_len, p->columns), NORMAL);
    if (p->marks) add_data(s, "marks", TIDE_SHAPE(p->batch, p->seq_len, p->marks), NORMAL);
    s->asked       = s->count;
    if (p->kind == BENCH_PREDICT) return;
    tide_val truth =
        add_data(s, "y", TIDE_SHAPE(p->batch, p->pred_len, p->out_count ? p->out_count : p->columns), NORMAL);
    if (s->count > s->asked) s->loss = tide_mse(forecast(s, s->data, TIDE_TRAIN), truth);
}

/* ---- the impedance predictor ---- */

/* Cross-entropy of the values that are missing, and half the squared error of the residual norm. */
static void open_eis(subject *s) {
    int64_t  b = s->spec->batch;
    tide_val resnorm;
    known_network_new(s->graph, known_sizes_of(s->spec->hidden, CLASS_COUNT), &s->network);
    add_data(s, "x", TIDE_SHAPE(b, KNOWN_FEATURES), NORMAL);
    s->asked       = s->count;
    tide_val label  = add_data(s, "label", TIDE_SHAPE(b, EIS_COUNT), CLASSES);
    tide_val truth = add_data(s, "resnorm", TIDE_SHAPE(b), NORMAL),
             missing = add_data(s, "missing", TIDE_SHAPE(b, EIS_COUNT), HALF);
    tide_val logits = known_network_apply(&s->network, s->data[0], TIDE_TRAIN, &resnorm);
    s->loss = tide_add(tide_cross_entropy(logits, label, missing), tide_mul_scalar(tide_mse(resnorm, truth), 0.5));
}

/* ---- both ---- */

tide_status subject_open(const bench_spec *spec, const char *device, int threads, subject *s, tide_failure *failure) {
    *s = (subject){ .spec = spec };
    tide_status status = train_graph_new(&(train_graph){ .device = device, .threads = threads, .seed = 1 }, &s->graph,
                                         failure);
    if (status != TIDE_OK) return status;
    if (forecasts(spec)) open_forecast(s);
    else open_eis(s);
    const tide_failure *why = tide_error(s->graph);
    if (why->status != TIDE_OK) return fail(failure, why->status, "%s", why->message);
    return spec->weights ? tide_load(tide_params(s->graph, ""), spec->weights, failure) : TIDE_OK;
}

void subject_close(subject *s) {
    itransformer_free(&s->forecaster);
    tide_graph_free(s->graph);
    for (int64_t i = 0; i < SUBJECT_DATA; i++) free(s->host[i]);
    *s = (subject){ 0 };
}

tide_val subject_update(subject *s, tide_precision precision) {
    train_rule       rule = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01, .grad_clip = 1,
                              .scaled = precision == TIDE_PRECISION_F16 };
    tide_val         norm;
    tide_grad_scaler scaler;
    return train_update(&rule, tide_params(s->graph, ""), s->loss, tide_scalar(s->graph, 1e-3), &norm, &scaler);
}

tide_list subject_answer(subject *s, int64_t batch) {
    tide_val question[SUBJECT_DATA], answer[2];
    for (int64_t i = 0; i < s->asked; i++) question[i] = tide_slice(s->data[i], 0, 0, batch);
    if (forecasts(s->spec)) {
        answer[0] = forecast(s, question, TIDE_EVAL);
        return tide_list_new(s->graph, answer, 1);
    }
    known_network_fix(&s->network);
    answer[0] = known_network_apply(&s->network, question[0], TIDE_EVAL, &answer[1]);
    return tide_list_new(s->graph, answer, 2);
}
