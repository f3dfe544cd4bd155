/* The service as its routes see it. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <stdatomic.h>

#include <tidemill/serve.h>

#include "base/base.h"
#include "serve/access/access.h"
#include "serve/fields/problem.h"
#include "serve/http/http.h"
#include "serve/models/models.h"
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
    models        *models;
    /* The file of an upload, and what its client called it; NULL, and false: there is none. */
    bool         (*upload_path)(serve *s, const char *id, char *path, size_t path_size, char *name, size_t name_size);
    double         began;
    atomic_bool    stopping;
};

/* ---- answers (reply.c) ---- */

void reply_problem(http_request *r, problem *p);  /* frees it */
void reply_say(http_request *r, int status, const char *code, const char *detail);
void reply_json(http_request *r, int status, char *text);  /* malloc'ed; NULL: 503 */
void reply_busy(http_request *r, const char *detail);
void reply_text(text *out, const char *value);  /* a part of an answer: as a JSON text; null */

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
void route_openapi(void *user, http_request *r);
void route_docs(void *user, http_request *r);
void route_models(void *user, http_request *r);
void route_model(void *user, http_request *r);
void route_forecast_predict(void *user, http_request *r);
void route_forecast_read(void *user, http_request *r);
void route_eis_complete(void *user, http_request *r);
void route_eis_check(void *user, http_request *r);
void route_eis_fit(void *user, http_request *r);
void route_eis_drt(void *user, http_request *r);
void route_eis_read(void *user, http_request *r);
void route_eis_simulate(void *user, http_request *r);

#endif
