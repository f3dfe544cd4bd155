/* HTTP as the service sees it: requests with whole bodies, answers from any thread, streams. The only folder that knows
 * libmicrohttpd, of which version 2 will change what it asks of its users.
 *
 * What a handler never sees: framing that two programs could read in two ways, a method that the route has not, a body
 * over the route's limit, a request that takes longer to arrive than its time.
 *
 *     handler (on a thread that also serves others: no work here)
 *       http_reply(r, ...)                          at once, or
 *       queue r, return; later, on any thread:      http_reply(r, ...), which every request gets exactly once
 */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tidemill/core.h>

typedef struct http_server http_server;
typedef struct http_request http_request;
typedef struct http_stream http_stream;

/* ---- routes -------------------------------------------------------------------------------------------- */

enum { HTTP_PARAMETERS = 2 };  /* most of a path */

typedef struct http_route {
    const char *method;    /* "GET" answers HEAD too */
    const char *path;      /* "/api/v1/jobs/{id}/log"; a part in braces stands for one part of a path, {path} at the end
                              for all that is left */
    void      (*handle)(void *user, http_request *r);
    bool        open;      /* to all: no token is asked for */
    size_t      most_body; /* bytes; 0: the server's usual limit */
} http_route;

/* ---- requests ------------------------------------------------------------------------------------------ */

const char *http_method(const http_request *r);
const char *http_path(const http_request *r);  /* without the root path and the query */
const char *http_parameter(const http_request *r, int i);  /* what stands for the route's i-th part in braces; "" */
/* NULL: it has none. */
const char *http_query(const http_request *r, const char *name);
const char *http_header(const http_request *r, const char *name);
/* Each of the query's; `each` returns false to end it. */
void http_queries(const http_request *r, bool (*each)(void *user, const char *name, const char *value), void *user);
/* The whole body; ends with a 0 byte that is not counted. Valid until the answer. */
const char *http_body(const http_request *r, size_t *length);
/* Has the client gone, or is the service stopping without patience? To be asked by whoever works on it, about every
 * 50 ms: then its answer interests nobody. From any thread, until the answer. */
bool http_cancelled(const http_request *r);
double http_received(const http_request *r);  /* os_seconds() when it was whole */
const http_route *http_route_of(const http_request *r);

/* ---- answers ------------------------------------------------------------------------------------------- */

/* A header of the answer to come; `value` is copied. Before http_reply. */
void http_answer_header(http_request *r, const char *name, const char *value);
/* `body` is malloc'ed memory that it takes, also on failure; NULL: none, which with a length is one that there was no
 * memory for (503). `type`: its content type, a constant text. */
void http_reply(http_request *r, int status, const char *type, char *body, size_t length);
/* The same with bytes that live as long as the service does. */
void http_reply_constant(http_request *r, int status, const char *type, const void *body, size_t length);
/* The file behind the descriptor, which it takes. */
void http_reply_file(http_request *r, const char *type, int fd, uint64_t size);

/* ---- streams ------------------------------------------------------------------------------------------- */

/* The answer becomes a stream, which the server may end at any time: NULL (503 was then answered) where there are too
 * many. A comment is sent where nothing else is for a while, so that clients and proxies keep it. */
http_stream *http_stream_open(http_request *r, const char *type);
/* False: the client has gone, reads too slowly, or the service ends; then only http_stream_close is left. */
bool http_stream_send(http_stream *s, const char *data, size_t length);
bool http_stream_alive(http_stream *s);
/* Bytes that the client has not taken yet; who sends much asks before. */
size_t http_stream_waiting(http_stream *s);
/* What was sent still arrives. NULL is fine. */
void http_stream_close(http_stream *s);

/* ---- server -------------------------------------------------------------------------------------------- */

/* What is known of a request when its answer is out: for the access log and the metrics. */
typedef struct http_done {
    const char *client, *method, *path;  /* no query: it may hold what is secret */
    const http_route *route;             /* NULL: there was none */
    int      status;                     /* 0: the client had gone before there was an answer */
    uint64_t bytes_in, bytes_out;
    double   seconds;                    /* from its first line to the end of its answer */
} http_done;

typedef struct http_options {
    const char *host;          /* an address or a name to listen on */
    int         port;          /* 0: any that is free */
    const char *root_path;     /* "/tide": in front of every path, as a proxy hands it on; "" */
    int         threads;       /* of the sockets */
    int         connections, connections_of_one;  /* at most: in all, and from one address */
    int         streams;       /* at most */
    size_t      most_body;     /* bytes, of routes that do not say */
    size_t      most_bodies;   /* of all requests at hand */
    double      arrive_s;      /* a request has to arrive within */
    double      idle_s;        /* a connection may wait for its next request */
    double      send_s;        /* an answer has to be taken within; of a stream, what is sent */
    double      last_s;        /* that is left for it when the service stops */
    double      beat_s;        /* silence on a stream after which a comment is sent */
    const http_route *routes;  /* ends with a NULL method */
    void       *user;          /* of the routes and of what follows */
    /* May it come in? Replies itself (http_reply) and returns false if not. Only the request's line and headers are
     * there. */
    bool      (*admit)(void *user, http_request *r);
    /* Answers what the server refuses: as the service words its refusals. `detail` is a sentence. */
    void      (*refuse)(void *user, http_request *r, int status, const char *detail);
    void      (*done)(void *user, const http_done *what);  /* from several threads */
    void      (*log)(void *user, const char *line);        /* of libmicrohttpd, seldom; NULL */
} http_options;

/* TIDE_EIO where the address cannot be had, TIDE_ENOMEM. What `options` points to stays until http_close. */
tide_status http_open(const http_options *options, http_server **out, tide_failure *failure);
int         http_port(const http_server *s);
/* No more connections; what comes on those there are is refused (503). What is at hand goes on. */
void        http_quiesce(http_server *s);
/* Requests that wait for their answer. */
int64_t     http_waiting(http_server *s);
int64_t     http_connections(http_server *s);
int64_t     http_streams(http_server *s);
/* http_cancelled becomes true for all. */
void        http_cancel_all(http_server *s);
/* Ends the streams and the server. Every request must have had its answer: libmicrohttpd ends the process where one
 * has not, so this waits for them. */
void        http_close(http_server *s);

#endif
