/* A list under a lock; threads that take from its front, and what fits from behind it. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "work.h"

typedef struct worker { work_queue *queue; int number; pthread_t thread; } worker;

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

/* Under the lock: the first item and those of its kind. */
static int take(work_queue *q, work_item *items[WORK_BATCH]) {
    int count = 0;
    const work_item *head = q->first;
    for (work_item **at = &q->first; *at && count < WORK_BATCH;) {
        work_item *one = *at;
        if (count && (!head->kind || one->kind != head->kind || one->answer != head->answer)) {
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

static void *work(void *user) {
    worker     *w = user;
    work_queue *q = w->queue;
    work_item  *items[WORK_BATCH];
    lower_priority(q->nice);
    pthread_mutex_lock(&q->lock);
    for (;;) {
        while (!q->first && !q->ending) pthread_cond_wait(&q->some, &q->lock);
        if (!q->first) break;
        int count = take(q, items);
        pthread_mutex_unlock(&q->lock);
        double began = os_seconds();
        items[0]->answer(q->user, w->number, items, count);
        double took = os_seconds() - began;
        pthread_mutex_lock(&q->lock);
        q->busy_s += took;
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
        pthread_cond_signal(&q->some);
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
