/* The answers of the machine this runs on. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/base.h"

enum { FILE_MOST = 8 << 20 };  /* /proc/cpuinfo of a thousand processors has 2 MB */

/* Files under /proc have no size until they are read. */
static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    text  content = { 0 };
    char  piece[4096];
    if (!file) return NULL;
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0 && content.length < FILE_MOST;)
        text_add(&content, "%.*s", (int)n, piece);
    bool bad = ferror(file) || content.failed;
    fclose(file);
    if (!bad && content.data) return content.data;
    text_free(&content);
    return NULL;
}

static char *uname_of(const char *what) {
    struct utsname name;
    if (uname(&name) != 0) return NULL;
    return strdup(strcmp(what, "system") == 0 ? name.sysname : name.machine);
}

/* For a system that tells nothing: no AMX, whose use the system must allow first. */
static char *cpuid_words(void) {
    text words = { 0 };
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
#define ADD(name) if (__builtin_cpu_supports(#name)) text_add(&words, " " #name)
    ADD(avx2);
    ADD(fma);
    ADD(avx512f);
    ADD(avx512bw);
    ADD(avx512dq);
    ADD(avx512vl);
    ADD(avx512cd);
    if (__builtin_cpu_supports("avx512bf16")) text_add(&words, " avx512_bf16");
#undef ADD
#elif defined(__aarch64__)
    text_add(&words, "asimd");  /* part of every 64-bit ARM */
#endif
    return words.data;
}

static char *answer_here(void *user, const char *question) {
    (void)user;
    if (question[0] == '/') return read_file(question);
    if (strncmp(question, "uname:", 6) == 0) return uname_of(question + 6);
    if (strncmp(question, "sysctl:", 7) == 0) return probe_sysctl(question + 7);
    if (strcmp(question, "hwloc:caches") == 0) return probe_hwloc_caches();
    if (strcmp(question, "cpuid") == 0) return cpuid_words();
    return NULL;
}

machine_probe machine_probe_here(void) { return (machine_probe){ answer_here, NULL }; }
