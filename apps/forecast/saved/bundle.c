/* Writes the model file: parameters, and in its metadata scaler, columns, frequency and the last rows. */
#include "bundle.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "bands_file.h"
#include "base/base.h"
#include "base/json.h"
#include "forecast/data/zone.h"
#include "forecast/models/ensemble.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file");
}

void bundle_free(bundle *b) {
    for (int64_t i = 0; b->names && i < b->config.columns; i++) free(b->names[i]);
    free(b->names);
    free(b->place);
    scaler_free(&b->scaler);
    free(b->time_name);
    free(b->blind);
    free(b->ahead);
    holidays_free(&b->holidays);
    statics_free(&b->statics);
    time_columns_free(&b->time_columns);
    long_form_free(&b->form);
    free(b->tail);
    free(b->tail_time);
    zone_free(b->zone);
    record_free(&b->record);
    bands_free(&b->bands);
    json_decref(b->reading);
    *b = (bundle){ 0 };
}

static bool copy_names(bundle *b, char *const *names) {
    b->names = calloc((size_t)b->config.columns + 1, sizeof *b->names);
    for (int64_t i = 0; b->names && i < b->config.columns; i++)
        if (!(b->names[i] = strdup(names[i]))) return false;
    return b->names != NULL;
}

static bool copy_ahead(bundle *b, const double *ahead) {
    size_t bytes = (size_t)(b->config.pred_len * b->config.known) * sizeof *b->ahead;
    if (ahead && (b->ahead = malloc(bytes + 1))) memcpy(b->ahead, ahead, bytes);
    return !ahead || b->ahead;
}

static bool copy_blind(bundle *b, const float *blind) {
    size_t bytes = (size_t)b->config.columns * sizeof *b->blind;
    if (blind && (b->blind = malloc(bytes + 1))) memcpy(b->blind, blind, bytes);
    return !blind || b->blind;
}

static bool copy_places(bundle *b, const int64_t *place) {
    b->place = malloc((size_t)b->config.columns * sizeof *b->place + 1);
    for (int64_t i = 0; b->place && i < b->config.columns; i++) b->place[i] = place ? place[i] : i;
    return b->place != NULL;
}

/* The last seq_len rows of the whole file, those beyond a kind's cut included: the future begins after them. Gaps stay
 * where the model is told of them; PEMS' are filled as the scaler does: scaled and back. */
static bool copy_tail(bundle *b, const frame *f) {
    int64_t rows = b->config.seq_len, from = f->file_rows - rows, cells = rows * f->columns;
    b->tail = malloc((size_t)cells * sizeof *b->tail + 1);
    if (!b->tail) return false;
    memcpy(b->tail, f->values + from * f->columns, (size_t)cells * sizeof *b->tail);
    for (int64_t i = 0; i < cells && !b->config.masked; i++)
        if (b->tail[i] != b->tail[i]) b->tail[i] = i >= f->columns ? b->tail[i - f->columns] : b->scaler.mean[i];
    if (!f->time) return true;
    b->tail_time = malloc((size_t)rows * sizeof *b->tail_time + 1);
    if (b->tail_time) memcpy(b->tail_time, f->time + from, (size_t)rows * sizeof *b->tail_time);
    return b->tail_time != NULL;
}

tide_status bundle_from(const dataset *d, const forecast_options *o, const model_config *config, bundle *out,
                        tide_failure *failure) {
    const frame *f = &d->frame;
    *out = (bundle){ .config = *config,
                     .kind = o->kind,
                     .features = o->features,
                     .target = f->target,
                     .step = f->step,
                     .mark_step = d->mark_step,
                     .format = f->format,
                     .time_place = f->time_place,
                     .holiday_columns = d->holiday_columns,
                     .issued_columns = d->issued_columns,
                     .record.sizes = { o->val, o->test } };
    if (d->starts) snprintf(out->record.origins, sizeof out->record.origins, "%s", o->origins);
    out->time_name = f->time_name ? strdup(f->time_name) : NULL;
    out->zone      = zone_copy(f->zone);
    bool fine = (!f->time_name || out->time_name) && !f->zone == !out->zone &&
                time_columns_copy(&f->time_columns, &out->time_columns) && copy_names(out, f->names) &&
                copy_places(out, f->place) && copy_blind(out, d->blind) && copy_ahead(out, d->ahead) &&
                holidays_copy(&d->holidays, &out->holidays) &&
                statics_copy(&d->statics, &out->statics) && scaler_copy(&d->scaler, &out->scaler) &&
                copy_tail(out, f) && long_form_copy(&f->form, &out->form) && reading_options_json(o, f, &out->reading);
    if (fine) return TIDE_OK;
    bundle_free(out);
    return no_memory(failure);
}

bool bundle_refresh(bundle *b, const dataset *d) {
    free(b->tail);
    free(b->tail_time);
    free(b->ahead);
    zone_free(b->zone);
    b->tail = b->ahead = NULL, b->tail_time = NULL;
    b->zone = zone_copy(d->frame.zone);
    return !d->frame.zone == !b->zone && copy_tail(b, &d->frame) && copy_ahead(b, d->ahead) &&
           record_refresh(&b->record, d, &b->config);
}

/* ---- the metadata, one JSON object ---- */

const model_size model_sizes[MODEL_SIZES] = {
    { "seq_len", offsetof(model_config, seq_len), "seq-len" },
    { "pred_len", offsetof(model_config, pred_len), "pred-len" },
    { "columns", offsetof(model_config, columns), NULL },        { "marks", offsetof(model_config, marks), NULL },
    { "d_model", offsetof(model_config, d_model), "d-model" },
    { "n_heads", offsetof(model_config, n_heads), "n-heads" },
    { "head_size", offsetof(model_config, head_size), NULL },    { "d_ff", offsetof(model_config, d_ff), "d-ff" },
    { "e_layers", offsetof(model_config, e_layers), "e-layers" },
    { "out_first", offsetof(model_config, out_first), NULL },
    { "out_count", offsetof(model_config, out_count), NULL },
};

static json_t *members_json(const model_config *c) {
    int     arch[ENSEMBLE_MEMBERS], count = ensemble_members(c->members, arch);
    json_t *a = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(a, json_string(architecture_of(arch[i])->name));
    return a;
}

static json_t *reals_json(const double *values, int64_t count) {
    json_t *a = json_array();
    for (int64_t i = 0; i < count; i++) json_array_append_new(a, json_real(values[i]));
    return a;
}

const char *const head_words[HEAD_KINDS] = { "point", "quantile", "student-t" };

static json_t *config_json(const model_config *c) {
    json_t *o = json_object();
    for (int i = 0; i < MODEL_SIZES; i++)
        json_object_set_new(o, model_sizes[i].key,
                            json_integer(*(const int64_t *)((const char *)c + model_sizes[i].offset)));
    json_object_set_new(o, "dropout", json_real(c->dropout));
    json_object_set_new(o, "activation", json_string(c->relu ? "relu" : "gelu"));
    json_object_set_new(o, "use_norm", json_boolean(c->use_norm));
    if (c->masked) json_object_set_new(o, "masked", json_true());
    if (c->arch) json_object_set_new(o, "arch", json_string(architecture_of(c->arch)->name));
    if (c->known) json_object_set_new(o, "known", json_integer(c->known));
    if (c->statics) json_object_set_new(o, "statics", json_integer(c->statics));
    if (c->members) json_object_set_new(o, "members", members_json(c));
    if (c->season) json_object_set_new(o, "season", json_integer(c->season));
    if (c->head) json_object_set_new(o, "head", json_string(head_words[c->head]));
    if (c->quantile_count) json_object_set_new(o, "quantiles", reals_json(c->quantile, c->quantile_count));
    return o;
}

static json_t *places_json(const bundle *b) {
    json_t *a = json_array();
    for (int64_t i = 0; i < b->config.columns; i++) json_array_append_new(a, json_integer(b->place[i]));
    return a;
}

/* [[name, place, part], ...]: where a stamp stands that is not in one column. */
static json_t *time_columns_json(const time_columns *t) {
    json_t *a = json_array();
    for (int i = 0; i < t->count; i++)
        json_array_append_new(a, json_pack("[s, I, i]", t->of[i].name, (json_int_t)t->of[i].place, (int)t->of[i].part));
    return a;
}

/* [[instant, offset], ...] of the last rows, where the offsets are their own and no zone's. */
static json_t *offsets_json(const bundle *b) {
    json_t *a = json_array();
    for (int64_t i = 0; i < b->config.seq_len; i++) {
        int64_t offset = zone_offset(b->zone, b->tail_time[i]);
        if (i && offset == zone_offset(b->zone, b->tail_time[i - 1])) continue;
        json_array_append_new(a, json_pack("[I, I]", (json_int_t)b->tail_time[i], (json_int_t)offset));
    }
    return a;
}

static json_t *time_json(const bundle *b) {
    char step[STEP_TEXT], marks[STEP_TEXT];
    step_print(step, b->step);
    step_print(marks, b->mark_step);
    const time_format *f = &b->format;
    json_t *o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:s}", "step", b->step.unit ? step : "", "marks",
                          b->config.marks ? marks : "", "kind", f->kind, "separator",
                          f->separator, "middle", f->middle, "fraction", f->fraction, "offset", f->offset);
    if (b->step.day) json_object_set_new(o, "step_day", json_integer(b->step.day));
    if (b->zone && !*b->zone->name && b->tail_time) json_object_set_new(o, "offsets", offsets_json(b));
    json_object_set_new(o, "padded", json_boolean(f->padded));
    json_object_set_new(o, "hour_padded", json_boolean(f->hour_padded));
    json_object_set_new(o, "seconds", json_boolean(f->seconds));
    json_object_set_new(o, "shape", json_integer(f->shape));
    json_object_set_new(o, "colon", json_integer(f->colon));
    json_object_set_new(o, "half", json_integer(f->half));
    if (f->month_name) json_object_set_new(o, "month_name", json_integer(f->month_name));
    if (f->letters) json_object_set_new(o, "letters", json_integer(f->letters));
    if (f->short_year) json_object_set_new(o, "short_year", json_true());
    if (f->comma) json_object_set_new(o, "comma", json_true());
    json_object_set_new(o, "place", json_integer(b->time_place));
    json_object_set_new(o, "in_columns", time_columns_json(&b->time_columns));
    json_object_set_new(o, "column", b->time_name ? json_string(b->time_name) : json_null());
    return o;
}

/* Where the columns without history stand. */
static json_t *blind_json(const bundle *b) {
    json_t *a = json_array();
    for (int64_t i = 0; i < b->config.columns; i++)
        if (b->blind[i] > 0) json_array_append_new(a, json_integer(i));
    return a;
}

static char *metadata_text(const bundle *b) {
    json_t *names = json_array();
    for (int64_t i = 0; i < b->config.columns; i++) json_array_append_new(names, json_string(b->names[i]));
    json_t *o = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:I}", "format_version", BUNDLE_VERSION,
                          "model", config_json(&b->config),
                          "columns", names, "places", places_json(b), "mean",
                          reals_json(b->scaler.mean, b->config.columns), "std",
                          reals_json(b->scaler.std, b->config.columns), "time", time_json(b), "kind", b->kind,
                          "features", b->features,
                          "target", (json_int_t)b->target);
    json_object_set_new(o, "training", record_json(&b->record));
    if (b->blind) json_object_set_new(o, "without_history", blind_json(b));
    if (b->issued_columns) json_object_set_new(o, "issued_columns", json_integer(b->issued_columns));
    if (b->statics.count) o = json_with(o, "static", statics_json(&b->statics));
    if (b->holiday_columns) {
        json_object_set_new(o, "holidays", holidays_json(&b->holidays));
        json_object_set_new(o, "holiday_columns", json_integer(b->holiday_columns));
    }
    if (b->reading) json_object_set(o, "reading", b->reading);
    if (b->form.ids) json_object_set_new(o, "long", bundle_form_json(&b->form));
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
tide_shape published_shape(const char *name, tide_shape shape) {
    if (ends_with(name, "conv1.weight") || ends_with(name, "conv2.weight")) shape.dim[shape.ndim++] = 1;
    return shape;
}

static tide_status add_parts(tide_archive *a, const bundle *b, tide_list params, const tide_snapshot_t *best) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < params.count; i++) {
        const char *name = tide_name_of(params.items[i]);
        const void *data = best ? tide_snapshot_data(best, i) : tide_data(params.items[i]);
        status = data ? tide_archive_add(a, name, tide_dtype_of(params.items[i]),
                                         published_shape(name, tide_shape_of(params.items[i])), data)
                      : TIDE_ENOMEM;
    }
    const model_config *c = &b->config;
    if (status == TIDE_OK)
        status = tide_archive_add(a, "tail.values", TIDE_F64, TIDE_SHAPE(c->seq_len, c->columns), b->tail);
    if (status == TIDE_OK && b->tail_time)
        status = tide_archive_add(a, "tail.time", TIDE_I64, TIDE_SHAPE(c->seq_len), b->tail_time);
    if (status == TIDE_OK && b->ahead)
        status = tide_archive_add(a, "known.values", TIDE_F64, TIDE_SHAPE(c->pred_len, c->known), b->ahead);
    if (status == TIDE_OK && b->statics.count)
        status = tide_archive_add(a, "static.values", TIDE_F32, TIDE_SHAPE(c->columns, b->statics.inputs),
                                  b->statics.values);
    if (status == TIDE_OK) status = record_add(a, &b->record, c);
    if (status == TIDE_OK) status = bands_add(a, &b->bands);
    char *text = metadata_text(b);
    if (status == TIDE_OK) status = text ? tide_archive_set(a, "tidemill.forecast", text) : TIDE_ENOMEM;
    free(text);
    return status;
}

tide_status bundle_write_memory(const bundle *b, tide_list params, const tide_snapshot_t *best, void **bytes,
                                size_t *size, tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_status  status = add_parts(&a, b, params, best);
    if (status != TIDE_OK) no_memory(failure);
    else status = tide_safetensors_write_memory(&a, bytes, size, failure);
    tide_archive_free(&a);
    return status;
}

tide_status bundle_write(const char *path, const bundle *b, tide_list params, const tide_snapshot_t *best,
                         tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_status  status = add_parts(&a, b, params, best);
    if (status != TIDE_OK) no_memory(failure);
    else status = tide_safetensors_write(path, &a, failure);
    tide_archive_free(&a);
    return status;
}
