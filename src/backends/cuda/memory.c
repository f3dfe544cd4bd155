/* Blocks are addresses of the device. What is put is copied and written later, what is got is waited for. */
#include "device.h"

#include <inttypes.h>

/* ---- waiting ---- */

tide_status cuda_begin(void *device, tide_failure *why) {
    cuda_device *d = device;
    unsigned code = d->late;
    if (!code) return TIDE_OK;
    tide_status status = cuda_fail(d, code, why, "what was queued");
    d->late = CUDA_SUCCESS;
    *d->first = *d->last = 0;
    return status;
}

static void settle(cuda_device *d) {
    cuda_queue_runs(d);
    unsigned code = d->cuda->StreamSynchronize(d->stream);
    if (!d->late) d->late = code;
    if (!d->late) *d->first = *d->last = 0;
}

tide_status cuda_wait(void *device, tide_failure *why) {
    cuda_enter(device);
    settle(device);
    cuda_leave(device);
    return cuda_begin(device, why);
}

/* ---- stages ---- */

static unsigned end_stage(const cuda_device *d, stage *s) {
    unsigned code = s->waits ? d->cuda->EventSynchronize(s->written) : CUDA_SUCCESS;
    s->waits = false;
    return code;
}

static void free_stage(const cuda_device *d, stage *s) {
    end_stage(d, s);
    if (s->written) d->cuda->EventDestroy(s->written);
    if (s->memory) d->cuda->MemFreeHost(s->memory);
    *s = (stage){ 0 };
}

void cuda_free_stages(cuda_device *d) {
    for (int i = 0; i < STAGES; i++) free_stage(d, &d->stages[i]);
}

static unsigned grow_stage(const cuda_device *d, stage *s, size_t bytes) {
    free_stage(d, s);
    unsigned code = d->cuda->MemAllocHost(&s->memory, bytes);
    if (code) s->memory = NULL;
    else code = d->cuda->EventCreate(&s->written, CUDA_EVENT_DISABLE_TIMING);
    if (code) s->written = NULL;
    else s->bytes = bytes;
    return code;
}

static unsigned put_staged(cuda_device *d, cuda_address to, const void *from, size_t bytes) {
    stage *s = &d->stages[d->next_stage];
    d->next_stage = (d->next_stage + 1) % STAGES;
    unsigned code = end_stage(d, s);
    if (!code && bytes > s->bytes) code = grow_stage(d, s, bytes);
    if (code) return code;
    memcpy(s->memory, from, bytes);
    code = d->cuda->MemcpyHtoDAsync(to, s->memory, bytes, d->stream);
    if (!code) code = d->cuda->EventRecord(s->written, d->stream);
    s->waits = !code;
    return code;
}

/* ---- blocks ---- */

static void *new_block(const cuda_device *d, size_t bytes) {
    cuda_address at = 0;
    return d->cuda->MemAlloc(&at, bytes) ? NULL : (void *)(uintptr_t)at;
}

static void *alloc(void *device, int64_t bytes) {
    cuda_device *d = device;
    cuda_enter(d);
    void *block = new_block(d, (size_t)round_up(MAX2(bytes, 1), 64));
    cuda_leave(d);
    return block;
}

/* The driver's own function waits for the whole device, so for what is queued. */
static void release(void *device, void *block, int64_t bytes) {
    cuda_device *d = device;
    (void)bytes;
    if (!block) return;
    cuda_enter(d);
    cuda_queue_runs(d);
    d->cuda->MemFree((cuda_address)(uintptr_t)block);
    cuda_leave(d);
}

static tide_status put(void *device, void *block, int64_t at, const void *from, int64_t bytes, tide_failure *why) {
    cuda_device *d = device;
    cuda_address to = (cuda_address)(uintptr_t)block + (cuda_address)at;
    cuda_enter(d);
    cuda_queue_runs(d);
    cuda_leave(d);
    if (cuda_begin(d, why)) return TIDE_EDEVICE;
    cuda_enter(d);
    unsigned code;
    if (bytes <= STAGED_MOST) code = put_staged(d, to, from, (size_t)bytes);
    else {
        code = d->cuda->MemcpyHtoDAsync(to, from, (size_t)bytes, d->stream);
        if (!code) code = d->cuda->StreamSynchronize(d->stream);
    }
    cuda_leave(d);
    return code ? cuda_fail(d, code, why, "copying %" PRId64 " bytes to the device", bytes) : TIDE_OK;
}

/* It has waited first, so that a kernel's failure is not taken for the copy's. */
static tide_status get(void *device, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why) {
    cuda_device *d = device;
    cuda_address from = (cuda_address)(uintptr_t)block + (cuda_address)at;
    if (cuda_wait(d, why)) return TIDE_EDEVICE;
    cuda_enter(d);
    unsigned code = d->cuda->MemcpyDtoHAsync(to, from, (size_t)bytes, d->stream);
    if (!code) code = d->cuda->StreamSynchronize(d->stream);
    cuda_leave(d);
    return code ? cuda_fail(d, code, why, "copying %" PRId64 " bytes from the device", bytes) : TIDE_OK;
}

const backend_memory cuda_memory = { cuda_open, cuda_close, alloc, release, put, get, cuda_wait };
