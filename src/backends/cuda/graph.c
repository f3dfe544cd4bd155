/* A run's launches as one graph, which the device replays: a launch in it costs half a microsecond, and those that do
 * not wait for each other run side by side. Between two graphs a device is idle for some 10 to 20, so runs that are
 * asked for while it has work gather, and several are one graph. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

enum { EARLY_CAPABILITY = 90, RUNS = 4 /* at once */, MANY_RUNS = 16 /* then a graph of several is worth making */ };

typedef struct cuda_recording {
    cuda_graph      graph;
    cuda_graph_exec once, several;  /* several: NULL until it is made */
    int64_t         asked;          /* runs; negative: several cannot be made */
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

/* One kernel after another: it may be started early. Others begin when all that they wait for has ended. */
static bool starts_early(const cuda_device *d, const gpu_call *calls, const gpu_call *c) {
    return cuda_edges_here() && d->capability >= EARLY_CAPABILITY && c->n_after == 1 && !calls[c->after[0]].product;
}

static unsigned add_kernel(const cuda_device *d, cuda_graph graph, const cuda_node_params *params, bool early,
                           const cuda_node *after, int32_t n_after, cuda_node *out) {
    static const cuda_edge edge = { .from_port = CUDA_PORT_PROGRAMMATIC, .type = CUDA_EDGE_PROGRAMMATIC };
    unsigned code = d->cuda->GraphAddKernelNode(out, graph, after, early ? 0 : (size_t)n_after, params);
    return code || !early ? code : cuda_edges_here()(graph, after, out, &edge, 1);
}

static unsigned add_node(const cuda_device *d, cuda_graph graph, const cuda_text *text, const gpu_call *calls,
                         cuda_node *nodes, cuda_node *after, int32_t at) {
    const gpu_call *c = &calls[at];
    for (int32_t i = 0; i < c->n_after; i++) after[i] = nodes[c->after[i]];
    if (c->product) return add_product(d, graph, c, after, &nodes[at]);
    cuda_arguments   a;
    cuda_node_params params = { .func = cuda_function_of(text, c), .gridDimX = (unsigned)c->groups, 1, 1,
                                .blockDimX = (unsigned)c->threads, 1, 1, .kernelParams = a.each };
    cuda_set_arguments(&a, c);
    return add_kernel(d, graph, &params, starts_early(d, calls, c), after, c->n_after, &nodes[at]);
}

static tide_status add_nodes(const cuda_device *d, cuda_graph graph, const cuda_text *text, const gpu_call *calls,
                             int32_t count, cuda_node *nodes, tide_failure *why) {
    unsigned code = CUDA_SUCCESS;
    for (int32_t i = 0; i < count; i++) {
        code = add_node(d, graph, text, calls, nodes, nodes + count, i);
        if (code) return cuda_fail(d, code, why, "recording the kernel '%s'", calls[i].kernel->name);
    }
    return TIDE_OK;
}

static tide_status record(const cuda_device *d, const cuda_text *text, const gpu_call *calls, int32_t count,
                          cuda_node *nodes, recording *r, tide_failure *why) {
    unsigned code = d->cuda->GraphCreate(&r->graph, 0);
    if (code) return r->graph = NULL, cuda_fail(d, code, why, "making a graph");
    tide_status status = add_nodes(d, r->graph, text, calls, count, nodes, why);
    code = status ? CUDA_SUCCESS : d->cuda->GraphInstantiate(&r->once, r->graph, 0);
    if (code) r->once = NULL, status = cuda_fail(d, code, why, "making a graph of %d kernels", (int)count);
    return status;
}

static void forget(const cuda_device *d, recording *r) {
    if (r->several) d->cuda->GraphExecDestroy(r->several);
    if (r->once) d->cuda->GraphExecDestroy(r->once);
    if (r->graph) d->cuda->GraphDestroy(r->graph);
    free(r);
}

tide_status cuda_record(void *device, void *module, const gpu_call *calls, int32_t count, void **out,
                        tide_failure *why) {
    cuda_node *nodes = malloc(sizeof *nodes * 2 * (size_t)count);
    recording *r = calloc(1, sizeof *r);
    tide_status status = TIDE_ENOMEM;
    if (nodes && r) {
        cuda_enter(device);
        status = record(device, module, calls, count, nodes, r, why);
        snprintf(r->first, sizeof r->first, "%s", calls[0].kernel->name);
        snprintf(r->last, sizeof r->last, "%s", calls[count - 1].kernel->name);
        if (status) forget(device, r);
        else *out = r;
        cuda_leave(device);
        free(nodes);
        return status;
    }
    free(nodes), free(r);
    return fail(why, TIDE_ENOMEM, "out of memory for a graph of %d kernels", (int)count);
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

/* The graph so many times, one after another. */
static unsigned make_several(const cuda_device *d, recording *r) {
    cuda_graph graph;
    cuda_node  node = NULL;
    unsigned code = d->cuda->GraphCreate(&graph, 0);
    if (code) return code;
    for (int i = 0; i < RUNS && !code; i++) {
        cuda_node before = node;
        code = d->cuda->GraphAddChildGraphNode(&node, graph, &before, i > 0, r->graph);
    }
    if (!code) code = d->cuda->GraphInstantiate(&r->several, graph, 0);
    if (code) r->several = NULL;
    d->cuda->GraphDestroy(graph);
    return code;
}

static unsigned queue_runs(cuda_device *d) {
    recording *r = d->waiting;
    int runs = d->runs;
    unsigned code = CUDA_SUCCESS;
    d->waiting = NULL, d->runs = 0;
    if (runs == RUNS && !r->several && make_several(d, r)) r->asked = INT64_MIN;
    if (runs == RUNS && r->several) code = d->cuda->GraphLaunch(r->several, d->stream);
    else
        for (int i = 0; i < runs && !code; i++) code = d->cuda->GraphLaunch(r->once, d->stream);
    if (code || !runs) return code;
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
    return ++r->asked > MANY_RUNS && d->cuda->StreamQuery(d->stream) == CUDA_ERROR_NOT_READY;
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
