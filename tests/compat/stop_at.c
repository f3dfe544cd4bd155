/* Preloaded into a training, sends it one Ctrl-C at a place that is the same in every run: at the STOP_AT-th cosine of
 * its main thread, which a cosine schedule takes once a step. The pause outlasts the time between two looks at the
 * signal. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

double cos(double x) {
    static double (*next)(double);
    static long left;
    if (!next) {
        const char *at = getenv("STOP_AT");
        next = (double (*)(double))dlsym(RTLD_NEXT, "cos");
        left = at ? atol(at) : 0;
    }
    if (gettid() == getpid() && left > 0 && --left == 0) {
        raise(SIGINT);
        usleep(400000);
    }
    return next(x);
}
