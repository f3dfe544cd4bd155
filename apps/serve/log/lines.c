/* Two buffers: one is filled while the other is told. */
#include "lines.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20 };  /* bytes of each */

/* Texts, each behind its tone and ended with 0. */
typedef struct buffer { char *at; size_t used; } buffer;

struct lines {
    serve_listener  listener;
    void           *user;
    pthread_mutex_t lock;
    pthread_cond_t  some;
    pthread_t       thread;
    buffer          fills, told;
    uint64_t        dropped, dropped_access, missing;  /* in all; of the access log, and how many of these were told */
    bool            ending;
};

static void tell_all(lines *l) {
    for (size_t i = 0; i < l->told.used; i += 1 + strlen(l->told.at + i + 1) + 1)
        l->listener(l->user, (serve_tone)l->told.at[i], l->told.at + i + 1);
    l->told.used = 0;
}

/* Who reads the access log has to know that it is not all there. */
static void tell_missing(lines *l, uint64_t dropped) {
    char line[64];
    if (dropped == l->missing) return;
    snprintf(line, sizeof line, "{\"dropped\":%" PRIu64 "}", dropped - l->missing);
    l->missing = dropped;
    l->listener(l->user, SERVE_ACCESS, line);
}

static void *tell(void *user) {
    lines *l = user;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->fills.used && !l->ending) pthread_cond_wait(&l->some, &l->lock);
        if (!l->fills.used) break;
        buffer   full    = l->fills;
        uint64_t dropped = l->dropped_access;
        l->fills = l->told, l->told = full;
        pthread_mutex_unlock(&l->lock);
        tell_all(l);
        tell_missing(l, dropped);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static void discard(lines *l) {
    pthread_cond_destroy(&l->some);
    pthread_mutex_destroy(&l->lock);
    free(l->fills.at);
    free(l->told.at);
    free(l);
}

lines *lines_new(serve_listener listener, void *user) {
    lines *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->listener = listener, l->user = user;
    l->fills.at = malloc(ROOM), l->told.at = malloc(ROOM);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->some, NULL);
    if (l->fills.at && l->told.at && pthread_create(&l->thread, NULL, tell, l) == 0) return l;
    discard(l);
    return NULL;
}

void lines_put(lines *l, serve_tone tone, const char *text) {
    if (!l) return;
    size_t size = strlen(text) + 1;
    pthread_mutex_lock(&l->lock);
    if (l->fills.used + 1 + size <= ROOM) {
        l->fills.at[l->fills.used] = (char)tone;
        memcpy(l->fills.at + l->fills.used + 1, text, size);
        l->fills.used += 1 + size;
        pthread_cond_signal(&l->some);
    } else l->dropped++, l->dropped_access += tone == SERVE_ACCESS;
    pthread_mutex_unlock(&l->lock);
}

uint64_t lines_dropped(lines *l) {
    if (!l) return 0;
    pthread_mutex_lock(&l->lock);
    uint64_t dropped = l->dropped;
    pthread_mutex_unlock(&l->lock);
    return dropped;
}

void lines_free(lines *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_cond_signal(&l->some);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    discard(l);
}
