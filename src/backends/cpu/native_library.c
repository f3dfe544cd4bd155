/* From C to a loaded library: by the system compiler, once, then from the cache. A file of the cache is named by a hash over the
 * text, the compiler, its flags and our version, and stands beside its length and check sum: a file that is cut short must not be
 * mapped, as touching what is not there kills the process. */
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
static const char *const flags[] = { "-std=gnu11", "-O3", "-fwrapv", "-fno-strict-aliasing", "-fno-math-errno", "-fno-trapping-math",
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

/* $CC with its arguments, or the first that is there. `compiler` is the file that will run. */
static bool find_compiler(command *c, char compiler[PATH_SIZE]) {
    static const char *const names[] = { "cc", "gcc", "clang" };
    const char *wanted = getenv("CC");
    char *rest = NULL;
    if (wanted && *wanted) {
        if (snprintf(c->own, sizeof c->own, "%s", wanted) >= (int)sizeof c->own) return false;
        for (char *word = strtok_r(c->own, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) add_word(c, word);
        return c->count > 0 && on_path(c->word[0], compiler);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (on_path(names[i], compiler)) {
            add_word(c, names[i]);
            return true;
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
    text_add(&all, "%s %s %lld %lld\n", TIDE_VERSION, real ? real : compiler, (long long)s.st_size, (long long)s.st_mtime);
    for (int i = 0; i < c->count; i++) text_add(&all, "%s ", c->word[i]);
    text_add(&all, "%s", source);
    uint64_t hash = all.failed ? 0 : text_hash(all.data);
    text_free(&all);
    free(real);
    return hash;
}

/* The compiler's talk goes nowhere. */
static bool compile(command *c, const char *compiler, const char *from, const char *to) {
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
                 posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawn(&child, compiler, &actions, NULL, c->word, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!failed && waitpid(child, &state, 0) < 0)
        if (errno != EINTR) return false;
    return !failed && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

/* ---- the cache ----------------------------------------------------------------------------------------- */

typedef struct paths { char library[PATH_SIZE], sum[PATH_SIZE], temporary[PATH_SIZE], source[PATH_SIZE]; } paths;

static bool place(paths *p, uint64_t hash) {
    static const char *const forms[] = { "kernels/%016" PRIx64 ".so", "kernels/%016" PRIx64 ".sum", "kernels/%016" PRIx64 ".%d.so",
                                         "kernels/%016" PRIx64 ".%d.c" };
    char *const to[] = { p->library, p->sum, p->temporary, p->source };
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, forms[i], hash, (int)getpid());
        if (!os_cache_path(to[i], PATH_SIZE, name)) return false;
    }
    return true;
}

/* Length and check sum of a file that belongs to us, as a line; false: there is none. */
static bool describe(const char *path, char line[64]) {
    struct stat s;
    unsigned char buffer[4096];
    uint64_t hash = 0xcbf29ce484222325, total = 0;
    FILE *f = fopen(path, "rb");
    bool  ours = f && fstat(fileno(f), &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid();
    for (size_t n; ours && (n = fread(buffer, 1, sizeof buffer, f)) > 0; total += n)
        for (size_t i = 0; i < n; i++) hash = (hash ^ buffer[i]) * 0x100000001b3;
    if (f) fclose(f);
    snprintf(line, 64, "%" PRIu64 " %016" PRIx64 "\n", total, hash);
    return ours && total > 0;
}

static bool write_text(const char *path, const char *content) {
    FILE *f = fopen(path, "wb");
    bool  good = f && fputs(content, f) >= 0;
    return f && fclose(f) == 0 && good;
}

/* A library of this text says so itself: a hash may be anyone's. */
static void *load(const char *path, uint64_t hash) {
    char magic[64];
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *said = library ? dlsym(library, "tidemill_kernels") : NULL;
    snprintf(magic, sizeof magic, "%s %016" PRIx64, TIDE_VERSION, hash);
    if (said && strcmp(said, magic) == 0) return library;
    if (library) dlclose(library);
    return NULL;
}

static void *load_kept(const paths *p, uint64_t hash) {
    char expected[64], found[64] = "";
    FILE *f = fopen(p->sum, "rb");
    if (f && !fgets(found, sizeof found, f)) *found = 0;
    if (f) fclose(f);
    return *found && describe(p->library, expected) && strcmp(expected, found) == 0 ? load(p->library, hash) : NULL;
}

/* The sum is written first: a library is believed only beside its own. */
static bool keep(const paths *p) {
    char line[64];
    return describe(p->temporary, line) && write_text(p->source, line) && rename(p->source, p->sum) == 0 &&
           rename(p->temporary, p->library) == 0;
}

static void *make(command *c, const char *compiler, const char *source, const paths *p, uint64_t hash, char *reason, size_t size) {
    text all = { 0 };
    void *library = NULL;
    text_add(&all, "const char tidemill_kernels[] = \"%s %016" PRIx64 "\";\n%s", TIDE_VERSION, hash, source);
    int code = os_make_folders(p->library);
    if (code || all.failed || !write_text(p->source, all.data))
        snprintf(reason, size, "the cache folder cannot be written (%s)", strerror(code ? code : errno));
    else if (!compile(c, compiler, p->source, p->temporary)) snprintf(reason, size, "the compiler '%s' failed", c->word[0]);
    else if (!keep(p) || !(library = load(p->library, hash)))
        snprintf(reason, size, "what the compiler '%s' made cannot be loaded", c->word[0]);
    unlink(p->source);
    unlink(p->temporary);
    text_free(&all);
    return library;
}

void *native_library(const char *source, const char *isa, char *reason, size_t size) {
    command c = { .count = 0 };
    paths p;
    char  compiler[PATH_SIZE];
    if (!find_compiler(&c, compiler)) {
        snprintf(reason, size, "there is no C compiler ($CC, or cc, gcc, clang on PATH)");
        return NULL;
    }
    add_flags(&c, isa);
    uint64_t hash = identity(&c, compiler, source);
    if (!place(&p, hash)) {
        snprintf(reason, size, "there is no place to keep them: neither XDG_CACHE_HOME nor HOME is set");
        return NULL;
    }
    void *library = load_kept(&p, hash);
    return library ? library : make(&c, compiler, source, &p, hash, reason, size);
}
