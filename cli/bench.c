/* tidemill bench: what a training step and an answer cost here. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "commands.h"

/* What --quick takes: enough to see that everything runs, too little to believe a figure. */
static const double QUICK_SECONDS = 0.02;

static tide_status refuse(const char *name, tide_failure *failure, const char *message) {
    *failure = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(failure->column, sizeof failure->column, "%s", name);
    snprintf(failure->message, sizeof failure->message, "`%s` %s", name, message);
    return TIDE_EINVAL;
}

static const char *suggest(const char *name, char *buffer, size_t size) {
    (void)buffer, (void)size;
    return strcmp(name, "cases") == 0 ? bench_case_names() : NULL;
}

/* A name that does not exist is met with the nearest that does. */
static tide_status check_cases(const char *list, tide_failure *failure) {
    char name[64], near[64], message[400];
    while (*list) {
        size_t length = strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), list);
        list += length + (list[length] == ',');
        if (!*name || bench_spec_named(name)) continue;
        const char *found = tide_word_nearest(name, bench_case_names(), near, sizeof near);
        if (found) snprintf(message, sizeof message, "has no case \"%s\"; did you mean \"%s\"?", name, found);
        else snprintf(message, sizeof message, "has no case \"%s\"; there are %s", name, bench_case_names());
        return refuse("cases", failure, message);
    }
    return TIDE_OK;
}

bool bench_cli_tell(void *user, const char *what) {
    const cli_call *call = user;
    if (call->verbose) say("%s", what);
    else if (!call->quiet) progress_line("%s", what);
    return !stop_asked();
}

bool bench_cli_stop(void *user) {
    (void)user;
    return stop_asked();
}

static const char *given(const char *text) { return *text ? text : NULL; }

/* Work that is not ours makes everything look slow. */
static void warn_if_busy(const cli_call *call) {
    double load;
    machine here;
    machine_detect(NULL, &here);
    if (!call->quiet && getloadavg(&load, 1) == 1 && load > 0.5 * here.processors)
        warn("warning: this machine is busy (load %.1f): times will be long and shares low", load);
}

static int print_report(const cli_call *call, const bench_report *r) {
    const bench_asked *c = call->target;
    tide_failure failure = { 0 };
    bool drawn = true;
    if (*c->out && bench_write(r, c->out, "bench.json", &drawn, &failure) != TIDE_OK)
        return report_failure(&failure, call->json);
    if (!drawn) say("no SVG was drawn: there is no gnuplot; the numbers are in the .csv files");
    char *text = call->json ? bench_json(r) : bench_text(r);
    if (!text) return report_failure(&(tide_failure){ .status = TIDE_ENOMEM, .message = "out of memory" }, call->json);
    int code = call->json ? print_result(text, true) : print_page(text);
    free(text);
    return code;
}

/* Where the report is one object, beside it. */
static void print_kernels(void *user, const char *page) {
    const cli_call *call = user;
    progress_end();
    if (call->json) say("%s", page);
    else print_page(page);
}

static int run(cli_call *call) {
    const bench_asked *c = call->target;
    bench_report report;
    tide_failure failure = { 0 };
    bench_options o = { .cases = given(c->cases), .device = c->device,
                        .precisions = given(c->precision), .threads = (int)c->threads,
                        .mode = (tide_program_mode)(TIDE_MODE_DEFAULT + c->mode),
                        .seconds = c->quick ? QUICK_SECONDS : c->seconds, .against = given(c->against),
                        .python = given(c->python),
                        .modes = given(c->modes),
                        .rounds = tide_option_given(bench_table(), c, "rounds") ? (int)c->rounds : 0,
                        .stop = bench_cli_stop, .tell = bench_cli_tell,
                        .explain = c->explain ? print_kernels : NULL,
                        .user = call };
    if (check_cases(c->cases, &failure) != TIDE_OK) return report_failure(&failure, call->json);
    stop_catch();
    warn_if_busy(call);
    stop_watch_begin(call->json);
    tide_status status = bench_run(&o, &report, &failure);
    stop_watch_end();
    progress_end();
    int code = status == TIDE_OK ? print_report(call, &report) : report_failure(&failure, call->json);
    bench_report_free(&report);
    return code;
}

const cli_command command_bench = {
    .name = "bench",
    .words = "",
    .summary = "time training and answering here, beside what the machine can do and beside PyTorch or JAX",
    .more = "A step is forward with dropout, loss, backward, clipping and AdamW. Compiling and warm-up are timed "
            "apart. \"%\" is the share "
            "of the\n"
            "rate at which the device multiplies matrices, measured before and after each case. On one with memory of "
            "its own each\nrun is timed to its end, and then many that are queued before one wait.\n\n"
            "  tidemill bench\n  tidemill bench --cases etth1,eis512 --precision f32,bf16 --json\n"
            "  python3 -m venv DIR && DIR/bin/pip install torch==2.13.0\n"
            "  tidemill bench --against bench/peers/torch_bench.py --python DIR/bin/python\n",
    .files = "DIR/bench.json: the report\nDIR/*.svg, DIR/*.csv: the times of single runs\n",
    .rows = { { bench_table, 0, 0 } },
    .target_size = sizeof(bench_asked),
    .suggest = suggest,
    .run = run,
};
