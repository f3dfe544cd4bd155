/* See kept.h. */
#include "kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_SECONDS = 24 * 3600 };

/* What the shim's files say. */
static void add_shim(text *t) {
    static const char *const files[] = { "cuda_shim.h", "cuda_matrix.h", "metal_stdlib", "runner.h", "entries.h" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512], part[4096];
        size_t n;
        snprintf(path, sizeof path, "%s/%s", FIBERS_SHIM, files[i]);
        FILE *file = fopen(path, "r");
        while (file && (n = fread(part, 1, sizeof part, file)) > 0) text_add(t, "%.*s", (int)n, part);
        if (file) fclose(file);
        else t->failed = true;
    }
}

bool kept_of(const text *whole, const char *how, kept *out) {
    const char *folder = getenv("FIBERS_CACHE");
    text all = { 0 };
    if (!folder || !*folder) return false;
    add_shim(&all);
    text_add(&all, "%s\n%s%s", FIBERS_COMPILER, how, whole->data ? whole->data : "");
    const bool good = !all.failed && !whole->failed && (mkdir(folder, 0700) == 0 || access(folder, W_OK) == 0);
    if (good) {
        snprintf(out->object, sizeof out->object, "%.200s/%016" PRIx64 ".so", folder, text_hash(all.data));
        snprintf(out->draft, sizeof out->draft, "%s.%d", out->object, (int)getpid());
    }
    text_free(&all);
    return good;
}

static bool copy(const char *from, const char *to) {
    char part[65536];
    size_t n;
    FILE *in = fopen(from, "r"), *out = in ? fopen(to, "w") : NULL;
    bool good = out;
    while (good && (n = fread(part, 1, sizeof part, in)) > 0) good = fwrite(part, 1, n, out) == n;
    good = good && !ferror(in);
    if (in) fclose(in);
    return (!out || fclose(out) == 0) && good;
}

/* Asking makes it young. */
bool kept_get(const kept *k, const char *to) {
    return utimensat(AT_FDCWD, k->object, NULL, 0) == 0 && copy(k->object, to);
}

static void remove_old(const char *object) {
    char folder[256], path[520];
    struct stat about;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(object, '/') - object), object);
    DIR *all = opendir(folder);
    for (struct dirent *e; all && (e = readdir(all));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        const bool file = stat(path, &about) == 0 && S_ISREG(about.st_mode);
        if (file && time(NULL) - about.st_mtime > KEPT_SECONDS) unlink(path);
    }
    if (all) closedir(all);
}

bool kept_put(const kept *k, const char *from) {
    static bool cleaned;
    if (!cleaned) remove_old(k->object);
    cleaned = true;
    return copy(from, k->draft) && rename(k->draft, k->object) == 0;
}
