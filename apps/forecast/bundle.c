#include "bundle.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

static tide_status no_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file"); }

void bundle_free(bundle *b) {
    for (int64_t i = 0; b->names && i < b->config.columns; i++) free(b->names[i]);
    free(b->names);
    free(b->place);
    scaler_free(&b->scaler);
    free(b->time_name);
    time_columns_free(&b->time_columns);
    free(b->tail);
    free(b->tail_time);
    record_free(&b->record);
    json_decref(b->reading);
    *b = (bundle){ 0 };
}

static bool copy_names(bundle *b, char *const *names) {
    b->names = calloc((size_t)b->config.columns + 1, sizeof *b->names);
    for (int64_t i = 0; b->names && i < b->config.columns; i++)
        if (!(b->names[i] = strdup(names[i]))) return false;
    return b->names != NULL;
}

static bool copy_places(bundle *b, const int64_t *place) {
    b->place = malloc((size_t)b->config.columns * sizeof *b->place + 1);
    for (int64_t i = 0; b->place && i < b->config.columns; i++) b->place[i] = place ? place[i] : i;
    return b->place != NULL;
}

/* The last seq_len rows of the whole file, those beyond a kind's cut included: the future begins after them. PEMS gaps are
 * filled as the scaler does: scaled and back. */
static bool copy_tail(bundle *b, const frame *f) {
    int64_t rows = b->config.seq_len, from = f->file_rows - rows, cells = rows * f->columns;
    b->tail = malloc((size_t)cells * sizeof *b->tail + 1);
    if (!b->tail) return false;
    memcpy(b->tail, f->values + from * f->columns, (size_t)cells * sizeof *b->tail);
    for (int64_t i = 0; i < cells; i++)
        if (b->tail[i] != b->tail[i]) b->tail[i] = i >= f->columns ? b->tail[i - f->columns] : b->scaler.mean[i];
    if (!f->time) return true;
    b->tail_time = malloc((size_t)rows * sizeof *b->tail_time + 1);
    if (b->tail_time) memcpy(b->tail_time, f->time + from, (size_t)rows * sizeof *b->tail_time);
    return b->tail_time != NULL;
}

tide_status bundle_from(const dataset *d, const forecast_options *o, const model_config *config, bundle *out, tide_failure *failure) {
    const frame *f = &d->frame;
    *out           = (bundle){ .config = *config, .kind = o->kind, .features = o->features, .target = f->target, .step = f->step,
                               .mark_step = d->mark_step, .format = f->format, .time_place = f->time_place, .record.sizes = { o->val, o->test } };
    out->reading   = reading_options_json(o, f);
    out->time_name = f->time_name ? strdup(f->time_name) : NULL;
    bool fine      = (!f->time_name || out->time_name) && time_columns_copy(&f->time_columns, &out->time_columns) && copy_names(out, f->names) && copy_places(out, f->place) &&
                scaler_copy(&d->scaler, &out->scaler) && copy_tail(out, f);
    if (fine) return TIDE_OK;
    bundle_free(out);
    return no_memory(failure);
}

/* ---- the metadata, one JSON object ---- */

static const struct { const char *key; size_t offset; } sizes[] = {
    { "seq_len", offsetof(model_config, seq_len) },     { "pred_len", offsetof(model_config, pred_len) },
    { "columns", offsetof(model_config, columns) },     { "marks", offsetof(model_config, marks) },
    { "d_model", offsetof(model_config, d_model) },     { "n_heads", offsetof(model_config, n_heads) },
    { "head_size", offsetof(model_config, head_size) }, { "d_ff", offsetof(model_config, d_ff) },
    { "e_layers", offsetof(model_config, e_layers) },   { "out_first", offsetof(model_config, out_first) },
    { "out_count", offsetof(model_config, out_count) },
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static json_t *config_json(const model_config *c) {
    json_t *o = json_object();
    for (int i = 0; i < SIZES; i++) json_object_set_new(o, sizes[i].key, json_integer(*(const int64_t *)((const char *)c + sizes[i].offset)));
    json_object_set_new(o, "dropout", json_real(c->dropout));
    json_object_set_new(o, "activation", json_string(c->relu ? "relu" : "gelu"));
    json_object_set_new(o, "use_norm", json_boolean(c->use_norm));
    return o;
}

static json_t *reals_json(const double *values, int64_t count) {
    json_t *a = json_array();
    for (int64_t i = 0; i < count; i++) json_array_append_new(a, json_real(values[i]));
    return a;
}

static json_t *places_json(const bundle *b) {
    json_t *a = json_array();
    for (int64_t i = 0; i < b->config.columns; i++) json_array_append_new(a, json_integer(b->place[i]));
    return a;
}

/* [[name, place, part], ...]: where a stamp stands that is not in one column. */
static json_t *time_columns_json(const time_columns *t) {
    json_t *a = json_array();
    for (int i = 0; i < t->count; i++) json_array_append_new(a, json_pack("[s, I, i]", t->of[i].name, (json_int_t)t->of[i].place, (int)t->of[i].part));
    return a;
}

static json_t *time_json(const bundle *b) {
    char step[24], marks[24];
    step_print(step, b->step);
    step_print(marks, b->mark_step);
    const time_format *f = &b->format;
    json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:s}", "step", b->step.unit ? step : "", "marks", b->config.marks ? marks : "", "kind", f->kind, "separator",
                          f->separator, "middle", f->middle, "fraction", f->fraction, "offset", f->offset);
    json_object_set_new(o, "padded", json_boolean(f->padded));
    json_object_set_new(o, "hour_padded", json_boolean(f->hour_padded));
    json_object_set_new(o, "seconds", json_boolean(f->seconds));
    json_object_set_new(o, "shape", json_integer(f->shape));
    json_object_set_new(o, "colon", json_integer(f->colon));
    json_object_set_new(o, "half", json_integer(f->half));
    json_object_set_new(o, "place", json_integer(b->time_place));
    json_object_set_new(o, "in_columns", time_columns_json(&b->time_columns));
    json_object_set_new(o, "column", b->time_name ? json_string(b->time_name) : json_null());
    return o;
}

static char *metadata_text(const bundle *b) {
    json_t *names = json_array();
    for (int64_t i = 0; i < b->config.columns; i++) json_array_append_new(names, json_string(b->names[i]));
    json_t *o = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:I}", "format_version", BUNDLE_VERSION, "model", config_json(&b->config),
                          "columns", names, "places", places_json(b), "mean", reals_json(b->scaler.mean, b->config.columns), "std",
                          reals_json(b->scaler.std, b->config.columns), "time", time_json(b), "kind", b->kind, "features", b->features,
                          "target", (json_int_t)b->target);
    json_object_set_new(o, "training", record_json(&b->record));
    if (b->reading) json_object_set(o, "reading", b->reading);
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(o);
    return text;
}

/* ---- writing ---- */

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && !strcmp(text + a - b, end);
}

/* The published checkpoints have the feed-forward maps as convolutions of width 1: (out, in, 1). */
static tide_shape published_shape(const char *name, tide_shape shape) {
    if (ends_with(name, "conv1.weight") || ends_with(name, "conv2.weight")) shape.dim[shape.ndim++] = 1;
    return shape;
}

static tide_status add_parts(tide_archive *a, const bundle *b, tide_list params, const tide_snapshot_t *best) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < params.count; i++) {
        const char *name = tide_name_of(params.items[i]);
        const void *data = best ? tide_snapshot_data(best, i) : tide_data(params.items[i]);
        status = data ? tide_archive_add(a, name, tide_dtype_of(params.items[i]), published_shape(name, tide_shape_of(params.items[i])), data)
                      : TIDE_ENOMEM;
    }
    const model_config *c = &b->config;
    if (status == TIDE_OK) status = tide_archive_add(a, "tail.values", TIDE_F64, TIDE_SHAPE(c->seq_len, c->columns), b->tail);
    if (status == TIDE_OK && b->tail_time) status = tide_archive_add(a, "tail.time", TIDE_I64, TIDE_SHAPE(c->seq_len), b->tail_time);
    if (status == TIDE_OK) status = record_add(a, &b->record, c);
    char *text = metadata_text(b);
    if (status == TIDE_OK) status = text ? tide_archive_set(a, "tidemill.forecast", text) : TIDE_ENOMEM;
    free(text);
    return status;
}

tide_status bundle_write(const char *path, const bundle *b, tide_list params, const tide_snapshot_t *best, tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_status  status = add_parts(&a, b, params, best);
    if (status != TIDE_OK) no_memory(failure);
    else status = tide_safetensors_write(path, &a, failure);
    tide_archive_free(&a);
    return status;
}

/* ---- reading: a file from outside, nothing in it is taken on trust ---- */

/* Notes when memory was refused, so that the file is not blamed. */
static void *got(bundle *b, void *memory) {
    b->out_of_memory = b->out_of_memory || !memory;
    return memory;
}

static bool read_config(const json_t *o, model_config *c) {
    for (int i = 0; i < SIZES; i++) {
        const json_t *v = json_object_get(o, sizes[i].key);
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > 1000000000) return false;
        *(int64_t *)((char *)c + sizes[i].offset) = json_integer_value(v);
    }
    const char *activation = json_string_value(json_object_get(o, "activation"));
    c->dropout  = json_number_value(json_object_get(o, "dropout"));
    c->relu     = activation && !strcmp(activation, "relu");
    c->use_norm = json_is_true(json_object_get(o, "use_norm"));
    return c->seq_len > 0 && c->pred_len > 0 && c->columns > 0 && c->n_heads > 0 && c->head_size > 0 && c->d_model > 0 && c->d_ff > 0 &&
           c->out_count > 0 && c->out_first + c->out_count <= c->columns && c->marks < 16;
}

static bool read_reals(bundle *b, const json_t *a, double **out) {
    int64_t count = b->config.columns;
    if (!json_is_array(a) || (int64_t)json_array_size(a) != count || !(*out = got(b, malloc((size_t)count * sizeof **out + 1)))) return false;
    for (int64_t i = 0; i < count; i++) (*out)[i] = json_number_value(json_array_get(a, (size_t)i));
    return true;
}

static bool read_names(const json_t *a, bundle *b) {
    if (!json_is_array(a) || (int64_t)json_array_size(a) != b->config.columns) return false;
    b->names = got(b, calloc((size_t)b->config.columns + 1, sizeof *b->names));
    for (int64_t i = 0; b->names && i < b->config.columns; i++) {
        const char *name = json_string_value(json_array_get(a, (size_t)i));
        if (!name || !(b->names[i] = got(b, strdup(name)))) return false;
    }
    return b->names != NULL;
}

/* Models of the first versions have none: their columns stand as they are listed. */
static bool read_places(const json_t *a, bundle *b) {
    bool listed = json_array_size(a) == (size_t)b->config.columns;
    if (!copy_places(b, NULL)) return got(b, NULL) != NULL;
    for (int64_t i = 0; listed && i < b->config.columns; i++) b->place[i] = json_integer_value(json_array_get(a, (size_t)i));
    return true;
}

/* Models of 0.1.0 have none: their stamps stand in one column. */
static bool read_time_columns(const json_t *a, bundle *b) {
    time_columns *t = &b->time_columns;
    if (json_array_size(a) > TIME_COLUMNS) return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
        const json_t *one = json_array_get(a, i), *place = json_array_get(one, 1), *part = json_array_get(one, 2);
        const char   *name = json_string_value(json_array_get(one, 0));
        if (!name || !json_is_integer(place) || !json_is_integer(part) || json_integer_value(part) < 0 || json_integer_value(part) > PART_SECOND) return false;
        t->of[i].place = json_integer_value(place), t->of[i].part = (time_part)json_integer_value(part);
        if (!(t->of[i].name = got(b, strdup(name)))) return false;
        t->count++;
    }
    if (a || !b->time_name) return true;
    t->of[0].place = b->time_place, t->of[0].part = PART_STAMP;
    t->of[0].name  = got(b, strdup(b->time_name));
    t->count       = t->of[0].name != NULL;
    return t->count;
}

static bool read_time(const json_t *o, bundle *b) {
    const char *step = json_string_value(json_object_get(o, "step")), *marks = json_string_value(json_object_get(o, "marks"));
    const char *offset = json_string_value(json_object_get(o, "offset")), *name = json_string_value(json_object_get(o, "column"));
    if (!step || !marks || !offset || strlen(offset) >= sizeof b->format.offset) return false;
    if ((*step && !step_parse(step, &b->step)) || (*marks && !step_parse(marks, &b->mark_step))) return false;
    time_format *f = &b->format;
    f->kind        = (char)json_integer_value(json_object_get(o, "kind"));
    f->separator   = (char)json_integer_value(json_object_get(o, "separator"));
    f->middle      = (char)json_integer_value(json_object_get(o, "middle"));
    f->fraction    = (char)json_integer_value(json_object_get(o, "fraction"));
    f->padded      = json_is_true(json_object_get(o, "padded"));
    f->hour_padded = json_is_true(json_object_get(o, "hour_padded"));
    f->seconds     = json_is_true(json_object_get(o, "seconds"));
    memcpy(f->offset, offset, strlen(offset) + 1);
    b->time_place  = json_integer_value(json_object_get(o, "place"));
    b->time_name   = name ? got(b, strdup(name)) : NULL;
    f->shape       = (char)json_integer_value(json_object_get(o, "shape"));
    f->colon       = (char)json_integer_value(json_object_get(o, "colon"));
    f->half        = (char)json_integer_value(json_object_get(o, "half"));
    return (!name || b->time_name) && f->shape >= 0 && f->shape < DATE_SHAPES && read_time_columns(json_object_get(o, "in_columns"), b);
}

static bool read_tail(const tide_archive *a, bundle *b) {
    const tide_tensor *values = tide_archive_find(a, "tail.values"), *time = tide_archive_find(a, "tail.time");
    tide_shape shape = TIDE_SHAPE(b->config.seq_len, b->config.columns);
    if (!values || values->type != TIDE_F64 || !tide_shape_equal(values->shape, shape)) return false;
    size_t bytes = (size_t)tide_shape_count(shape) * sizeof *b->tail;
    if (!(b->tail = got(b, malloc(bytes + 1)))) return false;
    memcpy(b->tail, values->data, bytes);
    if (!b->time_name) return true;
    if (!time || time->type != TIDE_I64 || tide_shape_count(time->shape) != b->config.seq_len) return false;
    bytes = (size_t)b->config.seq_len * sizeof *b->tail_time;
    if (!(b->tail_time = got(b, malloc(bytes + 1)))) return false;
    memcpy(b->tail_time, time->data, bytes);
    return true;
}

static bool read_parts(const json_t *o, const tide_archive *a, bundle *b) {
    b->reading  = json_incref(json_object_get(o, "reading"));
    b->kind     = (int)json_integer_value(json_object_get(o, "kind"));
    b->features = (int)json_integer_value(json_object_get(o, "features"));
    b->target   = json_integer_value(json_object_get(o, "target"));
    bool fine = read_config(json_object_get(o, "model"), &b->config) && read_names(json_object_get(o, "columns"), b) &&
                read_places(json_object_get(o, "places"), b) &&
                read_reals(b, json_object_get(o, "mean"), &b->scaler.mean) &&
                read_reals(b, json_object_get(o, "std"), &b->scaler.std) && read_time(json_object_get(o, "time"), b) &&
                read_tail(a, b) && record_read(json_object_get(o, "training"), a, &b->config, &b->record, &b->out_of_memory) &&
                reading_options_sound(b->reading, &b->out_of_memory);
    b->scaler.columns = b->config.columns;
    return fine && b->target >= 0 && b->target < b->config.columns && b->kind >= 0 && b->kind <= FORECAST_PEMS && b->features >= 0 &&
           b->features <= FORECAST_MS;
}

tide_status bundle_read(const char *path, bundle *out, tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_status  status = tide_safetensors_read(path, &a, failure);
    if (status != TIDE_OK) return status;
    *out             = (bundle){ 0 };
    const char *text = tide_archive_metadata(&a, "tidemill.forecast");
    json_t     *o    = text ? json_loads(text, 0, NULL) : NULL;
    int64_t version  = json_integer_value(json_object_get(o, "format_version"));
    if (!o) status = fail_at(failure, TIDE_EDATA, path, 0, NULL, "this is no model of `tidemill forecast train`: it has no tidemill.forecast metadata");
    else if (version > BUNDLE_VERSION)
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL, "format version %" PRId64 " is newer than this program reads (%d): update tidemill", version, BUNDLE_VERSION);
    else if (!read_parts(o, &a, out))
        status = out->out_of_memory ? no_memory(failure)
                                    : fail_at(failure, TIDE_EDATA, path, 0, NULL, "the metadata of the model is damaged: train again or copy the run anew");
    if (status != TIDE_OK) bundle_free(out);
    json_decref(o);
    tide_archive_free(&a);
    return status;
}
