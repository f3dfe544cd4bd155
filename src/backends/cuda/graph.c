/* A run's launches as one graph, which the device replays: a launch in it costs half a microsecond, and those that do
 * not wait for each other run side by side. Between two graphs a device is idle for some 10 to 20, so runs that are
 * asked for while it has work gather, and several are one graph. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

enum { EARLY_CAPABILITY = 90, EARLY_SLACK = 2, RUNS = 4 /* at once */,
       MANY_RUNS = 16 /* then a graph of several is worth making */ };

typedef struct cuda_recording {
    cuda_graph_exec once, several;
    cuda_graph      more;           /* what `several` is made of when there have been enough runs; then NULL */
    int64_t         asked;          /* runs */
    char first[96], last[96];       /* kernels, for messages */
} recording;

/* What the library queues for a product, as a graph in the graph. */
static unsigned add_product(const cuda_device *d, cuda_graph graph, const gpu_call *c, const cuda_node *after,
                            cuda_node *out) {
    cuda_graph part = NULL;
    unsigned code = d->cuda->StreamBeginCapture(d->stream, CUDA_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    if (code) return code;
    code = cuda_multiply(d, c->product);
    unsigned ended = d->cuda->StreamEndCapture(d->stream, &part);
    if (!code) code = ended;
    if (!code) code = d->cuda->GraphAddChildGraphNode(out, graph, after, (size_t)c->n_after, part);
    if (part) d->cuda->GraphDestroy(part);
    return code;
}

/* One kernel after another: it may be started early. Others begin when all that they wait for has ended; so do those
 * that nobody is in a hurry for, whose groups would only take up room while they wait. */
static bool starts_early(const cuda_device *d, const gpu_call *calls, const gpu_call *c) {
    return cuda_edges_here() && d->capability >= EARLY_CAPABILITY && c->n_after == 1 && c->slack <= EARLY_SLACK &&
           !calls[c->after[0]].product;
}

static unsigned add_kernel(const cuda_device *d, cuda_graph graph, const cuda_node_params *params, bool early,
                           const cuda_node *after, int32_t n_after, cuda_node *out) {
    static const cuda_edge edge = { .from_port = CUDA_PORT_PROGRAMMATIC, .type = CUDA_EDGE_PROGRAMMATIC };
    unsigned code = d->cuda->GraphAddKernelNode(out, graph, after, early ? 0 : (size_t)n_after, params);
    return code || !early ? code : cuda_edges_here()(graph, after, out, &edge, 1);
}

/* What the calls of a run become; `last`: those of the run before that none of its own waits for. */
typedef struct nodes {
    const gpu_call *calls;
    int32_t    count, n_last;
    cuda_node *of, *after, *last;  /* room for `count` each; `after` is what is being worked out */
} nodes;

/* What waits for nothing in its run waits for the run before. */
static int32_t find_after(const nodes *n, const gpu_call *c) {
    for (int32_t i = 0; i < c->n_after; i++) n->after[i] = n->of[c->after[i]];
    if (c->n_after) return c->n_after;
    memcpy(n->after, n->last, sizeof *n->last * (size_t)n->n_last);
    return n->n_last;
}

static unsigned add_node(const cuda_device *d, cuda_graph graph, const cuda_text *text, const nodes *n, int32_t at) {
    gpu_call c = n->calls[at];
    bool early = starts_early(d, n->calls, &c);
    c.n_after = find_after(n, &c);
    if (c.product) return add_product(d, graph, &c, n->after, &n->of[at]);
    cuda_arguments   a;
    cuda_node_params params = { .func = cuda_function_of(text, &c), .gridDimX = (unsigned)c.groups, 1, 1,
                                .blockDimX = (unsigned)c.threads, 1, 1, .sharedMemBytes = (unsigned)c.room_bytes,
                                .kernelParams = a.each };
    cuda_set_arguments(&a, &c);
    return add_kernel(d, graph, &params, early, n->after, c.n_after, &n->of[at]);
}

static void find_last(nodes *n) {
    n->n_last = 0;
    memcpy(n->after, n->of, sizeof *n->of * (size_t)n->count);
    for (int32_t i = 0; i < n->count; i++)
        for (int32_t k = 0; k < n->calls[i].n_after; k++) n->after[n->calls[i].after[k]] = NULL;
    for (int32_t i = 0; i < n->count; i++)
        if (n->after[i]) n->last[n->n_last++] = n->after[i];
}

/* A graph of so many runs, one after another. */
static tide_status add_runs(const cuda_device *d, const cuda_text *text, nodes *n, int runs, cuda_graph *out,
                            tide_failure *why) {
    unsigned code = d->cuda->GraphCreate(out, 0);
    if (code) return *out = NULL, cuda_fail(d, code, why, "making a graph");
    n->n_last = 0;
    for (int run = 0; run < runs; run++) {
        if (run) find_last(n);
        for (int32_t i = 0; i < n->count; i++) {
            code = add_node(d, *out, text, n, i);
            if (code) return cuda_fail(d, code, why, "recording the kernel '%s'", n->calls[i].kernel->name);
        }
    }
    return TIDE_OK;
}

static tide_status record(const cuda_device *d, const cuda_text *text, nodes *n, recording *r, tide_failure *why) {
    cuda_graph graph = NULL;
    tide_status status = add_runs(d, text, n, 1, &graph, why);
    if (!status) status = add_runs(d, text, n, RUNS, &r->more, why);
    unsigned code = status ? CUDA_SUCCESS : d->cuda->GraphInstantiate(&r->once, graph, 0);
    if (code) r->once = NULL, status = cuda_fail(d, code, why, "making a graph of %d kernels", (int)n->count);
    if (graph) d->cuda->GraphDestroy(graph);
    return status;
}

static void forget(const cuda_device *d, recording *r) {
    if (r->several) d->cuda->GraphExecDestroy(r->several);
    if (r->once) d->cuda->GraphExecDestroy(r->once);
    if (r->more) d->cuda->GraphDestroy(r->more);
    free(r);
}

tide_status cuda_record(void *device, void *module, const gpu_call *calls, int32_t count, void **out,
                        tide_failure *why) {
    cuda_node *room = malloc(sizeof *room * 3 * (size_t)count);
    recording *r = calloc(1, sizeof *r);
    tide_status status = TIDE_ENOMEM;
    if (room && r) {
        nodes n = { .calls = calls, .count = count, .of = room, .after = room + count, .last = room + 2 * count };
        cuda_enter(device);
        status = record(device, module, &n, r, why);
        snprintf(r->first, sizeof r->first, "%s", calls[0].kernel->name);
        snprintf(r->last, sizeof r->last, "%s", calls[count - 1].kernel->name);
        if (status) forget(device, r);
        else *out = r;
        cuda_leave(device);
        free(room);
        return status;
    }
    free(room), free(r);
    return fail(why, TIDE_ENOMEM, "out of memory for a graph of %d kernels", (int)count);
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

/* Where it cannot be made runs go on one by one. */
static void make_several(const cuda_device *d, recording *r) {
    if (d->cuda->GraphInstantiate(&r->several, r->more, 0)) r->several = NULL;
    d->cuda->GraphDestroy(r->more);
    r->more = NULL;
}

/* False: the device has no memory for it, so nothing was queued. */
static bool queue_several(const cuda_device *d, recording *r, unsigned *code) {
    *code = d->cuda->GraphLaunch(r->several, d->stream);
    if (*code != CUDA_ERROR_OUT_OF_MEMORY) return true;
    d->cuda->GraphExecDestroy(r->several);
    r->several = NULL, *code = CUDA_SUCCESS;
    return false;
}

static unsigned queue_runs(cuda_device *d) {
    recording *r = d->waiting;
    int runs = d->runs;
    unsigned code = CUDA_SUCCESS;
    d->waiting = NULL, d->runs = 0;
    if (runs == RUNS && r->more) make_several(d, r);
    bool at_once = runs == RUNS && r->several && queue_several(d, r, &code);
    for (int i = 0; i < runs && !at_once && !code; i++) code = d->cuda->GraphLaunch(r->once, d->stream);
    if (code || !r) return code;
    if (!*d->first) memcpy(d->first, r->first, sizeof d->first);
    memcpy(d->last, r->last, sizeof d->last);
    return CUDA_SUCCESS;
}

void cuda_queue_runs(cuda_device *d) {
    unsigned code = queue_runs(d);
    if (!d->late) d->late = code;
}

/* Whether it may wait for others: only where the device has something to do meanwhile. */
static bool may_gather(const cuda_device *d, recording *r) {
    return ++r->asked > MANY_RUNS && (r->more || r->several) &&
           d->cuda->StreamQuery(d->stream) == CUDA_ERROR_NOT_READY;
}

tide_status cuda_replay(void *device, void *recorded, tide_failure *why) {
    cuda_device *d = device;
    recording   *r = recorded;
    unsigned  code = CUDA_SUCCESS;
    cuda_enter(d);
    if (d->waiting != r) cuda_queue_runs(d);
    d->waiting = r, d->runs++;
    if (d->runs == RUNS || !may_gather(d, r)) code = queue_runs(d);
    cuda_leave(d);
    return code ? cuda_fail(d, code, why, "the kernels '%s' to '%s'", r->first, r->last) : TIDE_OK;
}

/* The driver keeps what is queued. */
void cuda_forget(void *device, void *recorded) {
    if (!recorded) return;
    cuda_enter(device);
    cuda_queue_runs(device);
    forget(device, recorded);
    cuda_leave(device);
}
