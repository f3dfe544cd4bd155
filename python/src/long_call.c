/* Calls that take long: other threads of Python go on meanwhile, and Ctrl-C ends them. */
#include <time.h>

#include "binding.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

long_call long_call_begin(void) {
    unsigned long thread = PyThread_get_thread_ident();
    return (long_call){ .state = PyEval_SaveThread(), .thread = thread, .asked = now() };
}

void long_call_hold(long_call *c) { PyEval_RestoreThread(c->state); }

void long_call_release(long_call *c) { c->state = PyEval_SaveThread(); }

bool long_call_go_on(long_call *c) {
    const double between = 0.1;
    if (PyThread_get_thread_ident() != c->thread) return !__atomic_load_n(&c->stopped, __ATOMIC_RELAXED);
    double time = now();
    if (c->stopped || time - c->asked < between) return !c->stopped;
    long_call_hold(c);
    if (PyErr_CheckSignals() < 0) __atomic_store_n(&c->stopped, true, __ATOMIC_RELAXED);
    long_call_release(c);
    c->asked = now();
    return !c->stopped;
}

bool long_call_end(long_call *c) {
    long_call_hold(c);
    return !c->stopped && !PyErr_Occurred() && PyErr_CheckSignals() == 0;
}
