/* The service as its routes see it. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <stdatomic.h>

#include <tidemill/serve.h>

#include "serve/access/access.h"
#include "serve/fields/problem.h"
#include "serve/http/http.h"
#include "serve/work/work.h"

typedef struct metrics metrics;

struct serve {
    serve_options  options;
    serve_listener listener;
    void          *user;
    http_server   *http;
    access_rules  *access;
    work_queue    *quick;    /* what takes milliseconds */
    work_queue    *refined;  /* what takes a tenth of a second or more: it must not hold up the others */
    metrics       *metrics;
    double         began;
    atomic_bool    stopping;
};

/* ---- answers (reply.c) ---- */

void reply_problem(http_request *r, problem *p);  /* frees it */
void reply_say(http_request *r, int status, const char *code, const char *detail);
void reply_json(http_request *r, int status, char *text);  /* malloc'ed; NULL: 503 */
void reply_busy(http_request *r, const char *detail);

/* ---- what has happened (metrics.c) ---- */

metrics *metrics_new(void);
void     metrics_free(metrics *m);
void     metrics_count(metrics *m, const http_done *what);

/* ---- routes ---- */

extern const http_route routes[];  /* ends with a NULL method */
int routes_index(const http_route *route);  /* -1: NULL */

void route_healthz(void *user, http_request *r);
void route_readyz(void *user, http_request *r);
void route_metrics(void *user, http_request *r);

#endif
