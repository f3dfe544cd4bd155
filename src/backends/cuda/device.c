/* Devices by number, as CUDA counts them (CUDA_VISIBLE_DEVICES and its order). */
#include "device.h"

#include <stdio.h>

enum { MOST_THREADS = 256, LEAST_CAPABILITY = 50, MATRIX_CAPABILITY = 80 };

void cuda_enter(const cuda_device *d) { d->cuda->CtxPushCurrent(d->context); }
void cuda_leave(const cuda_device *d) {
    cuda_context ours;
    d->cuda->CtxPopCurrent(&ours);
}

tide_status cuda_fail(const cuda_device *d, unsigned code, tide_failure *why, const char *format, ...) {
    char what[400];
    const char *words = NULL, *name = NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    d->cuda->GetErrorString(code, &words), d->cuda->GetErrorName(code, &name);
    if (!words) words = "an unknown error";
    if (!name) name = "no name";
    if (!*d->first) return fail(why, TIDE_EDEVICE, "cuda:%d: %s failed: %s (%s)", (int)d->index, what, words, name);
    return fail(why, TIDE_EDEVICE, "cuda:%d: %s failed: %s (%s); queued were the kernels '%s' to '%s'", (int)d->index,
                what, words, name, d->first, d->last);
}

/* ---- what there is ---- */

static void name_of(const cuda_driver *cuda, int id, char *out, int size) {
    if (cuda->DeviceGetName(out, size, id)) *out = 0;
    out[size - 1] = 0;
}

static tide_status no_device(const cuda_driver *cuda, int32_t index, int count, tide_failure *why) {
    text list = { 0 };
    for (int i = 0; i < count; i++) {
        char name[128] = "";
        int  id = 0;
        if (!cuda->DeviceGet(&id, i)) name_of(cuda, id, name, sizeof name);
        text_add(&list, "%scuda:%d (%s)", i ? ", " : "", i, name);
    }
    if (!count) text_add(&list, "the driver has found no GPU that may be used");
    tide_status status = fail(why, TIDE_EDEVICE, "there is no device cuda:%d; %s%s", (int)index,
                              count ? "there are " : "", list.failed ? "others" : list.data);
    text_free(&list);
    return status;
}

/* ---- opening ---- */

static unsigned learn(cuda_device *d) {
    static const unsigned asked[] = { CUDA_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK,
                                      CUDA_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK,
                                      CUDA_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                                      CUDA_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
                                      CUDA_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN };
    enum { ASKED = sizeof asked / sizeof *asked };
    int told[ASKED] = { 0 };
    unsigned code = d->cuda->DriverGetVersion(&d->driver_version);
    for (int i = 0; i < ASKED && !code; i++) code = d->cuda->DeviceGetAttribute(&told[i], asked[i], d->id);
    d->capability = 10 * told[2] + told[3];
    d->limits = (gpu_limits){
        .threads = MIN2(told[0], MOST_THREADS), .f64 = true, .matrix = d->capability >= MATRIX_CAPABILITY,
        .local_bytes = told[1], .room_bytes = told[4], .asks = d->lt ? cuda_asks : NULL, .device = d,
    };
    return code;
}

static tide_status start(cuda_device *d, tide_failure *why) {
    const cuda_driver *cuda = d->cuda;
    unsigned code = learn(d);
    if (code) return cuda_fail(d, code, why, "asking what the device has");
    if (d->capability < LEAST_CAPABILITY)
        return fail(why, TIDE_EDEVICE, "cuda:%d cannot be used: its compute capability is %d.%d; 5.0 is the least",
                    (int)d->index, d->capability / 10, d->capability % 10);
    code = cuda->DevicePrimaryCtxRetain(&d->context, d->id);
    if (code) {
        d->context = NULL;
        return cuda_fail(d, code, why, "opening the device");
    }
    cuda_enter(d);
    code = cuda->StreamCreate(&d->stream, CUDA_STREAM_NON_BLOCKING);
    if (code) d->stream = NULL;
    cuda_leave(d);
    return code ? cuda_fail(d, code, why, "making a stream") : TIDE_OK;
}

static tide_status find(int32_t index, cuda_device *out, tide_failure *why) {
    const char *missing;
    int count = 0;
    out->cuda = cuda_here(&missing);
    if (!out->cuda) return fail(why, TIDE_EDEVICE, "there is no device cuda:%d; %s", (int)index, missing);
    if (out->cuda->DeviceGetCount(&count)) count = 0;
    if (index >= count || out->cuda->DeviceGet(&out->id, index)) return no_device(out->cuda, index, count, why);
    out->compiler = nvrtc_here(&missing);
    out->lt = cublaslt_here();
    if (out->compiler) return TIDE_OK;
    return fail(why, TIDE_EDEVICE,
                "cuda:%d needs NVIDIA's compiler library (%s): install it (python3 -m pip install nvidia-cuda-nvrtc), "
                "or name its folder in TIDEMILL_CUDA_LIBS",
                (int)index, missing);
}

tide_status cuda_open(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why) {
    cuda_device found = { .allocator = *allocator, .index = index };
    tide_status status = find(index, &found, why);
    if (status) return status;
    cuda_device *d = mem_new(allocator, sizeof *d);
    if (!d) return fail(why, TIDE_ENOMEM, "out of memory for the device cuda:%d", (int)index);
    *d = found;
    status = start(d, why);
    if (status) cuda_close(d);
    else *device = d;
    return status;
}

void cuda_close(void *device) {
    cuda_device *d = device;
    if (!d) return;
    const cuda_driver *cuda = d->cuda;
    if (d->context) {
        cuda_enter(d);
        if (d->stream) cuda->StreamSynchronize(d->stream);
        cuda_free_stages(d);
        if (d->blas) d->lt->Destroy(d->blas);
        if (d->from) cuda->EventDestroy(d->from);
        if (d->to) cuda->EventDestroy(d->to);
        if (d->stream) cuda->StreamDestroy(d->stream);
        cuda_leave(d);
        cuda->DevicePrimaryCtxRelease(d->id);
    }
    tide_allocator allocator = d->allocator;
    mem_free(&allocator, d, sizeof *d);
}

void cuda_describe(void *device, tide_device *out) {
    const cuda_device *d = device;
    size_t bytes = 0;
    name_of(d->cuda, d->id, out->hardware, sizeof out->hardware);
    out->memory_bytes = d->cuda->DeviceTotalMem(&bytes, d->id) ? 0 : (int64_t)bytes;
}
