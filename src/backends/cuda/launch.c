/* Launches, one after another. */
#include "device.h"

#include <stdio.h>

void cuda_set_arguments(cuda_arguments *a, const gpu_call *c) {
    for (int i = 0; i < GPU_BLOCKS; i++) a->at[i] = (cuda_address)(uintptr_t)c->blocks[i];
    a->at[GPU_BLOCKS] = (cuda_address)(uintptr_t)c->table;
    a->first = c->first;
    for (int i = 0; i <= GPU_BLOCKS; i++) a->each[i] = &a->at[i];
    a->each[GPU_BLOCKS + 1] = &a->first;
    if (c->numbers) a->each[GPU_BLOCKS] = (void *)(uintptr_t)c->numbers;
}

cuda_function cuda_function_of(const cuda_text *text, const gpu_call *c) {
    return text->entries[c->entry][c->numbers ? CUDA_ALONE : CUDA_AMONG].function;
}

static unsigned queue_launch(const cuda_device *d, const cuda_text *text, const gpu_call *c) {
    cuda_arguments a;
    if (c->product) return cuda_multiply(d, c->product);
    cuda_set_arguments(&a, c);
    cuda_function function = cuda_function_of(text, c);
    return d->cuda->LaunchKernel(function, (unsigned)c->groups, 1, 1, (unsigned)c->threads, 1, 1,
                                 (unsigned)c->room_bytes, d->stream, a.each, NULL);
}

static unsigned make_events(cuda_device *d) {
    unsigned code = d->from ? CUDA_SUCCESS : d->cuda->EventCreate(&d->from, CUDA_EVENT_DEFAULT);
    if (code) d->from = NULL;
    else if (!d->to && (code = d->cuda->EventCreate(&d->to, CUDA_EVENT_DEFAULT))) d->to = NULL;
    return code;
}

/* It has ended when this returns. */
static unsigned time_launch(cuda_device *d, const cuda_text *text, const gpu_call *c, double *seconds) {
    float ms = 0;
    unsigned code = make_events(d);
    if (!code) code = d->cuda->EventRecord(d->from, d->stream);
    if (!code) code = queue_launch(d, text, c);
    if (!code) code = d->cuda->EventRecord(d->to, d->stream);
    if (!code) code = d->cuda->EventSynchronize(d->to);
    if (!code) code = d->cuda->EventElapsedTime(&ms, d->from, d->to);
    *seconds += 1e-3 * ms;
    return code;
}

tide_status cuda_launch(void *device, void *module, const gpu_call *c, double *seconds, tide_failure *why) {
    cuda_device *d = device;
    cuda_enter(d);
    cuda_queue_runs(d);
    unsigned code = seconds ? time_launch(d, module, c, seconds) : queue_launch(d, module, c);
    cuda_leave(d);
    if (code) return cuda_fail(d, code, why, "the kernel '%s'", c->kernel->name);
    if (!*d->first) snprintf(d->first, sizeof d->first, "%s", c->kernel->name);
    snprintf(d->last, sizeof d->last, "%s", c->kernel->name);
    return TIDE_OK;
}

tide_status cuda_end(void *device, tide_failure *why) {
    (void)device, (void)why; /* the device begins at once */
    return TIDE_OK;
}
