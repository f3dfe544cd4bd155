/* From C to a loaded library: by the system compiler, once, then from the cache. The hash of a file there is over the
 * text, the compiler, its flags and our version. One that is cut short must not be mapped, as touching what is not
 * there kills the process, and what is loaded runs as us: hence the care of os_kept. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"

extern char **environ;

enum { PATH_SIZE = 1024, MOST_WORDS = 48 };

/* What the project's own kernels on strips are compiled with, so that rounding is theirs. */
static const char *const flags[] = { "-std=gnu11", "-O3", "-fwrapv", "-fno-strict-aliasing", "-fno-math-errno",
                                     "-fno-trapping-math",
                                     "-ffp-contract=on", "-w", "-fPIC", "-shared", "-x", "c" };
static const struct { const char *isa, *flags[2]; } isa_flags[] = {
    { "avx512", { "-march=x86-64-v4", "-mprefer-vector-width=512" } }, { "avx2", { "-march=x86-64-v3" } },
};

typedef struct command { char *word[MOST_WORDS + 1]; int count; char own[PATH_SIZE]; } command;

static void add_word(command *c, const char *word) {
    if (c->count < MOST_WORDS) c->word[c->count++] = (char *)word;
}

/* ---- the compiler -------------------------------------------------------------------------------------- */

static bool on_path(const char *name, char found[PATH_SIZE]) {
    const char *path = strchr(name, '/') ? NULL : getenv("PATH");
    if (strchr(name, '/')) return snprintf(found, PATH_SIZE, "%s", name) < PATH_SIZE && access(found, X_OK) == 0;
    while (path && *path) {
        int length = (int)strcspn(path, ":");
        int size = snprintf(found, PATH_SIZE, "%.*s/%s", length, path, name);
        if (length && size < PATH_SIZE && access(found, X_OK) == 0) return true;
        path += length + (path[length] == ':');
    }
    return false;
}

/* It will run in another folder. */
static bool make_absolute(char path[PATH_SIZE]) {
    char here[PATH_SIZE], whole[PATH_SIZE];
    if (path[0] == '/') return true;
    if (!getcwd(here, sizeof here) || snprintf(whole, sizeof whole, "%s/%s", here, path) >= PATH_SIZE) return false;
    memcpy(path, whole, sizeof whole);
    return true;
}

/* $CC with its arguments, or the first that is there. `compiler` is the file that will run. */
static bool find_compiler(command *c, char compiler[PATH_SIZE]) {
    static const char *const names[] = { "cc", "gcc", "clang" };
    const char *wanted = getenv("CC");
    char *rest = NULL;
    if (wanted && *wanted) {
        if (snprintf(c->own, sizeof c->own, "%s", wanted) >= (int)sizeof c->own) return false;
        for (char *word = strtok_r(c->own, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) add_word(c, word);
        return c->count > 0 && on_path(c->word[0], compiler) && make_absolute(compiler);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (on_path(names[i], compiler)) {
            add_word(c, names[i]);
            return make_absolute(compiler);
        }
    return false;
}

static void add_flags(command *c, const char *isa) {
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) add_word(c, flags[i]);
    for (size_t i = 0; i < sizeof isa_flags / sizeof *isa_flags; i++)
        for (int f = 0; f < 2; f++)
            if (strcmp(isa, isa_flags[i].isa) == 0 && isa_flags[i].flags[f]) add_word(c, isa_flags[i].flags[f]);
}

/* Its words, and which file it is: a new version has another size or time. */
static uint64_t identity(const command *c, const char *compiler, const char *source) {
    text all = { 0 };
    struct stat s = { 0 };
    char *real = realpath(compiler, NULL);
    if (stat(compiler, &s)) s.st_size = 0;
    text_add(&all, "%s %s %lld %lld\n", TIDE_VERSION, real ? real : compiler, (long long)s.st_size,
             (long long)s.st_mtime);
    for (int i = 0; i < c->count; i++) text_add(&all, "%s ", c->word[i]);
    text_add(&all, "%s", source);
    uint64_t hash = all.failed ? 0 : text_hash(all.data);
    text_free(&all);
    free(real);
    return hash;
}

/* In the folder of the descriptor, by names in it: whatever path led there, that is where it reads and writes. The
 * compiler's talk goes nowhere. */
static bool compile(command *c, const char *compiler, int folder, const char *from, const char *to) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    int   state = -1;
    add_word(c, from);
    add_word(c, "-o");
    add_word(c, to);
    if (c->count >= MOST_WORDS || posix_spawn_file_actions_init(&actions)) return false;
    c->word[c->count] = NULL;
    int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) ||
                 posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) ||
                 posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) ||
                 posix_spawn_file_actions_addfchdir_np(&actions, folder);
    if (!failed) failed = posix_spawn(&child, compiler, &actions, NULL, c->word, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!failed && waitpid(child, &state, 0) < 0)
        if (errno != EINTR) return false;
    return !failed && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

/* ---- libraries ------------------------------------------------------------------------------------------ */

void native_unload(native_code code) {
    if (!code.library) return;
    dlclose(code.library);
    close(code.file);
}

/* Takes the descriptor. A library of this text says so itself: a hash may be anyone's. */
static native_code load(int file, uint64_t hash) {
    char magic[64];
    native_code code = { os_load_library(file), file };
    const char *said = code.library ? dlsym(code.library, "tidemill_kernels") : NULL;
    snprintf(magic, sizeof magic, "%s %016" PRIx64, TIDE_VERSION, hash);
    if (said && strcmp(said, magic) == 0) return code;
    if (code.library) dlclose(code.library);
    close(file);
    return (native_code){ 0 };
}

static native_code make(command *c, const char *compiler, const char *source, const os_kept *k, uint64_t hash,
                        char *reason, size_t size) {
    text all = { 0 };
    native_code code = { 0 };
    int file;
    text_add(&all, "const char tidemill_kernels[] = \"%s %016" PRIx64 "\";\n%s", TIDE_VERSION, hash, source);
    unlinkat(k->folder, k->fresh, 0);
    if (all.failed || !os_kept_write(k, k->draft, all.data, all.length))
        snprintf(reason, size, "the cache folder cannot be written (%s)", strerror(all.failed ? ENOMEM : errno));
    else if (!compile(c, compiler, k->folder, k->draft, k->fresh))
        snprintf(reason, size, "the compiler '%s' failed", c->word[0]);
    else if ((file = os_kept_store(k)) < 0 || !(code = load(file, hash)).library)
        snprintf(reason, size, "what the compiler '%s' made cannot be loaded", c->word[0]);
    os_kept_clean(k);
    text_free(&all);
    return code;
}

native_code native_library(const char *source, const char *isa, char *reason, size_t size) {
    command c = { .count = 0 };
    os_kept kept;
    char compiler[PATH_SIZE];
    if (!find_compiler(&c, compiler)) {
        snprintf(reason, size, "there is no C compiler ($CC, or cc, gcc, clang on PATH)");
        return (native_code){ 0 };
    }
    add_flags(&c, isa);
    uint64_t hash = identity(&c, compiler, source);
    if (!os_kept_find(&kept, "kernels/", hash, "so", "c", reason, size)) return (native_code){ 0 };
    int file = os_kept_open(&kept);
    native_code code = file < 0 ? (native_code){ 0 } : load(file, hash);
    if (!code.library) code = make(&c, compiler, source, &kept, hash, reason, size);
    close(kept.folder);
    return code;
}
