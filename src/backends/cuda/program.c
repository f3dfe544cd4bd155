/* From text to kernels: each entry is compiled alone, several at a time, once, then found in the cache
 * ($XDG_CACHE_HOME/tidemill/cuda), also by other programs that have it. The cache is a convenience: whatever fails with
 * it, the text is there. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

#include "backends/gpu/cache.h"
#include "base/parallel.h"
#include "base/sha256.h"

enum { MOST_COMPILERS = 8, OPTIONS = 2 };

typedef struct compilation {
    cuda_device      *d;
    const gpu_source *source;
    cuda_text        *text;
    tide_failure     *failures;  /* of each entry */
    char              architecture[40];
} compilation;

static const char fmad[] = "--fmad=false";

/* ---- the compiler ---- */

/* The first line of the log that has "error", else the first that says anything. */
static tide_status refused(const compilation *c, nvrtc_program p, unsigned code, tide_failure *why) {
    const nvrtc *n = &c->d->compiler->calls;
    size_t bytes = 0;
    char  *log = n->GetProgramLogSize(p, &bytes) ? NULL : calloc(1, bytes + 1);
    if (log && n->GetProgramLog(p, log)) *log = 0;
    const char *line = log ? strstr(log, "error") : NULL;
    while (line && line > log && line[-1] != '\n') line--;
    if (!line) line = log ? log + strspn(log, " \t\r\n") : "";
    tide_status status = fail(why, TIDE_EDEVICE, "cuda:%d: compiling a kernel failed (NVRTC %d.%d, %s, error %u)%s%.*s",
                              (int)c->d->index, c->d->compiler->major, c->d->compiler->minor, c->architecture, code,
                              *line ? ": " : "", (int)strcspn(line, "\r\n"), line);
    free(log);
    return status;
}

/* With room for the cache's key before it. */
static tide_status take_cubin(const compilation *c, nvrtc_program p, char **whole, size_t *bytes, tide_failure *why) {
    const nvrtc *n = &c->d->compiler->calls;
    unsigned code = n->GetCUBINSize(p, bytes);
    *whole = code ? NULL : malloc(GPU_CACHE_KEY + *bytes);
    if (!code && !*whole) return fail(why, TIDE_ENOMEM, "out of memory for a compiled kernel");
    if (!code) code = n->GetCUBIN(p, *whole + GPU_CACHE_KEY);
    if (!code) return TIDE_OK;
    free(*whole);
    *whole = NULL;
    return refused(c, p, code, why);
}

static tide_status compile(const compilation *c, const char *words, char **whole, size_t *bytes, tide_failure *why) {
    const nvrtc *n = &c->d->compiler->calls;
    const char  *options[OPTIONS] = { c->architecture, fmad };
    nvrtc_program p = NULL;
    unsigned code = n->CreateProgram(&p, words, "kernel.cu", 0, NULL, NULL);
    if (code) return fail(why, TIDE_EDEVICE, "cuda:%d: NVRTC takes no text (error %u)", (int)c->d->index, code);
    code = n->CompileProgram(p, OPTIONS, options);
    tide_status status = code ? refused(c, p, code, why) : take_cubin(c, p, whole, bytes, why);
    n->DestroyProgram(&p);
    return status;
}

/* ---- one entry ---- */

static void key_of(const compilation *c, const char *words, char key[65]) {
    char   versions[64];
    sha256 h;
    snprintf(versions, sizeof versions, "%d %d.%d", c->d->driver_version, c->d->compiler->major, c->d->compiler->minor);
    const char *const parts[] = { TIDE_VERSION, versions, c->architecture, fmad, words };
    sha256_begin(&h);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) sha256_add(&h, parts[i], strlen(parts[i]) + 1);
    sha256_end(&h, key);
}

/* Launches must be allowed to have more memory of the group than arrays may be. */
static unsigned load(const compilation *c, const void *cubin, int64_t room_bytes, cuda_entry *e) {
    const cuda_driver *cuda = c->d->cuda;
    unsigned code = cuda->ModuleLoadData(&e->module, cubin);
    if (code) return e->module = NULL, code;
    code = cuda->ModuleGetFunction(&e->function, e->module, "k");
    if (code || !room_bytes) return code;
    return cuda->FuncSetAttribute(e->function, CUDA_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, (int)room_bytes);
}

static tide_status make_anew(const compilation *c, const char *words, int64_t room_bytes, const gpu_cached *cache,
                             cuda_entry *e, tide_failure *why) {
    char  *whole = NULL;
    size_t bytes = 0;
    tide_status status = compile(c, words, &whole, &bytes, why);
    unsigned code = status ? CUDA_SUCCESS : load(c, whole + GPU_CACHE_KEY, room_bytes, e);
    if (code) status = cuda_fail(c->d, code, why, "loading a compiled kernel");
    else if (!status && cache) gpu_cache_write(cache, whole, bytes);
    free(whole);
    return status;
}

/* What the cache has may be what the driver does not take: then it is made again. */
static tide_status make_entry(const compilation *c, const char *words, int64_t room_bytes, cuda_entry *e,
                              tide_failure *why) {
    char   key[65];
    size_t bytes = 0;
    gpu_cached cached;
    key_of(c, words, key);
    bool  cache = gpu_cache_open(&cached, "cuda/", key);
    void *cubin = cache ? gpu_cache_read(&cached, &bytes) : NULL;
    bool  kept = cubin && !load(c, cubin, room_bytes, e);
    free(cubin);
    if (!kept && e->module) c->d->cuda->ModuleUnload(e->module), e->module = NULL;
    tide_status status = kept ? TIDE_OK : make_anew(c, words, room_bytes, cache ? &cached : NULL, e, why);
    if (cache) gpu_cache_close(&cached);
    return status;
}

static void make_one(void *user, int64_t i, int thread) {
    const compilation *c = user;
    int32_t entry = (int32_t)(i / CUDA_FORMS), form = (int32_t)(i % CUDA_FORMS);
    const gpu_entry *e = &c->source->entries[entry];
    (void)thread;
    if (form == CUDA_ALONE ? !e->alone : !e->among) return;
    text words = { 0 };
    if (form == CUDA_ALONE) text_add(&words, "#define GPU_TOLD %d\n", (int)MAX2(e->numbers, 1));
    gpu_source_entry(&words, c->source, entry);
    cuda_enter(c->d);
    if (words.failed) fail(&c->failures[i], TIDE_ENOMEM, "out of memory for a kernel's text");
    else make_entry(c, words.data, e->room_bytes, &c->text->entries[entry][form], &c->failures[i]);
    cuda_leave(c->d);
    text_free(&words);
}

/* ---- all ---- */

tide_status cuda_build(void *device, const gpu_source *source, void **module, tide_failure *why) {
    int32_t n = CUDA_FORMS * source->n_entries;
    compilation c = { .d = device, .source = source };
    tide_status status = TIDE_OK;
    snprintf(c.architecture, sizeof c.architecture, "--gpu-architecture=sm_%d", c.d->capability);
    c.text = calloc(1, sizeof *c.text + sizeof(cuda_entry) * (size_t)n);
    c.failures = calloc((size_t)n, sizeof *c.failures);
    if (c.text && c.failures) {
        c.text->n_entries = source->n_entries;
        parallel_for(MIN2(os_cores(), MOST_COMPILERS), n, 1, make_one, &c);
        for (int32_t i = n - 1; i >= 0; i--)
            if (c.failures[i].status) status = fail(why, c.failures[i].status, "%s", c.failures[i].message);
    } else status = fail(why, TIDE_ENOMEM, "out of memory for %d kernels", (int)n);
    free(c.failures);
    if (status) cuda_unload(device, c.text);
    else *module = c.text;
    return status;
}

void cuda_unload(void *device, void *module) {
    const cuda_device *d = device;
    cuda_text *t = module;
    if (!t) return;
    cuda_enter(d);
    d->cuda->StreamSynchronize(d->stream);
    for (int32_t i = 0; i < CUDA_FORMS * t->n_entries; i++)
        if (t->entries[i / CUDA_FORMS][i % CUDA_FORMS].module)
            d->cuda->ModuleUnload(t->entries[i / CUDA_FORMS][i % CUDA_FORMS].module);
    cuda_leave(d);
    free(t);
}

int32_t cuda_most_threads(void *device, void *module, int32_t entry) {
    const cuda_device *d = device;
    const cuda_text *t = module;
    int32_t least = INT32_MAX;
    cuda_enter(d);
    for (int form = 0; form < CUDA_FORMS; form++) {
        int most = 0;
        cuda_function function = t->entries[entry][form].function;
        if (function && !d->cuda->FuncGetAttribute(&most, CUDA_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, function))
            least = MIN2(least, most);
    }
    cuda_leave(d);
    return least;
}
