/* tidemill selftest: what anyone can run on their own machine. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "commands.h"
#include "selftest/selftest.h"

typedef struct target {
    char device[32], golden[1024];
} target;

static int options(cli_option *out) {
    out[0] = (cli_option){ .name = "device",
                           .metavar = "NAME",
                           .group = "Test",
                           .help = "cpu, ref or check",
                           .type = CLI_TEXT,
                           .fallback = "cpu" };
    out[1] = (cli_option){ .name = "golden", .metavar = "DIR", .group = "Test", .type = CLI_TEXT,
                           .help = "also the published model's numbers: itransformer_*.npz" };
    return 2;
}

static void prepare(void *memory) {
    strcpy(((target *)memory)->device, "cpu");
}

static tide_status set(void *memory, const char *name, const char *text, tide_failure *failure) {
    target *t = memory;
    bool device = strcmp(name, "device") == 0;
    size_t room = device ? sizeof t->device : sizeof t->golden;
    if (strlen(text) < room) return strcpy(device ? t->device : t->golden, text), TIDE_OK;
    *failure = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(failure->message, sizeof failure->message, "--%s is too long", name);
    return TIDE_EINVAL;
}

static int report(void *user, const char *check, bool passed, double error, const char *detail) {
    const cli_call *call = user;
    if (!passed) warn("failed: %s: %s", check, detail);
    else if (call->verbose) say("passed: %s (%.2g)", check, error);
    else if (!call->quiet) progress_line("%s", check);
    return stop_asked();
}

static int finish(const cli_call *call, const selftest_result *r) {
    const target *t = call->target;
    char text[512];
    double worst = isfinite(r->worst_rel_error) ? r->worst_rel_error : 1e308;
    if (call->json)
        snprintf(text, sizeof text, "{\"schema_version\": 1, \"passed\": %" PRId64 ", \"failed\": %" PRId64
                 ", \"worst_rel_error\": %.9g, \"worst\": \"%s\", \"device\": \"%s\"}", r->passed, r->failed, worst,
                 r->worst, t->device);
    else
        snprintf(text, sizeof text, "%" PRId64 " passed, %" PRId64 " failed on %s; largest relative error %.2g (%s)",
                 r->passed, r->failed,
                 t->device, r->worst_rel_error, r->worst);
    int code = print_result(text, call->json);
    return r->failed ? EXIT_FAILED : code;
}

static int run(cli_call *call) {
    const target *t = call->target;
    selftest_result result = { 0 };
    tide_failure failure = { 0 };
    selftest_options o = {
        .device = t->device, .golden = *t->golden ? t->golden : NULL, .report = report, .user = call
    };
    stop_catch();
    tide_status status = selftest_run(&o, &result, &failure);
    progress_end();
    if (status == TIDE_EIO && o.golden) failure.status = TIDE_EDATA; /* the folder that was named is the input */
    return status == TIDE_OK ? finish(call, &result) : report_failure(&failure, call->json);
}

const cli_command command_selftest = {
    .name = "selftest", .words = "", .summary = "prove this machine: every op, derivative and golden file",
    .more = "  tidemill selftest --device cpu\n", .options = options, .target_size = sizeof(target),
    .prepare = prepare, .set = set, .run = run,
};
