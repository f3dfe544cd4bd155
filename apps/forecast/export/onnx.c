/* A model as ONNX, in plain operators of opset 17, original units in and out: the scaler and the time features are part
 * of the graph. It takes and gives double, as the scaler computes: in float a column that is large beside its spread
 * would lose digits before it is scaled. The network itself is float. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/json.h"
#include "bounds.h"
#include "forecast/models/head.h"
#include "forecast/models/instance.h"
#include "onnx_calendar.h"

/* Protocol buffers' own limit. */
static const int64_t MOST_BYTES = INT32_MAX - (16 << 20);

typedef struct network {
    const exported     *of;
    const model_config *config;
    onnx_graph          graph;
    export_bounds       bounds;
    bool                short_of_memory;
} network;

/* ---- layers ---- */

static onnx_value apply(network *n, const char *op, onnx_value a, onnx_value b) {
    return onnx_binary(&n->graph, op, a, b);
}

static onnx_value parameter(network *n, int64_t block, const network_part *part, const char *end) {
    char               name[NETWORK_NAME];
    const tide_tensor *t = network_tensor(n->of, block, part, end);
    tide_shape         shape = t->shape;
    if (shape.ndim == 3) shape.ndim = 2; /* a convolution of width 1 is a product */
    return onnx_tensor(&n->graph, network_name(block, part, end, name), ONNX_FLOAT, shape, t->data);
}

static onnx_value transpose(network *n, onnx_value x, const onnx_attribute *perm) {
    return onnx_node(&n->graph, "Transpose", &x, 1, perm);
}

/* Weights stand in the file as published, (out, in). */
static onnx_value linear(network *n, int64_t block, const network_part *part, onnx_value x) {
    onnx_value weight = transpose(n, parameter(n, block, part, "weight"), ONNX_INTS("perm", 1, 0));
    return apply(n, "Add", apply(n, "MatMul", x, weight), parameter(n, block, part, "bias"));
}

static onnx_value mean_of(network *n, onnx_value x) {
    return onnx_node(&n->graph, "ReduceMean", &x, 1, ONNX_INTS("axes", -1));
}

/* x - mean along the last axis; *deviation is the square root of the mean square of that. */
static onnx_value centre(network *n, onnx_value x, onnx_value mean, onnx_value *deviation) {
    onnx_value centred  = apply(n, "Sub", x, mean);
    onnx_value variance = mean_of(n, apply(n, "Mul", centred, centred));
    *deviation = onnx_unary(&n->graph, "Sqrt", apply(n, "Add", variance, onnx_float(&n->graph, NORM_EPS)));
    return centred;
}

static onnx_value layer_norm(network *n, int64_t block, const network_part *part, onnx_value x) {
    onnx_value deviation, centred = centre(n, x, mean_of(n, x), &deviation);
    onnx_value scaled = apply(n, "Mul", apply(n, "Div", centred, deviation), parameter(n, block, part, "weight"));
    return apply(n, "Add", scaled, parameter(n, block, part, "bias"));
}

/* first .. first + count of an axis. */
static onnx_value part_of(network *n, onnx_value x, int64_t axis, int64_t first, int64_t count) {
    onnx_value inputs[] = { x, onnx_wholes(&n->graph, (const int64_t[]){ first }, 1),
                            onnx_wholes(&n->graph, (const int64_t[]){ first + count }, 1),
                            onnx_wholes(&n->graph, (const int64_t[]){ axis }, 1) };
    return onnx_node(&n->graph, "Slice", inputs, 4, NULL);
}

static onnx_value rows_of(network *n, onnx_value x, int64_t first, int64_t count) {
    return part_of(n, x, 1, first, count);
}

/* (batch, rows, inner) -> (batch, heads, rows, head size), or its transpose. */
static onnx_value heads(network *n, onnx_value x, int64_t rows, const onnx_attribute *perm) {
    const int64_t shape[] = { 0, rows, n->config->n_heads, n->config->head_size }; /* 0: as it is */
    return transpose(n, apply(n, "Reshape", x, onnx_wholes(&n->graph, shape, 4)), perm);
}

static onnx_value attention(network *n, int64_t block, onnx_value rows, int64_t count, onnx_value tokens) {
    const model_config *c   = n->config;
    const network_part *part = network_of_block;
    int64_t    all   = c->columns + c->marks;
    onnx_value query = heads(n, linear(n, block, &part[0], rows), count, ONNX_INTS("perm", 0, 2, 1, 3));
    onnx_value key   = heads(n, linear(n, block, &part[1], tokens), all, ONNX_INTS("perm", 0, 2, 3, 1));
    onnx_value value = heads(n, linear(n, block, &part[2], tokens), all, ONNX_INTS("perm", 0, 2, 1, 3));
    onnx_value scale = onnx_float(&n->graph, 1 / sqrt((double)c->head_size));
    onnx_value score = apply(n, "Mul", apply(n, "MatMul", query, key), scale);
    onnx_value share = onnx_node(&n->graph, "Softmax", &score, 1, ONNX_INT("axis", -1));
    onnx_value mixed = transpose(n, apply(n, "MatMul", share, value), ONNX_INTS("perm", 0, 2, 1, 3));
    const int64_t shape[] = { 0, count, c->n_heads * c->head_size };
    return linear(n, block, &part[3], apply(n, "Reshape", mixed, onnx_wholes(&n->graph, shape, 3)));
}

static onnx_value activation(network *n, onnx_value x) {
    onnx_graph *g = &n->graph;
    if (n->config->relu) return onnx_unary(g, "Relu", x);
    onnx_value erf = onnx_unary(g, "Erf", apply(n, "Mul", x, onnx_float(g, sqrt(0.5))));
    return apply(n, "Mul", apply(n, "Mul", x, onnx_float(g, 0.5)), apply(n, "Add", erf, onnx_float(g, 1)));
}

/* model.c: in the last block only what is forecast needs a query. */
static onnx_value encode(network *n, onnx_value tokens) {
    const model_config *c    = n->config;
    const network_part *part = network_of_block;
    for (int64_t block = 0; block < c->e_layers; block++) {
        bool       last  = block + 1 == c->e_layers;
        int64_t    count = last ? c->out_count : c->columns + c->marks;
        onnx_value rows  = last ? rows_of(n, tokens, c->out_first, count) : tokens;
        onnx_value u = layer_norm(n, block, &part[6], apply(n, "Add", rows, attention(n, block, rows, count, tokens)));
        onnx_value hidden = activation(n, linear(n, block, &part[4], u));
        tokens = layer_norm(n, block, &part[7], apply(n, "Add", u, linear(n, block, &part[5], hidden)));
    }
    return tokens;
}

/* ---- from and to original units ---- */

static onnx_value doubles(network *n, const double *values, int64_t count) {
    return onnx_tensor(&n->graph, NULL, ONNX_DOUBLE, TIDE_SHAPE(count), values);
}

static onnx_value take_past(network *n) {
    const model_config *c = n->config;
    const scaler       *s = &n->of->bundle.scaler;
    onnx_value past   = onnx_input(&n->graph, "past", ONNX_DOUBLE, c->seq_len, c->columns);
    onnx_value scaled = apply(n, "Div", apply(n, "Sub", past, doubles(n, s->mean, c->columns)),
                              doubles(n, s->std, c->columns));
    return transpose(n, onnx_cast(&n->graph, scaled, ONNX_FLOAT), ONNX_INTS("perm", 0, 2, 1));
}

static onnx_value take_tokens(network *n, onnx_value series) {
    const model_config *c = n->config;
    if (!c->marks) return series;
    onnx_value time_s = onnx_input(&n->graph, "time_s", ONNX_INT64, c->seq_len, 0);
    onnx_value marks  = onnx_marks(&n->graph, time_s, n->of->bundle.mark_step, c->marks);
    return onnx_node(&n->graph, "Concat", (onnx_value[]){ series, marks }, 2, ONNX_INT("axis", 1));
}

/* What the attributes of the series add to their tokens, which stand before those of the marks. */
static onnx_value add_attributes(network *n, onnx_value tokens) {
    const model_config *c = n->config;
    float *values = c->statics ? network_attributes(n->of) : NULL;
    if (c->statics && !values) n->short_of_memory = true;
    if (!values) return tokens;
    tide_shape shape = TIDE_SHAPE(c->columns, c->d_model);
    onnx_value said  = onnx_tensor(&n->graph, "attributes", ONNX_FLOAT, shape, values);
    free(values);
    if (!c->marks) return apply(n, "Add", tokens, said);
    onnx_value first = apply(n, "Add", rows_of(n, tokens, 0, c->columns), said);
    onnx_value rest  = rows_of(n, tokens, c->columns, c->marks);
    return onnx_node(&n->graph, "Concat", (onnx_value[]){ first, rest }, 2, ONNX_INT("axis", 1));
}

/* (batch, targets, pred_len) of the scaled series, times the targets' deviations: (batch, pred_len, targets). */
static onnx_value in_units(network *n, onnx_value x) {
    const model_config *c = n->config;
    onnx_value rows = onnx_cast(&n->graph, transpose(n, x, ONNX_INTS("perm", 0, 2, 1)), ONNX_DOUBLE);
    return apply(n, "Mul", rows, doubles(n, n->of->bundle.scaler.std + c->out_first, c->out_count));
}

static onnx_value give_future(network *n, onnx_value out) {
    const model_config *c = n->config;
    onnx_value mean   = doubles(n, n->of->bundle.scaler.mean + c->out_first, c->out_count);
    onnx_value future = apply(n, "Add", in_units(n, out), mean);
    onnx_output(&n->graph, future, "future", ONNX_DOUBLE, c->pred_len, c->out_count);
    return future;
}

/* ---- intervals ---- */

/* (batch, 1, targets): how much each window moves, as conformal.h scales residuals. */
static onnx_value window_scale(network *n, onnx_value series) {
    const model_config *c = n->config;
    const bundle       *b = &n->of->bundle;
    onnx_graph         *g = &n->graph;
    onnx_value rows     = onnx_cast(g, rows_of(n, series, c->out_first, c->out_count), ONNX_DOUBLE);
    onnx_value apart    = apply(n, "Sub", rows, mean_of(n, rows));
    onnx_value variance = transpose(n, mean_of(n, apply(n, "Mul", apart, apart)), ONNX_INTS("perm", 0, 2, 1));
    onnx_value share    = apply(n, "Mul", variance, doubles(n, b->scaler.std + c->out_first, c->out_count));
    share = apply(n, "Mul", share, doubles(n, b->scaler.std + c->out_first, c->out_count));
    share = apply(n, "Div", apply(n, "Div", share, doubles(n, b->bands.unit, c->out_count)),
                  doubles(n, b->bands.unit, c->out_count));
    share = apply(n, "Add", share, doubles(n, (const double[]){ BANDS_FLOOR * BANDS_FLOOR }, 1));
    return apply(n, "Pow", share, doubles(n, (const double[]){ BANDS_FOLLOW / 2 }, 1));
}

/* A width of the head, (batch, pred_len, targets) in original units. `deviation` NULL: windows are not normalised. */
static onnx_value head_width(network *n, onnx_value raw, int64_t term, const onnx_value *deviation) {
    const model_config *c = n->config;
    onnx_value part  = part_of(n, raw, 2, (1 + term) * c->pred_len, c->pred_len);
    onnx_value width = apply(n, "Add", onnx_unary(&n->graph, "Softplus", part),
                             onnx_float(&n->graph, HEAD_LEAST_WIDTH));
    return in_units(n, deviation ? apply(n, "Mul", width, *deviation) : width);
}

static void give_bound(network *n, onnx_value future, const onnx_value *term, int64_t level, int side) {
    const model_config *c = n->config;
    char name[40], number[32];
    onnx_value bound = future;
    for (int64_t k = 0; k < n->bounds.terms; k++) {
        onnx_value times = onnx_tensor(&n->graph, NULL, ONNX_DOUBLE, TIDE_SHAPE(c->pred_len, c->out_count),
                                       export_bound(n->of, &n->bounds, level, side, k));
        bound = apply(n, "Add", bound, apply(n, "Mul", term[k], times));
    }
    num_format(number, n->of->levels.of[level], false);
    snprintf(name, sizeof name, "%s-%s", side ? "hi" : "lo", number);
    onnx_output(&n->graph, bound, name, ONNX_DOUBLE, c->pred_len, c->out_count);
}

static void give_bounds(network *n, onnx_value series, onnx_value raw, const onnx_value *deviation, onnx_value future) {
    onnx_value term[FORECAST_MAX_QUANTILES];
    if (!n->bounds.levels) return;
    if (!n->of->bundle.bands.shape.widths) term[0] = window_scale(n, series);
    else
        for (int64_t k = 0; k < n->bounds.terms; k++) term[k] = head_width(n, raw, k, deviation);
    for (int64_t i = 0; i < 2 * n->bounds.levels; i++) give_bound(n, future, term, i / 2, (int)(i % 2));
}

static void put_network(network *n) {
    const model_config *c = n->config;
    onnx_value past = take_past(n), series = past, mean = past, deviation = past;
    if (c->use_norm) {
        mean   = mean_of(n, series);
        series = centre(n, series, mean, &deviation);
        series = apply(n, "Div", series, deviation);
    }
    onnx_value embedded = linear(n, -1, &network_outer[0], take_tokens(n, series));
    onnx_value tokens   = encode(n, add_attributes(n, embedded));
    onnx_value raw      = linear(n, -1, &network_outer[2], layer_norm(n, -1, &network_outer[1], tokens));
    onnx_value point    = head_outputs(c) > 1 ? part_of(n, raw, 2, 0, c->pred_len) : raw;
    if (c->use_norm) {
        deviation = rows_of(n, deviation, c->out_first, c->out_count);
        point     = apply(n, "Mul", point, deviation);
        point     = apply(n, "Add", point, rows_of(n, mean, c->out_first, c->out_count));
    }
    onnx_value future = give_future(n, point);
    give_bounds(n, past, raw, c->use_norm ? &deviation : NULL, future);
}

/* ---- the model around the graph ---- */

enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_GRAPH = 7, MODEL_OPSET = 8,
       MODEL_METADATA = 14, GRAPH_NAME = 2, OPSET_DOMAIN = 1, OPSET_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

static void put_entry(protobuf *model, const char *key, const char *value) {
    protobuf entry = { 0 };
    protobuf_text(&entry, ENTRY_KEY, key);
    protobuf_text(&entry, ENTRY_VALUE, value);
    protobuf_message(model, MODEL_METADATA, &entry);
}

/* A JSON list. */
static void put_names(protobuf *model, const char *key, char *const *names, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_text(names[i]));
    char *text = json_whole(list, JSON_COMPACT);
    if (text) put_entry(model, key, text);
    else model->failed = true;
    free(text);
    json_decref(list);
}

static void put_model(network *n, protobuf *model) {
    protobuf            opset = { 0 };
    const bundle       *b     = &n->of->bundle;
    const model_config *c     = n->config;
    protobuf_text(&n->graph.graph, GRAPH_NAME, "iTransformer");
    put_network(n);
    protobuf_text(&opset, OPSET_DOMAIN, "");
    protobuf_number(&opset, OPSET_VERSION, ONNX_OPSET);
    protobuf_number(model, MODEL_IR, ONNX_IR);
    protobuf_text(model, MODEL_PRODUCER, "Tidemill");
    protobuf_text(model, MODEL_PRODUCER_VERSION, TIDE_VERSION);
    protobuf_message(model, MODEL_GRAPH, &n->graph.graph);
    protobuf_message(model, MODEL_OPSET, &opset);
    put_names(model, "columns", b->names, c->columns);
    put_names(model, "targets", b->names + c->out_first, c->out_count);
    put_entry(model, "model_sha256", n->of->sha256);
}

static tide_status write_bytes(void *user, void *stdio_file) {
    const protobuf *model = user;
    return fwrite(model->data, 1, model->size, stdio_file) == model->size ? TIDE_OK : TIDE_EIO;
}

tide_status export_onnx(const exported *e, const char *path, tide_failure *failure) {
    network  n     = { .of = e, .config = &e->bundle.config };
    protobuf model = { 0 };
    if (forecaster_parameters(n.config) * (int64_t)sizeof(float) > MOST_BYTES)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "format",
                       "an ONNX file holds at most 2 GiB, too little for this model: `format` pth has no such limit");
    tide_status status = export_bounds_of(e, &n.bounds, failure);
    if (status == TIDE_OK) put_model(&n, &model);
    if (status == TIDE_OK && (model.failed || n.short_of_memory))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the model's graph");
    if (status == TIDE_OK) status = tide_file_replace(path, write_bytes, &model, failure);
    export_bounds_free(&n.bounds);
    protobuf_free(&model);
    return status;
}
