/* What is timed: the forecaster or the impedance network on made-up data, to train on or to answer. */
#include "subject.h"

#include <stdlib.h>

#include "base/base.h"
#include "train/step.h"

static bool is_forecast(const bench_spec *s) { return s->kind == BENCH_FORECAST || s->kind == BENCH_ANSWERS; }

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

/* The next input of the step, with its data. */
static tide_val add_feed(subject *s, const char *name, tide_shape shape, filling what) {
    int64_t  count = tide_shape_count(shape), i = s->feeds;
    tide_val input = tide_input(s->graph, name, what == CLASSES ? TIDE_I32 : TIDE_F32, shape);
    s->data[i]     = malloc((size_t)count * sizeof(float));
    if (!s->data[i]) return tide_poison(s->graph, TIDE_ENOMEM, "out of memory for made-up data");
    fill(s->data[i], count, what);
    s->feed[i] = (tide_feed){ input, s->data[i] };
    s->feeds++, s->input_bytes += count * (int64_t)sizeof(float);
    return input;
}

/* ---- the forecaster ---- */

static tide_val forecast(const subject *s, const tide_feed *feed, tide_mode mode) {
    return itransformer_apply(&s->forecaster, feed[0].input, s->spec->marks ? feed[1].input : (tide_val){ 0 }, mode,
                                NULL);
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
    add_feed(s, "x", TIDE_SHAPE(p->batch, p->seq_len, p->columns), NORMAL);
    if (p->marks) add_feed(s, "marks", TIDE_SHAPE(p->batch, p->seq_len, p->marks), NORMAL);
    s->inputs      = s->feeds;
    tide_val truth =
        add_feed(s, "y", TIDE_SHAPE(p->batch, p->pred_len, p->out_count ? p->out_count : p->columns), NORMAL);
    if (s->feeds > s->inputs) s->loss = tide_mse(forecast(s, s->feed, TIDE_TRAIN), truth);
}

/* ---- the impedance predictor ---- */

/* Cross-entropy of the values that are missing, and half the squared error of the residual norm. */
static void open_eis(subject *s) {
    int64_t  b = s->spec->batch;
    tide_val resnorm;
    known_network_new(s->graph, known_sizes_of(s->spec->hidden, CLASS_COUNT), &s->network);
    add_feed(s, "x", TIDE_SHAPE(b, KNOWN_FEATURES), NORMAL);
    s->inputs       = s->feeds;
    tide_val label  = add_feed(s, "label", TIDE_SHAPE(b, EIS_COUNT), CLASSES);
    tide_val truth = add_feed(s, "resnorm", TIDE_SHAPE(b), NORMAL),
             missing = add_feed(s, "missing", TIDE_SHAPE(b, EIS_COUNT), HALF);
    tide_val logits = known_network_apply(&s->network, s->feed[0].input, TIDE_TRAIN, &resnorm);
    s->loss = tide_add(tide_cross_entropy(logits, label, missing), tide_mul_scalar(tide_mse(resnorm, truth), 0.5));
}

/* ---- both ---- */

tide_status subject_open(const bench_spec *spec, const char *device, int threads, subject *s, tide_failure *failure) {
    *s = (subject){ .spec = spec };
    tide_status status = train_graph_new(&(train_graph){ .device = device, .threads = threads, .seed = 1 }, &s->graph,
                                         failure);
    if (status != TIDE_OK) return status;
    if (is_forecast(spec)) open_forecast(s);
    else open_eis(s);
    const tide_failure *why = tide_error(s->graph);
    if (why->status != TIDE_OK) return fail(failure, why->status, "%s", why->message);
    return spec->weights ? tide_load(tide_params(s->graph, ""), spec->weights, failure) : TIDE_OK;
}

void subject_close(subject *s) {
    itransformer_free(&s->forecaster);
    tide_graph_free(s->graph);
    for (int64_t i = 0; i < SUBJECT_FEEDS; i++) free(s->data[i]);
    *s = (subject){ 0 };
}

tide_val subject_update(subject *s, tide_precision precision) {
    train_rule       rule = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01, .grad_clip = 1,
                              .scaled = precision == TIDE_PRECISION_F16 };
    tide_val         norm;
    tide_grad_scaler scaler;
    return train_update(&rule, tide_params(s->graph, ""), s->loss, tide_scalar(s->graph, 1e-3), &norm, &scaler);
}

tide_list subject_answer(subject *s, int64_t batch, tide_feed feed[SUBJECT_FEEDS], int64_t *count) {
    tide_val answer[2];
    *count = s->inputs;
    for (int64_t i = 0; i < s->inputs; i++) {
        tide_shape shape = tide_shape_of(s->feed[i].input);
        shape.dim[0]     = batch;
        feed[i]          = (tide_feed){ tide_input(s->graph, "question", TIDE_F32, shape), s->data[i] };
    }
    if (is_forecast(s->spec)) {
        answer[0] = forecast(s, feed, TIDE_EVAL);
        return tide_list_new(s->graph, answer, 1);
    }
    known_network_fix(&s->network);
    answer[0] = known_network_apply(&s->network, feed[0].input, TIDE_EVAL, &answer[1]);
    return tide_list_new(s->graph, answer, 2);
}
