/* The network's files: model.safetensors with its card, the MLX guide's .npz and .pth. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "file.h"
#include "train/parameters.h"

enum { CARD_VERSION = 1 };
#define CARD_KEY "tidemill.eis"
#define CARD_KIND "eis-known"

/* ---- writing ---- */

static json_t *axes_json(int64_t points) {
    json_t *all = json_object();
    for (int k = 0; k < EIS_COUNT; k++) {
        json_t *axis = json_array();
        for (int64_t i = 0; i < points; i++) json_array_append_new(axis, json_real(eis_grid_value(k, i, points)));
        json_object_set_new(all, eis_parameters[k].name, axis);
    }
    return all;
}

static char *card_text(const known_sizes *sizes, const known_card *c) {
    const known_scale *s = &c->scale;
    json_t *o = json_pack("{s:i, s:s, s:s, s:I, s:I, s:o, s:s, s:s, s:{s:s, s:b, s:f, s:f, s:f}}", "format_version",
                          CARD_VERSION, "kind",
                          CARD_KIND, "circuit", c->circuit == EIS_CHAIN ? "chain" : "shunt", "hidden_dim",
                          (json_int_t)sizes->width[0],
                          "points", (json_int_t)sizes->points, "axes", axes_json(sizes->points), "pool", c->pool,
                          "masks", c->masks,
                          "resnorm", "kind", c->resnorm_kind, "log10", s->log, "floor", s->floor, "mean", s->mean,
                          "sd", s->sd);
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(o);
    return text;
}

/* Without the maps, which follow from the others. */
static tide_status add_parameters(tide_archive *a, tide_list params, const tide_snapshot_t *best) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < params.count; i++) {
        tide_val v = params.items[i];
        if (!strncmp(tide_name_of(v), "map.", 4)) continue;
        const void *data = best ? tide_snapshot_data(best, i) : tide_data(v);
        status = data ? tide_archive_add(a, tide_name_of(v), tide_dtype_of(v), tide_shape_of(v), data) : TIDE_ENOMEM;
    }
    return status;
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the model's file");
}

tide_status known_model_archive(const known_sizes *sizes, const known_card *card, tide_list params,
                                const tide_snapshot_t *best, tide_archive *a) {
    char       *text   = card_text(sizes, card);
    tide_status status = text ? tide_archive_set(a, CARD_KEY, text) : TIDE_ENOMEM;
    free(text);
    return status == TIDE_OK ? add_parameters(a, params, best) : status;
}

tide_status known_model_write_memory(const known_model *m, void **bytes, size_t *size, tide_failure *failure) {
    tide_archive a = { 0 };
    if (!m->card.circuit_given)
        return fail(failure, TIDE_EINVAL, "the model is a weights file of the MLX guide: it is saved as it is");
    tide_status status = known_model_archive(&m->network.sizes, &m->card, parameters_begin(m->held), NULL, &a);
    parameters_end(m->held);
    if (status != TIDE_OK) no_memory(failure);
    else status = tide_safetensors_write_memory(&a, bytes, size, failure);
    tide_archive_free(&a);
    return status;
}

tide_status known_npz_write(const char *path, const known_network *n, const tide_snapshot_t *best,
                            tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_status  status = add_parameters(&a, n->params, best);
    if (status != TIDE_OK) no_memory(failure);
    else status = tide_npz_write(path, &a, false, failure);
    tide_archive_free(&a);
    return status;
}

/* ---- reading ---- */

static bool ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && !strcmp(text + a - b, end);
}

static void file_of(const char *path, char file[EIS_TEXT_SIZE + 32]) {
    struct stat s;
    bool folder = stat(path, &s) == 0 && S_ISDIR(s.st_mode);
    snprintf(file, EIS_TEXT_SIZE + 32, "%s%s", path, folder ? "/model.safetensors" : "");
}

static bool copy_text(const json_t *o, const char *key, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(o, key));
    return text && snprintf(out, size, "%s", text) < (int)size;
}

static bool read_card(const json_t *o, known_card *c) {
    const json_t *r = json_object_get(o, "resnorm");
    char circuit[16];
    bool fine = copy_text(o, "circuit", circuit, sizeof circuit) &&
                copy_text(r, "kind", c->resnorm_kind, sizeof c->resnorm_kind) &&
                copy_text(o, "pool", c->pool, sizeof c->pool) && copy_text(o, "masks", c->masks, sizeof c->masks);
    c->circuit_given = fine && (!strcmp(circuit, "shunt") || !strcmp(circuit, "chain"));
    c->circuit       = c->circuit_given && !strcmp(circuit, "chain") ? EIS_CHAIN : EIS_SHUNT;
    c->scale =
        (known_scale){ json_is_true(json_object_get(r, "log10")), json_number_value(json_object_get(r, "floor")),
                       json_number_value(json_object_get(r, "mean")), json_number_value(json_object_get(r, "sd")) };
    const known_scale *scale = &c->scale;
    return c->circuit_given && scale->sd > 0 && isfinite(scale->sd) && isfinite(scale->mean) &&
           isfinite(scale->floor) && scale->floor >= 0;
}

tide_status known_card_take(const char *path, const tide_archive *a, known_card *card, tide_failure *failure) {
    const char *text   = tide_archive_metadata(a, CARD_KEY);
    json_t     *o      = text ? json_loads(text, 0, NULL) : NULL;
    const char *kind   = json_string_value(json_object_get(o, "kind"));
    tide_status status = TIDE_OK;
    if (!kind || strcmp(kind, CARD_KIND))
        status = fail_at(failure, TIDE_EINVAL, path, 0, "model",
                         "%s is not a predictor from known values: training with `inputs` known makes one",
                         path);
    else if (json_integer_value(json_object_get(o, "format_version")) > CARD_VERSION)
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL,
                         "the format of %s is newer than this program reads: update tidemill", path);
    else if (!read_card(o, card))
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL, "the metadata of %s are damaged: train again", path);
    json_decref(o);
    return status;
}

tide_status known_archive_read(const char *path, tide_archive *a, known_card *card, tide_failure *failure) {
    char file[EIS_TEXT_SIZE + 32];
    file_of(path, file);
    *card = (known_card){ 0 };
    if (ends_with(file, ".npz")) return tide_npz_read(file, a, failure);
    if (ends_with(file, ".pth")) return tide_pth_read(file, a, failure);
    tide_status status = tide_safetensors_read(file, a, failure);
    return status == TIDE_OK ? known_card_take(file, a, card, failure) : status;
}

bool known_model_is(const char *path) {
    char         file[EIS_TEXT_SIZE + 32];
    tide_archive a = { 0 };
    known_card   card;
    file_of(path, file);
    if (ends_with(file, ".npz") || ends_with(file, ".pth")) return true;
    bool is = tide_safetensors_read(file, &a, NULL) == TIDE_OK && known_card_take(file, &a, &card, NULL) == TIDE_OK;
    tide_archive_free(&a);
    return is;
}
