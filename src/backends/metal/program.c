/* From text to pipelines, by the system's own compiler, which keeps what it compiled. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- compiling ---- */

/* The first line that has "error:", else the first that says anything. */
static tide_status refused(const metal_device *d, const char *what, const char *log, tide_failure *why) {
    const char *line = strstr(log, "error:");
    while (line && line > log && line[-1] != '\n') line--;
    if (!line) line = log + strspn(log, " \t\r\n");
    return fail(why, TIDE_EDEVICE, "metal:%d: %s: %.*s", (int)d->index, what, (int)strcspn(line, "\r\n"), line);
}

/* Nothing is reordered or approximated. Systems before macOS 15 know of the first alone, which there stands for all;
 * those from then on have the language in which the text can forbid contraction (metal.txt). */
static metal_id make_options(void) {
    metal_id options = metal.objc_getClass("MTLCompileOptions");
    if (options) options = ASK(alloc, options);
    if (options) options = ASK(init, options);
    if (!options) return NULL;
    bool modes = SEND(responds, options, metal.set_math_mode.selector);
    SEND(set_fast_math, options, false);
    if (modes) SEND(set_math_mode, options, METAL_MATH_SAFE), SEND(set_functions, options, METAL_FUNCTIONS_PRECISE);
    SEND(set_language, options, modes ? METAL_LANGUAGE_3_2 : METAL_LANGUAGE_3_0);
    return options;
}

static tide_status compile(const metal_device *d, const char *source, metal_id *library, tide_failure *why) {
    metal_id words = metal_string(source), options = make_options(), error = NULL;
    *library = words && options ? SEND(new_library, d->device, words, options, &error) : NULL;
    metal_drop(options);
    if (!words || !options) return fail(why, TIDE_ENOMEM, "out of memory for the text of metal:%d", (int)d->index);
    return *library ? TIDE_OK : refused(d, "the kernels do not compile", metal_reason(error), why);
}

/* ---- modules ---- */

static tide_status make_pipeline(const metal_device *d, metal_id library, int32_t entry, metal_id *pipeline,
                                 tide_failure *why) {
    char what[48];
    snprintf(what, sizeof what, "k%d", (int)entry);
    metal_id name = metal_string(what), function = name ? SEND(new_function, library, name) : NULL, error = NULL;
    if (!function)
        return fail(why, TIDE_EDEVICE, "metal:%d: the compiled text has no kernel k%d", (int)d->index, (int)entry);
    *pipeline = SEND(new_pipeline, d->device, function, &error);
    ASK(release, function);
    snprintf(what, sizeof what, "the kernel k%d cannot be run", (int)entry);
    return *pipeline ? TIDE_OK : refused(d, what, metal_reason(error), why);
}

static tide_status make_module(const metal_device *d, const char *source, int32_t n, metal_module *m,
                               tide_failure *why) {
    metal_id library;
    tide_status status = compile(d, source, &library, why);
    for (; !status && m->n_pipelines < n; m->n_pipelines += !status)
        status = make_pipeline(d, library, m->n_pipelines, &m->pipelines[m->n_pipelines], why);
    metal_drop(library);
    return status;
}

tide_status metal_build(void *device, const gpu_source *source, void **module, tide_failure *why) {
    int32_t n_entries = source->n_entries;
    metal_module *m = calloc(1, sizeof *m + sizeof *m->pipelines * (size_t)n_entries);
    if (!m) return fail(why, TIDE_ENOMEM, "out of memory for %d kernels", (int)n_entries);
    void *pool = metal.objc_autoreleasePoolPush();
    tide_status status = make_module(device, source->all.data, n_entries, m, why);
    metal.objc_autoreleasePoolPop(pool);
    if (status) metal_unload(device, m);
    else *module = m;
    return status;
}

/* Waits, for batches that are queued name the program's kernels. */
void metal_unload(void *device, void *module) {
    metal_module *m = module;
    if (!m) return;
    metal_settle(device);
    for (int32_t i = 0; i < m->n_pipelines; i++) ASK(release, m->pipelines[i]);
    free(m);
}

int32_t metal_most_threads(void *device, void *module, int32_t entry) {
    const metal_module *m = module;
    (void)device;
    return (int32_t)MIN2(ASK(most_threads, m->pipelines[entry]), (uint64_t)INT32_MAX);
}
