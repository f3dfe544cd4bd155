/* Events: reading a file that grows, line by line, whatever is in it. */
#include "serve/jobs/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

enum { AT_A_TIME = 1 << 18, LONGEST_LINE = 1 << 22 };

/* ---- lines ---- */

static int open_events(const char *path) { return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC); }

/* Up to `most` bytes from `from` on, malloc'ed and ended with 0; NULL: errno, or 0 for no memory. */
static char *read_part(int fd, int64_t from, size_t most, size_t *length) {
    char *bytes = malloc(most + 1);
    errno       = 0;
    ssize_t n   = bytes ? pread(fd, bytes, most, (off_t)from) : -1;
    if (n < 0) {
        free(bytes);
        return NULL;
    }
    bytes[n] = 0;
    *length  = (size_t)n;
    return bytes;
}

/* A part that holds a whole line, if there is one. */
static char *read_lines(int fd, int64_t from, size_t *length) {
    char *bytes = read_part(fd, from, AT_A_TIME, length);
    if (!bytes || *length < AT_A_TIME || memchr(bytes, '\n', *length)) return bytes;
    free(bytes);
    return read_part(fd, from, LONGEST_LINE, length);
}

/* The object of a line; a note of one that is none. NULL: out of memory. */
static json_t *line_object(const char *line, size_t length) {
    json_t *o = length ? json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_string(json_object_get(o, "event"))) return o;
    json_decref(o);
    char   *copy = strndup(line, MIN2(length, 2000));
    json_t *note = copy ? json_pack("{s:s, s:o}", "event", "note", "message", json_text(copy)) : NULL;
    free(copy);
    return note;
}

/* Whatever number a client says, reading begins with a line. */
static int64_t line_start(int fd, int64_t after) {
    char   before = '\n';
    size_t length;
    if (after <= 0) return 0;
    if (pread(fd, &before, 1, (off_t)(after - 1)) != 1 || before == '\n') return after;
    char       *bytes = read_part(fd, after, LONGEST_LINE, &length);
    const char *end   = bytes ? memchr(bytes, '\n', length) : NULL;
    int64_t     start = end ? after + (end - bytes) + 1 : INT64_MAX / 2;
    free(bytes);
    return start;
}

/* ---- writing ---- */

tide_status events_add_state(const char *path, const char *state, const char *message, tide_failure *failure) {
    char    last = '\n';
    json_t *o    = json_pack("{s:s, s:s}", "event", "state", "state", state);
    if (o && message && *message) o = json_with(o, "message", json_text(message));
    char *line = json_whole(o, JSON_COMPACT);
    json_decref(o);
    size_t length = line ? strlen(line) : 0;
    char  *whole  = line ? malloc(length + 3) : NULL;
    int    fd     = whole ? open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
    int    error  = errno;
    off_t  end    = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1) last = '\n'; /* a process may have been killed within a line */
    int n = whole ? sprintf(whole, "%s%s\n", last == '\n' ? "" : "\n", line) : 0;
    bool fine = fd >= 0 && write(fd, whole, (size_t)n) == n;
    if (fd >= 0 && !fine) error = errno;
    if (fd >= 0) close(fd);
    free(whole);
    free(line);
    if (!length) return fail(failure, TIDE_ENOMEM, "out of memory");
    return fine ? TIDE_OK : fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be written: %s", strerror(error));
}

/* ---- looking ---- */

static int64_t furthest(const json_t *o) {
    static const char *const counts[] = { "epoch", "step", "done", "spectrum" };
    int64_t most = 0;
    for (int i = 0; i < 4; i++) most = MAX2(most, (int64_t)json_integer_value(json_object_get(o, counts[i])));
    return most;
}

/* A new start: an earlier one's end is not its own. */
static bool is_running(const char *state) { return state && strcmp(state, "running") == 0; }

/* "sales.csv, row 7: ...": where it was, if the message does not say. */
static void put_failure(const json_t *o, char *out, size_t size) {
    const char *message = json_string_value(json_object_get(o, "message"));
    const char *file    = json_string_value(json_object_get(o, "file"));
    const char *slash   = file ? strrchr(file, '/') : NULL, *name = slash ? slash + 1 : file;
    long long   row     = json_integer_value(json_object_get(o, "row"));
    if (!message) message = "";
    if (!name || !*name || strstr(message, name)) snprintf(out, size, "%s", message);
    else if (row > 0) snprintf(out, size, "%s, row %lld: %s", name, row, message);
    else snprintf(out, size, "%s: %s", name, message);
}

/* How far a training came is told while it goes on, not while it is scored. */
static void keep_told(json_t *o, const json_t *before) {
    static const char *const fields[] = { "epoch", "epochs", "step", "loss", "val_loss" };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_t *told = json_object_get(before, fields[i]);
        if (told && !json_object_get(o, fields[i])) json_object_set(o, fields[i], told);
    }
}

static void see(events_seen *seen, json_t *o) {
    const char *event = json_string_value(json_object_get(o, "event"));
    if (strcmp(event, "begin") == 0) {
        seen->pid        = json_integer_value(json_object_get(o, "pid"));
        seen->exit       = -1;
        seen->reached    = 0;
        seen->message[0] = 0;
    } else if (strcmp(event, "state") == 0) {
        if (is_running(json_string_value(json_object_get(o, "state")))) seen->exit = -1;
    } else if (strcmp(event, "end") == 0) {
        seen->exit = (int)json_integer_value(json_object_get(o, "exit"));
    } else if (strcmp(event, "failure") == 0) {
        put_failure(o, seen->message, sizeof seen->message);
    } else if (strcmp(event, "progress") == 0) {
        seen->reached = MAX2(seen->reached, furthest(o));
        keep_told(o, seen->progress);
        json_decref(seen->progress);
        seen->progress = json_incref(o);
    }
}

/* The lines of one part. */
static void see_lines(events_seen *seen, const char *bytes, size_t length) {
    const char *line = bytes, *end;
    for (; (end = memchr(line, '\n', length - (size_t)(line - bytes))); line = end + 1) {
        json_t *o = line_object(line, (size_t)(end - line));
        if (o) see(seen, o);
        json_decref(o);
    }
    bool endless = length == LONGEST_LINE && line == bytes;
    seen->at += endless ? (int64_t)length : line - bytes;
}

bool events_look(const char *path, events_seen *seen) {
    int64_t was = seen->at, before = -1;
    size_t  length;
    int     fd = open_events(path);
    if (!was) seen->exit = -1;
    while (fd >= 0 && before != seen->at) {
        before      = seen->at;
        char *bytes = read_lines(fd, seen->at, &length);
        if (bytes) see_lines(seen, bytes, length);
        free(bytes);
    }
    if (fd >= 0) close(fd);
    return seen->at != was;
}

void events_seen_free(events_seen *seen) { json_decref(seen->progress); }

/* ---- reading ---- */

static const char *kind_of(const json_t *o) {
    const char *event = json_string_value(json_object_get(o, "event"));
    return strcmp(event, "progress") == 0 || strcmp(event, "state") == 0 ? event : "log";
}

static json_t *cannot_read(const char *path, int error, tide_failure *failure) {
    if (error) fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot be read: %s", strerror(error));
    else fail(failure, TIDE_ENOMEM, "out of memory");
    return NULL;
}

json_t *events_after(const char *path, int64_t after, tide_failure *failure) {
    int     fd   = open_events(path);
    json_t *list = json_array();
    if (fd < 0 && errno == ENOENT) return list;
    if (fd < 0) return json_decref(list), cannot_read(path, errno, failure);
    int64_t at     = line_start(fd, after);
    size_t  length = 0;
    char   *bytes  = read_lines(fd, at, &length);
    int     error  = errno;
    close(fd);
    const char *line = bytes, *end;
    for (; bytes && list && (end = memchr(line, '\n', length - (size_t)(line - bytes))); line = end + 1) {
        json_t *o = line_object(line, (size_t)(end - line));
        list      = json_with_item(list, o ? json_pack("{s:I, s:s, s:o}", "id", (json_int_t)(at + (end - bytes) + 1),
                                                       "event", kind_of(o), "data", o) : NULL);
    }
    if (!bytes) json_decref(list), list = NULL;
    free(bytes);
    return list ? list : cannot_read(path, bytes ? 0 : error, failure);
}

/* A line for people of one event; none of progress. */
static void put_text(text *t, const json_t *o) {
    const json_t *data = json_object_get(o, "data");
    const char   *event = json_string_value(json_object_get(data, "event"));
    const char   *message = json_string_value(json_object_get(data, "message"));
    const char   *state = json_string_value(json_object_get(data, "state"));
    if (state) text_add(t, "-- %s%s%s\n", state, message ? ": " : "", message ? message : "");
    else if (strcmp(event, "end") == 0)
        text_add(t, "end: exit %d\n", (int)json_integer_value(json_object_get(data, "exit")));
    else if (message && strcmp(event, "progress") != 0)
        text_add(t, strcmp(event, "note") == 0 ? "%.0s%s\n" : "%s: %s\n", event, message);
}

char *events_text(const char *path, tide_failure *failure) {
    text    t  = { 0 };
    int64_t at = 0;
    for (size_t count = 1; count && !t.failed;) {
        json_t *list = events_after(path, at, failure);
        if (!list) return text_free(&t), NULL;
        count = json_array_size(list);
        for (size_t i = 0; i < count; i++) put_text(&t, json_array_get(list, i));
        if (count) at = json_integer_value(json_object_get(json_array_get(list, count - 1), "id"));
        json_decref(list);
    }
    text_add(&t, "%s", "");
    if (!t.failed) return t.data;
    text_free(&t);
    fail(failure, TIDE_ENOMEM, "out of memory");
    return NULL;
}
