/* See build.h. */
#include "build.h"
#include "kept.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const shims[GPU_LANGUAGES] = { [GPU_METAL] = "metal_stdlib", [GPU_CUDA] = "cuda_shim.h" };

/* ---- the text ------------------------------------------------------------------------------------------------- */

/* Where the text defines an entry; NULL: nowhere. */
static const char *entry_at(const char *source, int32_t entry) {
    char words[32];
    snprintf(words, sizeof words, "\nKERNEL(k%d,", (int)entry);
    const char *at = strstr(source, words);
    return at ? at + 1 : NULL;
}

/* One thread of an entry, as group.h has it, and the memory that its groups have: the shim puts what is of the group in
 * a section that is named by GPU_ENTRY. */
static void add_wrapper(text *t, gpu_language language, int i) {
    const char *told = language == GPU_METAL ? ", g, t" : "";
    text_add(t, "extern \"C\" GPU_SHOWN void run_k%d(", i);
    text_add(t, "char *const *b, const i64 *table, uint first, uint g, uint t) {\n");
    if (language == GPU_CUDA) text_add(t, "    blockIdx.x = g, threadIdx.x = t;\n    shim_begin(t);\n");
    text_add(t, "    k%d(b[0], b[1], b[2], b[3], b[4], b[5], table, first%s);\n}\n", i, told);
    text_add(t, "GPU_LOCAL_OF(%d)\n", i);
}

/* The text with GPU_ENTRY told before each entry, and the wrappers. The lines of compilers' messages are the text's. */
static text whole_text(gpu_language language, const char *source, int32_t n_entries, tide_failure *why) {
    text t = { 0 };
    const char *from = source;
    text_add(&t, "#include <%s>\n#include <runner.h>\n#line 1 \"text\"\n", shims[language]);
    for (int32_t i = 0, line = 1; i < n_entries; i++) {
        const char *at = entry_at(from, i);
        if (!at) {
            fail(why, TIDE_EDEVICE, "the text has no entry k%d after k%d", (int)i, (int)i - 1);
            break;
        }
        for (const char *c = from; c < at; c++) line += *c == '\n';
        text_add(&t, "%.*s%s#undef GPU_ENTRY\n#define GPU_ENTRY %d\n#line %d \"text\"\n", (int)(at - from), from,
                 i ? "" : "#include <entries.h>\n", (int)i, (int)line);
        from = at;
    }
    text_add(&t, "%s\n#ifndef GPU_STRICT\n", from);
    for (int32_t i = 0; i < n_entries; i++) add_wrapper(&t, language, (int)i);
    text_add(&t, "#endif\n");
    return t;
}

/* ---- the compiler --------------------------------------------------------------------------------------------- */

typedef struct folder { char path[128], cpp[160], so[160], log[160]; } folder;

static bool make_folder(folder *f) {
    const char *root = getenv("TMPDIR");
    snprintf(f->path, sizeof f->path, "%.90s/tidemill-fibers-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(f->path)) return false;
    snprintf(f->cpp, sizeof f->cpp, "%s/text.cpp", f->path);
    snprintf(f->so, sizeof f->so, "%s/text.so", f->path);
    snprintf(f->log, sizeof f->log, "%s/log", f->path);
    return true;
}

static void remove_folder(const folder *f) {
    if (getenv("FIBERS_KEEP")) return;
    unlink(f->cpp), unlink(f->so), unlink(f->log);
    rmdir(f->path);
}

static bool write_text(const char *path, const text *t) {
    FILE *file = fopen(path, "w");
    bool good = file && !t->failed && fwrite(t->data, 1, t->length, file) == t->length;
    return (!file || fclose(file) == 0) && good;
}

/* Where CUDA's own compiler is to see it. Processes that build the same text write the same. */
static bool keep_text(const built *b) {
    const char *kept = getenv("FIBERS_CUDA_TEXTS");
    char path[400];
    const text whole = { .data = (char *)(uintptr_t)b->source, .length = strlen(b->source) };
    if (!kept || b->language != GPU_CUDA || !b->n_entries) return true;
    snprintf(path, sizeof path, "%.300s/%016" PRIx64 ".cu", kept, text_hash(b->source));
    return write_text(path, &whole);
}

/* Runs a compiler; what it says goes to the log. 0: it was content. */
static int run_compiler(char *const *words, const folder *f) {
    posix_spawn_file_actions_t files;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, f->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (posix_spawnp(&child, words[0], &files, NULL, words, environ) == 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    posix_spawn_file_actions_destroy(&files);
    return status;
}

/* Address spaces, as Metal has them: by clang, if FIBERS_CLANG names one. */
static int check_spaces(const folder *f) {
    const char *clang = getenv("FIBERS_CLANG");
    char shim[] = "-I" FIBERS_SHIM;
    char *const words[] = { (char *)clang, "-x", "c++", "-std=c++17", "-w", "-fsyntax-only", "-DGPU_STRICT", shim,
                            (char *)f->cpp, NULL };
    return clang && *clang ? run_compiler(words, f) : 0;
}

/* As on a device: integers wrap, nothing is contracted. An index outside an array of known size is a trap, and so is a
 * vector where there can be none. */
static const char *const flags[] = {
    "c++", "-x", "c++", "-std=c++17", "-w", "-fno-exceptions", "-fno-rtti", "-fwrapv", "-fno-strict-aliasing",
    "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden", "-fsanitize=bounds,alignment",
    "-fsanitize-undefined-trap-on-error", "-shared", "-fPIC", "-I" FIBERS_SHIM,
};
/* Texts need nothing of the C++ library's, and finding it takes the linker as long as all the rest. */
static const char *const libraries[] = {
#ifndef __APPLE__
    "-nostdlib", "-lm", "-lgcc",
#endif
    NULL
};
enum { FLAGS = sizeof flags / sizeof *flags, LIBRARIES = sizeof libraries / sizeof *libraries };

/* Small texts are compiled for longer than they run: FIBERS_LEVEL is for the others. */
static const char *level(void) {
    static char flag[] = "-O0";
    const char *asked = getenv("FIBERS_LEVEL");
    if (asked && *asked) flag[2] = *asked;
    return flag;
}

static int compile(const folder *f) {
    char out[170];
    char *words[FLAGS + 3 + LIBRARIES];
    snprintf(out, sizeof out, "-o%s", f->so);
    memcpy(words, flags, sizeof flags);
    words[FLAGS] = (char *)level(), words[FLAGS + 1] = out, words[FLAGS + 2] = (char *)f->cpp;
    memcpy(words + FLAGS + 3, libraries, sizeof libraries);
    return run_compiler(words, f);
}

/* What follows from the same text and flags is the same. */
static bool kept_here(const text *whole, kept *k) {
    text how = { 0 };
    for (int i = 0; i < FLAGS; i++) text_add(&how, "%s ", flags[i]);
    for (int i = 0; libraries[i]; i++) text_add(&how, "%s ", libraries[i]);
    text_add(&how, "%s\n", level());
    bool here = !how.failed && kept_of(whole, how.data, k);
    text_free(&how);
    return here;
}

static tide_status tell_error(const folder *f, tide_failure *why) {
    char line[300] = "there is no c++", kept[300] = "";
    FILE *log = fopen(f->log, "r");
    while (log && fgets(line, sizeof line, log)) {
        if (!*kept) memcpy(kept, line, sizeof kept);
        if (!strstr(line, "error")) continue;
        memcpy(kept, line, sizeof kept);
        break;
    }
    if (log) fclose(log);
    const char *said = *kept ? kept : line;
    return fail(why, TIDE_EDEVICE, "the text does not compile: %.*s", (int)strcspn(said, "\n"), said);
}

/* ---- what was built ------------------------------------------------------------------------------------------- */

static bool find_entry(void *object, const char *source, int i, built_entry *out) {
    char name[32];
    char **local;
    snprintf(name, sizeof name, "run_k%d", i);
    *(void **)&out->run = dlsym(object, name);
    snprintf(name, sizeof name, "local_k%d", i);
    local = dlsym(object, name);
    if (local) out->local = local[0], out->local_bytes = (size_t)(local[1] - local[0]);
    sscanf(strchr(entry_at(source, i), ',') + 1, "%d", &out->threads);
    return out->run && local;
}

static tide_status open_object(const folder *f, built *b, tide_failure *why) {
    void *object = dlopen(f->so, RTLD_NOW | RTLD_LOCAL);
    if (!object) return fail(why, TIDE_EDEVICE, "the built text does not load: %.200s", dlerror());
    void (**sync)(int) = (void (**)(int))dlsym(object, "gpu_sync");
    void (**warp_sync)(int) = (void (**)(int))dlsym(object, "gpu_warp_sync");
    unsigned (**thread)(void) = (unsigned (**)(void))dlsym(object, "gpu_thread");
    if (!sync || !warp_sync || !thread) return fail(why, TIDE_EDEVICE, "the shim has no barriers");
    *sync = group_sync, *warp_sync = group_warp_sync, *thread = group_thread;
    for (int32_t i = 0; i < b->n_entries; i++)
        if (!find_entry(object, b->source, (int)i, &b->entries[i]))
            return fail(why, TIDE_EDEVICE, "the built text has no entry k%d", (int)i);
    return TIDE_OK;
}

/* Compiles it, or finds what another program has. The folder has the text. */
static tide_status make_object(const folder *f, const text *whole, built *b, tide_failure *why) {
    kept k;
    const bool keeps = kept_here(whole, &k), found = keeps && kept_get(&k, f->so);
    if ((b->language == GPU_METAL && check_spaces(f)) || (!found && compile(f))) return tell_error(f, why);
    if (!found && keeps && !kept_put(&k, f->so)) return fail(why, TIDE_EDEVICE, "the built text cannot be kept");
    return open_object(f, b, why);
}

static tide_status build_anew(built *b, tide_failure *why) {
    folder f;
    tide_failure no_entry = { 0 };
    text t = whole_text(b->language, b->source, b->n_entries, &no_entry);
    tide_status status = no_entry.status ? fail(why, no_entry.status, "%s", no_entry.message) : TIDE_OK;
    if (!status && !make_folder(&f)) status = fail(why, TIDE_EDEVICE, "no folder for the text");
    else if (!status) {
        if (!write_text(f.cpp, &t) || !keep_text(b)) status = fail(why, TIDE_EDEVICE, "the text cannot be written");
        else status = make_object(&f, &t, b, why);
        remove_folder(&f);
    }
    text_free(&t);
    return status;
}

static built *all_built;

static built *new_built(gpu_language language, const char *source, int32_t n_entries) {
    built *b = calloc(1, sizeof *b);
    built_entry *entries = calloc((size_t)MAX2(n_entries, 1), sizeof *entries);
    char *copy = strdup(source);
    if (!b || !entries || !copy) abort();
    *b = (built){ .source = copy, .language = language, .n_entries = n_entries, .entries = entries };
    return b;
}

tide_status build_text(gpu_language language, const char *source, int32_t n_entries, const built **out,
                       tide_failure *why) {
    built *b = all_built;
    while (b && (b->language != language || b->n_entries != n_entries || strcmp(b->source, source))) b = b->next;
    if (!b) {
        b = new_built(language, source, n_entries);
        tide_status status = build_anew(b, why);
        if (status) {
            free((void *)b->source), free(b->entries), free(b);
            return status;
        }
        b->next = all_built, all_built = b;
    }
    *out = b;
    return TIDE_OK;
}

bool build_possible(void) {
    const built *b;
    return build_text(GPU_CUDA, "", 0, &b, NULL) == TIDE_OK;
}
