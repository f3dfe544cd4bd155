/* No threads. */
#include "cpu.h"

void pool_run(int threads, void (*fn)(void *arg, int thread), void *arg) {
    (void)threads;
    fn(arg, 0);
}

int pool_limit(int threads) {
    (void)threads;
    return 1;
}
