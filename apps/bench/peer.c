/* The other program: a script that prints one JSON object a line for each case and mode it has timed. */
#include <errno.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "parts.h"

extern char **environ;

/* ---- modes ---- */

static const char *const mode_names[] = {
    [BENCH_EAGER] = "eager", [BENCH_COMPILE] = "compile", [BENCH_AMP] = "amp", [BENCH_COMPILE_AMP] = "compile-amp"
};

const char *bench_mode_name(bench_mode mode) { return mode_names[mode]; }

bool bench_mode_named(const char *name, bench_mode *out) {
    for (int i = 0; i < BENCH_MODES; i++)
        if (strcmp(mode_names[i], name) == 0) return *out = (bench_mode)i, true;
    return false;
}

/* ---- what it prints ---- */

static double number(const json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }

static void take_mode(const json_t *o, bench_peer *out) {
    const char *mode = json_string_value(json_object_get(o, "mode")), *failed = json_string_value(json_object_get(o, "failed"));
    bench_mode  m;
    if (!mode || !bench_mode_named(mode, &m)) return;
    if (failed && !*out->failed) snprintf(out->failed, sizeof out->failed, "%s: %.150s", mode, failed);
    out->mode[m] = (struct bench_peer_times){ number(o, "step_ms"), number(o, "infer_p50_ms"), number(o, "first_s") };
}

void bench_peer_line(const char *line, const char *name, bench_peer *out) {
    json_t     *o    = json_loads(line, 0, NULL);
    const char *said = json_string_value(json_object_get(o, "case")), *torch = json_string_value(json_object_get(o, "torch"));
    if (torch) snprintf(out->version, sizeof out->version, "PyTorch %.30s", torch);
    if (said && strcmp(said, name) == 0) take_mode(o, out);
    json_decref(o);
}

/* ---- running it ---- */

enum { LINE = 4096 };

/* Its standard output and error both arrive in `out`. 0 or an errno. */
static int start(const char *const *words, FILE **out, pid_t *child) {
    int ends[2], code;
    if (pipe(ends) != 0) return errno;
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addclose(&files, ends[0]);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
    code = posix_spawnp(child, words[0], &files, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    *out = code == 0 ? fdopen(ends[0], "r") : NULL;
    if (!*out) close(ends[0]);
    return code;
}

/* Gives every line to `take`, and keeps the last that says something. Its exit code; -1: it did not start or did not end by itself. */
static int run_words(const char *const *words, void (*take)(const char *line, void *user), void *user, char last[BENCH_NOTE]) {
    char  line[LINE];
    FILE *out;
    pid_t child;
    int   state = -1, code = start(words, &out, &child);
    *last = 0;
    if (code != 0) return snprintf(last, BENCH_NOTE, "%s", strerror(code)), -1;
    while (out && fgets(line, sizeof line, out)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line) snprintf(last, BENCH_NOTE, "%.*s", BENCH_NOTE - 1, line);
        if (take) take(line, user);
    }
    if (out) fclose(out);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

tide_status bench_peer_available(const char *python, tide_failure *failure) {
    char last[BENCH_NOTE];
    if (run_words((const char *const[]){ python, "-c", "import torch", NULL }, NULL, NULL, last) == 0) return TIDE_OK;
    return fail_at(failure, TIDE_EDEVICE, NULL, 0, "python", "--against needs a Python that can import torch, and %s is none (%s): "
                   "python3 -m venv DIR, DIR/bin/pip install torch==2.13.0, then --python DIR/bin/python", python, last);
}

typedef struct reading { const char *name; bench_peer *out; } reading;

static void take_line(const char *line, void *user) {
    reading *r = user;
    bench_peer_line(line, r->name, r->out);
}

tide_status bench_peer_run(const bench_peer_call *call, bench_peer *out, tide_failure *failure) {
    char    threads[16], seconds[32], last[BENCH_NOTE];
    reading r = { call->name, out };
    snprintf(threads, sizeof threads, "%d", call->threads);
    num_format(seconds, call->seconds, false);
    const char *words[] = { call->python, call->script, "--threads", threads, "--cases", call->name,
                            "--modes",    call->modes,  "--seconds", seconds, NULL };
    *out = (bench_peer){ 0 };
    int code = run_words(words, take_line, &r, last);
    if (code == 0) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, call->script, 0, "against", "%s ended with exit code %d: %s", call->script, code, last);
}

/* ---- ratios ---- */

static double ratio(double theirs, double ours) { return theirs > 0 && ours > 0 ? theirs / ours : 0; }

bench_ratios bench_ratios_of(const bench_entry *e) {
    const bench_peer *theirs = &e->peer;
    bool         half    = e->result.precision != TIDE_PRECISION_F32;
    bench_mode   eager   = half ? BENCH_AMP : BENCH_EAGER, compiled = half ? BENCH_COMPILE_AMP : BENCH_COMPILE;
    double       fastest = 0, flops = bench_main_program(&e->result)->flops;
    bench_ratios out     = { .peer_step_ms = theirs->mode[eager].step_ms };
    for (int i = 0; i < BENCH_MODES; i++) {
        double ms = theirs->mode[i].step_ms;
        if (ms > 0 && (fastest == 0 || ms < fastest)) fastest = ms;
    }
    out.eager = ratio(out.peer_step_ms, e->step_ms), out.compile = ratio(theirs->mode[compiled].step_ms, e->step_ms);
    out.best  = ratio(fastest, e->step_ms), out.infer = ratio(theirs->mode[eager].infer_ms, e->infer_ms);
    if (flops > 0) out.roof_allows = out.peer_step_ms * 1e6 * e->result.roof_gflops / flops;
    return out;
}
