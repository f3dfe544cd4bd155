/* --config FILE: a JSON object with the options' names as keys, or a run.json, whose "options" are such an object. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

/* A scalar as the text that the command line would hold; a list of them joined by commas. */
static bool value_text(const json_t *value, char *buffer, size_t size) {
    if (json_is_string(value)) return snprintf(buffer, size, "%s", json_string_value(value)) < (int)size;
    if (json_is_boolean(value)) return snprintf(buffer, size, "%s", json_is_true(value) ? "true" : "false") < (int)size;
    if (json_is_integer(value))
        return snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < (int)size;
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

static tide_status put_key(const char *path, const char *key, const json_t *value, const config_sink *sink,
                           tide_failure *failure) {
    char text[4096], message[400];
    if (json_is_null(value) || !sink->wants(sink->user, key)) return TIDE_OK;
    if (!value_text(value, text, sizeof text)) {
        snprintf(message, sizeof message, "the value of \"%.60s\" must be a word, a number, true or false, or a list "
                                          "of them, of %zu bytes at most",
                 key, sizeof text - 1);
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

enum { LARGEST_FILE = 16 << 20 };

/* The whole file, malloc'ed; NULL with the failure set. */
static char *read_text(const char *path, size_t *length, tide_failure *failure) {
    struct stat info;
    FILE *file = fopen(path, "rbe");
    char *text = file ? malloc(LARGEST_FILE + 1) : NULL;
    int   error = errno;
    *length = text ? fread(text, 1, LARGEST_FILE + 1, file) : 0;
    bool folder = file && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode),
         fine = text && !ferror(file) && *length <= LARGEST_FILE;
    if (file) fclose(file);
    if (fine) return text;
    bad(failure, path, 0, "",
        !file                    ? strerror(error)
        : folder                 ? "this is a folder: give a JSON file"
        : !text                  ? "out of memory"
        : *length > LARGEST_FILE ? "it is longer than 16 MiB, which no set of options is"
                                 : "cannot be read");
    free(text);
    return NULL;
}

/* An object of options, or one whose "options" are; *options is borrowed from the root that is returned. NULL with the
 * failure set. */
static json_t *read_options(const char *path, json_t **options, tide_failure *failure) {
    static const char accepted[] = "accepted is a JSON object such as {\"seq-len\": 96}, or a run.json";
    json_error_t error;
    char message[400];
    size_t length;
    char *text = read_text(path, &length, failure);
    if (!text) return NULL;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!root)
        snprintf(message, sizeof message, "line %d: %.160s; %s", error.line > 0 ? error.line : 1, error.text, accepted);
    else snprintf(message, sizeof message, "%s", accepted);
    *options = json_object_get(root, "options");
    if (!*options) *options = root;
    if (json_is_object(*options)) return root;
    bad(failure, path, root ? 1 : error.line > 0 ? error.line : 1, root && *options != root ? "options" : "", message);
    json_decref(root);
    return NULL;
}

tide_status config_read(const char *path, const config_sink *sink, tide_failure *failure) {
    tide_status status = TIDE_OK;
    json_t *options, *root = read_options(path, &options, failure);
    const char *key;
    json_t *value;
    if (!root) return TIDE_EINVAL;
    json_object_foreach(options, key, value) {
        if (options != root && is_place(key)) continue;
        if (status == TIDE_OK) status = put_key(path, key, value, sink, failure);
    }
    json_decref(root);
    return status;
}
