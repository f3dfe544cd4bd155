/* tidemill selftest: what anyone can run on their own machine. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "commands.h"
#include "golden_folders.h"
#include "selftest/selftest.h"

typedef struct target {
    char device[32], golden[1024], only[64];
    int  precision;
} target;

static const tide_option rows[] = {
    CLI_ROW_DEVICE(target, "the device that is tested, NAME or NAME:INDEX"),
    { "precision", TIDE_OPTION_CHOICE(target, precision, "f32|bf16|f16"), NULL, 0, "Test", NULL,
      "what large matrix products multiply; in 16 bits 2e-2 of the largest number of a result is allowed" },
    { "only", TIDE_OPTION_TEXT(target, only), NULL, 0, "Test", "TEXT",
      "checks with this in their names, such as matmul" },
    { "golden", TIDE_OPTION_TEXT(target, golden), NULL, 0, "Test", "DIR",
      "take golden files (itransformer_*.npz) from this folder instead of the installed ones" },
};
static const tide_option_table options = TIDE_OPTION_TABLE(target, rows);

static const tide_option_table *table(void) { return &options; }

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
                 ", \"golden_files\": %" PRId64 ", \"worst_rel_error\": %.9g, \"worst\": \"%s\", \"device\": \"%s\", "
                 "\"precision\": \"%s\"}",
                 r->passed, r->failed, r->golden_files, worst, r->worst, t->device, tide_precision_name(r->precision));
    else
        snprintf(text, sizeof text,
                 "%" PRId64 " passed, %" PRId64 " failed on %s in %s, %" PRId64
                 " of them golden files; largest relative error %.2g (%s)",
                 r->passed, r->failed, t->device, tide_precision_name(r->precision), r->golden_files,
                 r->worst_rel_error, r->worst);
    int code = print_result(text, call->json);
    return r->failed ? EXIT_FAILED : code;
}

static int run(cli_call *call) {
    const target *t = call->target;
    selftest_result result = { 0 };
    tide_failure failure = { 0 };
    static const char *const places[] = { GOLDEN_INSTALLED, GOLDEN_BUILT, NULL };
    char came_along[sizeof t->golden];
    selftest_golden_folder(places, came_along, sizeof came_along);
    const char *golden = *t->golden ? t->golden : came_along;
    selftest_options o = {
        .device = t->device, .precision = (tide_precision)(TIDE_PRECISION_F32 + t->precision),
        .only = *t->only ? t->only : NULL, .golden = *golden ? golden : NULL, .report = report, .user = call
    };
    if (!o.golden) warn("the golden files are not here, so they are not checked; --golden DIR says where they are");
    stop_catch();
    tide_status status = selftest_run(&o, &result, &failure);
    progress_end();
    if (status == TIDE_OK && *result.precision_note) warn("in f32: %s", result.precision_note);
    if (status == TIDE_EIO && o.golden) failure.status = TIDE_EDATA; /* the folder that was named is the input */
    return status == TIDE_OK ? finish(call, &result) : report_failure(&failure, call->json);
}

const cli_command command_selftest = {
    .name = "selftest", .words = "", .summary = "check this build and machine: every op, derivative and golden file",
    .more = "  tidemill selftest --device cpu\n", .rows = { { table, 0, 0 } }, .target_size = sizeof(target),
    .run = run,
};
