/* Answers without an end: what is sent waits in memory until the connection takes it. Sender and connection each hold
 * the stream; the last of them frees it. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "inside.h"

enum { MOST_WAITING = 1 << 20, BLOCK = 16384 };

static void let_go(http_stream *s) {
    pthread_mutex_lock(&s->lock);
    bool last = --s->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last) return;
    pthread_mutex_destroy(&s->lock);
    free(s->data);
    free(s);
}

/* Under the lock: the connection looks again. */
static void wake(http_stream *s) {
    if (!s->suspended) return;
    s->suspended = false;
    MHD_resume_connection(s->connection);
}

/* Called by the connection for more. */
static ssize_t take(void *user, uint64_t position, char *out, size_t most) {
    http_stream *s = user;
    (void)position;
    pthread_mutex_lock(&s->lock);
    size_t  n     = MIN2(s->length, most);
    ssize_t taken = (ssize_t)n;
    s->taken      = os_seconds();
    if (n) {
        memcpy(out, s->data, n);
        memmove(s->data, s->data + n, s->length -= n);
    } else if (s->ended || s->gone) taken = MHD_CONTENT_READER_END_OF_STREAM;
    else {
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&s->lock);
    return taken;
}

/* The connection is done with it. */
static void taken_all(void *user) {
    http_stream *s = user;
    pthread_mutex_lock(&s->lock);
    s->gone = true;
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&s->server->lock);
    s->server->streams--;
    for (http_connection *c = s->server->first; c; c = c->after)
        if (c->stream == s) c->stream = NULL;
    pthread_mutex_unlock(&s->server->lock);
    let_go(s);
}

static http_stream *make(http_request *r) {
    http_stream *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    *s = (http_stream){ .users = 2, .server = r->server, .connection = r->connection, .said = os_seconds() };
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

/* One stream more, if there may be one. */
static bool count_in(http_request *r, http_stream *s) {
    http_server *server = r->server;
    pthread_mutex_lock(&server->lock);
    bool fits = server->streams < server->options.streams && !server->stopping;
    if (fits) server->streams++, r->on->stream = s;
    pthread_mutex_unlock(&server->lock);
    return fits;
}

http_stream *http_stream_open(http_request *r, const char *type) {
    http_stream *s = make(r);
    if (!s || !count_in(r, s)) {
        if (s) pthread_mutex_destroy(&s->lock);
        free(s);
        http_answer_header(r, "Retry-After", "5");
        r->server->options.refuse(r->server->options.user, r, 503, "There are as many streams as the service keeps.");
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, take, s, taken_all);
    if (response) MHD_add_response_header(response, "Content-Type", type);
    else taken_all(s);
    answer_give(r, 200, response, 0);
    if (!response) let_go(s), s = NULL;
    return s;
}

/* Under the lock. */
static bool put(http_stream *s, const char *data, size_t length) {
    if (s->gone || s->ended || s->length + length > MOST_WAITING) return false;
    if (!s->length) s->taken = os_seconds();
    if (s->length + length > s->capacity) {
        size_t capacity = MAX2(s->length + length, s->capacity * 2);
        char  *grown    = realloc(s->data, capacity);
        if (!grown) return false;
        s->data     = grown;
        s->capacity = capacity;
    }
    memcpy(s->data + s->length, data, length);
    s->length += length;
    s->said = os_seconds();
    wake(s);
    return true;
}

bool http_stream_send(http_stream *s, const char *data, size_t length) {
    pthread_mutex_lock(&s->lock);
    bool sent = put(s, data, length);
    pthread_mutex_unlock(&s->lock);
    if (!sent) stream_end(s, false);
    return sent;
}

bool http_stream_alive(http_stream *s) {
    pthread_mutex_lock(&s->lock);
    bool alive = !s->gone && !s->ended;
    pthread_mutex_unlock(&s->lock);
    return alive;
}

size_t http_stream_waiting(http_stream *s) {
    pthread_mutex_lock(&s->lock);
    size_t waiting = s->length;
    pthread_mutex_unlock(&s->lock);
    return waiting;
}

void stream_end(http_stream *s, bool gone) {
    pthread_mutex_lock(&s->lock);
    if (!s->ended && !s->length) s->taken = os_seconds();
    s->ended = true;
    s->gone  = s->gone || gone;
    wake(s);
    pthread_mutex_unlock(&s->lock);
}

void http_stream_close(http_stream *s) {
    if (!s) return;
    stream_end(s, false);
    let_go(s);
}

bool stream_stuck(http_stream *s, double now, double most_s) {
    pthread_mutex_lock(&s->lock);
    bool stuck = (s->length || s->ended) && now - s->taken > most_s;
    pthread_mutex_unlock(&s->lock);
    return stuck;
}

/* A comment of server-sent events, which says nothing. */
void stream_beat(http_stream *s, double now, double beat_s) {
    static const char beat[] = ":\n\n";
    pthread_mutex_lock(&s->lock);
    if (now - s->said >= beat_s) put(s, beat, sizeof beat - 1);
    pthread_mutex_unlock(&s->lock);
}
