/* tidemill serve: the service in the foreground. */
#include <tidemill/serve.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

typedef struct own { bool print_openapi; } own;
typedef struct target { serve_options options; own own; } target;

static const tide_option rows[] = {
    { "print-openapi", TIDE_OPTION_BOOL(own, print_openapi), NULL, 0, "Service", NULL,
      "print the description of the interface, OpenAPI 3.1, and end" },
};
static const tide_option_table options = TIDE_OPTION_TABLE(own, rows);

static const tide_option_table *table(void) { return &options; }

/* ---- what the service tells ---- */

/* Waits until a write would not, as on a pipe that is full. False: it cannot be written to, or nobody has read for a
 * second since the service was to stop; then what is left is not told. */
static bool takes_more(int fd) {
    enum { LOOK_MS = 100, LOOKS = 10 };
    static atomic_bool given_up[STDERR_FILENO + 1];
    for (int late = 0; !atomic_load(&given_up[fd]); late += stop_asked()) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        if (late == LOOKS) atomic_store(&given_up[fd], true);
        else if (poll(&p, 1, LOOK_MS) > 0) return p.revents & POLLOUT;
    }
    return false;
}

/* A pipe that takes anything takes this much. */
static void put(const char *text, size_t length) {
    enum { PIECE = 4096 };
    while (length && takes_more(STDOUT_FILENO)) {
        ssize_t n = write(STDOUT_FILENO, text, length < PIECE ? length : PIECE);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return;
        text += n;
        length -= (size_t)n;
    }
}

/* The service's thread and the command's own speak, one at a time. */
static void speak(bool warning, const char *line) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (!takes_more(STDERR_FILENO)) return;
    pthread_mutex_lock(&lock);
    if (warning) warn("%s", line);
    else say("%s", line);
    pthread_mutex_unlock(&lock);
}

/* Reader or none, it ends; a closed pipe ends the log, not the service. */
static void tell(void *user, serve_tone tone, const char *line) {
    const cli_call *call = user;
    char *whole = NULL;
    if (tone == SERVE_ACCESS) {
        int length = asprintf(&whole, "%s\n", line);
        if (length > 0) put(whole, (size_t)length);
        if (length > 0) free(whole);
    } else if (tone == SERVE_WARNING || !call->quiet) speak(tone == SERVE_WARNING, line);
}

static int print_openapi(const cli_call *call) {
    char *text = serve_openapi();
    if (!text) {
        serve       *none    = NULL;
        tide_failure failure = { 0 };
        serve_open(&((target *)call->target)->options, NULL, NULL, &none, &failure);
        serve_close(none);
        if (!failure.status) failure = (tide_failure){ .status = TIDE_ENOMEM, .message = "out of memory" };
        return report_failure(&failure, call->json);
    }
    int code = print_result(text, call->json);
    tide_free(text);
    return code;
}

/* A second Ctrl-C ends the program at once (stop.c). */
static int run(cli_call *call) {
    enum { LOOK_MS = 50, PATIENCE_S = 30 };
    const struct timespec pause = { 0, LOOK_MS * 1000000L };
    target      *t = call->target;
    tide_failure failure = { 0 };
    serve       *s = NULL;
    const serve_command more[] = { { command_bench.name, command_bench.rows[0].table, "out=run" }, { .name = NULL } };
    t->options.commands = more;
    if (t->own.print_openapi) return print_openapi(call);
    stop_catch();
    signal(SIGPIPE, SIG_IGN);
    if (serve_open(&t->options, tell, call, &s, &failure) != TIDE_OK) return report_failure(&failure, call->json);
    while (!stop_asked()) nanosleep(&pause, NULL);
    if (!call->quiet) speak(false, "stopping: what is at hand is finished");
    serve_stop(s, PATIENCE_S);
    serve_close(s);
    return EXIT_DONE;
}

const cli_command command_serve = {
    .name = "serve", .words = "", .summary = "answer over HTTP: spectra, forecasts, jobs",
    .more = "Listens on this machine alone unless --host says otherwise. SIGTERM and Ctrl-C finish what is at hand.\n\n"
            "  tidemill serve\n"
            "  curl -s localhost:8321/api/v1/eis/complete -H 'Content-Type: text/csv' --data-binary @spectrum.csv\n"
            "  tidemill serve --host 0.0.0.0 --token-file tokens --models runs\n"
            "  tidemill serve --print-openapi > openapi.json\n",
    .rows = { { serve_table, 0, offsetof(target, options) }, { table, 0, offsetof(target, own) } },
    .target_size = sizeof(target), .run = run,
};
