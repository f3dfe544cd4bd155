/* Detecting, telling and keeping with each allocation made to fail once: nothing crashes or leaks (the leak checker of
 * a sanitizer build looks), and what is told or kept is whole or absent. */
#include <jansson.h>
#include <unistd.h>

#include "../forecast/refuse.h"
#include "recorded.h"

static const recorded answers[] = {
    { "uname:system", "Linux\n" },
    { "uname:machine", "x86_64\n" },
    { "/proc/meminfo", "MemTotal: 16777216 kB\n" },
    { "/proc/cpuinfo",
      "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: avx2 fma\n\nprocessor\t: 1\nmodel name\t: Xeon\nflags\t\t: avx2 "
      "fma\n" },
    { "/proc/self/status", "Cpus_allowed_list:\t0-1\n" },
    { "/proc/self/cgroup", "0::/\n" },
    { "/sys/fs/cgroup/memory.max", "1073741824\n" },
    { "hwloc:caches", "L1d 32768\nL2 1048576\n" },
    { NULL, NULL },
};

static void expect_whole(char *text, char *json, tide_status written, const machine *m) {
    machine_rates back;
    json_t *o = json ? json_loads(json, 0, NULL) : NULL;
    if (json && !json_object_get(json_object_get(o, "advice"), "compile-mode"))
        fail_msg("a part of the JSON: %s", json);
    if (text && !strstr(text, "compile-mode")) fail_msg("a part of the text: %s", text);
    if (written == TIDE_OK && machine_rates_read(m, &back, NULL) != TIDE_OK) fail_msg("what was kept cannot be read");
    if (written == TIDE_EDATA) fail_msg("without memory, the failure is said to be the data");
    json_decref(o);
}

/* Whether no allocation was refused. */
static bool use_all(void) {
    char           path[1024], *text, *json;
    machine_rates  rates, back;
    machine_advice a;
    machine        m = detect_recorded(answers, NULL, NULL);
    machine_estimate(&m, &rates);
    machine_advise(&m, &rates, &a);
    text = machine_text(&m, &rates, &a);
    json = machine_json(&m, &rates, &a);
    tide_status written = machine_rates_write(&m, &rates, NULL);
    if (written == TIDE_OK) machine_rates_read(&m, &back, NULL);
    bool refused = until_failure < 0;
    until_failure = -1;
    expect_whole(text, json, written, &m);
    if (machine_rates_path(&m, path, NULL) == TIDE_OK) unlink(path);
    if (!refused && !(text && json && written == TIDE_OK))
        fail_msg("nothing was refused, and yet something is missing");
    free(text);
    free(json);
    return !refused;
}

static void test_every_allocation(void **state) {
    char folder[] = "/tmp/tidemill-machine-XXXXXX", below[64];
    int64_t granted = 0;
    (void)state;
    json_set_alloc_funcs(malloc, free);
    if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1)) fail_msg("no folder");
    for (bool whole = false; !whole && granted < 5000; granted++) {
        until_failure = granted;
        whole = use_all();
    }
    if (granted < 100 || granted == 5000)
        fail_msg("%d allocations were refused in turn: expected some hundreds", (int)granted);
    snprintf(below, sizeof below, "%s/tidemill", folder);
    if (rmdir(below) != 0 || rmdir(folder) != 0) fail_msg("something is left in %s", folder);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_allocation) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
