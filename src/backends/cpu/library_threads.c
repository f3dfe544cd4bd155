/* Threads of libraries are those of OpenMP, if any: whichever run time of it a library has brought along is told. This
 * library needs none itself. */
#include <dlfcn.h>
#include <pthread.h>

#include "cpu.h"

static int  (*most_threads)(void);
static void (*set_threads)(int threads);

static void find(void) {
    *(void **)&most_threads = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

int library_threads(int threads) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find);
    if (!most_threads || !set_threads) return 1;
    int before = most_threads();
    if (before != threads) set_threads(threads);
    return before;
}
