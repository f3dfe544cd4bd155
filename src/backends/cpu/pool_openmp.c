/* Threads by OpenMP: one pool for the whole process, shared with the libraries that use it too. */
#include <omp.h>

#include "cpu.h"

void pool_run(int threads, void (*fn)(void *arg, int thread), void *arg) {
#pragma omp parallel num_threads(threads)
    fn(arg, omp_get_thread_num());
}

int pool_limit(int threads) {
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}
