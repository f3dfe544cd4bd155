/* A run's launches as one graph, which the device replays: a launch in it costs half a microsecond, and those that do
 * not wait for each other run side by side. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

enum { EARLY_CAPABILITY = 90 };

typedef struct recording {
    cuda_graph_exec exec;
    char first[96], last[96];  /* kernels, for messages */
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
    cuda_graph graph;
    unsigned code = d->cuda->GraphCreate(&graph, 0);
    if (code) return cuda_fail(d, code, why, "making a graph");
    tide_status status = add_nodes(d, graph, text, calls, count, nodes, why);
    code = status ? CUDA_SUCCESS : d->cuda->GraphInstantiate(&r->exec, graph, 0);
    if (code) r->exec = NULL, status = cuda_fail(d, code, why, "making a graph of %d kernels", (int)count);
    d->cuda->GraphDestroy(graph);
    return status;
}

tide_status cuda_record(void *device, void *module, const gpu_call *calls, int32_t count, void **out,
                        tide_failure *why) {
    cuda_node *nodes = malloc(sizeof *nodes * 2 * (size_t)count);
    recording *r = calloc(1, sizeof *r);
    tide_status status = TIDE_ENOMEM;
    if (nodes && r) {
        cuda_enter(device);
        status = record(device, module, calls, count, nodes, r, why);
        cuda_leave(device);
        snprintf(r->first, sizeof r->first, "%s", calls[0].kernel->name);
        snprintf(r->last, sizeof r->last, "%s", calls[count - 1].kernel->name);
    } else fail(why, TIDE_ENOMEM, "out of memory for a graph of %d kernels", (int)count);
    free(nodes);
    if (status) free(r);
    else *out = r;
    return status;
}

tide_status cuda_replay(void *device, void *recorded, tide_failure *why) {
    cuda_device *d = device;
    const recording *r = recorded;
    cuda_enter(d);
    unsigned code = d->cuda->GraphLaunch(r->exec, d->stream);
    cuda_leave(d);
    if (code) return cuda_fail(d, code, why, "the kernels '%s' to '%s'", r->first, r->last);
    if (!*d->first) memcpy(d->first, r->first, sizeof d->first);
    memcpy(d->last, r->last, sizeof d->last);
    return TIDE_OK;
}

/* The driver keeps what is queued. */
void cuda_forget(void *device, void *recorded) {
    const cuda_device *d = device;
    recording *r = recorded;
    if (!r) return;
    cuda_enter(d);
    d->cuda->GraphExecDestroy(r->exec);
    cuda_leave(d);
    free(r);
}
