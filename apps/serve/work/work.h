/* Bounded queues with threads of their own. An item is answered by one thread, or with others of its kind that wait at
 * that moment. While a thread is at a kind whose calls are over at once, fewer than WORK_FEW of that kind wait for it
 * to take them in one call; nothing else waits for more to come. */
#ifndef SERVE_WORK_H
#define SERVE_WORK_H

#include <stdbool.h>
#include <stdint.h>

enum { WORK_BATCH = 32, WORK_FEW = 8 };

typedef struct work_queue work_queue;
typedef struct work_item work_item;

/* First field of what is queued. */
struct work_item {
    /* Answers `count` items, all with this function and this `kind`. `thread` counts from 0. */
    void (*answer)(void *user, int thread, work_item *const *items, int count);
    const void *kind;    /* items of one kind are answered together; NULL: alone */
    work_item  *next;
};

/* `nice`: of the threads, above the process's own. NULL: no memory, or no threads. */
work_queue *work_new(int threads, int64_t depth, int nice, void *user);
/* False: as many wait as may. */
bool        work_put(work_queue *q, work_item *item);
int64_t     work_waiting(work_queue *q);
int64_t     work_depth(const work_queue *q);
double      work_seconds(work_queue *q);  /* that its threads have been at work, in all */
/* What is queued is still answered. NULL is fine. */
void        work_free(work_queue *q);

#endif
