/* The service as its routes see it. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include <stdatomic.h>

#include <tidemill/serve.h>

#include "base/base.h"
#include "serve/access/access.h"
#include "serve/fields/problem.h"
#include "serve/http/http.h"
#include "serve/log/lines.h"
#include "serve/models/models.h"
#include "serve/jobs/jobs.h"
#include "serve/tables/tables.h"
#include "serve/uploads/uploads.h"
#include "serve/work/work.h"

typedef struct metrics metrics;
typedef struct followers followers;

struct serve {
    serve_options  options;
    lines         *told;     /* to who listens; NULL: nobody does */
    http_server   *http;
    access_rules  *access;
    work_queue    *quick;    /* what takes milliseconds */
    work_queue    *refined;  /* what takes a tenth of a second or more: it must not hold up the others */
    work_queue    *files;    /* uploads and jobs: seen and cancelled however much is computed */
    metrics       *metrics;
    models        *models;
    /* The file of an upload, and what its client called it; NULL, and false: there is none. */
    bool         (*upload_path)(serve *s, const char *id, char *path, size_t path_size, char *name, size_t name_size);
    tables        *tables;   /* of uploads, that forecasts begin in */
    uploads       *uploads;  /* NULL, as jobs: there is no folder for them */
    jobs          *jobs;
    jobs_command  *commands; /* options.commands as jobs have them */
    followers     *followers;
    double         began;
    atomic_bool    stopping;
};

/* ---- answers (reply.c) ---- */

void reply_problem(http_request *r, problem *p);  /* frees it */
void reply_say(http_request *r, int status, const char *code, const char *detail);
void reply_json(http_request *r, int status, char *text);  /* malloc'ed; NULL: 503 */
void reply_busy(http_request *r, const char *detail);
void reply_text(text *out, const char *value);  /* a part of an answer: as a JSON text; null */

/* ---- what a body is, and what is wanted back (media.c) ---- */

bool body_is_json(const http_request *r);  /* also where it does not say, and of curl */
bool wants_csv(const http_request *r);
bool has_no_query(const http_request *r, problem *p);  /* else 422: what stands in a body of JSON is not said twice */
void reply_csv(http_request *r, char *text);  /* malloc'ed; NULL: 503 */

/* ---- what has happened (metrics.c) ---- */

metrics *metrics_new(void);
void     metrics_free(metrics *m);
void     metrics_count(metrics *m, const http_done *what);

/* ---- what is kept (kept.c), and who follows a job (follow.c) ---- */

/* Uploads and jobs in the service's folder; TIDE_OK, with a warning, where the usual one cannot be had. */
tide_status kept_open(serve *s, tide_failure *failure);
void        kept_close(serve *s);  /* the jobs go on */

followers *followers_new(void);                           /* NULL: out of memory */
bool       followers_start(followers *f, jobs *j);        /* false: no thread is to be had */
void       followers_stop(followers *f);                  /* before the jobs go; NULL is fine */
void       followers_free(followers *f);                  /* ends their streams; NULL is fine */
/* Takes the stream, which gets the job's events after that number, and ends with the job. */
void       followers_add(followers *f, http_stream *stream, const char *id, int64_t after);
void       followers_changed(followers *f, const char *id);

/* ---- routes ---- */

enum { UPLOAD_BYTES = 64 << 20 };
extern const http_route routes[];  /* ends with a NULL method */
int routes_index(const http_route *route);  /* -1: NULL */

/* page.c */
void route_root(void *user, http_request *r);
void route_page(void *user, http_request *r);
void route_page_asset(void *user, http_request *r);
void route_healthz(void *user, http_request *r);
void route_readyz(void *user, http_request *r);
void route_metrics(void *user, http_request *r);
void route_openapi(void *user, http_request *r);
void route_docs(void *user, http_request *r);
void route_models(void *user, http_request *r);
void route_model(void *user, http_request *r);
void route_forecast_predict(void *user, http_request *r);
void route_forecast_attention(void *user, http_request *r);
void route_forecast_evaluate(void *user, http_request *r);
void route_forecast_read(void *user, http_request *r);
void route_eis_complete(void *user, http_request *r);
void route_eis_check(void *user, http_request *r);
void route_eis_fit(void *user, http_request *r);
void route_eis_drt(void *user, http_request *r);
void route_eis_read(void *user, http_request *r);
void route_eis_simulate(void *user, http_request *r);
/* origin.c */
void route_origin_health(void *user, http_request *r);
void route_origin_predict(void *user, http_request *r);
void route_origin_info(void *user, http_request *r);
void route_origin_test(void *user, http_request *r);
/* uploads.c */
void route_upload_new(void *user, http_request *r);
void route_upload_list(void *user, http_request *r);
void route_upload_get(void *user, http_request *r);
void route_upload_remove(void *user, http_request *r);
/* jobs.c */
void route_job_new(void *user, http_request *r);
void route_job_list(void *user, http_request *r);
void route_job_get(void *user, http_request *r);
void route_job_remove(void *user, http_request *r);
void route_job_cancel(void *user, http_request *r);
void route_job_resume(void *user, http_request *r);
void route_job_name(void *user, http_request *r);
void route_job_events(void *user, http_request *r);
void route_job_log(void *user, http_request *r);
void route_job_metrics(void *user, http_request *r);
void route_job_result(void *user, http_request *r);
void route_job_files(void *user, http_request *r);
void route_job_file(void *user, http_request *r);
/* machine.c */
void route_machine(void *user, http_request *r);
void route_machine_measure(void *user, http_request *r);

#endif
