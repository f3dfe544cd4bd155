/* The server: from the address it listens on to the order in which it stops. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "inside.h"

enum { BACKLOG = 512, LOOK_MS = 5 };

static tide_status cannot_listen(const http_options *o, const char *why, tide_failure *failure) {
    return fail_at(failure, TIDE_EIO, NULL, 0, "host", "cannot listen on %s port %d: %s", o->host, o->port, why);
}

/* A socket that listens on the first address of the name that can be had; -1. */
static int listen_on(const struct addrinfo *list, int *error) {
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
            bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
            return fd;
        *error = errno;
        if (fd >= 0) close(fd);
    }
    return -1;
}

static tide_status listening(const http_options *o, int *fd, tide_failure *failure) {
    struct addrinfo *list = NULL, hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    char port[16];
    int  error = 0;
    snprintf(port, sizeof port, "%d", o->port);
    int found = getaddrinfo(o->host, port, &hints, &list);
    if (found != 0) return cannot_listen(o, gai_strerror(found), failure);
    *fd = listen_on(list, &error);
    freeaddrinfo(list);
    return *fd >= 0 ? TIDE_OK : cannot_listen(o, strerror(error), failure);
}

static int port_of(int fd) {
    struct sockaddr_storage a;
    socklen_t length = sizeof a;
    char      port[16];
    if (getsockname(fd, (struct sockaddr *)&a, &length) != 0) return 0;
    if (getnameinfo((struct sockaddr *)&a, length, NULL, 0, port, sizeof port, NI_NUMERICSERV) != 0) return 0;
    return atoi(port);
}

static void log_line(void *user, const char *format, va_list arguments) {
    http_server *s = user;
    char line[512];
    vsnprintf(line, sizeof line, format, arguments);
    if (s->options.log) s->options.log(s->options.user, line);
}

static struct MHD_Daemon *start(http_server *s, int fd) {
    const http_options *o = &s->options;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, request_handle, s,
        MHD_OPTION_EXTERNAL_LOGGER, log_line, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)o->threads, MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->connections_of_one,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_ROOM, MHD_OPTION_URI_LOG_CALLBACK, request_new, s,
        MHD_OPTION_NOTIFY_COMPLETED, request_done, s, MHD_OPTION_NOTIFY_CONNECTION, connection_notice, s,
        MHD_OPTION_END);
}

static http_server *make(const http_options *options) {
    http_server *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->options   = *options;
    s->root_path = strdup(options->root_path);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->tick, NULL);
    return s;
}

static void discard(http_server *s) {
    pthread_cond_destroy(&s->tick);
    pthread_mutex_destroy(&s->lock);
    free(s->root_path);
    free(s);
}

tide_status http_open(const http_options *options, http_server **out, tide_failure *failure) {
    int fd = -1;
    *out = NULL;
    tide_status status = listening(options, &fd, failure);
    if (status != TIDE_OK) return status;
    http_server *s = make(options);
    if (s && s->root_path) {
        *out      = s; /* the first request may come before this returns */
        s->port   = port_of(fd);
        s->daemon = start(s, fd);
        if (s->daemon && pthread_create(&s->watcher, NULL, watch, s) == 0) return TIDE_OK;
        *out = NULL;
        if (s->daemon) MHD_stop_daemon(s->daemon), fd = -1;
    }
    if (s) discard(s);
    if (fd >= 0) close(fd);
    return fail(failure, TIDE_ENOMEM, "no memory or no threads for the service");
}

int http_port(const http_server *s) { return s->port; }

void http_quiesce(http_server *s) {
    pthread_mutex_lock(&s->lock);
    bool first  = !s->stopping;
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    int fd = first ? (int)MHD_quiesce_daemon(s->daemon) : -1;
    if (fd >= 0) close(fd);
}

static int64_t read_number(http_server *s, const int64_t *number) {
    pthread_mutex_lock(&s->lock);
    int64_t n = *number;
    pthread_mutex_unlock(&s->lock);
    return n;
}

int64_t http_waiting(http_server *s) { return read_number(s, &s->waiting); }
int64_t http_connections(http_server *s) { return read_number(s, &s->connections); }
int64_t http_streams(http_server *s) { return read_number(s, &s->streams); }

void http_cancel_all(http_server *s) {
    pthread_mutex_lock(&s->lock);
    s->cancelling = true;
    pthread_mutex_unlock(&s->lock);
}

/* Nothing may be suspended when the daemon stops. Streams are ended by the watcher; what still sends gets its time. */
static void wait_until_quiet(http_server *s) {
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    double give_up = os_seconds() + s->options.last_s;
    while (http_waiting(s) || http_streams(s) || (http_connections(s) && os_seconds() < give_up))
        nanosleep(&pause, NULL);
}

void http_close(http_server *s) {
    if (!s) return;
    http_quiesce(s);
    wait_until_quiet(s);
    MHD_stop_daemon(s->daemon);
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->tick);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->watcher, NULL);
    discard(s);
}
