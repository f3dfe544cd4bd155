/* A journal: read whole when it is opened, then only appended to. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/json.h"

enum { REAL_DIGITS = 17 }; /* that read back to the same bits */

static tide_status failed(const journal *j, const char *what, tide_failure *failure) {
    return fail_at(failure, TIDE_EIO, j->path, 0, "out", "cannot %s %s: %s", what, j->path, strerror(errno));
}

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the journal");
}

/* ---- writing ---- */

static tide_status append(journal *j, const json_t *line, tide_failure *failure) {
    char *words = json_whole(line, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
    size_t length = words ? strlen(words) : 0;
    if (!words) return out_of_memory(failure);
    words[length] = '\n'; /* in the place of the 0 */
    ssize_t written = write(j->file, words, length + 1);
    free(words);
    if (written == (ssize_t)length + 1) return TIDE_OK;
    if (written >= 0) errno = ENOSPC;
    return failed(j, "write", failure);
}

static tide_status sync_now(journal *j, tide_failure *failure) {
    j->synced = os_seconds();
    return fsync(j->file) == 0 ? TIDE_OK : failed(j, "write", failure);
}

static tide_status keep(journal *j, const char *key, json_t *line, tide_failure *failure) {
    line = json_with(line, "key", json_string(key));
    if (!line || json_object_set_new(j->line, key, line)) return out_of_memory(failure);
    if (j->file < 0) return TIDE_OK;
    tide_status status = append(j, line, failure);
    bool late = os_seconds() - j->synced > j->sync_every;
    return status == TIDE_OK && late ? sync_now(j, failure) : status;
}

tide_status journal_add(journal *j, const char *key, json_t *line, tide_failure *failure) {
    pthread_mutex_lock(&j->lock);
    tide_status status = keep(j, key, line, failure);
    pthread_mutex_unlock(&j->lock);
    return status;
}

/* ---- reading ---- */

typedef struct bytes {
    char *data;
    size_t length;
} bytes;

static tide_status read_whole(journal *j, bytes *out, tide_failure *failure) {
    struct stat info;
    if (fstat(j->file, &info) != 0) return failed(j, "read", failure);
    out->data = malloc((size_t)info.st_size + 1);
    if (!out->data) return out_of_memory(failure);
    for (ssize_t n = 1; n > 0 && out->length < (size_t)info.st_size; out->length += (size_t)n) {
        n = pread(j->file, out->data + out->length, (size_t)info.st_size - out->length, (off_t)out->length);
        if (n < 0) return failed(j, "read", failure);
    }
    return TIDE_OK;
}

static tide_status refuse_other(const journal *j, const json_t *were, const json_t *now, tide_failure *failure) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)now, key, value) {
        const char *was = json_string_value(json_object_get(were, key)), *is = json_string_value(value);
        if (!was) was = ""; /* of an earlier version, which did not have it */
        if (strcmp(was, is) == 0) continue;
        return fail_at(failure, TIDE_EINVAL, j->path, 0, key,
                       "%s was begun with %s \"%.200s\", not \"%.200s\": `overwrite` begins anew, another `out` "
                       "leaves it", j->path, key, was, is);
    }
    return TIDE_OK;
}

static tide_status check_head(const journal *j, const char *words, size_t length, const json_t *options,
                              tide_failure *failure) {
    json_t *head = json_loadb(words, length, 0, NULL);
    tide_status status = refuse_other(j, json_object_get(head, "options"), options, failure);
    json_decref(head);
    return status;
}

static void take_line(journal *j, const char *words, size_t length) {
    json_t *line = json_loadb(words, length, 0, NULL);
    const char *key = json_string_value(json_object_get(line, "key"));
    if (key) json_object_set(j->line, key, line);
    json_decref(line);
}

/* The first line is of the options. What follows the last end of a line was torn off. */
static tide_status take_lines(journal *j, const bytes *all, const json_t *options, size_t *kept,
                              tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (const char *at, *end; status == TIDE_OK; *kept = (size_t)(end + 1 - all->data)) {
        at = all->data + *kept;
        if (!(end = memchr(at, '\n', all->length - *kept))) break;
        if (*kept) take_line(j, at, (size_t)(end - at));
        else status = check_head(j, at, (size_t)(end - at), options, failure);
    }
    return status;
}

static tide_status begin(journal *j, const json_t *options, tide_failure *failure) {
    json_t *head = json_with(json_object(), "options", json_incref((json_t *)options));
    tide_status status = append(j, head, failure);
    json_decref(head);
    return status == TIDE_OK ? sync_now(j, failure) : status;
}

static tide_status load(journal *j, const json_t *options, bool anew, tide_failure *failure) {
    bytes all = { 0 };
    size_t kept = 0;
    tide_status status = anew ? TIDE_OK : read_whole(j, &all, failure);
    if (status == TIDE_OK && all.data) status = take_lines(j, &all, options, &kept, failure);
    free(all.data);
    if (status == TIDE_OK && ftruncate(j->file, (off_t)kept) != 0) status = failed(j, "write", failure);
    return status == TIDE_OK && kept == 0 ? begin(j, options, failure) : status;
}

/* ---- all ---- */

tide_status journal_memory(journal *out, tide_failure *failure) {
    *out = (journal){ .file = -1, .line = json_object() };
    pthread_mutex_init(&out->lock, NULL);
    return out->line ? TIDE_OK : out_of_memory(failure);
}

tide_status journal_open(const char *path, const json_t *options, bool anew, double sync_every, journal *out,
                         tide_failure *failure) {
    tide_status status = journal_memory(out, failure);
    if (status != TIDE_OK) return status;
    out->sync_every = sync_every;
    snprintf(out->path, sizeof out->path, "%s", path);
    out->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    return out->file < 0 ? failed(out, "open", failure) : load(out, options, anew, failure);
}

/* Whole lines: somebody may be writing the last one. */
tide_status journal_peek(const char *path, const json_t *options, journal *out, tide_failure *failure) {
    bytes       all    = { 0 };
    size_t      kept   = 0;
    tide_status status = journal_memory(out, failure);
    if (status != TIDE_OK) return status;
    snprintf(out->path, sizeof out->path, "%s", path);
    out->file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (out->file < 0) return errno == ENOENT ? TIDE_OK : failed(out, "open", failure);
    status = read_whole(out, &all, failure);
    if (status == TIDE_OK) status = take_lines(out, &all, options, &kept, failure);
    free(all.data);
    close(out->file);
    out->file = -1;
    return status;
}

const json_t *journal_find(const journal *j, const char *key) { return json_object_get(j->line, key); }

tide_status journal_close(journal *j, tide_failure *failure) {
    tide_status status = j->line && j->file >= 0 ? sync_now(j, failure) : TIDE_OK;
    if (!j->line) return TIDE_OK;
    if (j->file >= 0) close(j->file);
    pthread_mutex_destroy(&j->lock);
    json_decref(j->line);
    *j = (journal){ .file = -1 };
    return status;
}
