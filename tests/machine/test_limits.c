/* What this process may use: the limits of its own control groups and of its address space. Groups from recorded trees,
 * as `machine` reads them and as training does. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <tidemill/tidemill.h>
#include <unistd.h>

#include "base/base.h"
#include "recorded.h"

#define MIB ((int64_t)1 << 20)

typedef struct limits_case {
    const char *name;
    recorded files[8];
    double  cpus;
    int64_t memory;
    int     version;
} limits_case;

/* A group of one's own below a root without limits: a systemd slice, a Slurm job. */
static const limits_case cases[] = {
    { "own group, v1",
      { { "/proc/self/cgroup", "9:memory:/job_7/step_0\n4:cpu,cpuacct:/job_7\n" },
        { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n" },
        { "/sys/fs/cgroup/memory/job_7/step_0/memory.limit_in_bytes", "62914560\n" },
        { "/sys/fs/cgroup/cpu,cpuacct/job_7/cpu.cfs_quota_us", "150000\n" },
        { "/sys/fs/cgroup/cpu,cpuacct/job_7/cpu.cfs_period_us", "100000\n" } },
      1.5, 60 * MIB, 1 },
    { "own group, v2",
      { { "/proc/self/cgroup", "0::/user.slice/a.scope\n" },
        { "/sys/fs/cgroup/user.slice/a.scope/memory.max", "max\n" },
        { "/sys/fs/cgroup/user.slice/memory.max", "62914560\n" },
        { "/sys/fs/cgroup/user.slice/a.scope/cpu.max", "200000 100000\n" } },
      2, 60 * MIB, 2 },
    { "no list of groups, v2", { { "/sys/fs/cgroup/memory.max", "62914560\n" },
                                 { "/sys/fs/cgroup/cpu.max", "max 100000\n" } }, 0, 60 * MIB, 2 },
    { "no list of groups, v1", { { "/sys/fs/cgroup/memory/memory.limit_in_bytes", "62914560\n" } }, 0, 60 * MIB, 1 },
    { "no limits", { { "/proc/self/cgroup", "0::/\n" } }, 0, 0, 0 },
};

static void test_groups(void **state) {
    (void)state;
    for (const limits_case *c = cases; c < cases + sizeof cases / sizeof *cases; c++) {
        recording r = { { c->files } };
        os_group_limits got = os_group_limits_of(&(os_files){ recorded_answer, &r });
        EXPECT_INT("thousandths of a processor", got.cpus * 1000, c->cpus * 1000);
        EXPECT_INT("memory", got.memory, c->memory);
        EXPECT_INT("version", got.version, c->version);
    }
}

static void test_within(void **state) {
    static const struct { int64_t machine, group, space, mapped, resident, expected; } memory[] = {
        { 1000 * MIB, 0, 0, 0, 0, 1000 * MIB },
        { 1000 * MIB, 60 * MIB, 0, 0, 0, 60 * MIB },
        { 60 * MIB, 1000 * MIB, 0, 0, 0, 60 * MIB },
        { 1000 * MIB, 0, 100 * MIB, 50 * MIB, 10 * MIB, 60 * MIB },
        { 1000 * MIB, 30 * MIB, 100 * MIB, 50 * MIB, 10 * MIB, 30 * MIB },
        { 1000 * MIB, 0, 10 * MIB, 50 * MIB, 10 * MIB, 1 },
    };
    static const struct {
        int cores;
        double cpus;
        int expected;
    } cores[] = { { 8, 0, 8 }, { 8, 1.5, 2 }, { 8, 0.1, 1 }, { 2, 7, 2 }, { 0, 0, 1 } };
    const named *c = &(named){ "within limits" };
    (void)state;
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        os_group_limits l = { .memory = memory[i].group };
        EXPECT_INT("memory",
                   os_memory_within(memory[i].machine, &l, memory[i].space, memory[i].mapped, memory[i].resident),
                   memory[i].expected);
    }
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++) {
        os_group_limits l = { .cpus = cores[i].cpus };
        EXPECT_INT("cores", os_cores_within(cores[i].cores, &l), cores[i].expected);
    }
}

/* Under ulimit -v: memory is what it leaves, and runs do without threads whose stacks do not fit. */
static int under_limit(void) {
    enum { ROOM = 48 << 20 };
    int64_t free_before = os_memory_bytes();
    FILE *f = fopen("/proc/self/statm", "r");
    long long pages = 0;
    if (!f || fscanf(f, "%lld", &pages) != 1) return 77;
    fclose(f);
    rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ROOM;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){ most, most })) return 77;
    if (os_memory_bytes() >= free_before || os_memory_bytes() > (int64_t)most) return 1;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = 64 });
    if (!g || tide_graph_threads(g) != 64) return 2;
    float sum = 0;
    tide_val x = tide_fill(g, TIDE_F32, TIDE_SHAPE(64, 256), 0.5);
    if (tide_read(tide_sum(tide_matmul(x, tide_transpose(x, 0, 1)), TIDE_ALL), &sum, sizeof sum) || sum != 64 * 64 * 64)
        return 3;
    tide_graph_free(g);
    return 0;
}

static void test_address_space(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* it takes terabytes of address space */
#endif
    int code;
    pid_t child = fork();
    if (child == 0) _exit(under_limit());
    assert_int_equal(waitpid(child, &code, 0), child);
    if (WIFEXITED(code) && WEXITSTATUS(code) == 77) skip();
    if (!WIFEXITED(code) || WEXITSTATUS(code))
        fail_msg("under a limit on the address space: exit %d", WIFEXITED(code) ? WEXITSTATUS(code) : -1);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_groups), cmocka_unit_test(test_within),
                                        cmocka_unit_test(test_address_space) };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
