/* From text to kernels: by the device's compiler, once, then from the cache ($XDG_CACHE_HOME/tidemill/opencl). A binary
 * that the driver refuses is made again. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

#include "backends/gpu/cache.h"
#include "base/sha256.h"

static const char *options_of(const opencl_device *d) {
    return d->rounds ? "-w -cl-std=CL1.2 -cl-fp32-correctly-rounded-divide-sqrt" : "-w -cl-std=CL1.2";
}

/* ---- the cache ---- */

static void add_words(sha256 *h, const char *words) { sha256_add(h, words, strlen(words) + 1); }

static void add_device(const opencl_device *d, sha256 *h) {
    static const uint32_t of_platform[] = { OCL_PLATFORM_NAME, OCL_PLATFORM_VERSION },
                          of_device[] = { OCL_DEVICE_NAME, OCL_DEVICE_VENDOR, OCL_DEVICE_VERSION, OCL_DRIVER_VERSION };
    char words[512];
    for (size_t i = 0; i < sizeof of_platform / sizeof *of_platform; i++) {
        memset(words, 0, sizeof words);
        d->cl->GetPlatformInfo(d->platform, of_platform[i], sizeof words - 1, words, NULL);
        add_words(h, words);
    }
    for (size_t i = 0; i < sizeof of_device / sizeof *of_device; i++) {
        memset(words, 0, sizeof words);
        d->cl->GetDeviceInfo(d->id, of_device[i], sizeof words - 1, words, NULL);
        add_words(h, words);
    }
}

static bool find_binary(const opencl_device *d, const char *source, gpu_cached *c) {
    sha256 h;
    char   hex[65];
    sha256_begin(&h);
    add_words(&h, TIDE_VERSION), add_words(&h, options_of(d)), add_device(d, &h), add_words(&h, source);
    sha256_end(&h, hex);
    return gpu_cache_open(c, "opencl/", hex);
}

static ocl_program load_binary(const opencl_device *d, const gpu_cached *c) {
    int32_t code = OCL_SUCCESS, status = OCL_SUCCESS;
    size_t  bytes;
    unsigned char *content = gpu_cache_read(c, &bytes);
    if (!content) return NULL;
    ocl_program p = d->cl->CreateProgramWithBinary(d->context, 1, &d->id, &bytes, (const unsigned char **)&content,
                                                   &status, &code);
    free(content);
    if (p && !status && !d->cl->BuildProgram(p, 1, &d->id, options_of(d), NULL, NULL)) return p;
    if (p) d->cl->ReleaseProgram(p);
    return NULL;
}

static void keep_binary(const opencl_device *d, ocl_program p, const gpu_cached *c) {
    size_t bytes = 0;
    if (d->cl->GetProgramInfo(p, OCL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) || !bytes) return;
    char *whole = malloc(GPU_CACHE_KEY + bytes), *content = whole ? whole + GPU_CACHE_KEY : NULL;
    if (whole && !d->cl->GetProgramInfo(p, OCL_PROGRAM_BINARIES, sizeof content, &content, NULL))
        gpu_cache_write(c, whole, bytes);
    free(whole);
}

/* ---- compiling ---- */

/* The first line of the log that has "error", else the first that says anything. */
static void first_line(char *log, char *out, size_t size) {
    const char *line = strstr(log, "error");
    while (line && line > log && line[-1] != '\n') line--;
    if (!line) line = log + strspn(log, " \t\r\n");
    snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
}

static tide_status refused(const opencl_device *d, ocl_program p, int32_t code, tide_failure *why) {
    char   line[320] = "", *log = NULL;
    size_t bytes = 0;
    if (!d->cl->GetProgramBuildInfo(p, d->id, OCL_PROGRAM_BUILD_LOG, 0, NULL, &bytes)) log = calloc(1, bytes + 1);
    if (log && !d->cl->GetProgramBuildInfo(p, d->id, OCL_PROGRAM_BUILD_LOG, bytes, log, NULL))
        first_line(log, line, sizeof line);
    free(log);
    return opencl_fail(d, code, why, "compiling the kernels%s%s%s", *line ? " (" : "", line, *line ? ")" : "");
}

static tide_status compile(const opencl_device *d, const char *source, ocl_program *out, tide_failure *why) {
    int32_t     code = OCL_SUCCESS;
    ocl_program p = d->cl->CreateProgramWithSource(d->context, 1, &source, NULL, &code);
    if (!p) return opencl_fail(d, code, why, "taking the kernels' text");
    code = d->cl->BuildProgram(p, 1, &d->id, options_of(d), NULL, NULL);
    tide_status status = code ? refused(d, p, code, why) : TIDE_OK;
    if (status) d->cl->ReleaseProgram(p);
    else *out = p;
    return status;
}

static tide_status find_program(const opencl_device *d, const char *source, ocl_program *out, tide_failure *why) {
    gpu_cached c;
    bool cached = find_binary(d, source, &c);
    *out = cached ? load_binary(d, &c) : NULL;
    bool kept = *out != NULL;
    tide_status status = kept ? TIDE_OK : compile(d, source, out, why);
    if (cached && !kept && !status) keep_binary(d, *out, &c);
    if (cached) gpu_cache_close(&c);
    return status;
}

/* ---- modules ---- */

static size_t module_bytes(int32_t n) { return sizeof(opencl_module) + sizeof(ocl_kernel) * (size_t)n; }

static tide_status make_kernels(const opencl_device *d, opencl_module *m, int32_t n, tide_failure *why) {
    for (; m->n_kernels < n; m->n_kernels++) {
        char    name[16];
        int32_t code = OCL_SUCCESS;
        snprintf(name, sizeof name, "k%d", (int)m->n_kernels);
        ocl_kernel kernel = m->kernels[m->n_kernels] = d->cl->CreateKernel(m->program, name, &code);
        if (!kernel) return opencl_fail(d, code, why, "the compiled kernel %s", name);
    }
    return TIDE_OK;
}

tide_status opencl_build(void *device, const gpu_source *source, void **module, tide_failure *why) {
    const opencl_device *d = device;
    int32_t n_entries = source->n_entries;
    opencl_module *m = calloc(1, module_bytes(n_entries));
    if (!m) return fail(why, TIDE_ENOMEM, "out of memory for %d kernels", (int)n_entries);
    tide_status status = find_program(d, source->all.data, &m->program, why);
    if (!status) status = make_kernels(d, m, n_entries, why);
    if (status) opencl_unload(device, m);
    else *module = m;
    return status;
}

void opencl_unload(void *device, void *module) {
    const opencl_device *d = device;
    opencl_module *m = module;
    if (!m) return;
    for (int32_t i = 0; i < m->n_kernels; i++) d->cl->ReleaseKernel(m->kernels[i]);
    if (m->program) d->cl->ReleaseProgram(m->program);
    free(m);
}

int32_t opencl_most_threads(void *device, void *module, int32_t entry) {
    const opencl_device *d = device;
    const opencl_module *m = module;
    size_t most = 0;
    int32_t code = d->cl->GetKernelWorkGroupInfo(m->kernels[entry], d->id, OCL_KERNEL_WORK_GROUP_SIZE, sizeof most,
                                                 &most, NULL);
    return code || most > INT32_MAX ? INT32_MAX : (int32_t)most;
}
