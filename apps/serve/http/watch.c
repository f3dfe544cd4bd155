/* One thread looks at all connections fifty times a second: whose time is over, whose client has gone. A
 * suspended connection is not polled by libmicrohttpd, so nobody else would notice that. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/base.h"
#include "inside.h"

enum { LOOK_MS = 20 };

/* Closed by the other side, or broken. What a client sends ahead of its next request is neither. */
static bool client_gone(int fd) {
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };
    return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* How long it may stay as it is; 0: any time. */
static double patience(const http_server *s, const http_connection *c) {
    switch (c->state) {
    case HTTP_IDLE:    return c->fresh ? s->options.arrive_s : s->options.idle_s;
    case HTTP_ARRIVING: return s->options.arrive_s;
    case HTTP_SENDING: return s->options.send_s;
    default:           return 0;
    }
}

static void shut(http_connection *c, int how) {
    if (!c->shut) shutdown(c->fd, how);
    c->shut = true;
}

/* What waits for a client that does not read is kept no longer than any answer. */
static void look_at_stream(http_server *s, http_connection *c, double now) {
    if (s->stopping || client_gone(c->fd)) stream_end(c->stream, !s->stopping);
    else stream_beat(c->stream, now, s->options.beat_s);
    if (stream_stuck(c->stream, now, s->stopping ? s->options.last_s : s->options.send_s)) shut(c, SHUT_RDWR);
}

/* Under the server's lock: so the connection, and its descriptor, stay. */
static void look_at(http_server *s, http_connection *c, double now) {
    double most = patience(s, c);
    if (s->stopping && c->state == HTTP_IDLE) most = 1e-3;
    if (most > 0 && now - c->since > most) shut(c, c->state == HTTP_SENDING ? SHUT_RDWR : SHUT_RD);
    if (c->request && (s->cancelling || client_gone(c->fd)))
        atomic_store_explicit(&c->request->cancelled, true, memory_order_relaxed);
    if (c->stream) look_at_stream(s, c, now);
}

static void wait_a_moment(http_server *s) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&s->tick, &s->lock, &until);
}

void *watch(void *server) {
    http_server *s = server;
    pthread_mutex_lock(&s->lock);
    while (!s->ending) {
        double now = os_seconds();
        for (http_connection *c = s->first; c; c = c->after) look_at(s, c, now);
        wait_a_moment(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
