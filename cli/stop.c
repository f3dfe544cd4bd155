#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t asked;

static void on_signal(int number) {
    (void)number;
    asked = 1;
}

void stop_catch(void) {
    /* Reset on delivery: the second Ctrl-C does what Ctrl-C always does. */
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)(SA_RESETHAND | SA_RESTART) };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A closed terminal sends SIGHUP, and the shell in it once more: that second one must not end a checkpoint. Under nohup it
     * stays ignored. */
    struct sigaction old;
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        action.sa_flags = SA_RESTART;
        sigaction(SIGHUP, &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is then a failed write, which is told as one */
}

bool stop_asked(void) {
    return asked != 0;
}

/* ---- work that looks at the flag too seldom ---- */

enum { LOOK_MS = 50, PATIENCE_MS = 1500 };
enum { WATCH_OFF, WATCH_ON, WATCH_LEAVING };
static atomic_int watch;

/* Leaves if the work has not stopped by itself soon after it was asked to. Whoever turns the watch off first has the last word. */
static void *watch_work(void *json) {
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    int on = WATCH_ON;
    for (int asked_ms = 0; asked_ms < PATIENCE_MS; asked_ms += asked ? LOOK_MS : 0) {
        nanosleep(&pause, NULL);
        if (atomic_load(&watch) != WATCH_ON) return NULL;
    }
    if (atomic_compare_exchange_strong(&watch, &on, WATCH_LEAVING))
        _exit(report_failure(&(tide_failure){ .status = TIDE_ECANCELLED, .message = "stopped" }, json != NULL));
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
