/* Every option of the service. */
#include <tidemill/serve.h>

#define S serve_options

static const tide_option rows[] = {
    { "host", TIDE_OPTION_TEXT(S, host), "127.0.0.1", TIDE_OPTION_RESOURCE, "Service", "ADDRESS",
      "where to listen; one that other machines can reach needs a token file" },
    { "port", TIDE_OPTION_INT(S, port, 0, 65535), "8321", TIDE_OPTION_RESOURCE, "Service", "N", "0: one that is free" },
    { "root-path", TIDE_OPTION_TEXT(S, root_path), NULL, TIDE_OPTION_RESOURCE, "Service", "/PATH",
      "what stands before every path, behind a proxy" },
    { "token-file", TIDE_OPTION_TEXT(S, token_file), NULL, TIDE_OPTION_RESOURCE, "Service", "FILE",
      "ask for a token: lines of TOKEN or NAME TOKEN, readable by its owner alone" },
    { "allow-host", TIDE_OPTION_TEXT(S, allow_host), NULL, TIDE_OPTION_RESOURCE, "Service", "NAME,...",
      "names besides localhost by which a proxy on this machine asks" },
    { "models", TIDE_OPTION_TEXT(S, models), "runs", TIDE_OPTION_RESOURCE, "Service", "DIR",
      "folder whose run folders are the models" },
    { "state", TIDE_OPTION_TEXT(S, state), NULL, TIDE_OPTION_RESOURCE, "Service", "DIR",
      "where uploads and jobs are kept, of one service at a time (default: ~/.local/state/tidemill/serve)" },
    { "workers", TIDE_OPTION_INT(S, workers, 0, 1024), NULL, TIDE_OPTION_RESOURCE, "Service", "N",
      "threads that answer; 0: the physical cores this process may use", .aliases = "threads" },
    { "queue", TIDE_OPTION_INT(S, queue, 1, 1 << 20), "256", TIDE_OPTION_RESOURCE, "Service", "N",
      "requests that may wait; more are refused with 503 and Retry-After" },
    { "deadline", TIDE_OPTION_REAL(S, deadline_s, 0.01, 86400), "30", TIDE_OPTION_RESOURCE, "Service", "S",
      "seconds that a refined answer or a fit may take, waiting included" },
    { "max-body", TIDE_OPTION_REAL(S, max_body_mib, 0.001, 1024), "8", TIDE_OPTION_RESOURCE, "Service", "MIB",
      "largest body of a request; uploads may have 64 MiB, or this if it is more" },
    { "access-log", TIDE_OPTION_BOOL(S, access_log), "true", TIDE_OPTION_RESOURCE, "Service", NULL,
      "a JSON line on standard output for each request" },
};
_Static_assert(sizeof rows / sizeof *rows <= SERVE_MAX_OPTIONS, "serve_options.given is too short");

static const tide_option_table table = { rows, sizeof rows / sizeof *rows, sizeof(S), offsetof(S, given) };

const tide_option_table *serve_table(void) { return &table; }

void serve_options_default(serve_options *o) {
    if (o) tide_options_default(&table, o);
}
