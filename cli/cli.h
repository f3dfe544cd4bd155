/* The command line: it parses and prints, and that is all. Results go to stdout, talk to stderr. */
#ifndef CLI_H
#define CLI_H

#include <stdio.h>

#include <tidemill/core.h>

/* ---- exit codes ---------------------------------------------------------------------------------------- */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INPUT = 3, EXIT_DEVICE = 4, EXIT_INTERRUPTED = 130 };
int exit_code(tide_status status);

/* ---- options ------------------------------------------------------------------------------------------- */

typedef enum cli_type { CLI_FLAG, CLI_INT, CLI_REAL, CLI_TEXT, CLI_CHOICE } cli_type;

enum {
    CLI_HIDDEN    = 1,  /* accepted, not shown */
    CLI_NO_EFFECT = 2,  /* accepted with one note */
    CLI_FRONT     = 4   /* belongs to the command line itself: not read from --config or the environment */
};

typedef struct cli_option {
    const char *name;       /* "seq-len"; '_' equals '-' */
    const char *alias;      /* a second name; NULL */
    const char *metavar;    /* "FILE"; NULL */
    const char *choices;    /* "a|b|c"; NULL */
    const char *bare;       /* what the option means without a value; NULL: it needs one (or is a flag) */
    char        fallback[96]; /* the default as text; "" if there is none to show */
    const char *group, *help;
    cli_type    type;
    unsigned    flags;
} cli_option;

typedef struct cli_command cli_command;

enum { CLI_WORDS = 256 };

/* A command line, taken apart. */
typedef struct cli_call {
    const cli_command *command;
    const char *words[CLI_WORDS];   /* what is not an option */
    int         word_count;
    bool        json, verbose, quiet;
    const char *config;     /* the file of --config; NULL */
    void       *target;     /* what the command's `set` fills */
} cli_call;

struct cli_command {
    const char *name;        /* "forecast train" */
    const char *words;       /* "RUN": shown after the name; "" */
    int         least_words, most_words;
    const char *summary;     /* one line */
    const char *more;        /* paragraphs and examples for --help; "" */
    /* The command's own options into `out` (room for CLI_MAX_OPTIONS); returns how many. */
    int (*options)(cli_option *out);
    size_t target_size;
    void (*prepare)(void *target);  /* fills in the defaults; NULL: zeros */
    /* One option from text; text is NULL for a flag without a value. Filled failure: message and column. */
    tide_status (*set)(void *target, const char *name, const char *text, tide_failure *failure);
    int (*run)(cli_call *call);
};

enum { CLI_MAX_OPTIONS = 144 };

extern const cli_command *const cli_commands[];  /* ends with NULL */
const cli_command *command_find(const char *name);
/* Whether there are commands "NAME something". */
bool command_is_group(const char *name);
/* Whether `command` is one of them; then *word is what follows the name. */
bool command_in_group(const cli_command *command, const char *name, const char **word);
/* "tidemill forecast WORD" where WORD is none of the commands: says which is near. Returns the exit code. */
int command_unknown_word(const cli_call *call);

/* The command's options and those of every command; returns how many. */
int command_options(const cli_command *command, cli_option *out);
int front_options(cli_option *out);

/* argv[0] is not looked at. Handles --help, --config and the environment. Returns -1 to go on, else the exit code. */
int cli_parse(cli_call *call, int argc, char **argv);

/* Every key of a JSON file, as text, to `set` (config.c). Skips names for which `skip` says true. */
typedef struct config_sink {
    bool (*wants)(void *user, const char *name);
    tide_status (*set)(void *user, const char *name, const char *text, tide_failure *failure);
    void *user;
} config_sink;
tide_status config_read(const char *path, const config_sink *sink, tide_failure *failure);

/* ---- the manual ---------------------------------------------------------------------------------------- */

void help_front(FILE *out);
void help_group(FILE *out, const char *name);
void help_command(FILE *out, const cli_command *command);
void man_print(FILE *out);
void completion_print(FILE *out);

/* ---- talk ---------------------------------------------------------------------------------------------- */

/* The word of a '|'-separated list that is nearest to `word`, if it is near; NULL. Result in `buffer`. */
const char *nearest_in(const char *word, const char *list, char *buffer, size_t size);
/* Edits (insert, delete, replace, swap) from a to b. */
int edit_distance(const char *a, const char *b);

void say(const char *format, ...) TIDE_PRINTF(1, 2);   /* a line on stderr; clears the progress line first */
void warn(const char *format, ...) TIDE_PRINTF(1, 2);
/* A line that the next one overwrites, on a terminal; at most ten a second. */
void progress_line(const char *format, ...) TIDE_PRINTF(1, 2);
void progress_end(void);
bool talk_is_terminal(void);

/* Reports a failure: talk, and one JSON object on stdout if json. Returns the exit code. */
int report_failure(const tide_failure *failure, bool json);
/* Prints `text` and flushes; a full disk or a closed pipe is a failure like any other. Returns the exit code. */
int print_result(const char *text, bool json);
/* The last thing before the program ends: what was printed, by whomever, is out, or exit code 0 becomes 1. */
int output_end(int code);

/* ---- stopping ------------------------------------------------------------------------------------------ */

/* From now on Ctrl-C, SIGTERM and SIGHUP (a closed terminal) only set a flag; a second Ctrl-C or SIGTERM ends the
 * program at once. A file size limit no longer ends it either: the write fails. */
void stop_catch(void);
bool stop_asked(void);
/* Between these two the program ends itself, with exit code 130, if it was asked to stop and has not within 1.5
 * seconds: for work that leaves nothing behind, and one run of which may take longer. */
void stop_watch_begin(bool json);
void stop_watch_end(void);

#endif
