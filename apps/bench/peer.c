/* The other program: a script that prints one JSON object a line for each case and mode it has timed. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
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
    [BENCH_EAGER] = "eager", [BENCH_COMPILE] = "compile", [BENCH_AMP] = "amp", [BENCH_COMPILE_AMP] = "compile-amp",
    [BENCH_GRAPH] = "graph", [BENCH_GRAPH_COMPILE_AMP] = "graph-compile-amp"
};

const char *bench_mode_name(bench_mode mode) { return mode_names[mode]; }

bool bench_mode_named(const char *name, bench_mode *out) {
    for (int i = 0; i < BENCH_MODES; i++)
        if (strcmp(mode_names[i], name) == 0) return *out = (bench_mode)i, true;
    return false;
}

int bench_modes_on(const char *device) { return bench_on_cuda(device) ? BENCH_MODES : BENCH_GRAPH; }

const char *bench_mode_names(const char *device) {
    return bench_on_cuda(device) ? "eager,compile,amp,compile-amp,graph,graph-compile-amp"
                                 : "eager,compile,amp,compile-amp";
}

/* ---- what it prints ---- */

#define FIGURE(field) offsetof(struct bench_peer_times, field)
const bench_peer_figure bench_peer_figures[BENCH_PEER_FIGURES] = {
    { "step_ms", FIGURE(step_ms) },     { "infer_p50_ms", FIGURE(infer_ms) }, { "first_s", FIGURE(first_s) },
    { "queued_ms", FIGURE(queued_ms) }, { "peak_mib", FIGURE(peak_mib) },
};

double *bench_peer_value(struct bench_peer_times *t, int figure) {
    void *place = (char *)t + bench_peer_figures[figure].at;
    return place;
}

static double number(const json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }

static void take_mode(const json_t *o, bench_peer *out) {
    const char *mode = json_string_value(json_object_get(o, "mode")),
               *failed = json_string_value(json_object_get(o, "failed"));
    bench_mode  m;
    if (!mode || !bench_mode_named(mode, &m)) return;
    if (failed && !*out->failed) snprintf(out->failed, sizeof out->failed, "%s: %.150s", mode, failed);
    for (int i = 0; i < BENCH_PEER_FIGURES; i++)
        *bench_peer_value(&out->mode[m], i) = number(o, bench_peer_figures[i].key);
}

void bench_peer_line(const char *line, const char *name, bench_peer *out) {
    json_t     *o    = json_loads(line, 0, NULL);
    const char *said = json_string_value(json_object_get(o, "case")),
               *torch = json_string_value(json_object_get(o, "torch")),
               *jax = json_string_value(json_object_get(o, "jax"));
    if (torch || jax)
        snprintf(out->version, sizeof out->version, "%s %.30s", torch ? "PyTorch" : "JAX", torch ? torch : jax);
    if (said && strcmp(said, name) == 0) take_mode(o, out);
    json_decref(o);
}

/* ---- running it ---- */

enum { LINE = 4096, ASK_MS = 100, GRACE_MS = 500 };

/* Its standard output and error both arrive at `out`. It leads a process group: what it starts in turn can be ended
 * with it, and Ctrl-C reaches us alone. 0 or an errno. */
static int start(const char *const *words, int *out, pid_t *child) {
    int ends[2], code;
    if (pipe(ends) != 0) return errno;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t          how;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    sigset_t none; /* whatever this program blocks */
    sigemptyset(&none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawn_file_actions_addclose(&files, ends[0]);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
    code = posix_spawnp(child, words[0], &files, &how, (char *const *)words, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    if (code != 0) close(ends[0]);
    *out = ends[0];
    return code;
}

/* A pipe as lines. */
typedef struct line_reader {
    int  pipe;
    char text[LINE];   /* `used` bytes that no whole line was made of yet */
    size_t used;
    void (*take)(const char *line, void *user);
    void *user;
    char *last;        /* BENCH_NOTE: the last line that says something */
} line_reader;

static void take_whole(line_reader *r, char *line) {
    line[strcspn(line, "\r\n")] = 0;
    if (*line) snprintf(r->last, BENCH_NOTE, "%.*s", BENCH_NOTE - 1, line);
    if (r->take) r->take(line, r->user);
}

/* What has arrived. False at its end. A line that is too long is cut there. */
static bool read_some(line_reader *r) {
    ssize_t got = read(r->pipe, r->text + r->used, LINE - 1 - r->used);
    if (got < 0 && errno == EINTR) return true;
    r->used += got > 0 ? (size_t)got : 0;
    r->text[r->used] = 0;
    char *from = r->text, *end;
    while ((end = strchr(from, '\n')) || r->used - (size_t)(from - r->text) == LINE - 1 || (got <= 0 && *from)) {
        char *next = end ? end + 1 : r->text + r->used;
        if (end) *end = 0;
        take_whole(r, from);
        from = next;
    }
    r->used -= (size_t)(from - r->text);
    memmove(r->text, from, r->used);
    return got > 0;
}

/* Ends the child and all it started: asked first, then made to. */
static void end_group(pid_t child) {
    int state;
    kill(-child, SIGTERM);
    for (int waited = 0; waited < GRACE_MS && waitpid(child, &state, WNOHANG) == 0; waited += 20) poll(NULL, 0, 20);
    kill(-child, SIGKILL);
}

static bool watch_stopped(bench_watch watch) { return watch.stop && watch.stop(watch.user); }

/* Gives every line to `take`, and keeps the last that says something. Its exit code; -1: it did not start or did not
 * end by itself. */
static int run_words(const char *const *words, bench_watch watch, void (*take)(const char *line, void *user),
                     void *user, char last[BENCH_NOTE]) {
    line_reader r = { .take = take, .user = user, .last = last };
    pid_t child;
    int   state = -1, code = start(words, &r.pipe, &child);
    bool  stopped = false, more = true;
    *last = 0;
    if (code != 0) return snprintf(last, BENCH_NOTE, "%s", strerror(code)), -1;
    while (more && !(stopped = watch_stopped(watch))) {
        struct pollfd ready = { .fd = r.pipe, .events = POLLIN };
        if (poll(&ready, 1, ASK_MS) > 0) more = read_some(&r);
    }
    close(r.pipe);
    if (stopped) end_group(child);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* Whether a line begins with "import MODULE". */
static bool imports(const char *script, const char *module) {
    char  line[LINE];
    FILE *file  = fopen(script, "r");
    bool  found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "import ", 7) == 0 && strncmp(line + 7, module, strlen(module)) == 0;
    if (file) fclose(file);
    return found;
}

tide_status bench_peer_available(const char *python, const char *script, bench_watch watch, tide_failure *failure) {
    static const struct { const char *module, *import, *package;
    } needs[] = { { "torch", "import torch", "torch==2.13.0" }, { "jax", "import jax", "jax" } };
    char last[BENCH_NOTE];
    int  i = imports(script, "jax");
    if (run_words((const char *const[]){ python, "-c", needs[i].import, NULL }, watch, NULL, NULL, last) == 0)
        return TIDE_OK;
    if (watch_stopped(watch)) return bench_cancelled(failure);
    return fail_at(failure, TIDE_EDEVICE, NULL, 0, "python",
                   "`against` needs a Python that can import %s, and %s is none (%s): "
                   "python3 -m venv DIR, DIR/bin/pip install %s, then `python` DIR/bin/python",
                   needs[i].module, python, last, needs[i].package);
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
                            "--modes",    call->modes,  "--seconds", seconds, call->device ? "--device" : NULL,
                            call->device, NULL };
    *out = (bench_peer){ 0 };
    int code = run_words(words, call->watch, take_line, &r, last);
    if (code == 0) return TIDE_OK;
    if (watch_stopped(call->watch)) return bench_cancelled(failure);
    return fail_at(failure, TIDE_EDATA, call->script, 0, "against", "%s ended with exit code %d: %s", call->script,
                   code, last);
}

/* ---- ratios ---- */

static double ratio(double theirs, double ours) { return theirs > 0 && ours > 0 ? theirs / ours : 0; }

static bool is_faster(double ms, double fastest) { return ms > 0 && (fastest == 0 || ms < fastest); }

bench_ratios bench_ratios_of(const bench_entry *e) {
    const bench_peer *theirs = &e->peer;
    bool         half    = e->result.precision != TIDE_PRECISION_F32;
    bench_mode   eager   = half ? BENCH_AMP : BENCH_EAGER, compiled = half ? BENCH_COMPILE_AMP : BENCH_COMPILE;
    double       fastest = 0, queued = 0, flops = bench_main_program(&e->result)->flops;
    bench_ratios out     = { .peer_step_ms = theirs->mode[eager].step_ms };
    for (int i = 0; i < BENCH_MODES; i++) {
        const struct bench_peer_times *t = &theirs->mode[i];
        if (is_faster(t->step_ms, fastest)) fastest = t->step_ms;
        if (is_faster(t->queued_ms, queued)) queued = t->queued_ms, out.peer_peak_mib = t->peak_mib;
    }
    out.queued = ratio(queued, e->queued_ms);
    out.eager = ratio(out.peer_step_ms, e->step_ms), out.compile = ratio(theirs->mode[compiled].step_ms, e->step_ms);
    out.best  = ratio(fastest, e->step_ms), out.infer = ratio(theirs->mode[eager].infer_ms, e->infer_ms);
    if (flops > 0) out.roof_allows = out.peer_step_ms * 1e6 * e->result.roof_gflops / flops;
    return out;
}
