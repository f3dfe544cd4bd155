/* The energy counter of an NVIDIA device, beside libraries that are pretended: which device is meant, and each call
 * that may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/parts.h"

/* The name of the library or the call that fails; "": none. */
static const char *missing = "";
static unsigned long long used_mj;
static int cuda, nvml, device;  /* their addresses stand for the libraries and the device */

static int refused(const char *name) { return strcmp(missing, name) == 0 ? 7 : 0; }

static int device_get(int *out, int index) { return *out = index + 40, refused("cuDeviceGet"); }

static int bus_id(char *out, int size, int id) {
    snprintf(out, (size_t)size, "0000:%d:00.0", id);
    return refused("cuDeviceGetPCIBusId");
}

static int start(void) { return refused("nvmlInit_v2"); }

static int handle(const char *address, void **out) {
    assert_string_equal(address, "0000:43:00.0");  /* cuda:3 */
    return *out = &device, refused("nvmlDeviceGetHandleByPciBusId_v2");
}

static int energy(void *handle_given, unsigned long long *out) {
    assert_ptr_equal(handle_given, &device);
    return *out = used_mj, refused("nvmlDeviceGetTotalEnergyConsumption");
}

typedef void any_call(void);
static const struct { void *library; const char *name; any_call *call; } calls[] = {
    { &cuda, "cuDeviceGet", (any_call *)device_get },
    { &cuda, "cuDeviceGetPCIBusId", (any_call *)bus_id },
    { &nvml, "nvmlInit_v2", (any_call *)start },
    { &nvml, "nvmlDeviceGetHandleByPciBusId_v2", (any_call *)handle },
    { &nvml, "nvmlDeviceGetTotalEnergyConsumption", (any_call *)energy },
};

/* The linker sends every call here (-Wl,--wrap). */
void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *library, const char *name);

void *__wrap_dlopen(const char *name, int flags) {
    (void)flags;
    if (refused(name)) return NULL;
    return strcmp(name, "libcuda.so.1") == 0 ? &cuda : strcmp(name, "libnvidia-ml.so.1") == 0 ? &nvml : NULL;
}

/* A library that is too old lacks the call: "no " and its name. */
void *__wrap_dlsym(void *library, const char *name) {
    void *found = NULL;
    if (strncmp(missing, "no ", 3) == 0 && strcmp(missing + 3, name) == 0) return NULL;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].library == library && strcmp(calls[i].name, name) == 0)
            memcpy(&found, &calls[i].call, sizeof found);
    return found;
}

static void counted(void **state) {
    (void)state;
    device_meter m;
    double       joules = 0;
    missing = "";
    assert_true(device_meter_open("cuda:3", &m));
    used_mj = 3000000000500;
    assert_true(device_meter_read(&m, &joules));
    if (joules != 3000000000.5) fail_msg("expected 3000000000.5 J, got %.17g", joules);
    missing = "nvmlDeviceGetTotalEnergyConsumption";
    assert_false(device_meter_read(&m, &joules));
}

static void not_there(void **state) {
    (void)state;
    static const char *const faults[] = {
        "libcuda.so.1",     "libnvidia-ml.so.1", "cuDeviceGet", "cuDeviceGetPCIBusId", "nvmlInit_v2",
        "no cuDeviceGet",   "no nvmlInit_v2",    "no nvmlDeviceGetTotalEnergyConsumption",
        "nvmlDeviceGetHandleByPciBusId_v2",
    };
    device_meter m;
    double       joules = -1;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        missing = faults[i];
        if (device_meter_open("cuda:3", &m)) fail_msg("a meter opened although %s fails", missing);
        if (device_meter_read(&m, &joules) || joules != -1) fail_msg("it was read although %s fails", missing);
    }
    missing = "";
    assert_false(device_meter_open("opencl:3", &m));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(counted), cmocka_unit_test(not_there) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
