/* Safetensors: the JSON header is believed only as far as its offsets tile the file: no gap, no overlap, no byte
 * left. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "source.h"
#include "stored_type.h"

enum { HEADER_LIMIT = 100000000 };  /* the format's own */

typedef struct entry {
    const char *name;
    const stored_type *type;
    tide_shape shape;
    int64_t count, begin, end, order;  /* order: place in the header, so that empty arrays keep theirs */
} entry;

typedef struct header {
    json_t *json;
    entry  *entries;
    int64_t count;
} header;

/* ---- one entry of the header --------------------------------------------------------------------------- */

static bool get_size(const json_t *value, int64_t *out) {
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= 0;
}

static tide_status parse_shape(const source *s, const json_t *list, tide_shape *shape, tide_failure *f) {
    size_t axes = json_array_size(list);
    if (!json_is_array(list)) return source_fail(s, f, "'shape' is not a list of sizes");
    if (axes > TIDE_MAX_DIMS) return source_fail(s, f, "it has %zu axes; at most %d are accepted", axes, TIDE_MAX_DIMS);
    shape->ndim = (int32_t)axes;
    for (size_t i = 0; i < axes; i++)
        if (!get_size(json_array_get(list, i), &shape->dim[i]))
            return source_fail(s, f, "size %zu in 'shape' is not a whole number of 0 or more", i + 1);
    return TIDE_OK;
}

static tide_status parse_type(const source *s, const json_t *name, const stored_type **type, tide_failure *f) {
    const char *text = json_is_string(name) ? json_string_value(name) : "(none)";
    *type = stored_by_safetensors(text);
    if (*type) return TIDE_OK;
    return source_fail(
        s, f, "its dtype is %.40s; F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8 and BOOL are accepted",
        text);
}

static tide_status parse_entry(const source *s, const json_t *info, entry *e, tide_failure *f) {
    char text[128];
    const json_t *offsets = json_object_get(info, "data_offsets");
    if (!json_is_object(info) || json_object_size(info) != 3)
        return source_fail(s, f, "its description is not {dtype, shape, data_offsets}");
    tide_status status = parse_type(s, json_object_get(info, "dtype"), &e->type, f);
    if (!status) status = parse_shape(s, json_object_get(info, "shape"), &e->shape, f);
    if (status) return status;
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &e->begin) ||
        !get_size(json_array_get(offsets, 1), &e->end) || e->begin > e->end)
        return source_fail(s, f, "'data_offsets' is not a pair [begin, end]");
    int64_t bytes = e->end - e->begin;
    if (!shape_count_checked(e->shape, &e->count) || bytes % e->type->size != 0 || bytes / e->type->size != e->count)
        return source_fail(s, f, "its shape %s of %s does not fill the %" PRId64 " bytes that 'data_offsets' gives it",
                           shape_text(text, e->shape), e->type->safetensors, bytes);
    return TIDE_OK;
}

/* ---- the whole header ---------------------------------------------------------------------------------- */

static tide_status read_metadata(const source *s, json_t *json, tide_archive *out, tide_failure *f) {
    const char *key;
    json_t *value;
    if (!json_is_object(json)) return source_fail(s, f, "__metadata__ is not an object of strings");
    json_object_foreach(json, key, value) {
        if (!json_is_string(value)) return source_fail(s, f, "__metadata__ entry '%.80s' is not a string", key);
        if (archive_append_metadata(out, key, json_string_value(value))) return memory_fail(f, s->path, s->left);
    }
    return TIDE_OK;
}

static int by_offset(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* The arrays must cover the data exactly: no hole to hide bytes in, no byte that two arrays share. */
static tide_status check_tiling(const source *s, const header *h, tide_failure *f) {
    int64_t next = 0;
    for (int64_t i = 0; i < h->count; i++) {
        const entry *e = &h->entries[i];
        if (e->begin != next)
            return source_fail(s, f,
                               "array '%.80s' begins at byte %" PRId64 " of the data; byte %" PRId64 " comes next",
                               e->name, e->begin, next);
        next = e->end;
    }
    if (next == s->left) return TIDE_OK;
    return source_fail(s, f, "the header describes %" PRId64 " bytes of data; the file has %" PRId64, next, s->left);
}

static tide_status parse_entries(const source *s, header *h, tide_archive *out, tide_failure *f) {
    const char *key;
    json_t *value;
    tide_status status = TIDE_OK;
    h->entries = calloc(json_object_size(h->json) + 1, sizeof *h->entries);
    if (!h->entries) return memory_fail(f, s->path, (int64_t)(json_object_size(h->json) * sizeof *h->entries));
    json_object_foreach(h->json, key, value) {
        if (strcmp(key, "__metadata__") == 0) {
            status = read_metadata(s, value, out, f);
        } else {
            source named = *s;
            entry *e = &h->entries[h->count];
            named.part = e->name = key;
            e->order = h->count++;
            status = parse_entry(&named, value, e, f);
        }
        if (status) return status;
    }
    qsort(h->entries, (size_t)h->count, sizeof *h->entries, by_offset);
    return check_tiling(s, h, f);
}

static tide_status parse_json(const source *s, const char *text, int64_t length, json_t **out, tide_failure *f) {
    json_error_t error;
    *out = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(*out)) return TIDE_OK;
    if (*out) return source_fail(s, f, "its header is not a JSON object");
    if (json_error_code(&error) == json_error_out_of_memory) return memory_fail(f, s->path, length);
    return source_fail(s, f, "its header is not sound JSON: %s (byte %d)", error.text, error.position);
}

static tide_status read_header(source *s, header *h, tide_archive *out, tide_failure *f) {
    uint64_t length;
    if (s->left < 8) return source_fail(s, f, "this is not a safetensors file: it is shorter than 8 bytes");
    tide_status status = source_read(s, &length, 8, f);
    if (status) return status;
    if (length > (uint64_t)s->left || length > HEADER_LIMIT)
        return source_fail(
            s, f, "its header claims to be %" PRIu64 " bytes long; at most %" PRId64 " are possible: not a "
                                                                                     "safetensors file",
            length, MIN2(s->left, (int64_t)HEADER_LIMIT));
    char *text = bytes_new((int64_t)length);
    if (!text) return memory_fail(f, s->path, (int64_t)length);
    status = source_read(s, text, (int64_t)length, f);
    if (!status) status = parse_json(s, text, (int64_t)length, &h->json, f);
    if (!status) status = parse_entries(s, h, out, f);
    free(text);
    return status;
}

/* ---- the data ------------------------------------------------------------------------------------------ */

static tide_status read_tensor(source *s, const entry *e, tide_archive *out, tide_failure *f) {
    const char *why;
    int64_t bytes = e->end - e->begin;
    void *raw = bytes_new(bytes);
    if (!raw) return memory_fail(f, s->path, bytes);
    s->part = e->name;
    tide_status status = source_read(s, raw, bytes, f);
    if (status) {
        free(raw);
        return status;
    }
    void *data = stored_widen(e->type, raw, e->count, &status, &why);
    if (!data) return status == TIDE_ENOMEM ? memory_fail(f, s->path, bytes) : source_fail(s, f, "%s", why);
    tide_tensor t = { strdup(e->name), e->type->type, e->shape, data };
    return archive_take(out, &t) ? memory_fail(f, s->path, bytes) : TIDE_OK;
}

static tide_status read_source(source *s, tide_archive *out, tide_failure *failure) {
    header h = { 0 };
    int64_t size = s->left;
    tide_status status = read_header(s, &h, out, failure);
    if (!status) status = size_checked(s->path, size, failure);
    for (int64_t i = 0; i < h.count && !status; i++) status = read_tensor(s, &h.entries[i], out, failure);
    if (status) tide_archive_free(out);
    free(h.entries);
    json_decref(h.json);
    return status;
}

tide_status tide_safetensors_read_memory(const void *bytes, size_t size, tide_archive *out, tide_failure *failure) {
    failure_clear(failure);
    memory_in m;
    if (!out) return argument_fail(failure, MEMORY_NAME, "archive to read into");
    *out = (tide_archive){ 0 };
    tide_status status = memory_checked(bytes, size, failure);
    if (status) return status;
    source s = source_of_memory(&m, bytes, size);
    return read_source(&s, out, failure);
}

tide_status tide_safetensors_read(const char *path, tide_archive *out, tide_failure *failure) {
    failure_clear(failure);
    FILE *file;
    int64_t size;
    if (!out) return argument_fail(failure, path, "archive to read into");
    *out = (tide_archive){ 0 };
    tide_status status = file_open(path, &file, &size, failure);
    if (status) return status;
    source s = source_of_file(path, file, size);
    status = read_source(&s, out, failure);
    fclose(file);
    return status;
}
