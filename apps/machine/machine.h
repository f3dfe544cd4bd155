/* The machine: what it is, how fast it is, what training on it should look like, and why.
 *
 *     machine here;
 *     machine_rates rates;
 *     machine_advice advice;
 *     machine_detect(NULL, &here);
 *     machine_rates_known(&here, &rates);          (or machine_measure)
 *     machine_advise(&here, &rates, &advice);
 *     batch = advice.of[MACHINE_BATCH].value;
 *
 * Detection asks one machine_probe; a test hands in recorded answers. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <tidemill/core.h>

/* ---- the seam ------------------------------------------------------------------------------------------ */

/* Answers one question about the machine with text, malloc'ed; NULL: not known here. Questions:
 *   "/proc/cpuinfo"    any path: the content of that file
 *   "uname:system", "uname:machine"     as uname -s and uname -m print
 *   "sysctl:NAME"      macOS: the value as text
 *   "hwloc:caches"     one line a cache level, "L2 BYTES", of the first core; NULL in a build without hwloc
 *   "cpuid"            instruction sets in the words of /proc/cpuinfo */
typedef struct machine_probe {
    char *(*ask)(void *user, const char *question);
    void *user;
} machine_probe;

machine_probe machine_probe_here(void);

/* ---- what it is ---------------------------------------------------------------------------------------- */

typedef enum machine_tier { MACHINE_BASE, MACHINE_PRO, MACHINE_MAX, MACHINE_ULTRA } machine_tier;

enum {
    MACHINE_AVX2        = 1,     /* with fused multiply-add */
    MACHINE_AVX512      = 2,     /* F, BW, DQ, VL, CD: what the engine's kernels need */
    MACHINE_AVX512_BF16 = 4,
    MACHINE_AVX512_FP16 = 8,
    MACHINE_AMX_BF16    = 16,
    MACHINE_NEON        = 32,
    MACHINE_NEON_FP16   = 64,
    MACHINE_NEON_BF16   = 128,
    MACHINE_SVE         = 256
};

/* Unknown numbers are 0, unknown text "". */
typedef struct machine {
    char    system[24], arch[24];   /* "Linux", "Darwin"; "x86_64", "arm64", "aarch64" */
    char    model[128];             /* "Apple M2 Max", "Intel(R) Xeon(R) ..." */
    bool    apple;                  /* an Apple chip; generation 0: one that is no M chip, or seen through Rosetta */
    int     apple_generation;       /* 1 for M1, ... */
    machine_tier apple_tier;
    int     processors, allowed_processors;  /* logical; allowed: by affinity and cpuset */
    int     performance_cores, efficiency_cores;  /* physical, of the whole machine */
    int     usable_cores;           /* physical performance cores among the allowed processors */
    double  cpu_limit;              /* processors' worth of time that cgroups grant; 0: no limit */
    int64_t memory_bytes, memory_limit_bytes;     /* of the machine; of the cgroups, 0: no limit */
    int     cgroup_version;         /* of the limits: 1 or 2; 0: none */
    int64_t l1d_bytes, l2_bytes, l3_bytes;        /* each cache, not the sum of its kind */
    unsigned features;              /* MACHINE_AVX2 ... */
    tide_device device;             /* whose rates and sizes are asked for (tide_device_info); no name: "cpu" */
} machine;

/* probe NULL: this machine. */
void machine_detect(const machine_probe *probe, machine *out);

int     machine_threads(const machine *m);       /* threads that compute: cores, cut to the CPU limit; at least 1 */
int64_t machine_memory_bytes(const machine *m);  /* memory this process may use; 0: unknown */
bool    machine_on_cpu(const machine *m);        /* the device is "cpu" */
int64_t machine_device_bytes(const machine *m);  /* of the device's own memory, else of the machine's; 0: unknown */
/* Names of the instruction sets, "avx2 avx512"; "" if none is known. Returns `buffer`. */
const char *machine_feature_names(unsigned features, char buffer[160]);

/* ---- how fast it is ------------------------------------------------------------------------------------ */

typedef enum machine_precision { MACHINE_F32, MACHINE_BF16, MACHINE_F16, MACHINE_PRECISIONS } machine_precision;
const char *machine_precision_name(machine_precision p);  /* "f32", ... */

typedef struct machine_rates {
    bool   measured;                       /* false: estimated from cores and instruction sets */
    int    threads;
    double gflops[MACHINE_PRECISIONS];     /* matrix products through the engine, 1e9 operations a second; 0: not
                                              offered */
    double bandwidth_gbs;                  /* a + 3 b over arrays larger than the caches, three transfers an element */
    double launch_us;                      /* one run of a program that does next to nothing */
    double took_s;                         /* the measurement itself */
    char   measured_at[24];                /* "2026-01-31T12:00:00Z" */
} machine_rates;

/* Measures the device through the engine, in under 3 seconds. Fails with the engine's own failure. */
tide_status machine_measure(const machine *m, machine_rates *out, tide_failure *failure);
void        machine_estimate(const machine *m, machine_rates *out);  /* of the processor */

/* The cache: $XDG_CACHE_HOME/tidemill (else ~/.cache/tidemill), a file for each machine, device and version.
 * Reading fails with TIDE_EIO if there is none and TIDE_EDATA if it is damaged or another's. */
tide_status machine_rates_path(const machine *m, char path[1024], tide_failure *failure);
tide_status machine_rates_read(const machine *m, machine_rates *out, tide_failure *failure);
tide_status machine_rates_write(const machine *m, const machine_rates *rates, tide_failure *failure);

/* Whether `now` is so far below `kept`, of the same threads, that other work on the machine must have slowed it. */
bool machine_rates_busy(const machine_rates *now, const machine_rates *kept);

/* From the cache, else of the processor an estimate; false: of another device nothing is known, all is 0. */
bool machine_rates_known(const machine *m, machine_rates *out);
/* The same, but such a device is measured, and kept where that is possible. */
tide_status machine_rates_needed(const machine *m, machine_rates *out, tide_failure *failure);

/* ---- what it should do --------------------------------------------------------------------------------- */

typedef enum machine_choice_id {
    MACHINE_BATCH,         /* forecast: windows per step */
    MACHINE_EIS_BATCH,     /* impedance: samples a step */
    MACHINE_D_MODEL, MACHINE_D_FF, MACHINE_SEQ_LEN, MACHINE_THREADS,
    MACHINE_MEMORY,        /* bytes */
    MACHINE_PRECISION,     /* a word: "f32", "bf16", "f16" */
    MACHINE_COMPILE_MODE,  /* a word: "default", "reduce-overhead", "max-autotune" */
    MACHINE_CHOICES
} machine_choice_id;

typedef struct machine_choice {
    int64_t value, most;   /* recommended, and the most that is; 0 where `word` says it */
    char    word[24];
    char    why[224];      /* one clause */
} machine_choice;

typedef struct machine_advice { machine_choice of[MACHINE_CHOICES]; } machine_advice;

/* From rates that are known. */
void machine_advise(const machine *m, const machine_rates *rates, machine_advice *out);
/* The choice's name, the same as that of the option it sets: "batch-size", "eis-batch-size", "d-model", ... */
const char *machine_choice_name(machine_choice_id id);

/* ---- telling ------------------------------------------------------------------------------------------- */

/* A page of text, and one JSON object with schema_version; malloc'ed, NULL when out of memory. */
char *machine_text(const machine *m, const machine_rates *rates, const machine_advice *advice);
char *machine_json(const machine *m, const machine_rates *rates, const machine_advice *advice);

#endif
