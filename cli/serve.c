/* tidemill serve: the service in the foreground. */
#include <tidemill/serve.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"

typedef struct own { bool print_openapi; } own;
typedef struct target { serve_options options; own own; } target;

static const tide_option rows[] = {
    { "print-openapi", TIDE_OPTION_BOOL(own, print_openapi), NULL, 0, "Service", NULL,
      "print the description of the interface, OpenAPI 3.1, and end" },
};
static const tide_option_table options = TIDE_OPTION_TABLE(own, rows);

static const tide_option_table *table(void) { return &options; }

/* From several threads: a line is one call. A pipe that nobody reads ends the log, not the service. */
static void tell(void *user, serve_tone tone, const char *line) {
    const cli_call *call = user;
    if (tone == SERVE_WARNING) warn("%s", line);
    else if (tone == SERVE_NOTE && !call->quiet) say("%s", line);
    else if (tone == SERVE_ACCESS && printf("%s\n", line) > 0) fflush(stdout);
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
    if (!call->quiet) say("stopping: what is at hand is finished");
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
