/* Progress as data: the fields as rows of a table, the lines, and how many of them. */
#include "progress.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rank.h"

static struct {
    bool   on, begun;
    double put_at_s, began_s;
} data;

/* ---- fields ---- */

typedef enum field_kind { FIELD_TEXT, FIELD_COUNT, FIELD_REAL, FIELD_FLAG } field_kind;

#define FIELD(name, kind) { #name, kind, offsetof(progress_event, name) }
static const struct {
    const char *name;
    field_kind  kind;
    size_t      offset;
} fields[] = {
    FIELD(event, FIELD_TEXT), FIELD(stage, FIELD_TEXT), FIELD(message, FIELD_TEXT), FIELD(command, FIELD_TEXT),
    FIELD(version, FIELD_TEXT), FIELD(pid, FIELD_COUNT), FIELD(epoch, FIELD_COUNT), FIELD(epochs, FIELD_COUNT),
    FIELD(batch, FIELD_COUNT), FIELD(batches, FIELD_COUNT), FIELD(step, FIELD_COUNT), FIELD(done, FIELD_COUNT),
    FIELD(total, FIELD_COUNT), FIELD(spectrum, FIELD_COUNT), FIELD(spectra, FIELD_COUNT), FIELD(loss, FIELD_REAL),
    FIELD(val_loss, FIELD_REAL), FIELD(lr, FIELD_REAL), FIELD(grad_norm, FIELD_REAL), FIELD(steps_per_s, FIELD_REAL),
    FIELD(rss_mib, FIELD_REAL), FIELD(seconds, FIELD_REAL), FIELD(seconds_left, FIELD_REAL), FIELD(best, FIELD_FLAG),
};

/* A message may quote a file's bytes, which need not be UTF-8. */
static json_t *text_json(const char *text) {
    json_t *value = json_string(text);
    char   *plain = value ? NULL : strdup(text);
    for (char *c = plain; c && *c; c++)
        if ((unsigned char)*c > 126) *c = '?';
    if (plain) value = json_string(plain);
    free(plain);
    return value;
}

/* NULL: the field does not apply. */
static json_t *field_json(const void *field, field_kind kind) {
    const char *text;
    int64_t     count;
    double      real;
    bool        flag;
    switch (kind) {
        case FIELD_TEXT: return memcpy(&text, field, sizeof text), text && *text ? text_json(text) : NULL;
        case FIELD_COUNT: return memcpy(&count, field, sizeof count), count ? json_integer(count) : NULL;
        case FIELD_REAL: return memcpy(&real, field, sizeof real), isfinite(real) ? json_real(real) : NULL;
        case FIELD_FLAG: return memcpy(&flag, field, sizeof flag), flag ? json_true() : NULL;
    }
    return NULL;
}

progress_event progress_event_new(const char *event, const char *stage, const char *message) {
    return (progress_event){ .event = event, .stage = stage, .message = message, .loss = NAN, .val_loss = NAN,
                             .lr = NAN, .grad_norm = NAN, .steps_per_s = NAN, .rss_mib = NAN, .seconds = NAN,
                             .seconds_left = NAN };
}

/* ---- lines ---- */

/* Who reads may have gone, and the disk of a log be full: the work does not end for that. */
static void write_line(json_t *object) {
    char  *line   = object ? json_dumps(object, JSON_COMPACT) : NULL;
    size_t length = line ? strlen(line) : 0;
    json_decref(object);
    if (!line) return;
    line[length] = '\n'; /* in the place of the closing zero */
    for (size_t written = 0; written <= length;) {
        ssize_t n = write(STDERR_FILENO, line + written, length + 1 - written);
        if (n <= 0) break;
        written += (size_t)n;
    }
    free(line);
}

/* Ten a second at first, then fewer, to one in five seconds: the log of a day's work stays small. */
static double interval_s(double so_far_s) { return fmin(5, fmax(0.1, so_far_s / 600)); }

static bool too_soon(const progress_event *e) {
    struct timespec now;
    bool passing = strcmp(e->event, "progress") == 0 && !(e->stage && strcmp(e->stage, "epoch") == 0);
    if (!passing) return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double now_s = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    if (!data.began_s) data.began_s = now_s;
    if (data.put_at_s && now_s - data.put_at_s < interval_s(now_s - data.began_s)) return true;
    data.put_at_s = now_s;
    return false;
}

void progress_put(const progress_event *e) {
    if (rank_silent() || too_soon(e)) return;
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_t *value = field_json((const char *)e + fields[i].offset, fields[i].kind);
        if (value) json_object_set_new(object, fields[i].name, value);
    }
    write_line(object);
}

/* {"event": "failure", ...} with what --json has under "error". */
void progress_put_failure(const tide_failure *failure) {
    char   *text   = tide_failure_json(failure);
    json_t *whole  = text ? json_loads(text, 0, NULL) : NULL, *object = json_pack("{s:s}", "event", "failure");
    if (object) json_object_update(object, json_object_get(whole, "error"));
    json_decref(whole);
    free(text);
    write_line(object);
}

/* ---- the mode ---- */

void progress_as_data(bool on) { data.on = on; }
bool progress_is_data(void) { return data.on; }

bool progress_asked(int argc, char **argv) {
    bool asked = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--progress", 10) != 0) continue;
        const char *value = argv[i][10] == '=' ? argv[i] + 11 : !argv[i][10] && i + 1 < argc ? argv[i + 1] : "";
        asked = strcmp(value, "json") == 0;
    }
    return asked;
}

void progress_begin_line(const char *command) {
    progress_event e = progress_event_new("begin", NULL, NULL);
    e.command = command;
    e.version = TIDE_VERSION;
    e.pid     = getpid();
    data.begun = data.on && !rank_silent();
    if (data.on) progress_put(&e);
}

void progress_end_line(int code) {
    if (data.on && data.begun) write_line(json_pack("{s:s, s:i}", "event", "end", "exit", code));
}
