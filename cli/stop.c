/* Being asked to stop: signals set a flag, and a watch ends what does not ask for it. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

static atomic_int asked; /* set by a thread, or, without one, by a handler: it takes no lock */

static void on_signal(int number) {
    (void)number;
    asked = 1;
}

/* A closed terminal sends SIGHUP, and the shell in it once more: that second one must not end a checkpoint. */
static bool ends_at_once(int number) { return asked && number != SIGHUP; }

/* The second Ctrl-C does what Ctrl-C always does. */
static void end_by(int number) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    kill(getpid(), number);
}

static void *wait_for_signals(void *set) {
    for (int number; sigwait(set, &number) == 0; asked = 1)
        if (ends_at_once(number)) end_by(number);
    return NULL;
}

/* Without a thread to wait for them. */
static void catch_by_handler(const sigset_t *set) {
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)(SA_RESETHAND | SA_RESTART) };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = SA_RESTART;
    if (sigismember(set, SIGHUP)) sigaction(SIGHUP, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

/* One thread waits for the signals, and no other is interrupted by them: in the middle of a matrix product of oneDNN a
 * signal's frame, which holds all vector and matrix registers, was seen to damage the heap (6 % of interrupted runs;
 * none since). Children are started with none blocked. */
void stop_catch(void) {
    static sigset_t  set;
    struct sigaction old;
    pthread_t        thread;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    /* under nohup it stays ignored */
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&thread, NULL, wait_for_signals, &set) == 0) pthread_detach(thread);
    else catch_by_handler(&set);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is then a failed write, which is told as one */
}

bool stop_asked(void) {
    return asked != 0;
}

/* ---- work that looks at the flag too seldom ---- */

enum { LOOK_MS = 50, PATIENCE_MS = 1500 };
enum { WATCH_OFF, WATCH_ON, WATCH_LEAVING };
static atomic_int watch;

/* Leaves if the work has not stopped by itself soon after it was asked to. Whoever turns the watch off first has the
 * last word. */
static void *watch_work(void *json) {
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    int on = WATCH_ON;
    for (int asked_ms = 0; asked_ms < PATIENCE_MS; asked_ms += asked ? LOOK_MS : 0) {
        nanosleep(&pause, NULL);
        if (atomic_load(&watch) != WATCH_ON) return NULL;
    }
    if (atomic_compare_exchange_strong(&watch, &on, WATCH_LEAVING)) {
        int code = report_failure(&(tide_failure){ .status = TIDE_ECANCELLED, .message = "stopped" }, json != NULL);
        progress_end_line(code);
        _exit(code);
    }
    return NULL;
}

void stop_watch_begin(bool json) {
    static char yes;
    pthread_t thread;
    atomic_store(&watch, WATCH_ON);
    if (pthread_create(&thread, NULL, watch_work, json ? &yes : NULL) == 0) pthread_detach(thread);
}

void stop_watch_end(void) {
    int on = WATCH_ON;
    if (atomic_compare_exchange_strong(&watch, &on, WATCH_OFF)) return;
    for (;;) pause(); /* the watch is ending the program */
}
