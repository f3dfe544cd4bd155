/* Devices by number: in the system's order, or the default device where it lists none. */
#include "device.h"

enum { MOST_THREADS = 256 };

metal_id metal_string(const char *words) {
    metal_id of = metal.objc_getClass("NSString");
    return of ? SEND(string, of, words, METAL_UTF8) : NULL;
}

const char *metal_words(metal_id string) {
    const char *words = string ? ASK(utf8, string) : NULL;
    return words ? words : "";
}

const char *metal_reason(metal_id error) {
    const char *words = metal_words(error ? ASK(description, error) : NULL);
    return *words ? words : "no reason is given";
}

void metal_drop(metal_id object) {
    if (object) ASK(release, object);
}

/* ---- what there is ---- */

/* The names of the other backends, for whoever asked for one that is not here. */
static void add_others(text *t) {
    const char *before = "";
    for (const tide_backend *const *b = backend_all; *b; b++) {
        if ((*b)->memory == &metal_memory) continue;
        text_add(t, "%s%s", before, (*b)->name);
        before = ", ";
    }
}

static tide_status no_metal(const char *reason, tide_failure *why) {
    text others = { 0 };
    add_others(&others);
    tide_status status = fail(why, TIDE_EDEVICE, "%s; available: %s", reason, others.failed ? "cpu" : others.data);
    text_free(&others);
    return status;
}

static tide_status no_device(int32_t index, metal_id all, tide_failure *why) {
    text list = { 0 };
    uint64_t count = all ? ASK(count, all) : 0;
    for (uint64_t i = 0; i < count; i++)
        text_add(&list, "%smetal:%d (%s)", i ? ", " : "", (int)i, metal_words(ASK(name, SEND(at, all, i))));
    tide_status status = count ? fail(why, TIDE_EDEVICE, "there is no device metal:%d; available: %s", (int)index,
                                      list.failed ? "others" : list.data)
                               : no_metal("Metal finds no device on this machine", why);
    text_free(&list);
    return status;
}

/* Ours to release. */
static metal_id find_device(int32_t index, tide_failure *why) {
    metal_id all = metal.MTLCopyAllDevices(), found = NULL;
    uint64_t count = all ? ASK(count, all) : 0;
    if ((uint64_t)index < count) found = ASK(retain, SEND(at, all, (uint64_t)index));
    else if (!count && !index) found = metal.MTLCreateSystemDefaultDevice();
    if (!found) no_device(index, all, why);
    metal_drop(all);
    return found;
}

/* ---- opening ---- */

static void learn(metal_device *d) {
    uint64_t threads = ASK(group_size, d->device).width;
    int32_t  power = 1;
    while (power < MOST_THREADS && (uint64_t)power * 2 <= threads) power *= 2;
    d->limits = (gpu_limits){ power, (int64_t)ASK(local_bytes, d->device), false };
    d->most_block_bytes = ASK(most_block_bytes, d->device);
    d->most_bytes = ASK(most_bytes, d->device);
}

static tide_status start(metal_device *d, tide_failure *why) {
    d->device = find_device(d->index, why);
    if (!d->device) return TIDE_EDEVICE;
    learn(d);
    d->queue = ASK(new_queue, d->device);
    if (d->queue) return TIDE_OK;
    return fail(why, TIDE_EDEVICE, "metal:%d (%s) gives no command queue", (int)d->index,
                metal_words(ASK(name, d->device)));
}

tide_status metal_open(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why) {
    const char *missing = metal_missing();
    if (missing) return no_metal(missing, why);
    metal_device *d = mem_new(allocator, sizeof *d);
    if (!d) return fail(why, TIDE_ENOMEM, "out of memory for the device metal:%d", (int)index);
    d->allocator = *allocator, d->index = index;
    void *pool = metal.objc_autoreleasePoolPush();
    tide_status status = start(d, why);
    metal.objc_autoreleasePoolPop(pool);
    if (status) metal_close(d);
    else *device = d;
    return status;
}

void metal_close(void *device) {
    metal_device *d = device;
    if (!d) return;
    metal_settle(d);
    metal_drop(d->queue), metal_drop(d->device);
    tide_allocator allocator = d->allocator;
    mem_free(&allocator, d, sizeof *d);
}
