/* Instruction sets of x86-64, best first. */
#include "isa.h"

extern const isa_table isa_avx512, isa_avx2, isa_baseline;

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}

static bool always(void) { return true; }

tide_status isa_choose(const char *name, const isa_table **out, tide_failure *why) {
    static const struct { const isa_table *table; bool (*here)(void); } sets[] = {
        { &isa_avx512, has_avx512 }, { &isa_avx2, has_avx2 }, { &isa_baseline, always },
    };
    __builtin_cpu_init();
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (name && strcmp(name, sets[i].table->name) != 0) continue;
        if (sets[i].here()) {
            *out = sets[i].table;
            return TIDE_OK;
        }
        if (name) return fail(why, TIDE_EDEVICE, "TIDEMILL_ISA is '%s', which this processor does not have", name);
    }
    return fail(why, TIDE_EDEVICE, "TIDEMILL_ISA is '%s'; it can be avx512, avx2 or baseline", name);
}
