/* A run's launches as one graph, which the device replays: a launch in it costs half a microsecond, and those that do
 * not wait for each other run side by side. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

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

static unsigned add_node(const cuda_device *d, cuda_graph graph, const cuda_text *text, const gpu_call *c,
                         cuda_node *nodes, cuda_node *after, int32_t at) {
    for (int32_t i = 0; i < c->n_after; i++) after[i] = nodes[c->after[i]];
    if (c->product) return add_product(d, graph, c, after, &nodes[at]);
    cuda_arguments   a;
    cuda_node_params params = { .func = text->entries[c->entry].function, .gridDimX = (unsigned)c->groups, 1, 1,
                                .blockDimX = (unsigned)c->threads, 1, 1, .kernelParams = a.each };
    cuda_set_arguments(&a, c);
    return d->cuda->GraphAddKernelNode(&nodes[at], graph, after, (size_t)c->n_after, &params);
}

static tide_status add_nodes(const cuda_device *d, cuda_graph graph, const cuda_text *text, const gpu_call *calls,
                             int32_t count, cuda_node *nodes, tide_failure *why) {
    unsigned code = CUDA_SUCCESS;
    for (int32_t i = 0; i < count; i++) {
        code = add_node(d, graph, text, &calls[i], nodes, nodes + count, i);
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
