/* Where oneDNN is, looked for once. A library that is not what we know is not used, and why is kept. */
#include "onednn.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/cpu/cpu.h"

/* On macOS a name without a folder would also mean a file in the folder that one happens to be in. */
#ifdef __APPLE__
static const char *const usual[] = { "/opt/homebrew/lib/libdnnl.dylib", "/usr/local/lib/libdnnl.dylib" };
#else
static const char *const usual[] = { "libdnnl.so.3", "libdnnl.so.2" };
#endif
enum { USUAL = sizeof usual / sizeof *usual };

typedef struct symbol { const char *name; size_t at; } symbol;
#define AT(returns, name, takes) { "dnnl_" #name, offsetof(onednn, name) },
#define AT_2(returns, name, takes) { "dnnl_" #name, offsetof(onednn, v2.name) },
#define AT_3(returns, name, takes) { "dnnl_" #name, offsetof(onednn, v3.name) },
static const symbol both[] = { ONEDNN_BOTH(AT) { NULL, 0 } }, second[] = { ONEDNN_2(AT_2) { NULL, 0 } },
                    third[] = { ONEDNN_3(AT_3) { NULL, 0 } };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static onednn found;
static bool   here, named;
static char   missing[768];

/* False; one more reason. */
static bool refuse(const char *format, ...) TIDE_PRINTF(1, 2);
static bool refuse(const char *format, ...) {
    size_t  length = strlen(missing);
    va_list arguments;
    if (length) length += (size_t)snprintf(missing + length, sizeof missing - length, "; ");
    va_start(arguments, format);
    if (length < sizeof missing) vsnprintf(missing + length, sizeof missing - length, format, arguments);
    va_end(arguments);
    return false;
}

static bool take(onednn *to, void *library, const char *name, const symbol *all) {
    for (const symbol *s = all; s->name; s++) {
        void *at = dlsym(library, s->name);
        if (!at) return refuse("%s has no %s", name, s->name);
        memcpy((char *)to + s->at, &at, sizeof at);
    }
    return true;
}

/* One for SYCL would take our memory for a device's. */
static bool is_known(onednn *to, const char *name) {
    const onednn_version *v = to->version();
    to->major = v->major;
    snprintf(to->number, sizeof to->number, "%d.%d.%d", v->major, v->minor, v->patch);
    if (v->major != 2 && v->major != 3)
        return refuse("%s is oneDNN %s; versions 2 and 3 are known", name, to->number);
    if (v->cpu_runtime == ONEDNN_RUNTIME_SYCL)
        return refuse("%s is oneDNN %s for SYCL; one for OpenMP, TBB or one thread is wanted", name, to->number);
    return true;
}

static void note_path(onednn *to, const char *name) {
    Dl_info info;
    void *at;
    memcpy(&at, &to->version, sizeof at);
    bool known = dladdr(at, &info) && info.dli_fname;
    snprintf(to->path, sizeof to->path, "%s", known ? info.dli_fname : name);
}

static bool load(const char *name) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    onednn all = { 0 };
    if (!library) return refuse("%s", dlerror());
    if (take(&all, library, name, both) && is_known(&all, name) &&
        take(&all, library, name, all.major == 2 ? second : third)) {
        note_path(&all, name);
        library_threads_of(library);
        found = all;
        return true;
    }
    dlclose(library);
    return false;
}

static void find(void) {
    const char *name = getenv("TIDEMILL_ONEDNN");
    named = name && *name && strcmp(name, "none") != 0;
    if (named) here = load(name);
    else if (name && *name) refuse("TIDEMILL_ONEDNN is none");
    else
        for (int i = 0; i < USUAL && !here; i++) here = load(usual[i]);
}

const onednn *onednn_here(void) {
    pthread_once(&once, find);
    return here ? &found : NULL;
}

const char *onednn_missing(bool *was_named) {
    const onednn *library = onednn_here();
    if (was_named) *was_named = named;
    return library ? NULL : missing;
}
