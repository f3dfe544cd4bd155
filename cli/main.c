/* Which command it is, and what is asked of the program itself. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "progress.h"
#include "rank.h"

/* The command that the first one or two words name; *used says how many they were. */
static const cli_command *command_of(int argc, char **argv, int *used) {
    char name[128];
    for (*used = 2; *used >= 1; --*used) {
        if (argc <= *used) continue;
        snprintf(name, sizeof name, "%s%s%s", argv[1], *used == 2 ? " " : "", *used == 2 ? argv[2] : "");
        const cli_command *command = command_find(name);
        if (command) return command;
    }
    return NULL;
}

static int unknown_command(int argc, char **argv) {
    char name[128], list[512] = "selftest|help", near[64];
    bool json = false;
    for (int i = 0; cli_commands[i]; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "|%s", cli_commands[i]->name);
    for (int i = 1; i < argc; i++) json = json || strcmp(argv[i], "--json") == 0;
    snprintf(name, sizeof name, "%s%s%s", argv[1], argc > 2 && argv[2][0] != '-' ? " " : "",
             argc > 2 && argv[2][0] != '-' ? argv[2] : "");
    const char *found = tide_word_nearest(name, list, near, sizeof near);
    if (!found) found = tide_word_nearest(argv[1], list, near, sizeof near);
    tide_failure f = { .status = TIDE_EINVAL };
    if (found) snprintf(f.message, sizeof f.message, "there is no command \"%s\"; did you mean \"%s\"?", name, found);
    else snprintf(f.message, sizeof f.message, "there is no command \"%s\"; tidemill help lists them", name);
    return report_failure(&f, json);
}

/* A part of the target as its table says, and what a command does unless it is refused. */
static void set_part(const tide_option_table *t, void *options) {
    tide_options_default(t, options);
    for (int64_t i = 0; i < t->count; i++)
        if (t->rows[i].flags & TIDE_OPTION_COMMAND_ON) tide_option_put(t, options, t->rows[i].name, "true", NULL);
}

static void set_defaults(const cli_command *command, void *target) {
    for (size_t k = 0; k < sizeof command->rows / sizeof *command->rows; k++)
        if (command->rows[k].table) set_part(command->rows[k].table(), (char *)target + command->rows[k].offset);
}

static int run_command(const cli_command *command, int argc, char **argv) {
    cli_call call = { .command = command };
    call.target = calloc(1, command->target_size + 1);
    if (!call.target)
        return report_failure(&(tide_failure){ .status = TIDE_ENOMEM, .message = "out of memory" }, false);
    set_defaults(command, call.target);
    int code = cli_parse(&call, argc, argv);
    tide_failure failure = { 0 };
    if (code == CLI_GO_ON && !rank_begin(&call, &failure)) code = report_failure(&failure, call.json);
    if (code == CLI_GO_ON) {
        progress_begin_line(command->name);
        code = command->run(&call);
    }
    else if (code == CLI_HELP && call.word_count && command_is_group(command->name)) code = command_unknown_word(&call);
    else if (code == CLI_HELP) help_command(stdout, command), code = EXIT_DONE;
    free(call.target);
    return code;
}

static int print_version(int argc, char **argv) {
    (void)argc, (void)argv;
    return print_result("tidemill " TIDE_VERSION, false);
}

static int print_man(int argc, char **argv) {
    int                used    = 0;
    const cli_command *command = argc > 2 ? command_of(argc - 1, argv + 1, &used) : NULL;
    if (argc > 2 && (!command || argc > 2 + used)) return unknown_command(argc - 1, argv + 1);
    man_print(stdout, command);
    return EXIT_DONE;
}

static int print_completion(int argc, char **argv) {
    tide_failure f = { .status = TIDE_EINVAL, .column = "completion", .message = "the shell is bash, zsh or fish" };
    return completion_print(stdout, argc > 2 ? argv[2] : "bash") ? EXIT_DONE : report_failure(&f, false);
}

static int print_help(int argc, char **argv) {
    int used;
    if (argc < 3) return help_front(stdout), EXIT_DONE;
    const cli_command *command = command_of(argc - 1, argv + 1, &used);
    /* "help data": no command by itself; "help forecast explain": one that there is, and a word that names none. */
    if (!command && argc == 3 && command_is_group(argv[2])) return help_group(stdout, argv[2]), EXIT_DONE;
    if (!command || (used == 1 && argc > 3)) return unknown_command(argc - 1, argv + 1);
    help_command(stdout, command);
    return EXIT_DONE;
}

static bool asks_for_help(const char *word) {
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "tidemill data", "data --help", "eis help", "eis help train": as "help data" and so on. -1: none of these. */
static int run_group(int argc, char **argv) {
    bool group = command_is_group(argv[1]), itself = command_find(argv[1]) != NULL; /* "eis" is a command as well */
    if (!group || (itself && (argc < 3 || strcmp(argv[2], "help") != 0))) return -1;
    if (argc == 2) return help_group(stderr, argv[1]), EXIT_USAGE;
    if (!asks_for_help(argv[2])) return -1;
    char *help[] = { argv[0], argv[2], argv[1], argc > 3 ? argv[3] : NULL };
    return print_help(argc > 3 ? 4 : 3, help);
}

static int run_all(int argc, char **argv) {
    static const struct { const char *word; int (*run)(int, char **); } fronts[] = {
        { "--version", print_version }, { "-V", print_version }, { "--help", print_help }, { "-h", print_help },
        { "help", print_help }, { "--man", print_man }, { "--completion", print_completion },
    };
    int used;
    if (argc < 2) {
        help_front(stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++)
        if (strcmp(argv[1], fronts[i].word) == 0) return fronts[i].run(argc, argv);
    int code = run_group(argc, argv);
    if (code >= 0) return code;
    const cli_command *command = command_of(argc, argv, &used);
    return command ? run_command(command, argc - used, argv + used) : unknown_command(argc, argv);
}

int main(int argc, char **argv) {
    rank_hush();
    int code = output_end(run_all(argc, argv));
    progress_end_line(code);
    return code;
}
