#include "json.h"

#include <math.h>

#include <stdlib.h>

json_t *json_with(json_t *o, const char *key, json_t *value) {
    if (json_object_set_new(o, key, value) == 0) return o;
    json_decref(o);
    return NULL;
}

json_t *json_with_item(json_t *list, json_t *value) {
    if (json_array_append_new(list, value) == 0) return list;
    json_decref(list);
    return NULL;
}

char *json_whole(const json_t *o, size_t flags) {
    size_t length = o ? json_dumpb(o, NULL, 0, flags) : 0;
    char  *written = length ? malloc(length + 1) : NULL;
    if (!written) return NULL;
    if (json_dumpb(o, written, length, flags) == length) {
        written[length] = 0;
        return written;
    }
    free(written);
    return NULL;
}

json_t *json_finite(double value) { return isfinite(value) ? json_real(value) : json_null(); }
