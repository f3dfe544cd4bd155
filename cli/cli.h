/* The command line: it parses and prints, and that is all. Results go to stdout, talk to stderr. */
#ifndef CLI_H
#define CLI_H

#include <stdio.h>

#include <tidemill/options.h>

/* ---- exit codes ---------------------------------------------------------------------------------------- */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INPUT = 3, EXIT_DEVICE = 4, EXIT_INTERRUPTED = 130 };
int exit_code(tide_status status);

/* ---- commands ------------------------------------------------------------------------------------------ */

typedef struct cli_command cli_command;

enum { CLI_WORDS = 4096, CLI_PATH = 1024 };

/* A command line, taken apart. Its first fields are the options of every command. */
typedef struct cli_call {
    bool        json, verbose, quiet, help;
    char        config[CLI_PATH];   /* the file of --config; "" */
    int         progress;           /* of "text|json" (progress.h) */
    const cli_command *command;
    const char *words[CLI_WORDS];   /* what is not an option */
    int         word_count;
    void       *target;     /* the structs of the command's tables */
} cli_call;

/* A part of a command's options: the rows of a table that have one of the flags (0: all rows), and where in the target
 * the table's struct lies. */
typedef struct cli_rows {
    const tide_option_table *(*table)(void);
    unsigned flags;
    size_t   offset;
} cli_rows;

struct cli_command {
    const char *name;        /* "forecast train" */
    const char *words;       /* "RUN": shown after the name; "" */
    int         least_words, most_words;
    const char *summary;     /* one line */
    const char *more;        /* for --help and the man page; lines that begin with two blanks are examples; "" */
    const char *files;       /* for the man page: what it leaves, "NAME: what it is" a line; NULL: nothing to tell */
    cli_rows    rows[2];
    size_t      target_size;
    /* An option that is no setting ("--preset list"): true if it was dealt with. NULL: there are none. */
    bool (*take)(void *target, const char *name, const char *text);
    /* Likely values of the option of that name, or of the word ("NAME"), by '|': for completion. NULL: none are known;
     * the function itself may be NULL. */
    const char *(*suggest)(const char *name, char *buffer, size_t size);
    int (*run)(cli_call *call);
};

/* One option of a command. */
typedef struct cli_row {
    const tide_option       *row;
    const tide_option_table *table;
    size_t offset;
    bool   front;    /* belongs to the command line itself: not read from --config or the environment */
} cli_row;

enum { CLI_MAX_OPTIONS = 144, CLI_LIST = 4096 };

extern const cli_command *const cli_commands[];  /* ends with NULL (commands.c) */
const cli_command *command_find(const char *name);
/* Whether there are commands "NAME something". */
bool command_is_group(const char *name);
/* Whether `command` is one of them; then *word is what follows the name. */
bool command_in_group(const cli_command *command, const char *name, const char **word);
/* "tidemill forecast WORD" where WORD is none of the commands: says which is near. Returns the exit code. */
int command_unknown_word(const cli_call *call);
/* The command's options and those of every command into `out` (room for CLI_MAX_OPTIONS); returns how many. */
int command_rows(const cli_command *command, cli_row *out);
/* Is it the name of an option of any command? */
bool command_option_known(const char *name, size_t length);
/* What the option may be, by '|': its choices or likely values; NULL: any text. */
const char *command_values(const cli_command *command, const tide_option *row, char *buffer, size_t size);

/* The devices of this build, by '|', and what else the row suggests; returns `buffer`. */
const char *device_words(const tide_option *row, char *buffer, size_t size);

enum { CLI_GO_ON = -1, CLI_HELP = -2 };
/* argv[0] is not looked at. Applies --config and the environment. Returns CLI_GO_ON, CLI_HELP, or the exit code. */
int cli_parse(cli_call *call, int argc, char **argv);
/* What --config names, to the reader (config.c). */
tide_status config_read(const char *path, const tide_option_reader *reader, tide_failure *failure);

/* ---- the manual ---------------------------------------------------------------------------------------- */

void help_front(FILE *out);
void help_group(FILE *out, const char *name);
void help_command(FILE *out, const cli_command *command);
/* "(on by default; --no-plots)", "[96]" ...: what follows the row's help text, with its words and names. */
void help_text(char *buffer, size_t size, const tide_option *row);
void help_value(char *buffer, size_t size, const tide_option *row);  /* " FILE", " auto|must": what follows the name */

void man_print(FILE *out, const cli_command *command);  /* NULL: the page on tidemill */
/* False: no such shell. */
bool completion_print(FILE *out, const char *shell);

/* ---- talk ---------------------------------------------------------------------------------------------- */

void say(const char *format, ...) TIDE_PRINTF(1, 2);   /* a line on stderr; clears the progress line first */
void warn(const char *format, ...) TIDE_PRINTF(1, 2);
/* A line that the next one overwrites, on a terminal; at most ten a second. */
void progress_line(const char *format, ...) TIDE_PRINTF(1, 2);
void progress_end(void);
bool talk_is_terminal(void);

/* Reports a failure: talk, and one JSON object on stdout if json. Returns the exit code. */
int report_failure(const tide_failure *failure, bool json);
/* The library writes options' names in backticks; on the command line they are --names, as
 * long. Returns `out`. */
char *with_dashes(const char *text, char *out, size_t size);
/* A page for people, with dashes. */
int print_page(const char *text);
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
