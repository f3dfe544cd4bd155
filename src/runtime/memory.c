/* Where the host's memory ends: all that moves between it and a device's blocks goes through here. Where the device's
 * memory is the host's nothing is copied that need not be, and nothing waits. */
#include "runtime.h"

void *place_alloc(const place *p, int64_t bytes) {
    return p->memory ? p->memory->alloc(p->device, bytes) : mem_new(&p->allocator, (size_t)bytes);
}

void place_free(const place *p, void *block, int64_t bytes) {
    if (p->memory) p->memory->free(p->device, block, bytes);
    else mem_free(&p->allocator, block, (size_t)bytes);
}

tide_status place_put(const place *p, void *block, int64_t at, const void *from, int64_t bytes, tide_failure *why) {
    if (!bytes) return TIDE_OK;
    if (p->memory) return p->memory->put(p->device, block, at, from, bytes, why);
    memcpy((char *)block + at, from, (size_t)bytes);
    return TIDE_OK;
}

tide_status place_get(const place *p, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why) {
    if (!bytes) return TIDE_OK;
    if (p->memory) return p->memory->get(p->device, to, block, at, bytes, why);
    memcpy(to, (char *)block + at, (size_t)bytes);
    return TIDE_OK;
}

const void *place_data(const location *l, int64_t bytes, tide_failure *why) {
    if (!l->place->memory) return (char *)l->block + l->at;
    if (!*l->copy) *l->copy = mem_new(&l->place->allocator, (size_t)bytes);
    if (!*l->copy) return fail(why, TIDE_ENOMEM, "read: out of memory for a copy of the value"), NULL;
    return place_get(l->place, *l->copy, l->block, l->at, bytes, why) ? NULL : *l->copy;
}

/* The cause is what each of them tells from now on. */
void runtime_lost(tide_graph *g, const tide_failure *why) {
    for (tide_program *p = g->runtime->programs; p; p = p->next) {
        if (!p->queued) continue;
        p->queued = p->ran = false;
        p->failure = *why;
    }
}

tide_status runtime_wait(tide_graph *g, tide_failure *why) {
    runtime *rt = g->runtime;
    tide_failure lost = { 0 };
    if (!rt->place.memory || !rt->place.device) return TIDE_OK;
    if (rt->place.memory->wait(rt->place.device, &lost)) {
        runtime_lost(g, &lost);
        return fail(why, lost.status, "%s", lost.message);
    }
    for (tide_program *p = rt->programs; p; p = p->next) p->queued = false;
    return TIDE_OK;
}

tide_status tide_wait(tide_program *p) {
    if (!p) return TIDE_ENOMEM;
    if (!p->exec) return p->failure.status;
    tide_failure why = { 0 };
    tide_status status = runtime_wait(p->graph, &why);
    if (status) p->failure = why;
    return status;
}
