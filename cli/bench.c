/* tidemill bench: what a training step and an answer cost here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "commands.h"

enum { TEXT = 1024 };

typedef struct bench_call {
    char   cases[TEXT], precision[TEXT], against[TEXT], python[TEXT], modes[TEXT], out[TEXT];
    double seconds;
    int    threads, rounds;
    tide_program_mode mode;
    bool   quick;
} bench_call;

/* What --quick takes: enough to see that everything runs, too little to believe a figure. */
static const double QUICK_SECONDS = 0.02;

static int options(cli_option *out) {
    const cli_option all[] = {
        { .name = "cases",
          .metavar = "NAMES",
          .type = CLI_TEXT,
          .fallback = "etth1,m1,ecl,traffic,eis512,eis8192",
          .help = "by commas; there are also matmul4096, eis-train-50k, eis-train-500k, eis-train-5m and eis-memory" },
        { .name = "precision",
          .metavar = "NAMES",
          .type = CLI_TEXT,
          .fallback = "f32",
          .help = "f32, bf16, f16 or auto; several by commas" },
        { .name = "compile-mode",
          .type = CLI_CHOICE,
          .choices = "default|reduce-overhead|max-autotune",
          .fallback = "default",
          .help = "max-autotune times candidates first, and keeps the answers" },
        { .name = "threads", .metavar = "N", .type = CLI_INT, .help = "0: the physical cores this process may use" },
        { .name = "seconds", .metavar = "S", .type = CLI_REAL, .fallback = "3",
          .help = "that the timed steps of a case take, about" },
        { .name = "out",
          .metavar = "DIR",
          .type = CLI_TEXT,
          .help = "also write bench.json there, and the times of single runs as SVG and CSV" },
        { .name = "against",
          .metavar = "SCRIPT",
          .type = CLI_TEXT,
          .help = "run this script alternately with ours and print the ratios: bench/peers/torch_bench.py" },
        { .name = "python", .metavar = "PATH", .type = CLI_TEXT, .fallback = "python3",
          .help = "what runs the script" },
        { .name = "peer-modes",
          .metavar = "NAMES",
          .type = CLI_TEXT,
          .fallback = "eager,compile,amp,compile-amp",
          .help = "what the script runs" },
        { .name = "rounds",
          .metavar = "N",
          .type = CLI_INT,
          .fallback = "3",
          .help = "ours, theirs, ours, theirs ...; without a script 1" },
        { .name = "quick", .type = CLI_FLAG, .flags = CLI_HIDDEN, .help = "too short to believe" },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        out[i] = all[i];
        out[i].group = "Benchmark";
    }
    return (int)(sizeof all / sizeof *all);
}

static tide_status refuse(const char *name, tide_failure *failure, const char *message) {
    *failure = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(failure->column, sizeof failure->column, "%s", name);
    snprintf(failure->message, sizeof failure->message, "--%s %s", name, message);
    return TIDE_EINVAL;
}

/* A name that does not exist is met with the nearest that does. */
static tide_status check_cases(const char *list, tide_failure *failure) {
    char name[64], near[64], message[400];
    while (*list) {
        size_t length = strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), list);
        list += length + (list[length] == ',');
        if (!*name || bench_spec_named(name)) continue;
        const char *found = nearest_in(name, bench_case_names(), near, sizeof near);
        if (found) snprintf(message, sizeof message, "has no case \"%s\"; did you mean \"%s\"?", name, found);
        else snprintf(message, sizeof message, "has no case \"%s\"; there are %s", name, bench_case_names());
        return refuse("cases", failure, message);
    }
    return TIDE_OK;
}

static tide_status set_text(bench_call *c, const char *name, const char *value, tide_failure *failure) {
    const struct { const char *name; char *text;
    } texts[] = {
        { "cases", c->cases },   { "precision", c->precision }, { "against", c->against },
        { "python", c->python }, { "peer-modes", c->modes },    { "out", c->out },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(name, texts[i].name) != 0) continue;
        if (strlen(value) >= TEXT) return refuse(name, failure, "is too long");
        strcpy(texts[i].text, value);
    }
    return strcmp(name, "cases") == 0 ? check_cases(value, failure) : TIDE_OK;
}

static tide_status set_whole(int *out, const char *name, const char *value, long least, long most,
                             tide_failure *failure) {
    char *end, message[100];
    long  number = strtol(value, &end, 10);
    snprintf(message, sizeof message, "takes a whole number from %ld to %ld", least, most);
    if (!*value || *end || number < least || number > most) return refuse(name, failure, message);
    *out = (int)number;
    return TIDE_OK;
}

static tide_status set_mode(bench_call *c, const char *value, tide_failure *failure) {
    for (c->mode = TIDE_MODE_DEFAULT; c->mode <= TIDE_MODE_MAX_AUTOTUNE; c->mode++)
        if (strcmp(tide_compile_mode_name(c->mode), value) == 0) return TIDE_OK;
    return refuse("compile-mode", failure, "takes default, reduce-overhead or max-autotune");
}

static tide_status set(void *target, const char *name, const char *text, tide_failure *failure) {
    bench_call *c = target;
    const char *value = text ? text : "";
    if (strcmp(name, "quick") == 0) return c->quick = true, TIDE_OK;
    if (strcmp(name, "compile-mode") == 0) return set_mode(c, value, failure);
    if (strcmp(name, "threads") == 0) return set_whole(&c->threads, name, value, 0, 4096, failure);
    if (strcmp(name, "rounds") == 0) return set_whole(&c->rounds, name, value, 1, 99, failure);
    if (strcmp(name, "seconds") != 0) return set_text(c, name, value, failure);
    char *end;
    c->seconds = strtod(value, &end);
    return *value && !*end && c->seconds > 0 && isfinite(c->seconds) ? TIDE_OK
                                                                     : refuse(name, failure, "takes a number above 0");
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
    const bench_call *c = call->target;
    tide_failure failure = { 0 };
    bool drawn = true;
    if (*c->out && bench_write(r, c->out, "bench.json", &drawn, &failure) != TIDE_OK)
        return report_failure(&failure, call->json);
    if (!drawn) say("no SVG was drawn: there is no gnuplot; the numbers are in the .csv files");
    char *text = call->json ? bench_json(r) : bench_text(r);
    if (!text) return report_failure(&(tide_failure){ .status = TIDE_ENOMEM, .message = "out of memory" }, call->json);
    int code = print_result(text, call->json);
    free(text);
    return code;
}

static int run(cli_call *call) {
    const bench_call *c = call->target;
    bench_report report;
    tide_failure failure = { 0 };
    bench_options o = { .cases = given(c->cases), .precisions = given(c->precision), .threads = c->threads,
                        .mode = c->mode,
                        .seconds = c->quick ? QUICK_SECONDS : c->seconds, .against = given(c->against),
                        .python = given(c->python),
                        .modes = given(c->modes), .rounds = c->rounds, .stop = bench_cli_stop, .tell = bench_cli_tell,
                        .user = call };
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
    .summary = "how fast training and answering are here, beside what the machine can do and beside PyTorch",
    .more = "A step is forward with dropout, loss, backward, clipping and AdamW. Compiling and warm-up are timed "
            "apart. \"%\" is the share "
            "of the\n"
            "rate at which this machine multiplies matrices, measured before and after each case.\n\n"
            "  tidemill bench\n  tidemill bench --cases etth1,eis512 --precision f32,bf16 --json\n"
            "  python3 -m venv DIR && DIR/bin/pip install torch==2.13.0\n"
            "  tidemill bench --against bench/peers/torch_bench.py --python DIR/bin/python\n",
    .options = options,
    .target_size = sizeof(bench_call),
    .set = set,
    .run = run,
};
