/* Connections: a list of all of them, so that each can be watched. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/base.h"
#include "inside.h"

static void client_text(struct MHD_Connection *c, char *out, size_t size) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    *out = 0;
    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, out, (socklen_t)size);
    if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, out, (socklen_t)size);
}

/* Without memory for it a connection lives unwatched, but answers nothing (request.c). */
static http_connection *begin(http_server *s, struct MHD_Connection *c) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    http_connection *new = calloc(1, sizeof *new);
    if (!new) return NULL;
    *new = (http_connection){ .fd = info ? info->connect_fd : -1, .since = os_seconds(), .fresh = true };
    client_text(c, new->client, sizeof new->client);
    pthread_mutex_lock(&s->lock);
    new->after = s->first;
    if (s->first) s->first->before = new;
    s->first = new;
    s->connections++;
    pthread_mutex_unlock(&s->lock);
    return new;
}

static void end(http_server *s, http_connection *c) {
    if (!c) return;
    pthread_mutex_lock(&s->lock);
    if (c->before) c->before->after = c->after;
    else s->first = c->after;
    if (c->after) c->after->before = c->before;
    s->connections--;
    pthread_mutex_unlock(&s->lock);
    free(c);
}

void connection_notice(void *server, struct MHD_Connection *c, void **socket_context,
                       enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) *socket_context = begin(server, c);
    else end(server, *socket_context);
}

void connection_state(http_request *r, http_state state) {
    pthread_mutex_lock(&r->server->lock);
    if (state == HTTP_WORKING) r->server->waiting++;
    if (r->on->state == HTTP_WORKING) r->server->waiting--;
    r->on->state   = state;
    r->on->since   = os_seconds();
    r->on->fresh   = false;
    r->on->request = state == HTTP_WORKING ? r : NULL;
    pthread_mutex_unlock(&r->server->lock);
}
