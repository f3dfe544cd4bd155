/* Safetensors: widest elements first, so that each tensor is aligned; equal content gives equal bytes. */
#include <jansson.h>
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "source.h"
#include "stored_type.h"

typedef struct writer {
    const tide_archive *archive;
    const tide_tensor **order;  /* as the data lies in the file */
    char *header;               /* JSON, padded */
    int64_t header_bytes;
} writer;

static int64_t tensor_bytes(const tide_tensor *t) {
    return tide_shape_count(t->shape) * (int64_t)tide_dtype_size(t->type);
}

/* Wide elements first, otherwise as in the archive: every array is then aligned to its element, as in the reference. */
static void sort_by_width(const tide_archive *a, const tide_tensor **order) {
    int64_t n = 0;
    for (size_t size = 8; size; size /= 2)
        for (int64_t i = 0; i < a->count; i++)
            if (tide_dtype_size(a->tensors[i].type) == size) order[n++] = &a->tensors[i];
}

static json_t *metadata_json(const tide_archive *a) {
    json_t *object = json_object();
    for (int64_t i = 0; object && i < a->metadata_count; i++)
        if (json_object_set_new(object, a->keys[i], json_string(a->values[i])) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *tensor_json(const tide_tensor *t, int64_t begin) {
    json_t *shape = json_array();
    for (int i = 0; shape && i < t->shape.ndim; i++) json_array_append_new(shape, json_integer(t->shape.dim[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", stored_exact(t->type)->safetensors, "shape", shape,
                     "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + tensor_bytes(t)));
}

static char *header_text(const writer *w) {
    int64_t begin = 0;
    json_t *object = json_object();
    bool made = object && (w->archive->metadata_count == 0 ||
                           json_object_set_new(object, "__metadata__", metadata_json(w->archive)) == 0);
    for (int64_t i = 0; i < w->archive->count && made; i++) {
        made = json_object_set_new(object, w->order[i]->name, tensor_json(w->order[i], begin)) == 0;
        begin += tensor_bytes(w->order[i]);
    }
    char *text = made ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* Spaces up to a multiple of 8, so that the data is aligned in a mapped file. */
static tide_status make_header(writer *w, const char *path, tide_failure *f) {
    char *text = header_text(w);
    if (!text) return fail_at(f, TIDE_ENOMEM, path, 0, NULL, "out of memory making the header of this file");
    int64_t length = (int64_t)strlen(text);
    w->header_bytes = round_up(length, 8);
    w->header = bytes_new(w->header_bytes);
    if (w->header) {
        memset(w->header, ' ', (size_t)w->header_bytes);
        memcpy(w->header, text, (size_t)length);
    }
    free(text);
    return w->header ? TIDE_OK : memory_fail(f, path, w->header_bytes);
}

static bool is_utf8(const char *text) {
    json_t *string = json_string(text);  /* NULL if it is not */
    json_decref(string);
    return string != NULL;
}

static tide_status check_names(const tide_archive *a, const char *path, tide_failure *f) {
    tide_status status;
    const char *twice = archive_duplicate(a, &status);
    if (status) return memory_fail(f, path, a->count);
    if (twice) return fail_at(f, TIDE_EINVAL, path, 0, NULL, "array '%.80s' would be in this file twice", twice);
    for (int64_t i = 0; i < a->count; i++)
        if (!is_utf8(a->tensors[i].name) || strcmp(a->tensors[i].name, "__metadata__") == 0)
            return fail_at(f, TIDE_EINVAL, path, 0, NULL,
                           "the array name '%.80s' cannot be used: it is not UTF-8 or is __metadata__",
                           a->tensors[i].name);
    for (int64_t i = 0; i < a->metadata_count; i++)
        if (!is_utf8(a->keys[i]) || !is_utf8(a->values[i]))
            return fail_at(f, TIDE_EINVAL, path, 0, NULL, "the metadata entry '%.80s' is not UTF-8 text", a->keys[i]);
    return TIDE_OK;
}

static tide_status write_all(void *user, void *stdio_file) {
    const writer *w = user;
    uint64_t length = (uint64_t)w->header_bytes;
    bool written = fwrite(&length, 1, sizeof length, stdio_file) == sizeof length &&
                   fwrite(w->header, 1, (size_t)w->header_bytes, stdio_file) == (size_t)w->header_bytes;
    for (int64_t i = 0; i < w->archive->count && written; i++) {
        size_t bytes = (size_t)tensor_bytes(w->order[i]);
        written = bytes == 0 || fwrite(w->order[i]->data, 1, bytes, stdio_file) == bytes;
    }
    return written ? TIDE_OK : TIDE_EIO;
}

/* Calls `put` with the writer of a whole file. */
static tide_status with_writer(const tide_archive *a, const char *path,
                               tide_status (*put)(writer *w, void *where, tide_failure *f), void *where,
                               tide_failure *failure) {
    writer w = { .archive = a };
    tide_status status = archive_checked(a, path, failure);
    if (!status) status = check_names(a, path, failure);
    if (status) return status;
    w.order = bytes_new(a->count * (int64_t)sizeof *w.order);
    if (!w.order) return memory_fail(failure, path, a->count * (int64_t)sizeof *w.order);
    sort_by_width(a, w.order);
    status = make_header(&w, path, failure);
    if (!status) status = put(&w, where, failure);
    free(w.order);
    free(w.header);
    return status;
}

typedef struct place { const char *path; void **bytes; size_t *size; } place;

static tide_status put_file(writer *w, void *where, tide_failure *f) {
    return tide_file_replace(((const place *)where)->path, write_all, w, f);
}

static tide_status put_memory(writer *w, void *where, tide_failure *f) {
    const place *p = where;
    return memory_write(write_all, w, p->bytes, p->size, f);
}

tide_status tide_safetensors_write(const char *path, const tide_archive *a, tide_failure *failure) {
    failure_clear(failure);
    return with_writer(a, path, put_file, &(place){ .path = path }, failure);
}

tide_status tide_safetensors_write_memory(const tide_archive *a, void **bytes, size_t *size, tide_failure *failure) {
    failure_clear(failure);
    return with_writer(a, MEMORY_NAME, put_memory, &(place){ .bytes = bytes, .size = size }, failure);
}
