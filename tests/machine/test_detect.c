/* Processors, instruction sets, caches and the limits of containers, from recorded answers. */
#include "recorded.h"

#define END { NULL, NULL }
#define LINUX(arch) { "uname:system", "Linux\n" }, { "uname:machine", arch "\n" }
#define X86 LINUX("x86_64")
#define ARM LINUX("aarch64")

/* ---- processors and sets ---- */

#define SSE "fpu vme sse sse2 ht syscall nx lm"
#define AVX2 SSE " avx f16c fma bmi1 avx2 bmi2"
#define AVX512 AVX2 " avx512f avx512dq avx512cd avx512bw avx512vl"
#define AMX AVX512 " avx512_vnni avx512_bf16 amx_bf16 avx512_fp16 amx_tile amx_int8"
#define CPU(id, package, core, model, flags) \
    "processor\t: " #id "\nvendor_id\t: GenuineIntel\nmodel name\t: " model "\nphysical id\t: " #package \
        "\nsiblings\t: 4\n" \
    "core id\t\t: " #core "\ncpu cores\t: 2\nflags\t\t: " flags "\nbugs\t\t: spectre_v1 spectre_v2\n\n"
#define PLAIN_CPU(id, flags) "processor\t: " #id "\nmodel name\t: Sandbox\nflags\t\t: " flags "\n\n"
#define ARM_CPU(id, maker, part, features) \
    "processor\t: " #id "\nBogoMIPS\t: 50.00\nFeatures\t: " features "\nCPU implementer\t: " maker \
    "\nCPU architecture: 8\n" \
    "CPU variant\t: 0x1\nCPU part\t: " part "\nCPU revision\t: 1\n\n"
#define N1 "fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
#define V1 N1 " sve asimdfhm i8mm bf16 dgh rng"

static const recorded haswell[] = { X86, { "/proc/cpuinfo",
    CPU(0, 0, 0, "Intel(R) Core(TM) i7-4770", AVX2) CPU(1, 0, 1, "Intel(R) Core(TM) i7-4770", AVX2)
    CPU(2, 0, 0, "Intel(R) Core(TM) i7-4770", AVX2) CPU(3, 0, 1, "Intel(R) Core(TM) i7-4770", AVX2) }, END };
static const recorded skylake[] = {
    X86, { "/proc/cpuinfo", CPU(0, 0, 0, "Skylake-X", AVX512) CPU(1, 0, 1, "Skylake-X", AVX512) }, END
};
static const recorded cooper_lake[] = { X86, { "/proc/cpuinfo",
    CPU(0, 0, 0, "Cooper Lake", AVX512 " avx512_bf16") CPU(1, 1, 0, "Cooper Lake", AVX512 " avx512_bf16") }, END };
static const recorded sapphire_rapids[] = {
    X86, { "/proc/cpuinfo", CPU(0, 0, 0, "Xeon 8480", AMX) CPU(1, 0, 1, "Xeon 8480", AMX) }, END
};
static const recorded zen4[] = { X86, { "/proc/cpuinfo", CPU(0, 0, 0, "AMD EPYC 9354", AVX512 " avx512_bf16") }, END };
static const recorded no_fma[] = { X86, { "/proc/cpuinfo", CPU(0, 0, 0, "Old", SSE " avx2") }, END };
static const recorded half_avx512[] = {
    X86, { "/proc/cpuinfo", CPU(0, 0, 0, "Knights Landing", AVX2 " avx512f avx512cd avx512er") }, END
};
static const recorded old[] = { X86,
                                { "/proc/cpuinfo", CPU(0, 0, 0, "Core 2", SSE) CPU(1, 0, 1, "Core 2", SSE) },
                                END };
static const recorded hybrid[] = {
    X86,
    { "/sys/devices/cpu_core/cpus", "0-3\n" },
    { "/sys/devices/cpu_atom/cpus", "4-6\n" },
    { "/proc/cpuinfo", CPU(0, 0, 0, "i5-12500H", AVX2) CPU(1, 0, 0, "i5-12500H", AVX2) CPU(2, 0, 4, "i5-12500H", AVX2)
                           CPU(3, 0, 4, "i5-12500H", AVX2) CPU(4, 0, 8, "i5-12500H", AVX2)
                               CPU(5, 0, 9, "i5-12500H", AVX2) CPU(6, 0, 10, "i5-12500H", AVX2) },
    END
};
static const recorded sandbox[] = { X86,
                                    { "/proc/cpuinfo", PLAIN_CPU(0, AVX2) PLAIN_CPU(1, AVX2) PLAIN_CPU(2, AVX2) },
                                    END };
static const recorded no_proc[] = { X86, { "cpuid", " avx2 fma avx512f avx512bw avx512dq avx512vl avx512cd" }, END };
static const recorded graviton2[] = {
    ARM, { "/proc/cpuinfo", ARM_CPU(0, "0x41", "0xd0c", N1) ARM_CPU(1, "0x41", "0xd0c", N1) }, END
};
static const recorded graviton3[] = {
    ARM, { "/proc/cpuinfo", ARM_CPU(0, "0x41", "0xd40", V1) ARM_CPU(1, "0x41", "0xd40", V1) }, END
};
static const recorded raspberry[] = { ARM,
                                      { "/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4" },
                                      { "/proc/cpuinfo", ARM_CPU(0, "0x41", "0xd08", "fp asimd evtstrm crc32 cpuid")
                                                             ARM_CPU(1, "0x41", "0xd08",
                                                                     "fp asimd evtstrm crc32 cpuid") },
                                      END };
static const recorded unknown_arm[] = {
    ARM, { "/proc/device-tree/model", "Some Board" }, { "/proc/cpuinfo", ARM_CPU(0, "0x99", "0x123", "fp asimd") }, END
};
static const recorded big_little[] = { ARM,
                                       { "/proc/cpuinfo",
                                         ARM_CPU(0, "0x41", "0xd05", N1) ARM_CPU(1, "0x41", "0xd05", N1)
                                             ARM_CPU(2, "0x41", "0xd0b", N1) ARM_CPU(3, "0x41", "0xd0b", N1) },
                                       { "/sys/devices/system/cpu/cpu0/cpu_capacity", "446\n" },
                                       { "/sys/devices/system/cpu/cpu1/cpu_capacity", "446\n" },
                                       { "/sys/devices/system/cpu/cpu2/cpu_capacity", "1024\n" },
                                       { "/sys/devices/system/cpu/cpu3/cpu_capacity", "984\n" },
                                       END };
static const recorded asahi[] = { ARM,
                                  { "/proc/device-tree/model", "Apple MacBook Pro (14-inch, M1 Pro, 2021)" },
                                  { "/proc/cpuinfo", ARM_CPU(0, "0x61", "0x024", N1) ARM_CPU(1, "0x61", "0x025", N1) },
                                  { "/sys/devices/system/cpu/cpu0/cpu_capacity", "460\n" },
                                  { "/sys/devices/system/cpu/cpu1/cpu_capacity", "1024\n" },
                                  END };

#define BF16_SETS (MACHINE_AVX2 | MACHINE_AVX512 | MACHINE_AVX512_BF16)

static const struct {
    const char *name;
    const recorded *answers;
    const char *model;
    int processors, fast, slow;
    unsigned features;
} processors[] = {
    { "AVX2, two threads a core", haswell, "Intel(R) Core(TM) i7-4770", 4, 2, 0, MACHINE_AVX2 },
    { "AVX-512", skylake, "Skylake-X", 2, 2, 0, MACHINE_AVX2 | MACHINE_AVX512 },
    { "AVX512-BF16, two sockets", cooper_lake, "Cooper Lake", 2, 2, 0, BF16_SETS },
    { "AMX", sapphire_rapids, "Xeon 8480", 2, 2, 0, BF16_SETS | MACHINE_AVX512_FP16 | MACHINE_AMX_BF16 },
    { "AVX512-BF16, AMD", zen4, "AMD EPYC 9354", 1, 1, 0, BF16_SETS },
    { "AVX2 without multiply-add", no_fma, "Old", 1, 1, 0, 0 },
    { "part of AVX-512", half_avx512, "Knights Landing", 1, 1, 0, MACHINE_AVX2 },
    { "SSE only", old, "Core 2", 2, 2, 0, 0 },
    { "fast and slow cores", hybrid, "i5-12500H", 7, 2, 3, MACHINE_AVX2 },
    { "no core ids", sandbox, "Sandbox", 3, 3, 0, MACHINE_AVX2 },
    { "no /proc", no_proc, "", 0, 0, 0, MACHINE_AVX2 | MACHINE_AVX512 },
    { "NEON with half precision", graviton2, "Neoverse N1", 2, 2, 0, MACHINE_NEON | MACHINE_NEON_FP16 },
    { "NEON with BF16, SVE", graviton3, "Neoverse V1", 2, 2, 0,
      MACHINE_NEON | MACHINE_NEON_FP16 | MACHINE_NEON_BF16 | MACHINE_SVE },
    { "NEON only", raspberry, "Cortex-A72", 2, 2, 0, MACHINE_NEON },
    { "an ARM core nobody knows", unknown_arm, "Some Board", 1, 1, 0, MACHINE_NEON },
    { "big and little", big_little, "Cortex-A55", 4, 2, 2, MACHINE_NEON | MACHINE_NEON_FP16 },
    { "M1 Pro under Linux", asahi, "Apple MacBook Pro (14-inch, M1 Pro, 2021)", 2, 1, 1,
      MACHINE_NEON | MACHINE_NEON_FP16 },
};

static void test_processors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++) {
        const typeof(*processors) *c = &processors[i];
        machine m = detect_recorded(c->answers, NULL, NULL);
        EXPECT_TEXT("system", m.system, "Linux");
        EXPECT_TEXT("model", m.model, c->model);
        EXPECT_INT("processors", m.processors, c->processors);
        EXPECT_INT("allowed processors", m.allowed_processors, c->processors);
        EXPECT_INT("performance cores", m.performance_cores, c->fast);
        EXPECT_INT("efficiency cores", m.efficiency_cores, c->slow);
        EXPECT_INT("threads", machine_threads(&m), c->fast ? c->fast : 1);
        EXPECT_INT("instruction sets", m.features, c->features);
        EXPECT_INT("is Apple's", m.apple, c->answers == asahi);
        EXPECT_INT("tier", m.apple_tier, c->answers == asahi ? MACHINE_PRO : MACHINE_BASE);
    }
}

/* ---- containers ---- */

#define GIB (1LL << 30)
static const recorded eight[] = { X86, { "/proc/meminfo", "MemTotal:       16777216 kB\nMemFree:         1000 kB\n" },
                                  { "/proc/cpuinfo",
    PLAIN_CPU(0, AVX2) PLAIN_CPU(1, AVX2) PLAIN_CPU(2, AVX2) PLAIN_CPU(3, AVX2) PLAIN_CPU(4, AVX2) PLAIN_CPU(5, AVX2)
    PLAIN_CPU(6, AVX2) PLAIN_CPU(7, AVX2) }, END };
#define V2 "/sys/fs/cgroup"
#define POD "/kubepods/pod1"
#define IN2(path) { "/proc/self/cgroup", "0::" path "\n" }
#define IN1 \
    { "/proc/self/cgroup", \
      "12:cpuset:/docker/abc\n5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n" }
#define UNLIMITED "9223372036854771712\n"

static const recorded bare[] = { IN2("/user.slice/session.scope"), END };
static const recorded v2_docker[] = {
    IN2("/"), { V2 "/cpu.max", "150000 100000\n" }, { V2 "/memory.max", "2147483648\n" }, END
};
static const recorded v2_unlimited[] = {
    IN2("/"), { V2 "/cpu.max", "max 100000\n" }, { V2 "/memory.max", "max\n" }, { V2 "/memory.high", "max\n" }, END
};
static const recorded v2_nested[] = { IN2(POD "/c1"), { V2 POD "/c1/cpu.max", "max 100000\n" },
                                      { V2 POD "/cpu.max", "400000 100000\n" },
    { V2 POD "/c1/memory.max", "max\n" }, { V2 POD "/memory.max", "4294967296\n" },
    { V2 "/kubepods/memory.max", "8589934592\n" }, END };
static const recorded v2_inner[] = {
    IN2(POD "/c1"), { V2 POD "/c1/cpu.max", "50000 100000\n" }, { V2 POD "/cpu.max", "400000 100000\n" }, END
};
static const recorded v2_high[] = {
    IN2("/x"), { V2 "/x/memory.max", "8589934592\n" }, { V2 "/x/memory.high", "3221225472\n" }, END
};
static const recorded v2_outside[] = {
    IN2("/../../y"), { V2 "/cpu.max", "200000 100000\n" }, { V2 "/../../y/cpu.max", "100000 100000\n" }, END
};
static const recorded v2_large[] = {
    IN2("/"), { V2 "/cpu.max", "6400000 100000\n" }, { V2 "/memory.max", "1099511627776\n" }, END
};
static const recorded v1_docker[] = { IN1,
                                      { V2 "/cpu,cpuacct/cpu.cfs_quota_us", "200000\n" },
                                      { V2 "/cpu,cpuacct/cpu.cfs_period_us", "100000\n" },
                                      { V2 "/memory/memory.limit_in_bytes", "1073741824\n" },
                                      END };
static const recorded v1_host[] = { IN1,
                                    { V2 "/cpu/docker/abc/cpu.cfs_quota_us", "350000\n" },
                                    { V2 "/cpu/docker/abc/cpu.cfs_period_us", "100000\n" },
                                    { V2 "/cpu/cpu.cfs_quota_us", "-1\n" },
                                    { V2 "/memory/docker/abc/memory.limit_in_bytes", "3221225472\n" },
                                    { V2 "/memory/memory.limit_in_bytes", UNLIMITED },
                                    END };
static const recorded v1_unlimited[] = { IN1,
                                         { V2 "/cpu,cpuacct/cpu.cfs_quota_us", "-1\n" },
                                         { V2 "/cpu,cpuacct/cpu.cfs_period_us", "100000\n" },
                                         { V2 "/memory/memory.limit_in_bytes", UNLIMITED },
                                         END };
static const recorded mixed[] = { { "/proc/self/cgroup", "4:memory:/a\n1:cpu:/\n0::/\n" },
                                  { V2 "/memory/a/memory.limit_in_bytes", "5368709120\n" },
                                  { V2 "/unified/cpu.max", "300000 100000\n" },
                                  END };
static const recorded cpuset[] = {
    IN2("/"),
    { "/proc/self/status", "Name:\ttidemill\nCpus_allowed:\t0c\nCpus_allowed_list:\t2-3,6\nMems_allowed_list:\t0\n" },
    END
};
static const recorded cpuset_quota[] = {
    IN2("/"), { "/proc/self/status", "Cpus_allowed_list:\t0-3\n" }, { V2 "/cpu.max", "250000 100000\n" }, END
};
static const recorded strange[] = { { "/proc/self/cgroup", "no colons\n7:\n0::\n:::::\n0::relative" },
                                    { "/proc/self/status", "Cpus_allowed_list:\t0-99999999\n" },
                                    { V2 "/cpu.max", "nonsense" },
                                    { V2 "/memory.max", "-5\n" },
                                    END };

static const struct {
    const char *name;
    const recorded *answers;
    int version, allowed, threads;
    double cpus;
    long long limit, memory;
} containers[] = {
    { "no container", bare, 0, 8, 8, 0, 0, 16 * GIB },
    { "v2", v2_docker, 2, 8, 2, 1.5, 2 * GIB, 2 * GIB },
    { "v2 without limits", v2_unlimited, 0, 8, 8, 0, 0, 16 * GIB },
    { "v2, limits of the groups above", v2_nested, 2, 8, 4, 4, 4 * GIB, 4 * GIB },
    { "v2, half a processor", v2_inner, 2, 8, 1, 0.5, 0, 16 * GIB },
    { "v2, memory.high", v2_high, 2, 8, 8, 0, 3 * GIB, 3 * GIB },
    { "v2, a path outside the namespace", v2_outside, 2, 8, 2, 2, 0, 16 * GIB },
    { "v2, limits above the machine", v2_large, 2, 8, 8, 64, 0, 16 * GIB },
    { "v1, the path is the host's", v1_docker, 1, 8, 2, 2, 1 * GIB, 1 * GIB },
    { "v1, seen from the host", v1_host, 1, 8, 4, 3.5, 3 * GIB, 3 * GIB },
    { "v1 without limits", v1_unlimited, 0, 8, 8, 0, 0, 16 * GIB },
    { "v1 and v2 side by side", mixed, 2, 8, 3, 3, 5 * GIB, 5 * GIB },
    { "cpuset", cpuset, 0, 3, 3, 0, 0, 16 * GIB },
    { "cpuset and quota", cpuset_quota, 2, 4, 3, 2.5, 0, 16 * GIB },
    { "answers that make no sense", strange, 0, 8, 8, 0, 0, 16 * GIB },
};

static void test_containers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        const typeof(*containers) *c = &containers[i];
        machine m = detect_recorded(c->answers, eight, NULL);
        EXPECT_INT("processors", m.processors, 8);
        EXPECT_INT("allowed processors", m.allowed_processors, c->allowed);
        EXPECT_INT("thousandths of a processor granted", 1000 * m.cpu_limit, 1000 * c->cpus);
        EXPECT_INT("threads", machine_threads(&m), c->threads);
        EXPECT_INT("cgroup version", m.cgroup_version, c->version);
        EXPECT_INT("memory granted", m.memory_limit_bytes, c->limit);
        EXPECT_INT("memory", machine_memory_bytes(&m), c->memory);
    }
}

/* A cpuset that cuts across a hybrid: only slow cores, and one thread of each of two fast ones. */
static void test_cpuset_of_hybrid(void **state) {
    static const struct { const char *name, *list; int threads, allowed;
    } rows[] = {
        { "fast cores, one thread each", "Cpus_allowed_list:\t1,3\n", 2, 2 },
        { "both threads of a core", "Cpus_allowed_list:\t2-3\n", 1, 2 },
        { "slow cores only", "Cpus_allowed_list:\t4-5\n", 2, 2 },
        { "some of each", "Cpus_allowed_list:\t3-6\n", 1, 4 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const typeof(*rows) *c = &rows[i];
        const recorded status[] = { { "/proc/self/status", c->list }, END };
        machine m = detect_recorded(status, hybrid, NULL);
        EXPECT_INT("threads", machine_threads(&m), c->threads);
        EXPECT_INT("allowed", m.allowed_processors, c->allowed);
        EXPECT_INT("fast cores of the machine", m.performance_cores, 2);
    }
}

/* ---- caches ---- */

#define INDEX "/sys/devices/system/cpu/cpu0/cache/index"
static const recorded cache_files[] = {
    { INDEX "0/type", "Data\n" }, { INDEX "0/level", "1\n" }, { INDEX "0/size", "48K\n" },
    { INDEX "1/type", "Instruction\n" },
    { INDEX "1/level", "1\n" }, { INDEX "1/size", "32K\n" }, { INDEX "2/type", "Unified\n" },
    { INDEX "2/level", "2\n" },
    { INDEX "2/size", "2048K\n" }, { INDEX "3/type", "Unified\n" }, { INDEX "3/level", "3\n" },
    { INDEX "3/size", "105M\n" }, END };
static const recorded hwloc[] = { { "hwloc:caches", "L1d 32768\nL2 1048576\n" }, END };

static void test_caches(void **state) {
    static const struct { const char *name; const recorded *answers; long long l1d, l2, l3;
    } rows[] = { { "from files", cache_files, 48 << 10, 2 << 20, 105 << 20 },
                 { "from hwloc", hwloc, 32768, 1 << 20, 0 },
                 { "unknown", bare, 0, 0, 0 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const typeof(*rows) *c = &rows[i];
        machine m = detect_recorded(c->answers, eight, NULL);
        EXPECT_INT("L1d", m.l1d_bytes, c->l1d);
        EXPECT_INT("L2", m.l2_bytes, c->l2);
        EXPECT_INT("L3", m.l3_bytes, c->l3);
    }
}

/* ---- nothing known, and this machine ---- */

static void test_silence(void **state) {
    const named *c = &(named){ "a machine that answers nothing" };
    machine m = detect_recorded(NULL, NULL, NULL);
    machine_rates  rates;
    machine_advice a;
    (void)state;
    EXPECT_INT("threads", machine_threads(&m), 1);
    EXPECT_INT("memory", machine_memory_bytes(&m), 0);
    EXPECT_INT("sets", m.features, 0);
    machine_estimate(&m, &rates);
    machine_advise(&m, &rates, &a);
    EXPECT_INT("d_model", a.of[MACHINE_D_MODEL].value, 192);
    char *text = machine_text(&m, &rates, &a), *json = machine_json(&m, &rates, &a);
    assert_non_null(text);
    assert_non_null(json);
    free(text);
    free(json);
}

static void test_here(void **state) {
    const named *c = &(named){ "this machine" };
    machine m;
    (void)state;
    machine_detect(NULL, &m);
    if (m.processors < 1 || m.allowed_processors < 1 || m.usable_cores < 1) fail_msg("no processor was found here");
    if (m.memory_bytes < 1 << 20) fail_msg("no memory was found here");
    if (!m.system[0] || !m.arch[0]) fail_msg("the system has no name");
    EXPECT_INT("more is allowed than there is", m.allowed_processors > m.processors, 0);
    EXPECT_INT("more threads than processors", machine_threads(&m) > m.allowed_processors, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processors), cmocka_unit_test(test_containers), cmocka_unit_test(test_cpuset_of_hybrid),
        cmocka_unit_test(test_caches),     cmocka_unit_test(test_silence),    cmocka_unit_test(test_here),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
