/* A list under a lock; threads that take from its front, and what fits from behind it. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "work.h"

/* `kind` is that of the items that it answers at the moment; `took_s`, what its last call took. */
typedef struct worker { work_queue *queue; int number; pthread_t thread; const void *kind; double took_s; } worker;

struct work_queue {
    pthread_mutex_t lock;
    pthread_cond_t  some;
    work_item  *first, **last;
    int64_t     waiting, depth;
    int         threads, nice;
    bool        ending;
    double      busy_s;
    void       *user;
    worker      worker[];
};

/* Linux's threads have a nice value each; elsewhere it stays as it is. */
static void lower_priority(int nice) {
#ifdef __linux__
    if (nice) setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), getpriority(PRIO_PROCESS, 0) + nice);
#else
    (void)nice;
#endif
}

/* ---- which items; under the lock ---- */

static bool together(const work_item *a, const work_item *b) { return a->kind == b->kind && a->answer == b->answer; }

/* Whether one of a kind waits for the thread that is at that kind and will take all of them: what one call costs is
 * shared by its items. Only where that is over at once, and there are few. */
static bool is_left(const work_queue *q, const work_item *item) {
    static const double at_once_s = 0.003;
    int  waiting = 0;
    bool busy    = false;
    if (!item->kind || q->ending) return false;
    for (int i = 0; i < q->threads; i++)
        busy = busy || (q->worker[i].kind == item->kind && q->worker[i].took_s < at_once_s);
    for (const work_item *one = q->first; busy && one && waiting < WORK_FEW; one = one->next)
        waiting += together(one, item);
    return busy && waiting < WORK_FEW;
}

static const work_item *next_item(const work_queue *q) {
    const work_item *item = q->first;
    while (item && is_left(q, item)) item = item->next;
    return item;
}

/* The item and those that wait with it. */
static int take(work_queue *q, const work_item *head, work_item *items[WORK_BATCH]) {
    int count = 0;
    for (work_item **at = &q->first; *at && count < WORK_BATCH;) {
        work_item *one = *at;
        if (one != head && (!head->kind || !together(one, head))) {
            at = &one->next;
            continue;
        }
        items[count++] = one;
        *at = one->next;
        if (!*at) q->last = at;
        if (!head->kind) break;
    }
    q->waiting -= count;
    return count;
}

/* ---- threads ---- */

static void answer(worker *w, work_item *const *items, int count) {
    work_queue *q = w->queue;
    w->kind = items[0]->kind;
    pthread_mutex_unlock(&q->lock);
    double began = os_seconds();
    items[0]->answer(q->user, w->number, items, count);
    double took = os_seconds() - began;
    pthread_mutex_lock(&q->lock);
    w->kind = NULL, w->took_s = took;
    q->busy_s += took;
}

static void *work(void *user) {
    worker     *w = user;
    work_queue *q = w->queue;
    work_item  *items[WORK_BATCH];
    lower_priority(q->nice);
    pthread_mutex_lock(&q->lock);
    for (;;) {
        const work_item *head;
        while (!(head = next_item(q)) && !q->ending) pthread_cond_wait(&q->some, &q->lock);
        if (!head) break;
        answer(w, items, take(q, head, items));
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

work_queue *work_new(int threads, int64_t depth, int nice, void *user) {
    work_queue *q = calloc(1, sizeof *q + (size_t)threads * sizeof *q->worker);
    if (!q) return NULL;
    q->depth = depth, q->nice = nice, q->user = user, q->last = &q->first;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->some, NULL);
    for (; q->threads < threads; q->threads++) {
        worker *w = &q->worker[q->threads];
        *w = (worker){ .queue = q, .number = q->threads };
        if (pthread_create(&w->thread, NULL, work, w) == 0) continue;
        work_free(q);
        return NULL;
    }
    return q;
}

bool work_put(work_queue *q, work_item *item) {
    pthread_mutex_lock(&q->lock);
    bool fits = q->waiting < q->depth && !q->ending;
    if (fits) {
        item->next = NULL;
        *q->last = item;
        q->last  = &item->next;
        q->waiting++;
        if (!is_left(q, item)) pthread_cond_signal(&q->some);
    }
    pthread_mutex_unlock(&q->lock);
    return fits;
}

int64_t work_waiting(work_queue *q) {
    pthread_mutex_lock(&q->lock);
    int64_t waiting = q->waiting;
    pthread_mutex_unlock(&q->lock);
    return waiting;
}

int64_t work_depth(const work_queue *q) { return q->depth; }

double work_seconds(work_queue *q) {
    pthread_mutex_lock(&q->lock);
    double busy = q->busy_s;
    pthread_mutex_unlock(&q->lock);
    return busy;
}

void work_free(work_queue *q) {
    if (!q) return;
    pthread_mutex_lock(&q->lock);
    q->ending = true;
    pthread_cond_broadcast(&q->some);
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < q->threads; i++) pthread_join(q->worker[i].thread, NULL);
    pthread_cond_destroy(&q->some);
    pthread_mutex_destroy(&q->lock);
    free(q);
}
