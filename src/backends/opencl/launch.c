/* Launches, one after another. */
#include "device.h"

#include <stdio.h>

static int32_t set_arguments(const opencl *cl, ocl_kernel kernel, const gpu_call *c) {
    int32_t  code = OCL_SUCCESS;
    uint32_t first = (uint32_t)c->first;
    for (uint32_t i = 0; i < GPU_BLOCKS && !code; i++)
        code = cl->SetKernelArg(kernel, i, sizeof(ocl_mem), &c->blocks[i]);
    if (!code) code = cl->SetKernelArg(kernel, GPU_BLOCKS, sizeof(ocl_mem), &c->table);
    return code ? code : cl->SetKernelArg(kernel, GPU_BLOCKS + 1, sizeof first, &first);
}

static int32_t add_seconds(const opencl *cl, ocl_event event, double *seconds) {
    uint64_t from = 0, to = 0;
    int32_t  code = cl->WaitForEvents(1, &event);
    if (!code) code = cl->GetEventProfilingInfo(event, OCL_PROFILING_COMMAND_START, sizeof from, &from, NULL);
    if (!code) code = cl->GetEventProfilingInfo(event, OCL_PROFILING_COMMAND_END, sizeof to, &to, NULL);
    if (!code) *seconds += 1e-9 * (double)(to - from);
    cl->ReleaseEvent(event);
    return code;
}

tide_status opencl_launch(void *device, void *module, const gpu_call *c, double *seconds, tide_failure *why) {
    opencl_device *d = device;
    const opencl_module *m = module;
    size_t    threads = (size_t)c->threads, all = (size_t)c->groups * threads;
    ocl_event event = NULL;
    int32_t   code = set_arguments(d->cl, m->kernels[c->entry], c);
    if (!code)
        code = d->cl->EnqueueNDRangeKernel(d->queue, m->kernels[c->entry], 1, NULL, &all, &threads, 0, NULL,
                                           seconds ? &event : NULL);
    if (!code && seconds) code = add_seconds(d->cl, event, seconds);
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
