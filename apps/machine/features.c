#include "probe.h"

#include <stdio.h>
#include <string.h>

static const struct { unsigned bit; const char *name; const char *words[6]; } sets[] = {
    { MACHINE_AVX2, "avx2", { "avx2", "fma" } },
    { MACHINE_AVX512, "avx512", { "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd" } },
    { MACHINE_AVX512_BF16, "avx512-bf16", { "avx512_bf16" } },
    { MACHINE_AVX512_FP16, "avx512-fp16", { "avx512_fp16" } },
    { MACHINE_AMX_BF16, "amx-bf16", { "amx_tile", "amx_bf16" } },
    { MACHINE_NEON, "neon", { "asimd" } },
    { MACHINE_NEON_FP16, "neon-fp16", { "asimdhp" } },
    { MACHINE_NEON_BF16, "neon-bf16", { "bf16" } },
    { MACHINE_SVE, "sve", { "sve" } },
};
enum { SETS = sizeof sets / sizeof *sets };

unsigned detect_features(const char *words) {
    unsigned found = 0;
    for (int i = 0; i < SETS; i++) {
        bool all = true;
        for (int k = 0; k < 6 && sets[i].words[k]; k++) all = all && probe_has_word(words, sets[i].words[k]);
        if (all) found |= sets[i].bit;
    }
    return found;
}

const char *machine_feature_names(unsigned features, char buffer[160]) {
    buffer[0] = 0;
    for (int i = 0; i < SETS; i++)
        if (features & sets[i].bit) {
            size_t length = strlen(buffer);
            snprintf(buffer + length, 160 - length, "%s%s", length ? " " : "", sets[i].name);
        }
    return buffer;
}
