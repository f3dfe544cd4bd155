/* --config FILE: a JSON object with the options' names as keys, or a run.json, whose "options" are such an object. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* A scalar as the text that the command line would hold; a list of them joined by commas. */
static bool value_text(const json_t *value, char *buffer, size_t size) {
    if (json_is_string(value)) return snprintf(buffer, size, "%s", json_string_value(value)) < (int)size;
    if (json_is_boolean(value)) return snprintf(buffer, size, "%s", json_is_true(value) ? "true" : "false") < (int)size;
    if (json_is_integer(value)) return snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < (int)size;
    if (json_is_real(value)) return snprintf(buffer, size, "%.17g", json_real_value(value)) < (int)size;
    if (!json_is_array(value)) return false;
    size_t length = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (json_is_array(item) || length + 2 >= size) return false;
        if (i) buffer[length++] = ',';
        if (!value_text(item, buffer + length, size - length)) return false;
        length += strlen(buffer + length);
    }
    buffer[length] = 0;
    return true;
}

static tide_status bad(tide_failure *f, const char *path, int line, const char *key, const char *message) {
    *f = (tide_failure){ .status = TIDE_EINVAL, .row = line };
    snprintf(f->file, sizeof f->file, "%s", path);
    snprintf(f->column, sizeof f->column, "%s", key);
    snprintf(f->message, sizeof f->message, "--config %s: %s", path, message);
    return TIDE_EINVAL;
}

static tide_status put_key(const char *path, const char *key, const json_t *value, const config_sink *sink, tide_failure *failure) {
    char text[4096], message[400];
    if (json_is_null(value) || !sink->wants(sink->user, key)) return TIDE_OK;
    if (!value_text(value, text, sizeof text)) {
        snprintf(message, sizeof message, "the value of \"%.60s\" must be a word, a number, true or false", key);
        return bad(failure, path, 0, key, message);
    }
    if (sink->set(sink->user, key, text, failure) == TIDE_OK) return TIDE_OK;
    snprintf(message, sizeof message, "%.390s", failure->message);
    return bad(failure, path, 0, key, message);
}

/* Where a run was written, and that it replaced another, is no setting of the next: its files would be written over. */
static bool is_place(const char *key) {
    static const char *const places[] = { "out", "overwrite", "resume", "dump-graph", NULL };
    const char *const *place = places;
    while (*place && strcmp(*place, key) != 0) place++;
    return *place != NULL;
}

tide_status config_read(const char *path, const config_sink *sink, tide_failure *failure) {
    json_error_t error;
    tide_status status = TIDE_OK;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!root) return bad(failure, path, error.line > 0 ? error.line : 0, "", error.text);
    json_t *options = json_object_get(root, "options");
    if (!json_is_object(options)) options = root;
    if (!json_is_object(options)) status = bad(failure, path, 1, "", "expected a JSON object of options");
    const char *key;
    json_t *value;
    json_object_foreach(options, key, value) {
        if (options != root && is_place(key)) continue;
        if (status == TIDE_OK) status = put_key(path, key, value, sink, failure);
    }
    json_decref(root);
    return status;
}
