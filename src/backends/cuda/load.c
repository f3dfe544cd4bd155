/* Where CUDA's libraries are, each looked for once. The driver comes with the system; NVRTC and cuBLASLt with a toolkit
 * or with a Python environment's nvidia packages. What has been loaded stays: it has threads of its own. */
#include <dlfcn.h>
#include <glob.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "cublaslt.h"
#include "nccl.h"

enum { OLDEST_DRIVER = 12000, WORDS = 640 };

typedef struct symbol { const char *name; size_t at; } symbol;
#define DRIVER_SYMBOL(name, version, takes) { "cu" #name version, offsetof(cuda_driver, name) },
#define NVRTC_SYMBOL(name, version, takes) { "nvrtc" #name version, offsetof(nvrtc, name) },
static const symbol driver_symbols[] = { CUDA_FUNCTIONS(DRIVER_SYMBOL) { NULL, 0 } };
#define PRODUCTS_SYMBOL(name, version, takes) { "cublasLt" #name version, offsetof(cublaslt, name) },
static const symbol products_symbols[] = { CUBLASLT_FUNCTIONS(PRODUCTS_SYMBOL) { NULL, 0 } };
#define NCCL_SYMBOL(name, version, takes) { "nccl" #name version, offsetof(nccl, name) },
static const symbol nccl_symbols[] = { NCCL_FUNCTIONS(NCCL_SYMBOL) NCCL_TEXTS(NCCL_SYMBOL) { NULL, 0 } };
static const symbol nvrtc_symbols[] = { NVRTC_FUNCTIONS(NVRTC_SYMBOL) { NULL, 0 } };

static bool take_symbols(void *library, const char *name, const symbol *symbols, void *calls, char *why) {
    for (const symbol *s = symbols; s->name; s++) {
        void *at = dlsym(library, s->name);
        if (!at) return snprintf(why, WORDS, "%s has no %s", name, s->name), false;
        memcpy((char *)calls + s->at, &at, sizeof at);
    }
    return true;
}

/* The first of a pattern's files; NULL: there is none. */
static void *open_matching(const char *pattern, char *why) {
    glob_t found;
    void  *library = NULL;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && !library; i++) {
            library = dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL);
            if (!library) snprintf(why, WORDS, "%s", dlerror());
        }
        globfree(&found);
    }
    return library;
}

static bool hidden(char *why) {
    const char *wish = getenv("TIDEMILL_CUDA");
    bool none = wish && strcmp(wish, "none") == 0;
    if (none) snprintf(why, WORDS, "TIDEMILL_CUDA is none");
    return none;
}

/* ---- folders ---- */

/* For each folder that may have a toolkit's libraries, in order, until `try` gives something. */
typedef void *try_folder(const char *folder, void *user);

/* Those of a list with colons in between. */
static void *in_list(const char *list, const char *behind, try_folder *try, void *user) {
    char  folder[512];
    void *got = NULL;
    for (const char *at = list; at && *at && !got; at += strcspn(at, ":"), at += *at == ':') {
        int length = (int)strcspn(at, ":");
        if (snprintf(folder, sizeof folder, "%.*s%s", length, at, behind) < (int)sizeof folder && length)
            got = try(folder, user);
    }
    return got;
}

/* PATH's folders are PREFIX/bin of the Pythons in use, and usually the toolkit's too. */
static void *in_folders(try_folder *try, void *user) {
    static const char *const below[] = { "/lib/python3*/site-packages/nvidia/*/lib",
                                         "/lib/python3*/dist-packages/nvidia/*/lib" };
    static const char *const roots[] = { "VIRTUAL_ENV", "CONDA_PREFIX" };
    void *got = in_list(getenv("TIDEMILL_CUDA_LIBS"), "", try, user);
    if (!got) got = try("", user);
    for (size_t b = 0; b < sizeof below / sizeof *below && !got; b++) {
        char behind[128];
        for (size_t r = 0; r < sizeof roots / sizeof *roots && !got; r++)
            got = in_list(getenv(roots[r]), below[b], try, user);
        snprintf(behind, sizeof behind, "/..%s", below[b]);
        if (!got) got = in_list(getenv("PATH"), behind, try, user);
        snprintf(behind, sizeof behind, "/.local%s", below[b]);
        if (!got) got = in_list(getenv("HOME"), behind, try, user);
    }
    if (!got) got = in_list("/usr/local/cuda/lib64:/usr/local/cuda-1[23]*/lib64", "", try, user);
    return got;
}

/* ---- the driver ---- */

static pthread_once_t driver_once = PTHREAD_ONCE_INIT;
static cuda_driver driver;
static bool driver_found;
static cuda_add_dependencies *add_dependencies;
static char driver_missing[WORDS];

static void *driver_in(const char *folder, void *user) {
    char path[600];
    (void)user;
    if (!*folder) return NULL;
    snprintf(path, sizeof path, "%s/libcuda.so.1", folder);
    return open_matching(path, driver_missing);
}

static void start_driver(void) {
    int version = 0;
    const char *words = NULL;
    unsigned code = driver.Init(0);
    if (code) {
        driver.GetErrorString(code, &words);
        snprintf(driver_missing, WORDS, "the driver does not start: %s", words ? words : "an unknown error");
    } else if (driver.DriverGetVersion(&version) || version < OLDEST_DRIVER) {
        snprintf(driver_missing, WORDS, "the driver is for CUDA %d.%d; 12.0 is the least (driver 525)", version / 1000,
                 version % 1000 / 10);
    } else driver_found = true;
}

static void find_driver(void) {
    if (hidden(driver_missing)) return;
    void *library = in_list(getenv("TIDEMILL_CUDA_LIBS"), "", driver_in, NULL);
    if (!library) library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) snprintf(driver_missing, WORDS, "NVIDIA's driver is not here: %s", dlerror());
    else if (take_symbols(library, "libcuda.so.1", driver_symbols, &driver, driver_missing)) {
        *(void **)&add_dependencies = dlsym(library, "cuGraphAddDependencies_v2");
        start_driver();
    }
}

cuda_add_dependencies *cuda_edges_here(void) { return add_dependencies; }

const cuda_driver *cuda_here(const char **missing) {
    pthread_once(&driver_once, find_driver);
    *missing = driver_missing;
    return driver_found ? &driver : NULL;
}

/* ---- the compiler ---- */

/* A library of the toolkit's: its majors are tried in the order of what the driver prefers. */
typedef struct wanted { const char *name, *needs; int major; char *why; } wanted;

/* One that is opened by its path does not find what it needs beside it, unless that is open already. */
static void *library_in(const char *folder, void *user) {
    const wanted *w = user;
    char path[640];
    if (!*folder) {
        snprintf(path, sizeof path, "%s.so.%d", w->name, w->major);
        return dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    snprintf(path, sizeof path, "%s/%s.so.%d*", folder, w->needs, w->major);
    if (*w->needs && !open_matching(path, w->why)) return NULL;
    snprintf(path, sizeof path, "%s/%s.so.%d", folder, w->name, w->major);
    return open_matching(path, w->why);
}

static void *find_library(const char *name, const char *needs, char *why) {
    int   version = 0;
    void *library = NULL;
    driver.DriverGetVersion(&version);
    for (int i = 0; i < 2 && !library; i++) {
        wanted w = { name, needs, (version < 13000) == (i == 0) ? 12 : 13, why };
        library = in_folders(library_in, &w);
    }
    if (!library && !*why) snprintf(why, WORDS, "no %s.so.13 or .12 was found", name);
    return library;
}

static pthread_once_t nvrtc_once = PTHREAD_ONCE_INIT;
static nvrtc_found compiler;
static bool compiler_found;
static char compiler_missing[WORDS];

static void find_compiler(void) {
    void *library = find_library("libnvrtc", "libnvrtc-builtins", compiler_missing);
    if (!library || !take_symbols(library, "libnvrtc", nvrtc_symbols, &compiler.calls, compiler_missing)) return;
    compiler_found = !compiler.calls.Version(&compiler.major, &compiler.minor);
    if (!compiler_found) snprintf(compiler_missing, WORDS, "libnvrtc does not say its version");
}

const nvrtc_found *nvrtc_here(const char **missing) {
    pthread_once(&nvrtc_once, find_compiler);
    *missing = compiler_missing;
    return compiler_found ? &compiler : NULL;
}

/* ---- products ---- */

static pthread_once_t products_once = PTHREAD_ONCE_INIT;
static cublaslt products;
static bool products_found;

static void find_products(void) {
    char why[WORDS] = "";
    const char *wish = getenv("TIDEMILL_CUBLASLT");
    if (wish && strcmp(wish, "none") == 0) return;
    void *library = find_library("libcublasLt", "", why);
    products_found = library && take_symbols(library, "libcublasLt", products_symbols, &products, why);
}

const cublaslt *cublaslt_here(void) {
    pthread_once(&products_once, find_products);
    return products_found ? &products : NULL;
}

/* ---- exchanges ---- */

static pthread_once_t nccl_once = PTHREAD_ONCE_INIT;
static nccl_found exchanges;
static bool exchanges_found;
static char exchanges_missing[WORDS];

/* From 2.9 on a version is 10000 major + 100 minor + patch. */
static bool take_version(void) {
    int v = 0;
    if (exchanges.calls.GetVersion(&v) || v < NCCL_OLDEST)
        return snprintf(exchanges_missing, WORDS, "libnccl is of version %d; %d is the least (2.14)", v, NCCL_OLDEST),
               false;
    snprintf(exchanges.name, sizeof exchanges.name, "NCCL %d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    return true;
}

static void find_exchanges(void) {
    const char *wish = getenv("TIDEMILL_NCCL");
    if (wish && strcmp(wish, "none") == 0) {
        snprintf(exchanges_missing, WORDS, "TIDEMILL_NCCL is none");
        return;
    }
    wanted w       = { "libnccl", "", 2, exchanges_missing };
    void  *library = in_folders(library_in, &w);
    if (!library && !*exchanges_missing)
        snprintf(exchanges_missing, WORDS, "NCCL is not here (python3 -m pip install nvidia-nccl-cu12)");
    exchanges_found = library &&
                      take_symbols(library, "libnccl", nccl_symbols, &exchanges.calls, exchanges_missing) &&
                      take_version();
}

const nccl_found *nccl_here(const char **missing) {
    pthread_once(&nccl_once, find_exchanges);
    *missing = exchanges_missing;
    return exchanges_found ? &exchanges : NULL;
}
