#include <stdlib.h>

#include "runtime.h"

static int threads_wanted(int asked) {
    if (asked > 0) return asked;
    const char *env = getenv("OMP_NUM_THREADS");
    int from_env = env ? atoi(env) : 0;
    return from_env > 0 ? from_env : os_cores();
}

tide_graph *tide_graph_new_with(const tide_graph_options *options) {
    tide_allocator allocator = options->allocator.alloc ? options->allocator : mem_system();
    tide_graph *g = mem_new(&allocator, sizeof *g);
    if (!g) return NULL;
    g->allocator = allocator;
    g->seed = options->seed;
    g->runtime = mem_new(&allocator, sizeof(runtime));
    if (!g->runtime || !graph_init(g)) {
        tide_graph_free(g);
        return NULL;
    }
    const char *device = options->device ? options->device : "cpu";
    runtime *rt = g->runtime;
    rt->backend = backend_find(device);
    rt->threads = threads_wanted(options->threads);
    rt->memory_limit = options->memory_limit;
    if (!rt->backend) graph_fail(g, TIDE_EDEVICE, "there is no device '%s'; this build has ref, check and cpu", device);
    return g;
}

tide_graph *tide_graph_new(const char *device) { return tide_graph_new_with(&(tide_graph_options){ .device = device }); }

void tide_graph_free(tide_graph *g) {
    if (!g) return;
    tide_allocator allocator = g->allocator;
    runtime *rt = g->runtime;
    if (rt) {
        while (rt->programs) tide_program_free(rt->programs);
        runtime_free_storage(g);
        runtime_free_choices(rt);
        mem_free(&allocator, rt->results, (size_t)rt->result_capacity * sizeof *rt->results);
        mem_free(&allocator, rt, sizeof *rt);
    }
    graph_clear(g);
    mem_free(&allocator, g, sizeof *g);
}

const char *tide_graph_device(const tide_graph *g) { return g->runtime->backend ? g->runtime->backend->name : "none"; }
int         tide_graph_threads(const tide_graph *g) { return g->runtime->threads; }
