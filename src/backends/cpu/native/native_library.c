/* From C to a loaded library: by the system compiler, once, then from the cache. A file of the cache is named by a hash
 * over the text, the compiler, its flags and our version, and stands beside its length and check sum: a file that is
 * cut short must not be mapped, as touching what is not there kills the process. What is loaded runs as us, so the
 * folder must be ours and no one else's to write, all names are looked up in it as it was checked, and the descriptor
 * that was summed is what is loaded. */
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

/* ---- the cache ----------------------------------------------------------------------------------------- */

/* The folder, open, and the names of its files. */
typedef struct place {
    int  folder;
    char library[24], sum[24], temporary[40], source[40];
} place;

/* False, and why: there is no folder that is ours alone. */
static bool find_place(place *p, uint64_t hash, char *reason, size_t size) {
    char path[PATH_SIZE];
    p->folder = -1;
    snprintf(p->library, sizeof p->library, "%016" PRIx64 ".so", hash);
    snprintf(p->sum, sizeof p->sum, "%016" PRIx64 ".sum", hash);
    snprintf(p->temporary, sizeof p->temporary, "%016" PRIx64 ".%d.so", hash, (int)getpid());
    snprintf(p->source, sizeof p->source, "%016" PRIx64 ".%d.c", hash, (int)getpid());
    if (!os_cache_path(path, sizeof path, "kernels/"))
        return snprintf(reason, size, "there is no place to keep them: neither XDG_CACHE_HOME nor HOME is set"), false;
    p->folder = os_private_folder(path, true);
    if (p->folder < 0) snprintf(reason, size, "the cache folder cannot be used (%s)", os_private_why(errno));
    return p->folder >= 0;
}

/* Length and check sum of an open file, as a line; false: it is empty or cannot be read. */
static bool describe(int file, char line[64]) {
    unsigned char buffer[4096];
    uint64_t hash = 0xcbf29ce484222325, total = 0;
    ssize_t n;
    for (; (n = pread(file, buffer, sizeof buffer, (off_t)total)) > 0; total += (uint64_t)n)
        for (ssize_t i = 0; i < n; i++) hash = (hash ^ buffer[i]) * 0x100000001b3;
    snprintf(line, 64, "%" PRIu64 " %016" PRIx64 "\n", total, hash);
    return n == 0 && total > 0;
}

static bool write_text(const place *p, const char *name, const char *content) {
    int   fd = os_private_create(p->folder, name);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !f) close(fd);
    bool good = f && fputs(content, f) >= 0;
    return f && fclose(f) == 0 && good;
}

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

static native_code load_kept(const place *p, uint64_t hash) {
    char expected[64], found[64] = "";
    int  sum = os_private_open(p->folder, p->sum), file = os_private_open(p->folder, p->library);
    ssize_t length = sum < 0 ? 0 : read(sum, found, sizeof found - 1);
    if (sum >= 0) close(sum);
    if (length > 0 && file >= 0 && describe(file, expected) && strcmp(expected, found) == 0) return load(file, hash);
    if (file >= 0) close(file);
    return (native_code){ 0 };
}

/* The sum is written first: a library is believed only beside its own. The descriptor of what is kept; -1: it is
 * not. */
static int keep(const place *p) {
    char line[64];
    int  folder = p->folder, made = openat(folder, p->temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool ours = made >= 0 && fchmod(made, 0600) == 0;
    if (made >= 0) close(made);
    int  file = ours ? os_private_open(folder, p->temporary) : -1;
    if (file >= 0 && describe(file, line) && write_text(p, p->source, line) &&
        renameat(folder, p->source, folder, p->sum) == 0 && renameat(folder, p->temporary, folder, p->library) == 0)
        return file;
    if (file >= 0) close(file);
    return -1;
}

static native_code make(command *c, const char *compiler, const char *source, const place *p, uint64_t hash,
                        char *reason, size_t size) {
    text all = { 0 };
    native_code code = { 0 };
    int file;
    text_add(&all, "const char tidemill_kernels[] = \"%s %016" PRIx64 "\";\n%s", TIDE_VERSION, hash, source);
    unlinkat(p->folder, p->temporary, 0);
    if (all.failed || !write_text(p, p->source, all.data))
        snprintf(reason, size, "the cache folder cannot be written (%s)", strerror(all.failed ? ENOMEM : errno));
    else if (!compile(c, compiler, p->folder, p->source, p->temporary))
        snprintf(reason, size, "the compiler '%s' failed", c->word[0]);
    else if ((file = keep(p)) < 0 || !(code = load(file, hash)).library)
        snprintf(reason, size, "what the compiler '%s' made cannot be loaded", c->word[0]);
    unlinkat(p->folder, p->source, 0);
    unlinkat(p->folder, p->temporary, 0);
    text_free(&all);
    return code;
}

native_code native_library(const char *source, const char *isa, char *reason, size_t size) {
    command c = { .count = 0 };
    place p;
    char  compiler[PATH_SIZE];
    if (!find_compiler(&c, compiler)) {
        snprintf(reason, size, "there is no C compiler ($CC, or cc, gcc, clang on PATH)");
        return (native_code){ 0 };
    }
    add_flags(&c, isa);
    uint64_t hash = identity(&c, compiler, source);
    if (!find_place(&p, hash, reason, size)) return (native_code){ 0 };
    native_code code = load_kept(&p, hash);
    if (!code.library) code = make(&c, compiler, source, &p, hash, reason, size);
    close(p.folder);
    return code;
}
