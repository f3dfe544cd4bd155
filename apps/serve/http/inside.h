/* What the files of this folder share. */
#ifndef SERVE_HTTP_INSIDE_H
#define SERVE_HTTP_INSIDE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http.h"

enum { HTTP_QUERIES = 64, HTTP_PATIENCE = 4 };  /* parameters of a query; bodies that are too long are read so far */
/* Bytes of a request's address, of its headers, and the room of a connection: what goes beyond the room libmicrohttpd
 * answers by itself, in HTML, as it does what is no HTTP (400, 505). So ours are less. */
enum { HTTP_URI = 16384, HTTP_HEADERS = 32768, HTTP_ROOM = 98304 };

/* Where a connection is: each state has a limit of time (watch.c). */
typedef enum http_state { HTTP_IDLE, HTTP_ARRIVING, HTTP_WORKING, HTTP_SENDING, HTTP_STREAMING } http_state;

/* A connection, from accept to close. In the server's list; its fields are under the server's lock. */
typedef struct http_connection {
    struct http_connection *before, *after;
    int           fd;
    http_state    state;
    double        since;
    bool          shut;      /* its time was over */
    bool          fresh;     /* no request has come yet */
    http_request *request;   /* that waits for its answer: suspended; NULL */
    http_stream  *stream;    /* that it reads; NULL */
    char          client[64];
} http_connection;

struct http_stream {
    pthread_mutex_t lock;
    int      users;          /* the sender, the connection */
    http_server *server;
    struct MHD_Connection *connection;
    char    *data;
    size_t   length, capacity;
    bool     suspended, ended, gone;
    double   said;           /* os_seconds() of the last that was sent */
    double   taken;          /* and of when the connection took something, or had nothing to take */
};

struct http_request {
    http_server            *server;
    http_connection        *on;
    struct MHD_Connection  *connection;
    const http_route       *route;
    char                    method[16];
    char                   *path;        /* the request's own copy, root path taken off */
    char                   *parameter[HTTP_PARAMETERS];  /* copies; NULL */
    char                   *body;
    size_t                  length, capacity, most;
    double                  began, whole;
    bool                    seen, dispatched, too_long, suspended;
    bool                    long_uri;
    bool                    zero;        /* its path or its query has a character of 0, where C's texts end */
    bool                    ill_framed;  /* where it ends is not known */
    bool                    closing;     /* refused before its body: the connection cannot be used again */
    pthread_mutex_t         lock;        /* of response, suspended */
    struct MHD_Response    *response;
    struct http_header     *headers;     /* of the answer */
    int                     status;
    uint64_t                bytes_out;
    atomic_bool             cancelled;
};

struct http_server {
    http_options       options;
    struct MHD_Daemon *daemon;
    int                port;
    char              *root_path;
    pthread_mutex_t    lock;             /* of the list and of the numbers below */
    http_connection   *first;
    int64_t            connections, waiting, streams;
    size_t             bodies;           /* bytes of bodies at hand */
    bool               stopping, cancelling, ending;
    pthread_t          watcher;
    pthread_cond_t     tick;
};

/* connection.c */
void connection_notice(void *server, struct MHD_Connection *c, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
void connection_state(http_request *r, http_state state);

/* framing.c: NULL, or what is wrong with how the request is put, a sentence; *status is what to answer. */
const char *framing_fault(struct MHD_Connection *c, const char *version, int *status);
/* The declared length; false: there is none. */
bool framing_length(struct MHD_Connection *c, uint64_t *length);

/* match.c: the route; NULL with *allowed filled with the methods that the path has ("": there is no such path). */
const http_route *match_route(http_request *r, const http_route *routes, char *allowed, size_t size);

/* request.c */
void          *request_new(void *server, const char *uri, struct MHD_Connection *c);
enum MHD_Result request_handle(void *server, struct MHD_Connection *c, const char *url, const char *method,
                               const char *version, const char *upload, size_t *upload_size, void **context);
void           request_done(void *server, struct MHD_Connection *c, void **context,
                            enum MHD_RequestTerminationCode code);

/* answer.c */
enum MHD_Result answer_send(http_request *r);
void            answer_free_headers(http_request *r);
void            answer_give(http_request *r, int status, struct MHD_Response *response, uint64_t bytes);

/* stream.c */
void stream_beat(http_stream *s, double now, double beat_s);
void stream_end(http_stream *s, bool gone);
bool stream_stuck(http_stream *s, double now, double most_s);  /* has its client taken nothing for so long? */

/* watch.c */
void *watch(void *server);

#endif
