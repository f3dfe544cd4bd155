/* A request from its first line to the end of its answer. libmicrohttpd calls request_handle once with the headers,
 * then with each part of the body, once more when it is whole, and again after a suspended request was resumed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "inside.h"

const char *http_method(const http_request *r) { return r->method; }
const char *http_path(const http_request *r) { return r->path; }
const char *http_parameter(const http_request *r, int i) { return r->parameter[i] ? r->parameter[i] : ""; }
const http_route *http_route_of(const http_request *r) { return r->route; }
double http_received(const http_request *r) { return r->whole; }
bool http_cancelled(const http_request *r) { return atomic_load_explicit(&r->cancelled, memory_order_relaxed); }

const char *http_query(const http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

typedef struct queries { bool (*each)(void *, const char *, const char *); void *user; } queries;

static enum MHD_Result query(void *user, enum MHD_ValueKind kind, const char *name, const char *value) {
    const queries *q = user;
    (void)kind;
    return q->each(q->user, name, value ? value : "") ? MHD_YES : MHD_NO;
}

void http_queries(const http_request *r, bool (*each)(void *user, const char *name, const char *value), void *user) {
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, query, &(queries){ each, user });
}

const char *http_header(const http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *http_body(const http_request *r, size_t *length) {
    *length = r->length;
    return r->body ? r->body : "";
}

/* When its first line has come. NULL, without memory, closes the connection (request_handle). */
void *request_new(void *server, const char *uri, struct MHD_Connection *c) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    http_connection *on = info ? info->socket_context : NULL;
    http_request    *r  = on ? calloc(1, sizeof *r) : NULL;
    if (!r) return NULL;
    *r = (http_request){ .server = server, .on = on, .connection = c, .began = os_seconds(),
                         .long_uri = strlen(uri) > HTTP_URI, .zero = strstr(uri, "%00") != NULL };
    pthread_mutex_init(&r->lock, NULL);
    connection_state(r, HTTP_ARRIVING);
    return r;
}

static void refuse(http_request *r, int status, const char *detail) {
    r->server->options.refuse(r->server->options.user, r, status, detail);
}

/* Without the root path, which a proxy may have taken off already; "" is the root path alone. */
static const char *beneath_root(const http_server *s, const char *url) {
    size_t length = strlen(s->root_path);
    bool   in     = length && strncmp(url, s->root_path, length) == 0 && (url[length] == '/' || !url[length]);
    return in ? url + length : url;
}

static bool find_route(http_request *r) {
    char allowed[128];
    r->route = match_route(r, r->server->options.routes, allowed, sizeof allowed);
    if (r->route) return true;
    if (*allowed) {
        http_answer_header(r, "Allow", allowed);
        refuse(r, 405, "This path has other methods: the header Allow lists them.");
    } else refuse(r, 404, "There is nothing under this path; /openapi.json describes what there is.");
    return false;
}

/* Is the body one that can be taken? What is declared is refused before it is sent. */
static bool body_fits(http_request *r) {
    const http_options *o = &r->server->options;
    uint64_t length = 0;
    r->most = r->route->most_body ? r->route->most_body : o->most_body;
    framing_length(r->connection, &length);
    if (length <= r->most) return true;
    refuse(r, 413, "The body is larger than this path takes.");
    return false;
}

static bool is_so(http_server *s, const bool *what) {
    pthread_mutex_lock(&s->lock);
    bool is = *what;
    pthread_mutex_unlock(&s->lock);
    return is;
}

/* The line and the headers are there. */
static void look(http_request *r, const char *url, const char *method, const char *version) {
    int         status;
    const char *fault = framing_fault(r->connection, version, &status);
    snprintf(r->method, sizeof r->method, "%s", method);
    if (!fault && r->long_uri) fault = "The request's address is longer than 16 KiB.", status = 414;
    r->ill_framed = fault || r->zero;
    r->closing = r->ill_framed || http_header(r, "Content-Length") || http_header(r, "Transfer-Encoding");
    r->path = strdup(beneath_root(r->server, url));
    if (!r->path) answer_give(r, 503, NULL, 0);
    else if (fault) refuse(r, status, fault);
    else if (r->zero) refuse(r, 400, "The path or the query has a character of 0.");
    else if (is_so(r->server, &r->server->stopping)) refuse(r, 503, "The service is stopping.");
    else if (find_route(r) && (r->server->options.admit(r->server->options.user, r))) body_fits(r);
}

/* All bodies at hand share a limit, so that many requests are no more than one. */
static bool reserve(http_request *r, size_t bytes) {
    http_server *s = r->server;
    pthread_mutex_lock(&s->lock);
    bool fits = s->bodies + bytes <= s->options.most_bodies;
    if (fits) s->bodies += bytes;
    pthread_mutex_unlock(&s->lock);
    return fits;
}

static void release(http_request *r) {
    http_server *s = r->server;
    pthread_mutex_lock(&s->lock);
    s->bodies -= r->capacity;
    pthread_mutex_unlock(&s->lock);
    free(r->body);
    r->body     = NULL;
    r->capacity = r->length = 0;
}

static bool grow(http_request *r, size_t needed) {
    size_t capacity = MAX2(needed, MIN2(MAX2(r->capacity * 2, 4096), r->most + 1));
    if (needed <= r->capacity) return true;
    if (!reserve(r, capacity - r->capacity)) return false;
    char *body = realloc(r->body, capacity);
    if (!body) {
        pthread_mutex_lock(&r->server->lock);
        r->server->bodies -= capacity - r->capacity;
        pthread_mutex_unlock(&r->server->lock);
        return false;
    }
    r->body     = body;
    r->capacity = capacity;
    return true;
}

static size_t most_unread(const http_request *r) { return HTTP_PATIENCE * r->server->options.most_body; }

/* Most clients send all of a body before they listen, and take a connection that is closed meanwhile for a broken one.
 * Who asks first (Expect) is told at once, and so is who sends without end, or framed so that its end is unknown. */
static bool is_heard_now(const http_request *r) {
    uint64_t length = 0;
    if (r->ill_framed || http_header(r, "Expect")) return true;
    return framing_length(r->connection, &length) && length > most_unread(r);
}

/* Too much is read to its end, so that the client hears why, but not kept; without end it is cut off. */
static enum MHD_Result take(http_request *r, const char *upload, size_t size) {
    r->length += size;
    if (r->too_long || r->response) return r->length > r->most + most_unread(r) ? MHD_NO : MHD_YES;
    if (r->length > r->most || !grow(r, r->length + 1)) {
        size_t length = r->length;
        int    status = r->length > r->most ? 413 : 503;
        release(r);
        r->length   = length;
        r->too_long = true;
        r->status   = status;
        return MHD_YES;
    }
    memcpy(r->body + r->length - size, upload, size);
    r->body[r->length] = 0;
    return MHD_YES;
}

/* Answers at once, or waits for whoever will answer. */
static enum MHD_Result send_or_wait(http_request *r) {
    pthread_mutex_lock(&r->lock);
    bool there = r->response != NULL;
    if (!there) {
        r->suspended = true;
        MHD_suspend_connection(r->connection);
    }
    pthread_mutex_unlock(&r->lock);
    return there ? answer_send(r) : MHD_YES;
}

static enum MHD_Result dispatch(http_request *r) {
    r->dispatched = true;
    r->whole      = os_seconds();
    connection_state(r, HTTP_WORKING);
    if (r->response) return answer_send(r);
    if (r->too_long && r->status == 413) refuse(r, 413, "The body is larger than this path takes.");
    else if (r->too_long) refuse(r, 503, "There is no memory for the body at the moment.");
    else r->route->handle(r->server->options.user, r);
    return send_or_wait(r);
}

enum MHD_Result request_handle(void *server, struct MHD_Connection *c, const char *url, const char *method,
                               const char *version, const char *upload, size_t *upload_size, void **context) {
    http_request *r = *context;
    (void)server, (void)c;
    if (!r) return MHD_NO;
    if (!r->seen) {
        r->seen = true;
        look(r, url, method, version);
        /* Other answers wait until the request is whole: so the connection stays. */
        return r->response && r->closing && is_heard_now(r) ? answer_send(r) : MHD_YES;
    }
    if (*upload_size) {
        enum MHD_Result go_on = take(r, upload, *upload_size);
        *upload_size = 0;
        return go_on;
    }
    return r->dispatched ? send_or_wait(r) : dispatch(r);
}

static void tell(http_request *r, enum MHD_RequestTerminationCode code) {
    const http_options *o = &r->server->options;
    /* What is written to a client that has gone seems to arrive. */
    bool gone    = http_cancelled(r) && !is_so(r->server, &r->server->cancelling);
    bool arrived = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && !gone;
    http_done    what = { .client = r->on->client, .method = r->method, .path = r->path ? r->path : "",
                          .route = r->route, .status = arrived || r->on->stream ? r->status : 0,
                          .bytes_in = r->length, .bytes_out = r->bytes_out, .seconds = os_seconds() - r->began };
    if (o->done && r->seen) o->done(o->user, &what);
}

void request_done(void *server, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code) {
    http_request *r = *context;
    (void)server, (void)c;
    if (!r) return;
    tell(r, code);
    connection_state(r, HTTP_IDLE);
    if (r->response) MHD_destroy_response(r->response);
    answer_free_headers(r);
    release(r);
    for (int i = 0; i < HTTP_PARAMETERS; i++) free(r->parameter[i]);
    free(r->path);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *context = NULL;
}
