/* Blocks are buffers in memory that the processor and the GPU share: what is put and got is a copy by the processor
 * while the GPU rests. While it works, what is put goes to a buffer of its own, which the GPU copies when it is its
 * turn, so that a step need not wait for the one before. */
#include "device.h"

enum { STAGED_MOST = 1 << 20 };

/* More than the device recommends would end in command buffers that fail for want of memory. */
static bool has_room(const metal_device *d, uint64_t bytes) {
    if (d->most_block_bytes && bytes > d->most_block_bytes) return false;
    return !d->most_bytes || ASK(used_bytes, d->device) + bytes <= d->most_bytes;
}

/* Command buffers that are not done keep what they use, so there may be room once they are. */
static metal_id new_buffer(metal_device *d, uint64_t bytes) {
    if (!has_room(d, bytes)) metal_settle(d);
    return has_room(d, bytes) ? SEND(new_buffer, d->device, bytes, METAL_STORAGE_SHARED) : NULL;
}

static void *alloc(void *device, int64_t bytes) {
    void *pool = metal.objc_autoreleasePoolPush();
    metal_id buffer = new_buffer(device, (uint64_t)round_up(MAX2(bytes, 1), 64));
    metal.objc_autoreleasePoolPop(pool);
    return buffer;
}

static void release(void *device, void *block, int64_t bytes) {
    void *pool = block ? metal.objc_autoreleasePoolPush() : NULL;
    (void)device, (void)bytes;
    if (!block) return;
    ASK(release, (metal_id)block);
    metal.objc_autoreleasePoolPop(pool);
}

/* Where a block's bytes are once nothing queued uses them; NULL, and why. */
static char *rest_at(metal_device *d, void *block, int64_t at, tide_failure *why) {
    metal_settle(d);
    if (metal_told(d, why)) return NULL;
    char *bytes = ASK(contents, (metal_id)block);
    if (!bytes) fail(why, TIDE_EDEVICE, "metal:%d: a block's contents are out of reach", (int)d->index);
    return bytes ? bytes + at : NULL;
}

/* Whether it was queued. The copy keeps its buffer; Metal copies whole words. */
static bool put_later(metal_device *d, void *block, int64_t at, const void *from, int64_t bytes) {
    uint64_t size = (uint64_t)bytes;
    bool busy = d->n_queued || d->open.buffer;
    if (!busy || bytes > STAGED_MOST || bytes < 4 || bytes % 4 || at % 4 || !has_room(d, size)) return false;
    metal_id stage = SEND(new_buffer, d->device, size, METAL_STORAGE_SHARED);
    void *to = stage ? ASK(contents, stage) : NULL;
    if (to) memcpy(to, from, (size_t)bytes);
    bool queued = to && metal_copy(d, stage, block, (uint64_t)at, size);
    metal_drop(stage);
    return queued;
}

static tide_status put(void *device, void *block, int64_t at, const void *from, int64_t bytes, tide_failure *why) {
    if (metal_begin(device, why)) return TIDE_EDEVICE;
    void *pool = metal.objc_autoreleasePoolPush();
    bool queued = put_later(device, block, at, from, bytes);
    metal.objc_autoreleasePoolPop(pool);
    if (queued) return TIDE_OK;
    char *to = rest_at(device, block, at, why);
    if (to && bytes) memcpy(to, from, (size_t)bytes);
    return to ? TIDE_OK : TIDE_EDEVICE;
}

static tide_status get(void *device, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why) {
    const char *from = rest_at(device, block, at, why);
    if (from && bytes) memcpy(to, from, (size_t)bytes);
    return from ? TIDE_OK : TIDE_EDEVICE;
}

static tide_status wait_device(void *device, tide_failure *why) {
    metal_settle(device);
    return metal_told(device, why);
}

const backend_memory metal_memory = { metal_open, metal_close, alloc, release, put, get, wait_device };
