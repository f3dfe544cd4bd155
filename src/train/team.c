/* Threads that open a handle each and take orders: what the caller does with rank 0's, they do with theirs. */
#include "team.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/base.h"

typedef struct member {
    train_team *team;
    pthread_t   thread;
    int         rank;
    void       *handle;
} member;

/* Orders are numbered; a member that has done as many as were given waits. */
struct train_team {
    train_devices   devices;
    train_team_work work;
    void           *user;
    rank_group     *group;
    pthread_mutex_t lock;
    pthread_cond_t  news;
    int64_t         given, steps;
    train_team_call what;
    bool            over;
    int             busy, started;      /* members that have not done the last order; that run */
    member          of[TRAIN_DEVICES];
};

static void done(train_team *t) {
    pthread_mutex_lock(&t->lock);
    t->busy--;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->lock);
}

/* False: it is over. */
static bool next_order(train_team *t, int64_t had) {
    pthread_mutex_lock(&t->lock);
    while (t->given == had && !t->over) pthread_cond_wait(&t->news, &t->lock);
    bool more = t->given != had;
    pthread_mutex_unlock(&t->lock);
    return more;
}

static void *take_part(void *of) {
    member     *m = of;
    train_team *t = m->team;
    rank_group_enter(t->group, m->rank);
    if (t->work.open(t->user, t->devices.of[m->rank], &m->handle) != TIDE_OK) rank_group_end(t->group);
    done(t);
    for (int64_t had = 0; next_order(t, had); had++) {
        if (m->handle) t->work.call(m->handle, t->what, t->steps);
        if (t->what == TRAIN_TEAM_FREE) m->handle = NULL;
        done(t);
    }
    if (m->handle) t->work.call(m->handle, TRAIN_TEAM_FREE, 0);
    return NULL;
}

static bool start(train_team *t) {
    int count = t->devices.count;
    for (int i = 1; i < count; i++) {
        t->of[i] = (member){ .team = t, .rank = i };
        pthread_mutex_lock(&t->lock);
        bool fine = pthread_create(&t->of[i].thread, NULL, take_part, &t->of[i]) == 0;
        if (fine) t->busy++, t->started++;
        pthread_mutex_unlock(&t->lock);
        if (!fine) return false;
    }
    return true;
}

tide_status train_team_new(const train_devices *d, const train_team_work *work, void *user, train_team **out,
                           tide_failure *failure) {
    train_team *t = *out = calloc(1, sizeof *t);
    if (!t) return fail(failure, TIDE_ENOMEM, "out of memory for ranks");
    t->devices = *d, t->work = *work, t->user = user;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->news, NULL);
    t->group = rank_group_new((const char (*)[RANK_HOST])t->devices.of, d->count);
    if (t->group && start(t)) {
        rank_group_enter(t->group, 0);
        return TIDE_OK;
    }
    train_team_free(t);
    *out = NULL;
    return fail(failure, TIDE_ENOMEM, "out of memory for ranks, or no thread is to be had for one");
}

void train_team_begin(train_team *t, train_team_call what, int64_t steps) {
    if (!t) return;
    train_team_end(t);
    pthread_mutex_lock(&t->lock);
    t->what = what, t->steps = steps, t->given++, t->busy = t->started;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->lock);
}

void train_team_end(train_team *t) {
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    while (t->busy) pthread_cond_wait(&t->news, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void train_team_free(train_team *t) {
    if (!t) return;
    rank_group_enter(NULL, 0);
    if (t->group) rank_group_end(t->group);
    pthread_mutex_lock(&t->lock);
    t->over = true;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->lock);
    for (int i = 1; i <= t->started; i++) pthread_join(t->of[i].thread, NULL);
    rank_group_free(t->group);
    pthread_cond_destroy(&t->news);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
