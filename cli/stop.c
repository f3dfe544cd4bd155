#include <signal.h>
#include <stddef.h>

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
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is then a failed write, which is told as one */
}

bool stop_asked(void) {
    return asked != 0;
}
