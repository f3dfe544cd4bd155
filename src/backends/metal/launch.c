/* Launches, many to a command buffer and one encoder. They run one after another, each seeing what those before it
 * wrote: an encoder that is not asked for otherwise is of MTLDispatchTypeSerial, where "command encoder dispatches are
 * executed in dispatched order" (Apple's MTLCommandBuffer.h), a queue runs its command buffers in the order of their
 * commits, and for buffers that a device makes, Metal itself tracks who reads after whom (MTLHazardTrackingMode). */
#include "device.h"

#include <stdio.h>

/* ---- what was queued ---- */

static void note_failure(metal_device *d, const metal_batch *b) {
    const char *reason = metal_reason(ASK(error, b->buffer));
    int length = (int)strcspn(reason, "\r\n");
    if (!b->first)
        fail(&d->failure, TIDE_EDEVICE, "metal:%d: a copy to the device failed: %.*s", (int)d->index, length, reason);
    else if (b->first == b->last)
        fail(&d->failure, TIDE_EDEVICE, "metal:%d: the kernel '%s' failed: %.*s", (int)d->index, b->first, length,
             reason);
    else
        fail(&d->failure, TIDE_EDEVICE, "metal:%d: one of the kernels from '%s' to '%s' failed: %.*s", (int)d->index,
             b->first, b->last, length, reason);
}

/* The oldest `count` are done. Of several failures the first is the cause. */
static void retire(metal_device *d, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        ASK(wait, d->queued[i].buffer);
        if (ASK(status, d->queued[i].buffer) == METAL_ERROR) note_failure(d, &d->queued[i]);
        ASK(release, d->queued[i].buffer);
    }
    d->n_queued -= count;
    memmove(d->queued, d->queued + count, sizeof *d->queued * (size_t)d->n_queued);
}

tide_status metal_told(metal_device *d, tide_failure *why) {
    tide_failure failure = d->failure;
    d->failure = (tide_failure){ 0 };
    return failure.status ? fail(why, failure.status, "%s", failure.message) : TIDE_OK;
}

/* Looks at what is done, without waiting; but after a failure nothing of that time is left to fail. */
tide_status metal_begin(void *device, tide_failure *why) {
    metal_device *d = device;
    int32_t done = 0;
    void *pool = metal.objc_autoreleasePoolPush();
    while (done < d->n_queued && ASK(status, d->queued[done].buffer) >= METAL_COMPLETED) done++;
    retire(d, done);
    if (d->failure.status) retire(d, d->n_queued);
    metal.objc_autoreleasePoolPop(pool);
    return metal_told(d, why);
}

/* ---- batches ---- */

static void end_encoder(metal_id *encoder) {
    if (!*encoder) return;
    ASK(end_encoding, *encoder);
    ASK(release, *encoder);
    *encoder = NULL;
}

/* Metal's own messages and Apple's tools show the label. */
static void label_batch(const metal_batch *b) {
    char words[256];
    snprintf(words, sizeof words, "%.120s ... %.120s", b->first ? b->first : "copies", b->first ? b->last : "");
    metal_id label = metal_string(words);
    if (label) SEND(set_label, b->buffer, label);
}

static void close_batch(metal_device *d) {
    if (!d->open.buffer) return;
    label_batch(&d->open);
    end_encoder(&d->encoder), end_encoder(&d->copier);
    ASK(commit, d->open.buffer);
    if (d->n_queued == MOST_QUEUED) retire(d, 1);
    d->queued[d->n_queued++] = d->open;
    d->open = (metal_batch){ 0 };
}

static bool open_batch(metal_device *d) {
    if (d->open.buffer) return true;
    metal_id buffer = ASK(command_buffer, d->queue);
    if (buffer) d->open.buffer = ASK(retain, buffer);
    return buffer;
}

/* A batch's copies come before its launches: one encoder is open at a time, and a run has no copies. */
static tide_status open_encoder(metal_device *d, const gpu_call *c, tide_failure *why) {
    if (d->encoder) return TIDE_OK;
    bool opened = open_batch(d);
    end_encoder(&d->copier);
    metal_id encoder = opened ? ASK(encoder, d->open.buffer) : NULL;
    if (encoder) {
        d->encoder = ASK(retain, encoder), d->open.first = c->kernel->name;
        return TIDE_OK;
    }
    close_batch(d); /* with its copies, if it has any */
    return fail(why, TIDE_EDEVICE, "metal:%d: the kernel '%s' cannot be queued: there is no command %s", (int)d->index,
                c->kernel->name, opened ? "encoder" : "buffer");
}

bool metal_copy(metal_device *d, metal_id from, metal_id into, uint64_t into_at, uint64_t bytes) {
    bool opened = open_batch(d);
    metal_id copier = opened && !d->copier ? ASK(copier, d->open.buffer) : NULL;
    if (copier) d->copier = ASK(retain, copier);
    if (d->copier) SEND(copy, d->copier, from, 0, into, into_at, bytes);
    bool told = d->copier;
    if (opened && (!told || ++d->open.launches == LAUNCHES_TOGETHER)) close_batch(d);
    return told;
}

void metal_settle(metal_device *d) {
    if (!d->n_queued && !d->open.buffer) return;
    void *pool = metal.objc_autoreleasePoolPush();
    close_batch(d);
    retire(d, d->n_queued);
    metal.objc_autoreleasePoolPop(pool);
}

static void encode(const metal_device *d, metal_id pipeline, const gpu_call *c) {
    uint32_t first = c->first;
    SEND(set_pipeline, d->encoder, pipeline);
    for (int i = 0; i < GPU_BLOCKS; i++) SEND(set_buffer, d->encoder, c->blocks[i], 0, (uint64_t)i);
    SEND(set_buffer, d->encoder, c->table, 0, GPU_BLOCKS);
    SEND(set_bytes, d->encoder, &first, sizeof first, GPU_BLOCKS + 1);
    metal_size groups = { (uint64_t)c->groups, 1, 1 }, threads = { (uint64_t)c->threads, 1, 1 };
    SEND(dispatch, d->encoder, groups, threads);
}

/* ---- launches ---- */

static tide_status queue(metal_device *d, const metal_module *m, const gpu_call *c, tide_failure *why) {
    tide_status status = open_encoder(d, c, why);
    if (status) return status;
    encode(d, m->pipelines[c->entry], c);
    d->open.last = c->kernel->name;
    if (++d->open.launches >= LAUNCHES_TOGETHER) close_batch(d);
    return TIDE_OK;
}

/* A command buffer of its own: what a device's clock says is of whole ones. */
static tide_status time_alone(metal_device *d, const metal_module *m, const gpu_call *c, double *seconds,
                              tide_failure *why) {
    close_batch(d);
    tide_status status = queue(d, m, c, why);
    if (status) return status;
    metal_id buffer = d->open.buffer;
    ASK(retain, buffer);
    close_batch(d);
    retire(d, d->n_queued);
    *seconds += ASK(ended, buffer) - ASK(began, buffer);
    ASK(release, buffer);
    return metal_told(d, why);
}

tide_status metal_launch(void *device, void *module, const gpu_call *call, double *seconds, tide_failure *why) {
    void *pool = metal.objc_autoreleasePoolPush();
    tide_status status = seconds ? time_alone(device, module, call, seconds, why) : queue(device, module, call, why);
    metal.objc_autoreleasePoolPop(pool);
    return status;
}

tide_status metal_end(void *device, tide_failure *why) {
    void *pool = metal.objc_autoreleasePoolPush();
    (void)why;
    close_batch(device);
    metal.objc_autoreleasePoolPop(pool);
    return TIDE_OK;
}
