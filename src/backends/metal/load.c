/* Where the libraries are, looked for once. What has been loaded stays. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"

metal_calls metal;

/* By their whole paths: macOS has these in its cache of libraries, not as files. Metal brings Foundation; without
 * CoreGraphics a command has no default device. */
#ifdef __APPLE__
static const char *const usual[] = {
    "/usr/lib/libobjc.A.dylib", "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics",
    "/System/Library/Frameworks/Metal.framework/Metal", NULL
};
#else
static const char *const usual[] = { NULL };
#endif
#ifdef __x86_64__
static const char *const sends_structures = "objc_msgSend_stret";
#else
static const char *const sends_structures = "objc_msgSend";
#endif
enum { MOST_LIBRARIES = 4 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool here;
static char missing[384];

static bool refuse(const char *format, ...) TIDE_PRINTF(1, 2);
static bool refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(missing, sizeof missing, format, arguments);
    va_end(arguments);
    return false;
}

static void *find_symbol(void *const *libraries, const char *name) {
    for (int i = 0; i < MOST_LIBRARIES && libraries[i]; i++) {
        void *at = dlsym(libraries[i], name);
        if (at) return at;
    }
    refuse("Metal cannot be used: its libraries have no %s", name);
    return NULL;
}

/* ---- functions, then messages ---- */

typedef struct symbol { const char *name; size_t at; } symbol;
#define SYMBOL(returns, name, takes) { #name, offsetof(metal_calls, name) },
static const symbol functions[] = { METAL_FUNCTIONS(SYMBOL) { NULL, 0 } };

static bool take_functions(void *const *libraries) {
    for (const symbol *s = functions; s->name; s++) {
        void *at = find_symbol(libraries, s->name);
        if (!at) return false;
        memcpy((char *)&metal + s->at, &at, sizeof at);
    }
    return true;
}

typedef struct message { const char *selector; size_t call, at; } message;
#define MESSAGE(of, returns, name, words, takes)                                                                       \
    { words, offsetof(metal_calls, name.call), offsetof(metal_calls, name.selector) },
static const message messages[] = { METAL_MESSAGES(MESSAGE) { NULL, 0, 0 } },
                     structures[] = { METAL_STRUCTURES(MESSAGE) { NULL, 0, 0 } };

static bool take_messages(void *const *libraries, const message *all, const char *by) {
    void *send = find_symbol(libraries, by);
    for (const message *m = all; send && m->selector; m++) {
        metal_sel selector = metal.sel_registerName(m->selector);
        memcpy((char *)&metal + m->call, &send, sizeof send);
        memcpy((char *)&metal + m->at, &selector, sizeof selector);
    }
    return send;
}

static bool take_all(void *const *libraries) {
    return take_functions(libraries) && take_messages(libraries, messages, "objc_msgSend") &&
           take_messages(libraries, structures, sends_structures);
}

static bool load(const char *const *names) {
    void *libraries[MOST_LIBRARIES] = { NULL };
    for (int i = 0; names[i]; i++) {
        libraries[i] = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (!libraries[i]) return refuse("Metal cannot be used: %s", dlerror());
    }
    return take_all(libraries);
}

static void find(void) {
    const char *name = getenv("TIDEMILL_METAL");
    if (name && strcmp(name, "none") == 0) refuse("Metal is not wanted: TIDEMILL_METAL is none");
    else if (name && *name) here = load((const char *const[]){ name, NULL });
    else if (*usual) here = load(usual);
    else refuse("Metal is Apple's: it is on macOS alone");
}

const char *metal_missing(void) {
    pthread_once(&once, find);
    return here ? NULL : missing;
}
