/* What has happened so far, in Prometheus' text format. */
#include <pthread.h>
#include <stdlib.h>

#include "base/base.h"
#include "service.h"

enum { ROUTES = 96, CLASSES = 6, BUCKETS = 10 };
static const double bound_s[BUCKETS] = { 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30 };

/* The last row is of requests without a route. */
typedef struct counters {
    uint64_t by_class[CLASSES];      /* 0: the client had gone; 2: 2xx ... */
    uint64_t at_most[BUCKETS], count;
    double   seconds;
} counters;

struct metrics {
    pthread_mutex_t lock;
    counters of[ROUTES + 1];
    uint64_t bytes_in, bytes_out;
};

metrics *metrics_new(void) {
    metrics *m = calloc(1, sizeof *m);
    if (m) pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_free(metrics *m) {
    if (!m) return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void metrics_count(metrics *m, const http_done *what) {
    int index = routes_index(what->route), group = what->status / 100;
    counters *c = &m->of[index >= 0 && index < ROUTES ? index : ROUTES];
    pthread_mutex_lock(&m->lock);
    c->by_class[group >= 0 && group < CLASSES ? group : 0]++;
    for (int b = 0; b < BUCKETS; b++) c->at_most[b] += what->seconds <= bound_s[b];
    c->count++;
    c->seconds += what->seconds;
    m->bytes_in += what->bytes_in;
    m->bytes_out += what->bytes_out;
    pthread_mutex_unlock(&m->lock);
}

static void print_labels(text *t, int index) {
    bool none = index == ROUTES;
    text_add(t, "{method=\"%s\",route=\"%s\"", none ? "" : routes[index].method, none ? "" : routes[index].path);
}

static void print_counts(text *t, const counters *c, int index) {
    static const char *const classes[CLASSES] = { "gone", "1xx", "2xx", "3xx", "4xx", "5xx" };
    for (int k = 0; k < CLASSES; k++) {
        if (!c->by_class[k]) continue;
        text_add(t, "tidemill_requests_total");
        print_labels(t, index);
        text_add(t, ",status=\"%s\"} %llu\n", classes[k], (unsigned long long)c->by_class[k]);
    }
}

static void print_times(text *t, const counters *c, int index) {
    for (int b = 0; c->count && b <= BUCKETS; b++) {
        text_add(t, "tidemill_request_seconds_bucket");
        print_labels(t, index);
        if (b < BUCKETS) text_add(t, ",le=\"%g\"} %llu\n", bound_s[b], (unsigned long long)c->at_most[b]);
        else text_add(t, ",le=\"+Inf\"} %llu\n", (unsigned long long)c->count);
    }
    if (!c->count) return;
    text_add(t, "tidemill_request_seconds_sum");
    print_labels(t, index);
    text_add(t, "} %.6f\ntidemill_request_seconds_count", c->seconds);
    print_labels(t, index);
    text_add(t, "} %llu\n", (unsigned long long)c->count);
}

static void print_gauge(text *t, const char *name, const char *help, double value) {
    text_add(t, "# HELP %s %s\n# TYPE %s gauge\n%s %.9g\n", name, help, name, name, value);
}

static void print_queues(text *t, const serve *s) {
    enum { QUEUES = 3 };
    const struct { const char *name; work_queue *queue; } queues[QUEUES] = {
        { "quick", s->quick }, { "refined", s->refined }, { "files", s->files },
    };
    text_add(t, "# HELP tidemill_queue_waiting Requests that wait for a worker.\n"
                "# TYPE tidemill_queue_waiting gauge\n");
    for (int i = 0; i < QUEUES; i++)
        text_add(t, "tidemill_queue_waiting{queue=\"%s\"} %lld\n", queues[i].name,
                 (long long)work_waiting(queues[i].queue));
    text_add(t, "# HELP tidemill_work_seconds_total Time that workers were at work.\n"
                "# TYPE tidemill_work_seconds_total counter\n");
    for (int i = 0; i < QUEUES; i++)
        text_add(t, "tidemill_work_seconds_total{queue=\"%s\"} %.6f\n", queues[i].name, work_seconds(queues[i].queue));
}

static void print_counters(text *t, metrics *m) {
    pthread_mutex_lock(&m->lock);
    text_add(t, "# HELP tidemill_requests_total Requests by route and kind of answer.\n"
                "# TYPE tidemill_requests_total counter\n");
    for (int i = 0; i <= ROUTES; i++) print_counts(t, &m->of[i], i);
    text_add(t, "# HELP tidemill_request_seconds From a request's first line to the end of its answer.\n"
                "# TYPE tidemill_request_seconds histogram\n");
    for (int i = 0; i <= ROUTES; i++) print_times(t, &m->of[i], i);
    text_add(t, "# HELP tidemill_bytes_total Bytes of bodies.\n# TYPE tidemill_bytes_total counter\n"
                "tidemill_bytes_total{direction=\"in\"} %llu\ntidemill_bytes_total{direction=\"out\"} %llu\n",
             (unsigned long long)m->bytes_in, (unsigned long long)m->bytes_out);
    pthread_mutex_unlock(&m->lock);
}

void route_metrics(void *user, http_request *r) {
    serve *s = user;
    text   t = { 0 };
    print_counters(&t, s->metrics);
    print_queues(&t, s);
    text_add(&t, "# HELP tidemill_log_dropped_total Lines of the log that nobody read in time.\n"
                 "# TYPE tidemill_log_dropped_total counter\ntidemill_log_dropped_total %llu\n",
             (unsigned long long)lines_dropped(s->told));
    print_gauge(&t, "tidemill_connections", "Open connections.", (double)http_connections(s->http));
    print_gauge(&t, "tidemill_streams", "Open streams of events.", (double)http_streams(s->http));
    print_gauge(&t, "tidemill_resident_bytes", "Memory of the service.", (double)os_rss_bytes());
    print_gauge(&t, "tidemill_up_seconds", "Since it was started.", os_seconds() - s->began);
    if (t.failed) text_free(&t);
    http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", t.failed ? NULL : t.data, t.failed ? 1 : t.length);
}
