/* The service: the applications over HTTP, as a handle. `tidemill serve` is a thin user of it; docs/serve.md is the
 * manual for who asks, /openapi.json the description for programs.
 *
 *     serve_options o;
 *     serve_options_default(&o);
 *     serve *s;
 *     if (serve_open(&o, NULL, NULL, &s, &failure) == TIDE_OK) {
 *         ... serve_port(s) ...
 *         serve_stop(s, 10);
 *         serve_close(s);
 *     }
 *
 * It is a library of its own, libtidemill-serve (pkg-config tidemill-serve), with the engine that it answers with
 * inside: a program that asks the engine too links libtidemill beside it. libtidemill itself needs nothing of an HTTP
 * server.
 *
 * Nothing here prints, exits or handles signals. Requests are answered by one-thread workers that keep what they
 * opened; no request sets an option that names a path or a part of the machine (TIDE_OPTION_RESOURCE). A build without
 * libmicrohttpd, libsodium and SQLite has these functions too: serve_open is then TIDE_EDEVICE. */
#ifndef TIDEMILL_SERVE_H
#define TIDEMILL_SERVE_H

#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SERVE_TEXT_SIZE = 1024, SERVE_MAX_OPTIONS = 16 };

/* A command of this program that a job may be, besides those of the applications. */
typedef struct serve_command {
    const char *name;                           /* "bench" */
    const tide_option_table *(*table)(void);    /* its options; those with TIDE_OPTION_RESOURCE no request sets */
    const char *written;                        /* "out=run": the option that names what it writes, and where in the
                                                   job's folder; "" */
} serve_command;

/* Plain data: copy it freely. Text fields are never NULL; "" means "not given". */
typedef struct serve_options {
    char    host[256];                   /* the address to listen on */
    int64_t port;                        /* 0: one that is free */
    char    root_path[256];              /* in front of every path: "/tidemill" behind a proxy; "" */
    char    token_file[SERVE_TEXT_SIZE]; /* lines of "TOKEN" or "NAME TOKEN", readable by its owner alone. "": no
                                            token is asked for, and then `host` must be this machine's own */
    char    allow_host[SERVE_TEXT_SIZE]; /* names by commas under which the service may be asked besides localhost, when
                                            it listens on this machine's own address: those of a proxy before it */
    char    models[SERVE_TEXT_SIZE];     /* folder whose run folders are the models */
    char    state[SERVE_TEXT_SIZE];      /* folder of uploads and jobs; "": the user's own, $XDG_STATE_HOME/tidemill */
    int64_t workers;                     /* threads that answer; 0: the physical cores this process may use */
    int64_t queue;                       /* requests that may wait for them; more are refused (503) */
    double  deadline_s;                  /* that a refined answer may take, waiting included; then it is to be a job */
    double  max_body_mib;                /* of a request; uploads have their own */
    bool    access_log;                  /* tell SERVE_ACCESS */
    const serve_command *commands;       /* ends with a NULL name, stays until serve_close; NULL: none */
    bool    given[SERVE_MAX_OPTIONS];
} serve_options;

TIDE_API const tide_option_table *serve_table(void);
TIDE_API void serve_options_default(serve_options *o);

typedef enum serve_tone {
    SERVE_NOTE,    /* a sentence for who runs the service */
    SERVE_WARNING,
    SERVE_ACCESS   /* a request and its answer, one JSON object: no query, no header, no body */
} serve_tone;
/* From one thread of the service's own, a line at a time, in order. It may take its time: answers go on, and what comes
 * while a megabyte waits is dropped, of the access log with a line {"dropped":N} where it is missing. serve_close waits
 * for it to tell the rest. May be NULL. */
typedef void (*serve_listener)(void *user, serve_tone tone, const char *line);

typedef struct serve serve;

/* Listens and answers, on threads of its own, until it is stopped. TIDE_EINVAL (a host that others can reach without a
 * token file), TIDE_EIO (an address that is taken, a file or folder that cannot be read), TIDE_EDATA, TIDE_EDEVICE,
 * TIDE_ENOMEM; *out is NULL then. */
TIDE_API tide_status serve_open(const serve_options *options, serve_listener listener, void *user, serve **out,
                                tide_failure *failure);
TIDE_API int         serve_port(const serve *s);  /* of NULL: 0 */
/* Takes no more, and finishes what is at hand; what is not done after `patience_s` seconds is told to stop, and
 * answered with 503. Returns when all of it has been answered. */
TIDE_API void        serve_stop(serve *s, double patience_s);
/* NULL is fine; stops at once what serve_stop has not. */
TIDE_API void        serve_close(serve *s);

/* The description of the interface, OpenAPI 3.1 as JSON: tide_free; NULL when out of memory, or in a build without the
 * service. */
TIDE_API char *serve_openapi(void);

#ifdef __cplusplus
}
#endif

#endif
