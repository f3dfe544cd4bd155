/* The columns of a table in long format, in the model file: their headers and places, and what stands in the id columns
 * for each series. */
#include <jansson.h>
#include <stdlib.h>

#include "base/base.h"
#include "bundle.h"

enum { MOST_IDS = 16 };
static const json_int_t LARGEST_PLACE = 1000000000;

/* ---- writing ---- */

static json_t *texts_json(char *const *texts, int64_t count) {
    json_t *a = json_array();
    for (int64_t i = 0; i < count; i++) json_array_append_new(a, json_string(texts[i]));
    return a;
}

static json_t *wholes_json(const int64_t *values, int64_t count) {
    json_t *a = json_array();
    for (int64_t i = 0; i < count; i++) json_array_append_new(a, json_integer(values[i]));
    return a;
}

json_t *bundle_form_json(const long_form *f) {
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "ids", (json_int_t)f->ids, "names",
                     texts_json(f->names, f->ids + f->values), "places", wholes_json(f->place, f->ids + f->values),
                     "id", texts_json(f->id, f->columns * f->ids), "value", wholes_json(f->value, f->columns));
}

/* ---- reading ---- */

/* Both fail where the list is no list of `count` such members. */
static bool read_texts(const json_t *a, int64_t count, char **out, bool *out_of_memory) {
    if (!json_is_array(a) || (int64_t)json_array_size(a) != count) return false;
    for (int64_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(a, (size_t)i));
        if (!text) return false;
        if (!(out[i] = strdup(text))) return *out_of_memory = true, false;
    }
    return true;
}

static bool read_wholes(const json_t *a, int64_t count, json_int_t below, int64_t *out) {
    if (!json_is_array(a) || (int64_t)json_array_size(a) != count) return false;
    for (int64_t i = 0; i < count; i++) {
        const json_t *v = json_array_get(a, (size_t)i);
        out[i]          = json_integer_value(v);
        if (!json_is_integer(v) || out[i] < 0 || out[i] >= below) return false;
    }
    return true;
}

bool bundle_form_read(const json_t *o, int64_t columns, long_form *out, bool *out_of_memory) {
    const json_t *names = json_object_get(o, "names");
    int64_t       ids = json_integer_value(json_object_get(o, "ids")), all = (int64_t)json_array_size(names);
    if (ids < 1 || ids > MOST_IDS || all <= ids) return false;
    if (!long_form_new(out, ids, all - ids, columns)) return *out_of_memory = true, false;
    return read_texts(names, all, out->names, out_of_memory) &&
           read_wholes(json_object_get(o, "places"), all, LARGEST_PLACE, out->place) &&
           read_texts(json_object_get(o, "id"), columns * ids, out->id, out_of_memory) &&
           read_wholes(json_object_get(o, "value"), columns, all - ids, out->value);
}
