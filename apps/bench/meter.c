/* Energy that an NVIDIA GPU has used since its driver was loaded: NVML's counter. CUDA and NVML number devices each in
 * an order of its own, so the address on the bus says which is meant. Where something is missing the figure is, and
 * nothing is said. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "parts.h"

/* What is called of libcuda.so.1 and libnvidia-ml.so.1; 0 is success for both. */
typedef struct calls {
    int (*device_get)(int *device, int index);
    int (*bus_id)(char *out, int size, int device);
    int (*start)(void);
    int (*handle)(const char *bus_id, void **device);
    int (*energy)(void *device, unsigned long long *millijoules);
} calls;

static bool take(const char *library, const char *name, void *function) {
    void *open = dlopen(library, RTLD_NOW | RTLD_LOCAL), *symbol = open ? dlsym(open, name) : NULL;
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool take_all(calls *c) {
    static const char cuda[] = "libcuda.so.1", nvml[] = "libnvidia-ml.so.1";
    return take(cuda, "cuDeviceGet", &c->device_get) && take(cuda, "cuDeviceGetPCIBusId", &c->bus_id) &&
           take(nvml, "nvmlInit_v2", &c->start) && take(nvml, "nvmlDeviceGetHandleByPciBusId_v2", &c->handle) &&
           take(nvml, "nvmlDeviceGetTotalEnergyConsumption", &c->energy);
}

bool bench_on_cuda(const char *device) {
    return device && strncmp(device, "cuda", 4) == 0 && (device[4] == 0 || device[4] == ':');
}

bool device_meter_open(const char *device, device_meter *out) {
    calls c;
    char  address[32];
    int   found;
    *out = (device_meter){ 0 };
    if (!bench_on_cuda(device) || !take_all(&c)) return false;
    int index = device[4] ? atoi(device + 5) : 0;
    /* the backend has started CUDA by now */
    if (c.device_get(&found, index) || c.bus_id(address, sizeof address, found) || c.start() ||
        c.handle(address, &out->device))
        return false;
    out->read = c.energy;
    return true;
}

bool device_meter_read(const device_meter *m, double *joules) {
    unsigned long long millijoules = 0;
    if (!m->read || m->read(m->device, &millijoules)) return false;
    *joules = 1e-3 * (double)millijoules;
    return true;
}
