/* Threads of libraries are those of OpenMP, if any: whichever run time of it a library has brought along is told. This
 * library needs none itself. A library that was loaded by name keeps its run time to itself, so there may be two. */
#include <dlfcn.h>
#include <pthread.h>

#include "cpu.h"

typedef struct run_time { int (*most)(void); void (*set)(int threads); } run_time;

static run_time known[LIBRARY_RUN_TIMES];
static atomic_int count;
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static bool is_known(const run_time *r) {
    for (int i = 0; i < count; i++)
        if (known[i].set == r->set) return true;
    return false;
}

void library_threads_of(void *library) {
    run_time r = { 0 };
    *(void **)&r.most = dlsym(library, "omp_get_max_threads");
    *(void **)&r.set = dlsym(library, "omp_set_num_threads");
    pthread_mutex_lock(&adding);
    if (r.most && r.set && count < LIBRARY_RUN_TIMES && !is_known(&r)) {
        known[count] = r;
        atomic_fetch_add(&count, 1);
    }
    pthread_mutex_unlock(&adding);
}

/* What the process was linked with. */
static void find(void) { library_threads_of(RTLD_DEFAULT); }

library_limit library_threads_one(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find);
    library_limit before = { .count = count };
    for (int i = 0; i < before.count; i++) {
        before.threads[i] = known[i].most();
        if (before.threads[i] != 1) known[i].set(1);
    }
    return before;
}

void library_threads_back(const library_limit *before) {
    for (int i = 0; i < before->count; i++)
        if (before->threads[i] != 1) known[i].set(before->threads[i]);
}
