/* Blocks are buffers of the device's context. What is put is copied and written later, what is got is waited for. */
#include "device.h"

#include <stdlib.h>

/* ---- waiting ---- */

tide_status opencl_begin(void *device, tide_failure *why) {
    opencl_device *d = device;
    int32_t code = d->late;
    if (!code) return TIDE_OK;
    tide_status status = opencl_fail(d, code, why, "what was queued");
    d->late = OCL_SUCCESS;
    *d->first = *d->last = 0;
    return status;
}

static void settle(opencl_device *d) {
    if (!d->late) d->late = d->cl->Finish(d->queue);
    if (!d->late) *d->first = *d->last = 0;
}

tide_status opencl_wait(void *device, tide_failure *why) {
    settle(device);
    return opencl_begin(device, why);
}

/* ---- stages ---- */

static int32_t end_stage(opencl_device *d, stage *s) {
    int32_t code = s->written ? d->cl->WaitForEvents(1, &s->written) : OCL_SUCCESS;
    if (s->written) d->cl->ReleaseEvent(s->written);
    s->written = NULL;
    return code;
}

static void free_stage(opencl_device *d, stage *s) {
    end_stage(d, s);
    free(s->memory);
    *s = (stage){ 0 };
}

void opencl_free_stages(opencl_device *d) {
    for (int i = 0; i < STAGES; i++) free_stage(d, &d->stages[i]);
}

/* The next one, with so much room; NULL: there is no memory. */
static stage *take_stage(opencl_device *d, size_t bytes, int32_t *code) {
    stage *s = &d->stages[d->next_stage];
    d->next_stage = (d->next_stage + 1) % STAGES;
    if ((*code = end_stage(d, s)) || bytes <= s->bytes) return s;
    free_stage(d, s);
    s->memory = malloc(bytes);
    s->bytes = s->memory ? bytes : 0;
    return s->memory ? s : NULL;
}

/* ---- blocks ---- */

/* Drivers find memory when a buffer is first used: a buffer that cannot be written is none. */
static ocl_mem new_buffer(opencl_device *d, size_t bytes) {
    static const uint32_t zero;
    int32_t code = OCL_SUCCESS;
    ocl_mem buffer = d->cl->CreateBuffer(d->context, OCL_MEM_READ_WRITE, bytes, NULL, &code);
    if (buffer && d->cl->EnqueueFillBuffer(d->queue, buffer, &zero, sizeof zero, 0, sizeof zero, 0, NULL, NULL)) {
        d->cl->ReleaseMemObject(buffer);
        buffer = NULL;
    }
    return buffer;
}

/* What is freed goes when nothing queued needs it: there may be memory once that is done. */
static void *alloc(void *device, int64_t bytes) {
    opencl_device *d = device;
    int64_t whole = round_up(MAX2(bytes, 1), 64);
    if ((uint64_t)whole > d->most_bytes) return NULL;
    ocl_mem buffer = new_buffer(d, (size_t)whole);
    if (buffer) return buffer;
    settle(d);
    return d->late ? NULL : new_buffer(d, (size_t)whole);
}

static void release(void *device, void *block, int64_t bytes) {
    const opencl_device *d = device;
    (void)bytes;
    if (block) d->cl->ReleaseMemObject(block);
}

static tide_status put(void *device, void *block, int64_t at, const void *from, int64_t bytes, tide_failure *why) {
    opencl_device *d = device;
    int32_t code = OCL_SUCCESS;
    if (opencl_begin(d, why)) return TIDE_EDEVICE;
    stage *s = bytes > STAGED_MOST ? NULL : take_stage(d, (size_t)bytes, &code);
    if (s && !code) memcpy(s->memory, from, (size_t)bytes);
    if (!code)
        code = d->cl->EnqueueWriteBuffer(d->queue, block, !s, (size_t)at, (size_t)bytes, s ? s->memory : from, 0, NULL,
                                         s ? &s->written : NULL);
    return code ? opencl_fail(d, code, why, "copying %lld bytes to the device", (long long)bytes) : TIDE_OK;
}

/* It has waited first, so that a kernel's failure is not taken for the copy's. */
static tide_status get(void *device, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why) {
    opencl_device *d = device;
    if (opencl_wait(d, why)) return TIDE_EDEVICE;
    int32_t code = d->cl->EnqueueReadBuffer(d->queue, block, OCL_TRUE, (size_t)at, (size_t)bytes, to, 0, NULL, NULL);
    return code ? opencl_fail(d, code, why, "copying %lld bytes from the device", (long long)bytes) : TIDE_OK;
}

const backend_memory opencl_memory = { opencl_open, opencl_close, alloc, release, put, get, opencl_wait };
