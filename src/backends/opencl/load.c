/* Where OpenCL's library is, looked for once. What has been loaded stays: its drivers have threads of their own. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "opencl.h"

#ifdef __APPLE__
static const char *const usual[] = { "/System/Library/Frameworks/OpenCL.framework/OpenCL" };
#else
static const char *const usual[] = { "libOpenCL.so.1", "libOpenCL.so" };
#endif
enum { USUAL = sizeof usual / sizeof *usual };

typedef struct symbol { const char *name; size_t at; } symbol;
#define SYMBOL(returns, name, takes) { "cl" #name, offsetof(opencl, name) },
static const symbol symbols[] = { OPENCL_FUNCTIONS(SYMBOL) { NULL, 0 } };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static opencl found;
static bool   here;
static char   missing[384];

static void refuse(const char *format, ...) TIDE_PRINTF(1, 2);
static void refuse(const char *format, ...) {
    size_t  length = strlen(missing);
    va_list arguments;
    if (length) length += (size_t)snprintf(missing + length, sizeof missing - length, "; ");
    va_start(arguments, format);
    if (length < sizeof missing) vsnprintf(missing + length, sizeof missing - length, format, arguments);
    va_end(arguments);
}

static bool load(const char *name) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) return refuse("%s", dlerror()), false;
    for (const symbol *s = symbols; s->name; s++) {
        void *at = dlsym(library, s->name);
        if (!at) return refuse("%s has no %s", name, s->name), dlclose(library), false;
        memcpy((char *)&found + s->at, &at, sizeof at);
    }
    return true;
}

static void find(void) {
    const char *name = getenv("TIDEMILL_OPENCL");
    if (name && strcmp(name, "none") == 0) refuse("TIDEMILL_OPENCL is none");
    else if (name && *name) here = load(name);
    else
        for (int i = 0; i < USUAL && !here; i++) here = load(usual[i]);
}

const opencl *opencl_here(const char **why) {
    pthread_once(&once, find);
    *why = missing;
    return here ? &found : NULL;
}

const char *opencl_error(int32_t code, char number[24]) {
#define NAME(name, value) { "CL_" #name, value },
    static const struct { const char *name; int32_t code; } names[] = { OPENCL_ERRORS(NAME) };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code) return names[i].name;
    snprintf(number, 24, "OpenCL error %d", (int)code);
    return number;
}
