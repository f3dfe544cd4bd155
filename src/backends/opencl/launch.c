/* Launches, one after another. */
#include "device.h"

#include <stdio.h>

static int32_t set_arguments(const opencl *cl, ocl_kernel kernel, const gpu_call *c) {
    int32_t  code = OCL_SUCCESS;
    uint32_t first = c->first;
    for (uint32_t i = 0; i < GPU_BLOCKS && !code; i++)
        code = cl->SetKernelArg(kernel, i, sizeof(ocl_mem), &c->blocks[i]);
    if (!code) code = cl->SetKernelArg(kernel, GPU_BLOCKS, sizeof(ocl_mem), &c->table);
    return code ? code : cl->SetKernelArg(kernel, GPU_BLOCKS + 1, sizeof first, &first);
}

static tide_status open_timed(opencl_device *d, tide_failure *why) {
    int32_t code = OCL_SUCCESS;
    if (!d->timed) d->timed = d->cl->CreateCommandQueue(d->context, d->id, OCL_QUEUE_PROFILING_ENABLE, &code);
    return d->timed ? TIDE_OK : opencl_fail(d, code, why, "a queue");
}

/* It has ended when this returns. */
static int32_t time_launch(opencl_device *d, ocl_kernel kernel, size_t all, size_t threads, double *seconds) {
    const opencl *cl = d->cl;
    ocl_event event = NULL;
    uint64_t  from = 0, to = 0;
    int32_t   code = cl->EnqueueNDRangeKernel(d->timed, kernel, 1, NULL, &all, &threads, 0, NULL, &event);
    if (!code) code = cl->WaitForEvents(1, &event);
    if (!code) code = cl->GetEventProfilingInfo(event, OCL_PROFILING_COMMAND_START, sizeof from, &from, NULL);
    if (!code) code = cl->GetEventProfilingInfo(event, OCL_PROFILING_COMMAND_END, sizeof to, &to, NULL);
    if (!code) *seconds += 1e-9 * (double)(to - from);
    if (event) cl->ReleaseEvent(event);
    return code;
}

tide_status opencl_launch(void *device, void *module, const gpu_call *c, double *seconds, tide_failure *why) {
    opencl_device *d = device;
    const opencl_module *m = module;
    ocl_kernel kernel = m->kernels[c->entry];
    size_t  threads = (size_t)c->threads, all = (size_t)c->groups * threads;
    if (seconds && (open_timed(d, why) || opencl_wait(d, why))) return TIDE_EDEVICE;
    int32_t code = set_arguments(d->cl, kernel, c);
    if (!code && seconds) code = time_launch(d, kernel, all, threads, seconds);
    else if (!code) code = d->cl->EnqueueNDRangeKernel(d->queue, kernel, 1, NULL, &all, &threads, 0, NULL, NULL);
    if (code) return opencl_fail(d, code, why, "the kernel '%s'", c->kernel->name);
    if (!*d->first) snprintf(d->first, sizeof d->first, "%s", c->kernel->name);
    snprintf(d->last, sizeof d->last, "%s", c->kernel->name);
    return TIDE_OK;
}

tide_status opencl_end(void *device, tide_failure *why) {
    const opencl_device *d = device;
    int32_t code = d->cl->Flush(d->queue);
    return code ? opencl_fail(d, code, why, "starting what was queued") : TIDE_OK;
}
