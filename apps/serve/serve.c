/* The service as a handle: its parts, in the order in which they are opened and stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base.h"
#include "base/json.h"
#include "serve/routes/openapi.h"
#include "serve/routes/service.h"

static const http_options standard = {
    .threads = 2, .connections = 1024, .connections_of_one = 512, .streams = 128, .most_bodies = 512u << 20,
    .arrive_s = 30, .idle_s = 75, .send_s = 60, .last_s = 10, .beat_s = 10, .routes = routes,
};

/* ---- what the server asks ---- */

static bool admit(void *user, http_request *r) {
    const serve *s    = user;
    const char  *host = http_header(r, "Host");
    if (!access_host_fits(s->access, host)) {
        reply_say(r, 403, "host", "This service is not known by the name in the header Host; allow-host adds one.");
        return false;
    }
    if (!access_origin_fits(s->access, http_header(r, "Origin"), host)) {
        reply_say(r, 403, "origin", "Pages of other sites may not ask this service.");
        return false;
    }
    if (http_route_of(r)->open || access_token_fits(s->access, http_header(r, "Authorization"))) return true;
    http_answer_header(r, "WWW-Authenticate", "Bearer realm=\"tidemill\"");
    reply_say(r, 401, "token", "A token is needed: Authorization: Bearer TOKEN.");
    return false;
}

static const char *code_of(int status) {
    switch (status) {
    case 404: return "not_found";
    case 405: return "method";
    case 413: return "size";
    case 503: return "busy";
    default:  return "framing";
    }
}

static void refuse(void *user, http_request *r, int status, const char *detail) {
    (void)user;
    reply_say(r, status, code_of(status), detail);
}

/* A path is told as it came, but for what would leave the line. */
static void add_path(text *t, const char *path) {
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') text_add(t, "\\u%04x", c);
        else text_add(t, "%c", c);
    }
}

static void log_access(const serve *s, const http_done *what) {
    struct timespec now;
    struct tm       utc;
    char            stamp[40];
    text            t = { 0 };
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    text_add(&t, "{\"time\":\"%s.%03ldZ\",\"client\":\"%s\",\"method\":\"", stamp, now.tv_nsec / 1000000L,
             what->client);
    add_path(&t, what->method);
    text_add(&t, "\",\"path\":\"");
    add_path(&t, what->path);
    text_add(&t, "\",\"status\":%d,\"bytes_in\":%llu,\"bytes_out\":%llu,\"ms\":%.3f}", what->status,
             (unsigned long long)what->bytes_in, (unsigned long long)what->bytes_out, 1e3 * what->seconds);
    if (!t.failed) lines_put(s->told, SERVE_ACCESS, t.data);
    text_free(&t);
}

static void done(void *user, const http_done *what) {
    serve *s = user;
    metrics_count(s->metrics, what);
    if (s->told && s->options.access_log) log_access(s, what);
}

/* ---- opening ---- */

static tide_status check(const serve_options *o, tide_failure *failure) {
    tide_status status = tide_options_check(serve_table(), o, failure);
    if (status != TIDE_OK) return status;
    if (*o->root_path && (*o->root_path != '/' || o->root_path[strlen(o->root_path) - 1] == '/'))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "root-path",
                       "`root-path` begins with / and does not end with one");
    if (!access_is_loopback(o->host) && !*o->token_file)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "host",
                       "`host` %s can be reached by others: that needs a `token-file` (or 127.0.0.1 behind a proxy)",
                       o->host);
    return TIDE_OK;
}

static tide_status open_http(serve *s, tide_failure *failure) {
    http_options o = standard;
    o.host      = s->options.host;
    o.port      = (int)s->options.port;
    o.root_path = s->options.root_path;
    o.most_body = (size_t)(s->options.max_body_mib * 1048576);
    o.user = s, o.admit = admit, o.refuse = refuse, o.done = done;
    return http_open(&o, &s->http, failure);
}

/* Refined answers have half the workers, and a queue that is emptied within some seconds. */
static tide_status open_parts(serve *s, tide_failure *failure) {
    enum { REFINED_QUEUE = 32, REFINED_NICE = 5, TABLES_BYTES = 256 << 20 };
    tide_status status = access_open(s->options.token_file, access_is_loopback(s->options.host), s->options.allow_host,
                                     &s->access, failure);
    if (status != TIDE_OK) return status;
    int workers = s->options.workers ? (int)s->options.workers : os_cores();
    s->metrics  = metrics_new();
    s->quick    = work_new(workers, s->options.queue, 0, s);
    s->refined  = work_new((workers + 1) / 2, MIN2(s->options.queue, REFINED_QUEUE), REFINED_NICE, s);
    s->files    = work_new(1, s->options.queue, 0, s);
    s->models   = models_new(s->options.models, workers);
    s->tables   = tables_new(TABLES_BYTES);
    if (!s->tables || !s->metrics || !s->quick || !s->refined || !s->files || !s->models)
        return fail(failure, TIDE_ENOMEM, "no memory or no threads");
    status = kept_open(s, failure);
    return status == TIDE_OK ? open_http(s, failure) : status;
}

static void say_where(const serve *s) {
    char        line[640];
    bool        six  = strchr(s->options.host, ':') != NULL;
    const char *host = s->options.host;
    if (!s->told) return;
    snprintf(line, sizeof line, "tidemill %s serves http://%s%s%s:%d%s/%s", TIDE_VERSION, six ? "[" : "", host,
             six ? "]" : "", http_port(s->http), s->options.root_path,
             *s->options.token_file ? " (with a token)" : "");
    lines_put(s->told, SERVE_NOTE, line);
}

tide_status serve_open(const serve_options *options, serve_listener listener, void *user, serve **out,
                       tide_failure *failure) {
    failure_clear(failure);
    if (out) *out = NULL;
    if (!options || !out) return fail(failure, TIDE_EINVAL, "serve_open: options and out must not be NULL");
    tide_status status = check(options, failure);
    if (status != TIDE_OK) return status;
    serve *s = calloc(1, sizeof *s);
    if (!s) return fail(failure, TIDE_ENOMEM, "out of memory");
    s->options = *options, s->began = os_seconds();
    if (listener && !(s->told = lines_new(listener, user)))
        status = fail(failure, TIDE_ENOMEM, "no memory or no thread for what is told");
    if (status == TIDE_OK) status = open_parts(s, failure);
    if (status != TIDE_OK) {
        serve_close(s);
        return status;
    }
    say_where(s);
    *out = s;
    return TIDE_OK;
}

/* ---- stopping ---- */

int serve_port(const serve *s) { return s ? http_port(s->http) : 0; }

void serve_stop(serve *s, double patience_s) {
    enum { LOOK_MS = 10 };
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    if (!s || !s->http) return;
    atomic_store(&s->stopping, true);
    http_quiesce(s->http);
    for (double end = os_seconds() + patience_s; http_waiting(s->http) && os_seconds() < end;) nanosleep(&pause, NULL);
    http_cancel_all(s->http);
    while (http_waiting(s->http)) nanosleep(&pause, NULL);
}

/* The server first: it waits for answers, which the workers give. */
void serve_close(serve *s) {
    if (!s) return;
    serve_stop(s, 0);
    http_close(s->http);
    work_free(s->quick);
    work_free(s->refined);
    work_free(s->files);
    kept_close(s);
    access_close(s->access);
    models_free(s->models);
    tables_free(s->tables);
    metrics_free(s->metrics);
    lines_free(s->told);
    free(s);
}

char *serve_openapi(void) {
    json_t *o    = openapi_describe(true);
    char   *text = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    if (o) json_decref(o);
    return text;
}
