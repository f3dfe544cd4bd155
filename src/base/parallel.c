/* A run's phases are handed out as tickets. One word holds the number of the open phase and how many tickets are left;
 * whoever finishes the last ticket of a phase opens the next one. So nobody waits for a thread that holds no ticket,
 * and a helper that comes late, or that the system keeps from running, is not waited for: it is dismissed by its
 * caller, finds that out before it can take anything, and touches the memory of a run only while it holds a ticket of
 * it. What helpers look at without one lives as long as the process. */
#include "parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* ---- waiting: a bounded spin, then sleep ---------------------------------------------------------------- */

/* A sleeping thread takes some 50 us to be awake, so shorter waits are spun through always; longer ones, up to about
 * what lies between two steps of a training, only while nobody else wants the cores (bench/results/threads.md). */
static const double spin_seconds = 50e-6, quiet_spin_seconds = 1e-3, crowded_seconds = 10e-3;

/* Whether other programs took a core from us lately: then what we spin away, they or our own threads lack. */
static bool crowded(double now) {
    static atomic_int_fast64_t preemptions, until_us;
    int64_t count = os_preemptions();
    if (atomic_exchange(&preemptions, count) != count)
        atomic_store(&until_us, (int64_t)((now + crowded_seconds) * 1e6));
    return now * 1e6 < (double)atomic_load(&until_us);
}

typedef struct sleeper {
    pthread_mutex_t mutex;
    pthread_cond_t  bell;
    atomic_bool asleep;
    bool        rung;
} sleeper;

static void sleeper_init(sleeper *s) {
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->bell, NULL);
    atomic_store(&s->asleep, false);
    s->rung = false;
}

static void relax(void) {
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static bool spin_until(bool (*changed)(const void *), const void *what, double until) {
    enum { LOOKS = 32 };
    do
        for (int i = 0; i < LOOKS; i++) {
            if (changed(what)) return true;
            relax();
        }
    while (os_seconds() < until);
    return false;
}

static void sleep_until(sleeper *s, bool (*changed)(const void *), const void *what) {
    atomic_store(&s->asleep, true);
    if (!changed(what)) {
        pthread_mutex_lock(&s->mutex);
        while (!s->rung) pthread_cond_wait(&s->bell, &s->mutex);
        s->rung = false;
        pthread_mutex_unlock(&s->mutex);
    }
    atomic_store(&s->asleep, false);
}

/* What is waited for must be stored before wake looks whether anyone sleeps, and `changed` must look after asleep is
 * stored: all four in one order (seq_cst), so that one of the two sees the other. */
static void wait_until(sleeper *s, bool (*changed)(const void *), const void *what) {
    double began = os_seconds();
    if (spin_until(changed, what, began + spin_seconds)) return;
    if (!crowded(os_seconds()) && spin_until(changed, what, began + quiet_spin_seconds)) return;
    sleep_until(s, changed, what);
}

static void wake(sleeper *s) {
    if (!atomic_load(&s->asleep) || !atomic_exchange(&s->asleep, false)) return;
    pthread_mutex_lock(&s->mutex);
    s->rung = true;
    pthread_mutex_unlock(&s->mutex);
    pthread_cond_signal(&s->bell);
}

/* ---- a run ---------------------------------------------------------------------------------------------- */

typedef struct helper helper;

/* The word: sequence number of the open phase, over all runs of this job; whether the run is over; and the phase's
 * tickets that nobody has taken. */
enum { LEFT_MOST = (1 << 23) - 1, OVER = 1 << 23, SEQUENCE_AT = 24 };
static uint64_t left_in(uint64_t word) { return word & LEFT_MOST; }

typedef struct shared_run {
    _Alignas(64) atomic_uint_fast64_t word;
    _Alignas(64) atomic_int_fast64_t pending; /* tickets of the open phase that are not finished */
    /* Of the open phase; changed by whoever opens the next one, read by those who hold a ticket. */
    _Alignas(64) const parallel_work *work;
    helper *helpers;
    int64_t items, tickets, block;
    int32_t phase;
    sleeper caller;
} shared_run;

static void hold(shared_run *j, parallel_share *s, uint64_t word, int64_t ticket) {
    s->job = j, s->sequence = word >> SEQUENCE_AT, s->phase = j->phase;
    s->next = ticket * j->block;
    s->end = MIN2(s->next + j->block, j->items);
    s->taken++;
}

/* A ticket of the phase that `word` showed. */
static bool take(shared_run *j, uint64_t word, parallel_share *s) {
    uint64_t sequence = word >> SEQUENCE_AT;
    do
        if (word >> SEQUENCE_AT != sequence || !left_in(word)) return false;
    while (!atomic_compare_exchange_weak_explicit(&j->word, &word, word - 1, memory_order_acquire,
                                                  memory_order_acquire));
    return hold(j, s, word, j->tickets - (int64_t)left_in(word)), true;
}

int64_t parallel_more(parallel_share *s) {
    if (!s->job) return -1;
    uint64_t word = atomic_load_explicit(&s->job->word, memory_order_acquire);
    return word >> SEQUENCE_AT == s->sequence && take(s->job, word, s) ? s->next++ : -1;
}

static void wake_for(shared_run *j);

/* Opens the first phase from `phase` on that has items and keeps its first ticket, so that the run cannot end while
 * the others are woken. False: there is none, the run is over. */
static bool open_from(shared_run *j, int32_t phase, parallel_share *s) {
    const parallel_work *w = j->work;
    uint64_t word = ((atomic_load_explicit(&j->word, memory_order_relaxed) >> SEQUENCE_AT) + 1) << SEQUENCE_AT;
    while (phase < w->n_phases && w->phases[phase].items <= 0) phase++;
    if (phase == w->n_phases) {
        atomic_store(&j->word, word | OVER);
        return wake(&j->caller), false;
    }
    j->phase   = phase;
    j->items   = w->phases[phase].items;
    j->block   = ceil_div(j->items, LEFT_MOST);
    j->tickets = ceil_div(j->items, j->block);
    atomic_store_explicit(&j->pending, j->tickets, memory_order_relaxed);
    *s = (parallel_share){ 0 };
    hold(j, s, word, 0);
    atomic_store(&j->word, word | (uint64_t)(j->tickets - 1));
    if (j->tickets > 1 && !w->phases[phase].brief) wake_for(j);
    return true;
}

/* With a ticket in hand: works until others hold what is left. */
static void work_on(shared_run *j, int thread, parallel_share *s) {
    do {
        j->work->run(j->work->user, s->phase, thread, s);
        if (atomic_fetch_sub_explicit(&j->pending, s->taken, memory_order_acq_rel) != s->taken) return;
    } while (open_from(j, j->phase + 1, s));
}

/* ---- helpers -------------------------------------------------------------------------------------------- */

/* Where it may help: odd numbers of `order` mean the job, even ones nowhere. The caller who has lent it writes. */
struct helper {
    _Alignas(64) atomic_uint order;
    _Atomic(shared_run *) job;
    atomic_int  thread;       /* its number in that run */
    atomic_bool lent;
    helper     *next;         /* of those lent to the same run */
    sleeper     rest;
    shared_run    own;          /* for the run whose first helper this is */
};

static helper     helpers[PARALLEL_MOST - 1];
static atomic_int made;
static atomic_bool refused;   /* the system has no more threads for us */
static atomic_int budget;     /* 0: none is set */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

typedef struct look { helper *self; unsigned order; shared_run *job; uint64_t word; } look;

static bool helper_called(const void *what) {
    const look *l = what;
    return atomic_load(&l->self->order) != l->order || (l->job && atomic_load(&l->job->word) != l->word);
}

/* If the order still stands after the word was read, the word is of the run that was ordered, or of one before: then a
 * ticket of it cannot be had any more. */
static void *help(void *self) {
    for (look l = { .self = self };;) {
        parallel_share share = { 0 };
        l.order = atomic_load(&l.self->order);
        l.job = l.order & 1 ? atomic_load(&l.self->job) : NULL;
        int thread = atomic_load(&l.self->thread);
        if (l.job) l.word = atomic_load(&l.job->word);
        if (atomic_load(&l.self->order) != l.order) continue;
        if (l.job && take(l.job, l.word, &share)) work_on(l.job, thread, &share);
        else wait_until(&l.self->rest, helper_called, &l);
    }
    return NULL;
}

static void wake_for(shared_run *j) {
    int64_t wanted = j->tickets - 1;
    for (helper *h = j->helpers; h && wanted > 0; h = h->next, wanted--) wake(&h->rest);
    wake(&j->caller);
}

/* After fork the child has none of the threads: it begins without any. */
static void before_fork(void) { pthread_mutex_lock(&making); }
static void after_fork(void) { pthread_mutex_unlock(&making); }
static void after_fork_in_child(void) {
    for (int i = 0; i < atomic_load(&made); i++) {
        atomic_store(&helpers[i].order, 0);
        atomic_store(&helpers[i].lent, false);
    }
    atomic_store(&made, 0);
    atomic_store(&refused, false);
    pthread_mutex_unlock(&making);
}
static void watch_forks(void) { pthread_atfork(before_fork, after_fork, after_fork_in_child); }

/* Signals are for the caller's threads, except those that tell of a fault of this one. */
static bool start(helper *h) {
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    sleeper_init(&h->rest);
    sleeper_init(&h->own.caller);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool fine = pthread_create(&thread, NULL, help, h) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return fine && pthread_detach(thread) == 0;
}

static void make_helpers(int wanted) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&making);
    while (atomic_load(&made) < wanted && !atomic_load(&refused)) {
        if (start(&helpers[atomic_load(&made)])) atomic_fetch_add(&made, 1);
        else atomic_store(&refused, true);
    }
    pthread_mutex_unlock(&making);
}

/* Those of the first `wanted` that are free; however many runs there are at a time, they share these. */
static helper *borrow(int wanted) {
    helper *first = NULL, **last = &first;
    if (atomic_load(&made) < wanted && !atomic_load(&refused)) make_helpers(wanted);
    for (int i = 0; i < MIN2(wanted, atomic_load(&made)); i++) {
        bool lent = atomic_load_explicit(&helpers[i].lent, memory_order_relaxed);
        if (lent || atomic_exchange(&helpers[i].lent, true)) continue;
        *last = &helpers[i];
        last = &helpers[i].next;
    }
    *last = NULL;
    return first;
}

static void order(shared_run *j) {
    int thread = 1;
    for (helper *h = j->helpers; h; h = h->next) {
        atomic_store(&h->job, j);
        atomic_store(&h->thread, thread++);
        atomic_fetch_add(&h->order, 1);
    }
}

static void dismiss(helper *h) {
    for (helper *next; h; h = next) {
        next = h->next;
        atomic_fetch_add(&h->order, 1);
        atomic_store(&h->lent, false);
    }
}

/* ---- the caller ----------------------------------------------------------------------------------------- */

static bool caller_called(const void *what) {
    const look *l = what;
    return atomic_load(&l->job->word) != l->word;
}

static void run_shared(const parallel_work *work, helper *lent) {
    shared_run  *j = &lent->own;
    parallel_share share;
    look       l = { .job = j };
    j->work = work, j->helpers = lent;
    order(j);
    if (open_from(j, 0, &share)) work_on(j, 0, &share);
    while (!((l.word = atomic_load(&j->word)) & OVER)) {
        share = (parallel_share){ 0 };
        if (take(j, l.word, &share)) work_on(j, 0, &share);
        else wait_until(&j->caller, caller_called, &l);
    }
    dismiss(lent);
}

static void run_alone(const parallel_work *w) {
    for (int32_t i = 0; i < w->n_phases; i++) {
        parallel_share all = { .end = w->phases[i].items, .phase = i };
        if (all.end > 0) w->run(w->user, i, 0, &all);
    }
}

void parallel_run(int threads, const parallel_work *work) {
    int most = atomic_load(&budget);
    threads = MIN2(threads, most ? most : PARALLEL_MOST);
    helper *lent = threads > 1 ? borrow(threads - 1) : NULL;
    if (lent) run_shared(work, lent);
    else run_alone(work);
}

/* ---- one loop ------------------------------------------------------------------------------------------- */

typedef struct loop {
    int64_t count, block;
    void  (*body)(void *user, int64_t i, int thread);
    void   *user;
} loop;

static void run_loop(void *user, int32_t phase, int thread, parallel_share *share) {
    const loop *l = user;
    (void)phase;
    for (int64_t b; (b = parallel_next(share)) >= 0;)
        for (int64_t i = b * l->block; i < MIN2((b + 1) * l->block, l->count); i++) l->body(l->user, i, thread);
}

void parallel_for(int threads, int64_t count, int64_t block, void (*body)(void *user, int64_t i, int thread),
                  void *user) {
    loop l = { count, block, body, user };
    parallel_phase blocks = { .items = ceil_div(MAX2(count, 0), block) };
    parallel_run(blocks.items > 1 ? threads : 1, &(parallel_work){ &blocks, 1, run_loop, &l });
}

/* ---- the budget ----------------------------------------------------------------------------------------- */

void tide_thread_budget_set(int threads) {
    atomic_store(&budget, MIN2(MAX2(threads, 0), PARALLEL_MOST));
    atomic_store(&refused, false);
}

int tide_thread_budget_get(void) { return atomic_load(&budget); }
