/* Reading with limits: no line, text or list of a file from others takes more than a sound one would. */
#include "bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

enum { JSON_MOST = 64 << 20 };

FILE *bounded_open(const char *path, tide_failure *failure) {
    struct stat info;
    FILE *file  = fopen(path, "re");
    bool  about = file && fstat(fileno(file), &info) == 0;
    if (about && !S_ISDIR(info.st_mode)) return file;
    fail_at(failure, TIDE_EDATA, path, 0, NULL, "cannot read %s: %s", path, about ? "it is a folder" : strerror(errno));
    if (file) fclose(file);
    return NULL;
}

/* ---- JSON ---- */

typedef struct source { FILE *file; size_t bytes; } source;

static size_t take(void *buffer, size_t size, void *user) {
    source *s = user;
    size_t  got = s->bytes < JSON_MOST ? fread(buffer, 1, size, s->file) : 0;
    s->bytes += got;
    return got;
}

json_t *bounded_json(const char *path, tide_failure *failure) {
    json_error_t error = { 0 };
    source s = { .file = bounded_open(path, failure) };
    if (!s.file) return NULL;
    json_t *all = json_load_callback(take, &s, 0, &error);
    bool broken = ferror(s.file) != 0, long_one = s.bytes >= JSON_MOST;
    fclose(s.file);
    if (all && !broken && !long_one) return all;
    json_decref(all);
    if (broken) fail_at(failure, TIDE_EIO, path, 0, NULL, "%s: reading failed", path);
    else if (long_one)
        fail_at(failure, TIDE_EDATA, path, 0, NULL, "%s is longer than %d MiB: that is no such file", path,
                JSON_MOST >> 20);
    else fail_at(failure, TIDE_EDATA, path, MAX2(error.line, 0), NULL, "%s, line %d: %s", path, error.line, error.text);
    return NULL;
}

/* ---- lines ---- */

int bounded_line(FILE *file, char line[LINE_MOST]) {
    int length = 0, c;
    while ((c = getc(file)) != EOF && c != '\n') {
        if (!c || length == LINE_MOST - 1) return -1;
        line[length++] = (char)c;
    }
    if (length && line[length - 1] == '\r') length--;
    line[length] = 0;
    return length > 0 || c != EOF;
}

/* ---- ground truths ---- */

bool truth_usable(const double p[EIS_COUNT]) {
    static const double low[EIS_COUNT] = { 1e-6, 1e-6, 1e-6, 1e-18, 1e-18 },
                        high[EIS_COUNT] = { 1e15, 1e15, 1e15, 1e3, 1e3 };
    for (int k = 0; k < EIS_COUNT; k++)
        if (!(p[k] >= low[k] && p[k] <= high[k])) return false;
    return true;
}

/* Well-formed UTF-8 without control characters. */
static bool is_plain(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        int more = *at < 0x80                  ? 0
                   : *at >= 0xc2 && *at < 0xe0 ? 1
                   : (*at & 0xf0) == 0xe0      ? 2
                   : *at >= 0xf0 && *at < 0xf5 ? 3
                                               : -1;
        bool low = (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] >= 0xa0) || (*at == 0xf0 && at[1] < 0x90) ||
                   (*at == 0xf4 && at[1] >= 0x90);
        if (more < 0 || low || *at < 0x20 || *at == 0x7f) return false;
        for (at++; more > 0; more--, at++)
            if ((*at & 0xc0) != 0x80) return false;
    }
    return true;
}

bool truth_set_id(ground_truth *g, const char *id, const char **why) {
    size_t length = strlen(id);
    *why = length >= sizeof g->id ? "an id has at most 31 bytes"
           : !is_plain(id)        ? "an id is UTF-8 without control characters"
                                  : NULL;
    if (*why) return false;
    memcpy(g->id, id, length + 1);
    return true;
}

static tide_status take_id(const char *path, const json_t *o, int64_t number, ground_truth *out,
                           tide_failure *failure) {
    const json_t *id = json_object_get(o, "id");
    const char   *why;
    char          text[24];
    snprintf(text, sizeof text, "%lld", json_is_integer(id) ? (long long)json_integer_value(id) : (long long)number);
    if (id && !json_is_string(id) && !json_is_integer(id))
        return fail_at(failure, TIDE_EDATA, path, number, "id", "%s, entry %lld: \"id\" must be text or a whole number",
                       path, (long long)number);
    if (truth_set_id(out, json_is_string(id) ? json_string_value(id) : text, &why)) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, path, number, "id", "%s, entry %lld: %s; this one has %zu: \"%.60s\"", path,
                   (long long)number, why,
                   json_string_length(id), json_string_value(id));
}

tide_status truth_from_json(const char *path, const json_t *o, int64_t number, ground_truth *out,
                            tide_failure *failure) {
    static const char *const keys[EIS_COUNT] = { "rsh", "ra", "rb", "ca", "cb" };
    tide_status status = take_id(path, o, number, out, failure);
    for (int k = 0; k < EIS_COUNT && status == TIDE_OK; k++) {
        const json_t *value = json_object_get(o, keys[k]);
        out->p[k] = json_number_value(value);
        if (!json_is_number(value) || !(out->p[k] > 0))
            status = fail_at(failure, TIDE_EDATA, path, number, keys[k],
                             "%s, entry %lld: \"%s\" must be a positive number in %s", path,
                             (long long)number, keys[k], eis_parameters[k].unit);
    }
    if (status != TIDE_OK || truth_usable(out->p)) return status;
    return fail_at(failure, TIDE_EDATA, path, number, NULL,
                   "%s, entry %lld: values must be in ohm (1e-6 to 1e15) and farad (1e-18 to 1e3)", path,
                   (long long)number);
}
