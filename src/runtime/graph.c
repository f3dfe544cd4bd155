#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lazy.h"

/* More threads than any machine here has cores are a slip of the caller's; of the environment, which may be meant for
 * others, not. */
enum { MOST_THREADS = 1024 };

static int threads_wanted(int asked) {
    if (asked > 0) return MIN2(asked, MOST_THREADS);
    const char *env = getenv("OMP_NUM_THREADS");
    int from_env = env ? atoi(env) : 0;
    return from_env > 0 ? MIN2(from_env, MOST_THREADS) : os_cores();
}

static void check_options(tide_graph *g, const tide_graph_options *o) {
    if (o->threads < 0 || o->threads > MOST_THREADS)
        graph_fail(g, TIDE_EINVAL, "graph: threads is %d; it must be 0 (as many as there are cores) to %d", o->threads,
                   MOST_THREADS);
    if (o->cut < 0 || o->cut > MOST_THREADS)
        graph_fail(g, TIDE_EINVAL, "graph: a cut of %d tasks; it takes 1 to %d, or 0 for as many as threads", o->cut,
                   MOST_THREADS);
    if (o->memory_limit < 0)
        graph_fail(g, TIDE_EINVAL, "graph: the memory limit is %" PRId64 " bytes; it must be 0 (none) or more",
                   o->memory_limit);
    if (!o->allocator.alloc != !o->allocator.free)
        graph_fail(g, TIDE_EINVAL, "graph: the allocator lacks alloc or free");
}

/* A graph without its device has failed, and knows no backend. */
static void open_device(tide_graph *g, const char *device) {
    runtime *rt = g->runtime;
    tide_failure why = { 0 };
    rt->place.allocator = g->allocator;
    snprintf(rt->device, sizeof rt->device, "%s", device);
    rt->backend = backend_find(device, &rt->device_index, &why);
    rt->place.memory = rt->backend ? rt->backend->memory : NULL;
    if (rt->place.memory && rt->place.memory->open(rt->device_index, &g->allocator, &rt->place.device, &why))
        rt->backend = NULL, rt->place = (place){ .allocator = g->allocator };
    if (!rt->backend) graph_fail(g, why.status, "%s", why.message);
}

tide_graph *tide_graph_new_with(const tide_graph_options *options) {
    static const tide_graph_options defaults = { 0 };
    if (!options) options = &defaults;
    bool own = options->allocator.alloc && options->allocator.free;
    tide_allocator allocator = own ? options->allocator : mem_system();
    tide_graph *g = mem_new(&allocator, sizeof *g);
    if (!g) return NULL;
    g->allocator = allocator;
    g->seed = options->seed;
    g->numerics = 2;
    g->runtime = mem_new(&allocator, sizeof(runtime));
    if (!g->runtime || !graph_init(g)) {
        tide_graph_free(g);
        return NULL;
    }
    runtime *rt = g->runtime;
    rt->threads = threads_wanted(options->threads);
    rt->memory_limit = options->memory_limit;
    rt->cut = options->cut;
    check_options(g, options);
    open_device(g, options->device ? options->device : "cpu");
    return g;
}

tide_graph *tide_graph_new(const char *device) {
    return tide_graph_new_with(&(tide_graph_options){ .device = device });
}

void tide_graph_free(tide_graph *g) {
    if (!g) return;
    tide_allocator allocator = g->allocator;
    runtime *rt = g->runtime;
    if (rt) {
        lazy_free(g);
        while (rt->programs) tide_program_free(rt->programs);
        runtime_free_storage(g);
        runtime_free_choices(rt);
        if (rt->place.memory) rt->place.memory->close(rt->place.device);
        mem_free(&allocator, rt->results, (size_t)rt->result_capacity * sizeof *rt->results);
        mem_free(&allocator, rt, sizeof *rt);
    }
    graph_clear(g);
    mem_free(&allocator, g, sizeof *g);
}

const char *tide_graph_device(const tide_graph *g) {
    if (!g || !g->runtime->backend) return "none";
    return g->runtime->place.memory ? g->runtime->device : g->runtime->backend->name;
}
int         tide_graph_threads(const tide_graph *g) { return g ? g->runtime->threads : 0; }
