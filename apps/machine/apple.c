/* Apple's chips: their names, and what macOS says of them. */
#include "probe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

static machine_tier tier_of(const char *rest) {
    static const char *const words[] = { [MACHINE_PRO] = " Pro", [MACHINE_MAX] = " Max", [MACHINE_ULTRA] = " Ultra" };
    for (int tier = MACHINE_PRO; tier <= MACHINE_ULTRA; tier++) {
        size_t length = strlen(words[tier]);
        if (strncmp(rest, words[tier], length) == 0 && !isalnum((unsigned char)rest[length])) return (machine_tier)tier;
    }
    return MACHINE_BASE;
}

/* The chip is the word M and a number, in a processor's name or, on Linux, in the computer's. */
void detect_apple_chip(const char *text, machine *m) {
    m->apple = m->apple || strstr(text, "Apple") != NULL;
    for (const char *at = text; m->apple && (at = strchr(at, 'M')); at++) {
        char *end;
        bool  begins = at == text || !isalnum((unsigned char)at[-1]);
        if (!begins || !isdigit((unsigned char)at[1])) continue;
        long generation = strtol(at + 1, &end, 10);
        if (isalnum((unsigned char)*end) || generation < 1 || generation > 99) continue;
        m->apple_generation = (int)generation;
        m->apple_tier = tier_of(end);
        return;
    }
}

/* The instruction sets by their sysctl, in the words of /proc/cpuinfo. */
static unsigned macos_features(const machine_probe *p) {
    static const struct { const char *sysctl, *word; } rows[] = {
        { "hw.optional.avx2_0", "avx2" },          { "hw.optional.fma", "fma" },
        { "hw.optional.avx512f", "avx512f" },      { "hw.optional.avx512bw", "avx512bw" },
        { "hw.optional.avx512dq", "avx512dq" },    { "hw.optional.avx512vl", "avx512vl" },
        { "hw.optional.avx512cd", "avx512cd" },    { "hw.optional.neon", "asimd" },
        { "hw.optional.AdvSIMD", "asimd" },        { "hw.optional.arm.FEAT_FP16", "asimdhp" },
        { "hw.optional.arm.FEAT_BF16", "bf16" },
    };
    char words[256] = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(words);
        if (probe_number(p, "sysctl:%s", rows[i].sysctl))
            snprintf(words + length, sizeof words - length, " %s", rows[i].word);
    }
    return detect_features(words);
}

static void macos_cores(const machine_probe *p, machine *m) {
    int64_t levels = probe_number(p, "sysctl:hw.nperflevels");
    m->processors = m->allowed_processors = (int)probe_number(p, "sysctl:hw.logicalcpu");
    m->performance_cores = (int)probe_number(p, "sysctl:hw.perflevel0.physicalcpu");
    for (int64_t level = 1; level < MIN2(levels, 8); level++)
        m->efficiency_cores += (int)probe_number(p, "sysctl:hw.perflevel%d.physicalcpu", (int)level);
    if (m->performance_cores < 1) m->performance_cores = (int)probe_number(p, "sysctl:hw.physicalcpu");
    m->usable_cores = m->performance_cores;
}

static int64_t macos_cache(const machine_probe *p, const char *kind) {
    int64_t fast = probe_number(p, "sysctl:hw.perflevel0.%s", kind);
    return fast > 0 ? fast : probe_number(p, "sysctl:hw.%s", kind);
}

void detect_macos(const machine_probe *p, machine *m) {
    probe_line(p, m->model, sizeof m->model, "sysctl:machdep.cpu.brand_string");
    detect_apple_chip(m->model, m);
    macos_cores(p, m);
    m->memory_bytes = probe_number(p, "sysctl:hw.memsize");
    m->features     = macos_features(p);
    m->l1d_bytes    = macos_cache(p, "l1dcachesize");
    m->l2_bytes     = macos_cache(p, "l2cachesize");
    m->l3_bytes     = macos_cache(p, "l3cachesize");
}
