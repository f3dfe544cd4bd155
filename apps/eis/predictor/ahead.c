#include "ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct ahead {
    maker       *maker;
    int64_t      count, stride;
    pthread_t    thread;
    bool         begun;
    uint64_t     first;      /* of the block that was begun */
    float       *rows;
    tide_status  status;
    tide_failure why;
};

ahead *ahead_new(maker *m, int64_t count, int64_t stride) {
    ahead *a = calloc(1, sizeof *a);
    if (a) *a = (ahead){ .maker = m, .count = count, .stride = stride };
    return a;
}

static void join(ahead *a) {
    if (a->begun) pthread_join(a->thread, NULL);
    a->begun = false;
}

void ahead_free(ahead *a) {
    if (!a) return;
    join(a);
    free(a);
}

static void *work(void *of) {
    ahead *a  = of;
    a->why    = (tide_failure){ 0 };
    a->status = maker_rows(a->maker, SPLIT_TRAIN, a->first, a->count, a->stride, a->rows, &a->why);
    return NULL;
}

/* Signals are for the threads that the program began with. */
void ahead_begin(ahead *a, uint64_t first, float *rows) {
    sigset_t all, before;
    join(a);
    a->first = first, a->rows = rows;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    a->begun = pthread_create(&a->thread, NULL, work, a) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

tide_status ahead_make(ahead *a, uint64_t first, float *rows, tide_failure *failure) {
    bool there = a->begun && a->first == first && a->rows == rows;
    join(a);
    if (!there) return maker_rows(a->maker, SPLIT_TRAIN, first, a->count, a->stride, rows, failure);
    if (a->status != TIDE_OK && failure) *failure = a->why;
    return a->status;
}
