/* Who follows a job: one thread sends each stream what its job has that is new. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "service.h"

enum { LOOK_MS = 50, LOOK_ALL = 20, MOST_WAITING = 1 << 18 };  /* all are looked at each second, told or not */

typedef struct follower {
    http_stream     *stream;
    char             id[STORE_ID];
    int64_t          at;      /* the last event's number */
    bool             news;
    struct follower *next;
} follower;

struct followers {
    jobs           *jobs;
    pthread_mutex_t lock;
    pthread_t       thread;
    bool            started, stopping;
    follower       *first;   /* of the thread alone, but for `news` */
    follower       *added;   /* by others */
};

/* ---- one follower ---- */

static bool is_over(const char *state) {
    return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

/* "id: N\nevent: KIND\ndata: {..}\n\n" */
static bool send_one(follower *f, const json_t *event) {
    text  t    = { 0 };
    char *data = json_whole(json_object_get(event, "data"), JSON_COMPACT);
    long long number = json_integer_value(json_object_get(event, "id"));
    if (data)
        text_add(&t, "id: %lld\nevent: %s\ndata: %s\n\n", number, json_string_value(json_object_get(event, "event")),
                 data);
    bool fine = data && !t.failed && http_stream_send(f->stream, t.data, t.length);
    if (fine) f->at = number;
    text_free(&t);
    free(data);
    return fine;
}

static void set_news(followers *of, follower *f) {
    pthread_mutex_lock(&of->lock);
    f->news = true;
    pthread_mutex_unlock(&of->lock);
}

/* False: it is over, and the stream to be closed. What does not fit now is sent at the next look. */
static bool send_news(followers *of, follower *f) {
    json_t     *events;
    const char *state;
    bool        fine = true;
    if (http_stream_waiting(f->stream) > MOST_WAITING / 2) return http_stream_alive(f->stream);
    if (jobs_events(of->jobs, f->id, f->at, &events, &state, NULL) != TIDE_OK) return false; /* it was taken away */
    size_t count = json_array_size(events), sent = 0;
    while (fine && sent < count && http_stream_waiting(f->stream) <= MOST_WAITING)
        fine = send_one(f, json_array_get(events, sent++));
    json_decref(events);
    if (count) set_news(of, f); /* there may be more */
    return fine && http_stream_alive(f->stream) && (count || !is_over(state));
}

static void drop(follower *f) {
    http_stream_close(f->stream);
    free(f);
}

/* ---- the thread ---- */

/* Those that were added come first; copies what others said of news. */
static bool take_added(followers *f) {
    pthread_mutex_lock(&f->lock);
    for (follower *a; (a = f->added);) {
        f->added = a->next;
        a->next  = f->first;
        f->first = a;
    }
    bool stopping = f->stopping;
    pthread_mutex_unlock(&f->lock);
    return !stopping;
}

/* Taking it before looking: what comes meanwhile is news again. */
static bool take_news(followers *f, follower *one) {
    pthread_mutex_lock(&f->lock);
    bool news = one->news;
    one->news = false;
    pthread_mutex_unlock(&f->lock);
    return news;
}

static void look(followers *f, bool all) {
    for (follower **at = &f->first; *at;) {
        follower *one = *at;
        if (!(take_news(f, one) || all) || send_news(f, one)) {
            at = &one->next;
            continue;
        }
        pthread_mutex_lock(&f->lock);
        *at = one->next;
        pthread_mutex_unlock(&f->lock);
        drop(one);
    }
}

static void *follow(void *of) {
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    followers *f = of;
    for (int64_t n = 0; take_added(f); n++) {
        look(f, n % LOOK_ALL == 0);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* ---- for others ---- */

followers *followers_new(void) {
    followers *f = calloc(1, sizeof *f);
    if (f) pthread_mutex_init(&f->lock, NULL);
    return f;
}

bool followers_start(followers *f, jobs *j) {
    f->jobs = j;
    return f->started = pthread_create(&f->thread, NULL, follow, f) == 0;
}

void followers_stop(followers *f) {
    if (!f || !f->started) return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    f->started = false;
}

void followers_free(followers *f) {
    if (!f) return;
    take_added(f);
    for (follower *one; (one = f->first);) {
        f->first = one->next;
        drop(one);
    }
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void followers_add(followers *f, http_stream *stream, const char *id, int64_t after) {
    follower *one = malloc(sizeof *one);
    if (!one) {
        http_stream_close(stream);
        return;
    }
    *one = (follower){ .stream = stream, .at = after, .news = true };
    snprintf(one->id, sizeof one->id, "%s", id);
    pthread_mutex_lock(&f->lock);
    one->next = f->added;
    f->added  = one;
    pthread_mutex_unlock(&f->lock);
}

void followers_changed(followers *f, const char *id) {
    pthread_mutex_lock(&f->lock);
    for (follower *one = f->first; one; one = one->next)
        if (strcmp(one->id, id) == 0) one->news = true;
    pthread_mutex_unlock(&f->lock);
}
