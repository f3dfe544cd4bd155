/* Archives: named tensors and metadata, in the order they were added. What a caller fills is checked here, for all
 * writers. */
#include "archive.h"

#include <stdlib.h>
#include <string.h>

#include "../base/base.h"
#include "source.h"

void tensor_free(tide_tensor *t) {
    free(t->name);
    free(t->data);
    *t = (tide_tensor){ 0 };
}

void tide_archive_free(tide_archive *a) {
    if (!a) return;
    for (int64_t i = 0; i < a->count; i++) tensor_free(&a->tensors[i]);
    for (int64_t i = 0; i < a->metadata_count; i++) {
        free(a->keys[i]);
        free(a->values[i]);
    }
    free(a->tensors);
    free(a->keys);
    free(a->values);
    *a = (tide_archive){ 0 };
}

bool tensor_sound(const tide_tensor *t) {
    int64_t count;
    return (unsigned)t->type < TIDE_DTYPES && shape_count_checked(t->shape, &count) && (t->data || count == 0);
}

static bool archive_sound(const tide_archive *a) {
    if (a->count < 0 || a->metadata_count < 0 || (a->count && !a->tensors) ||
        (a->metadata_count && !(a->keys && a->values)))
        return false;
    for (int64_t i = 0; i < a->count; i++)
        if (!a->tensors[i].name || !tensor_sound(&a->tensors[i])) return false;
    for (int64_t i = 0; i < a->metadata_count; i++)
        if (!a->keys[i] || !a->values[i]) return false;
    return true;
}

tide_status archive_checked(const tide_archive *a, const char *path, tide_failure *f) {
    if (!a) return argument_fail(f, path, "archive");
    if (archive_sound(a)) return TIDE_OK;
    return fail_at(f, TIDE_EINVAL, path, 0, NULL,
                   "the archive is not sound: an array lacks its name or data, or has no type or shape");
}

const tide_tensor *tide_archive_find(const tide_archive *a, const char *name) {
    for (int64_t i = 0; a && name && i < a->count; i++)
        if (strcmp(a->tensors[i].name, name) == 0) return &a->tensors[i];
    return NULL;
}

static int64_t metadata_index(const tide_archive *a, const char *key) {
    for (int64_t i = 0; a && key && i < a->metadata_count; i++)
        if (strcmp(a->keys[i], key) == 0) return i;
    return -1;
}

const char *tide_archive_metadata(const tide_archive *a, const char *key) {
    int64_t i = metadata_index(a, key);
    return i < 0 ? NULL : a->values[i];
}

/* Room for one more of `size` bytes: the capacity is the power of two that holds `count`, so it need not be kept. */
static bool grow(void *array, int64_t count, size_t size) {
    if (count & (count - 1)) return true;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, (size_t)(count ? count * 2 : 1) * size);
    if (grown) memcpy(array, &grown, sizeof grown);
    return grown != NULL;
}

tide_status archive_take(tide_archive *a, tide_tensor *t) {
    if (!t->name || !t->data || !grow(&a->tensors, a->count, sizeof *a->tensors)) {
        tensor_free(t);
        return TIDE_ENOMEM;
    }
    a->tensors[a->count++] = *t;
    *t = (tide_tensor){ 0 };
    return TIDE_OK;
}

tide_status tide_archive_add(tide_archive *a, const char *name, tide_dtype type, tide_shape shape, const void *data) {
    int64_t count;
    if (!a || !name || (unsigned)type >= TIDE_DTYPES) return TIDE_EINVAL;
    int64_t size = (int64_t)tide_dtype_size(type);
    if (!shape_count_checked(shape, &count) || count > INT64_MAX / size) return TIDE_EINVAL;
    if (tide_archive_find(a, name) || (count && !data)) return TIDE_EINVAL;
    tide_tensor t = { strdup(name), type, shape, bytes_new(count * size) };
    if (t.data && count) memcpy(t.data, data, (size_t)(count * size));
    return archive_take(a, &t);
}

tide_status archive_append_metadata(tide_archive *a, const char *key, const char *value) {
    char *name = strdup(key), *copy = strdup(value);
    if (!name || !copy || !grow(&a->keys, a->metadata_count, sizeof *a->keys) ||
        !grow(&a->values, a->metadata_count, sizeof *a->values)) {
        free(name);
        free(copy);
        return TIDE_ENOMEM;
    }
    a->keys[a->metadata_count] = name;
    a->values[a->metadata_count++] = copy;
    return TIDE_OK;
}

tide_status tide_archive_set(tide_archive *a, const char *key, const char *value) {
    if (!a || !key || !value) return TIDE_EINVAL;
    int64_t i = metadata_index(a, key);
    if (i < 0) return archive_append_metadata(a, key, value);
    char *copy = strdup(value);
    if (!copy) return TIDE_ENOMEM;
    free(a->values[i]);
    a->values[i] = copy;
    return TIDE_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *archive_duplicate(const tide_archive *a, tide_status *status) {
    const char *found = NULL;
    const char **names = bytes_new(a->count * (int64_t)sizeof *names);
    *status = names ? TIDE_OK : TIDE_ENOMEM;
    if (!names) return NULL;
    for (int64_t i = 0; i < a->count; i++) names[i] = a->tensors[i].name;
    qsort(names, (size_t)a->count, sizeof *names, by_name);
    for (int64_t i = 1; i < a->count && !found; i++)
        if (strcmp(names[i - 1], names[i]) == 0) found = names[i];
    free(names);
    return found;
}
